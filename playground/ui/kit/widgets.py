"""Widgets bound to the fields of a state: label, help, bounds and choices come from the field, the value from the session.

A new value is checked once more by the field's reader, since a browser's limits bind nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from playground.errors import BadInput
from playground.state.link_fields import LinkField, link_fields
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES
from playground.ui.kit.session import bind_widget


class Bound:
    """The widgets of one kind of state: ``Bound(AttentionState).slider("start")``.

    ``redraws``: the parts that any of its fields changes, if a widget does not say otherwise.
    """

    def __init__(self, kind: type[Any], *redraws: str) -> None:
        self.kind = kind
        self.redraws = redraws or (PICTURES,)
        self.fields = link_fields(kind)

    def key(self, name: str) -> str:
        """The widget's key in the session."""
        return f"{self.kind.__name__}.{name}"

    def write(self, name: str, value: object) -> None:
        """One input's new value, read as a link's would be. Raises BadInput for what is refused."""
        field = self.fields[name]
        try:
            checked = value if value is None else field.read(value if isinstance(value, str) else field.write(value))
        except ValueError:
            raise BadInput(f"{field.label}: not understood; the last value is kept.", name) from None
        session.change(self.kind, **{name: checked})

    def _bind(self, name: str, redraws: Sequence[str], current: object) -> tuple[LinkField, dict[str, Any]]:
        def write(value: object) -> Sequence[str]:
            self.write(name, value)
            return redraws or self.redraws

        field, key = self.fields[name], self.key(name)
        return field, {"key": key, "on_change": bind_widget(key, current, write), "help": field.help or None}

    def slider(self, name: str, *redraws: str, low: float | None = None, high: float | None = None, **how: Any) -> None:
        """A number between the field's bounds (or those given), widened to the present value."""
        field, current = self.fields[name], getattr(session.get(self.kind), name)
        low, high = field.low if low is None else low, field.high if high is None else high
        assert low is not None and high is not None
        number = int if isinstance(current, int) else float
        field, bound = self._bind(name, redraws, current)
        bounds: dict[str, Any] = {"min_value": number(min(low, current)), "max_value": number(max(high, current))}
        if field.step is not None:
            bounds["step"] = number(field.step)
        st.slider(field.label, value=current, **bounds, **bound, **how)

    def number(self, name: str, *redraws: str, **how: Any) -> None:
        """A number typed or stepped."""
        current = getattr(session.get(self.kind), name)
        field, bound = self._bind(name, redraws, current)
        number = int if isinstance(current, int) else float
        bounds: dict[str, Any] = {
            label: number(value)
            for label, value in (("min_value", field.low), ("max_value", field.high), ("step", field.step))
            if value is not None
        }
        st.number_input(field.label, value=current, **bounds, **bound, **how)

    def segmented(self, name: str, *redraws: str, **how: Any) -> None:
        """A row of alternatives."""
        current = getattr(session.get(self.kind), name)
        field, bound = self._bind(name, redraws, current)
        choices = field.choices or {}
        st.segmented_control(
            field.label, list(choices), default=current, format_func=choices.__getitem__, required=True, **bound, **how
        )

    def steps(self, name: str, *redraws: str, **how: Any) -> None:
        """A slider over the field's choices; a number between them (from a link) becomes a step of its own."""
        current = getattr(session.get(self.kind), name)
        field, bound = self._bind(name, redraws, current)
        choices = field.choices or {}
        shown = sorted({*choices, current})
        st.select_slider(field.label, shown, current, format_func=lambda x: choices.get(x, f"{x:,}"), **bound, **how)

    def choose(self, name: str, *redraws: str, choices: Mapping[Any, str] | None = None, **how: Any) -> None:
        """One of many (of ``choices``, where the field does not know them), in a list that opens."""
        current = getattr(session.get(self.kind), name)
        field, bound = self._bind(name, redraws, current)
        choices = choices or field.choices or {}
        options = list(choices)
        place = options.index(current) if current in options else 0
        st.selectbox(field.label, options, place, format_func=choices.__getitem__, **bound, **how)

    def toggle(self, name: str, *redraws: str, **how: Any) -> None:
        """On or off."""
        current = getattr(session.get(self.kind), name)
        field, bound = self._bind(name, redraws, current)
        st.toggle(field.label, current, **bound, **how)

    def text(self, name: str, *redraws: str, area: bool = False, **how: Any) -> None:
        """A line of text, or several; a number as its field writes it."""
        field, current = self.fields[name], getattr(session.get(self.kind), name)
        shown = "" if current is None else current if isinstance(current, str) else field.write(current)
        field, bound = self._bind(name, redraws, shown)
        how = {"placeholder": field.placeholder or None, "max_chars": int(field.high) if field.high else None, **how}
        draw = st.text_area if area else st.text_input
        draw(field.label, shown, **bound, **how)

    def texts(self, name: str, *redraws: str, options: Sequence[str] = (), **how: Any) -> None:
        """Several texts, chosen or typed."""
        current = list(getattr(session.get(self.kind), name))
        field = self.fields[name]
        key = self.key(name)

        def write(values: Sequence[str]) -> Sequence[str]:
            self.write(name, tuple(values))
            return redraws or self.redraws

        st.multiselect(
            field.label,
            list(dict.fromkeys([*current, *options])),
            default=current,
            accept_new_options=True,
            key=key,
            on_change=bind_widget(key, current, write),
            help=field.help or None,
            placeholder=field.placeholder or "Type one and press Enter",
            **how,
        )
