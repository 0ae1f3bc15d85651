"""Section "Bits per byte": texts of different domains under the model, models beside, and a text token by token."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from playground.charts.domain_pictures import (
    IntervalRows,
    bits_table,
    gap_sentence,
    intervals_description,
    intervals_figure,
    surprise_tokens,
)
from playground.charts.token_colours import legend_html
from playground.corpus.bits import MOST_TOKENS, TextBits, within_text
from playground.corpus.domains import MOST_BYTES, DomainSample, OwnTexts
from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.models.naming import read_compared
from playground.state.domains import DomainsState
from playground.training.demonstrations import Demonstration
from playground.ui.components.token_strip import token_strip
from playground.ui.domains_page.session import bits_of, cached_bits, take_upload, texts
from playground.ui.examples_page.session import change_draft
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, redraw
from playground.ui.kit.jobs import Pending, show_pending
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import show_problem, why_it_matters
from playground.ui.kit.pace import look_every
from playground.ui.kit.pictures import show_figure, show_table
from playground.ui.kit.widgets import Bound
from playground.ui.workspace.adapters import adapter_in_use, own_adapters
from playground.ui.workspace.beside import each_loaded
from playground.ui.workspace.beside_pin import pin_control, pin_model
from playground.ui.workspace.setup import setup
from playground.ui.workspace.shared import file_uploader

_LONGEST_STRIP = 1_500  # tokens
SO_FAR_S = 2.0


def domains_section(worker: Worker) -> None:
    """All texts, sorted by how surprising they are; then one of them closer."""
    with st.container(horizontal=True, vertical_alignment="center"):
        pin_control()
        _upload(worker)
    for note in session.get(OwnTexts).notes:
        st.warning(escape_markdown(note), icon=":material/info:")
    shown = texts()
    beside = each_loaded()
    try:
        own = bits_of(worker, [each.text for each in shown])
    except Pending as pending:
        show_pending(pending, PICTURES)
        st.fragment(lambda: _so_far(worker, shown), key="domains_so_far", run_every=look_every(SO_FAR_S))()
        return
    read: dict[str, tuple[TextBits, ...]] = {"": own}
    for letter, other in beside.items():
        try:
            read[letter] = bits_of(other, [each.text for each in shown], f"bits_{letter}")
        except Pending as pending:
            show_pending(pending, PICTURES)
        except PlaygroundError as error:
            show_problem(error)
    shown, read = _rated(shown, read)
    own = read[""]
    order = sorted(range(len(shown)), key=lambda place: own[place].per_byte)
    data = IntervalRows(
        tuple(shown[place].name for place in order),
        {letter: tuple(within_text(each[place]) for place in order) for letter, each in read.items()},
    )
    show_figure(intervals_figure(data), intervals_description(data), key="domain_bits")
    st.caption(
        "Intervals (95%) over blocks of neighbouring tokens: how the figure would vary in more text of the same kind. "
        "A text's first token has no prediction and is not counted."
    )
    why_it_matters(
        "Fewer bits a byte: the model has read more text like this, or the text is simply more regular. A sequence of 20 "
        "letters drawn at random costs 4.32 bits each: a model at or above that knows nothing of proteins.",
        "Bits per byte",
    )
    _closer(worker, beside, shown, read)
    with st.expander("The same as a table", on_change="rerun", key="domain_table_box") as box:
        if box.open:
            show_table(
                bits_table([shown[place].name for place in order], [own[place] for place in order]), key="domain_table"
            )


def _rated(
    shown: tuple[DomainSample, ...], read: Mapping[str, tuple[TextBits, ...]]
) -> tuple[tuple[DomainSample, ...], dict[str, tuple[TextBits, ...]]]:
    """Without the texts in which a model predicts nothing, which are named: they are a single token to it."""
    rated = [place for place in range(len(shown)) if all(text_bits[place].tokens for text_bits in read.values())]
    if len(rated) < len(shown):
        short = ", ".join(each.name for place, each in enumerate(shown) if place not in rated)
        st.warning(
            escape_markdown(f"Left out as a single token, before which nothing stands: {short}. Give longer texts."),
            icon=":material/info:",
        )
    kept = {letter: tuple(text_bits[place] for place in rated) for letter, text_bits in read.items()}
    return tuple(shown[place] for place in rated), kept


def _so_far(worker: Worker, shown: tuple[DomainSample, ...]) -> None:
    """What has been read while the rest is."""
    text_bits = cached_bits(worker, shown)
    waiting = tuple(each.name for each in shown if each not in text_bits)
    values = {"": tuple(map(within_text, text_bits.values()))}
    data = IntervalRows(tuple(each.name for each in text_bits), values, waiting=waiting)
    show_figure(intervals_figure(data), intervals_description(data), key="domain_bits_so_far")
    st.markdown(
        "A model gives each next token a probability; what it thought unlikely surprises it. Here it reads a text of each kind "
        "and its surprise is counted in **bits a byte**: 8 would be no idea at all, 1 is a choice of two at each letter."
    )


def _closer(
    worker: Worker,
    beside: Mapping[str, Worker],
    shown: tuple[DomainSample, ...],
    read: Mapping[str, tuple[TextBits, ...]],
) -> None:
    """One text token by token, the gap between models on it, and the way to teaching it."""
    names = {each.domain: each.name for each in shown}
    with st.container(horizontal=True, vertical_alignment="bottom", key="domain_row"):
        Bound(DomainsState).choose("domain", choices=names)
        chosen = session.get(DomainsState).domain
        place = next((number for number, each in enumerate(shown) if each.domain == chosen), 0)
        if st.button(
            "Teach it on Examples",
            key="domain_teach",
            icon=":material/school:",
            help="Takes this text as demonstrations: each part with the one that follows.",
        ):
            change_draft(rows=demonstrations_of(shown[place].text), name=_training_of(shown[place]))
            _open_examples()
        _before_and_after(_training_of(shown[place]))
    own = read[""][place]
    for letter, text_bits in read.items():
        if letter:
            models = worker.engine.info.name, f"{letter} ({beside[letter].engine.info.name})"
            st.markdown(escape_markdown(gap_sentence(shown[place].name, own, text_bits[place], models)))
    st.html(legend_html("bits"))
    strip = surprise_tokens(worker.engine.codec, own)[:_LONGEST_STRIP]
    token_strip(
        strip, key="domain_strip", label=f"{shown[place].name}, by surprise", on_pick=lambda index: None, height="20rem"
    )
    st.caption(
        escape_markdown(
            f"{shown[place].name}: {own.per_byte:.3f} bits a byte, {own.per_token:.2f} bits a token, "
            f"{own.bytes / max(own.tokens, 1):.2f} bytes a token. Text: {shown[place].licence}."
        )
    )


def _training_of(sample: DomainSample) -> str:
    """What a training on a text is called, and the adapter that comes of it."""
    return f"domain {sample.name}"[:60]


def _before_and_after(training: str) -> None:
    """Where something was taught with a text: a button that pins it beside the model."""
    taught = next((each for each in own_adapters() if each.name == " ".join(training.split())), None)
    present = adapter_in_use()
    if taught is None or (present is not None and present.adapter == taught.id):
        return
    pin = f"+{taught.id}"
    if read_compared(pin) not in setup().beside:
        st.button(
            "Before and after",
            key="domain_taught",
            icon=":material/compare_arrows:",
            on_click=pin_model,
            args=(pin,),
            help="Pins what was taught with this text on Examples: all texts are read with it too.",
        )


def _open_examples() -> None:
    from pages import PAGES  # they import this module
    from playground.ui.frame import open_page

    page = PAGES["teach_examples"]
    st.session_state[page.section_key] = page.sections["demonstrations"].title  # where the text stands now
    open_page(page)


def demonstrations_of(text: str, most: int = 12) -> tuple[Demonstration, ...]:
    """A text as examples of going on: each half of its lines with what follows.

    >>> demonstrations_of("one\\ntwo\\nthree\\nfour")
    (Demonstration(prompt='one', response='two', system='', earlier=()), \
Demonstration(prompt='three', response='four', system='', earlier=()))
    """
    lines = [line for line in text.splitlines() if line.strip()]
    size = max(1, -(-len(lines) // (2 * most)))
    parts = ["\n".join(lines[place : place + size]) for place in range(0, len(lines), size)]
    return tuple(Demonstration(first, then) for first, then in zip(parts[::2], parts[1::2], strict=False))


def _upload(worker: Worker) -> None:
    with st.popover("Your texts", icon=":material/upload_file:", on_change="rerun", key="own_domains") as box:
        if not box.open:
            return
        st.caption(f'JSON lines: {{"domain": "…", "text": "…"}}. All texts together: at most {MOST_TOKENS:,} tokens.')
        file = file_uploader("Texts by domain", key="own_domains_file", max_upload_size=MOST_BYTES // 1_000_000)
        if file is not None:
            st.button("Put them beside the others", key="own_domains_use", on_click=_take, args=(worker,))
        if session.get(OwnTexts).texts:
            st.button("Take yours away", key="own_domains_away", on_click=_away)


def _take(worker: Worker) -> None:
    session.clear_problems()
    file = st.session_state.get("own_domains_file")
    if file is not None:
        try:
            take_upload(file.getvalue(), worker)
        except PlaygroundError as error:
            session.note_problem(str(error))
    redraw(PICTURES)


def _away() -> None:
    session.clear_problems()
    session.put(OwnTexts())
    if session.get(DomainsState).domain not in {each.domain for each in texts()}:
        session.put(DomainsState())
    redraw(PICTURES)
