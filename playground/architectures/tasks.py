"""Synthetic tasks: what is asked of a model, in which sizes, and batches of it from a seed. No torch: NumPy in and out.

A batch is a matrix of symbols and one of what is right at each place, -1 where nothing is asked. Its size (a length, or
a number of pairs) is what the curves stand over: a model is trained on all sizes of the task up to one, and then tried on
each, larger ones too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ids = npt.NDArray[np.int64]
NOTHING = -1  # no answer is asked for here


@dataclass(frozen=True, slots=True)
class TaskBatch:
    """``ids`` and ``answers`` (batch, T). For an encoder and a decoder: what is read, and what is to be written."""

    ids: Ids
    answers: Ids


@dataclass(frozen=True, slots=True)
class Task:
    """``make(generator, batch, size)``; ``sizes``: on the curves; ``usual``: the largest one trained on by default.

    ``axis``: "length" or "pairs". ``models``: those that can be trained on it, ``shown``: those that are by default.
    ``expects``: the published direction, with its source.
    """

    name: str
    label: str
    asks: str
    axis: str
    vocabulary: int
    make: Callable[[np.random.Generator, int, int], TaskBatch]
    sizes: tuple[int, ...]
    usual: int
    most: int
    models: tuple[str, ...]
    shown: tuple[str, ...]
    expects: str
    two_parts: bool = False

    def batch(self, generator: np.random.Generator, rows: int, size: int) -> TaskBatch:
        return self.make(generator, rows, size)


SYMBOLS = 16


def _copy(generator: np.random.Generator, rows: int, size: int) -> TaskBatch:
    ids = generator.integers(1, 1 + SYMBOLS, (rows, size))
    return TaskBatch(ids, ids.copy())


def _reverse(generator: np.random.Generator, rows: int, size: int) -> TaskBatch:
    ids = generator.integers(1, 1 + SYMBOLS, (rows, size))
    return TaskBatch(ids, ids[:, ::-1].copy())


KEYS = 64  # of recall: keys are 0 to 63, values 64 to 127


def _recall(generator: np.random.Generator, rows: int, size: int) -> TaskBatch:
    """k1 v1 k2 v2 … and then every key once more in another order: at each, its value is asked for (2312.04927)."""
    keys = np.argsort(generator.random((rows, KEYS)), axis=1)[:, :size]
    values = generator.integers(KEYS, 2 * KEYS, (rows, size))
    order = np.argsort(generator.random((rows, size)), axis=1)
    pairs = np.stack([keys, values], 2).reshape(rows, 2 * size)
    asked, right = np.take_along_axis(keys, order, 1), np.take_along_axis(values, order, 1)
    return TaskBatch(np.hstack([pairs, asked]), np.hstack([np.full_like(pairs, NOTHING), right]))


NOISE, ASK = 0, 17  # of selective copying: 1 to 16 are symbols
COPIED = 6


def _selective_copy(generator: np.random.Generator, rows: int, size: int) -> TaskBatch:
    """Six symbols among noise, at places that differ from text to text, then six marks: the symbols in order (2312.00752)."""
    symbols = generator.integers(1, 1 + SYMBOLS, (rows, COPIED))
    places = np.sort(np.argsort(generator.random((rows, size)), axis=1)[:, :COPIED], axis=1)
    sequence = np.full((rows, size), NOISE)
    np.put_along_axis(sequence, places, symbols, 1)
    asked = np.full((rows, COPIED), ASK)
    return TaskBatch(np.hstack([sequence, asked]), np.hstack([np.full_like(sequence, NOTHING), symbols]))


MARK = 0  # of induction: 1 to 16 are symbols


def _induction(generator: np.random.Generator, rows: int, size: int) -> TaskBatch:
    """Random symbols with a mark somewhere; at the end the mark again: what followed it is asked for (2209.11895)."""
    ids = generator.integers(1, 1 + SYMBOLS, (rows, size))
    places = generator.integers(0, size - 2, rows)
    line = np.arange(rows)
    ids[line, places] = MARK
    ids[:, -1] = MARK
    answers = np.full_like(ids, NOTHING)
    answers[:, -1] = ids[line, places + 1]
    return TaskBatch(ids, answers)


_RNN = ("rnn", "rnn-attention")
_LAYERED = ("attention", "mamba", "rwkv", "h3", "hybrid", "s4", "gru")
TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            name="reverse",
            label="Reverse",
            asks="Write the symbols read in reverse order.",
            axis="length",
            vocabulary=1 + SYMBOLS,
            make=_reverse,
            sizes=(4, 8, 12, 16, 20, 24),
            usual=16,
            most=64,
            models=_RNN,
            shown=_RNN,
            expects="Without attention accuracy falls with the length, with it it does not: 1409.0473, figure 2.",
            two_parts=True,
        ),
        Task(
            name="copy",
            label="Copy",
            asks="Write the symbols read in the same order.",
            axis="length",
            vocabulary=1 + SYMBOLS,
            make=_copy,
            sizes=(4, 8, 12, 16, 20, 24),
            usual=16,
            most=64,
            models=_RNN,
            shown=_RNN,
            expects="Without attention accuracy falls with the length, with it it does not: 1409.0473, figure 2.",
            two_parts=True,
        ),
        Task(
            name="mqar",
            label="Recall of pairs",
            asks="Keys with their values, then each key again: its value is asked for.",
            axis="pairs",
            vocabulary=2 * KEYS,
            make=_recall,
            sizes=(2, 4, 8, 16, 32),
            usual=8,
            most=64,
            models=_LAYERED,
            shown=("attention", "mamba", "rwkv", "h3", "hybrid"),
            expects="Attention solves it at a width where layers with a state of fixed size fall off with the pairs: 2312.04927, "
            "figure 2. That may be difficulty of training and not capacity: 2410.11135.",
        ),
        Task(
            name="selective-copy",
            label="Selective copying",
            asks="Six symbols among noise, at places that differ: write them in order.",
            axis="length",
            vocabulary=ASK + 1,
            make=_selective_copy,
            sizes=(12, 16, 24, 32, 48),
            usual=32,
            most=256,
            models=_LAYERED,
            shown=("s4", "mamba"),
            expects="A layer that is the same for every token (S4) fails, one that selects (Mamba) learns it: 2312.00752, "
            "table 1.",
        ),
        Task(
            name="induction",
            label="Induction heads",
            asks="A mark, what follows it, other symbols, the mark again: what followed?",
            axis="length",
            vocabulary=1 + SYMBOLS,
            make=_induction,
            sizes=(8, 16, 32, 64, 128),
            usual=32,
            most=512,
            models=("attention-1", *_LAYERED),
            shown=("attention-1", "attention", "mamba", "s4"),
            expects="One layer of attention cannot do it, two can (2209.11895); Mamba carries it to longer texts (2312.00752, "
            "table 2).",
        ),
    )
}


@dataclass(frozen=True, slots=True)
class LearnerKind:
    """A model that is trained: its label, and the mixing layer of each block; () for an encoder and a decoder."""

    label: str
    layers: tuple[str, ...] = ()


LEARNERS: dict[str, LearnerKind] = {
    "rnn": LearnerKind("RNN"),
    "rnn-attention": LearnerKind("RNN with attention"),
    "attention": LearnerKind("Attention", ("attention", "attention")),
    "attention-1": LearnerKind("Attention, one layer", ("attention",)),
    "mamba": LearnerKind("Mamba-2", ("mamba", "mamba")),
    "rwkv": LearnerKind("RWKV-4", ("rwkv", "rwkv")),
    "h3": LearnerKind("H3", ("h3", "h3")),
    "hybrid": LearnerKind("Hybrid: Mamba-2 and attention", ("mamba", "attention")),
    "s4": LearnerKind("S4", ("s4", "s4")),
    "gru": LearnerKind("GRU", ("gru", "gru")),
}
"""What can be trained, by name."""
