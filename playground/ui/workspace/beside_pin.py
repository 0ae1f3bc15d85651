"""The choice of a model to compare with: a popover, and a button for each that is pinned."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from playground.errors import BadInput, PlaygroundError
from playground.models.adapters import adapter_words
from playground.models.address import is_address, named_servers
from playground.models.catalogue import CATALOGUE, DEFAULT_MODEL
from playground.models.naming import ComparedModel, read_compared
from playground.models.placement import DTYPE_BYTES
from playground.state.setup import MOST_BESIDE
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, redraw
from playground.ui.kit.messages import escape_markdown, show_problem
from playground.ui.runtime import model_pool
from playground.ui.workspace.adapters import pin_suggestions
from playground.ui.workspace.beside_loading import AgreedModels, choice_of, drop, label, named, need_sentence
from playground.ui.workspace.setup import change, setup


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
    own, descriptions = setup(), dict[str, str]()
    present = choice_of(ComparedModel())
    if not is_address(present.spec or ""):
        others = (dtype for dtype in DTYPE_BYTES if choice_of(ComparedModel(dtype=dtype)) != present)
        descriptions |= {f"@{dtype}": f"the model in use in {dtype}" for dtype in others}
    descriptions |= pin_suggestions()
    descriptions["@raw" if own.chat else "@chat"] = (
        f"the model in use, {'raw text' if own.chat else 'in its chat template'}"
    )
    for choice in (each for each in model_pool().loaded() if each.spec != present.spec):
        text = ComparedModel(choice.spec or DEFAULT_MODEL, choice.device, choice.dtype).text
        descriptions.setdefault(text, f"{adapter_words(choice.spec or '') or text} (in memory)")
    with suppress(BadInput):  # whoever chooses a server is told what is wrong with the list
        descriptions |= {one.text: one.text for one in named_servers() or ()}
    return descriptions | {
        name: f"{name}, {entry.title}" for name, entry in CATALOGUE.items() if name not in descriptions
    }
