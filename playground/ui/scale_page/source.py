"""Where a model comes from: the list, a pasted or uploaded config.json, or the loaded model. Code in it never runs."""

from __future__ import annotations

import streamlit as st

from playground.errors import PlaygroundError
from playground.plan.own_config import config_text_of, read_own_config
from playground.plan.setup import CUSTOM, ScaleSetup
from playground.scaling.config_fields import MAX_CONFIG_CHARS
from playground.scaling.configs import preset_names
from playground.ui.kit import session
from playground.ui.kit.messages import problems_shown_here
from playground.ui.runtime import model_pool
from playground.ui.scale_page import store
from playground.ui.scale_page.store import WIDGETS
from playground.ui.workspace.model import chosen_model
from playground.ui.workspace.shared import file_uploader


def model_controls() -> None:
    """The list of models and the popover for a config of one's own."""
    own = {CUSTOM: "your config.json"} if store.setup().own_config else {}
    WIDGETS.choose("config", choices={**own, **{name: name for name in preset_names()}})
    with st.popover("Own config.json", icon=":material/upload_file:", on_change="rerun", key="scale_own") as box:
        if box.open:
            with problems_shown_here():
                _own_config()


def _own_config() -> None:
    st.caption("Any transformers config.json; nothing in it is run.")
    st.text_area("Paste it", key="scale_paste", height=120, max_chars=2 * MAX_CONFIG_CHARS, on_change=_pasted)
    file_uploader(
        "Or upload it",
        type="json",
        key="scale_upload",
        max_upload_size=1,
        on_change=_uploaded,
        help="At most 1 MB: the config, not the weights or the tokenizer.",
    )
    loaded = chosen_model() in model_pool().loaded()
    st.button(
        "Take the loaded model's",
        key="scale_from_loaded",
        on_click=use_loaded,
        disabled=not loaded,
        help="The config of the model in the sidebar." if loaded else "No model is loaded; this page needs none.",
    )


def _pasted() -> None:
    if text := str(st.session_state.get("scale_paste") or "").strip():
        use_config(text)


def _uploaded() -> None:
    file = st.session_state.get("scale_upload")
    if file is None:
        return
    try:
        use_config(file.read(MAX_CONFIG_CHARS + 1).decode("utf-8"))
    except UnicodeDecodeError:
        session.note_problem("The uploaded file is not text; give a transformers config.json.")


def use_config(text: str) -> None:
    """Make ``text`` the model; what is wrong with it is told in one sentence and the last good model stays."""
    try:
        session.change(ScaleSetup, config=CUSTOM, own_config=read_own_config(text))
        session.clear_problems()
    except PlaygroundError as error:
        session.note_problem(str(error))


def use_loaded() -> None:
    """Take the loaded model's config.json."""
    try:
        use_config(config_text_of(chosen_model().spec))
    except PlaygroundError as error:
        session.note_problem(str(error))
