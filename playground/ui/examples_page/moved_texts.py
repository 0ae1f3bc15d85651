"""Of "What moved": a held-out response token by token, and perplexities of what was taught, held out, and neither."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Generator, Mapping, Sequence

import streamlit as st

from playground.charts.teach_moved import change_strip, change_table, moved_sentence, perplexity_table
from playground.engine.api import CancelToken, Engine
from playground.engine.serving.turns import Priority
from playground.engine.serving.worker import Worker
from playground.engine.types import FloatArray, TokenIds
from playground.inspection.moved import CountedText, score_texts, set_perplexity
from playground.inspection.neutral_texts import NEUTRAL_TEXTS
from playground.training.masks import MaskedText
from playground.ui.components.token_strip import token_strip
from playground.ui.examples_page.adapter_beside import BeforeAfter
from playground.ui.kit import session
from playground.ui.kit.jobs import result_of
from playground.ui.kit.markdown import escape_markdown
from playground.ui.kit.messages import why_it_matters
from playground.ui.kit.pictures import show_table
from playground.ui.runtime import session_id

READ_AT_MOST = 16  # texts of a set: the slider should be answered in seconds
_REMEMBERED = 500
HELD_OUT, TAUGHT = "Held-out pairs", "Demonstrations"


class _Scores(OrderedDict[tuple[str, TokenIds], FloatArray]):
    """Log-probabilities of texts, by the weights' revision; the last ones looked at last."""


def scores(worker: Worker, slot: str, texts: Sequence[TokenIds]) -> list[FloatArray]:
    """(T,) log-probabilities of each text, from memory where they are known. Raises Pending."""
    cache, revision = session.get(_Scores), worker.engine.info.revision
    missing = tuple(ids for ids in dict.fromkeys(texts) if (revision, ids) not in cache)
    if missing:

        def job(engine: Engine, cancel: CancelToken) -> Generator[float, None, tuple[FloatArray, ...]]:
            return score_texts(engine, missing, cancel)

        new_scores = result_of(
            slot,
            (revision, missing),
            lambda: worker.submit(session_id(), slot, job, Priority.LOOK),
            f"{worker.engine.info.name} rates {len(missing)} text{'s' * (len(missing) > 1)}",
            share=float,
        )
        cache |= {(revision, ids): row for ids, row in zip(missing, new_scores, strict=True)}
    shown = [cache[revision, ids] for ids in texts]
    while len(cache) > _REMEMBERED:
        cache.popitem(last=False)
    return shown


def show_response(both: BeforeAfter, text: CountedText, *, key: str) -> None:
    """Each token of a response, coloured by how much likelier it became, and the largest changes. Raises Pending."""
    (before,), (after,) = (scores(worker, f"{key} {when}", [text.ids]) for worker, when in _workers(both))
    codec = both.before.engine.codec
    token_strip(
        change_strip(codec, text, before, after),
        key=f"{key}_strip",
        label="The response, one button for each token, with how much likelier it became",
        on_pick=lambda index: None,
    )
    st.caption("Violet: likelier than before. Orange: less likely. Hover or walk with the arrow keys for the numbers.")
    show_table(change_table(codec, text, before, after), key=f"{key}_changes")


def show_perplexities(
    both: BeforeAfter, taught: Sequence[MaskedText], heldout: Sequence[MaskedText], *, key: str
) -> None:
    """Perplexity before and after, of what was taught, what was held out, and texts that have nothing to do with it."""
    codec = both.before.engine.codec
    whole: dict[str, list[CountedText]] = {
        TAUGHT: [CountedText(each.ids, each.counted) for each in taught],
        HELD_OUT: [CountedText(each.ids, each.counted) for each in heldout],
    }
    whole |= {name: [CountedText.whole(codec.encode(text))] for name, text in NEUTRAL_TEXTS.items()}
    most = both.before.engine.info.context_length  # what is longer is looked at up to there
    read = {
        name: [CountedText(text.ids[:most], text.counted[:most]) for text in texts[:READ_AT_MOST]]
        for name, texts in whole.items()
        if texts
    }
    before, after = (_by_set(worker, f"{key} {when}", read) for worker, when in _workers(both))
    sets = [set_perplexity(name, read[name], len(whole[name]), before[name], after[name]) for name in read]
    show_table(perplexity_table(sets), key=f"{key}_table")
    st.markdown(escape_markdown(moved_sentence(sets, HELD_OUT, tuple(NEUTRAL_TEXTS))))
    why_it_matters(
        "Perplexity is how many equally likely tokens would be as surprising, over the responses' tokens, or all of a neutral "
        "text's. Lower on demonstrations alone is learning by heart; lower on held-out ones is learning; higher on neutral "
        "texts is forgetting. It says nothing about whether an answer is true.",
        "Perplexity",
        "Held-out",
        "Forgetting",
    )


def _by_set(worker: Worker, slot: str, read: Mapping[str, Sequence[CountedText]]) -> dict[str, list[FloatArray]]:
    flat = scores(worker, slot, [text.ids for texts in read.values() for text in texts])
    rows = iter(flat)
    return {name: [next(rows) for _text in texts] for name, texts in read.items()}


def _workers(both: BeforeAfter) -> tuple[tuple[Worker, str], tuple[Worker, str]]:
    return (both.before, "before"), (both.after, "after")
