"""Tab "Demonstrations": the pairs of prompt and response, which of their tokens count, and what they cost."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace

import streamlit as st

from playground.charts.teach_demonstrations import SHOWN_TOKENS, SetCosts, cost_table, mask_strip
from playground.engine.serving.worker import Worker
from playground.models.info import LoadedModelInfo
from playground.training.demonstrations import Demonstration, odd
from playground.training.estimate import estimate
from playground.training.masks import MaskedText, cut
from playground.training.split import Split, split
from playground.ui.components.token_strip import token_strip
from playground.ui.examples_page.bring_in import bring_in
from playground.ui.examples_page.demonstration_table import show_demonstration_table
from playground.ui.examples_page.masked_rows import masked_rows
from playground.ui.examples_page.session import change_settings, draft
from playground.ui.examples_page.steps import TRAIN, go_to
from playground.ui.kit import session
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import problems_shown_here, why_it_matters
from playground.ui.kit.pictures import show_table
from playground.ui.kit.session import bind_widget


@dataclass(frozen=True, slots=True)
class ShownRow:
    """Which demonstration's tokens are shown, from 0."""

    place: int = 0


def demonstrations_section(worker: Worker) -> None:
    """What is taught: brought in, edited, its mask and its cost."""
    rows = draft().rows
    if not rows:
        _first_one()
    with st.container(horizontal=True, vertical_alignment="center", key="teach_rows_line"):
        bring_in()
        if rows:
            _counted(rows)
    _odd(rows)
    show_demonstration_table()
    if rows:
        with problems_shown_here():
            _what_counts(worker, rows)
    why_it_matters(
        "Supervised fine-tuning is behaviour cloning: the model is shown answers and made likelier to give them. What is not "
        "shown is not learnt, what is shown carelessly is learnt too. The end token of each response counts: it teaches "
        "where an answer ends.",
        "Supervised fine-tuning",
        "Demonstration",
        "Loss mask",
    )
    if rows:
        st.button(
            "Train on them", key="teach_next_train", icon=":material/arrow_forward:", on_click=go_to, args=(TRAIN,)
        )


def _first_one() -> None:
    st.info(
        "A **demonstration** is a prompt with the answer the model should learn to give. Write the first one into the "
        "table, paste some, or begin with a shipped set; ten that agree in style already show.",
        icon=":material/footprint:",
    )


def _parts(rows: tuple[Demonstration, ...]) -> Split[Demonstration]:
    return split(rows, draft().settings.heldout_share, draft().settings.seed)


def _counted(rows: tuple[Demonstration, ...]) -> None:
    parts = _parts(rows)
    st.markdown(
        f"**{len(rows):,} demonstrations** · {len(parts.train):,} to train on · {len(parts.heldout):,} held out to see what "
        "carries over",
        width="content",
    )


def _odd(rows: tuple[Demonstration, ...]) -> None:
    for note in (*odd(rows), *_parts(rows).notes) if rows else ():
        st.caption(f":material/info: {escape_markdown(note)}")


# -- the mask ----------------------------------------------------------------------------------------------------------


def _what_counts(worker: Worker, rows: tuple[Demonstration, ...]) -> None:
    """The loss mask on one demonstration's tokens, and the cost of all. Raises Pending."""
    masked = masked_rows(worker, rows)
    place = min(session.get(ShownRow).place, len(rows) - 1)
    settings = draft().settings
    labels = [f"{number}. {row.prompt[:60]}" for number, row in enumerate(rows, 1)]
    key = f"teach_shown_{zlib.crc32(repr(labels).encode())}"  # a browser shows the words of a choice as they were when chosen
    with st.container(horizontal=True, vertical_alignment="center", key="teach_mask_controls"):
        st.markdown("##### What counts in the loss", width="content")
        st.selectbox(
            "Demonstration",
            range(len(rows)),
            place,
            format_func=labels.__getitem__,
            key=key,
            on_change=bind_widget(key, place, _show),
            label_visibility="collapsed",
            width="stretch",
        )
        _switch(
            "mask_prompt",
            "Mask the prompt",
            "On: only the response counts. Off: the model learns to write prompts too.",
        )
        _switch("chat", "Chat template", "On: in the model's own frame. Off: prompt and response as one text.")
    shown = masked[place]
    if isinstance(shown, str):
        st.warning(escape_markdown(shown), icon=":material/rule:")
    else:
        token_strip(
            mask_strip(worker.engine.codec, shown),
            key="teach_mask",
            label=f"Demonstration {place + 1} as the model reads it, one button for each token",
            on_pick=lambda index: None,
        )
        more = f" The first {SHOWN_TOKENS} are shown." if len(shown.ids) > SHOWN_TOKENS else ""
        long = f" It is cut at {settings.most_tokens:,} tokens." if len(shown.ids) > settings.most_tokens else ""
        st.caption(f"Underlined: the {shown.taught:,} of {len(shown.ids):,} tokens that count in the loss.{more}{long}")
    _costs(worker, masked)


def _show(number: object) -> None:
    """A browser that has not heard of other rows sends the name of a former one: no number."""
    session.put(ShownRow(number if isinstance(number, int) else 0))


def _switch(name: str, label: str, about: str) -> None:
    key, current = f"teach_set_of_{name}", bool(getattr(draft().settings, name))
    st.toggle(
        label,
        current,
        key=key,
        help=about,
        on_change=bind_widget(key, current, lambda on: change_settings(**{name: bool(on)})),
    )


def _costs(worker: Worker, masked: list[MaskedText | str]) -> None:
    read = [each for each in masked if isinstance(each, MaskedText)]
    wrong = len(masked) - len(read)
    if wrong:
        first = next(each for each in masked if isinstance(each, str))
        st.warning(
            f"{wrong:,} of {len(masked):,} cannot be read by this model: {escape_markdown(first)}",
            icon=":material/rule:",
        )
    most = draft().settings.most_tokens
    long = sum(len(each.ids) > most for each in read)
    if long:
        st.caption(
            f":material/content_cut: {long:,} have more than {most:,} tokens and are cut at their end (Train, Advanced)."
        )
    st.markdown("##### What they cost")
    settings, info = draft().settings, worker.engine.info
    costs = SetCosts(
        len(masked), sum(len(each.ids) for each in read), sum(each.taught for each in read), settings.epochs
    )
    if read and isinstance(info, LoadedModelInfo):
        training = estimate(info, [cut(each, most) for each in read], settings)
        costs = replace(costs, flops=training.flops, share=training.share_of_pretraining)
    show_table(cost_table(costs), key="teach_costs")
    st.caption(
        "A pair takes a person minutes to tens of minutes, and most of what is paid goes into judgement. LAION's volunteers "
        "wrote 10,000 conversations for nothing, nine in ten of them men: whose answers are taught matters too."
    )
