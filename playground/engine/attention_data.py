"""What one attention pass hands over, how much memory it takes, and how long it is kept. NumPy only, no torch.

A pass looks at a window of a text: the queries and keys of positions ``start`` to ``end`` (exclusive), after the model
has read everything before. A whole text is a window that begins at 0.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.engine.types import FloatArray, TokenIds
from playground.errors import BadInput, ModelTooLarge
from playground.models.info import LoadedModelInfo

BoolArray = npt.NDArray[np.bool_]
MAX_PASS_BYTES = 2**30  # one pass; with what the model needs meanwhile it stays well below 2 GB
KEPT_BYTES = 512 * 2**20
KEPT_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class LayerAttention:
    """One layer's attention in a window of W positions of a text of which ``end`` tokens were read.

    ``weights`` (heads, W, W): after the softmax, query by key, 0 where the mask forbids. ``before`` (heads, W): the
    weight on keys before the window, so that ``weights.sum(-1) + before`` is 1. ``first`` (heads, W): the weight on
    the text's first token, wherever it is. ``visible`` (W, end): what the mask lets each query see. ``queries``
    (heads, W, d) and ``keys`` (key heads, end, d) as they enter the dot product, positions applied, or None where the
    architecture does not show them; query head h uses key head h // (heads // key heads). ``scale`` multiplies the dot
    product; a ``softcap`` c then turns x into c·tanh(x / c).
    """

    index: int  # the layer's number in the model, from 0
    weights: FloatArray
    before: FloatArray
    first: FloatArray
    visible: BoolArray
    queries: FloatArray | None = None
    keys: FloatArray | None = None
    scale: float = 1.0
    softcap: float | None = None

    @property
    def heads(self) -> int:
        return int(self.weights.shape[0])

    @property
    def key_heads(self) -> int:
        return int(self.keys.shape[0]) if self.keys is not None else self.heads

    @property
    def bytes(self) -> int:
        parts = (self.weights, self.before, self.first, self.visible, self.queries, self.keys)
        return sum(part.nbytes for part in parts if part is not None)


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class AttentionPass:
    """All layers that have attention, in order. Compared by identity: two passes are never the same object by chance."""

    ids: TokenIds
    start: int
    end: int
    layers: tuple[LayerAttention, ...]
    elapsed_ms: float

    @property
    def width(self) -> int:
        """Positions in the window."""
        return self.end - self.start

    @property
    def window_ids(self) -> TokenIds:
        return self.ids[self.start : self.end]

    @property
    def shows_scores(self) -> bool:
        """Whether queries and keys are there, so that a weight can be taken apart."""
        return all(layer.queries is not None for layer in self.layers)

    @property
    def bytes(self) -> int:
        return sum(layer.bytes for layer in self.layers)


def pass_bytes(info: LoadedModelInfo, width: int, length: int) -> int:
    """Bytes of a pass over a window of ``width`` at the end of ``length`` tokens, in float32.

    Layers · (heads · W² weights + heads · W · d queries + key heads · length · d keys) · 4, and the mask's W · length.
    """
    weights = info.heads * width * width
    vectors = (info.heads * width + info.kv_heads * length) * info.head_dim
    return info.layers * (4 * (weights + vectors) + width * length)


def widest_window(info: LoadedModelInfo, length: int, limit: int = MAX_PASS_BYTES) -> int:
    """The most positions whose pass at the end of ``length`` tokens stays within ``limit`` bytes; at least 1."""
    low, high = 1, max(length, 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if pass_bytes(info, middle, length) <= limit else (low, middle - 1)
    return low


def check_window(info: LoadedModelInfo, length: int, start: int, end: int | None) -> tuple[int, int]:
    """The window as two positions. Raises BadInput when it is none, ModelTooLarge when it takes too much memory."""
    stop = length if end is None else end
    if not 0 <= start < stop <= length:
        raise BadInput(
            f"The window from {start:,} to {stop:,} is not part of this text of {length:,} tokens: choose another start.",
            field="window",
        )
    needed = pass_bytes(info, stop - start, stop)
    if needed > MAX_PASS_BYTES:
        most = widest_window(info, stop)
        raise ModelTooLarge(
            f"The attention of {stop - start:,} tokens would take {needed / 1e9:.2f} GB, and at most "
            f"{MAX_PASS_BYTES / 1e9:.2f} GB are given to it: look at {most:,} tokens or fewer at a time.",
            needed,
            MAX_PASS_BYTES,
        )
    return start, stop


PassKey = tuple[TokenIds, int, int]


class PassCache:
    """The passes readers look at now, so that another head costs no model call. Safe from any thread.

    Kept within ``max_bytes``, the least recently seen going first; the newest stays even if it is larger alone. What
    nobody has looked at for ``max_age_s`` is let go of, so that a long text does not hold its memory for good.
    """

    def __init__(
        self,
        max_bytes: int = KEPT_BYTES,
        max_age_s: float = KEPT_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._max_bytes, self._max_age_s, self._clock = max_bytes, max_age_s, clock
        self._passes: OrderedDict[PassKey, tuple[AttentionPass, float]] = OrderedDict()
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def get(self, key: PassKey) -> AttentionPass | None:
        with self._lock:
            entry = self._passes.get(key)
            if entry is None:
                return None
            self._passes[key] = (entry[0], self._clock())
            self._passes.move_to_end(key)
            return entry[0]

    def put(self, key: PassKey, attention_pass: AttentionPass) -> None:
        with self._lock:
            self._passes[key] = (attention_pass, self._clock())
            self._passes.move_to_end(key)
            while len(self._passes) > 1 and self._bytes() > self._max_bytes:
                self._passes.popitem(last=False)
        self._look_again()

    def sweep(self) -> None:
        """Let go of what nobody has looked at for too long."""
        with self._lock:
            oldest = self._clock() - self._max_age_s
            for key in [key for key, (_pass, used_at) in self._passes.items() if used_at <= oldest]:
                del self._passes[key]

    def clear(self) -> None:
        with self._lock:
            self._passes.clear()
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    @property
    def used_bytes(self) -> int:
        with self._lock:
            return self._bytes()

    def _bytes(self) -> int:
        return sum(attention_pass.bytes for attention_pass, _used_at in self._passes.values())

    def _look_again(self) -> None:
        """One timer at a time, for as long as something is kept."""
        with self._lock:
            if self._timer is not None or not self._passes:
                return
            self._timer = threading.Timer(self._max_age_s, self._timed_sweep)
            self._timer.daemon = True
            self._timer.start()

    def _timed_sweep(self) -> None:
        with self._lock:
            self._timer = None
        self.sweep()
        self._look_again()
