"""Section "Best-of-N under it": what choosing by the reward buys by a second judgement, and where it goes too far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import streamlit as st

from playground.charts.curves_bands import bands_description, bands_figure
from playground.charts.preferences_over import OverData, against_kl, against_n
from playground.engine.serving.worker import Worker
from playground.errors import BadInput
from playground.preferences.overoptimisation import (
    fit_best_of_n,
    fit_sentence,
    plant_flaw,
    standardised,
    typical_choice,
)
from playground.preferences.text_features import TEXT_FEATURES
from playground.state.preferences import OTHER_VOTES, PreferencesState
from playground.testtime.curves import best_score_curve, chosen_value_curve, chosen_value_draws, mean_curve
from playground.testtime.stored_runs import RunSummary, StoredRun, shared_store
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES
from playground.ui.kit.job_view import watch
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import problems_shown_here, show_problem, why_it_matters
from playground.ui.kit.pictures import show_figure
from playground.ui.kit.session import bind_widget
from playground.ui.kit.widgets import Bound
from playground.ui.preferences_page.judging import heads_of, judged_by, offered_judges
from playground.ui.preferences_page.no_votes import no_votes_yet
from playground.ui.preferences_page.over_making import NEW_TOKENS, RUNS, Making, answers_a_run, make, making_progress
from playground.ui.preferences_page.reward import RewardView, load_reward_if_voted
from playground.ui.preferences_page.session import attempt
from playground.ui.preferences_page.states import states_of
from playground.ui.visitor import owner_id, visitor_id

LEAST = 8
SHOWN_RUNS = 40
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Choice:
    """An answer that is chosen at some N: by the reward of rank ``rank`` (0 the best) of all."""

    n: int
    rank: int
    text: str
    reward: float
    judged: float


@dataclass(frozen=True, slots=True)
class OverView:
    """``data`` None: no run is chosen yet. ``choices``: at the peak and past it, of the first run."""

    worker: Worker
    prompts: tuple[str, ...]
    data: OverData | None = None
    choices: tuple[Choice, ...] = ()


@dataclass(eq=False)
class _Computed:
    """The last pictures, and of what. ``runs``: what was read from the store, by id."""

    key: object = None
    pictures: tuple[OverData, tuple[Choice, ...]] | None = None
    runs: dict[str, StoredRun] = field(default_factory=dict)


def load_over() -> OverView | None:
    """None before the first vote. Raises Pending while the model reads answers, and BadInput for what cannot be judged."""
    view, chosen = load_reward_if_voted(), session.get(PreferencesState)
    if view is None:
        return None
    prompts = tuple(dict.fromkeys(answer.prompt for answer in view.kept.ballot.answers))
    if not chosen.runs:
        return OverView(view.worker, prompts)
    runs = [_run(run) for run in chosen.runs]
    ballot = view.kept.ballot
    features = states_of(view.worker, "preferences-states", [(answer.prompt, answer.text) for answer in ballot.answers])
    texts = [(run.request.prompt, one.text) for run in runs for one in run.candidates]
    states = states_of(view.worker, "preferences-run", texts)
    cached = session.get(_Computed)
    key = view.head, chosen.runs, len(texts), chosen.judge, chosen.flaw, chosen.weight
    if cached.pictures is None or cached.key != key:
        cached.pictures, cached.key = _compute(view, features, runs, states), key
    return OverView(view.worker, prompts, *cached.pictures)


def _run(run: str) -> StoredRun:
    runs = session.get(_Computed).runs
    if run not in runs:
        stored = shared_store(owner_id()).load(run)
        samples = tuple(one for one in stored.candidates if one.beam_score is None)
        if len(samples) < LEAST:
            raise BadInput(
                f"A run needs {LEAST} drawn candidates at least, and this one has {len(samples)}: choose another.",
                "runs",
            )
        runs[run] = replace(stored, candidates=samples)
    return runs[run]


def _compute(
    view: RewardView, features: npt.NDArray[np.floating], runs: list[StoredRun], states: npt.NDArray[np.floating]
) -> tuple[OverData, tuple[Choice, ...]]:
    chosen = session.get(PreferencesState)
    own, other = heads_of(view, features, chosen.judge)
    if not own.any() and not chosen.flaw:
        raise BadInput(
            "The votes contradict each other wholly, so the reward chooses nothing: vote on other pairs, or plant a flaw, which "
            "then is all that it likes.",
            "votes",
        )
    rewards, judgements = list[Floats](), list[Floats]()
    begin = 0
    for run in runs:
        part = states[begin : begin + len(run.candidates)].astype(np.float64)
        begin += len(run.candidates)
        reward = standardised(part @ own)
        if chosen.flaw:
            flaw = [TEXT_FEATURES[chosen.flaw](one.text, run.request.prompt) for one in run.candidates]
            reward = standardised(plant_flaw(reward, np.array(flaw), chosen.weight))
        judged = part @ other if other is not None else judged_by(chosen.judge, run, run.candidates, visitor_id())
        rewards.append(reward)
        judgements.append(standardised(judged))
    data = measure_over(rewards, judgements, offered_judges(runs).get(chosen.judge, chosen.judge))
    return data, _choices(runs[0], rewards[0], judgements[0], data)


def measure_over(rewards: Sequence[Floats], judgements: Sequence[Floats], judge: str) -> OverData:
    """What choosing by the reward gives, of each run's answers; both in standard deviations of a run.

    Every subset of a run is averaged over, and runs are averaged; a run is resampled on its own for the peak's interval.
    """
    reward_curve = mean_curve([best_score_curve("reward", one.tolist()) for one in rewards])
    pairs = [(one.tolist(), other.tolist()) for one, other in zip(rewards, judgements, strict=True)]
    judged_curve = mean_curve([chosen_value_curve("judged", *pair) for pair in pairs])
    count = len(judged_curve.ns)
    drawn = np.mean([chosen_value_draws(*pair, seed=place)[:, :count] for place, pair in enumerate(pairs)], axis=0)
    fit = fit_best_of_n(judged_curve.ns, judged_curve.mean, np.sqrt(judged_curve.ns).tolist(), drawn)
    return OverData(reward_curve, judged_curve, judge, fit)


def _choices(run: StoredRun, reward: Floats, judged: Floats, data: OverData) -> tuple[Choice, ...]:
    """At the best N that was measured by the second judgement, and at the largest."""
    order, most = np.argsort(-reward, kind="stable"), data.judged.ns[-1]
    peak = data.judged.ns[int(np.argmax(data.judged.mean))]
    choices = []
    for n in dict.fromkeys((peak, most)):
        rank = typical_choice(len(order), n)
        place = int(order[rank])
        choices.append(Choice(n, rank, run.candidates[place].text, float(reward[place]), float(judged[place])))
    return tuple(choices)


# -- the section -------------------------------------------------------------------------------------------------------------


def over_section(view: OverView | None) -> None:
    """Which runs, which judge, a flaw on purpose; then the pictures."""
    if view is None:
        no_votes_yet(
            "**Best-of-N** writes N answers and keeps the one with the highest reward. Here you will see what that buys as N "
            "grows, by the reward and by a second judgement that did not choose, and where the two part: the reward is fooled.",
            "over",
        )
        return
    own = session.get(Making)
    if own.problem:
        show_problem(own.problem)
    runs = {run.id: run for run in shared_store(owner_id()).runs() if run.status != "damaged" and run.finished >= LEAST}
    with st.container(key="phone_last_over"):
        _controls(view, runs)
    watch(own, making_progress, key="preferences_making", changes=lambda: own.busy)
    if view.data is None:
        st.info(
            f"Choose runs of Best-of-N, or have {RUNS * answers_a_run():,} answers made to this ballot's prompts (minutes, on a "
            f"processor): what choosing the best of N by the reward gives is then known for every N up to {answers_a_run()}.",
            icon=":material/dynamic_feed:",
        )
        return
    left, right = st.columns(2, gap="medium")
    for column, bands, key in ((left, against_n(view.data), "n"), (right, against_kl(view.data), "kl")):
        with column:
            show_figure(bands_figure(bands), bands_description(bands), key=f"preferences_over_{key}")
    st.markdown(escape_markdown(fit_sentence(view.data.fit, view.data.judged.ns[-1])))
    _answers(view)
    why_it_matters(
        "The reward of the best of N rises with N whatever it is worth: that is what is chosen by. The second judgement did not "
        "choose, so it shows what was bought; where it turns down, the search has found what the reward likes and nobody wants "
        "(Goodhart's law). Both are averaged over all ways to draw N of the run's candidates. Gao et al. fit d(α − βd) to "
        "best-of-N, d(α − β ln d) to reinforcement learning; the peak is read off the same with a third term, since a rare or "
        "growing flaw's curve is no parabola. Points after the first that is worse than one answer are drawn, not fitted.",
        "Reward model",
        "Over-optimisation",
    )


def _controls(view: OverView, runs: dict[str, RunSummary]) -> None:
    bound, chosen = Bound(PreferencesState), session.get(PreferencesState)
    shown = [run for run in chosen.runs if run in runs]

    def write(value: object) -> tuple[str, ...]:
        session.change(PreferencesState, runs=tuple(value) if isinstance(value, list) else ())
        return (PICTURES,)

    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.multiselect(
            "Runs of Best-of-N",
            list(runs)[:SHOWN_RUNS],
            default=shown,
            format_func=lambda run: f"{runs[run].prompt[:40]} · {run[:4]}",
            key="preferences_over_runs",
            on_change=bind_widget("preferences_over_runs", shown, write),
            help="Curves of several runs are averaged: one run alone says little of where a peak is.",
            width=330,
        )
        st.button(
            f"Make {RUNS * answers_a_run():,} answers",
            key="preferences_make",
            icon=":material/dynamic_feed:",
            help=f"{answers_a_run()} each to {min(RUNS, len(view.prompts))} prompts of this ballot, with the samplers as they "
            f"stand, {NEW_TOKENS} tokens at most; kept as runs.",
            on_click=attempt(make),
            args=(view.worker, view.prompts),
            disabled=session.get(Making).busy,
        )
        judges = offered_judges([stored for run in shown if (stored := session.get(_Computed).runs.get(run))])
        bound.choose("judge", choices=judges | {chosen.judge: judges.get(chosen.judge, chosen.judge)}, width=300)
        bound.choose("flaw", width=190)
        if chosen.flaw:
            bound.number("weight", width=140)
    if chosen.judge == OTHER_VOTES:
        st.caption("The reward here is fitted to one half of the votes and judged by a head of the other half.")


def _answers(view: OverView) -> None:
    """What is typically chosen at the peak and past it, side by side."""
    st.markdown("##### What is chosen")
    for column, choice in zip(st.columns(max(2, len(view.choices))), view.choices, strict=False):
        with column, st.container(border=True, height=210):
            st.caption(
                f"N = {choice.n}: rank {choice.rank + 1} by the reward; reward {choice.reward:+.2f}, judged {choice.judged:+.2f} "
                "standard deviations"
            )
            st.text(choice.text or "(empty)")
    with problems_shown_here():
        if len(view.choices) == 1:
            st.caption("The second judgement is highest at the largest N: nothing lies past the peak.")
