"""Forward passes of one transformers model: whole prompts in chunks, tails after a known prefix, rows together.

Torch in, torch out, on the engine's thread. Knows no logits cache, no text and no sessions.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from transformers.cache_utils import Cache

from playground.engine.api import CancelToken
from playground.engine.cpu_threads import cpu_threads
from playground.engine.hf.prefix import PrefixCache
from playground.engine.hf.state import DecoderState
from playground.engine.types import FloatArray, TokenIds
from playground.errors import Cancelled, ModelError, PlaygroundError
from playground.models.decoding import new_cache, next_state, require_numbers
from playground.models.loading import LoadedModel, unload
from playground.models.rope import long_from

Kind = TypeVar("Kind", bound="ModelRunner")
PREFILL_CHUNK = 256  # tokens between two looks at the cancel flag
# Positions after which attention costs a small model as much as its weights: pieces are halved, and once more after twice as
# many, so that others wait no longer for their turn. Not by the clock: a text is always read in the same pieces.
_DEEP = 2048
_MOST_STEPS = 16  # one-token passes that are still quicker than to read a text anew
FEW_POSITIONS = 4  # up to so many, a forward pass is bound by reading the weights


@dataclass
class Tried:
    """What was found out of an architecture by running it. ``steps``: rows of several states may take a step together, None:
    not tried yet. ``attention``: its attention weights were seen to be those of its own answers.
    """

    steps: bool | None = None
    attention: bool = False


class ModelRunner:
    """Runs a loaded model.

    ``step_threads``: CPU threads for a few positions at a time; None leaves torch's number. While ``crowded`` it is one:
    threads of a token's small products wait for each other hundreds of times, and with other work on the processors each
    of those waits may last as long as the other work.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        prefixes: PrefixCache,
        step_threads: int | None,
        crowded: Callable[[], bool] = lambda: False,
    ) -> None:
        self._loaded: LoadedModel | None = loaded
        self.info = loaded.info
        self.prefixes = prefixes
        self._step_threads = step_threads
        self._crowded = crowded
        self._keeps_last_row = "logits_to_keep" in inspect.signature(loaded.model.forward).parameters
        self._decoding = loaded.decoding
        self._long_from = long_from(loaded.model.config)
        self.asked_steps: list[Any] = []  # of batches, that nobody has run or taken yet
        self.tried = Tried()

    def beside(self, loaded: LoadedModel) -> ModelRunner:
        """A runner of another tree of modules over the same tensors: what is tried out of one holds of both."""
        twin = ModelRunner(loaded, self.prefixes, self._step_threads, self._crowded)
        twin.tried = self.tried
        return twin

    def as_kind(self, kind: type[Kind]) -> Kind:
        """A runner of another kind over the same model and the same known prefixes."""
        return kind(self.loaded, self.prefixes, self._step_threads, self._crowded)

    @property
    def loaded(self) -> LoadedModel:
        """Raises ModelError once the model is released."""
        if self._loaded is None:
            raise ModelError("The model was released: load it again.")
        return self._loaded

    @property
    def keeps_state(self) -> bool:
        """Whether the model goes on from what it keeps of the tokens read; else each pass reads the whole text."""
        return self._decoding.argument is not None

    @property
    def takes_pieces(self) -> bool:
        """Whether several tokens may follow a state at once."""
        return self.keeps_state and self._decoding.pieces

    @property
    def joins_rows(self) -> bool:
        """Whether several rows may go on from their states in one pass."""
        return self._decoding.rows

    def is_long(self, tokens: int) -> bool:
        """Whether a text of so many tokens is read with other positions than a shorter one (LongRoPE, 2402.13753).

        What was kept of a text of one kind is of no use to one of the other.
        """
        return self._long_from is not None and tokens >= self._long_from

    def can_split(self, start: int, end: int) -> bool:
        """Whether the positions ``start`` to ``end`` may be read in a pass of their own, after those before them."""
        if start == 0:
            return True
        if self.is_long(end) and start < (self._long_from or 0):
            return False
        return self.takes_pieces or (self.keeps_state and end - start == 1)

    def piece(self, read: int, end: int, total: int, most: int | None = None) -> int:
        """How many positions the next pass takes, after ``read``, before ``end``, of a text of ``total`` tokens."""
        if not self.takes_pieces:
            return 1 if read and self.keeps_state else end - read
        step = PREFILL_CHUNK if most is None else most
        if read >= _DEEP:
            step = min(step, PREFILL_CHUNK // (2 if read < 2 * _DEEP else 4))
        if self.is_long(total) and not read:
            step = max(step, self._long_from or 0)  # a pass decides by its last position how it reads all
        return min(step, end - read)

    def run(self, ids: TokenIds, cancel: CancelToken) -> tuple[torch.Tensor, int, DecoderState | None]:
        """The last row (vocab,), how many positions the model was run on, and the state of ``ids`` if it keeps one."""
        pieces = self.run_in_pieces(ids, cancel)
        while True:
            try:
                next(pieces)
            except StopIteration as end:
                outcome: tuple[torch.Tensor, int, DecoderState | None] = end.value
                return outcome

    def run_in_pieces(
        self, ids: TokenIds, cancel: CancelToken, total: int | None = None
    ) -> Generator[None, None, tuple[torch.Tensor, int, DecoderState | None]]:
        """The same; yields between two pieces, outside of inference mode, so that other requests can be served there.

        ``ids`` are the beginning of a text of ``total`` tokens. What is read is not lost when it is cancelled or left:
        the next request goes on from there.
        """
        cancel.check()
        whole = len(ids) if total is None else total
        if not self.keeps_state:
            with self.running(len(ids)):
                return self.forward([ids], None, last_row=True)[0, -1], len(ids), None
        start, state = self.prefixes.best(self._family(whole), ids)
        if state is None or not (self.takes_pieces or len(ids) - start <= _MOST_STEPS):
            start, state = 0, self.empty_state()
        read = start
        try:
            while True:  # at least one position is always left to run
                cancel.check()
                step = self.piece(read, len(ids), whole)
                with self.running(len(ids)):
                    row = self.forward([ids[read : read + step]], state, last_row=True)[0, -1]
                read += step
                if read == len(ids):
                    self.store_prefix(ids, state, whole)
                    return row, read - start, state
                yield
        except (Cancelled, GeneratorExit):  # not after a failed pass: some layers would have read more than others
            self.store_prefix(ids[:read], state, whole)
            raise

    def empty_state(self) -> DecoderState:
        return DecoderState(None if self._decoding.own else new_cache(self.loaded.model.config))

    def cached_length(self, ids: TokenIds) -> int:
        """How many of ``ids`` need not be read again."""
        return self.prefixes.cached_length(self._family(len(ids)), ids) if self.takes_pieces else 0

    def store_prefix(self, ids: TokenIds, state: DecoderState, total: int | None = None) -> None:
        """Remember the state of ``ids``, the beginning of a text of ``total`` tokens."""
        if ids and self._loaded is not None:
            self.prefixes.store(self._family(len(ids) if total is None else total), ids, state)

    def _family(self, total: int) -> str:
        """Names the states that may stand for one another."""
        return f"{self.info.revision}:long" if self.is_long(total) else self.info.revision

    def forward(
        self,
        rows: Sequence[TokenIds],
        state: DecoderState | None,
        *,
        last_row: bool = False,
        kept: Sequence[int] | None = None,
    ) -> torch.Tensor:
        """Logits of rows of one length T after ``state``, which grows by T: (rows, T, vocab), at least the last.

        ``last_row`` spares the head all other positions where the model can: then (rows, 1, vocab). ``kept``: exactly
        these positions, (rows, kept, vocab).
        """
        model = self.loaded.model
        ids = torch.tensor(rows, device=model.device)  # (rows, T)
        inputs: dict[str, Any] = {"input_ids": ids} | self._state_inputs(state, ids)
        if self._keeps_last_row and (last_row or kept is not None):
            inputs["logits_to_keep"] = 1 if kept is None else torch.tensor(kept, device=model.device)
        with cpu_threads(self._threads_for(ids.numel())):
            output = model(**inputs)
        if state is not None:
            state.value = next_state(output, str(self._decoding.argument), state.value)
            state.length += ids.shape[1]
        logits: torch.Tensor = output.logits
        return logits if kept is None or self._keeps_last_row else logits[:, kept]

    def forward_joint(self, tokens: Sequence[TokenIds], positions: Sequence[TokenIds], cache: Cache) -> torch.Tensor:
        """Logits (R, vocab) after one token a row, each at its own position, with a cache that knows whose rows they are."""
        model = self.loaded.model
        inputs: dict[str, Any] = {"logits_to_keep": 1} if self._keeps_last_row else {}
        inputs[str(self._decoding.argument)] = cache
        ids = torch.tensor(tokens, device=model.device)  # (R, 1)
        with cpu_threads(self._threads_for(ids.numel())):
            output = model(
                input_ids=ids, position_ids=torch.tensor(positions, device=ids.device), use_cache=True, **inputs
            )
        logits: torch.Tensor = output.logits[:, -1]
        return logits

    def _threads_for(self, positions: int) -> int | None:
        few = 1 if self._crowded() else self._step_threads
        return few if positions <= FEW_POSITIONS else None

    def _state_inputs(self, state: DecoderState | None, ids: torch.Tensor) -> dict[str, Any]:
        if state is None:
            return {"use_cache": False}
        inputs: dict[str, Any] = {"use_cache": True}
        if state.value is not None:
            inputs[str(self._decoding.argument)] = state.value
        if self._decoding.positions:
            inputs["position_ids"] = torch.arange(state.length, state.length + ids.shape[1], device=ids.device)[None]
        return inputs

    def to_numpy(self, logits: torch.Tensor) -> FloatArray:
        """A read-only float32 copy. Raises ModelError if the model overflowed."""
        self.check_numbers(logits)
        values: FloatArray = logits.float().cpu().numpy().copy()
        values.flags.writeable = False
        return values

    def check_numbers(self, logits: torch.Tensor) -> None:
        """Raises ModelError if the model overflowed, or its weights are damaged."""
        if torch.isnan(logits).any():
            require_numbers(self.loaded.model, self.info.name)
            mend = "load it in float32" if self.info.dtype != "float32" else "choose another model"
            raise ModelError(f"{self.info.name} gave logits that are not numbers in {self.info.dtype}: {mend}.")

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

    def leave(self) -> None:
        """Let go of the modules and of what tensors they have alone; the prefixes are another's."""
        loaded, self._loaded = self._loaded, None
        for module in () if loaded is None else loaded.model.modules():
            module._parameters.clear()  # now: modules refer to each other, and are collected some time later
