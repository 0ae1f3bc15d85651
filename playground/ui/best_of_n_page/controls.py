"""Between the shared prompt and samplers on the left: how many answers, mixed how, judged by what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from playground.errors import PlaygroundError
from playground.preferences.heads import HeadStore
from playground.state.best_of_n import FIRST_WORD, MOST_RULES, BestOfNState, pattern_of, reference_of
from playground.state.generate import USUAL_STOPS, unescaped
from playground.testtime.answers import PATTERNS, extract_answers
from playground.testtime.registry import SCORERS, parse_spec
from playground.ui.best_of_n_page.session import chosen, request_action
from playground.ui.kit import session
from playground.ui.kit.fragments import CONTROLS, PICTURES
from playground.ui.kit.session import bind_widget
from playground.ui.kit.widgets import Bound
from playground.ui.visitor import owner_id
from playground.ui.workspace.setup import setup

PATTERN_LABELS = {
    "number": "the last number",
    "boxed": "what is in \\boxed{}",
    "letter": "a letter A to E",
    "after-answer": "what follows “answer”",
    "last-line": "the last line",
    "whole": "the whole text",
    FIRST_WORD: "the first word",
}
SUGGESTED = ("length:1-20w", "regex:\\d", "forbidden:sorry")  # rules that need an argument, with one as an example
WIDGETS = Bound(BestOfNState, PICTURES, CONTROLS)


def run_controls() -> None:
    """The button, N, the maximum, mixing, and what answers are compared with."""
    n = chosen().n
    st.button(
        f"Generate {n} candidate{'s' if n != 1 else ''}",
        key="bon_run",
        type="primary",
        icon=":material/dynamic_feed:",
        on_click=request_action("run"),
        shortcut="Ctrl+Enter",
        width="stretch",
        help="Read the prompt once and answer it so many times.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        WIDGETS.number("n")
        WIDGETS.number("max_new_tokens")
    _reference()
    _pattern()
    _rules()
    with st.expander("Mix settings, endings", on_change="rerun", key="bon_more") as more:
        if more.open:
            WIDGETS.text("temperatures")
            _systems()
            _stops()
            WIDGETS.toggle("ignore_eos")


def bound(name: str, current: object, write: Callable[[Any], None]) -> dict[str, Any]:
    """Label, key, help and callback of a widget that shows something else than the field's own value."""
    field, key = WIDGETS.fields[name], WIDGETS.key(name)

    def written(value: object) -> tuple[str, ...]:
        write(value)
        return PICTURES, CONTROLS

    return {
        "label": field.label,
        "key": key,
        "help": field.help or None,
        "on_change": bind_widget(key, current, written),
    }


def _reference() -> None:
    shown = reference_of(chosen(), setup())
    st.text_input(
        value=shown,
        placeholder=WIDGETS.fields["reference"].placeholder,
        **bound("reference", shown, lambda text: WIDGETS.write("reference", text or "")),
    )


def _pattern() -> None:
    shown = pattern_of(chosen(), setup())
    offered = list(dict.fromkeys([*PATTERN_LABELS, shown]))
    st.selectbox(
        options=offered,
        index=offered.index(shown),
        format_func=lambda name: PATTERN_LABELS.get(name, name),
        accept_new_options=True,
        **bound("answer_pattern", shown, _set_pattern),
    )


def _set_pattern(text: str | None) -> None:
    typed = text or "whole"
    named = next((name for name, label in PATTERN_LABELS.items() if label == typed), typed)
    try:
        if named not in PATTERNS:
            extract_answers(["a"], named)
    except PlaygroundError as error:
        session.note_problem(str(error))
        return
    WIDGETS.write("answer_pattern", named)


def _rules() -> None:
    shown = list(chosen().rules)
    offered = [name for name, kind in SCORERS.items() if not kind.argument_needed] + list(SUGGESTED)
    heads = _kept_heads()
    st.multiselect(
        options=list(dict.fromkeys([*shown, *offered, *heads])),
        default=shown,
        format_func=lambda label: heads.get(label, label),
        accept_new_options=True,
        **bound("rules", shown, _set_rules),
    )


def _kept_heads() -> dict[str, str]:
    """This visitor's reward heads, by the rule's label; {} where nothing is kept."""
    try:
        own = HeadStore(owner_id()).heads()
    except PlaygroundError:
        return {}
    return {f"reward-head:{head.id}": f"reward head: {head.name} ({head.votes:,} votes)" for head in own}


def _set_rules(labels: list[str]) -> None:
    """A rule that cannot be made is told and left out; the others stay."""
    good, problems = list[str](), list[str]()
    for label in dict.fromkeys(labels):
        try:
            good.append(parse_spec(label).label)
        except PlaygroundError as error:
            problems.append(str(error))
    if len(good) > MOST_RULES:
        problems.append(f"rules: at most {MOST_RULES} at once; the others were left out.")
    session.change(BestOfNState, rules=tuple(good[:MOST_RULES]))
    session.note_problem(*problems)


def _systems() -> None:
    shown, chat = "\n".join(chosen().systems), setup().chat
    st.text_area(
        value=shown,
        height=80,
        placeholder="that of the chat" if chat else "only with Chat on",
        disabled=not chat,
        **bound("systems", shown, _set_systems),
    )


def _set_systems(text: str | None) -> None:
    lines = dict.fromkeys(line.strip() for line in (text or "").splitlines() if line.strip())
    WIDGETS.write("systems", tuple(lines))


def _stops() -> None:
    shown = list(chosen().stop_strings)
    st.multiselect(
        options=list(dict.fromkeys([*shown, *USUAL_STOPS])),
        default=shown,
        accept_new_options=True,
        format_func=lambda text: repr(text)[1:-1],
        placeholder=WIDGETS.fields["stop_strings"].placeholder,
        **bound(
            "stop_strings",
            shown,
            lambda given: WIDGETS.write("stop_strings", tuple(dict.fromkeys(map(unescaped, given)))),
        ),
    )
