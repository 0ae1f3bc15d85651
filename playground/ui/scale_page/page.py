"""What the five Plan pages have in common: their numbers and pins above the tabs, the notes' tab, links, experiments.

A page is what it is asked, how it answers, what it draws; ``plan_page`` makes the ``PageSpec`` of that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from playground.plan.links import plan_link, read_plan_link
from playground.plan.scenarios import LETTERS, Pins, Scenarios, pinned
from playground.plan.setup import AS_IN_NOTES, CHECKED, ScaleSetup
from playground.plan.wording import row
from playground.scaling.notes import disagreements
from playground.ui.kit import session
from playground.ui.kit.messages import escape_markdown, why_it_matters
from playground.ui.kit.page import Experiment, PageSpec, Section
from playground.ui.scale_page import store
from playground.ui.scale_page.export import export_plan
from playground.ui.scale_page.figure_table import figure_table
from playground.ui.scale_page.plan import PlanPage, columns_of
from playground.ui.scale_page.store import WIDGETS

NOTES_TAB = "Notes or checked"


def plan_page(page: PlanPage) -> PageSpec:
    """The page as the frame draws it. It needs no model."""
    tabs = {**page.sections, NOTES_TAB: lambda scenarios: notes_section(scenarios, page.topics)}
    return PageSpec(
        name=page.name,
        group="Plan",
        title=page.title,
        icon=page.icon,
        about=page.about,
        sentence=page.sentence,
        view=store.scenarios,
        controls=lambda: _controls(page),
        below=lambda: _numbers(page),
        sections={section_name(title): Section(title, draw) for title, draw in tabs.items()},
        experiments=page.experiments,
        export=lambda: export_plan(page),
        link=lambda: plan_link(store.setup(), page.name),
        adopt=lambda query: read_plan_link(query, page.name, store.setup()),
        begin=begin,
        one_fragment=True,
    )


def section_name(title: str) -> str:
    """The name of a tab in a link."""
    return title.lower().replace(" ", "-")


@dataclass(frozen=True, slots=True)
class PinnedValues:
    """An experiment's pinned scenarios, each as fields that replace the setup's."""

    scenarios: tuple[Mapping[str, Any], ...]


def experiment(
    label: str, shows: str, look: str, section: str, values: Mapping[str, Any], pins: tuple[Mapping[str, Any], ...] = ()
) -> Experiment:
    """``values`` replace fields of the setup; ``pins`` are scenarios as such replacements of their own."""
    return Experiment(label, shows, look, state=values, section=section_name(section), puts=(PinnedValues(pins),))


def begin(each: Experiment) -> None:
    """Set the pages up for an experiment; edited GPUs, a price table and the choice of numbers stay."""
    now = store.setup()
    base = replace(ScaleSetup(), own_gpus=now.own_gpus, prices=now.prices, basis=now.basis)
    session.put(replace(base, **each.state))
    for pins in each.puts:
        assert isinstance(pins, PinnedValues)
        session.put(pinned([replace(base, **values) for values in pins.scenarios]))


def _controls(page: PlanPage) -> None:
    WIDGETS.segmented("basis")
    page.controls()


def _numbers(page: PlanPage) -> None:
    """The table that all tabs share, and the pins."""
    figure_table(columns_of(page), key=f"{page.name}_figures", label="Results, each with its formula and source")
    _pin_row()


def _pin_row() -> None:
    """One popover for the pinned scenarios; its body runs only while it is open."""
    pins = session.get(Pins).by_letter
    label = "Pin and compare" + (f" ({', '.join(pins)})" if pins else "")
    with st.popover(label, icon=":material/keep:", on_change="rerun", key="scale_pins_box") as box:
        if not box.open:
            return
        st.caption(
            "Keep this scenario under a letter; up to four stand beside the present one, here and in the charts."
        )
        st.button("Pin this scenario", on_click=_pin, key="scale_pin", disabled=len(pins) == len(LETTERS))
        for letter, setup in pins.items():
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{letter}** {escape_markdown(describe(setup))}", width="stretch")
                st.button("Use", key=f"scale_use_{letter}", on_click=_use, args=(setup,))
                st.button("Unpin", key=f"scale_unpin_{letter}", on_click=_unpin, args=(letter,))


def _pin() -> None:
    session.put(session.get(Pins).with_pin(store.setup()))


def _unpin(letter: str) -> None:
    session.put(session.get(Pins).without(letter))


def _use(setup: ScaleSetup) -> None:
    session.put(setup)
    session.clear_problems()


def describe(setup: ScaleSetup) -> str:
    """A scenario in a few words."""
    return f"{setup.config}, {setup.gpus} × {setup.gpu}, context {setup.context:,}, batch {setup.batch:,}"


def notes_section(scenarios: Scenarios, topics: tuple[str, ...]) -> None:
    """Where the course notes and the sources disagree: both numbers and the reason, the chosen one first."""
    titles = (AS_IN_NOTES, CHECKED) if scenarios.now.basis == "notes" else (CHECKED, AS_IN_NOTES)
    for disagreement in disagreements():
        if disagreement.topic not in topics:
            continue
        st.markdown(f"**{escape_markdown(disagreement.topic)}.** {escape_markdown(disagreement.why)}")
        both = {AS_IN_NOTES: disagreement.as_in_notes, CHECKED: disagreement.checked}
        columns = {title: tuple(row(shown) for shown in both[title]) for title in titles}
        figure_table(columns, key=f"notes_{disagreement.topic}", label=disagreement.topic)
        st.caption(escape_markdown("Sources: " + "; ".join(disagreement.sources) + "."))
    if not topics:
        st.markdown("The course notes and the sources agree on what this page shows.")
    why_it_matters(
        "The switch at the top left puts the notes' assumptions into this page's own numbers where they differ."
    )
