"""One truth per session: the ``Setup``. Widgets show it and write to it; nothing else remembers it.

Before a widget is made its state is set from the setup; its callback writes the new value back. So presets, links,
experiments and page changes only ever replace the setup, and every widget follows.

A page has fragments: its controls, its pictures and, where it has one, its text. A moved slider reruns the pictures
alone, unless the other parts would look different too. Within the controls each "on" or "off" is a fragment of its own (a
mark), and so is the line that names the active samplers: one that changes is redrawn without the dozen widgets around it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException
from streamlit.runtime.scriptrunner import get_script_run_ctx

from playground.errors import PlaygroundError
from playground.sampling.settings import SamplerSettings
from playground.state.setup import Setup, read_setup
from playground.ui.kit import session
from playground.ui.kit.messages import show_problem

CONTROLS, TEXT, PICTURES = "controls", "text", "pictures"
_PARTS = "page_parts"
_MARKS = "marks_drawn"
CHAIN_MARK = "mark:chain"
_UNFINISHED = "page_unfinished"
_PROBLEMS = "setup_problems"
_LINK_SEEN = "link_seen"


def setup() -> Setup:
    """This session's setup."""
    return session.get(Setup)


def put(new: Setup) -> None:
    """Replace the setup. A new prompt, chat switch or model starts the accepted tokens afresh."""
    old = setup()
    same_text = all(
        getattr(old, name) == getattr(new, name) for name in ("prompt", "chat", "system", "parse_special", "model")
    )
    if not same_text and old.steps and new.steps == old.steps:
        new = new.restart()
    session.put(new)


def change(**fields: Any) -> None:
    """Replace some fields of the setup."""
    put(replace(setup(), **fields))


def accept(token_id: int, *, position: int) -> None:
    """Append a token picked from a picture of the moment after ``position`` accepted ones.

    A pick made on an older picture (a second click before the first was answered) is dropped. The settings are the
    present ones, not those of the picture: a slider may have moved since it was drawn.
    """
    if setup().position == position:
        put(setup().accept(token_id))


def change_settings(**values: Any) -> None:
    """Replace sampling parameters; a refused value leaves the setup as it was and is told on the page."""
    try:
        change(settings=setup().settings.replace(**values))
        st.session_state.pop(_PROBLEMS, None)
    except PlaygroundError as error:
        st.session_state[_PROBLEMS] = (str(error),)


def problems() -> tuple[str, ...]:
    """Sentences about the last refused input, shown until it is mended."""
    found = st.session_state.get(_PROBLEMS, ())
    return tuple(found)


def show_problems() -> None:
    """Say what was refused, at this place."""
    for sentence in problems():
        show_problem(sentence)


def note_problem(*sentences: str) -> None:
    """Remember sentences to be shown at the top of the page."""
    st.session_state[_PROBLEMS] = sentences


def clear_problems() -> None:
    st.session_state.pop(_PROBLEMS, None)


def adopt_link() -> None:
    """Take over the link's query fields, once for each link."""
    fields = {name: st.query_params[name] for name in st.query_params}
    if not fields or st.session_state.get(_LINK_SEEN) is not None:
        st.session_state.setdefault(_LINK_SEEN, True)
        return
    st.session_state[_LINK_SEEN] = True
    reading = read_setup(fields)
    session.put(reading.state)
    if reading.problems:
        st.session_state[_PROBLEMS] = reading.problems


def follow(key: str, current: object, write: Callable[[Any], None]) -> Callable[[], None]:
    """Make widget ``key`` show ``current``; returns the ``on_change`` callback that hands its new value to ``write``.

    Call it right before the widget is made, and give the widget ``current`` as its default too: a browser that draws
    only the second of two quick runs is not told the value again, and would start at the widget's own default.
    """
    if key not in st.session_state or st.session_state[key] != current:
        st.session_state[key] = current

    def on_change() -> None:
        old, told = setup(), problems()
        write(st.session_state[key])
        new = setup()
        same_text = replace(new, settings=old.settings, seed=old.seed) == old
        if told != problems() or not same_text or old.settings.order != new.settings.order:
            rerun_parts(PICTURES, CONTROLS, *([] if same_text else [TEXT]))
        else:
            rerun_parts(PICTURES, *_marks_that_differ(old.settings, new.settings))

    return on_change


def acting(write: Callable[..., None], *parts: str) -> Callable[..., None]:
    """``write`` as a button's callback that reruns the named parts of the page, all of them if none is named."""

    def on_click(*args: Any) -> None:
        write(*args)
        rerun_parts(*(parts or (CONTROLS, TEXT, PICTURES)))

    return on_click


def page_parts(*parts: str) -> None:
    """Say which parts the present page has, in the order in which they are to be redrawn: what is looked at first."""
    st.session_state[_PARTS] = parts


def leave_unfinished() -> None:
    """A part of the page ended early to make way for newer input: the next rerun draws all parts."""
    st.session_state[_UNFINISHED] = True


def rerun_parts(*parts: str) -> None:
    """From a callback in a part of the page: rerun these parts, as far as the page has them.

    A part called "text:…" or "pictures:…" is one of several that follow the text or the pictures: it is rerun with those,
    or by its own name. Where the whole page is run anyway this does nothing.
    """
    everything = st.session_state.pop(_UNFINISHED, False)
    context = get_script_run_ctx(suppress_warning=True)
    if context is not None and not context.fragment_ids_this_run:
        return  # the whole page is run already, for another widget's sake perhaps: it must not be cut short
    there = st.session_state.get(_PARTS, (PICTURES, CONTROLS))
    wanted = [part for part in there if everything or part in parts or part.split(":")[0] in parts]
    if CONTROLS not in wanted:
        wanted += [mark for mark in parts if mark in st.session_state.get(_MARKS, ())]
    try:
        st.rerun(wanted)
    except StreamlitAPIException:  # the first run of the page has not come so far
        return


def mark_of(sampler: str) -> str:
    """The name of the fragment that says whether ``sampler`` is on."""
    return f"mark:{sampler}"


def draw_mark(name: str, draw: Callable[[], None]) -> None:
    """Draw a mark at this place, to be redrawn alone when what it says changes."""
    drawn: set[str] = st.session_state.setdefault(_MARKS, set())
    drawn.add(name)
    st.fragment(draw, key=name)()


def forget_marks() -> None:
    """The controls are drawn anew, and with them the marks that are on the page now."""
    st.session_state[_MARKS] = set()


def _marks_that_differ(before: SamplerSettings, after: SamplerSettings) -> list[str]:
    """The samplers that went on or off, and the line about the chain if it reads differently."""
    was_on, is_on = ({*settings.active(), *settings.replaced()} for settings in (before, after))
    same_line = (before.active(), before.replaced()) == (after.active(), after.replaced())
    return [*map(mark_of, sorted(was_on ^ is_on)), *([] if same_line else [CHAIN_MARK])]
