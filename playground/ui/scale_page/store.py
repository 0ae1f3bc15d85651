"""This session's ``ScaleSetup``, its pinned scenarios and what was refused; widgets follow it and write to it.

As on the Sampling page: before a widget is made its state is set from the setup, and its callback writes the new value
back, so that links, experiments, pins and page changes only ever replace the setup.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import streamlit as st

from playground.errors import PlaygroundError
from playground.plan.fields import FIELDS
from playground.plan.setup import ScaleSetup, field_text, gpu_of
from playground.ui.kit import session

T = TypeVar("T")
LETTERS = ("A", "B", "C", "D")


class PinnedScenarios(dict[str, ScaleSetup]):
    """Up to four pinned scenarios by letter."""


def setup() -> ScaleSetup:
    """This session's setup."""
    return session.get(ScaleSetup)


def change(**values: Any) -> None:
    """Replace some fields, unless the result could not be computed: then the setup stays and the reason is told."""
    try:
        new = replace(setup(), **values)
        gpu_of(new)
        session.put(new)
        session.clear_problems()
    except PlaygroundError as error:
        session.note_problem(str(error))


# -- pinned scenarios ----------------------------------------------------------------------------------------------


def pins() -> dict[str, ScaleSetup]:
    """Pinned scenarios by letter, in the order of the letters."""
    found = session.get(PinnedScenarios)
    return {letter: found[letter] for letter in LETTERS if letter in found}


def pin() -> None:
    """Pin what is set now under the first free letter; a full board refuses."""
    taken = pins()
    free = [letter for letter in LETTERS if letter not in taken]
    if not free:
        session.note_problem("Four scenarios are pinned already; unpin one first.")
        return
    session.put(PinnedScenarios({**taken, free[0]: setup()}))


def unpin(letter: str) -> None:
    session.put(PinnedScenarios({name: kept for name, kept in pins().items() if name != letter}))


def recall(letter: str) -> None:
    """Make a pinned scenario the present one."""
    if letter in pins():
        session.put(pins()[letter])
        session.clear_problems()


def set_pins(scenarios: tuple[ScaleSetup, ...]) -> None:
    """Replace all pins, for an experiment."""
    session.put(PinnedScenarios(zip(LETTERS, scenarios, strict=False)))


def each_pin(compute: Callable[[ScaleSetup], T]) -> Iterator[tuple[str, T]]:
    """(letter, result) of every pinned scenario that can be computed here; one that cannot is told in the table above."""
    for letter, scenario in pins().items():
        try:
            yield letter, compute(scenario)
        except PlaygroundError:
            continue


def lettered(name: str, letter: str) -> str:
    """``name`` with a pinned scenario's letter; the present scenario has none."""
    return f"{name}, {letter}" if letter in LETTERS else name


# -- widgets -------------------------------------------------------------------------------------------------------


def follow(name: str, *, as_text: bool = False) -> tuple[str, Callable[[], None]]:
    """Make the widget of field ``name`` show the setup; returns its key and its ``on_change``.

    Call it right before the widget is made. ``as_text``: a text box, whose text is read and may be refused.
    """
    key, value = f"scale_{name}", getattr(setup(), name)
    current = field_text(name, value) if as_text and value is not None else "" if as_text else value
    if key not in st.session_state or st.session_state[key] != current:
        st.session_state[key] = current

    def on_change() -> None:
        write(name, st.session_state[key])

    return key, on_change


def write(name: str, value: Any) -> None:
    """One input's new value, checked here again: a browser's own limits bind nobody."""
    text = value if isinstance(value, str) else "" if value is None else field_text(name, value)
    try:
        change(**{name: FIELDS[name].read(text)})
    except PlaygroundError as error:
        session.note_problem(str(error))


def text_input(name: str, placeholder: str = "") -> None:
    """A number typed as 7B or 1.4T. What cannot be read is told, and the last good value stays in use."""
    key, on_change = follow(name, as_text=True)
    field = FIELDS[name]
    st.text_input(
        field.label,
        st.session_state[key],
        key=key,
        on_change=on_change,
        help=field.help or None,
        placeholder=placeholder,
        max_chars=40,
    )


def slider(name: str, *, format: str | None = None) -> None:
    """A linear slider over the field's usual range, widened where the setup lies outside."""
    key, on_change = follow(name)
    field, value = FIELDS[name], float(getattr(setup(), name))
    low, high = min(field.low, value), max(field.high, value)
    st.slider(
        field.label,
        low,
        high,
        value,
        step=field.step,
        key=key,
        on_change=on_change,
        help=field.help or None,
        format=format,
    )


def steps(name: str) -> None:
    """A slider over the field's powers of two; a value between them (from a link) becomes a step of its own."""
    key, on_change = follow(name)
    field, value = FIELDS[name], getattr(setup(), name)
    options = sorted({*field.choices, value})
    st.select_slider(
        field.label,
        options,
        value,
        key=key,
        on_change=on_change,
        help=field.help or None,
        format_func=lambda x: f"{x:,}",
    )


def choose(name: str, options: tuple[Any, ...] = (), format_func: Callable[[Any], str] = str) -> None:
    """A select box."""
    key, on_change = follow(name)
    field, choices = FIELDS[name], tuple(options or FIELDS[name].choices)
    current = st.session_state[key]
    st.selectbox(
        field.label,
        choices,
        choices.index(current) if current in choices else 0,
        key=key,
        on_change=on_change,
        help=field.help or None,
        format_func=format_func,
    )


def segmented(name: str, format_func: Callable[[Any], str] = str) -> None:
    """A row of alternatives."""
    key, on_change = follow(name)
    field = FIELDS[name]
    st.segmented_control(
        field.label,
        field.choices,
        default=st.session_state[key],
        key=key,
        on_change=on_change,
        required=True,
        help=field.help or None,
        format_func=format_func,
    )


def toggle(name: str) -> None:
    key, on_change = follow(name)
    st.toggle(FIELDS[name].label, bool(getattr(setup(), name)), key=key, on_change=on_change, help=FIELDS[name].help)
