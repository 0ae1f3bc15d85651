"""The frame every page shares: navigation, sidebar, heading, experiments, the places of controls, text and pictures.

``show(spec)`` draws a page from its ``PageSpec``; what the page itself shows is in the spec's functions.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from playground import __version__
from playground.engine.facets import require_any
from playground.ui.admission import login_status
from playground.ui.components.address_bar import keep_address
from playground.ui.experiments import begin, experiment_note
from playground.ui.following import Pages, catch_up, note_link
from playground.ui.kit import session
from playground.ui.kit.fragments import ADDRESS, CONTROLS, PICTURES, TEXT, fragment, set_parts
from playground.ui.kit.jobs import Pending, show_pending
from playground.ui.kit.messages import problems_shown_here, show_problem
from playground.ui.kit.page import PageSpec, Section
from playground.ui.kit.pictures import measure_type
from playground.ui.kit.places import SHARES, controls_and_pictures
from playground.ui.page_links import adopt_link, open_section, page_address, page_query
from playground.ui.presenting import present_switch, presented_page
from playground.ui.room_strip import has_lesson, room_strip
from playground.ui.runtime import note_end
from playground.ui.workspace.beside_loading import let_go_of_unnamed
from playground.ui.workspace.export import popover, show_link
from playground.ui.workspace.linked_model import ask_for_linked_model
from playground.ui.workspace.model import loaded_model, request_chosen
from playground.ui.workspace.model_picker import sidebar_model

_ROOT = Path(__file__).resolve().parents[2]
ICON = str(Path(__file__).with_name("icon.png"))  # a local file: a symbol would be fetched from the internet
WORDMARK = str(Path(__file__).with_name("wordmark.svg"))
_DECLARED: dict[tuple[object, ...], st.Page] = {}
_STYLE = f"<style>{Path(__file__).with_name('frame.css').read_text(encoding='utf-8')}</style>"


# -- navigation --------------------------------------------------------------------------------------------------------


def page_of(spec: PageSpec) -> st.Page:
    """The page as Streamlit knows it, to declare it or to switch to it."""
    return _declared(
        spec.name,
        title=spec.title,
        icon=spec.icon,
        url_path="" if spec.default else spec.name,
        default=spec.default,
        help=spec.about,
    )


def navigation(pages: Pages, *, listed: bool = True) -> st.Page:
    """Declare all pages to Streamlit and return the one asked for; without ``listed`` the sidebar has none of them.

    The default page answers at "/" and, hidden from the sidebar, under its own name too.
    """
    groups: dict[str, list[st.Page]] = {}
    unlisted = [_hidden(spec) for spec in pages.values() if spec.default or not spec.listed()]
    for spec in pages.values():
        if spec.listed():
            groups.setdefault(spec.group, []).append(page_of(spec))
    next(iter(groups.values())).extend(unlisted)
    return st.navigation(groups, expanded=True, position="sidebar" if listed else "hidden")


def _hidden(spec: PageSpec) -> st.Page:
    return _declared(spec.name, title=spec.title, url_path=spec.name, visibility="hidden")


def _declared(name: str, **named: Any) -> st.Page:
    """Streamlit looks for the file and cleans each name at every declaration: once a process does. The run that shows it notes
    that on its own copy."""
    key = _ROOT, name, *sorted(named.items())
    if get_script_run_ctx(suppress_warning=True) is None:
        return st.Page(_ROOT / "pages" / f"{name}.py", **named)
    if key not in _DECLARED:
        _DECLARED[key] = st.Page(_ROOT / "pages" / f"{name}.py", **named)
    return copy(_DECLARED[key])


def open_page(spec: PageSpec) -> None:
    """Go to another page. Never returns; not from a callback."""
    st.switch_page(page_of(spec))


def open_frame(page: st.Page, pages: Pages) -> None:
    """The sidebar's content. A page that needs no model never starts loading one."""
    spec = pages.get(page.url_path) or next(each for each in pages.values() if each.default)
    adopt_link(spec)
    catch_up(spec, pages, open_page)
    let_go_of_unnamed()
    st.html(_STYLE)
    presented_page()
    st.logo(WORDMARK, icon_image=ICON)
    with st.sidebar:
        sidebar_model(bool(spec.needs))
        present_switch()
        login_status()
        st.caption(f"Playground {__version__}")


# -- the page ----------------------------------------------------------------------------------------------------------


def show(spec: PageSpec) -> None:
    """The whole page script."""
    set_parts(*([TEXT] if spec.text else []), PICTURES, *spec.parts, ADDRESS, CONTROLS)
    _head(spec)
    if has_lesson():
        room_strip(spec, _pages(), open_page)
    if spec.needs:
        ask_for_linked_model()
    with st.container(key="page_body"):
        if spec.controls is None:
            _pictures_column(spec)
            if spec.needs:
                fragment(ADDRESS, lambda: _tell_address(spec))
        elif spec.one_fragment:
            set_parts(PICTURES)
            fragment(PICTURES, lambda: _columns(spec))
        else:
            _columns(spec)
            fragment(ADDRESS, lambda: _tell_address(spec))
    measure_type(*spec.parts)


def _pages() -> Pages:
    from pages import PAGES  # they import this module

    return PAGES


def _head(spec: PageSpec) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="page_head"):
        st.title(spec.title, anchor=False, width="content")
        with st.container(key="page_sentence"):
            st.markdown(spec.sentence)
        if not has_lesson():
            with st.container(width="content", key="page_room"):
                room_strip(spec, _pages(), open_page)
        if spec.needs or spec.state or spec.export:
            with st.container(width="content", key="page_export"):
                popover(lambda: _export(spec))
    if spec.experiments:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="page_try"):
            st.markdown("**Try this**", width="content")
            for name, each in spec.experiments.items():
                st.button(
                    each.label,
                    help=each.shows,
                    on_click=begin,
                    args=(spec, name),
                    key=f"try_{spec.name}_{name}",
                    type="tertiary",
                )


def _export(spec: PageSpec) -> None:
    show_link(page_address(spec))
    section = spec.sections.get(open_section(spec))
    for give in (section.export if section else None, spec.export):
        if give is not None:
            with problems_shown_here():
                give()


def _columns(spec: PageSpec) -> None:
    left, right = st.columns(SHARES, gap="small")
    if spec.one_fragment:  # what is looked at goes to the browser first
        with right:
            _pictures_column(spec)
        with left:
            _controls_column(spec)
    else:
        with left:
            _controls_column(spec)
        with right:
            _pictures_column(spec)


def _controls_column(spec: PageSpec) -> None:
    with st.container(key="page_controls"):
        experiment_note(spec)
        assert spec.controls is not None
        if spec.one_fragment:
            with problems_shown_here():
                spec.controls()
        else:
            fragment(CONTROLS, _shielded(spec.controls))


def _shielded(draw: Callable[[], None]) -> Callable[[], None]:
    def shielded() -> None:
        with problems_shown_here():
            draw()

    return shielded


def _pictures_column(spec: PageSpec) -> None:
    with st.container(key="page_pictures"):
        if spec.controls is None:
            experiment_note(spec)  # else it stands beside the picture
        if spec.text is not None:
            fragment(TEXT, _shielded(spec.text))
        if spec.one_fragment or (spec.controls is None and not spec.needs):
            _pictures(spec)
        else:
            _tabs(spec)


def _tabs(spec: PageSpec) -> None:
    """The tabs outside of the pictures' fragment: a moved slider redraws the open one's picture and nothing around it."""
    if len(spec.sections) == 1:
        (section,) = spec.sections.values()
        _open_tab(spec, section)
        return
    tabs = st.tabs([each.title for each in spec.sections.values()], on_change="rerun", key=spec.section_key)
    for section, tab in zip(spec.sections.values(), tabs, strict=True):
        if tab.open:
            with tab:
                _open_tab(spec, section)


def _open_tab(spec: PageSpec, section: Section) -> None:
    place: AbstractContextManager[object] = nullcontext()
    if section.options is not None:
        controls, place = controls_and_pictures() if section.beside else (nullcontext(), place)
        with controls:
            section.options()
    with place:
        fragment(PICTURES, lambda: _picture(spec, section))
    if section.reading is not None:
        section.reading()


def _pictures(spec: PageSpec) -> None:
    """All in one: the tabs, the open picture, and below it what all tabs share."""
    for sentence in session.problems():
        show_problem(sentence)
    sections = [each for each in spec.sections.values() if each.shown()]
    if len(sections) > 1:
        tabs = st.tabs([each.title for each in sections], on_change="rerun", key=spec.section_key)
        for each, tab in zip(sections, tabs, strict=True):
            if tab.open:
                with tab:
                    _draw(spec, each)
    else:
        _draw(spec, sections[0])
    if spec.below is not None:
        with problems_shown_here():
            spec.below()
    _tell_address(spec)


def _tell_address(spec: PageSpec) -> None:
    """The link of what is on screen: to the browser's bar, and to the room where this is its leader."""
    query = page_query(spec)
    keep_address(query, key="address")
    note_link(spec, query)


def _picture(spec: PageSpec, section: Section) -> None:
    for sentence in session.problems():
        show_problem(sentence)
    _draw(spec, section)


class _Shown(dict[str, Any]):
    """What each picture of this session showed last."""


def _draw(spec: PageSpec, section: Section) -> None:
    """The section's picture; while it is pending the one before, dimmed, under the progress."""
    shown, name = session.get(_Shown), f"{spec.name}_{section.title}"
    with problems_shown_here():
        try:
            shown[name] = _view(spec, section)
        except Pending as pending:
            show_pending(pending, PICTURES)  # a part that waits for the same is redrawn by itself
            if name in shown:
                with st.container(key=f"stale_{name}"), problems_shown_here():
                    section.draw(shown[name])
        else:
            section.draw(shown[name])
    if section.options is not None and spec.one_fragment:
        section.options()


def _view(spec: PageSpec, section: Section) -> Any:  # noqa: ANN401 - what a page's own sections draw
    """What the section draws, once the engine is known to have the facets it needs."""
    if spec.needs or section.needs:
        engine = loaded_model().engine
        note_end(request_chosen())  # the sidebar may still say that the model is loading
        for facet in (*spec.needs, *section.needs):
            require_any(engine, facet if isinstance(facet, tuple) else (facet,))
    return (section.view or spec.view)()
