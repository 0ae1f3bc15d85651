"""What the text must match, in the left third: where the model's engine has constraints, else one sentence."""

from __future__ import annotations

import streamlit as st

from playground.engine.limits import check_constraint, constraints_of
from playground.errors import BadInput
from playground.models.info import ModelInfo
from playground.state.generate import MATCHES, GenerateState
from playground.ui.generate_page.session import options
from playground.ui.kit import session
from playground.ui.kit.fragments import CONTROLS, rerun_callback
from playground.ui.kit.messages import escape_markdown, show_problem
from playground.ui.kit.widgets import Bound
from playground.ui.workspace.model import request_chosen

WIDGETS = Bound(GenerateState)
_PLACEHOLDERS = {
    "json_schema": '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}',
    "grammar": 'root ::= [A-Z] [a-z]+ " is a " ("city" | "river") "."',
    "regex": "[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "choice": "yes\nno",
}


def constraint_controls() -> None:
    """Kind and pattern, and under them why the pattern cannot be used. Open at first where a link brings one."""
    opens = st.session_state.setdefault("constraint_opens", bool(options().match))
    with st.expander("What the text must match", expanded=opens, on_change="rerun", key="constraint") as box:
        if not (box.open or options().match):
            return
        loading = request_chosen()
        if loading.worker is None:
            st.caption("Known once the model is there.")
        elif loading.worker.engine.info.constraints:
            _choice(loading.worker.engine.info)
        else:
            _none(loading.worker.engine.info)


def _choice(info: ModelInfo) -> None:
    kinds = {kind: label for kind, label in MATCHES.items() if kind in ("", *info.constraints, options().match)}
    WIDGETS.choose("match", CONTROLS, choices=kinds)
    if options().match:
        WIDGETS.text(
            "pattern",
            CONTROLS,
            area=True,
            height=160,
            label_visibility="collapsed",
            placeholder=_PLACEHOLDERS[options().match],
        )
        _problem(info)


def _problem(info: ModelInfo) -> None:
    """An empty field is told when a text is to be written, not while it is being chosen."""
    try:
        check_constraint(options().constraint if options().pattern.strip() else None, info)
    except BadInput as error:
        show_problem(error)


def _none(info: ModelInfo) -> None:
    st.caption(f"Constraints are the server's: {escape_markdown(constraints_of(info))}.")
    if options().match:
        st.button("Leave the constraint out", key="constraint_out", on_click=rerun_callback(_leave_out, CONTROLS))


def _leave_out() -> None:
    session.change(GenerateState, match="")
