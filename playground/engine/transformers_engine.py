"""The engine behind which a transformers model runs. Ids in, NumPy out; knows nothing of text, samplers and pages.

What makes it quick: rows of logits seen before are kept, key-value caches of prefixes seen before are kept, so only
new tokens are run, and only the last row goes through the head. What makes it stoppable: long inputs run in chunks,
and between chunks it asks whether anybody still waits.
"""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from cachetools import LRUCache
from transformers.cache_utils import Cache, DynamicLayer

from playground.engine.codec import HfTextCodec
from playground.engine.limits import check_ids
from playground.engine.logits_cache import LogitsCache
from playground.engine.prepack import cpu_threads
from playground.engine.prefix import PrefixCache, is_reusable, new_cache
from playground.engine.protocol import CancelToken
from playground.engine.types import Capabilities, FloatArray, NextLogits, SequenceScore, TokenIds
from playground.errors import Cancelled, ModelError
from playground.models.info import ModelInfo
from playground.models.loading import LoadedModel, unload

PREFILL_CHUNK = 256  # tokens between two looks at the cancel flag
FEW_POSITIONS = 4  # up to so many, a forward pass is bound by reading the weights
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
        self._loaded: LoadedModel | None = loaded
        self._info = loaded.info
        self._step_threads = step_threads
        self._codec = HfTextCodec(loaded.tokenizer, loaded.info)
        self._logits = LogitsCache() if logits_cache is None else logits_cache
        self._prefixes = PrefixCache() if prefixes is None else prefixes
        self._scores: LRUCache[tuple[str, TokenIds], SequenceScore] = LRUCache(_REMEMBERED_SCORES)
        self._keeps_last_row = "logits_to_keep" in inspect.signature(loaded.model.forward).parameters
        probe = _probe_cache(loaded.model)
        self._reuses_prefixes = probe is not None and is_reusable(probe)
        self._chunks = probe is not None and all(isinstance(layer, DynamicLayer) for layer in probe.layers)
        self._capabilities = Capabilities(attentions=loaded.has_attention, hidden_states=True)

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
        if self._loaded is None:
            raise ModelError("The model was released: load it again.")
        return self._loaded

    @property
    def reuses_prefixes(self) -> bool:
        """Whether known prefixes are kept: not for recurrent states and sliding windows."""
        return self._reuses_prefixes

    # -- the next token --------------------------------------------------------------------------------------------

    def next_logits(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> NextLogits:
        """Logits of the token after ``ids``; see the protocol. Raises BadPrompt, Cancelled and ModelError."""
        started = time.perf_counter()
        known = check_ids(ids, self._info)
        remembered = self.cached_logits(known)
        if remembered is not None:
            return remembered
        with self._running(len(known)):
            row, computed = self._run(known, cancel or CancelToken())
        return NextLogits(known, self._remember(known, row), computed, (time.perf_counter() - started) * 1000)

    def cached_logits(self, ids: Sequence[int]) -> NextLogits | None:
        """The same if it is known already, without running the model. Safe from any thread."""
        known = tuple(ids)
        row = self._logits.get(self._info.revision, known)
        return None if row is None else NextLogits(known, row, 0, 0.0)

    def _remember(self, ids: TokenIds, row: torch.Tensor) -> FloatArray:
        """The row as read-only NumPy, kept for the next time. Raises ModelError if the model overflowed."""
        values: FloatArray = row.float().cpu().numpy().copy()  # (vocab,)
        if np.isnan(values).any():
            raise ModelError(
                f"{self._info.name} gave logits that are not numbers in {self._info.dtype}: load it in float32."
            )
        values.flags.writeable = False
        self._logits.put(self._info.revision, ids, values)
        return values

    def _run(self, ids: TokenIds, cancel: CancelToken) -> tuple[torch.Tensor, int]:
        """The last row (vocab,) and how many positions the model was run on."""
        if not self._chunks:
            cancel.check()
            return self._forward(ids, None, last_row=True)[-1], len(ids)
        start, cache = self._open_cache(ids)
        row = None
        for begin in range(start, len(ids), PREFILL_CHUNK):
            if cancel.cancelled:
                self._keep(ids[:begin], cache)  # what is done is not lost: the next request goes on from here
                cancel.check()
            row = self._forward(ids[begin : begin + PREFILL_CHUNK], cache, last_row=True)[-1]
        self._keep(ids, cache)
        assert row is not None  # at least one position is always left to run
        return row, len(ids) - start

    def _open_cache(self, ids: TokenIds) -> tuple[int, Cache]:
        """Where to start, and the cache of all before it."""
        start, cache = self._prefixes.best(self._info.revision, ids) if self._reuses_prefixes else (0, None)
        return start, cache if cache is not None else new_cache(self.loaded.model.config)

    def _keep(self, ids: TokenIds, cache: Cache) -> None:
        if self._reuses_prefixes and ids:
            self._prefixes.store(self._info.revision, ids, cache)

    def _forward(self, ids: TokenIds, cache: Cache | None, *, last_row: bool) -> torch.Tensor:
        """Logits (rows, vocab) of one chunk after ``cache``, which grows by it. At least the last row."""
        model = self.loaded.model
        inputs: dict[str, Any] = {"input_ids": torch.tensor([ids], device=model.device)}  # (1, T)
        inputs |= {"use_cache": False} if cache is None else {"past_key_values": cache, "use_cache": True}
        if last_row and self._keeps_last_row:
            inputs["logits_to_keep"] = 1
        with cpu_threads(self._step_threads if len(ids) <= FEW_POSITIONS else None):
            logits: torch.Tensor = model(**inputs).logits  # (1, T or 1, vocab)
        return logits[0]

    # -- a given sequence ------------------------------------------------------------------------------------------

    def score(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> SequenceScore:
        """Teacher-forced log-probabilities, ranks and entropies of ``ids``, in nats; see ``SequenceScore``."""
        known = check_ids(ids, self._info)
        key = (self._info.revision, known)
        if key not in self._scores:
            with self._running(len(known)):
                self._scores[key] = self._score(known, cancel or CancelToken())
        return self._scores[key]

    def _score(self, ids: TokenIds, cancel: CancelToken) -> SequenceScore:
        rows = max(8, min(PREFILL_CHUNK, _SCORED_LOGITS_BYTES // (4 * self._info.vocab_size)))
        cache = new_cache(self.loaded.model.config) if self._chunks else None
        columns: list[tuple[np.ndarray[Any, Any], ...]] = []
        step = rows if cache is not None else len(ids)
        for begin in range(0, len(ids), step):
            cancel.check()
            logits = self._forward(ids[begin : begin + step], cache, last_row=False)  # (step, vocab)
            targets = ids[begin + 1 : begin + step + 1]
            for first in range(0, len(targets), rows):
                columns.append(_score_rows(logits[first : first + rows], targets[first : first + rows]))
        self._remember(ids, logits[-1])
        if cache is not None:
            self._keep(ids, cache)
        logprobs, ranks, entropies = (np.concatenate(column) for column in zip(*columns, strict=True)) if columns else (
            np.empty(0), np.empty(0), np.empty(0))  # fmt: skip
        return SequenceScore(
            ids=ids,
            logprobs=np.concatenate([[np.nan], logprobs]).astype(np.float32),
            ranks=np.concatenate([[-1], ranks]).astype(np.int32),
            entropies=np.concatenate([[np.nan], entropies]).astype(np.float32),
        )

    # -- life ------------------------------------------------------------------------------------------------------

    @contextmanager
    def _running(self, tokens: int) -> Iterator[None]:
        """Inference mode, with the failures of a forward pass turned into sentences."""
        try:
            with torch.inference_mode():
                yield
        except torch.OutOfMemoryError as error:
            self._prefixes.clear()
            raise ModelError(
                f"There is not enough memory to run {self._info.name} on {tokens:,} tokens: shorten the prompt "
                "or choose a smaller model."
            ) from error
        except (Cancelled, ModelError):
            raise
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            raise ModelError(
                f"{self._info.name} could not be run on {self._info.device} ({str(error).splitlines()[0][:200]}): "
                "choose another device, dtype or model."
            ) from error

    def close(self) -> None:
        """Release the weights and caches. The engine is unusable afterwards."""
        loaded, self._loaded = self._loaded, None
        self._logits.clear()
        self._prefixes.clear()
        self._scores.clear()
        if loaded is not None:
            unload(loaded)


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


def _probe_cache(model: Any) -> Cache | None:
    """An empty cache of the model's own layer kinds, or None where the model keeps its state in another form."""
    if getattr(model, "_is_stateful", False):
        return None
    try:
        return new_cache(model.config)
    except (KeyError, ValueError, AttributeError, TypeError):
        return None
