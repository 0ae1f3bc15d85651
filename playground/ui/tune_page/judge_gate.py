"""Who comes by a judges' link sees pairs and nothing else, in place of every page: no settings, no sidebar, no other page."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import streamlit as st

from playground.errors import BadInput, PlaygroundError
from playground.room.codes import Attempts
from playground.room.people import MOST_LETTERS, choose_nickname, nickname_key
from playground.tuning.panel import Panel
from playground.ui.kit import session
from playground.ui.kit.links import query_here
from playground.ui.kit.messages import problems_shown_here, show_problem
from playground.ui.tune_page.judge_desk import judging_desk
from playground.ui.visitor import visitor_id

JUDGE = "judge"  # the field of a link that carries the token
_LONGEST_TOKEN = 64


@dataclass(frozen=True, slots=True)
class _Judging:
    """The token by which this tab came."""

    token: str = ""


@functools.cache
def wrong_links() -> Attempts:
    """Links that lead nowhere count: 128 bits are not guessed, and nobody shall keep the database busy."""
    return Attempts(
        "Too many wrong links from here: wait a minute, then open yours again.", of_visitor=10, of_address=100
    )


@functools.cache
def votes() -> Attempts:
    """Votes count: nobody reads two answers in half a second for a minute."""
    return Attempts("Too many votes from here: wait a minute, then go on.", of_visitor=120, of_address=3_000)


@functools.cache
def entries() -> Attempts:
    """Nicknames given count."""
    return Attempts("Too many tries from here: wait a minute, then try again.", of_visitor=20, of_address=300)


def judging_token() -> str:
    """What a judges' link carries where this tab came by one, "" where it did not."""
    if session.once("judge link"):
        session.put(_Judging(query_here().get(JUDGE, "")[:_LONGEST_TOKEN]))
    return session.get(_Judging).token


def judging_page(token: str) -> None:
    """In place of every page."""
    st.subheader("Which answer is better?", anchor=False)
    with problems_shown_here():
        panel, judge = _panel(token), visitor_id()
        if judge not in panel.judges():
            _name_form(panel, judge)
            return
        st.markdown("Two answers to one prompt: say which is better. Who wrote which is hidden.")
        st.fragment(lambda: _judging_by_link(token, judge), key="judging")()
        st.caption("Keys: 1, 2, 0 for a tie, B for both bad, U takes the last vote back. You can stop at any time.")


def _judging_by_link(token: str, judge: str) -> None:
    """The link is looked up each time: it may have been revoked since."""

    def check(presses: int) -> None:
        address = st.context.ip_address or ""
        votes().check(judge, address)
        for _ in range(presses):
            votes().note(judge, address)

    with problems_shown_here():
        judging_desk(_panel(token), judge, named=False, before_votes=check)


def _panel(token: str) -> Panel:
    visitor, address = visitor_id(), st.context.ip_address or ""
    wrong_links().check(visitor, address)
    try:
        return Panel.by_link(token)
    except BadInput:
        wrong_links().note(visitor, address)
        raise


def _name_form(panel: Panel, judge: str) -> None:
    st.markdown("You will see two answers to one prompt at a time and say which is better. Nothing else is asked.")
    with st.form("judge_join", border=False):
        nickname = st.text_input(
            "Nickname",
            key="judge_nickname",
            placeholder="optional",
            help=f"Up to {MOST_LETTERS} characters, seen by who sent the link. Without one you get a friendly one.",
        )
        if st.form_submit_button("Begin", type="primary"):
            try:
                entries().check(judge, st.context.ip_address or "")
                entries().note(judge, st.context.ip_address or "")
                taken = {record.key for record in panel.judges().values()}
                name = choose_nickname(nickname, taken)
                panel.admit(judge, name, nickname_key(name))
            except PlaygroundError as error:
                show_problem(error)
            else:
                st.rerun()
