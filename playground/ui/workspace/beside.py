"""Models beside the one in use: named in the setup, loaded only once the reader has agreed, and what each says of the text.

A link, an experiment or a pin may name one. What is in memory already is taken without a question; anything else is asked
for, with what it needs. Letters X, Y, Z belong to the places in the setup.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

import streamlit as st

from playground.charts.numbers import gigabytes
from playground.charts.palette import BESIDE
from playground.engine.api import NextTokens
from playground.engine.facets import require
from playground.engine.serving.pool import Loading, ModelChoice
from playground.engine.serving.worker import Worker
from playground.engine.types import TokenIds
from playground.errors import BadInput, PlaygroundError
from playground.inspection.compared import ModelRow, carry_over
from playground.models.address import is_address, named_servers
from playground.models.catalogue import CATALOGUE, DEFAULT_MODEL
from playground.models.info import ModelInfo
from playground.models.naming import ComparedModel, read_compared
from playground.models.placement import DTYPE_BYTES
from playground.state.setup import MOST_BESIDE, Setup
from playground.ui.kit import session
from playground.ui.kit.fragments import CONTROLS, PICTURES, redraw
from playground.ui.kit.jobs import Pending, show_pending
from playground.ui.kit.messages import escape_markdown, show_problem
from playground.ui.runtime import model_pool, session_id
from playground.ui.workspace.model import worker_of
from playground.ui.workspace.reading import encode_setup, told_row
from playground.ui.workspace.setup import change, setup


class AgreedModels(frozenset[ModelChoice]):
    """What this session has said may be loaded beside its model."""


class _OwnLoadings(dict[ModelChoice, Loading]):
    """The loadings beside, as this session got them: one that failed stays failed until it is tried again."""


@dataclass(frozen=True, slots=True)
class ReadBeside:
    """What a model beside says after the same text. ``setup`` is the present one as this model reads it."""

    worker: Worker
    setup: Setup
    prompt_ids: TokenIds
    read: ModelRow


def named() -> dict[str, ComparedModel]:
    """The models beside by letter."""
    return dict(zip(BESIDE, setup().beside, strict=False))


def choice_of(compared: ComparedModel) -> ModelChoice:
    """What the pool is asked for. Raises BadInput for a number format of a served model."""
    shown = setup()
    return model_pool().normalised(ModelChoice(*compared.names(shown.model, shown.device, shown.dtype)))


def loadings(stopped: ModelChoice | None = None) -> dict[str, Loading | None]:
    """The loading of each letter, started where it may be; None: the reader has to agree first.

    What is not named any more is let go of, and what has been ``stopped``.
    """
    pool, known = model_pool(), session.get(_OwnLoadings)
    choices = {letter: choice_of(compared) for letter, compared in named().items()}
    may = (session.get(AgreedModels) | {*pool.asked_for()}) - {stopped}
    wanted = [choice for choice in dict.fromkeys(choices.values()) if choice in may or _failed(known.get(choice))]
    failed = {choice: known[choice] for choice in wanted if _failed(known.get(choice))}
    asked = [choice for choice in wanted if choice not in failed]
    found = _OwnLoadings(failed | dict(zip(asked, pool.beside(session_id(), asked), strict=True)))
    session.put(found)
    return {letter: found.get(choice) for letter, choice in choices.items()}


def _failed(loading: Loading | None) -> bool:
    return loading is not None and loading.done.is_set() and loading.error is not None and not loading.cancelled


def let_go_of_unnamed() -> None:
    """At a page's start: an experiment or a link may have put other models in the place of those that were beside."""
    if session.get(_OwnLoadings):
        try:
            loadings()
        except PlaygroundError:
            model_pool().beside(session_id(), [])


# -- reading -----------------------------------------------------------------------------------------------------------


def reading_setup(letter: str) -> Setup:
    """The present setup as the model of a letter reads it: in its chat template or raw, where the name says so."""
    compared, shown = named()[letter], setup()
    return shown if compared.chat is None else replace(shown, chat=compared.chat)


def ready_beside() -> dict[str, Worker]:
    """The models beside that are in memory; draws nothing."""
    try:
        found = loadings()
    except PlaygroundError:
        return {}
    return {letter: each.worker for letter, each in found.items() if each is not None and each.worker is not None}


def each_loaded() -> dict[str, Worker]:
    """The models beside that are in memory; the question, the progress or the problem of each other one is drawn here."""
    found: dict[str, Worker] = {}
    for letter, loading in _loadings_or_problem().items():
        try:
            if loading is None:
                _question(letter)
            else:
                found[letter] = worker_of(loading, f"beside_{letter}", partial(stop, letter))
                st.empty()  # in the place of the progress, whose own fragment no rerun of the part clears
        except Pending as pending:
            show_pending(pending, PICTURES)
        except PlaygroundError as error:
            _problem(letter, error)
    return found


def each_beside(worker: Worker) -> dict[str, ReadBeside]:
    """What each model beside says after the text that ``worker`` reads; what is not there yet is drawn as by ``each_loaded``."""
    found: dict[str, ReadBeside] = {}
    for letter, other in each_loaded().items():
        try:
            found[letter] = _read(letter, other, worker)
            st.empty()
        except Pending as pending:
            show_pending(pending, PICTURES)
        except PlaygroundError as error:
            _problem(letter, error)
    return found


def _read(letter: str, other: Worker, worker: Worker) -> ReadBeside:
    own, engine = reading_setup(letter), other.engine
    require(engine, NextTokens)
    prompt_ids, first = encode_setup(engine.codec, own), worker.engine
    ids = prompt_ids + carry_over(own.taken, first.codec, first.info.vocab_size, engine.codec, engine.info.vocab_size)
    row = told_row(other, ids, f"beside_{letter}")
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
        st.error(f"**{letter}** · {escape_markdown(str(error))}", icon=":material/error:", width="stretch")
        st.button("Try again", key=f"again_{letter}", on_click=agree, args=(letter,))
        st.button("Drop", key=f"drop_{letter}", on_click=drop, args=(letter,))


# -- what the reader does ----------------------------------------------------------------------------------------------


def agree(letter: str) -> None:
    """Load the model of a letter, or try once more."""
    choice = choice_of(named()[letter])
    session.get(_OwnLoadings).pop(choice, None)
    session.put(AgreedModels(session.get(AgreedModels) | {choice}))
    redraw(PICTURES)


def stop(letter: str) -> None:
    """Stop loading the model of a letter: it is asked for again."""
    choice = choice_of(named()[letter])
    session.put(AgreedModels(session.get(AgreedModels) - {choice}))
    loadings(stopped=choice)


def drop(letter: str) -> None:
    """Let a model go; the later ones move up."""
    dropped = named().get(letter)
    change(beside=tuple(one for one in setup().beside if one != dropped))
    let_go_of_unnamed()
    redraw(PICTURES, CONTROLS)


def pin_model(text: str) -> None:
    """Put a model beside and load it: who presses the button has read what it needs. A refusal is told on the page."""
    try:
        compared = read_compared(text)
        choice = choice_of(compared)
        own = setup()
        if compared.chat in (None, own.chat) and choice == choice_of(ComparedModel(chat=own.chat)):
            raise BadInput("That is the model in use: choose another one, another number format or another reading.")
        if compared not in own.beside:
            change(beside=(*own.beside, compared)[:MOST_BESIDE])
    except PlaygroundError as error:
        session.note_problem(str(error))
        redraw(PICTURES)
        return
    session.put(AgreedModels(session.get(AgreedModels) | {choice}))
    redraw(PICTURES)


def pin_control() -> None:
    """A popover that chooses a model to compare with, and a button for each that is pinned."""
    with st.popover("Pin model", icon=":material/compare_arrows:", on_change="rerun", key="pin_model") as box:
        if box.open:
            _choice_of_model()
    for letter, compared in named().items():
        st.button(
            f"✕ {letter}", key=f"unpin_{letter}", on_click=drop, args=(letter,), help=escape_markdown(label(compared))
        )


def _choice_of_model() -> None:
    options = suggestions()
    text = st.selectbox(
        "Model to compare with",
        list(options),
        index=None,
        key="pinned_model",
        format_func=lambda name: options.get(name, name),
        accept_new_options=True,
        placeholder="choose one, or type a name, folder or address",
        help="A number format, a device, chat or raw may follow after @: gpt2@bfloat16, @chat.",
    )
    full = len(setup().beside) >= MOST_BESIDE
    if text:
        try:
            st.caption(need_sentence(read_compared(str(text))))
        except PlaygroundError as error:
            show_problem(error)
    st.button(
        "Load and pin",
        key="pin_model_go",
        type="primary",
        disabled=not text or full,
        on_click=pin_model,
        args=(str(text or ""),),
        help=f"{MOST_BESIDE} are pinned: drop one first." if full else "It stays loaded while it is pinned.",
    )


def suggestions() -> dict[str, str]:
    """Names to choose from with what each means: other formats and the other reading of the model in use, what is in
    memory, the allowed servers, the catalogue.
    """
    own, found = setup(), dict[str, str]()
    present = choice_of(ComparedModel())
    if not is_address(present.spec or ""):
        others = (dtype for dtype in DTYPE_BYTES if choice_of(ComparedModel(dtype=dtype)) != present)
        found |= {f"@{dtype}": f"the model in use in {dtype}" for dtype in others}
    found["@raw" if own.chat else "@chat"] = f"the model in use, {'raw text' if own.chat else 'in its chat template'}"
    for choice in (each for each in model_pool().loaded() if each.spec != present.spec):
        text = ComparedModel(choice.spec or DEFAULT_MODEL, choice.device, choice.dtype).text
        found.setdefault(text, f"{text} (in memory)")
    with suppress(BadInput):  # whoever chooses a server is told what is wrong with the list
        found |= {one.text: one.text for one in named_servers() or ()}
    return found | {name: f"{name}, {entry.title}" for name, entry in CATALOGUE.items() if name not in found}


def label(compared: ComparedModel) -> str:
    """A model beside in words; plain text."""
    reading = {None: "", True: ", in its chat template", False: ", raw text"}[compared.chat]
    places = " ".join(filter(None, (compared.device, compared.dtype)))
    return (compared.spec or "the model in use") + (f" in {places}" if places else "") + reading


def need_sentence(compared: ComparedModel) -> str:
    """What it would take of which memory, as far as that is known without fetching it. Markdown-safe."""
    from playground.models.listing import place

    choice = choice_of(compared)
    if choice in model_pool().asked_for():
        return "It is in memory already."
    try:
        found = place(choice.spec, choice.device, choice.dtype)
    except PlaygroundError as error:
        return escape_markdown(str(error))
    if found is None:
        return "It runs at its server and takes no memory here."
    need, placement = found
    return (
        f"It needs about {gigabytes(need.total_bytes)} in {placement.dtype}; {placement.device} has "
        f"{gigabytes(model_pool().free_bytes(placement))} free."
    )
