"""Models beside the one in use: what each says of the text, and the question, progress or problem of one that is not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from playground.engine.api import NextTokens
from playground.engine.facets import require
from playground.engine.serving.loading import Loading
from playground.engine.serving.worker import Worker
from playground.engine.types import TokenIds
from playground.errors import PlaygroundError
from playground.inspection.compared import ModelRow, carry_over
from playground.models.address import is_address
from playground.models.info import ModelInfo
from playground.state.setup import Setup
from playground.ui.kit.fragments import PICTURES
from playground.ui.kit.jobs import Pending, show_pending
from playground.ui.kit.messages import escape_markdown, said, show_problem
from playground.ui.workspace.beside_loading import agree, drop, label, loadings, named, need_sentence, stop
from playground.ui.workspace.model import worker_of
from playground.ui.workspace.reading import available_row, encode_setup
from playground.ui.workspace.setup import setup


@dataclass(frozen=True, slots=True)
class ReadBeside:
    """What a model beside says after the same text. ``setup`` is the present one as this model reads it."""

    worker: Worker
    setup: Setup
    prompt_ids: TokenIds
    read: ModelRow


def reading_setup(letter: str) -> Setup:
    """The present setup as the model of a letter reads it: in its chat template or raw, where the name says so."""
    compared, shown = named()[letter], setup()
    return shown if compared.chat is None else replace(shown, chat=compared.chat)


def ready_beside() -> dict[str, Worker]:
    """The models beside that are in memory; draws nothing."""
    try:
        by_letter = loadings()
    except PlaygroundError:
        return {}
    return {letter: each.worker for letter, each in by_letter.items() if each is not None and each.worker is not None}


def each_loaded() -> dict[str, Worker]:
    """The models beside that are in memory; the question, the progress or the problem of each other one is drawn here."""
    workers: dict[str, Worker] = {}
    for letter, loading in _loadings_or_problem().items():
        try:
            if loading is None:
                _question(letter)
            else:
                workers[letter] = worker_of(loading, f"beside_{letter}", partial(stop, letter))
                st.empty()  # in the place of the progress, whose own fragment no rerun of the part clears
        except Pending as pending:
            show_pending(pending, PICTURES)
        except PlaygroundError as error:
            _problem(letter, error)
    return workers


def each_beside(worker: Worker) -> dict[str, ReadBeside]:
    """What each model beside says after the text that ``worker`` reads; what is not there yet is drawn as by ``each_loaded``."""
    readings: dict[str, ReadBeside] = {}
    for letter, other in each_loaded().items():
        try:
            readings[letter] = _read(letter, other, worker)
            st.empty()
        except Pending as pending:
            show_pending(pending, PICTURES)
        except PlaygroundError as error:
            _problem(letter, error)
    return readings


def _read(letter: str, other: Worker, worker: Worker) -> ReadBeside:
    own, engine = reading_setup(letter), other.engine
    require(engine, NextTokens)
    prompt_ids, first = encode_setup(engine.codec, own), worker.engine
    ids = prompt_ids + carry_over(own.taken, first.codec, first.info.vocab_size, engine.codec, engine.info.vocab_size)
    row = available_row(other, ids, f"beside_{letter}")
    return ReadBeside(other, own, prompt_ids, ModelRow(info_beside(letter, other), engine.codec, row))


def info_beside(letter: str, other: Worker) -> ModelInfo:
    """The facts of a model beside, under a name that says how it reads the prompt where that is another way."""
    info, chat = other.engine.info, named()[letter].chat
    return info if chat is None else replace(info, name=f"{info.name}, {'chat template' if chat else 'raw text'}")


def _loadings_or_problem() -> Mapping[str, Loading | None]:
    try:
        return loadings()
    except PlaygroundError as error:  # a number format of a server: the names themselves are at fault
        show_problem(error)
        return {}


def _question(letter: str) -> None:
    compared = named()[letter]
    with st.container(horizontal=True, vertical_alignment="center", key=f"ask_{letter}"):
        st.info(
            f"**{letter}** · {escape_markdown(label(compared))} is not {'connected' if is_address(compared.spec) else 'loaded'} "
            f"here. {need_sentence(compared)}",
            icon=":material/add_circle:",
            width="stretch",
        )
        st.button("Load", key=f"load_{letter}", on_click=agree, args=(letter,))
        st.button("Drop", key=f"drop_{letter}", on_click=drop, args=(letter,))


def _problem(letter: str, error: PlaygroundError) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key=f"problem_{letter}"):
        st.error(f"**{letter}** · {said(error)}", icon=":material/error:", width="stretch")
        st.button("Try again", key=f"again_{letter}", on_click=agree, args=(letter,))
        st.button("Drop", key=f"drop_{letter}", on_click=drop, args=(letter,))
