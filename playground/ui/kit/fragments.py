"""The parts of a page that are redrawn by themselves, and the callbacks that redraw them.

A page has up to three parts, each a fragment of Streamlit's with a fixed name: CONTROLS (the left third), TEXT (the strip
above the pictures) and PICTURES (the open section with the address). A widget's or button's callback writes a value and
names the parts that look different afterwards; Streamlit reruns those and nothing else. A part may be split: one called
"text:overview" is redrawn with TEXT, or alone by its own name. Where Streamlit runs the whole page anyway, naming parts
does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import wraps
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

CONTROLS, TEXT, PICTURES = "controls", "text", "pictures"
ADDRESS = f"{PICTURES}:address"  # the link in the browser's bar
_PARTS, _DRAWN = "playground_parts", "playground_parts_drawn"


def set_parts(*parts: str) -> None:
    """Say which parts the present page has, in the order in which they are to be redrawn: what is looked at first."""
    st.session_state[_PARTS], st.session_state[_DRAWN] = parts, set()


def fragment(part: str, draw: Callable[[], None]) -> None:
    """Draw a part of the page here, as a fragment of that name."""
    st.session_state[_DRAWN].add(part)

    @wraps(draw)
    def drawn() -> None:
        if _PARTS not in st.session_state:  # the client had the session cleared since the page was drawn
            redraw_page()
        draw()

    st.fragment(drawn, key=part)()


def is_drawn(part: str) -> bool:
    """Whether the page as it stands has that part: another tab may be open."""
    return part in st.session_state.get(_DRAWN, ())


def redraw(*parts: str) -> None:
    """From a callback: rerun these parts, all of the page's where none is named; the rest of the page stays as it is."""
    if not in_fragment_run():
        return  # the whole page is run already, for another widget's sake perhaps: it must not be cut short
    wanted = _wanted(parts)
    with suppress(StreamlitAPIException):  # the first run of the page has not come so far
        if wanted and not _being_run(wanted):
            st.rerun(wanted)


def redraw_page() -> None:
    """From a callback in a part of the page: run the whole page, because a tab closes or another opens."""
    if in_fragment_run():
        st.rerun()


def redraw_next(*parts: str) -> None:
    """From the body of a fragment: rerun these parts once the present run has ended.

    Streamlit's ``st.rerun`` takes names of fragments in callbacks only; a timer's fragment has none. This queues what it
    would queue, behind whatever the reader does meanwhile, and never cuts a run short. Parts that the present run comes to
    anyway are not asked for.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is None or context.script_requests is None or not context.fragment_ids_this_run:
        return
    with suppress(StreamlitAPIException):  # a part of another page
        if _being_run(_wanted(parts)):
            return
        context.script_requests.request_rerun(
            RerunData(
                query_string=context.query_string,
                page_script_hash=context.page_script_hash,
                fragment_id_queue=context.fragment_storage.resolve_target(_wanted(parts)),
                cached_message_hashes=context.cached_message_hashes,
                context_info=context.context_info,
            )
        )


def _wanted(parts: Sequence[str]) -> list[str]:
    """The page's parts among those, as far as they have been drawn: Streamlit refuses all where it does not know one."""
    there, drawn = st.session_state.get(_PARTS, ()), st.session_state.get(_DRAWN, ())
    asked = [part for part in there if not parts or part in parts or part.split(":")[0] in parts]
    return [part for part in asked if part in drawn]


def in_fragment_run() -> bool:
    """Whether only fragments are being run, not the whole page."""
    context = get_script_run_ctx(suppress_warning=True)
    return context is None or bool(context.fragment_ids_this_run)


def _being_run(parts: Sequence[str]) -> bool:
    """Whether these parts follow the callback anyway; asking for them would be a second run for one move."""
    context = get_script_run_ctx(suppress_warning=True)
    return context is not None and set(context.fragment_storage.resolve_target(parts)) <= set(
        context.fragment_ids_this_run or ()
    )


def rerun_callback(write: Callable[..., None], *parts: str) -> Callable[..., None]:
    """``write`` as a callback that redraws the named parts afterwards, all of them where none is named."""

    def callback(*args: Any) -> None:
        write(*args)
        redraw(*parts)

    return callback
