"""The measures of the tuning in view: computed once a prompt, at the worker in turns with others, and remembered."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

import numpy as np

from playground.engine.api import CancelToken, Engine
from playground.engine.serving.turns import Priority
from playground.engine.serving.worker import Worker
from playground.tuning.decision import Findings, decide
from playground.tuning.measures import Measure, mean_score
from playground.tuning.plan import Plan
from playground.tuning.running import PlanTexts
from playground.tuning.runs import KeptTuning
from playground.tuning.statistics import Floats
from playground.ui.kit import session
from playground.ui.kit.jobs import result_of
from playground.ui.runtime import session_id

_Row = tuple[float, ...]  # of one example, a value an arm


@dataclass(eq=False)
class _Values:
    """Of one tuning. ``rows``: by measure and by the example's number in the part that is complete.

    ``findings``: the last ones, by what they are of. ``last``: what was looked at last.
    """

    tuning: str = ""
    rows: dict[tuple[str, object], _Row] = field(default_factory=dict)
    findings: dict[object, Findings] = field(default_factory=dict)
    last: Values | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """``plan`` and ``texts`` of the prompts that are complete; ``values`` (prompts, arms) by measure."""

    plan: Plan
    texts: PlanTexts
    measures: tuple[Measure, ...]
    values: dict[str, Floats]


def values_of(worker: Worker, kept: KeptTuning, plan: Plan, texts: PlanTexts, measures: Sequence[Measure]) -> Values:
    """What the measures say of the complete prompts. Raises Pending while some of it is computed."""
    own = session.get(_Values)
    if own.tuning != kept.id:
        own.tuning, own.rows, own.findings, own.last = kept.id, {}, {}, None
    places = {number: _texts_key(plan, texts, number) for number in range(len(plan.examples))}
    missing = [
        (measure, number) for number in places for measure in measures if (measure.name, places[number]) not in own.rows
    ]
    if missing:

        def job(engine: Engine, cancel: CancelToken) -> Generator[float, None, list[_Row]]:
            rows = []
            for done, (measure, number) in enumerate(missing):
                row: list[float] = []
                for arm in plan.arms:  # others have turns between: a check may be a process of its own for each text
                    row.append(mean_score(measure, texts.texts[arm][number], plan.examples[number]))
                    yield (done + len(row) / len(plan.arms)) / len(missing)
                rows.append(tuple(row))
            return rows

        rows = result_of(
            "tune results",
            (kept.id, tuple((measure.name, places[number]) for measure, number in missing)),
            lambda: worker.submit(session_id(), "tune results", job, Priority.LOOK),
            "Texts are measured",
            share=float,
        )
        for (measure, number), row in zip(missing, rows, strict=True):
            own.rows[measure.name, places[number]] = row
    values = {
        measure.name: np.array([own.rows[measure.name, places[number]] for number in places]) for measure in measures
    }
    own.last = Values(plan, texts, tuple(measures), values)
    return own.last


def last_values() -> Values | None:
    """What was looked at last."""
    return session.get(_Values).last


def findings_of(evaluation: Values, chosen: Sequence[int], *, judged: bool = False) -> Findings:
    """Intervals and comparisons over the ``chosen`` prompts, remembered. ``judged``: people have voted on the tuning."""
    own, names = session.get(_Values), tuple(measure.name for measure in evaluation.measures)
    key = (names, tuple(_texts_key(evaluation.plan, evaluation.texts, number) for number in chosen), judged)
    if key not in own.findings:
        if len(own.findings) > 20:
            own.findings.clear()
        values = {name: values[list(chosen)] for name, values in evaluation.values.items()}
        own.findings[key] = decide(
            evaluation.plan.arms,
            values,
            evaluation.measures,
            samples=evaluation.plan.samples,
            judged=judged,
            seed=evaluation.plan.seed,
        )
    return own.findings[key]


def _texts_key(plan: Plan, texts: PlanTexts, number: int) -> object:
    """The place of an example's first text in the whole plan names the example."""
    return texts.texts[plan.present][number][0].index
