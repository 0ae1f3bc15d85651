"""Section "Any word": its tokens, their probability and rank, and whether the present settings let it through."""

from __future__ import annotations

import math

import streamlit as st

from playground.charts.numbers import logprob, percent, percent_between
from playground.engine.text.display import glyphs
from playground.engine.text.prompt import continuation_ids
from playground.inspection.partial import PartialCandidate, candidate_of, most_of_one
from playground.sampling.chain import NextToken
from playground.sampling.partial_chain import PartialNext
from playground.sampling.registry import SAMPLERS
from playground.state.sampling import SamplingState
from playground.ui.kit import session
from playground.ui.kit.fragments import rerun_callback
from playground.ui.kit.messages import escape_markdown, problems_shown_here, why_it_matters
from playground.ui.kit.widgets import Bound
from playground.ui.sampling_page.view import SamplingView
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
    for spelling in [text] if text[0].isspace() else [text, " " + text]:
        with problems_shown_here():
            _one_spelling(view, spelling)
    why_it_matters(
        "A word of several tokens is as likely as its tokens one after the other: their probabilities multiply, each "
        f"given those before it.{_ceiling(view.next)}",
        "Token",
        "Log-probability",
        "Rank",
    )


def _ceiling(next_token: NextToken | PartialNext) -> str:
    if isinstance(next_token, NextToken):
        return ""
    most = percent(most_of_one(next_token.trace.raw))
    return (
        f" A token that this engine does not tell has a ceiling only. Raw, each is below {most}: less likely than every token "
        "told."
    )


def _one_spelling(view: SamplingView, text: str) -> None:
    import pandas as pd  # only a table needs it, and the first bars need not wait for it

    ids = continuation_ids(view.codec, text, parse_special=view.setup.parse_special)
    shown = ids[:MOST_TOKENS]
    slot = "look up with a space" if text[:1].isspace() else "look up as it stands"  # one request of each at a time
    views = [view.after(shown[:index], slot) if index else view.next for index in range(len(shown))]
    rows = [candidate_of(next_token, token, view.codec) for next_token, token in zip(views, shown, strict=True)]
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
    logprobs = [row.raw_logprob for row in rows if row.raw_logprob is not None]
    if len(logprobs) == len(shown) > 1:
        together = "All together" if len(ids) == len(shown) else f"The first {len(shown)} together"
        st.caption(f"{together}: {percent(math.exp(sum(logprobs)))}, log-probability {logprob(sum(logprobs))}.")
    if len(ids) > MOST_TOKENS:
        st.caption(f"Only the first {MOST_TOKENS} of {len(ids)} tokens are looked up.")
    st.button(
        f"Accept {escape_markdown(glyphs(rows[0].text))}",
        key=f"accept_{text[:1] == ' '}",
        on_click=rerun_callback(lambda: accept(rows[0].id, position=view.setup.position)),
        help="Append its first token to the text and go on from there.",
    )


def _admitted(rows: list[PartialCandidate]) -> str:
    removed = next((row for row in rows if row.kept is False), None)
    if removed is not None:
        by = f"removed by {SAMPLERS[removed.removed_by].label}" if removed.removed_by else "removed"
        return f":material/block: {by}"
    if all(row.kept for row in rows):
        return ":material/check: admitted"
    return ":material/question_mark: whether it is admitted is open"
