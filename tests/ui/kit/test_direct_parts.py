"""A moved widget runs the part that is named for it, and only where nothing else has changed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession

from playground.ui.kit.direct_parts import answers_in, direct

DIAL, OTHER = "$$ID-0a1b-dial_x-y", "$$ID-2c3d-other"


class Parts:
    """Of a fragment storage what is asked here."""

    def resolve_target(self, name: str) -> list[str]:
        if name != "pictures:share":
            raise StreamlitAPIException(name)
        return ["shared"]


def asked(session: AppSession, *, auto: bool = False, fragment: str = "controls", **values: float) -> str:
    """The part that a request with those values runs."""
    state = ClientState(fragment_id=fragment, is_auto_rerun=auto)
    for name, value in {DIAL: values.get("dial"), OTHER: values.get("other")}.items():
        if value is not None:
            state.widget_states.widgets.add(id=name, double_value=value)
    direct(session, state)
    return state.fragment_id


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> AppSession:
    held: dict[str, object] = {}
    monkeypatch.setattr(st, "session_state", held)
    return cast(AppSession, SimpleNamespace(session_state=held, _fragment_storage=Parts()))


def test_one_moved_widget_runs_its_part(session: AppSession) -> None:
    answers_in("dial_x-y", "pictures:share")
    assert asked(session, dial=1, other=1) == "controls"  # what it held before is not known
    assert asked(session, dial=2, other=1) == "shared"
    assert asked(session, dial=2, other=2) == "controls"  # no part is named for the other one
    assert asked(session, dial=3, other=3) == "controls"  # something else has changed, too
    assert asked(session, dial=3, other=3) == "controls"
    assert asked(session, dial=4, other=3, fragment="") == ""  # the whole page
    assert asked(session, dial=5, other=3, auto=True) == "controls"  # a timer's tick
    assert asked(session, other=3) == "controls" and asked(session, dial=6, other=3) == "controls"


def test_a_part_that_is_not_there_is_not_run(session: AppSession) -> None:
    answers_in("dial_x-y", "pictures:gone")
    assert asked(session, dial=1) == asked(session, dial=2) == "controls"
