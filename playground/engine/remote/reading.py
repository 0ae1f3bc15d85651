"""Values out of a stranger's JSON: each is looked at before it is used. Knows no server's format but server-sent events."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterable, Mapping

import numpy as np
import numpy.typing as npt

from playground.engine.remote.refusals import unusable
from playground.engine.types import FloatArray
from playground.models.address import ServerAddress

_ABOVE_ONE = 1e-3  # a log-probability of certainty, rounded up by float16 somewhere
_LOWEST = -3e38  # below: what C++ servers write for minus infinity
_NEVER = -9999.0  # what OpenAI's interface writes for it
_MASS_ERROR = 0.02  # how far the probabilities of a row may be from 1 in sum
_LONGEST_EVENT = 64 * 1024 * 1024


class Answer:
    """One JSON object of a server, and what stands in it. Raises ServerError where that is of another kind."""

    def __init__(self, value: object, address: ServerAddress) -> None:
        if not isinstance(value, Mapping):
            raise unusable(address, "answers JSON of another form than was asked for")
        self._value: Mapping[str, object] = value
        self.address = address

    def wrong(self, name: str) -> Exception:
        return unusable(self.address, f"answers something odd as {name!r}")

    def has(self, name: str) -> bool:
        """Whether it is there and not null."""
        return self._value.get(name) is not None

    def knows(self, name: str) -> bool:
        """Whether it is there, be it null."""
        return name in self._value

    def is_text(self, name: str) -> bool:
        return isinstance(self._value.get(name), str)

    def text(self, name: str, default: str | None = None) -> str:
        value = self._value.get(name, default)
        if not isinstance(value, str):
            raise self.wrong(name)
        return value

    def whole(self, name: str, default: int | None = None) -> int:
        """A whole number from 0 to 2^62."""
        value = self._value.get(name)
        if value is None:
            value = default
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**62:
            raise self.wrong(name)
        return value

    def flag(self, name: str) -> bool:
        return self._value.get(name) is True

    def child(self, name: str) -> Answer:
        return Answer(self._value.get(name), self.address)

    def mapping(self, name: str) -> Mapping[str, object]:
        """An object as it stands there."""
        return self.child(name)._value

    def children(self, name: str) -> list[Answer]:
        return [Answer(one, self.address) for one in self.items(name)]

    def items(self, name: str) -> list[object]:
        value = self._value.get(name)
        if not isinstance(value, list):
            raise self.wrong(name)
        return value

    def token(self, name: str, vocab_size: int | None) -> int:
        """A token id of the vocabulary."""
        value = self.whole(name)
        if vocab_size is not None and value >= vocab_size:
            raise unusable(self.address, f"names token {value}, and its model has {vocab_size:,} tokens only")
        return value

    def ids(self, name: str, vocab_size: int | None) -> tuple[int, ...]:
        """A list of token ids of the vocabulary."""
        entries = self.items(name)
        return tuple(Answer({name: one}, self.address).token(name, vocab_size) for one in entries)

    def data(self, name: str) -> bytes:
        """A list of bytes; nothing there is none."""
        value = self._value.get(name)
        if value is None:
            return b""
        try:
            return bytes(value) if isinstance(value, list) else self._no(name)
        except (TypeError, ValueError):
            return self._no(name)

    def _no(self, name: str) -> bytes:
        raise self.wrong(name)

    def logprob(self, name: str) -> float:
        """A log-probability: at most 0, -inf for what cannot come. Raises for NaN and for more than 0."""
        value = self._value.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not value <= _ABOVE_ONE:  # NaN is not
            raise unusable(self.address, f"tells {str(value)[:20]} as a log-probability")
        return -math.inf if value < _LOWEST or value == _NEVER else min(float(value), 0.0)


def listed_tokens(entries: list[object], size: int, address: ServerAddress) -> tuple[npt.NDArray[np.int64], FloatArray]:
    """Ids and log-probabilities of entries with an ``id`` and a ``logprob``, in the server's order.

    In one go, because a row has a vocabulary's entries. Raises ServerError for NaN, more than certainty, an id twice and
    one beyond the vocabulary of ``size``.
    """
    try:
        ids = np.fromiter((entry["id"] for entry in entries), np.int64, len(entries))  # type: ignore[index]
        values = np.fromiter((entry["logprob"] for entry in entries), np.float64, len(entries))  # type: ignore[index]
    except (KeyError, TypeError, ValueError, OverflowError):
        raise unusable(address, "answers tokens of another form than is known") from None
    wrong = values[~(values <= _ABOVE_ONE)]  # NaN too
    if wrong.size:
        raise unusable(address, f"tells {wrong[0]} as a log-probability")
    outside = ids[(ids < 0) | (ids >= size)]
    if outside.size:
        raise unusable(address, f"names token {outside[0]}, and its model has {size:,} tokens only")
    if len(set(ids.tolist())) != ids.size:
        raise unusable(address, "names a token twice in one row")
    logprobs = np.where(values < _LOWEST, -np.inf, np.minimum(values, 0.0)).astype(np.float32)
    return ids, logprobs


def whole_row(ids: npt.NDArray[np.int64], logprobs: FloatArray, size: int, address: ServerAddress) -> FloatArray:
    """The row (size,) in the order of ids, of what ``listed_tokens`` gave. Raises ServerError unless all are there and sum to 1.

    Worked example: ids (1, 0) with log-probabilities (-0.2, -1.7) is (-1.7, -0.2).
    """
    if ids.size != size:
        raise unusable(address, f"tells {ids.size:,} tokens where its model has {size:,}")
    mass = float(np.exp(logprobs.astype(np.float64)).sum())
    if abs(mass - 1) > _MASS_ERROR:
        raise unusable(address, f"tells probabilities that are {mass:.3g} in sum and not 1")
    row = np.empty(size, dtype=np.float32)
    row[ids] = logprobs
    row.flags.writeable = False
    return row


def events(parts: Iterable[bytes], address: ServerAddress) -> Generator[bytes, None, None]:
    """The data of server-sent events (WHATWG HTML, 9.2), one at a time, "[DONE]" left out.

    An event that the end of the stream cuts off is passed on as it is: then it is no JSON, and refused as such.
    """
    rest, data = b"", list[bytes]()
    for part in parts:
        *lines, rest = (rest + part).split(b"\n")
        if len(rest) > _LONGEST_EVENT:
            raise unusable(address, "sends an event without an end")
        for line in lines:
            line = line.rstrip(b"\r")
            if line.startswith(b"data:"):
                data.append(line[5:].strip())
            elif not line and data:
                yield from _event(data)
                data = []
    if rest.startswith(b"data:"):
        data.append(rest[5:].strip())
    yield from _event(data)


def _event(data: list[bytes]) -> Generator[bytes, None, None]:
    whole = b"\n".join(data)
    if whole and whole != b"[DONE]":
        yield whole
