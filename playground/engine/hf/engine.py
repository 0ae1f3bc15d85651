"""The engine behind which a transformers model runs. Ids in, NumPy out; knows nothing of text, samplers and pages.

What makes it quick: rows of logits seen before are kept, key-value caches of prefixes seen before are kept, so only
new tokens are run, and only the last row goes through the head. What makes it stoppable: long inputs run in chunks,
and between chunks it asks whether anybody still waits.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from cachetools import LRUCache

from playground.engine.api import CancelToken
from playground.engine.attention_data import AttentionPass, PassCache, check_window
from playground.engine.hf.attention_pass import run_attention_pass, shows_queries_and_keys
from playground.engine.hf.batch import TransformersBatch
from playground.engine.hf.batched_prefill import batched_prefill
from playground.engine.hf.hidden_pass import run_lens
from playground.engine.hf.prefix import PrefixCache
from playground.engine.hf.runner import PREFILL_CHUNK, ModelRunner
from playground.engine.hf.weight_list import list_weights
from playground.engine.limits import check_ids, check_lens
from playground.engine.logits_cache import LogitsCache
from playground.engine.text.codec import HfTextCodec
from playground.engine.types import Capabilities, FloatArray, LensRows, NextLogits, SequenceScore, TokenIds, WeightList
from playground.errors import BadPrompt
from playground.models.info import ModelInfo
from playground.models.loading import LoadedModel

_SCORED_LOGITS_BYTES = 64 * 1024 * 1024  # logits of one chunk while scoring
_REMEMBERED_SCORES = 32


class TransformersEngine:
    """An ``Engine`` over a loaded causal language model. One request at a time; ``cached_logits`` from any thread."""

    def __init__(
        self,
        loaded: LoadedModel,
        *,
        logits_cache: LogitsCache | None = None,
        prefixes: PrefixCache | None = None,
        step_threads: int | None = None,
    ) -> None:
        """``step_threads``: CPU threads for a few positions at a time; None leaves torch's own number."""
        self._info = loaded.info
        self._codec = HfTextCodec(loaded.tokenizer, loaded.info)
        self._runner = ModelRunner(loaded, PrefixCache() if prefixes is None else prefixes, step_threads)
        self._logits = LogitsCache() if logits_cache is None else logits_cache
        self._scores: LRUCache[tuple[str, TokenIds], SequenceScore] = LRUCache(_REMEMBERED_SCORES)
        self._passes = PassCache()
        self._capabilities = Capabilities(
            attentions=loaded.has_attention,
            query_key=loaded.has_attention and shows_queries_and_keys(loaded.model),
            hidden_states=True,
        )

    @property
    def info(self) -> ModelInfo:
        return self._info

    @property
    def capabilities(self) -> Capabilities:
        return self._capabilities

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
        started = time.perf_counter()
        known = check_ids(ids, self._info)
        remembered = self.cached_logits(known)
        if remembered is not None:
            return remembered
        with self._runner.running(len(known)):
            row, computed, _cache = self._runner.run(known, cancel or CancelToken())
        values = self._remember(known, row)
        elapsed_ms = (time.perf_counter() - started) * 1000
        return NextLogits(known, values, computed, elapsed_ms)

    def next_logits_each(
        self, texts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None
    ) -> tuple[NextLogits, ...]:
        """The same for several texts, those that are not known read together; see the protocol."""
        started = time.perf_counter()
        checked = [check_ids(ids, self._info) for ids in texts]
        found = {ids: known for ids in checked if (known := self.cached_logits(ids)) is not None}
        new = [ids for ids in dict.fromkeys(checked) if ids not in found]
        if new:
            with self._runner.running(max(map(len, new))):
                rows, computed = batched_prefill(self._runner, new, cancel or CancelToken())
            each, elapsed_ms = computed // len(new), (time.perf_counter() - started) * 1000 / len(new)
            for ids, row in zip(new, rows, strict=True):
                found[ids] = NextLogits(ids, self._remember(ids, row), each, elapsed_ms)
        return tuple(found[ids] for ids in checked)

    def cached_logits(self, ids: Sequence[int]) -> NextLogits | None:
        """The same if it is known already, without running the model. Safe from any thread."""
        known = tuple(ids)
        row = self._logits.get(self._info.revision, known)
        return None if row is None else NextLogits(known, row, 0, 0.0)

    def _remember(self, ids: TokenIds, row: torch.Tensor) -> FloatArray:
        """The row (vocab,) as NumPy, kept for the next time. What has been shown once is not replaced.

        The same row computed in other chunks differs in its last digits, and a link must show the same numbers.
        """
        remembered = self._logits.get(self._info.revision, ids)
        if remembered is not None:
            return remembered
        values = self._runner.to_numpy(row)
        self._logits.put(self._info.revision, ids, values)
        return values

    def score(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> SequenceScore:
        """Teacher-forced log-probabilities, ranks and entropies of ``ids``, in nats; see ``SequenceScore``."""
        known = check_ids(ids, self._info)
        key = (self._info.revision, known)
        if key not in self._scores:
            with self._runner.running(len(known)):
                self._scores[key] = self._score(known, cancel or CancelToken())
        return self._scores[key]

    def _score(self, ids: TokenIds, cancel: CancelToken) -> SequenceScore:
        rows = max(8, min(PREFILL_CHUNK, _SCORED_LOGITS_BYTES // (4 * self._info.vocab_size)))
        state = self._runner.empty_state() if self._runner.keeps_state else None
        columns: list[tuple[np.ndarray[Any, Any], ...]] = [(np.array([np.nan]), np.array([-1]), np.array([np.nan]))]
        begin = 0
        while begin < len(ids):
            cancel.check()
            step = self._runner.piece(begin, len(ids), len(ids), rows)
            logits = self._runner.forward([ids[begin : begin + step]], state, last_row=False)[0]  # (step, vocab)
            targets = ids[begin + 1 : begin + step + 1]
            for first in range(0, len(targets), rows):
                columns.append(_score_rows(logits[first : first + rows], targets[first : first + rows]))
            begin += step
        self._remember(ids, logits[-1])
        if state is not None:
            self._runner.store_prefix(ids, state)
        logprobs, ranks, entropies = (np.concatenate(column) for column in zip(*columns, strict=True))
        return SequenceScore(
            ids=ids,
            logprobs=logprobs.astype(np.float32),
            ranks=ranks.astype(np.int32),
            entropies=entropies.astype(np.float32),
        )

    def open_batch(
        self, prompts: Sequence[Sequence[int]], *, cancel: CancelToken | None = None, branching: bool = True
    ) -> TransformersBatch:
        """Read the prompts, each distinct one once, and be ready to decode them together; see the protocol."""
        known = [check_ids(ids, self._info) for ids in prompts]
        if not known:
            raise BadPrompt("There is no prompt: type some text first.", field="prompt")
        return TransformersBatch(self._runner, known, cancel or CancelToken(), branching)

    def lens(
        self, ids: Sequence[int], positions: range, *, follow: Sequence[int] = (), cancel: CancelToken | None = None
    ) -> Iterator[LensRows | None]:
        """What every layer would answer at ``positions``, a few of them at each step; see the protocol."""
        known = check_ids(ids, self._info)
        check_lens(known, positions, follow, self._info)
        return run_lens(self._runner, known, positions, follow, cancel or CancelToken())

    def attentions(
        self, ids: Sequence[int], *, start: int = 0, end: int | None = None, cancel: CancelToken | None = None
    ) -> AttentionPass:
        """Every attention weight of a window of ``ids``; see the protocol."""
        known = check_ids(ids, self._info)
        first, stop = check_window(self._info, len(known), start, end)
        key = (self._info.revision, known, first, stop)
        made = self._passes.get(key)
        if made is None:
            with self._runner.running(stop):
                made = run_attention_pass(self._runner, known, first, stop, cancel or CancelToken())
            self._passes.put(key, made)
        return made

    def cached_attentions(self, ids: Sequence[int], *, start: int = 0, end: int | None = None) -> AttentionPass | None:
        """The same if it is still remembered, without running the model. Safe from any thread."""
        known = tuple(ids)
        return self._passes.get((self._info.revision, known, start, len(known) if end is None else end))

    def forget_attentions(self) -> None:
        """Let go of all remembered passes now, not only once nobody has looked at them for a while."""
        self._passes.clear()

    def weights(self) -> WeightList:
        """The model's learned tensors and its config, without a forward pass."""
        return list_weights(self._runner.loaded.model)

    def close(self) -> None:
        """Release the weights and caches. The engine is unusable afterwards."""
        self._logits.clear()
        self._scores.clear()
        self._passes.clear()
        self._runner.close()


def _score_rows(logits: torch.Tensor, targets: TokenIds) -> tuple[np.ndarray[Any, Any], ...]:
    """Log-probability, rank and entropy of each target under its row of ``logits`` (n or more, vocab)."""
    rows = logits[: len(targets)].float()  # (n, vocab)
    ids = torch.tensor(targets, device=rows.device)[:, None]  # (n, 1)
    logprobs = torch.log_softmax(rows, dim=-1)
    chosen = rows.gather(1, ids)  # (n, 1)
    earlier = torch.arange(rows.shape[1], device=rows.device)[None] < ids
    ranks = ((rows > chosen) | ((rows == chosen) & earlier)).sum(dim=-1)
    entropies = torch.special.entr(logprobs.exp()).sum(dim=-1)
    return logprobs.gather(1, ids)[:, 0].cpu().numpy(), ranks.cpu().numpy(), entropies.cpu().numpy()
