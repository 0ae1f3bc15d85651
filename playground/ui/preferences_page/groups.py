"""Section "Whose preference?": groups of voters side by side, and what one averaged reward hides."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from playground.charts.preferences_groups import groups_data, groups_description, groups_figure, matrix_table
from playground.errors import BadInput
from playground.preferences.groups import GroupMatrix, disagreements, group_labels, group_matrix, hidden_sentence
from playground.preferences.kept import KeptBallot
from playground.preferences.reward import feature_scale
from playground.preferences.strengths import fit_strengths, strengths_by_group
from playground.preferences.votes import count_pairs
from playground.ui.kit import session
from playground.ui.kit.messages import escape_markdown, show_problem, why_it_matters
from playground.ui.kit.pictures import show_figure, show_table
from playground.ui.preferences_page.bring_in import offer_synthetic
from playground.ui.preferences_page.no_votes import ways_on
from playground.ui.preferences_page.reward import RewardView, load_reward
from playground.ui.preferences_page.session import opened
from playground.ui.preferences_page.states import states_of
from playground.ui.preferences_page.strengths import chosen_votes
from playground.ui.preferences_page.voter_groups import voter_groups

SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class GroupsView:
    """Whose reward agrees with whom; None where votes carry no two groups, or for what ``problem`` says."""

    matrix: GroupMatrix | None = None
    problem: str = ""


@dataclass(eq=False)
class _Computed:
    """The last matrix, and of what."""

    key: object = None
    matrix: GroupMatrix | None = None


def load_groups() -> GroupsView:
    """Raises Pending while the model reads the answers."""
    if not _two_groups(opened()):
        return GroupsView()
    try:
        return GroupsView(_matrix(load_reward()))
    except BadInput as error:  # strengths can be shown, and groups be set
        return GroupsView(problem=str(error))


def _two_groups(kept: KeptBallot) -> bool:
    return len({verdict.group for verdict in kept.verdicts if verdict.group}) > 1


def _matrix(view: RewardView) -> GroupMatrix:
    cached, ballot = session.get(_Computed), view.kept.ballot
    if cached.key != view.head or cached.matrix is None:
        features = states_of(view.worker, "preferences-states", [(one.prompt, one.text) for one in ballot.answers])
        scale = feature_scale(features, ballot.questions)
        labels = group_labels(view.kept.verdicts)
        cached.matrix = group_matrix(features, view.head.votes, labels, scale, view.penalty)
        cached.key = view.head
    return cached.matrix


def groups_section(view: GroupsView) -> None:
    """Strengths by group; then the table of whose reward agrees with whose votes."""
    kept = opened()
    if not _two_groups(kept):
        ways_on("groups")
        st.info(
            "The votes on this ballot carry no two groups: type a group beside Voting as, put voters in groups below, upload "
            "votes with a column group, or let two synthetic voters vote who disagree.",
            icon=":material/groups:",
        )
        offer_synthetic()
        voter_groups(kept)
        return
    votes = chosen_votes(kept)
    by_group = strengths_by_group(votes)
    if votes and len(by_group) > 1:
        everybody = fit_strengths(votes, items=count_pairs(votes).items)
        data = groups_data(by_group, everybody)
        show_figure(groups_figure(data), groups_description(data), key="preferences_groups")
        apart = disagreements(by_group)
        for each in apart[:SHOWN]:
            st.markdown(
                escape_markdown(
                    f"{each.one!r} prefers {each.preferred_by_one} to {each.preferred_by_other}, {each.other!r} the other way: "
                    f"{each.gap:.2f} apart (ln), each beyond its own interval."
                )
            )
        if not apart:
            st.caption("No two groups put two of these in opposite orders beyond their intervals.")
    st.markdown("##### One reward for all?")
    if view.matrix is not None:
        show_table(matrix_table(view.matrix), key="preferences_matrix")
        st.markdown(escape_markdown(hidden_sentence(view.matrix)))
    elif view.problem:
        show_problem(view.problem)
    voter_groups(kept)
    why_it_matters(
        "Each row is a reward head learnt from one group's votes, each column whose votes it is held against, votes on prompts "
        "that it has not seen. One reward of everybody goes with the larger group, or with nobody: there is no preference of "
        "humans, only of those who were asked. Groups are tags that voters or the leader set; nothing about a person is guessed.",
        "Reward model",
    )
