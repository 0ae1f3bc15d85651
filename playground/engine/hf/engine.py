"""The engine behind which a transformers model runs. Ids in, NumPy out; knows nothing of text, samplers and pages.

What makes it quick: key-value caches of prefixes seen before are kept, so only new tokens are run, and only the last
row goes through the head. What makes it stoppable and fair: long inputs run in pieces; between two it asks whether
anybody still waits, and gives others their turn. It remembers no answers: ``CachedEngine`` around it does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from typing import Any

import numpy as np
import torch

from playground.engine.api import Attention, CancelToken, Hidden, NextTokens, Rows, Score, Stream, Streamer, Weights
from playground.engine.attention_data import AttentionPass, check_window
from playground.engine.hf.asked_step import AskedStep, run_steps
from playground.engine.hf.attention_pass import run_attention_pass
from playground.engine.hf.batch import TransformersBatch, open_rows
from playground.engine.hf.batched_prefill import batched_prefill
from playground.engine.hf.hidden_pass import run_lens
from playground.engine.hf.joint_step import joins_steps
from playground.engine.hf.prefix import PrefixCache
from playground.engine.hf.runner import PREFILL_CHUNK, ModelRunner
from playground.engine.hf.state_pass import last_states
from playground.engine.hf.weight_list import list_weights
from playground.engine.limits import check_ids, check_lens, check_start
from playground.engine.pieces import Pieces, finish
from playground.engine.text.codec import HfTextCodec
from playground.engine.types import (
    FloatArray,
    LensRows,
    NextLogits,
    SequenceScore,
    StreamEvent,
    StreamRequest,
    TokenIds,
    WeightList,
)
from playground.errors import BadPrompt
from playground.models.info import LoadedModelInfo
from playground.models.loading import LoadedModel
from playground.numerics import entropy_rows, ranks_of_rows

_SCORED_LOGITS_BYTES = 64 * 1024 * 1024  # logits of one chunk while scoring


class TransformersEngine:
    """An ``Engine`` over a loaded causal language model. One request at a time."""

    def __init__(
        self,
        loaded: LoadedModel,
        *,
        prefixes: PrefixCache | None = None,
        step_threads: int | None = None,
        crowded: Callable[[], bool] = lambda: False,
        streamer: Streamer | None = None,
    ) -> None:
        """``step_threads``: CPU threads for a few positions at a time; None leaves torch's own number, and while
        ``crowded`` it is one. With a ``streamer`` it offers ``Stream``."""
        self._info = loaded.info
        self._codec = HfTextCodec(loaded.tokenizer, loaded.info)
        self._runner = ModelRunner(loaded, PrefixCache() if prefixes is None else prefixes, step_threads, crowded)
        self._owns_weights = True
        self._base = self
        own: set[type] = {NextTokens, Rows, Score, Hidden, Weights}
        own |= ({Attention} if loaded.has_attention else set()) | ({Stream} if streamer else set())
        self._facets = frozenset[type](own)
        self._streamer = streamer

    def beside(self, loaded: LoadedModel) -> TransformersEngine:
        """An engine for another tree of modules over this one's tensors, used by the same thread. Its end leaves them."""
        twin = copy(self)
        twin._info, twin._runner, twin._owns_weights = loaded.info, self._runner.beside(loaded), False
        return twin

    @property
    def base(self) -> TransformersEngine:
        """The engine that this one stands beside, and whose weights it uses; itself where they are its own."""
        return self._base

    @property
    def info(self) -> LoadedModelInfo:
        return self._info

    @property
    def facets(self) -> frozenset[type]:
        return self._facets

    @property
    def codec(self) -> HfTextCodec:
        return self._codec

    @property
    def loaded(self) -> LoadedModel:
        """The model itself, for what the protocol does not offer (attention, hidden states). The worker's thread only.

        Raises ModelError once the engine is closed.
        """
        return self._runner.loaded

    def next_logits(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> NextLogits:
        """Logits of the token after ``ids``; see the protocol. Raises BadPrompt, Cancelled and ModelError."""
        return finish(self.next_logits_in_pieces([ids], cancel=cancel))[0]

    def next_logits_in_pieces(
        self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
    ) -> Pieces[tuple[NextLogits, ...]]:
        """The same with turns between; equal texts are read once."""
        started = time.perf_counter()
        wanted = [check_ids(ids, self._info) for ids in texts]
        new = list(dict.fromkeys(wanted))
        rows, computed = yield from batched_prefill(self._runner, new, cancel or CancelToken())
        each, elapsed_ms = computed // max(len(new), 1), (time.perf_counter() - started) * 1000 / max(len(new), 1)
        values = (self._runner.to_numpy(row) for row in rows)
        by_ids = {ids: NextLogits(ids, row, each, elapsed_ms) for ids, row in zip(new, values, strict=True)}
        return tuple(by_ids[ids] for ids in wanted)

    def stream(self, request: StreamRequest, *, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        assert self._streamer is not None, "who asks for Stream by `require` is refused where there is no streamer"
        return self._streamer(self, request, cancel)

    def score(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> SequenceScore:
        """Teacher-forced log-probabilities, ranks and entropies of ``ids``, in nats; see ``SequenceScore``."""
        return finish(self.score_in_pieces(ids, cancel=cancel))

    def score_in_pieces(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> Pieces[SequenceScore]:
        """The same with turns between."""
        return self._score(check_ids(ids, self._info), cancel or CancelToken())

    def _score(self, ids: TokenIds, cancel: CancelToken) -> Pieces[SequenceScore]:
        columns: list[tuple[np.ndarray[Any, Any], ...]] = [(np.array([np.nan]), np.array([-1]), np.array([np.nan]))]
        rows = self._rows_at_once()
        for begin, logits in self._teacher_forced(ids, cancel):
            if begin:
                yield
            targets = ids[begin + 1 : begin + len(logits) + 1]
            with self._runner.running(len(ids)):
                for first in range(0, len(targets), rows):
                    columns.append(_score_rows(logits[first : first + rows], targets[first : first + rows]))
        logprobs, ranks, entropies = (np.concatenate(column) for column in zip(*columns, strict=True))
        return SequenceScore(
            ids=ids,
            logprobs=logprobs.astype(np.float32),
            ranks=ranks.astype(np.int32),
            entropies=entropies.astype(np.float32),
        )

    def rows_along(self, ids: Sequence[int], start: int, *, cancel: CancelToken | None = None) -> Iterator[FloatArray]:
        """The model's predictions along a given text, a few rows at a step; see the protocol."""
        token_ids = check_ids(ids, self._info)
        check_start(token_ids, start)
        passes = self._teacher_forced(token_ids[:-1], cancel or CancelToken())
        return (self._runner.to_numpy(logits[max(0, start - 1 - begin) :]) for begin, logits in passes)

    def _rows_at_once(self) -> int:
        """Logits are computed for so many positions at once: they take more memory than all else of a pass."""
        return max(8, min(PREFILL_CHUNK, _SCORED_LOGITS_BYTES // (4 * self._info.vocab_size)))

    def _teacher_forced(self, ids: TokenIds, cancel: CancelToken) -> Iterator[tuple[int, torch.Tensor]]:
        """Pieces of one pass over ``ids``: where each begins, and its logits (positions, vocab)."""
        state = self._runner.empty_state() if self._runner.keeps_state else None
        begin = 0
        while begin < len(ids):
            cancel.check()
            step = self._runner.piece(begin, len(ids), len(ids), self._rows_at_once())
            with self._runner.running(len(ids)):
                logits = self._runner.forward([ids[begin : begin + step]], state, last_row=False)[0]
            self._runner.check_numbers(logits)
            yield begin, logits
            begin += step
        if state is not None:
            self._runner.store_prefix(ids, state)

    def open_batch(
        self, prompts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None, branching: bool = True
    ) -> TransformersBatch:
        """Read the prompts, each distinct one once, and be ready to decode them together; see the protocol."""
        return finish(self.open_batch_in_pieces(prompts, cancel=cancel, branching=branching))

    def open_batch_in_pieces(
        self, prompts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None, branching: bool = True
    ) -> Pieces[TransformersBatch]:
        """The same with turns between."""
        prompt_ids = [check_ids(ids, self._info) for ids in prompts]
        if not prompt_ids:
            raise BadPrompt("There is no prompt: type some text first.", field="prompt")
        return open_rows(self._runner, prompt_ids, cancel or CancelToken(), branching)

    @property
    def joins_steps(self) -> bool:
        return joins_steps(self._runner)

    def take_asked(self) -> Sequence[AskedStep]:
        """The steps that batches have asked for since the last call; see the protocol."""
        taken, self._runner.asked_steps = self._runner.asked_steps, []
        return taken

    def run_steps(self, wanted: Sequence[tuple[AskedStep, int]]) -> None:
        """So many rows of each step, in one pass; see the protocol."""
        run_steps(self._runner, wanted)

    def lens(
        self, ids: Sequence[int], positions: range, *, follow: Sequence[int] = (), cancel: CancelToken | None = None
    ) -> Iterator[LensRows | None]:
        """What every layer would answer at ``positions``, a few of them at each step; see the protocol."""
        token_ids = check_ids(ids, self._info)
        check_lens(token_ids, positions, follow, self._info)
        return run_lens(self._runner, token_ids, positions, follow, cancel or CancelToken())

    def last_states_in_pieces(
        self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
    ) -> Pieces[tuple[FloatArray, ...]]:
        """What the head reads at each text's last token; equal texts are read once."""
        wanted = [check_ids(ids, self._info) for ids in texts]
        new = list(dict.fromkeys(wanted))
        states, _computed = yield from last_states(self._runner, new, cancel or CancelToken())
        by_ids = dict(zip(new, map(self._runner.to_numpy, states), strict=True))
        return tuple(by_ids[ids] for ids in wanted)

    def attentions(
        self, ids: Sequence[int], *, start: int = 0, end: int | None = None, cancel: CancelToken | None = None
    ) -> AttentionPass:
        """Every attention weight of a window of ``ids``; see the protocol."""
        return finish(self.attentions_in_pieces(ids, start=start, end=end, cancel=cancel))

    def attentions_in_pieces(
        self, ids: Sequence[int], *, start: int = 0, end: int | None = None, cancel: CancelToken | None = None
    ) -> Pieces[AttentionPass]:
        """The same with turns between."""
        token_ids = check_ids(ids, self._info)
        first, stop = check_window(self._info, len(token_ids), start, end)
        return run_attention_pass(self._runner, token_ids, first, stop, cancel or CancelToken())

    def weights(self) -> WeightList:
        """The model's learned tensors and its config, without a forward pass."""
        return list_weights(self._runner.loaded)

    def close(self) -> None:
        """Release the weights and caches. The engine is unusable afterwards."""
        if self._owns_weights:
            self._runner.close()
        else:
            self._runner.leave()


def _score_rows(logits: torch.Tensor, targets: TokenIds) -> tuple[np.ndarray[Any, Any], ...]:
    """Log-probability, rank and entropy of each target under its row of ``logits`` (n or more, vocab)."""
    rows = logits[: len(targets)].float()  # (n, vocab)
    ids = torch.tensor(targets, device=rows.device)
    logprobs = rows.log_softmax(-1)
    columns = (logprobs.gather(1, ids[:, None]), ranks_of_rows(rows, ids), entropy_rows(logprobs))
    return tuple(column.flatten().cpu().numpy() for column in columns)
