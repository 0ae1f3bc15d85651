"""The judges' link as its owner sees it: made, shown, replaced, revoked; and who has come by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit, urlunsplit

import streamlit as st

from playground.errors import PlaygroundError
from playground.tuning.panel import Panel
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, rerun_callback
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.tune_page.judge_gate import JUDGE
from playground.ui.tune_page.judge_room import room_part


def link_part(panel: Panel) -> None:
    """What to send to whom."""
    token = panel.link()
    if token is None:
        st.markdown("Nobody else can judge this tuning yet.")
        st.button("Make a link for judges", key="judge_make", type="primary", on_click=_act(panel.new_link))
    else:
        st.markdown("**Link** for judges")
        st.code(_address(token), language=None, wrap_lines=True)
        with st.container(horizontal=True):
            st.button("Replace it", key="judge_replace", icon=":material/autorenew:", on_click=_act(panel.new_link))
            st.button("Revoke it", key="judge_revoke", icon=":material/link_off:", on_click=_act(panel.revoke_link))
    why_it_matters(
        "Who has the link sees prompts and answers of this tuning, two at a time, and nothing else: no settings, no names of "
        "them, no other page. Votes that have come stay when the link is revoked."
    )
    room_part(panel)
    counts = Counter(each.judge for each in panel.judgements() if each.verdict != "same")
    come = [f"{record.nickname} ({counts[judge]:,})" for judge, record in panel.judges().items()]
    if come:
        st.markdown(escape_markdown(f"Judges and their votes: {', '.join(come)}."))


def _act(do: Callable[[], object]) -> Callable[..., None]:
    def act() -> None:
        try:
            do()
        except PlaygroundError as error:
            session.note_problem(str(error))

    return rerun_callback(act, PICTURES)


def _address(token: str) -> str:
    """The app's own root, wherever this page stands."""
    parts = urlsplit(st.context.url or "http://localhost:8501/")
    folder = parts.path.rpartition("/")[0]
    return urlunsplit((parts.scheme, parts.netloc, f"{folder}/", urlencode({JUDGE: token}), ""))
