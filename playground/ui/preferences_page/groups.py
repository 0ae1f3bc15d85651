"""Section "Whose preference?": groups of voters side by side, and what one averaged reward hides."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from playground.charts.preferences_groups import groups_data, groups_description, groups_figure, matrix_table
from playground.preferences.groups import GroupMatrix, disagreements, group_labels, group_matrix, hidden_sentence
from playground.preferences.reward import feature_scale
from playground.preferences.strengths import fit_strengths, strengths_by_group
from playground.preferences.votes import count_pairs
from playground.ui.kit import session
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.kit.pictures import show_figure, show_table
from playground.ui.preferences_page.bring_in import offer_synthetic
from playground.ui.preferences_page.reward import RewardView, load_reward
from playground.ui.preferences_page.session import opened
from playground.ui.preferences_page.states import states_of
from playground.ui.preferences_page.strengths import chosen_votes

SHOWN = 5


@dataclass(frozen=True, slots=True, eq=False)
class GroupsView:
    """The reward's view and whose reward agrees with whom; None for both where votes carry no two groups."""

    reward: RewardView | None = None
    matrix: GroupMatrix | None = None


@dataclass(eq=False)
class _Computed:
    """The last matrix, and of what."""

    key: object = None
    matrix: GroupMatrix | None = None


def load_groups() -> GroupsView:
    """Raises Pending while the model reads the answers."""
    if len({verdict.group for verdict in opened().verdicts if verdict.group}) < 2:
        return GroupsView()
    view = load_reward()
    known, ballot = session.get(_Computed), view.kept.ballot
    if known.key != view.found or known.matrix is None:
        features = states_of(view.worker, "preferences-states", [(one.prompt, one.text) for one in ballot.answers])
        scale = feature_scale(features, ballot.questions)
        labels = group_labels(view.kept.verdicts)
        known.matrix = group_matrix(features, view.found.votes, labels, scale, view.penalty)
        known.key = view.found
    return GroupsView(view, known.matrix)


def groups_section(view: GroupsView) -> None:
    """Strengths by group; then the table of whose reward agrees with whose votes."""
    if view.reward is None or view.matrix is None:
        st.info(
            "The votes on this ballot carry no two groups: type a group beside Voting as, upload votes with a column group, or "
            "let two synthetic voters vote who disagree.",
            icon=":material/groups:",
        )
        offer_synthetic()
        return
    votes = chosen_votes(view.reward.kept)
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
    show_table(matrix_table(view.matrix), key="preferences_matrix")
    st.markdown(escape_markdown(hidden_sentence(view.matrix)))
    why_it_matters(
        "Each row is a reward head learnt from one group's votes, each column whose votes it is held against, votes on prompts "
        "that it has not seen. One reward of everybody goes with the larger group, or with nobody: there is no preference of "
        "humans, only of those who were asked. Groups are tags that voters or the leader set; nothing about a person is guessed.",
        "Reward model",
    )
