"""Sections "Compare" and "Any word" where the engine tells the likeliest tokens of a row only."""

from __future__ import annotations

import streamlit as st

from playground.charts.compare import NOW, compare_description, compare_figure
from playground.charts.numbers import logprob, percent, percent_between
from playground.charts.partial_compare import partial_compare_data, partial_difference_table
from playground.engine.text.display import glyphs
from playground.engine.text.prompt import continuation_ids
from playground.engine.types import TopTokens
from playground.inspection.partial import PartialCandidate, candidate_of, most_of_one, verdict_sentence
from playground.sampling.registry import SAMPLERS
from playground.state.sampling import SamplingState
from playground.ui.kit import session
from playground.ui.kit.fragments import rerun_callback
from playground.ui.kit.messages import escape_markdown, problems_shown_here, why_it_matters
from playground.ui.kit.widgets import Bound
from playground.ui.sampling_page.compare import pins, pins_or_hint
from playground.ui.sampling_page.lookup import MOST_TOKENS
from playground.ui.sampling_page.models_beside import models_beside
from playground.ui.sampling_page.partial_marks import with_marks
from playground.ui.sampling_page.partial_view import PartialView, examine
from playground.ui.workspace.reading import told_row
from playground.ui.workspace.setup import accept

OPTIONS = Bound(SamplingState)
WIDTHS = {"": 45, "order": 75, "final": 75, "kept": 110, "exp H": 110, "KL, nats": 70}  # pixels


@with_marks
def compare_section(view: PartialView) -> None:
    """The pins beside the present settings: solid up to what is certain, hatched up to what is possible."""
    if not pins_or_hint(view.setup.settings):
        return
    if pins():
        _settings(view)
    beside = models_beside(view)
    if beside.rows:
        data = beside.raw_data()
        st.plotly_chart(
            compare_figure(data), key="compare_models", config={"displayModeBar": False}, alt=compare_description(data)
        )
        st.caption("The bars of Now are its probabilities before the samplers, as far as they are told.")
    beside.show()


def _settings(view: PartialView) -> None:
    views = {NOW: view.next} | {
        letter: examine(view.worker, view.row, view.prompt_ids, settings, view.setup.seed)
        for letter, settings in pins().items()
    }
    data = partial_compare_data(views, view.codec)
    if data.settings:
        st.plotly_chart(
            compare_figure(data), key="compare", config={"displayModeBar": False}, alt=compare_description(data)
        )
    for name, item in views.items():
        if item.trace.unknown:
            st.info(
                f"**{'Now' if name == NOW else f'Pin {name}'}** is not drawn. {escape_markdown(verdict_sentence(item))}"
            )
    st.dataframe(
        partial_difference_table(views, view.codec),
        hide_index=True,
        key="partial_compare_table",
        column_config={name: st.column_config.TextColumn(width=width) for name, width in WIDTHS.items()},
    )
    why_it_matters(
        "A bar is solid up to the least final probability and hatched up to the largest. KL(now ‖ pin) in nats needs two exact "
        "distributions and is open where one is bounded; in it all tokens not told count as one. Gained and lost: only what is "
        "certain, among the tokens told.",
        "KL divergence",
        "Exact",
        "Bounded",
        "Effective choices",
    )


@with_marks
def lookup_section(view: PartialView) -> None:
    """A text field, and one table for each way the word can be written after what is there."""
    OPTIONS.text("word")
    text = session.get(SamplingState).word
    if not text:
        st.info("Type a word, with or without a space before it, to see how likely it is here.")
        return
    for spelling in [text] if text[0].isspace() else [text, " " + text]:
        with problems_shown_here():
            _one_spelling(view, spelling)
    ceiling = percent(most_of_one(view.next.trace.raw))
    why_it_matters(
        f"A token that this engine does not tell has a ceiling only. Raw, each is below {ceiling}: less likely than every token "
        "told.",
        "Token",
        "Log-probability",
        "Rank",
    )


def _one_spelling(view: PartialView, text: str) -> None:
    import pandas as pd  # only a table needs it, and the first bars need not wait for it

    ids = continuation_ids(view.codec, text, parse_special=view.setup.parse_special)
    slot = "look up with a space" if text[:1].isspace() else "look up as it stands"  # one request of each at a time
    rows = [_look_up(view, ids[:index], token, slot) for index, token in enumerate(ids[:MOST_TOKENS])]
    st.markdown(
        f"**{escape_markdown(glyphs(text))}** · {len(ids)} {'token' if len(ids) == 1 else 'tokens'} · {_admitted(rows)}"
    )
    columns = {
        "token": [glyphs(row.text) for row in rows],
        "id": [row.id for row in rows],
        "raw": ["not told" if row.raw_prob is None else percent(row.raw_prob) for row in rows],
        "log-probability": ["" if row.raw_logprob is None else logprob(row.raw_logprob) for row in rows],
        "rank": ["" if row.rank is None else f"{row.rank + 1:,}" for row in rows],
        "final": ["–" if row.kept is False else percent_between(*row.final) for row in rows],
        "removed by": [SAMPLERS[row.removed_by].label if row.removed_by else "" for row in rows],
    }
    st.dataframe(pd.DataFrame(columns), hide_index=True, key=f"lookup_{'plain' if text[:1] != ' ' else 'space'}")
    if len(ids) > MOST_TOKENS:
        st.caption(f"Only the first {MOST_TOKENS} of {len(ids)} tokens are looked up.")
    st.button(
        f"Accept {escape_markdown(glyphs(rows[0].text))}",
        key=f"accept_{text[:1] == ' '}",
        on_click=rerun_callback(lambda: accept(rows[0].id, position=view.setup.position)),
        help="Append its first token to the text and go on from there.",
    )


def _look_up(view: PartialView, before: tuple[int, ...], token: int, slot: str) -> PartialCandidate:
    if not before:
        return candidate_of(view.next, token, view.codec)
    row = told_row(view.worker, view.ids + before, slot)
    assert isinstance(row, TopTokens), "an engine tells all of its rows in the same way"
    return candidate_of(
        examine(view.worker, row, view.prompt_ids, view.setup.settings, view.setup.seed), token, view.codec
    )


def _admitted(rows: list[PartialCandidate]) -> str:
    removed = next((row for row in rows if row.kept is False), None)
    if removed is not None:
        by = f"removed by {SAMPLERS[removed.removed_by].label}" if removed.removed_by else "removed"
        return f":material/block: {by}"
    if all(row.kept for row in rows):
        return ":material/check: admitted"
    return ":material/question_mark: whether it is admitted is open"
