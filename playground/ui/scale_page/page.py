"""The frame of a Plan page: controls on the left; on the right its numbers, pinned scenarios and sections as tabs.

A page is a ``PlanPage``: what it is asked, how it answers, what it draws. Everything else is the same on all five.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import streamlit as st

from playground.errors import PlaygroundError
from playground.scaling.notes import disagreements
from playground.ui import runtime
from playground.ui.components.address_bar import keep_address
from playground.ui.components.tab_row import tab_row
from playground.ui.experiments import experiment_note
from playground.ui.frame import heading
from playground.ui.kit.messages import escape_markdown, problems_shown_here, show_problem, why_it_matters
from playground.ui.scale_page import store
from playground.ui.scale_page.experiments import Experiment, start
from playground.ui.scale_page.figure_table import AS_IN_NOTES, CHECKED, NOW, figure_table
from playground.ui.scale_page.setup import ScaleSetup, link_query
from playground.ui.scale_page.wording import Row, row
from playground.ui.state import PICTURES, page_parts

Answer = Callable[[ScaleSetup, str], tuple[Row, ...]]
Section = Callable[[], None]
NOTES_TAB = "Notes or checked"


@dataclass(frozen=True, slots=True)
class PlanPage:
    """One page. ``answer(setup, basis)`` gives its table; ``topics`` are the disagreements that concern it."""

    name: str
    sentence: str
    controls: Callable[[], None]
    answer: Answer
    sections: Mapping[str, Section]
    experiments: Mapping[str, Experiment]
    topics: tuple[str, ...]


def run_page(page: PlanPage) -> None:
    """The whole page script."""
    from playground.ui.scale_page.take_away import take_away

    corner = heading(
        page.name,
        page.sentence,
        experiments=[(each.label, each.shows, start(page.name, name, each)) for name, each in page.experiments.items()],
    )
    page_parts(PICTURES)
    store.open_page(page.name)
    with corner:
        take_away(page)
    experiment_note(page.name, page.experiments)
    _body(page)


@st.fragment(key=PICTURES)
def _body(page: PlanPage) -> None:
    """Controls and numbers as one fragment: a moved slider is one run, and what is looked at goes to the browser first.

    Two fragments, as on the pages with a model, are two runs (the slider's own one ends in its callback, the pictures'
    follows), and the browser goes over the whole page for each. Here the controls are cheap to draw again.
    """
    left, right = st.columns([1, 2], gap="medium")
    with right:
        _pictures(page)
    with left:
        _controls(page)


def _controls(page: PlanPage) -> None:
    """The left third."""
    with problems_shown_here():
        store.segmented("basis", lambda basis: {"checked": CHECKED, "notes": AS_IN_NOTES}[basis])
        page.controls()


def _pictures(page: PlanPage) -> None:
    """The right two thirds."""
    store.show_problems()
    with problems_shown_here():
        figure_table(columns_of(page), key=f"{page.name}_figures", label="Results, each with its formula and source")
        _pin_row()
    name = tab_row([*page.sections, NOTES_TAB], key=f"{page.name}_section", label="Sections of this page")
    with problems_shown_here():
        page.sections[name]() if name in page.sections else notes_section(page.topics)
    _freeze_once(page.name, name)
    keep_address(link_query(store.setup(), page.name), key="address")


@st.cache_resource(show_spinner=False)
def _freeze_once(page: str, tab: str) -> None:
    """Take what this tab imported out of the collections that follow every run, once for each tab and server.

    No model is loaded here, whose loading would do it; without this each repaint walks some 200 ms over modules.
    """
    runtime.freeze_garbage()


def columns_of(page: PlanPage) -> dict[str, tuple[Row, ...]]:
    """The table's columns: now, in the notes' numbers too if asked, and every pinned scenario that can be computed."""
    setup = store.setup()
    checked = page.answer(setup, "checked")
    notes = page.answer(setup, "notes") if setup.basis == "notes" else ()
    columns = {AS_IN_NOTES: notes, CHECKED: checked} if notes else {NOW: checked}
    for letter, pinned in store.pins().items():
        try:
            columns[letter] = page.answer(pinned, "checked")
        except PlaygroundError as error:
            show_problem(f"Scenario {letter}: {error}")
    return columns


def _pin_row() -> None:
    """One popover for the pinned scenarios; its body runs only while it is open."""
    pins = store.pins()
    label = "Pin and compare" + (f" ({', '.join(pins)})" if pins else "")
    with st.popover(label, icon=":material/keep:", on_change="rerun", key="scale_pins_box") as box:
        if not box.open:
            return
        st.caption(
            "Keep this scenario under a letter; up to four stand beside the present one, here and in the charts."
        )
        st.button("Pin this scenario", on_click=store.pin, key="scale_pin", disabled=len(pins) == 4)
        for letter, pinned in pins.items():
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{letter}** {escape_markdown(describe(pinned))}", width="stretch")
                st.button("Use", key=f"scale_use_{letter}", on_click=store.recall, args=(letter,))
                st.button("Unpin", key=f"scale_unpin_{letter}", on_click=store.unpin, args=(letter,))


def describe(setup: ScaleSetup) -> str:
    """A scenario in a few words."""
    return f"{setup.config}, {setup.gpus} × {setup.gpu}, context {setup.context:,}, batch {setup.batch:,}"


def notes_section(topics: tuple[str, ...]) -> None:
    """Where the course notes and the sources disagree: both numbers and the reason, the chosen one first."""
    titles = (AS_IN_NOTES, CHECKED) if store.setup().basis == "notes" else (CHECKED, AS_IN_NOTES)
    for found in disagreements():
        if found.topic not in topics:
            continue
        st.markdown(f"**{escape_markdown(found.topic)}.** {escape_markdown(found.why)}")
        both = {AS_IN_NOTES: found.as_in_notes, CHECKED: found.checked}
        columns = {title: tuple(row(shown) for shown in both[title]) for title in titles}
        figure_table(columns, key=f"notes_{found.topic}", label=found.topic)
        st.caption(escape_markdown("Sources: " + "; ".join(found.sources) + "."))
    if not topics:
        st.markdown("The course notes and the sources agree on what this page shows.")
    why_it_matters(
        "The switch at the top left puts the notes' assumptions into this page's own numbers where they differ."
    )
