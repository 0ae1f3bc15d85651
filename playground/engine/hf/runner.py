"""Forward passes of one transformers model: whole prompts in chunks, tails after a known prefix, rows together.

Torch in, torch out, on the engine's thread. Knows no logits cache, no text and no sessions.
"""

from __future__ import annotations

import inspect
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from transformers.cache_utils import Cache, DynamicLayer

from playground.engine.api import CancelToken
from playground.engine.hf.prefix import PrefixCache, is_reusable, new_cache
from playground.engine.hf.prepack import cpu_threads
from playground.engine.types import FloatArray, TokenIds
from playground.errors import Cancelled, ModelError, PlaygroundError
from playground.models.loading import LoadedModel, unload

PREFILL_CHUNK = 256  # tokens between two looks at the cancel flag
FEW_POSITIONS = 4  # up to so many, a forward pass is bound by reading the weights


class ModelRunner:
    """Runs a loaded model. ``step_threads``: CPU threads for a few positions at a time; None leaves torch's number."""

    def __init__(self, loaded: LoadedModel, prefixes: PrefixCache, step_threads: int | None) -> None:
        self._loaded: LoadedModel | None = loaded
        self.info = loaded.info
        self.prefixes = prefixes
        self._step_threads = step_threads
        self._keeps_last_row = "logits_to_keep" in inspect.signature(loaded.model.forward).parameters
        probe = _probe_cache(loaded.model)
        self.reuses_prefixes = probe is not None and is_reusable(probe)
        self.has_cache = probe is not None and all(isinstance(layer, DynamicLayer) for layer in probe.layers)

    @property
    def loaded(self) -> LoadedModel:
        """Raises ModelError once the model is released."""
        if self._loaded is None:
            raise ModelError("The model was released: load it again.")
        return self._loaded

    def run(self, ids: TokenIds, cancel: CancelToken) -> tuple[torch.Tensor, int, Cache | None]:
        """The last row (vocab,), how many positions the model was run on, and the cache of ``ids`` if it has one."""
        pieces = self.run_in_pieces(ids, cancel)
        while True:
            try:
                next(pieces)
            except StopIteration as end:
                found: tuple[torch.Tensor, int, Cache | None] = end.value
                return found

    def run_in_pieces(
        self, ids: TokenIds, cancel: CancelToken
    ) -> Generator[None, None, tuple[torch.Tensor, int, Cache | None]]:
        """The same; yields between two pieces, outside of inference mode, so that other requests can be served there.

        What is read is not lost when it is cancelled or left: the next request goes on from there.
        """
        cancel.check()
        if not self.has_cache:
            with self.running(len(ids)):
                return self.forward([ids], None, last_row=True)[0, -1], len(ids), None
        start, cache = self.prefixes.best(self.info.revision, ids) if self.reuses_prefixes else (0, None)
        if cache is None:
            cache = self.empty_cache()
        read = start
        try:
            while True:  # at least one position is always left to run
                cancel.check()
                with self.running(len(ids)):
                    row = self.forward([ids[read : read + PREFILL_CHUNK]], cache, last_row=True)[0, -1]
                read = min(read + PREFILL_CHUNK, len(ids))
                if read == len(ids):
                    self.store_prefix(ids, cache)
                    return row, read - start, cache
                yield
        except (Cancelled, GeneratorExit):  # not after a failed pass: some layers would have read more than others
            self.store_prefix(ids[:read], cache)
            raise

    def empty_cache(self) -> Cache:
        return new_cache(self.loaded.model.config)

    def store_prefix(self, ids: TokenIds, cache: Cache) -> None:
        """Remember the cache of ``ids`` where it can be cut later."""
        if self.reuses_prefixes and ids and self._loaded is not None:
            self.prefixes.store(self.info.revision, ids, cache)

    def forward(
        self,
        rows: Sequence[TokenIds],
        cache: Cache | None,
        *,
        last_row: bool = False,
        kept: Sequence[int] | None = None,
    ) -> torch.Tensor:
        """Logits of rows of one length T after ``cache``, which grows by T: (rows, T, vocab), at least the last.

        ``last_row`` spares the head all other positions where the model can: then (rows, 1, vocab). ``kept``: exactly
        these positions, (rows, kept, vocab).
        """
        model = self.loaded.model
        inputs: dict[str, Any] = {"input_ids": torch.tensor(rows, device=model.device)}  # (rows, T)
        inputs |= {"use_cache": False} if cache is None else {"past_key_values": cache, "use_cache": True}
        if self._keeps_last_row and (last_row or kept is not None):
            inputs["logits_to_keep"] = 1 if kept is None else torch.tensor(kept, device=model.device)
        positions = inputs["input_ids"].numel()
        with cpu_threads(self._step_threads if positions <= FEW_POSITIONS else None):
            logits: torch.Tensor = model(**inputs).logits
        return logits if kept is None or self._keeps_last_row else logits[:, kept]

    def to_numpy(self, logits: torch.Tensor) -> FloatArray:
        """A read-only float32 copy. Raises ModelError if the model overflowed."""
        values: FloatArray = logits.float().cpu().numpy().copy()
        if np.isnan(values).any():
            raise ModelError(
                f"{self.info.name} gave logits that are not numbers in {self.info.dtype}: load it in float32."
            )
        values.flags.writeable = False
        return values

    @contextmanager
    def running(self, tokens: int) -> Iterator[None]:
        """Inference mode, with the failures of a forward pass turned into sentences."""
        try:
            with torch.inference_mode():
                yield
        except PlaygroundError:
            raise
        except torch.OutOfMemoryError as error:
            self.prefixes.clear()
            raise ModelError(
                f"There is not enough memory to run {self.info.name} on {tokens:,} tokens: shorten the prompt "
                "or choose a smaller model."
            ) from error
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise ModelError(
                f"{self.info.name} could not be run on {self.info.device} ({reason}): "
                "choose another device, dtype or model."
            ) from error

    def close(self) -> None:
        """Release the weights and the prefixes."""
        loaded, self._loaded = self._loaded, None
        self.prefixes.clear()
        if loaded is not None:
            unload(loaded)


def _probe_cache(model: Any) -> Cache | None:
    """An empty cache of the model's own layer kinds, or None where the model keeps its state in another form."""
    if getattr(model, "_is_stateful", False):
        return None
    try:
        return new_cache(model.config)
    except (KeyError, ValueError, AttributeError, TypeError):
        return None
