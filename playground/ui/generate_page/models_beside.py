"""Other models' texts in "Compare": the first setting, prompt and seeds given to each, its parting, speed and size."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from html import escape

import streamlit as st

from playground.charts.compare import settings_words
from playground.charts.compare_models import where
from playground.charts.generation_strip import path_tokens, shown_text
from playground.charts.numbers import gigabytes, milliseconds
from playground.charts.palette import BESIDE
from playground.engine.serving.worker import Worker
from playground.generation.document import step_pieces
from playground.generation.document_writing import Written
from playground.generation.parting import Parting, parting
from playground.generation.tree import Branch
from playground.inspection.alignment import align
from playground.models.info import ModelInfo, or_unknown
from playground.ui.components.token_strip import token_strip
from playground.ui.generate_page.live import look_every_s, show_ending
from playground.ui.generate_page.session import GenerateSession, opened, options, shown_branches
from playground.ui.kit.job_view import watch
from playground.ui.kit.messages import escape_markdown, show_problem
from playground.ui.workspace.beside import info_beside, ready_beside


def texts_beside(base: GenerateSession, worker: Worker, loaded: Mapping[str, Worker]) -> None:
    """One block a model beside: its text of the seed in view, and what it costs."""
    for letter, other in loaded.items():
        work = opened(f"beside {letter}", other)
        if work.group is not base.group:
            st.caption(
                f"{letter}, {escape_markdown(other.engine.info.name)}, writes with the next **Generate together**."
            )
        elif work.problem and work.run is None:
            show_problem(f"{letter}: {work.problem}")
        else:
            draw = partial(_text, letter, base, worker, work, other)
            watch(work, draw, key=f"live_{letter}", every=look_every_s(work))
    if loaded:
        st.caption("The models write at the same time: those in this process share its cores, so each is faster alone.")


def written_beside(base: GenerateSession) -> list[Written]:
    """What the models beside have written together with the texts of ``base``, for files."""
    written = []
    for letter, other in ready_beside().items():
        work = opened(f"beside {letter}", other)
        run = work.whole_run()
        if run is not None and run.tree.branches and work.group is base.group:
            written.append((run, other.engine.codec))
    return written


def _text(letter: str, base: GenerateSession, worker: Worker, work: GenerateSession, other: Worker) -> None:
    work.seed_view = base.seed_view
    rows, info = shown_branches(work), info_beside(letter, other)
    if not rows or work.run is None:
        return
    branch, codec = rows[0][1], other.engine.codec
    st.html(
        f'<div style="border-left:0.5rem solid {BESIDE[letter]};padding-left:0.5rem"><b>{letter}</b> · '
        f"{escape(info.name)} in {escape(or_unknown(info.dtype))} ({escape(where(info))}) · "
        f"{escape(settings_words(branch.settings))}, seed {branch.seed}</div>"
    )
    if work.stream is not None:
        tokens = work.growing[letter].look(work.run, work.tree, branch.id, codec, options().scale)
    else:
        parting_point = _parting(base, worker, work, other, branch) if base.stream is None else None
        parted = parting_point.right if isinstance(parting_point, Parting) else None
        tokens = path_tokens(work.run, work.tree, branch.id, codec, options().scale, parted=parted)
    token_strip(
        tokens,
        key=f"beside_strip_{letter}",
        label=f"Text by model {letter}, one button for each token",
        on_pick=lambda _index: None,
        height="9rem",
    )
    if work.problem:
        show_problem(work.problem)
    if work.stream is None:
        show_ending(branch)
        st.markdown(_sentence(letter, base, worker, work, other, branch))
        st.caption(_cost(work, info))


def _paths(
    base: GenerateSession, worker: Worker, work: GenerateSession, other: Worker, branch: Branch
) -> tuple[str, list[str], list[str], Branch]:
    letter, first = shown_branches(base)[0]
    left = step_pieces(worker.engine.codec, base.tree.path(first.id), base.run.prompt.ids if base.run else ())
    right = step_pieces(other.engine.codec, work.tree.path(branch.id), work.run.prompt.ids if work.run else ())
    return letter, left, right, first


def _parting(
    base: GenerateSession, worker: Worker, work: GenerateSession, other: Worker, branch: Branch
) -> Parting | None:
    _letter, left, right, first = _paths(base, worker, work, other, branch)
    one, two = worker.engine, other.engine
    same = align([(one.codec, one.info.vocab_size), (two.codec, two.info.vocab_size)]).same
    return parting(base.tree.path(first.id), work.tree.path(branch.id), left, right, same_vocabulary=same)


def _sentence(
    letter: str, base: GenerateSession, worker: Worker, work: GenerateSession, other: Worker, branch: Branch
) -> str:
    """Where it parts from the first text; Markdown."""
    if base.stream is not None or base.run is None or not base.tree.branches:
        return ""
    first, left, right, _branch = _paths(base, worker, work, other, branch)
    parting_point = _parting(base, worker, work, other, branch)
    if parting_point is None:
        return f"**{first} and {letter}** are the same text."
    place = (
        f"token {parting_point.left + 1}"
        if parting_point.character is None
        else f"character {parting_point.character + 1}"
    )
    one, two = (
        shown_text(pieces[at]) if at < len(pieces) else "(the end)"
        for pieces, at in ((left, parting_point.left), (right, parting_point.right))
    )
    return f"**{first} and {letter}** part at {place}: {escape_markdown(one)} against {escape_markdown(two)}."


def _cost(work: GenerateSession, info: ModelInfo) -> str:
    """Speed and size; plain text."""
    last, parts = work.last, list[str]()
    if last is not None and last.count:
        parts.append(f"{last.count:,} new tokens, {last.tokens_per_second:.1f} tokens/s")
        if last.generation is not None:
            parts.append(f"prompt read in {milliseconds(last.generation.prefill_ms)}")
    weights = info.weights_bytes
    parts.append("weights unknown" if weights is None else f"weights {gigabytes(weights)}")
    return ", ".join(parts)
