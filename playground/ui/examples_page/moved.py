"""Tab "What moved": the model before and after on the same prompts, with the adapter as strong as its slider says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from playground.charts.compare import compare_description, compare_figure
from playground.charts.teach_readings import distance_sentence, readings_data
from playground.engine.types import TokenIds
from playground.inspection.compared import ModelRow
from playground.inspection.moved import CountedText
from playground.models.naming import read_compared
from playground.state.examples import ExamplesState
from playground.training.demonstrations import Demonstration
from playground.training.masks import MaskedText, masked_text
from playground.ui.components.token_strip import token_strip
from playground.ui.examples_page.adapter_beside import BeforeAfter, adapted_name, base_name, before_and_after
from playground.ui.examples_page.moved_texts import show_perplexities, show_response
from playground.ui.examples_page.writing import ENDINGS, text_strip, writing_controls, written
from playground.ui.kit import session
from playground.ui.kit.fragments import redraw_page
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import problems_shown_here, why_it_matters
from playground.ui.kit.pictures import show_figure
from playground.ui.kit.session import bind_widget
from playground.ui.kit.widgets import Bound
from playground.ui.workspace import setup as workspace
from playground.ui.workspace.beside_pin import pin_model
from playground.ui.workspace.reading import available_row, encode_setup
from playground.ui.workspace.setup import setup

BEFORE, AFTER = "before", "after"
OWN = "own"


@dataclass(frozen=True, slots=True)
class Taught:
    """What is looked at: an adapter by its id, and what it was trained on and measured with."""

    adapter: str
    name: str
    train: tuple[Demonstration, ...]
    heldout: tuple[Demonstration, ...]
    chat: bool = True
    mask_prompt: bool = True


@dataclass(frozen=True, slots=True)
class MovedLook:
    """``prompt``: "own", or the place of a pair among held-out and taught ones. ``merged``: as one set of weights.

    ``goes``: the page that a button asked for.
    """

    prompt: str = OWN
    merged: bool = False
    goes: str = ""


def show_moved(taught: Taught) -> None:
    """All of it: strength, distributions, texts, a response token by token, perplexities."""
    _leave_if_asked()
    _controls(taught)
    strength, look = session.get(ExamplesState).strength, session.get(MovedLook)
    both = before_and_after(taught.adapter, strength, merged=look.merged)
    pairs = _pairs(taught)
    codec = both.before.engine.codec
    masked = {key: masked_text(codec, row, chat=taught.chat) for key, (row, _label) in pairs.items()}
    prompt = _prompt(taught, pairs, masked, both)
    with problems_shown_here():
        _first_token(both, prompt)
    with problems_shown_here():
        _texts(both, prompt)
    responses = {key: masked[key] for key in pairs}
    if responses:
        st.markdown("##### Along a response")
        key = look.prompt if look.prompt in responses else next(iter(responses))
        kind = "held out" if key.startswith("h") else "taught"
        st.caption(f"{kind.capitalize()}: {escape_markdown(pairs[key][0].prompt[:160])}")
        with problems_shown_here():
            show_response(both, CountedText(responses[key].ids, responses[key].counted), key="teach_along")
    st.markdown("##### Learnt and forgotten")
    with problems_shown_here():
        show_perplexities(
            both,
            [masked[key] for key in pairs if key.startswith("t")],
            [masked[key] for key in pairs if key.startswith("h")],
            key="teach_sets",
        )


def _pairs(taught: Taught) -> dict[str, tuple[Demonstration, str]]:
    """Held-out pairs first, then those that were taught, by a key of their own, with what the list calls them."""
    sets = (("h", "held out", taught.heldout), ("t", "taught", taught.train))
    return {
        f"{letter}{number}": (row, f"{label} {number}: {row.prompt[:60]}")
        for letter, label, rows in sets
        for number, row in enumerate(rows, 1)
    }


# -- what is set -------------------------------------------------------------------------------------------------------


def _controls(taught: Taught) -> None:
    look = session.get(MovedLook)
    with st.container(horizontal=True, vertical_alignment="bottom", key="teach_strength"):
        with st.container(width=360):
            Bound(ExamplesState).slider("strength")
        st.toggle(
            "Merged",
            look.merged,
            key="teach_merged",
            help="Off: the adapter's part is added to each product as it is computed. On: it is added to a copy of the weights, "
            "which rounds otherwise; the difference is what merging costs.",
            on_change=bind_widget("teach_merged", look.merged, lambda on: _look(merged=bool(on))),
        )
    strength = session.get(ExamplesState).strength
    with st.container(horizontal=True, vertical_alignment="center", key="phone_last_links"):
        st.button(
            "Pin on Sampling",
            key="teach_pin",
            icon=":material/keep:",
            on_click=_pin,
            args=(taught.adapter, strength),
            help="Base and adapter side by side over one copy of the weights.",
        )
        for page, label in (("attention", "Attention"), ("inside", "Inside the model")):
            for on in (True, False):
                st.button(
                    f"{label}, {'taught' if on else 'base'}",
                    key=f"teach_go_{page}_{'on' if on else 'off'}",
                    type="tertiary",
                    icon=":material/arrow_forward:",
                    on_click=_go,
                    args=(page, adapted_name(taught.adapter, strength) if on else base_name()),
                )


def _look(**fields: object) -> None:
    session.change(MovedLook, **fields)


def _pin(adapter: str, strength: float) -> None:
    """The adapter beside its base, on the page Sampling."""
    if setup().model != base_name():
        workspace.change(model=base_name())
    _look(goes="sampling")
    st.session_state["sampling_section"] = "Compare"
    pin_model(read_compared(f"+{adapter}*{strength:g}").text)  # ends the callback: the next run leaves


def _go(page: str, model: str | None) -> None:
    workspace.change(model=model)
    _look(goes=page)
    redraw_page()


def _leave_if_asked() -> None:
    """Change the page: a callback cannot."""
    page = session.get(MovedLook).goes
    if page:
        _look(goes="")
        from pages import PAGES
        from playground.ui.frame import open_page

        open_page(PAGES[page])


def _prompt(
    taught: Taught,
    pairs: Mapping[str, tuple[Demonstration, str]],
    masked: Mapping[str, MaskedText],
    both: BeforeAfter,
) -> TokenIds:
    """Which prompt both read, and its ids."""
    look, own = session.get(MovedLook), setup()
    options = {OWN: f"Your own: {own.prompt[:60]}", **{key: label for key, (_row, label) in pairs.items()}}
    chosen = look.prompt if look.prompt in options else OWN
    with st.container(horizontal=True, vertical_alignment="bottom", key="teach_moved_prompt"):
        st.selectbox(
            "Prompt",
            list(options),
            list(options).index(chosen),
            format_func=options.__getitem__,
            key="teach_moved_which",
            on_change=bind_widget("teach_moved_which", chosen, lambda key: _look(prompt=key)),
            width="stretch",
        )
        if chosen == OWN:
            st.text_input(
                "Your own",
                own.prompt,
                key="teach_moved_own",
                on_change=bind_widget("teach_moved_own", own.prompt, _type),
                width="stretch",
            )
    if chosen == OWN:
        return encode_setup(both.before.engine.codec, own.change(chat=taught.chat))
    return masked[chosen].ids[: masked[chosen].prompt_tokens]


def _type(text: str | None) -> None:
    workspace.change(prompt=text or "")


# -- what is seen ------------------------------------------------------------------------------------------------------


def _first_token(both: BeforeAfter, prompt: TokenIds) -> None:
    reads = {
        name: ModelRow(worker.engine.info, worker.engine.codec, available_row(worker, prompt, f"moved {name}"))
        for name, worker in ((BEFORE, both.before), (AFTER, both.after))
    }
    data = readings_data(reads)
    st.markdown("##### The first token of the answer")
    show_figure(compare_figure(data), compare_description(data), key="teach_moved_bars")
    st.markdown(escape_markdown(distance_sentence(BEFORE, reads[BEFORE], AFTER, reads[AFTER])))
    why_it_matters(
        "The adapter adds to each layer's products; its strength multiplies what it adds. At 0 the numbers are the base's, to "
        "the bit. Beyond 1 it was never trained: what it learnt is exaggerated, and at some point texts break.",
        "LoRA",
        "Adapter",
        "KL divergence",
    )


def _texts(both: BeforeAfter, prompt: TokenIds) -> None:
    st.markdown("##### What both write")
    with st.container(horizontal=True, vertical_alignment="bottom", key="teach_moved_way"):
        writing_controls()
    columns = st.columns(2)
    for name, worker, column in zip((BEFORE, AFTER), (both.before, both.after), columns, strict=True):
        with column:
            st.markdown(f"**{name.capitalize()}**")
            with problems_shown_here():
                (row,) = written(worker, f"moved write {name}", [prompt])
                token_strip(
                    text_strip(worker.engine.codec, row),
                    key=f"teach_moved_text_{name}",
                    label=f"What the model writes {name} the training, one button for each token",
                    on_pick=lambda index: None,
                )
                st.caption(ENDINGS[row.finish_reason] or f"cut after {len(row.steps)} tokens")
