"""Of section "Whose preference?": who leads puts voters in groups, also those of the room, who typed no tag themselves."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from playground.errors import BadInput
from playground.preferences.kept import KeptBallot
from playground.ui.kit.fragments import PICTURES, TEXT
from playground.ui.kit.markdown import escape_markdown
from playground.ui.preferences_page.session import LONGEST_NAME, attempt, opened, store

_VOTERS, _TAG = "preferences_group_voters", "preferences_group_tag"
_NAMED = 12  # voters of a group, by name


def voter_groups(kept: KeptBallot) -> None:
    """Who is in which group, and a tag for those who are chosen. Nothing without votes."""
    group_of = {verdict.voter: verdict.group for verdict in kept.verdicts}  # the last one said
    if not group_of:
        return
    with st.expander("Put voters in groups", icon=":material/label:", on_change="rerun", key="preferences_tags") as box:
        if not box.open:
            return
        for group in sorted(set(group_of.values())):
            voters = [voter for voter, own in group_of.items() if own == group]
            more = f" and {len(voters) - _NAMED:,} more" if len(voters) > _NAMED else ""
            named = escape_markdown(", ".join(voters[:_NAMED]))
            st.markdown(f"**{escape_markdown(group) or 'No group'}** · {named}{more}")
        with st.container(horizontal=True, vertical_alignment="bottom"):
            st.multiselect("Voters", sorted(group_of), key=_VOTERS, width="stretch")
            st.text_input(
                "Their group",
                key=_TAG,
                max_chars=LONGEST_NAME,
                width=200,
                help="A tag such as a team or an age; with none they are in no group. All their votes on this ballot carry it.",
            )
            st.button("Set", key="preferences_set_group", on_click=attempt(_set, TEXT, PICTURES))


def _set() -> None:
    chosen, tag = set(st.session_state.get(_VOTERS) or ()), " ".join(str(st.session_state.get(_TAG) or "").split())
    kept = opened()
    changed = [replace(vote, group=tag[:LONGEST_NAME]) for vote in kept.verdicts if vote.voter in chosen]
    if not changed:
        raise BadInput("Nobody is chosen: choose the voters who belong together, then set their group.", "group")
    store().vote(kept.id, changed)
    st.session_state[_VOTERS] = []
