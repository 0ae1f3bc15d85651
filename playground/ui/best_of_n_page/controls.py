"""The left third: the shared prompt and samplers, and between them how many answers, mixed how, judged by what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from playground.errors import PlaygroundError
from playground.testtime.answers import PATTERNS
from playground.testtime.registry import SCORERS, parse_spec
from playground.ui import state
from playground.ui.best_of_n_page.bench import ask, options, put_options
from playground.ui.best_of_n_page.options import FIRST_WORD, MOST_RULES, pattern_of, reference_of
from playground.ui.generate_page.controls import USUAL_STOPS
from playground.ui.generate_page.options import unescaped

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


def run_controls() -> None:
    """The button, N, the maximum, mixing, and what answers are compared with."""
    chosen = options()
    st.button(
        f"Generate {chosen.n} candidate{'s' if chosen.n != 1 else ''}",
        key="bon_run",
        type="primary",
        icon=":material/dynamic_feed:",
        on_click=lambda: ask("run"),
        shortcut="Ctrl+Enter",
        width="stretch",
        help="Read the prompt once and answer it so many times.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            "Candidates (N)",
            value=chosen.n,
            step=1,
            key="w_bon_n",
            help="From 1 to 256 answers to the same prompt.",
            on_change=state.follow("w_bon_n", chosen.n, lambda value: _change_number("n", value)),
        )
        st.number_input(
            "Maximum new tokens",
            value=chosen.max_new_tokens,
            step=1,
            key="w_bon_new",
            on_change=state.follow(
                "w_bon_new", chosen.max_new_tokens, lambda value: _change_number("max_new_tokens", value)
            ),
        )
    _comparison_controls()
    with st.expander("Mix settings, endings", on_change="rerun", key="bon_more") as more:
        if more.open:
            _mixing_controls()


def _change(**changes: Any) -> None:
    put_options(replace(options(), **changes))


def _change_number(name: str, value: int | None) -> None:
    if value is not None:
        _change(**{name: int(value)})


def _comparison_controls() -> None:
    setup, chosen = state.setup(), options()
    reference, pattern = reference_of(chosen, setup), pattern_of(chosen, setup)
    st.text_input(
        "Reference: the right answer",
        value=reference,
        key="w_bon_reference",
        placeholder="none",
        on_change=state.follow("w_bon_reference", reference, lambda text: _change(reference=text or "")),
        help="What the rules that know the answer compare with. Several right answers are parted by |.",
    )
    st.selectbox(
        "The answer in a text is",
        list(dict.fromkeys([*PATTERN_LABELS, pattern])),
        index=list(dict.fromkeys([*PATTERN_LABELS, pattern])).index(pattern),
        format_func=lambda name: PATTERN_LABELS.get(name, name),
        key="w_bon_pattern",
        accept_new_options=True,
        on_change=state.follow("w_bon_pattern", pattern, _set_pattern),
        help="How answers are found before they are counted: one of these, or a regular expression of your own whose first "
        "group is the answer.",
    )
    st.multiselect(
        "Rules",
        options=list(dict.fromkeys([*chosen.rules, *_offered()])),
        default=list(chosen.rules),
        accept_new_options=True,
        key="w_bon_rules",
        on_change=state.follow("w_bon_rules", list(chosen.rules), _set_rules),
        help="Each rule gives every candidate a score. Type NAME:ARGUMENT for one that takes an argument, for example "
        "regex:\\d+ or length:10-50w; the section Rankings says what each is for and when it fails.",
    )


def _offered() -> list[str]:
    return [name for name, kind in SCORERS.items() if not kind.argument_needed] + list(SUGGESTED)


def _set_pattern(text: str | None) -> None:
    from playground.testtime.answers import extract_answers

    chosen = text or "whole"
    named = next((name for name, label in PATTERN_LABELS.items() if label == chosen), chosen)
    try:
        if named not in PATTERNS:
            extract_answers(["a"], named)
    except PlaygroundError as error:
        state.note_problem(str(error))
        return
    state.clear_problems()
    _change(answer_pattern=named)


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
    state.clear_problems()
    if problems:
        state.note_problem(*problems)
    _change(rules=tuple(good[:MOST_RULES]))


def _mixing_controls() -> None:
    setup, chosen = state.setup(), options()
    st.text_input(
        "Temperatures, dealt in turn",
        value=chosen.temperatures,
        key="w_bon_temps",
        placeholder="the slider's",
        on_change=state.follow("w_bon_temps", chosen.temperatures, lambda text: _change(temperatures=text or "")),
        help="For example 0.4, 0.8, 1.2: candidate 1 gets the first, candidate 2 the second, and so on.",
    )
    systems = "\n".join(chosen.systems)
    st.text_area(
        "System prompts, one a line",
        value=systems,
        key="w_bon_systems",
        height=80,
        placeholder="that of the chat" if setup.chat else "only with Chat on",
        disabled=not setup.chat,
        on_change=state.follow("w_bon_systems", systems, _set_systems),
        help="Each is a prefill of its own; candidates are dealt over them in turn.",
    )
    st.multiselect(
        "Stop strings",
        options=list(dict.fromkeys([*chosen.stop_strings, *USUAL_STOPS])),
        default=list(chosen.stop_strings),
        accept_new_options=True,
        format_func=lambda text: repr(text)[1:-1],
        key="w_bon_stops",
        placeholder="none",
        on_change=state.follow("w_bon_stops", list(chosen.stop_strings), _set_stops),
    )
    st.toggle(
        "Go on after the end-of-sequence token",
        value=chosen.ignore_eos,
        key="w_bon_ignore_eos",
        on_change=state.follow("w_bon_ignore_eos", chosen.ignore_eos, lambda on: _change(ignore_eos=on)),
    )


def _set_systems(text: str | None) -> None:
    _change(systems=tuple(dict.fromkeys(line.strip() for line in (text or "").splitlines() if line.strip())))


def _set_stops(texts: list[str]) -> None:
    _change(stop_strings=tuple(dict.fromkeys(unescaped(text) for text in texts)))
