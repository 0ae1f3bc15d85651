"""Whether a model has read a text: how well it goes on with its second half, and min-K% probability (Shi et al. 2023).

Min-K% is the mean log-probability of the k% least likely tokens: of a text that was read often even those are not
surprising. A text is called read where that mean is above a bar; the bar is set on texts that the model cannot have read,
so that a known share of such texts is called read all the same. That share is the false-positive rate.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from playground.corpus.sample import open_documents
from playground.engine.api import CancelToken, Engine, Score
from playground.engine.facets import require

K = 0.2
ALLOWED = 0.05  # of texts that were not read
MOST_TOKENS = 256
LEAST_TOKENS = 16

# In the public domain and copied everywhere: what any model of the web has read, to see what the bar can find.
FAMOUS = (
    "It was the best of times, it was the worst of times, it was the age of wisdom, it was the age of foolishness, it was the "
    "epoch of belief, it was the epoch of incredulity, it was the season of Light, it was the season of Darkness",
    "Four score and seven years ago our fathers brought forth on this continent, a new nation, conceived in Liberty, and "
    "dedicated to the proposition that all men are created equal.",
    "We hold these truths to be self-evident, that all men are created equal, that they are endowed by their Creator with "
    "certain unalienable Rights, that among these are Life, Liberty and the pursuit of Happiness.",
    "It is a truth universally acknowledged, that a single man in possession of a good fortune, must be in want of a wife.",
    "In the beginning God created the heaven and the earth. And the earth was without form, and void; and darkness was upon the "
    "face of the deep. And the Spirit of God moved upon the face of the waters.",
    "To be, or not to be, that is the question: Whether 'tis nobler in the mind to suffer the slings and arrows of outrageous "
    "fortune, or to take arms against a sea of troubles and by opposing end them.",
    "All human beings are born free and equal in dignity and rights. They are endowed with reason and conscience and should act "
    "towards one another in a spirit of brotherhood.",
    "Shall I compare thee to a summer's day? Thou art more lovely and more temperate: Rough winds do shake the darling buds of "
    "May, and summer's lease hath all too short a date.",
)


@dataclass(frozen=True, slots=True)
class Recall:
    """Of a text's second half: ``min_k`` (nats, NaN for a text too short), and how many tokens are the model's own first

    choice in a row from its middle on, of how many.
    """

    min_k: float
    exact: int
    of: int


def recall_of(engine: Engine, text: str, cancel: CancelToken | None = None) -> Generator[None, None, Recall]:
    """How the model goes on from the middle of ``text``."""
    ids = engine.codec.encode(text)[:MOST_TOKENS]
    if len(ids) < LEAST_TOKENS:
        return Recall(math.nan, 0, 0)
    score = yield from require(engine, Score).score_in_pieces(ids, cancel=cancel)
    half = len(ids) // 2
    logprobs, ranks = score.logprobs[half:], score.ranks[half:]
    lowest = np.sort(logprobs)[: max(1, round(K * len(logprobs)))]
    wrong = np.flatnonzero(ranks != 0)
    return Recall(float(lowest.mean()), int(wrong[0]) if len(wrong) else len(ranks), len(ranks))


def recalls(
    engine: Engine, texts: Sequence[str], cancel: CancelToken | None = None
) -> Generator[Recall | None, None, tuple[Recall, ...]]:
    """Of each text in turn; yields each, and None where others may have a turn."""
    recalled = list[Recall]()
    for text in texts:
        recalled.append((yield from recall_of(engine, text, cancel)))
        yield recalled[-1]
    return tuple(recalled)


def fresh_texts() -> tuple[str, ...]:
    """English texts of the sample, which no model has read: each was written for this project, once."""
    with open_documents() as documents:
        return tuple(
            each.text
            for each in documents
            if each.tags["language"] == "en" and each.tags["label"] not in ("copy", "boilerplate", "leaked")
        )


@dataclass(frozen=True, slots=True)
class Bar:
    """``value``: a text with a higher min-K% is called read. ``low`` and ``high``: Wilson's 95% interval of the rate at

    which texts that were not read are called read, from ``fresh`` of them, ``false`` above the bar. They set the bar, so that
    rate is theirs by choice; ``expected`` is that of one more such text.
    """

    value: float
    false: int
    fresh: int
    low: float
    high: float

    @property
    def expected(self) -> float:
        """The chance that one more text like those lies above the bar: all n + 1 orders are equally likely (Vovk et al. 2005)."""
        return (self.false + 1) / (self.fresh + 1)


def set_bar(fresh: Sequence[Recall], allowed: float = ALLOWED) -> Bar | None:
    """The lowest bar above which at most ``allowed`` of the texts not read lie; None without any that is long enough."""
    values = np.sort([each.min_k for each in fresh if not math.isnan(each.min_k)])
    if not len(values):
        return None
    above = int(allowed * len(values))
    value = float(values[len(values) - 1 - above])
    false = int((values > value).sum())
    interval = binomtest(false, len(values)).proportion_ci(method="wilson")
    return Bar(value, false, len(values), float(interval.low), float(interval.high))
