"""The take-away popover of the Best-of-N page: link, command line, code, and files."""

from __future__ import annotations

import shlex
from dataclasses import replace

import streamlit as st

from playground.errors import PlaygroundError
from playground.sampling.export_code import Endings
from playground.state.setup import Setup
from playground.testtime.export import to_csv, to_html, to_jsonl
from playground.testtime.rules import MAJORITY, Choice, choose, column_rule
from playground.testtime.types import ScoredCandidates
from playground.ui import state
from playground.ui.best_of_n_page.bench import Bench, bench, options
from playground.ui.best_of_n_page.candidates import shown_asking
from playground.ui.best_of_n_page.link import page_link
from playground.ui.best_of_n_page.options import Options, pattern_of, read_temperatures, reference_of
from playground.ui.kit.messages import show_problem
from playground.ui.runtime import wait_for_model
from playground.ui.workspace.export import code_for_engines, command_words, popover, show_link
from playground.ui.workspace.model import chosen_model


def take_away() -> None:
    """The popover at the top right."""
    popover(_contents)


def _contents() -> None:
    setup, chosen = state.setup(), options()
    mine, problem = _bench_in_use()
    show_link(page_link(setup, chosen), "to this page: the same candidates, generated anew")
    st.markdown("**Command line**")
    with_beams = mine is not None and mine.asking is not None and mine.asking.beams > 0
    try:
        st.code(command(setup, chosen, beams=with_beams), language="bash", wrap_lines=True)
    except PlaygroundError as error:
        show_problem(error)
    if with_beams:
        st.caption("The command searches the beams too; the link brings their settings, and a button searches them.")
    code_for_engines(
        setup,
        key="bon_export",
        max_new_tokens=chosen.max_new_tokens,
        endings=Endings(chosen.stop_strings, (), chosen.ignore_eos),
        notes={name: f"For {chosen.n} answers: {how.format(n=chosen.n)}" for name, how in ASKING_FOR_N.items()},
    )
    if chosen.temperatures.strip() or (setup.chat and chosen.systems):
        st.caption(
            "This code asks in one way, with the slider's temperature and the chat's system prompt; link and command line "
            "mix them as the page does."
        )
    if problem is not None:
        show_problem(problem)
    if mine is not None and mine.candidates and mine.asking is not None:
        _downloads(mine)


def _bench_in_use() -> tuple[Bench | None, PlaygroundError | None]:
    """The chosen model's bench, or why there is no model."""
    try:
        return bench(wait_for_model(chosen_model()).engine.info.id), None
    except PlaygroundError as error:
        return None, error


# How an engine is asked for N answers.
ASKING_FOR_N = {
    "transformers": "add `num_return_sequences={n}` to `generate`.",
    "vllm": "add `n={n}` to the sampling parameters; the prompt is read once.",
    "": "send the request {n} times, each with another seed.",
}


def _downloads(mine: Bench) -> None:
    """Made when they are pressed, from the rules chosen now."""
    asking = shown_asking(mine)

    def scored() -> ScoredCandidates:
        return mine.scored(asking)

    def choices() -> list[Choice]:
        found = scored()
        rules = [column_rule(column.label) for column in found.columns]
        return [choose(rule, found) for rule in (*rules, *([MAJORITY] if found.answers else []))]

    st.markdown("**Files**")
    with st.container(horizontal=True):
        st.download_button(
            "CSV",
            data=lambda: to_csv(scored()),
            file_name="candidates.csv",
            mime="text/csv",
            on_click="ignore",
            icon=":material/download:",
            key="bon_csv",
            help="One line a candidate, a column a rule.",
        )
        st.download_button(
            "JSONL",
            data=lambda: to_jsonl(scored()),
            file_name="candidates.jsonl",
            mime="application/jsonl",
            on_click="ignore",
            icon=":material/download:",
            key="bon_jsonl",
            help="One JSON object a candidate.",
        )
        st.download_button(
            "HTML",
            data=lambda: to_html(scored(), choices(), title="Best of N", prompt=asking.prompt),
            file_name="candidates.html",
            mime="text/html",
            on_click="ignore",
            icon=":material/download:",
            key="bon_html",
            help="Opens offline, without a script.",
        )
    st.caption("Files and the command line count candidates from 0, this page from 1.")


def command(setup: Setup, chosen: Options, *, beams: bool = False) -> str:
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
