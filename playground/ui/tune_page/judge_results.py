"""What the votes say, with intervals that hold whenever one looks; who judged, and who is left out."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace

import streamlit as st

from playground.charts.judge_tables import judges_table, settings_table
from playground.charts.room_strengths import strengths_data, strengths_description, strengths_figure
from playground.errors import PlaygroundError
from playground.preferences.votes import Vote
from playground.tuning.judging import Judgement, votes_to_fit
from playground.tuning.jury import (
    Standing,
    agreement_sentence,
    control_sentence,
    progress_sentence,
    standing_of,
    votes_csv,
)
from playground.tuning.panel import Panel
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.kit.fragments import redraw_next
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.kit.pictures import show_figure, show_table
from playground.ui.kit.session import bind_widget
from playground.ui.tune_page.judge_room import votes_of_the_room

LOOK_S = 3.0  # between two looks at whether somebody has voted


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Judges whose votes this session does not count, by tuning."""

    tuning: str = ""
    judges: tuple[str, ...] = ()


def results_part(panel: Panel) -> None:
    """Strengths, differences, agreement, judges; and the votes as a file."""
    _look_for_votes(panel)
    material, judgements = panel.material(), panel.judgements()
    of_room = votes_of_the_room(material)
    names = {judge: record.nickname for judge, record in panel.judges().items()}
    left_out = session.get(LeftOut)
    counted = left_out.judges if left_out.tuning == panel.tuning else ()
    standing = standing_of(material, judgements, of_room=of_room, left_out=counted)
    if not standing.judges and not of_room:
        st.info(
            "Nobody has voted yet: press **Judge** above, or send somebody the judges' link.",
            icon=":material/how_to_vote:",
        )
        return
    _strengths(standing, material.settings[0])
    _control(standing)
    st.markdown("##### Judges")
    st.markdown(escape_markdown(agreement_sentence(standing.agreement)))
    _judges(panel, standing, names, counted)
    file_button(
        "Votes, CSV",
        "votes.csv",
        lambda: votes_csv(_named(judgements, of_room, names)),
        "One line a vote, as `python -m playground votes fit` reads them.",
    )


def _look_for_votes(panel: Panel) -> None:
    """Draw all this anew when somebody has voted meanwhile."""

    def newest() -> object:
        return panel.newest_vote(), len(votes_of_the_room(panel.material()))

    drawn = newest()

    def look() -> None:
        nonlocal drawn
        with suppress(PlaygroundError):  # what is gone is said by the next redraw that the reader asks for
            if newest() != drawn:
                drawn = newest()
                redraw_next()

    st.fragment(look, key="judge_look", run_every=LOOK_S)()


def _strengths(standing: Standing, present: str) -> None:
    fitted = standing.outlook.fitted
    st.markdown(escape_markdown(progress_sentence(standing.outlook, standing.votes, named=True)))
    if fitted is None:
        return
    data = strengths_data(fitted)
    show_figure(strengths_figure(data), strengths_description(data), key="judge_strengths")
    show_table(settings_table(standing, present), key="judge_settings")
    for note in fitted.notes:
        st.caption(escape_markdown(note))
    room = f" {standing.of_room:,} of the votes are a room's on the same texts." if standing.of_room else ""
    same = (
        f" {standing.same:,} pairs of equal texts count as ties that nobody was asked about." if standing.same else ""
    )
    why_it_matters(
        "Log strengths by Bradley and Terry with Davidson's ties; both bad counts as a tie. The lines are 95% confidence "
        "sequences (Robbins's normal mixture): they may be looked at after every vote, and judging may stop on sight of them. "
        "They speak of texts and judges like these, as if each vote were given alone."
        f"{room}{same}"
    )


def _control(standing: Standing) -> None:
    said = control_sentence(standing)
    if said is not None:
        (st.warning if standing.control_differs else st.caption)(escape_markdown(said))


def _judges(panel: Panel, standing: Standing, names: dict[str, str], left_out: tuple[str, ...]) -> None:
    show_table(judges_table(standing.judges, names), key="judge_judges")
    for each in standing.judges:
        if each.note:
            st.warning(escape_markdown(replace(each, voter=names.get(each.voter, each.voter)).note or ""))
    judges = [each.voter for each in standing.judges]
    present = [judge for judge in left_out if judge in judges]
    st.multiselect(
        "Leave out",
        judges,
        default=present,
        format_func=lambda judge: names.get(judge, judge),
        key="judge_left_out",
        help="Their votes are not counted here. Say so where you quote the figures.",
        on_change=bind_widget(
            "judge_left_out", present, lambda chosen: session.put(LeftOut(panel.tuning, tuple(chosen)))
        ),
    )


def _named(judgements: tuple[Judgement, ...], of_room: list[Vote], names: dict[str, str]) -> list[Vote]:
    """All votes with nicknames for visitors; a room's people are numbered."""
    asked = votes_to_fit(each for each in judgements if each.verdict != "same")
    numbers = {voter: f"room {number}" for number, voter in enumerate(dict.fromkeys(vote.voter for vote in of_room), 1)}
    own = [replace(vote, voter=names.get(vote.voter, vote.voter), group="judges") for vote in asked]
    return own + [replace(vote, voter=numbers[vote.voter], group="room") for vote in of_room]
