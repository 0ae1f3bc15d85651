"""The take-away popover: a link, the settings as code for four engines, the command line, downloads."""

from __future__ import annotations

import json
from urllib.parse import urlsplit, urlunsplit

import streamlit as st

from playground.models.catalogue import resolve
from playground.ui import state
from playground.ui.messages import plain
from playground.ui.model_picker import chosen_model
from playground.ui.setup import Setup, link_query


def take_away() -> None:
    """The popover at the top right. Its body runs only while it is open."""
    with st.popover(
        "Take away", icon=":material/ios_share:", on_change="rerun", key="take_away", width="stretch"
    ) as box:
        if not box.open:
            return
        from playground.sampling.export import EXPORTS, export

        setup = state.setup()
        st.markdown("**Link** to exactly this page")
        st.code(page_link(setup), language=None, wrap_lines=True)
        st.markdown("**As code**")
        engine = st.segmented_control(
            "Engine", list(EXPORTS), default=next(iter(EXPORTS)), key="export_engine", required=True,
            format_func=lambda name: EXPORTS[name].label, label_visibility="collapsed",
        )  # fmt: skip
        made = export(
            str(engine),
            setup.settings,
            model_id=(setup.model or "") if engine == "playground" else model_id(),
            prompt=setup.prompt,
            chat=setup.chat,
            system=setup.system or None,
            seed=setup.seed,
        )
        st.code(made.code, language=made.language, wrap_lines=True)
        if resolve(setup.model).kind == "bundled" and engine != "playground":
            st.caption(
                "The hub has the original weights; the bundled ones were rounded to 4 bits, so figures differ a little."
            )
        for warning in made.warnings:
            st.warning(plain(warning), icon=":material/warning:")
        if setup.taken:
            st.caption(f"The {len(setup.taken)} accepted tokens travel in the link, not in the code.")
        st.download_button(
            "Settings as JSON",
            data=json.dumps({"seed": setup.seed, **setup.settings.to_mapping(only_changed=False)}, indent=1),
            file_name="sampling.json",
            mime="application/json",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
        )


def page_link(setup: Setup) -> str:
    """The full address of this page with everything in it that matters."""
    parts = urlsplit(st.context.url or "http://localhost:8501/")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, link_query(setup), ""))


def model_id() -> str:
    """The id other engines know the chosen model by: its hub id where it has one, else what the reader typed."""
    source = resolve(chosen_model().spec)
    return source.hub_id or str(source.path or source.id)
