"""Which part of the page a moved widget runs: the part that shows its effect, not the part that it stands in.

Streamlit runs the fragment that a widget stands in. A callback in it that names another part ends that run and begins a second
one, and the browser goes over the whole page at the beginning and at the end of either: on a page of a dozen controls that is
half of the time from key to picture. Here a request that brings one named widget's new value and no other runs the part that
was named for it. Callbacks are run as ever, before the part.
"""

from __future__ import annotations

from contextlib import suppress

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession

_PARTS = "playground_direct_parts"
_LAST = "_playground_last_values"  # of an AppSession: what the browser's widgets held at its last request, by id


def answers_in(key: str, part: str) -> None:
    """Widget ``key`` changes nothing but that part of the page, as far as its next run goes. Say it anew with each drawing."""
    st.session_state.setdefault(_PARTS, {})[key] = part


def direct(session: AppSession, client_state: ClientState) -> None:
    """Have a request of the browser run the part that is named for the one widget that it moves."""
    last = session.__dict__.get(_LAST)
    values = {state.id: state.SerializeToString() for state in client_state.widget_states.widgets}
    session.__dict__[_LAST] = values
    if last is None or client_state.is_auto_rerun or not client_state.fragment_id:
        return
    moved = [name for name, value in values.items() if last.get(name) != value]
    if len(moved) != 1 or moved[0] not in last:
        return
    with suppress(KeyError, StreamlitAPIException):  # none is named, or it is not there: another tab is open
        part = session.session_state[_PARTS][moved[0].split("-", 2)[-1]]  # $$ID-checksum-key
        (client_state.fragment_id,) = session._fragment_storage.resolve_target(part)
