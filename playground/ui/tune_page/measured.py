"""The tuning in view, measured by its plan's measures over all its complete examples: what is decided by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from playground.engine.serving.worker import Worker
from playground.tuning.decision import Findings
from playground.tuning.plan import Plan
from playground.tuning.running import PlanTexts
from playground.tuning.runs import KeptTuning
from playground.tuning.statistics import Floats
from playground.ui.tune_page.result_values import findings_of, values_of
from playground.ui.tune_page.tuning_view import view_tuning


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """``plan`` and ``texts``: of the examples that every setting has answered. ``values``: by measure, (examples, arms)."""

    kept: KeptTuning
    plan: Plan
    texts: PlanTexts
    values: Mapping[str, Floats]
    findings: Findings


def measured(worker: Worker, *, judged: bool = False) -> Measured | None:
    """None where no tuning is in view, or no example is answered in full. Pending while texts are being measured.

    ``judged``: people have voted on it.
    """
    kept = view_tuning()
    part = kept.complete() if kept is not None else None
    if kept is None or part is None:
        return None
    plan, texts = part
    evaluation = values_of(worker, kept, plan, texts, plan.measures)
    return Measured(
        kept, plan, texts, evaluation.values, findings_of(evaluation, range(len(plan.examples)), judged=judged)
    )
