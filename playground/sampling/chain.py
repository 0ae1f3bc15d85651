"""The chain: a row of logits through the active samplers, fast, or with a trace that says what each of them did.

Both ways run the same sampler functions, so they agree to the last bit on a CPU. Knows no model and no text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from playground.errors import BadInput
from playground.numerics import softmax_weights
from playground.sampling.context import SamplingContext
from playground.sampling.distribution import FinalDistribution
from playground.sampling.draw import Draw, UniformStream, draw_token
from playground.sampling.registry import SAMPLERS
from playground.sampling.rows import Diagnostics, DiagnosticValue
from playground.sampling.settings import SamplerSettings

if TYPE_CHECKING:
    import torch

FloatRow = npt.NDArray[np.float32]
NOT_REMOVED = -1


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """One sampler's work on one row.

    ``kept`` and ``removed`` count tokens after and by this stage; ``removed_mass`` is the probability, under the
    distribution entering the stage, of what it removed. ``entropy`` is in nats, after the stage. ``logits``: (vocab,)
    after the stage, -inf where removed. ``diagnostics`` are the values the rule came to, such as a cutoff.
    """

    name: str
    label: str
    params: Mapping[str, object]
    kept: int
    removed: int
    removed_mass: float
    entropy: float
    logits: FloatRow
    diagnostics: Mapping[str, DiagnosticValue]


@dataclass(frozen=True, slots=True, eq=False)
class RowTrace:
    """What became of one row. All arrays are (vocab,) and must not be written to.

    ``raw_*`` describe the untouched logits, ``final_*`` the row after the chain. ``removed_by`` is the index into
    ``stages`` of the one that removed a token, -1 where none did (a token that came in as -inf was removed by none).
    Entropies in nats. ``note`` says in a sentence when the chain had to save a
    token, or a bias names one that is not there.
    """

    raw_logits: FloatRow
    raw_logprobs: FloatRow
    raw_probs: FloatRow
    final_logits: FloatRow
    final_probs: FloatRow
    stages: tuple[Stage, ...]
    removed_by: npt.NDArray[np.int16]
    note: str | None
    raw_entropy: float
    final_entropy: float

    def distribution(self) -> FinalDistribution:
        """The final distribution, of which all is known."""
        probs, left = self.final_probs, self.final_probs > 0
        count, nats = float(np.count_nonzero(left)), self.final_entropy
        every = np.arange(probs.size, dtype=np.int64)
        return FinalDistribution(every, probs, probs, left, left, (0.0, 0.0), (count,) * 2, (nats,) * 2, exact=True)


@dataclass(frozen=True, slots=True)
class NextToken:
    """The distribution after ``ids`` under ``settings``, and the token that ``seed`` draws from it."""

    ids: tuple[int, ...]
    prompt_length: int
    settings: SamplerSettings
    context: SamplingContext
    trace: RowTrace
    draw: Draw

    @property
    def step(self) -> int:
        """How many tokens were accepted after the prompt: the draw's place in the seed's stream."""
        return len(self.ids) - self.prompt_length


def apply_chain(logits: torch.Tensor, settings: SamplerSettings, contexts: Sequence[SamplingContext]) -> torch.Tensor:
    """Run the active samplers over a batch, without a trace.

    ``logits``: (batch, vocab), any float dtype, any device; the result is float32 on the same device and the input is
    left alone. One context per row. Raises BadInput for NaN, +inf or a row with no finite logit.
    """
    import torch

    if logits.ndim != 2 or logits.shape[0] != len(contexts):
        raise BadInput(f"Logits of shape {tuple(logits.shape)} do not fit {len(contexts)} contexts; give one per row.")
    rows = logits.detach().to(torch.float32)  # (batch, vocab); samplers never write to their input
    refuse_unusable(rows)
    final = rows
    for step in run_samplers(rows, settings, contexts):
        final = step[1]
    return final


def run_samplers(
    rows: torch.Tensor, settings: SamplerSettings, contexts: Sequence[SamplingContext], *, explain: bool = False
) -> Iterator[tuple[str, torch.Tensor, Sequence[Diagnostics]]]:
    """After each active sampler: its name, the rows (batch, vocab) as it leaves them, and each row's diagnostics.

    The one loop of the chain: ``rows`` must be float32 and pass ``refuse_unusable``. Without ``explain`` there are no
    diagnostics.
    """
    for name in settings.active():
        sampler = SAMPLERS[name]
        diagnostics: list[Diagnostics] = [{} for _ in contexts] if explain else []
        rows = sampler.apply(rows, contexts, diagnostics if explain else None, **sampler.values(settings))
        yield name, rows, diagnostics


def trace_row(logits: npt.NDArray[np.floating], settings: SamplerSettings, context: SamplingContext) -> RowTrace:
    """Run the active samplers over one row and record what each did. ``logits``: (vocab,), left alone.

    Raises BadInput for an empty row, NaN, +inf or a row with no finite logit.
    """
    import torch

    raw = _as_row(logits)
    rows = torch.from_numpy(raw)[None]  # (1, vocab)
    refuse_unusable(rows)
    log_probs = rows.log_softmax(-1)[0].numpy()
    alive = _Alive(raw)
    raw_entropy = alive.entropy
    removed_by = np.full(raw.shape, NOT_REMOVED, dtype=np.int16)
    stages: list[Stage] = []
    steps = run_samplers(rows, settings, (context,), explain=True)
    for index, (name, after_rows, (diagnostics,)) in enumerate(steps):
        rows = after_rows
        after = rows[0].numpy()
        removed_ids, removed_mass = alive.update(after)
        removed_by[removed_ids] = index
        stages.append(_stage(name, settings, alive, len(removed_ids), removed_mass, after, diagnostics))
    raw_probs = torch.from_numpy(raw).softmax(-1).numpy()
    return RowTrace(
        raw_logits=raw,
        raw_logprobs=log_probs,
        raw_probs=raw_probs,
        final_logits=rows[0].numpy(),
        final_probs=rows.softmax(-1)[0].numpy() if stages else raw_probs,
        stages=tuple(stages),
        removed_by=removed_by,
        note=_note(stages, settings, len(raw)),
        raw_entropy=raw_entropy,
        final_entropy=alive.entropy,
    )


def examine(
    logits: npt.NDArray[np.floating],
    settings: SamplerSettings,
    *,
    prompt_ids: Sequence[int] = (),
    generated_ids: Sequence[int] = (),
    seed: int = 0,
    mirostat_mu: float | None = None,
    breakers: tuple[tuple[int, ...], ...] = (),
    u: float | None = None,
) -> NextToken:
    """Trace ``settings`` over ``logits`` (vocab,) and draw. ``u`` overrides the seed's own uniform (a redraw).

    ``breakers``: DRY's sequence breakers as token ids. Raises BadInput when the logits cannot be sampled from.
    """
    prompt, generated = tuple(prompt_ids), tuple(generated_ids)
    stream, step = UniformStream(seed), len(generated)
    context = SamplingContext(
        prompt_ids=prompt,
        generated_ids=generated,
        xtc_u=stream.at(step, "xtc"),
        mirostat_mu=mirostat_mu,
        dry_breakers=breakers,
    )
    trace = trace_row(logits, settings, context)
    draw = draw_token(trace.final_probs, stream.at(step) if u is None else u)
    return NextToken(prompt + generated, len(prompt), settings, context, trace, draw)


def _stage(
    name: str,
    settings: SamplerSettings,
    alive: _Alive,
    removed: int,
    removed_mass: float,
    after: FloatRow,
    diagnostics: Diagnostics,
) -> Stage:
    sampler = SAMPLERS[name]
    params = sampler.values(settings)
    return Stage(name, sampler.label, params, len(alive.ids), removed, removed_mass, alive.entropy, after, diagnostics)


class _Alive:
    """The tokens still alive, their weights and entropy. Costs less with every token removed.

    The scratch rows are reused from stage to stage.
    """

    def __init__(self, logits: FloatRow) -> None:
        self.ids: npt.NDArray[np.intp] = np.flatnonzero(logits > -np.inf)
        self._scratch = np.empty((2, len(self.ids)), dtype=np.float32)
        self._measure(self._values(logits))

    def update(self, logits: FloatRow) -> tuple[npt.NDArray[np.intp], float]:
        """Take over the row after a stage; return the ids it removed and the mass they had before it."""
        values = self._values(logits)
        dead = values == -np.inf
        if not dead.any():
            self._measure(values)
            return self.ids[:0], 0.0
        kept, gone = np.flatnonzero(~dead), np.flatnonzero(dead)  # places; taking them beats a mask, which branches
        removed, mass = self.ids[gone], float(self._weights[gone].sum(dtype=np.float64) / self._total)
        self.ids = self.ids[kept]
        self._measure(values[kept])
        return removed, min(mass, 1.0)

    def _values(self, logits: FloatRow) -> FloatRow:
        return logits if len(self.ids) == len(logits) else logits[self.ids]

    def _measure(self, values: FloatRow) -> None:
        self._weights, self._total, self.entropy = softmax_weights(values, self._scratch)


def _as_row(logits: npt.NDArray[np.floating]) -> FloatRow:
    """A float32 copy, so that a trace stays true whatever happens to the caller's array."""
    array = np.asarray(logits)
    if array.ndim != 1 or array.size == 0 or not np.issubdtype(array.dtype, np.floating):
        raise BadInput(f"One row of logits is needed: a (vocab,) array of floats, not {array.shape} {array.dtype}.")
    with np.errstate(over="ignore"):  # beyond float32 becomes an infinity, which is refused with a sentence
        return np.array(array, dtype=np.float32)


def refuse_unusable(rows: torch.Tensor) -> None:
    """Raise BadInput unless each row's largest value is finite: amax carries NaN and both infinities to the top."""
    import torch

    if rows.numel() == 0 or not bool(torch.isfinite(rows.amax(-1)).all()):
        raise BadInput(
            "The logits hold NaN or +inf, or a row without any finite value; run the model in float32 and try again."
        )


def _note(stages: Sequence[Stage], settings: SamplerSettings, vocab: int) -> str | None:
    sentences = []
    beyond = [token for token, _ in settings.logit_bias if token >= vocab]
    if beyond:
        sentences.append(
            f"The logit bias names token {beyond[0]}, which this model does not have: its ids go from 0 to {vocab - 1:,}. "
            "That bias does nothing."
        )
    saved = [stage.label for stage in stages if stage.diagnostics.get("rescued")]
    if saved:
        sentences.append(f"{saved[0]} would have removed every token that was left, so the likeliest of them was kept.")
    return " ".join(sentences) or None
