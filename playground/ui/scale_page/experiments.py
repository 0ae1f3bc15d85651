"""The "Try this" rows of the Plan pages: a setup, the tab to look at, and what to see there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from playground.ui.scale_page import store
from playground.ui.scale_page.setup import ScaleSetup

_SHOWN = "scale_experiment"


@dataclass(frozen=True)
class Experiment:
    """``values`` replace fields of the setup; ``pins`` are scenarios as such replacements of their own."""

    label: str
    shows: str
    look: str
    section: str
    values: Mapping[str, Any]
    pins: tuple[Mapping[str, Any], ...] = ()


def start(page: str, experiment: Experiment) -> Callable[[], None]:
    """The callback that sets ``page`` up for an experiment."""

    def set_up() -> None:
        own = store.setup().own_gpus
        base = replace(ScaleSetup(), own_gpus=own, basis=store.setup().basis)
        store.clear_problems()
        store.put(replace(base, **experiment.values))
        store.set_pins(tuple(replace(base, **pin) for pin in experiment.pins))
        st.session_state[f"{page}_section"] = experiment.section
        st.session_state[_SHOWN] = (page, experiment.label)

    return set_up


def experiment_note(page: str, experiments: Mapping[str, Experiment]) -> None:
    """What to look at in the experiment under way."""
    for experiment in experiments.values():
        if st.session_state.get(_SHOWN) == (page, experiment.label):
            text, close = st.columns([12, 1], vertical_alignment="center", wrap=False)
            text.info(f"**{experiment.label}.** {experiment.look}", icon=":material/science:")
            close.button(
                "", icon=":material/close:", key="end_scale_experiment", type="tertiary", help="Close this note",
                on_click=_end,
            )  # fmt: skip


def _end() -> None:
    st.session_state.pop(_SHOWN, None)
