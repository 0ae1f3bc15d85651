"""Section "Rankings": every rule on the same candidates, who wins under which, and how far the rules agree."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from playground.charts.candidates_agreement import AgreementData, agreement_description, agreement_figure
from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.testtime.live_run import LiveRun
from playground.testtime.ranking import compare_rankings, rank_all
from playground.testtime.rules import MAJORITY, Choice, Rule, choose, column_rule
from playground.testtime.store import RunCost
from playground.testtime.types import ScoredCandidates
from playground.ui.best_of_n_page.candidates import ROW_HEIGHT, VERDICTS
from playground.ui.best_of_n_page.explain import failures, label_of, published_figures
from playground.ui.best_of_n_page.kept import compared_run, end_comparison
from playground.ui.best_of_n_page.session import Bench, run_store, scores_now
from playground.ui.best_of_n_page.watching import work_progress
from playground.ui.kit.jobs import watch
from playground.ui.kit.messages import escape_markdown, show_problem, why_it_matters

SHOWN_RANKS = 10


def needs_candidates(mine: Bench) -> bool:
    """Whether there is nothing to look at yet; says so, and looks again while they are being made."""
    watch(mine, lambda: work_progress(mine), key="bon_wait_live", changes=lambda: bool(mine.run.candidates))
    if not mine.run.candidates and not mine.busy:
        st.info("There are no candidates yet: press **Generate** first.")
    return not mine.run.candidates


def rankings_section(mine: Bench, worker: Worker) -> None:
    """No model runs here: everything is read off what was recorded."""
    if needs_candidates(mine):
        return
    scored = scores_now(mine.run)
    if not scored.columns:
        st.info("Choose some rules on the left.")
        return
    st.markdown("##### Who wins under which rule")
    _winners(scored)
    _combinations(scored)
    st.markdown("##### The rankings side by side")
    _side_by_side(scored)
    st.markdown("##### How far the rules agree")
    _agreement(scored)
    _comparison(mine)
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
    st.dataframe(
        winners_table(scored, choices),
        hide_index=True,
        key="bon_winners",
        column_config=_WINNER_COLUMNS,
        row_height=ROW_HEIGHT,
    )


_WINNER_COLUMNS = {
    "rule": st.column_config.TextColumn("Rule", width=130),
    "#": st.column_config.NumberColumn("Winner", width=60),
    "text": st.column_config.TextColumn("Text", width=220),
    "value": st.column_config.NumberColumn("Its score", format="%.3f"),
}


def winners_table(scored: ScoredCandidates, choices: list[tuple[str, Choice]]) -> pd.DataFrame:
    """One line a rule: its winner, the winner's text and score, ties and verdict."""
    places = {candidate.index: place for place, candidate in enumerate(scored.candidates)}
    valid = scored.valid()
    lines = []
    for name, choice in choices:
        place = None if choice.winner is None else places[choice.winner]
        column = next((c for c in scored.columns if c.label == choice.rule.column), None)
        tied = choice.ranking.tied if choice.ranking is not None else ()
        lines.append(
            {
                "rule": name,
                "#": None if choice.winner is None else choice.winner + 1,
                "text": choice.note
                if place is None
                else scored.candidates[place].text.replace("\n", " ↵ ").strip()[:200],
                "value": None if column is None or place is None else column.scores[place].value,
                "valid": "" if place is None else VERDICTS[valid[place]],
                "answer": (scored.answers[place] if scored.answers and place is not None else None) or "",
                "tied with": ", ".join(str(index + 1) for index in tied if index != choice.winner)
                or ("yes" if choice.tied and not tied else ""),
            }
        )
    return pd.DataFrame(lines)


def _side_by_side(scored: ScoredCandidates) -> None:
    """The first places under every rule; each cell is a candidate's number."""
    rankings = rank_all(scored)
    shown = min(SHOWN_RANKS, len(scored.candidates))
    frame = pd.DataFrame(
        {
            label_of(column): [
                f"{ranking.order[place] + 1}" if place < len(ranking.order) else "–" for place in range(shown)
            ]
            for column, ranking in zip(scored.columns, rankings, strict=True)
        },
        index=pd.Index([f"{place + 1}." for place in range(shown)], name="place"),
    )
    st.dataframe(frame, key="bon_side_by_side")


def _agreement(scored: ScoredCandidates) -> None:
    if len(scored.columns) < 2:
        st.caption("Two rules are needed to compare.")
        return
    names = [column.label for column in scored.columns]
    size = len(names)
    tau = np.full((size, size), np.nan, dtype=np.float32)
    same = np.zeros((size, size), dtype=bool)
    np.fill_diagonal(tau, 1.0)
    np.fill_diagonal(same, True)
    for pair in compare_rankings(scored):
        row, column = names.index(pair.left), names.index(pair.right)
        tau[row, column] = tau[column, row] = np.nan if pair.kendall is None else pair.kendall
        same[row, column] = same[column, row] = bool(pair.same_winner)
    data = AgreementData(tuple(names), tau, same)
    st.plotly_chart(
        agreement_figure(data), key="bon_agreement", config={"displayModeBar": False}, alt=agreement_description(data)
    )
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


# -- beside a kept run -------------------------------------------------------------------------------------------------


def _comparison(mine: Bench) -> None:
    """The winners of a kept run beside those of the bench, under the same rules."""
    run, (store, _why) = compared_run(), run_store()
    if run is None or store is None or mine.run.asking is None:
        return
    try:
        stored = store.load(run)
    except PlaygroundError as error:
        show_problem(error)
        end_comparison()
        return
    scored = scores_now(LiveRun.stored(stored))
    st.markdown(f"##### Beside the kept run “{escape_markdown(stored.asking.prompt[:60])}”")
    st.caption(
        escape_markdown(
            f"{len(stored.candidates)} candidates at temperature {stored.asking.settings.temperature:g}, "
            f"{_spent(stored.cost)}; the bench: {len(mine.run.candidates)} at "
            f"{mine.run.asking.settings.temperature:g}, {_spent(mine.run.cost)}."
        )
    )
    st.dataframe(compare_table(scores_now(mine.run), scored), hide_index=True, key="bon_comparison")
    st.button("End the comparison", key="bon_end_comparison", on_click=end_comparison)


def _spent(cost: RunCost) -> str:
    return f"{cost.new_tokens:,} tokens in {cost.decode_ms / 1000:.1f} s"


def compare_table(here: ScoredCandidates, there: ScoredCandidates) -> pd.DataFrame:
    """Each rule's best score and mean, on the bench and in the kept run."""

    def figures(scored: ScoredCandidates, label: str) -> tuple[float | None, float | None]:
        column = next((c for c in scored.columns if c.label == label), None)
        values = [value for value in (column.values if column else ()) if value is not None and np.isfinite(value)]
        return (max(values), float(np.mean(values))) if values else (None, None)

    lines = []
    for column in here.columns:
        best, mean = figures(here, column.label)
        other_best, other_mean = figures(there, column.label)
        lines.append(
            {
                "rule": label_of(column),
                "best here": best,
                "best there": other_best,
                "mean here": mean,
                "mean there": other_mean,
            }
        )
    return pd.DataFrame(lines)
