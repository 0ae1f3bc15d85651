"""The reader's own presets beside the built-in ones, on every page with samplers."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from playground.errors import PlaygroundError
from playground.sampling.settings import SamplerSettings
from playground.tuning.preset import KeptPreset, PresetStore, read_preset
from playground.tuning.setting_text import OFF, settings_text
from playground.ui.kit import session
from playground.ui.kit.fragments import CONTROLS, PICTURES, rerun_callback
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem
from playground.ui.visitor import owner_id
from playground.ui.workspace.shared import file_uploader
from playground.uploads import decode


def kept_presets() -> tuple[KeptPreset, ...]:
    """The reader's own; where the store cannot be read that is said, and there are none."""
    try:
        return PresetStore(owner_id()).presets()
    except PlaygroundError as error:
        show_problem(error)
        return ()


def kept_preset_buttons(use: Callable[[SamplerSettings], None]) -> None:
    """A button for each, with one beside it that deletes it; nothing where there are none."""
    presets = kept_presets()
    if presets:
        st.caption("Your own")
    for preset in presets:
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.button(
                escape_markdown(preset.name),
                key=f"kept_preset_{preset.name}",
                help=escape_markdown(settings_text(preset.settings) or OFF),
                on_click=rerun_callback(use, PICTURES, CONTROLS),
                args=(preset.settings,),
            )
            st.button(
                "",
                icon=":material/delete:",
                type="tertiary",
                key=f"forget_preset_{preset.name}",
                help=f"Delete {escape_markdown(preset.name)}",
                on_click=rerun_callback(_delete, CONTROLS),
                args=(preset.name,),
            )
    if presets:
        st.caption("Built in")


def preset_from_file() -> None:
    """A preset that somebody else has taken away as JSON: what is in it stands before it is kept."""
    given = file_uploader("A preset from a file", type=["json"], key="preset_file", max_upload_size=1)
    if given is None:
        return
    try:
        name, settings, why = read_preset(decode(given.getvalue())[0])
    except PlaygroundError as error:
        show_problem(error)
        return
    st.caption(escape_markdown(f"{name}: {(settings_text(settings) or OFF)}"))
    st.button(
        "Keep it",
        key="preset_file_keep",
        icon=":material/bookmark_add:",
        on_click=rerun_callback(_persist, CONTROLS),
        args=(name, settings, why),
    )


def _persist(name: str, settings: SamplerSettings, why: str) -> None:
    try:
        PresetStore(owner_id()).persist(name, settings, why)
    except PlaygroundError as error:
        session.note_problem(str(error))


def _delete(name: str) -> None:
    try:
        PresetStore(owner_id()).delete(name)
    except PlaygroundError as error:
        session.note_problem(str(error))
