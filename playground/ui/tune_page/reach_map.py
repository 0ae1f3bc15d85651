"""The map of two parameters on the tab What settings allow, with a slider for a third: no model runs."""

from __future__ import annotations

import streamlit as st

from playground.charts.tune_reach import ALONG_VIEWS, OPENING_VIEWS, map_description, map_html, number_words
from playground.errors import PlaygroundError
from playground.sampling.registry import PARAMETERS
from playground.sampling.settings import SamplerSettings
from playground.state.tune import TuneState
from playground.tuning.reach_axes import AXES, Grid, grid_around
from playground.tuning.setting_text import setting_name
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, redraw
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.session import bind_widget
from playground.ui.kit.widgets import Bound
from playground.ui.tune_page.reach_rows import HeldRows
from playground.ui.tune_page.session import draft_settings
from playground.ui.tune_page.setting_rows import add_settings

MAP = "tune:map"  # a part of the page, redrawn alone
WIDGETS = Bound(TuneState, MAP)
_STYLE = """<style>
.reach { border-collapse: separate; border-spacing: 2px; width: 100%; table-layout: fixed; font-variant-numeric: tabular-nums; }
.reach caption { text-align: left; caption-side: top; font-size: 0.875rem; padding-bottom: 0.25rem; }
.reach th { font-weight: 400; font-size: 0.8rem; text-align: right; padding: 0 0.3rem; border: none; }
.reach tr:last-child th { text-align: center; }
.reach td { text-align: center; font-size: 0.8rem; padding: 0.22rem 0; border: none; border-radius: 0.2rem; }
.reach td.own { outline: 3px solid #C2410C; outline-offset: -1px; font-weight: 700; }
</style>"""


def show_map(held: HeldRows, settings: SamplerSettings) -> None:
    """Two parameters' grid with a slider for a third: no model runs."""
    own = session.get(TuneState)
    along = held.reach.along or held.reach.openings
    assert along is not None
    views = ALONG_VIEWS if held.reach.along is not None else OPENING_VIEWS
    shows = own.shows if own.shows in views else next(iter(views))
    x = own.x if own.x != own.y else next(iter(_others(own.y)))
    third = own.moves if own.moves not in (x, own.y) else next(iter(_others(x, own.y)))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        WIDGETS.choose("y", choices=_others(x), width=150)
        WIDGETS.choose("x", choices=_others(own.y), width=150)
        if len(views) == len(ALONG_VIEWS):
            WIDGETS.choose("shows", width=150)
        _choose_third(third, _others(x, own.y))
    moved = _slider(third, settings)
    grid = grid_around(settings, x, own.y, {third: moved})
    with held.reach.lock:
        cells = along.look(grid.settings, roughly=True)
    st.html(_STYLE + map_html(grid, cells, views[shows]))
    st.caption(map_description(grid, cells, views[shows]))
    if grid.left_out:
        st.caption(
            f":material/info: The map is without {', '.join(map(escape_markdown, grid.left_out))}, which would have to run at "
            "every token anew; the table above has it."
        )
    _take_cell(grid)


def _others(*taken: str) -> dict[str, str]:
    return {name: PARAMETERS[name].label for name in AXES if name not in taken}


def _choose_third(third: str, others: dict[str, str]) -> None:
    """Another parameter begins where the setting has it."""

    def write(name: str) -> tuple[str, ...]:
        session.change(TuneState, moves=name, moved=None)
        return (MAP,)

    key, names = "tune_moves", list(others)
    st.selectbox(
        "The slider moves",
        names,
        names.index(third),
        format_func=others.__getitem__,
        key=key,
        on_change=bind_widget(key, third, write),
        width=150,
    )


def _slider(third: str, settings: SamplerSettings) -> float:
    """The third parameter, as in the setting until it is moved."""
    parameter, values = PARAMETERS[third], AXES[third]
    present, moved = float(getattr(settings, third)), session.get(TuneState).moved
    low, high = min(*values, present), max(*values, present)
    number = int if parameter.kind == "int" else float
    current = number(min(max(present if moved is None else moved, low), high))

    def write(value: float) -> tuple[str, ...]:
        session.change(TuneState, moved=float(value))
        return (MAP,)

    key = f"tune_third_{third}"
    st.slider(
        f"{parameter.label} ({number_words(third, present)} in the setting)",
        min_value=number(low),
        max_value=number(high),
        value=current,
        step=number(parameter.step),
        format="%d"
        if number is int
        else "%.4f"
        if parameter.step < 0.005
        else "%.3f"
        if parameter.step < 0.01
        else "%.2f",
        key=key,
        on_change=bind_widget(key, current, write),
    )
    return float(current)


def _take_cell(grid: Grid) -> None:
    """A cell of the map as a further setting of the draft."""
    with st.expander(
        "Take a cell into the plan", icon=":material/add:", on_change="rerun", key="tune_take_cell"
    ) as box:
        if not box.open:
            return
        with st.container(horizontal=True, vertical_alignment="bottom"):
            row = _place("upwards", grid.y, grid.ys, grid.own[0])
            column = _place("across", grid.x, grid.xs, grid.own[1])
            settings = grid.settings[row * len(grid.xs) + column]
            name_in_plan = next((name for name, own in draft_settings().items() if own == settings), "")
            st.button(
                "Add as a setting", key="tune_add_cell", on_click=_add, args=(settings,), disabled=bool(name_in_plan)
            )
        if name_in_plan:
            st.caption(escape_markdown(f"In the plan as {name_in_plan}."))


def _place(axis: str, name: str, values: tuple[float, ...], own: int) -> int:
    words = [number_words(name, value) for value in values]
    picked = st.selectbox(PARAMETERS[name].label, words, own, key=f"tune_cell_{axis}_{name}_{words[own]}", width=160)
    return words.index(picked) if picked in words else own


def _add(settings: SamplerSettings) -> None:
    """From a callback."""
    session.clear_problems()
    try:
        add_settings({setting_name(settings, draft_settings()): settings})
    except PlaygroundError as error:
        session.note_problem(str(error))
    redraw(PICTURES)
