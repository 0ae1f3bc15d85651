"""Section "Any word": its tokens, their probability and rank, and whether the present settings let it through."""

from __future__ import annotations

import math

import streamlit as st

from playground.charts.numbers import logprob, percent
from playground.engine.text.display import glyphs
from playground.engine.text.prompt import continuation_ids
from playground.inspection.next_token import Candidate, candidate
from playground.sampling.registry import SAMPLERS
from playground.state.sampling import SamplingState
from playground.ui.kit import session
from playground.ui.kit.fragments import rerun_callback
from playground.ui.kit.messages import escape_markdown, problems_shown_here, why_it_matters
from playground.ui.kit.widgets import Bound
from playground.ui.sampling_page.view import SamplingView, examine_row
from playground.ui.workspace.reading import next_row
from playground.ui.workspace.setup import accept

MOST_TOKENS = 8
OPTIONS = Bound(SamplingState)


def lookup_section(view: SamplingView) -> None:
    """A text field, and one table for each way the word can be written after what is there."""
    OPTIONS.text("word")
    text = session.get(SamplingState).word
    if not text:
        st.info("Type a word, with or without a space before it, to see how likely it is here.")
        return
    spellings = [text] if text[0].isspace() else [text, " " + text]
    for spelling in spellings:
        with problems_shown_here():
            _one_spelling(view, spelling)
    why_it_matters(
        "A word of several tokens is as likely as its tokens one after the other: their probabilities multiply, each "
        "given those before it.",
        "Token",
        "Log-probability",
        "Rank",
    )


def _one_spelling(view: SamplingView, text: str) -> None:
    import pandas as pd  # only a table needs it, and the first bars need not wait for it

    ids = continuation_ids(view.codec, text, parse_special=view.setup.parse_special)
    shown = ids[:MOST_TOKENS]
    slot = "look up with a space" if text[:1].isspace() else "look up as it stands"  # one request of each at a time
    rows = [_look_up(view, shown[:index], token, slot) for index, token in enumerate(shown)]
    total = sum(row.raw_logprob for row in rows)
    admitted = all(row.kept for row in rows)
    verdict = ":material/check: admitted" if admitted else f":material/block: {_forbidden(rows)}"
    st.markdown(
        f"**{escape_markdown(glyphs(text))}** · {len(ids)} {'token' if len(ids) == 1 else 'tokens'} · {verdict}"
    )
    st.dataframe(
        pd.DataFrame(
            {
                "token": [glyphs(row.text) for row in rows],
                "id": [row.id for row in rows],
                "raw": [percent(row.raw_prob) for row in rows],
                "log-probability": [logprob(row.raw_logprob) for row in rows],
                "rank": [f"{row.rank + 1:,}" for row in rows],
                "final": [percent(row.final_prob) if row.kept else "–" for row in rows],
                "removed by": [SAMPLERS[row.removed_by].label if row.removed_by else "" for row in rows],
            }
        ),
        hide_index=True,
        key=f"lookup_{'plain' if text[:1] != ' ' else 'space'}",
    )
    if len(shown) > 1:
        st.caption(f"All together: {percent(math.exp(total))}, log-probability {logprob(total)}.")
    if len(ids) > MOST_TOKENS:
        st.caption(f"Only the first {MOST_TOKENS} of {len(ids)} tokens are looked up.")
    st.button(
        f"Accept {escape_markdown(glyphs(rows[0].text))}",
        key=f"accept_{text[:1] == ' '}",
        on_click=rerun_callback(lambda: accept(rows[0].id, position=view.setup.position)),
        help="Append its first token to the text and go on from there.",
    )


def _look_up(view: SamplingView, before: tuple[int, ...], token: int, slot: str) -> Candidate:
    if not before:
        return candidate(view.next, token, view.codec)
    row = next_row(view.worker, view.ids + before, slot)
    seen = examine_row(view.worker, row, view.prompt_ids, view.setup.settings, view.setup.seed)
    return candidate(seen, token, view.codec)


def _forbidden(rows: list[Candidate]) -> str:
    first = next(row for row in rows if not row.kept)
    return f"removed by {SAMPLERS[first.removed_by].label}" if first.removed_by else "removed"
