"""Tab "Completion or conversation": one prompt as raw text and in the chat template, and what the template adds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from playground.charts.compare import compare_description, compare_figure
from playground.charts.teach_readings import distance_sentence, readings_data, readings_table, template_strip
from playground.engine.api import NextTokens, Rows, Stream
from playground.engine.facets import offers, require
from playground.engine.serving.worker import Worker
from playground.engine.types import TokenIds
from playground.errors import CapabilityMissing
from playground.inspection.compared import ModelRow
from playground.inspection.template import TemplateToken, template_tokens
from playground.ui.components.token_strip import token_strip
from playground.ui.examples_page.writing import ENDINGS, text_strip, writing_controls, written
from playground.ui.kit import session
from playground.ui.kit.fragments import redraw
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import problems_shown_here, why_it_matters
from playground.ui.kit.pictures import show_figure, show_table
from playground.ui.kit.session import bind_widget
from playground.ui.workspace import setup as workspace
from playground.ui.workspace.beside import each_loaded
from playground.ui.workspace.beside_loading import named
from playground.ui.workspace.beside_pin import pin_control
from playground.ui.workspace.model import loaded_model
from playground.ui.workspace.reading import available_row, encode_setup
from playground.ui.workspace.setup import setup

RAW, CHAT = "text", "chat"
TITLES = {RAW: "Completion", CHAT: "Conversation"}
ABOUT = {
    RAW: "The prompt as it stands, continued.",
    CHAT: "The prompt as a message in the model's chat template, answered.",
}
READY: dict[str, str] = {
    "Pizza": "How to make pizza",
    "A question": "What is the capital of Italy?",
    "A wish": "Write a haiku about rain.",
    "A beginning": "Once upon a time there was a",
    "A demand": "Tell me how to pick a lock.",
}


@dataclass(frozen=True, slots=True)
class Readings:
    """One prompt as a model reads it. ``ids`` and ``reads`` by "text" and "chat"; ``problem``: why a chat is missing."""

    worker: Worker
    ids: Mapping[str, TokenIds]
    reads: Mapping[str, ModelRow]
    template: tuple[TemplateToken, ...] = ()
    problem: str = ""


def conversation_options() -> None:
    """The prompt, ready ones, and how texts are written."""
    shown = setup()
    with st.container(key="teach_prompt"):
        st.text_input(
            "Prompt",
            shown.prompt,
            key="teach_ask",
            on_change=bind_widget("teach_ask", shown.prompt, lambda text: workspace.change(prompt=text or "")),
            help="Read twice: as it stands, and as a message in the model's chat template. It is the prompt of all pages.",
        )
        st.text_input(
            "System prompt",
            shown.system,
            key="teach_system",
            on_change=bind_widget("teach_system", shown.system, lambda text: workspace.change(system=text or "")),
            placeholder="what the template itself says",
            help="Counts in the chat template only.",
        )
    with st.container(horizontal=True, vertical_alignment="center", key="teach_ready"):
        st.markdown("**Ready**", width="content")
        for label, prompt in READY.items():
            st.button(label, key=f"teach_ready_{label}", help=prompt, type="tertiary", on_click=_take, args=(prompt,))
    with st.container(key="teach_way"):
        writing_controls()


def _take(prompt: str) -> None:
    workspace.change(prompt=prompt)
    redraw()


def conversation_view() -> Readings:
    """What the model in use makes of the shared prompt. Raises Pending."""
    return _read(loaded_model(), "examples")


def _read(worker: Worker, slot: str) -> Readings:
    """Both readings by one model; only the raw one where it has no chat template."""
    require(worker.engine, NextTokens)
    codec, shown, ids, problem = worker.engine.codec, setup(), dict[str, TokenIds](), ""
    template: tuple[TemplateToken, ...] = ()
    for name, chat in ((RAW, False), (CHAT, True)):
        try:
            ids[name] = encode_setup(codec, shown.change(chat=chat))
            if chat:
                template = template_tokens(codec, shown.prompt, shown.system)
        except CapabilityMissing as error:
            if not chat:
                raise
            problem = str(error)
    info = worker.engine.info
    reads = {name: ModelRow(info, codec, available_row(worker, each, f"{slot} {name}")) for name, each in ids.items()}
    return Readings(worker, ids, reads, template, problem)


def conversation_section(view: Readings) -> None:
    """Both texts, both distributions, and the template's own tokens."""
    with st.container(key="models_asked"):  # always there: a picture that moves up among its siblings is drawn twice
        loaded = each_loaded() if named() else {}
    others = dict[str, Readings]()
    for letter, worker in loaded.items():
        with problems_shown_here():
            others[letter] = _read(worker, f"examples {letter}")
    everyone = {"": view, **others}
    _texts(everyone)
    reads = {f"{letter} {name}".strip(): read for letter, each in everyone.items() for name, read in each.reads.items()}
    if len(reads) > 1:
        data = readings_data(reads)
        st.container(key="teach_first_token").markdown("###### The first token of the answer")
        show_figure(compare_figure(data), compare_description(data), key="teach_readings")
        if len(view.reads) > 1:
            st.markdown(escape_markdown(distance_sentence(RAW, view.reads[RAW], CHAT, view.reads[CHAT])))
        show_table(readings_table(reads), key="teach_readings_table")
    _template(view)
    with st.container(horizontal=True, vertical_alignment="center", key="teach_pins"):
        pin_control()
        st.caption("Another model beside, a base model or one you have taught: both readings of it are shown too.")
    why_it_matters(
        "Pre-training makes a model continue text, and “How to make pizza” may go on with “for a family of six?”. Post-training "
        "teaches it, in a fixed frame of special tokens, to answer. The frame alone moves the first token's distribution; "
        "the same weights without it continue again. What is likelier is not what is truer.",
        "Chat template",
        "KL divergence",
        "Supervised fine-tuning",
    )


def _texts(everyone: Mapping[str, Readings]) -> None:
    columns = dict(zip((RAW, CHAT), st.columns(2, gap="small"), strict=True))
    titles = {name: column.container(key=f"teach_title_{name}") for name, column in columns.items()}
    ended = dict[str, str]()
    for letter, each in everyone.items():
        rows = None
        if offers(each.worker.engine, Rows) or offers(each.worker.engine, Stream):
            with problems_shown_here():
                rows = written(each.worker, f"examples write {letter}", tuple(each.ids.values()))
        for number, name in enumerate((RAW, CHAT)):
            with columns[name]:
                who = f"**{letter}** · " if letter else ""
                if len(everyone) > 1:
                    st.markdown(who + escape_markdown(each.worker.engine.info.name))
                if name not in each.ids:
                    st.info(escape_markdown(each.problem), icon=":material/chat_bubble:")
                elif rows is not None:
                    row = rows[number]
                    token_strip(
                        text_strip(each.worker.engine.codec, row),
                        key=f"teach_text_{letter or 'own'}_{name}",
                        label=f"What {letter or 'the model'} writes after the {name}, one button for each token",
                        on_pick=lambda index: None,
                    )
                    ending = ENDINGS[row.finish_reason] or "then cut"
                    ended[name] = f"{len(each.ids[name]):,} read, {len(row.steps)} written, {ending}"
                    if len(everyone) > 1:
                        st.caption(f"{ended.pop(name)}.")
    for name, title in titles.items():
        title.markdown(f"**{TITLES[name]}** :gray[{ended.get(name, '')}]", help=ABOUT[name])


def _template(view: Readings) -> None:
    """The message as it is read, the template's tokens marked."""
    if not view.template:
        return
    added = sum(token.added for token in view.template)
    st.markdown("##### What the template adds")
    token_strip(
        template_strip(view.template),
        key="teach_template",
        label="The prompt in the chat template, one button for each token",
        on_pick=lambda index: session.put(TemplatePlace(index)),
        selected=session.get(TemplatePlace).place,
    )
    st.caption(
        f"Underlined: your {len(view.template) - added} tokens. The other {added} are the template's; choose one to see why "
        "it is there."
    )
    place = session.get(TemplatePlace).place
    if 0 <= place < len(view.template):
        token = view.template[place]
        st.markdown(f"`{escape_markdown(token.text.strip() or '␣')}` · {token.about or 'Typed by you.'}")


@dataclass(frozen=True, slots=True)
class TemplatePlace:
    """Which token of the template is looked at; -1 for none."""

    place: int = -1
