"""The "Try this" rows of the Plan pages: a setup, the tab to look at, and what to see there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from playground.ui.experiments import mark_begun
from playground.ui.scale_page import store
from playground.ui.scale_page.setup import ScaleSetup


@dataclass(frozen=True)
class Experiment:
    """``values`` replace fields of the setup; ``pins`` are scenarios as such replacements of their own."""

    label: str
    shows: str
    look: str
    section: str
    values: Mapping[str, Any]
    pins: tuple[Mapping[str, Any], ...] = ()


def start(page: str, name: str, experiment: Experiment) -> Callable[[], None]:
    """The callback that sets ``page`` up for an experiment."""

    def set_up() -> None:
        now = store.setup()  # what the reader brought along stays: edited GPUs, a price table, the choice of numbers
        base = replace(ScaleSetup(), own_gpus=now.own_gpus, prices=now.prices, basis=now.basis)
        store.clear_problems()
        store.put(replace(base, **experiment.values))
        store.set_pins(tuple(replace(base, **pin) for pin in experiment.pins))
        st.session_state[f"{page}_section"] = experiment.section
        mark_begun(page, name)

    return set_up
