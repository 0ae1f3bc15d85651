"""The one model of how long a loaded model takes here: the Plan pages, Inside the model and Best-of-N all predict by it.

A pass reads ``tokens`` new tokens of each of ``rows`` texts after ``context`` known ones. Its work:

- FLOPs = rows · (2 · body · tokens + 2 · head + attention): each parameter of a layer is multiplied and added once a
  token, the head at a row's last token only, and the tables that tokens are looked up in not at all.
- Bytes = (body + head) · bytes a weight + rows · cache: the weights pass through memory once, however many rows there
  are (of a mixture, the experts that so many tokens choose), and each row's own keys and values.

Seconds follow by ``scaling/machine.py`` from the two rates that this machine reached in measured passes
(``timing.py``). Formulas of attention and caches: ``scaling/inference.py`` and ``cache_formula.py``. Runs no model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from playground.engine.types import WeightList
from playground.inspection.anatomy import examine_weights, text_config
from playground.inspection.cache_formula import cache_bytes, plain_spec
from playground.models.info import LoadedModelInfo
from playground.scaling.inference import attention_decode_flops, attention_prefill_flops, weights_read
from playground.scaling.machine import MachineFit, fit_machine
from playground.scaling.parameters import count_parameters
from playground.scaling.specs import ArchitectureSpec


@dataclass(frozen=True, slots=True)
class Workload:
    """What a pass of one model costs. ``body`` and ``head``: parameters a token goes through before and in the head.

    ``spec`` None: no formula for what grows with the text (attention, cache).
    """

    body: float
    head: float
    bytes_per_weight: float
    spec: ArchitectureSpec | None

    def flops(self, tokens: int, context: int = 0, rows: int = 1) -> float:
        """FLOPs of a pass; see the module."""
        return rows * (2 * self.body * tokens + 2 * self.head + self._attention(tokens, context))

    def _attention(self, tokens: int, context: int) -> float:
        """FLOPs of one row's scores and weighted sums."""
        if self.spec is None:
            return 0.0
        if context:
            return tokens * attention_decode_flops(self.spec, context + tokens / 2)
        return attention_prefill_flops(self.spec, tokens)

    def traffic(self, tokens: int, context: int = 0, rows: int = 1) -> float:
        """Bytes that pass through memory; see the module."""
        return self.weights_bytes(tokens * rows) + rows * (self.cache_bytes(context + tokens) or 0)

    def weights_bytes(self, tokens: int) -> float:
        """Of the weights that so many tokens together go through."""
        weights = (self.body + self.head) * self.bytes_per_weight
        if self.spec is not None and self.spec.is_sparse:
            total = count_parameters(self.spec).total
            weights *= weights_read(self.spec, tokens, self.bytes_per_weight) / (total * self.bytes_per_weight)
        return weights

    def cache_bytes(self, tokens: int) -> int | None:
        """Of the key-value cache of ``tokens``; None where no layer keeps one. See ``cache_formula``."""
        return cache_bytes(self.spec, tokens, self.bytes_per_weight)


def workload_of(info: LoadedModelInfo, listed: WeightList) -> Workload:
    """Counted from the model's tensors; what a token is looked up in (token and position tables) is not read through."""
    anatomy = examine_weights(info, listed)
    tables = anatomy.group("embeddings") + anatomy.group("positions")
    head = anatomy.group("embeddings") if anatomy.tied else anatomy.group("head")
    body = float(anatomy.total - tables - anatomy.group("head"))
    if anatomy.formula is not None and anatomy.formula.active < anatomy.formula.total:
        body -= anatomy.formula.total - anatomy.formula.active
    number = 4.0 if info.dtype == "float32" else 2.0
    return Workload(
        body, float(head), number, anatomy.spec or plain_spec(info, text_config(listed), listed.cache_layers)
    )


@dataclass(frozen=True, slots=True)
class Pass:
    """One timed pass: ``tokens`` of each of ``rows`` texts read at once after ``context`` known ones. A prefill has no
    context."""

    tokens: int
    context: int
    flops: float
    traffic: float
    seconds: float
    rows: int = 1

    @property
    def tokens_per_s(self) -> float:
        return self.rows * self.tokens / self.seconds

    @property
    def intensity(self) -> float:
        """FLOPs a byte."""
        return self.flops / self.traffic


@dataclass(frozen=True, slots=True)
class Speed:
    """A model on this machine: what its passes cost, and the rates at which the machine works through them."""

    workload: Workload
    fit: MachineFit

    def seconds(self, tokens: int, context: int = 0, rows: int = 1) -> float:
        """Of a pass."""
        work = self.workload
        return self.fit.seconds(work.flops(tokens, context, rows), work.traffic(tokens, context, rows))

    def step_seconds(self, rows: Sequence[int], contexts: Sequence[int]) -> npt.NDArray[np.float64]:
        """(rows, contexts): ``seconds(1, context, rows)`` of every pair, each length counted once."""
        work, counts = self.workload, np.array(rows, dtype=float)[:, None]  # (rows, 1)
        flops = counts * np.array([work.flops(1, context) for context in contexts], dtype=float)
        weights = np.array([work.weights_bytes(count) for count in rows], dtype=float)
        caches = np.array([work.cache_bytes(context + 1) or 0 for context in contexts], dtype=float)
        return self.fit.seconds(flops, weights[:, None] + counts * caches)


def fit_speed(workload: Workload, passes: Sequence[Pass]) -> Speed:
    """The rates that explain ``passes`` best. Raises BadInput as ``fit_machine``."""
    fit = fit_machine([one.flops for one in passes], [one.traffic for one in passes], [one.seconds for one in passes])
    return Speed(workload, fit)
