"""What the sections look at: the model, once what the last button asked for has been started."""

from __future__ import annotations

import streamlit as st

from playground.engine.serving.worker import Worker
from playground.ui.generate_page.actions import do_action
from playground.ui.generate_page.following import take_over_text
from playground.ui.generate_page.session import COMPARE, SECTION_KEY, PendingAction, opened
from playground.ui.generate_page.surviving import take_up
from playground.ui.generate_page.token_panel import leave_if_asked
from playground.ui.kit import session
from playground.ui.workspace.model import loaded_model


def load_view() -> Worker:
    """The model's worker. No page opens empty: the first visit writes at once. Raises Pending, and the loader's errors."""
    leave_if_asked()
    worker = loaded_model()
    take_up(worker)
    take_over_text(worker)
    write = opened("write", worker)
    if (
        not session.get(PendingAction).what
        and st.session_state.get(SECTION_KEY) != COMPARE
        and write.run is None
        and write.problem is None
    ):
        session.put(PendingAction("write"))
    do_action(worker)
    return worker
