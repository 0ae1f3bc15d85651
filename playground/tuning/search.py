"""A search for settings: as large a measure as can be had, others within their bars, for a number of texts agreed before.

Optuna's tree-structured Parzen estimator (Bergstra et al. 2011) proposes settings, which write answers to some of the
examples, with the same random numbers each time. What was chosen on these looks better on them than it is, so the best is
run once more on the examples it was not chosen on, beside the present setting and its second run: that figure is quoted. Can
be stopped between any two tokens and goes on at the trial it was at, which proposes the same.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace

import numpy as np

from playground.engine.api import CancelToken, Engine
from playground.sampling.registry import PARAMETERS
from playground.sampling.settings import SamplerSettings
from playground.testtime.types import Candidate
from playground.tuning.decision import Findings, decide
from playground.tuning.measures import mean_score
from playground.tuning.plan import Plan
from playground.tuning.running import ROWS_AT_ONCE, plan_places, texts_by_arm, write_places
from playground.tuning.search_plan import SearchPlan
from playground.tuning.statistics import Floats

PRESENT, FOUND = "present", "found"


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Settings that were tried: each measure's mean over the examples searched on, None without a value."""

    number: int
    settings: SamplerSettings
    means: Mapping[str, float | None]
    met: bool


@dataclass(frozen=True, slots=True, eq=False)
class SearchState:
    """How far a search is. ``check``: the comparison of ``best`` on the held-out examples, where there was one to make, from
    each measure's ``values`` (examples, arms) of them.
    """

    plan: SearchPlan
    trials: tuple[Trial, ...] = ()
    finished: bool = False
    check: Findings | None = None
    values: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def best(self) -> Trial | None:
        """The first of those that met all bars and did best by the goal; None where none met them."""
        goal = self.plan.goal
        able = [trial for trial in self.trials if trial.met and trial.means[goal.name] is not None]
        return max(able, key=lambda trial: ((trial.means[goal.name] or 0) * goal.better, -trial.number), default=None)

    @property
    def texts(self) -> int:
        """Written so far, as far as trials and comparison have ended."""
        return len(self.trials) * self.plan.trial_texts + (self.plan.check_texts if self.check else 0)


@dataclass(frozen=True, slots=True, eq=False)
class SearchStep:
    """``texts`` are finished, of the trial or comparison under way too; ``state`` is what one can go on from."""

    state: SearchState
    texts: int


def run_search(
    engine: Engine, state: SearchState, cancel: CancelToken | None = None, *, rows: int = ROWS_AT_ONCE
) -> Generator[SearchStep, None, SearchState]:
    """Go on with a search to its end, ``rows`` at a time; yields after every step. Raises as ``write_places``."""
    plan = state.plan
    while len(state.trials) < plan.trials:
        settings = _propose(state)
        own = _trial_plan(plan, settings)
        texts = yield from _written(engine, own, state, cancel, rows)
        state = replace(state, trials=(*state.trials, _trial(plan, len(state.trials), settings, own, texts)))
        yield SearchStep(state, state.texts)
    best = state.best
    if best is None or best.number == 0:
        return replace(state, finished=True)
    own = _check_plan(plan, best)
    written = texts_by_arm(own, (yield from _written(engine, own, state, cancel, rows, everything=True)))
    return checked_state(state, {measure.name: written.values(measure, own) for measure in own.measures})


def checked_state(state: SearchState, values: Mapping[str, Floats]) -> SearchState:
    """The search as it ended, by what the best and the present setting came to on the held-out examples."""
    best = state.best
    assert best is not None
    own = _check_plan(state.plan, best)
    check = decide(own.arms, values, own.measures, samples=own.samples, seed=own.seed)
    return replace(state, finished=True, check=check, values=values)


def _check_plan(plan: SearchPlan, best: Trial) -> Plan:
    return plan.beside({PRESENT: plan.present, FOUND: best.settings}, plan.split[1])


def _trial_plan(plan: SearchPlan, settings: SamplerSettings) -> Plan:
    return plan.beside({FOUND: settings}, plan.split[0])


def _written(
    engine: Engine, own: Plan, state: SearchState, cancel: CancelToken | None, rows: int, *, everything: bool = False
) -> Generator[SearchStep, None, dict[int, Candidate]]:
    """The texts of ``own`` by place; of a trial without the control's."""
    places = [place for place, (_, arm, _) in enumerate(plan_places(own)) if everything or arm == FOUND]
    texts: dict[int, Candidate] = {}
    with closing(write_places(engine, own, places, rows=rows, cancel=cancel)) as steps:
        for step in steps:
            texts |= {text.index: text for text in step.finished}
            yield SearchStep(state, state.texts + len(texts))
    return texts


def _trial(
    plan: SearchPlan, number: int, settings: SamplerSettings, own: Plan, texts: Mapping[int, Candidate]
) -> Trial:
    samples: list[list[Candidate]] = [[] for _ in own.examples]
    for place, (example, _, _) in enumerate(plan_places(own)):
        if place in texts:
            samples[example].append(texts[place])
    means: dict[str, float | None] = {}
    for measure in plan.measures:
        values = [mean_score(measure, *pair) for pair in zip(samples, own.examples, strict=True)]
        numbers = [value for value in values if not np.isnan(value)]
        means[measure.name] = sum(numbers) / len(numbers) if numbers else None
    return Trial(number, settings, means, all(bar.missed_by(means[bar.measure.name]) <= 0 for bar in plan.bars))


def _propose(state: SearchState) -> SamplerSettings:
    """The next settings to try, from all trials so far; the present ones first. The same after the same trials."""
    plan, number = state.plan, len(state.trials)
    if number == 0:
        return plan.present
    import optuna  # takes a quarter of a second, and few readers search
    from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    space: dict[str, BaseDistribution] = {
        each.name: IntDistribution(int(each.low), int(each.high))
        if PARAMETERS[each.name].kind == "int"
        else FloatDistribution(each.low, each.high)
        for each in plan.ranges
    }
    sampler = optuna.samplers.TPESampler(seed=plan.seed + number, n_startup_trials=max(4, plan.trials // 4))
    study = optuna.create_study(direction="maximize" if plan.goal.better > 0 else "minimize", sampler=sampler)
    for trial in state.trials:
        value = trial.means[plan.goal.name]
        params = {each.name: getattr(trial.settings, each.name) for each in plan.ranges}
        if value is None or any(not each.low <= params[each.name] <= each.high for each in plan.ranges):
            continue  # the present setting may stand outside of what is searched
        missed = {f"bar {place}": bar.missed_by(trial.means[bar.measure.name]) for place, bar in enumerate(plan.bars)}
        study.add_trial(
            optuna.trial.create_trial(params=params, distributions=space, value=value, constraints=missed or None)
        )
    asked = study.ask(space).params
    return plan.present.replace(**{each.name: each.rounded(asked[each.name]) for each in plan.ranges})


def search_words(state: SearchState) -> str:
    """What came of a search that has ended, as one paragraph."""
    plan, best, goal = state.plan, state.best, state.plan.goal.name
    tried = f"{len(state.trials):,} settings were tried on {len(plan.split[0])} examples"
    if best is None:
        why = "none of them met every bar" if plan.bars else f"{goal} has no value on them"
        return f"Keep the present setting: {tried}, and {why}."
    if state.check is None:
        return f"Keep the present setting: {tried}, and none did better in {goal} than the present one."
    best_mean, present = (state.check.intervals[arm][goal].mean for arm in (FOUND, PRESENT))
    if best_mean is None or present is None:
        figures = f"{goal} has no value"
    else:
        figures = f"its {goal} is {best_mean:.3g}, the present setting's {present:.3g}"
    chosen = best.means[goal] or 0.0
    own = state.check.recommendation
    missed = [
        f"There its {bar.measure.name} misses the bar of {bar.value:g}."
        for bar in plan.bars
        if bar.missed_by(state.check.intervals[FOUND][bar.measure.name].mean) > 0
    ]
    said = f"{tried}; the best had {goal} {chosen:.3g} there, which flatters it: it was chosen for that."
    held = f"On the {len(plan.split[1])} examples it was not chosen on {figures}. {own.text}"
    return " ".join([said[0].upper() + said[1:], held, *missed])
