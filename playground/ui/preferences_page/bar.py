"""The line above the tabs: which ballot, who votes, and what can be brought in or taken away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import streamlit as st

from playground.errors import BadInput
from playground.preferences.ballot_file import trl_jsonl
from playground.preferences.ballots import votes_on_answers, votes_on_names
from playground.preferences.kept import BallotSummary
from playground.tuning.jury import votes_csv
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.kit.fragments import PICTURES, TEXT
from playground.ui.kit.messages import problems_shown_here
from playground.ui.kit.session import bind_widget
from playground.ui.preferences_page.bring_in import bring_in, offer_synthetic
from playground.ui.preferences_page.session import LONGEST_NAME, Voter, attempt, open_ballot, opened, store


def ballot_bar() -> None:
    """Drawn anew with what the votes say."""
    with problems_shown_here():
        kept, ballots = opened(), store().ballots()
        with st.container(horizontal=True, vertical_alignment="bottom", key="preferences_bar"):
            _choice(ballots, kept.id, kept.name)
            voter = session.get(Voter)
            _typed("name", "Voting as", voter.name, "Votes are kept under this name; another's votes stay.")
            _typed(
                "group", "Group", voter.group, "A tag for Whose preference?, such as a team or an age. May be empty."
            )
            bring_in()
            with st.popover(
                "Synthetic voters", icon=":material/smart_toy:", on_change="rerun", key="preferences_synth"
            ) as box:
                if box.open:
                    offer_synthetic()
            if kept.id:
                st.button(
                    "",
                    icon=":material/delete:",
                    key="preferences_delete",
                    help="Delete this ballot with its votes for good",
                    on_click=attempt(_delete, TEXT, PICTURES),
                    args=(kept.id,),
                )


def _choice(ballots: tuple[BallotSummary, ...], opened_id: str, name: str) -> None:
    # what a browser sends is the label, so it must not change with the votes
    names = {each.id: f"{each.name} · {datetime.fromtimestamp(each.created):%d %b %H:%M:%S}" for each in ballots} or {
        "": name
    }
    options = list(names)
    st.selectbox(
        "Ballot",
        options,
        options.index(opened_id) if opened_id in options else 0,
        format_func=names.__getitem__,
        key="preferences_ballot",
        on_change=bind_widget("preferences_ballot", opened_id, _open),
        width=250,
    )


def _open(ballot: object) -> tuple[str, ...]:
    open_ballot(str(ballot))
    return TEXT, PICTURES


def _typed(field: str, label: str, current: str, about: str) -> None:
    key = f"preferences_voter_{field}"

    def write(value: object) -> tuple[str, ...]:
        typed = " ".join(str(value).split())[:LONGEST_NAME]
        if field == "name" and not typed:
            raise BadInput("A vote needs a name: the last one is kept.", "voter")
        session.put(replace(session.get(Voter), **{field: typed}))
        return TEXT, PICTURES

    st.text_input(
        label,
        current,
        max_chars=LONGEST_NAME,
        key=key,
        help=about,
        width=115,
        on_change=bind_widget(key, current, write),
    )


def _delete(ballot: str) -> None:
    store().delete(ballot)
    open_ballot("")


def export_votes() -> None:
    """Votes as files, once there are any."""
    kept = opened()
    if not kept.verdicts:
        st.caption("Files come with the first vote.")
        return
    file_button(
        "Preference pairs, JSONL",
        "preferences.jsonl",
        lambda: trl_jsonl(kept.ballot, kept.verdicts),
        "Decided votes in TRL's conversational preference format.",
    )

    def csv(of_names: bool) -> Callable[[], str]:
        votes = votes_on_names if of_names else votes_on_answers
        return lambda: votes_csv(votes(kept.ballot, kept.verdicts))

    about = "One line a vote, as `python -m playground votes fit` reads them."
    file_button("Votes on answers, CSV", "votes.csv", csv(False), about)
    if votes_on_names(kept.ballot, kept.verdicts):
        file_button("Votes on who wrote them, CSV", "votes-by-writer.csv", csv(True), about)
