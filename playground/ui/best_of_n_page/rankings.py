"""Section "Rankings": every rule on the same candidates, who wins under which, and how far the rules agree."""

from __future__ import annotations

import streamlit as st

from playground.charts.candidates_agreement import agreement_description, agreement_figure
from playground.charts.candidates_curves import rule_agreement
from playground.charts.candidates_table import SHOWN_RANKS, compare_table, label_of, places_table, winners_table
from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.testtime.live_run import LiveRun
from playground.testtime.rules import MAJORITY, Rule, choose, column_rule
from playground.testtime.stored_runs import RunCost, available_store
from playground.testtime.types import ScoredCandidates
from playground.ui.best_of_n_page.explain import failures, published_figures
from playground.ui.best_of_n_page.pictures import show_unusable
from playground.ui.best_of_n_page.session import ModelSession, scores_now
from playground.ui.best_of_n_page.stored_section import compared_run, end_comparison
from playground.ui.best_of_n_page.watching import work_progress
from playground.ui.kit.job_view import watch
from playground.ui.kit.messages import escape_markdown, show_problem, why_it_matters
from playground.ui.kit.pictures import show_figure, show_table
from playground.ui.visitor import owner_id


def needs_candidates(own: ModelSession) -> bool:
    """Whether there is nothing to look at yet; says so, and looks again while they are being made."""
    watch(own, lambda: work_progress(own), key="bon_wait_live", changes=lambda: bool(own.run.candidates))
    if not own.run.candidates and not own.busy:
        st.info("There are no candidates yet: press **Generate** first.")
    return not own.run.candidates


def rankings_section(own: ModelSession, worker: Worker) -> None:
    """No model runs here: everything is read off what was recorded."""
    if needs_candidates(own):
        return
    scored = scores_now(own.run)
    if not scored.columns:
        st.info("Choose some rules on the left.")
        return
    st.markdown("##### Who wins under which rule")
    _winners(scored)
    show_unusable(scored)
    _combinations(scored)
    st.markdown("##### The rankings side by side")
    show_table(places_table(scored), key="bon_side_by_side")
    st.markdown("##### How far the rules agree")
    _agreement(scored)
    _comparison(own)
    failures(scored.columns)
    published_figures()
    why_it_matters(
        "Where rules disagree, at least one of them is not measuring what you want. Ties go to the candidate with the lower "
        "number, under every rule."
    )


def _winners(scored: ScoredCandidates) -> None:
    choices = [(label_of(column), choose(column_rule(column.label), scored)) for column in scored.columns]
    if scored.answers:
        choices.append(("Majority vote", choose(MAJORITY, scored)))
    show_table(winners_table(scored, choices), key="bon_winners")


def _agreement(scored: ScoredCandidates) -> None:
    if len(scored.columns) < 2:
        st.caption("Two rules are needed to compare.")
        return
    data = rule_agreement(scored)
    show_figure(agreement_figure(data), agreement_description(data), key="bon_agreement")
    st.caption(
        "Kendall's τ: 1 the same order, 0 no relation, −1 the reverse; – where a rule gives all the same score. "
        "● the two have the same winner."
    )


# -- combinations ----------------------------------------------------------------------------------------------------


def _combinations(scored: ScoredCandidates) -> None:
    """A weighted sum of normalised scores, and filter then rank: tried by hand, at once."""
    with st.expander("Combine rules", on_change="rerun", key="bon_combine", icon=":material/join:") as box:
        if not box.open:
            return
        weigh, sieve = st.tabs(["Weighted sum", "Filter, then rank"])
        with weigh:
            _weighted(scored)
        with sieve:
            _filtered(scored)


def _weighted(scored: ScoredCandidates) -> None:
    st.caption("Each score is brought to a common scale over the candidates, times its weight, added up.")
    weights = []
    for column in scored.columns:
        value = st.slider(
            label_of(column), -1.0, 1.0, 0.0 if column.problem else 0.5, 0.05, key=f"bon_weight_{column.label}"
        )
        weights.append((column.label, float(value)))
    how = st.segmented_control(
        "Common scale",
        ["z", "min-max"],
        default="z",
        required=True,
        key="bon_scale_of_weights",
        help="z: distance from the mean in standard deviations. min-max: 0 the lowest, 1 the highest.",
    )
    used = tuple((label, weight) for label, weight in weights if weight)
    if not used:
        st.caption("All weights are 0.")
        return
    _show_choice(
        scored, Rule("weighted sum", "weighted sum", weights=used, normalisation="min-max" if how == "min-max" else "z")
    )


def _filtered(scored: ScoredCandidates) -> None:
    judges = [column.label for column in scored.columns if column.gives_verdicts]
    if not judges:
        st.caption("None of the rules gives a verdict: add a verifier such as mentions, json or length:1-20w.")
        return
    filters = st.multiselect("Must all say valid", judges, default=judges[:1], key="bon_filters")
    by = st.selectbox("Then rank by", [column.label for column in scored.columns], key="bon_filter_by")
    if filters and by:
        _show_choice(scored, Rule("filter then rank", "filter then rank", column=str(by), filters=tuple(filters)))


def _show_choice(scored: ScoredCandidates, rule: Rule) -> None:
    try:
        choice = choose(rule, scored)
    except PlaygroundError as error:
        show_problem(error)
        return
    if choice.winner is None:
        st.info(escape_markdown(choice.note or "No candidate passes."))
        return
    text = next(c.text for c in scored.candidates if c.index == choice.winner)
    order = ", ".join(str(index + 1) for index in (choice.ranking.order if choice.ranking else ())[:SHOWN_RANKS])
    st.markdown(
        f"**Candidate {choice.winner + 1}** wins{' (tied)' if choice.tied else ''}: {escape_markdown(text.strip()[:300])}"
    )
    st.caption(f"Order: {order}")


# -- beside a recorded run -------------------------------------------------------------------------------------------------


def _comparison(own: ModelSession) -> None:
    """A stored run beside the present one, under the same rules."""
    run, (store, _why) = compared_run(), available_store(owner_id())
    if run is None or store is None or own.run.request is None:
        return
    try:
        stored = store.load(run)
    except PlaygroundError as error:
        show_problem(error)
        end_comparison()
        return
    scored = scores_now(LiveRun.stored(stored))
    st.markdown(f"##### Beside the recorded run “{escape_markdown(stored.request.prompt[:60])}”")
    st.caption(
        escape_markdown(
            f"{len(stored.candidates)} candidates at temperature {stored.request.settings.temperature:g}, "
            f"{_spent(stored.cost)}; the present run: {len(own.run.candidates)} at "
            f"{own.run.request.settings.temperature:g}, {_spent(own.run.cost)}."
        )
    )
    show_table(compare_table(scores_now(own.run), scored), key="bon_comparison")
    st.button("End the comparison", key="bon_end_comparison", on_click=end_comparison)


def _spent(cost: RunCost) -> str:
    return f"{cost.new_tokens:,} tokens in {cost.decode_ms / 1000:.1f} s"
