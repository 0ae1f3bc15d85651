"""Section "One sentence, every tokenizer": the same text as each vocabulary cuts it, and tokenizers of the reader's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from playground.charts.tokenizer_strips import piece_tokens, strip_line
from playground.corpus.personal_data import has_personal_data
from playground.corpus.tokenizer import Tokenizer
from playground.corpus.tokenizers import absent
from playground.errors import PlaygroundError
from playground.state.languages import LanguagesState
from playground.ui.components.token_strip import token_strip
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, redraw
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import problems_shown_here, why_it_matters
from playground.ui.kit.widgets import Bound
from playground.ui.languages_page.session import (
    OwnTokenizers,
    add_named,
    add_upload,
    parallel,
    remove_tokenizer,
    tokenizers,
)
from playground.ui.workspace.shared import file_uploader, is_guest

_HEIGHT = "6.5rem"  # three lines and a half: what is cut in two goes on


def strips_section(_: object) -> None:
    """The text, a strip each, what is absent."""
    with st.container(horizontal=True, vertical_alignment="center", key="tab_controls"):  # a sheet on a phone
        Bound(LanguagesState).text("sentence", area=True, height=68, label_visibility="collapsed")
        _pick_article()
    text = session.get(LanguagesState).sentence
    if not text.strip():
        st.info("There is nothing to cut: type a sentence, or take an article of the declaration.")
        return
    if has_personal_data(text):
        st.caption(
            ":material/lock: There is personal data in this text: it stays in this session and stands in no link."
        )
    counts = dict[str, int]()
    for number, (name, tokenizer) in enumerate(tokenizers().items()):
        with problems_shown_here(), st.container(gap=None):
            counts[tokenizer.facts.label] = _strip(f"strip_{number}_{name}", tokenizer, text)
    st.markdown(_in_words(counts))
    missing = absent()
    if missing:
        st.caption(escape_markdown(" ".join(missing.values())))
    _own_tokenizers()
    why_it_matters(
        "A model reads these pieces and never letters. Where a vocabulary has no token for a character it falls back to its "
        "bytes (marked): the text stays exact, and becomes long. Pieces stand in the order in which they are read, also of "
        "a script written from right to left. What a strip does not show: whether a model understands the language.",
        "Token",
        "Byte fallback",
    )


def _strip(key: str, tokenizer: Tokenizer, text: str) -> int:
    """One vocabulary's pieces under its name. How many they are."""
    pieces, facts = tokenizer.pieces(text), tokenizer.facts
    about = f"{facts.vocab_size:,} tokens in the vocabulary · licence: {facts.licence} · {facts.source}"
    said = strip_line(pieces, text)
    st.markdown(f"**{escape_markdown(facts.label)}** · {escape_markdown(said)}", help=escape_markdown(about))
    label = f"{facts.label}: {said}"
    token_strip(piece_tokens(pieces), key=key, label=label, on_pick=lambda index: None, height=_HEIGHT)
    return len(pieces)


def _in_words(counts: Mapping[str, int]) -> str:
    """What a tokenizer is, and what it makes of this text."""
    words = (
        "A model reads no letters but **tokens**: pieces of text, each with a number. Every model comes with a list of them, its "
        "**vocabulary**, and a **tokenizer** cuts a text into what stands in it."
    )
    if len(counts) < 2:
        return words
    few, many = min(counts, key=counts.__getitem__), max(counts, key=counts.__getitem__)
    said = (f"**{counts[name]:,}** {link}for {escape_markdown(name)}" for name, link in ((few, "of them "), (many, "")))
    return f"{words} This text is {' and '.join(said)}."


def _pick_article() -> None:
    """A sentence in another language at a press: article 1 of the text in use."""
    text = parallel()
    codes = [text.baseline, session.get(LanguagesState).language, "hin", "arb", "cmn_hans", "tam", "kor", "amh"]
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width=330, key="first_texts"):
        st.markdown("The first text in", width="content")
        for code in dict.fromkeys(code for code in codes if code in text.languages):
            st.button(
                text.languages[code].name,
                key=f"take_{code}",
                type="tertiary",
                on_click=_take,
                args=(next(iter(text.languages[code].texts.values())),),
            )


def _take(text: str) -> None:
    session.clear_problems()
    session.change(LanguagesState, sentence=text[:4_000])
    redraw(PICTURES)


def _own_tokenizers() -> None:
    own = session.get(OwnTokenizers).opened
    label = "Another tokenizer" + (f" ({len(own)})" if own else "")
    with st.popover(label, icon=":material/add:", on_change="rerun", key="own_tokenizers") as box:
        if not box.open:
            return
        if not is_guest():
            st.text_input(
                "Hub id or folder",
                key="own_tokenizer_name",
                max_chars=300,
                placeholder="org/model, or a folder with a tokenizer.json",
                on_change=_add_typed,
            )
        file = file_uploader("tokenizer.json", type="json", key="own_tokenizer_file", max_upload_size=100)
        if file is not None:
            st.button("Put it beside the others", key="own_tokenizer_add", on_click=_add_file)
        for name in own:
            st.button(
                f"Take away {escape_markdown(name)}",
                key=f"own_away_{name}",
                on_click=remove_tokenizer,
                args=(name,),
                type="tertiary",
            )
        st.caption(
            "It is opened in a process of its own with limits on time and memory, and forgotten with the session."
        )


def _add_typed() -> None:
    _translate_errors(lambda: add_named(str(st.session_state["own_tokenizer_name"]).strip()))


def _add_file() -> None:
    file = st.session_state.get("own_tokenizer_file")
    if file is not None:
        _translate_errors(lambda: add_upload(file.getvalue(), file.name))


def _translate_errors(add: Callable[[], None]) -> None:
    session.clear_problems()
    try:
        add()
    except PlaygroundError as error:
        session.note_problem(str(error))
    redraw(PICTURES)
