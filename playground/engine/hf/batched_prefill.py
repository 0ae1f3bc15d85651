"""Many texts read together for the row after each: what they begin with in common once, the rest side by side.

Rows of unequal length are filled up at their end. A position depends only on those before it, so what stands behind a
row's last token changes nothing of it, and no mask is needed. Torch in, torch out, on the engine's thread.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from playground.engine.api import CancelToken, Pieces
from playground.engine.hf.prefix import common_prefix
from playground.engine.hf.runner import ModelRunner
from playground.engine.types import TokenIds


def batched_prefill(
    runner: ModelRunner, texts: Sequence[TokenIds], cancel: CancelToken
) -> Pieces[tuple[list[torch.Tensor], int]]:
    """The last row (vocab,) of each text, in order, and how many positions the model was run on, filling included.

    One by one where a text is so long that the model reads it in another way (see ``ModelRunner.is_long``). Raises
    Cancelled before a pass.
    """
    if len(texts) <= 1 or runner.is_long(max(map(len, texts))):
        rows, computed = [], 0
        for number, ids in enumerate(texts):
            if number:
                yield
            row, new, _cache = yield from runner.run_in_pieces(ids, cancel)
            rows.append(row)
            computed += new
        return rows, computed
    first = texts[0]
    shared = min(min(common_prefix(first, ids), len(ids) - 1) for ids in texts)
    shared = shared if runner.takes_pieces and runner.joins_rows else 0
    computed, state = 0, None
    if shared:
        _row, computed, known = yield from runner.run_in_pieces(first[:shared], cancel)
        assert known is not None  # a model that takes pieces has one
        with runner.running(shared):
            state = known.fork(shared).preallocate(len(texts))  # the prefix store keeps the other
        yield
    cancel.check()
    tails = [ids[shared:] for ids in texts]
    longest = max(map(len, tails))
    filled = [(*tail, *[tail[-1]] * (longest - len(tail))) for tail in tails]  # any token will do behind the end
    kept = sorted({len(tail) - 1 for tail in tails})
    with runner.running(shared + longest):
        logits = runner.forward(filled, state, kept=kept)  # (texts, kept, vocab)
    places = {position: place for place, position in enumerate(kept)}
    found = [logits[number, places[len(tail) - 1]] for number, tail in enumerate(tails)]
    return found, computed + longest * len(texts)
