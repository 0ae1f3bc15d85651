"""The model that the stand-ins serve: a random row for each last token, drawn from as a server draws. Knows no interface."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.engine.text.codec import HfTextCodec
from playground.numerics import log_softmax

Row = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Drawn:
    """One token: ``before`` is what it was drawn after, ``shown`` what is sent of the text by it."""

    token: int
    before: tuple[int, ...]
    shown: str
    reason: str | None = None  # "eos", "stop" or "length" at the last one
    stop: str | None = None  # the stop string


@dataclass(frozen=True)
class TinyModel:
    codec: HfTextCodec
    size: int

    def row(self, ids: Sequence[int]) -> Row:
        """Log-probabilities of the next token."""
        logits = np.random.default_rng([ids[-1], 7]).normal(0, 3, self.size).astype(np.float32)
        return log_softmax(logits)

    def draw(
        self,
        prompt: tuple[int, ...],
        *,
        most: int,
        temperature: float = 1.0,
        top_k: int = 0,
        seed: int = 0,
        stop: Sequence[str] = (),
        ignore_eos: bool = False,
        fixed: Sequence[int] = (),
    ) -> Iterator[Drawn]:
        """Token by token. Half a character, and what may be the beginning of a stop string, is held back."""
        rng, ids, sent = np.random.default_rng(seed), prompt, 0
        held = max((len(one) - 1 for one in stop), default=0)
        ends = self.codec.eos_token_ids
        for number in range(most):
            row = self.row(ids).astype(np.float64)
            if ignore_eos:
                row[list(ends)] = -np.inf
            token = fixed[number] if number < len(fixed) else self._one(row, temperature, top_k, rng)
            before, ids = ids, (*ids, token)
            if token in ends and not ignore_eos:
                yield Drawn(token, before, self._text(prompt, before)[sent:], "eos")
                return
            text = self._text(prompt, ids)
            hit = min((one for one in stop if one in text), key=text.index, default=None)
            last = number + 1 == most or number + 1 == len(fixed)
            reason = "stop" if hit is not None else "length" if last else None
            upto = text.index(hit) if hit is not None else len(text) if last else max(len(text) - held, sent)
            yield Drawn(token, before, text[sent:upto], reason, hit)
            sent = upto
            if reason:
                return

    def _text(self, prompt: tuple[int, ...], ids: tuple[int, ...]) -> str:
        return self.codec.decode(ids[len(prompt) :]).rstrip("\ufffd")

    @staticmethod
    def _one(row: npt.NDArray[np.float64], temperature: float, top_k: int, rng: np.random.Generator) -> int:
        order = np.argsort(-row, kind="stable")[: top_k if top_k > 0 else row.size]
        if temperature == 0:
            return int(order[0])
        weights = np.exp((row[order] - row[order[0]]) / temperature)
        return int(rng.choice(order, p=weights / weights.sum()))
