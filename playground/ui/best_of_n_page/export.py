"""What the Best-of-N page gives away below its link: command line, code, and files."""

from __future__ import annotations

import shlex
from dataclasses import replace

import streamlit as st

from playground.errors import PlaygroundError
from playground.sampling.export_code import Endings
from playground.state.best_of_n import BestOfNState, pattern_of, read_temperatures, reference_of
from playground.state.setup import Setup
from playground.testtime.export import to_csv, to_html, to_jsonl
from playground.testtime.rules import MAJORITY, Choice, choose, column_rule
from playground.testtime.types import ScoredCandidates
from playground.ui.best_of_n_page.session import BestOfNSession, ModelSession, chosen, scoring_request
from playground.ui.kit import session
from playground.ui.kit.file_button import file_button
from playground.ui.kit.messages import problems_shown_here
from playground.ui.workspace.export import code_for_engines, command_words
from playground.ui.workspace.model import loaded_model
from playground.ui.workspace.setup import setup


def export_run() -> None:
    """The same run by command and as code; the candidates as files once there are some."""
    shared, state = setup(), chosen()
    own, problem = _own_session()
    with_beams = own is not None and own.run.request is not None and own.run.request.beams > 0
    st.markdown("**Command line**")
    with problems_shown_here():
        st.code(command(shared, state, beams=with_beams), language="bash", wrap_lines=True)
    if with_beams:
        st.caption("The command searches the beams too; the link brings their settings, and a button searches them.")
    code_for_engines(
        shared,
        key="bon_export",
        max_new_tokens=state.max_new_tokens,
        endings=Endings(state.stop_strings, (), state.ignore_eos),
        notes={name: f"For {state.n} answers: {how.format(n=state.n)}" for name, how in ASKING_FOR_N.items()},
    )
    if state.temperatures.strip() or (shared.chat and state.systems):
        st.caption(
            "This code asks in one way, with the slider's temperature and the chat's system prompt; link and command line "
            "mix them as the page does."
        )
    if problem is not None:
        raise problem
    if own is not None and own.run.candidates:
        _downloads(own)


def _own_session() -> tuple[ModelSession | None, PlaygroundError | None]:
    """The chosen model's session, or why there is no model."""
    try:
        return session.get(BestOfNSession).of_model(loaded_model().engine.info.id), None
    except PlaygroundError as error:
        return None, error


# How an engine is asked for N answers.
ASKING_FOR_N = {
    "transformers": "add `num_return_sequences={n}` to `generate`.",
    "vllm": "add `n={n}` to the sampling parameters; the prompt is read once.",
    "": "send the request {n} times, each with another seed.",
}


def _downloads(own: ModelSession) -> None:
    """Made when they are pressed, from the rules chosen now."""
    request = scoring_request(own.run)

    def scored() -> ScoredCandidates:
        return own.run.scored(request)

    def choices() -> list[Choice]:
        candidates = scored()
        rules = [column_rule(column.label) for column in candidates.columns]
        return [choose(rule, candidates) for rule in (*rules, *([MAJORITY] if candidates.answers else []))]

    st.markdown("**Files**")
    with st.container(horizontal=True):
        file_button("CSV", "candidates.csv", lambda: to_csv(scored()), "One line a candidate, a column a rule.")
        file_button("JSONL", "candidates.jsonl", lambda: to_jsonl(scored()), "One JSON object a candidate.")
        file_button(
            "HTML",
            "candidates.html",
            lambda: to_html(scored(), choices(), title="Best of N", prompt=request.prompt),
            "Opens offline, without a script.",
        )
    st.caption("Files and the command line count candidates from 0, this page from 1.")


def command(setup: Setup, chosen: BestOfNState, *, beams: bool = False) -> str:
    """``python -m playground best-of-n`` with the same model, text, settings, seed, ways of asking, rules and beams."""
    systems = chosen.systems if setup.chat else ()
    words = command_words(replace(setup, system="") if systems else setup, "best-of-n")
    words += [f"--system={text}" for text in systems]
    words += [f"--n={chosen.n}", f"--max-new-tokens={chosen.max_new_tokens}"]
    words += ["--ignore-eos"] if chosen.ignore_eos else []
    temperatures = read_temperatures(chosen.temperatures)
    words += ["--temperatures=" + ",".join(map(str, temperatures))] if temperatures else []
    if beams:
        words += [f"--beams={chosen.beams}", f"--length-penalty={chosen.length_penalty}"]
        diverse = [f"--beam-groups={chosen.beam_groups}", f"--diversity-penalty={chosen.diversity_penalty}"]
        words += diverse if chosen.beam_groups > 1 else []
    words += [f"--scorer={label}" for label in chosen.rules]
    words += [f"--stop={text}" for text in chosen.stop_strings]
    reference, pattern = reference_of(chosen, setup), pattern_of(chosen, setup)
    words += [f"--answer-pattern={pattern}"] if pattern else []
    words += [f"--reference={reference}"] if reference else []
    return shlex.join(words)
