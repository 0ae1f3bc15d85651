"""Many texts read together for the row after each: what they begin with in common once, the rest side by side.

Rows of unequal length are filled up at their end. A position depends only on those before it, so what stands behind a
row's last token changes nothing of it, and no mask is needed. Torch in, torch out, on the engine's thread.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from playground.engine.api import CancelToken
from playground.engine.hf.prefix import common_prefix
from playground.engine.hf.runner import PREFILL_CHUNK, ModelRunner
from playground.engine.hf.state import DecoderState
from playground.engine.pieces import Pieces
from playground.engine.types import TokenIds

_PASS = 32  # a pass of its own costs a small model on a CPU as much as so many positions: what is shared must save more
_ALONE = 4  # a text is read alone where that leaves so many times fewer positions to run: most of it is known


def batched_prefill(
    runner: ModelRunner, texts: Sequence[TokenIds], cancel: CancelToken
) -> Pieces[tuple[list[torch.Tensor], int]]:
    """The last row (vocab,) of each text, in order, and how many positions the model was run on, filling included.

    One by one where a text is so long that the model reads it in another way (see ``ModelRunner.is_long``). Others have
    their turn after every few hundred positions. Raises Cancelled before a pass.
    """
    together = _together(runner, texts)
    rows: dict[TokenIds, torch.Tensor] = {}
    computed = 0
    for number, ids in enumerate(text for text in texts if text not in together):
        if number:
            yield
        rows[ids], new, _state = yield from runner.run_in_pieces(ids, cancel)
        computed += new
    if together:
        if rows:
            yield
        batch_rows, new = yield from _side_by_side(runner, together, cancel)
        rows |= zip(together, batch_rows, strict=True)
        computed += new
    return [rows[ids] for ids in texts], computed


def _together(runner: ModelRunner, texts: Sequence[TokenIds]) -> list[TokenIds]:
    """Those that are best read side by side: all but those of which most is known already; none where only one is left."""
    if len(texts) <= 1 or runner.is_long(max(map(len, texts))):
        return []
    shared = _shared(texts)
    batched = [ids for ids in texts if (len(ids) - runner.cached_length(ids)) * _ALONE > len(ids) - shared]
    return batched if len(batched) > 1 else []


def _shared(texts: Sequence[TokenIds]) -> int:
    """Tokens they begin with in common; at least one of each is left to run."""
    return min(min(common_prefix(texts[0], ids), len(ids) - 1) for ids in texts)


def _side_by_side(
    runner: ModelRunner, texts: Sequence[TokenIds], cancel: CancelToken
) -> Pieces[tuple[list[torch.Tensor], int]]:
    in_pieces = runner.takes_pieces and runner.joins_rows
    shared, computed = _shared(texts), 0
    if not in_pieces or shared * (len(texts) - 1) <= _PASS:
        shared = 0
    state: DecoderState | None = None
    if shared:
        _row, computed, prefix_state = yield from runner.run_in_pieces(texts[0][:shared], cancel)
        assert prefix_state is not None  # a model that takes pieces has one
        with runner.running(shared):
            state = prefix_state.fork(shared).preallocate(len(texts))  # the prefix store keeps the other
        yield
    tails = [ids[shared:] for ids in texts]
    longest = max(map(len, tails))
    if in_pieces and state is None and longest * len(texts) > PREFILL_CHUNK:
        state = runner.empty_state()
    filled = [(*tail, *[tail[-1]] * (longest - len(tail))) for tail in tails]  # any token will do behind the end
    rows: dict[int, torch.Tensor] = {}
    live, read = list(range(len(texts))), 0
    while live:
        if read:
            yield
        cancel.check()
        end = longest if state is None else min(longest, read + max(1, PREFILL_CHUNK // len(live)))
        ending = [number for number in live if len(tails[number]) <= end]
        kept = sorted({len(tails[number]) - 1 - read for number in ending}) or [end - read - 1]
        staying = [place for place, number in enumerate(live) if number not in ending]
        with runner.running(shared + end):
            logits = runner.forward(
                [filled[number][read:end] for number in live], state, kept=kept
            )  # (live, kept, vocab)
            for number in ending:
                rows[number] = logits[live.index(number), kept.index(len(tails[number]) - 1 - read)]
            if state is not None and ending and staying:
                state.select_rows(torch.tensor(staying, device=logits.device))
        computed += (end - read) * len(live)
        live, read = [live[place] for place in staying], end
    return [rows[number] for number in range(len(texts))], computed
