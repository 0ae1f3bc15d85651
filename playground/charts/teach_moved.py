"""What a training moved: a text's tokens coloured by gain and loss, the largest of both, and perplexities beside each other."""

from __future__ import annotations

import math
from collections.abc import Sequence

from playground.charts.candidates_agreement import DIVERGING
from playground.charts.numbers import percent
from playground.charts.palette import ink_on
from playground.charts.table import TableColumn, TableData
from playground.charts.token_strip import StripToken
from playground.engine.api import TextCodec
from playground.engine.text.display import glyphs
from playground.engine.types import FloatArray
from playground.inspection.moved import CountedText, SetPerplexity, largest_changes
from playground.inspection.next_token import CONTEXT_TAIL

MOST_CHANGE = 3.0  # nats: from there on the colour is the scale's end
LARGEST = 5  # of the gains, and of the losses
# The important columns first: a phone shows three or four.
_CHANGES = (
    TableColumn("token", "Token", 95, pinned=True),
    TableColumn("change", "Change, nats", 95, "log p after − log p before."),
    TableColumn("before", "Before", 70),
    TableColumn("after", "After", 70),
    TableColumn("place", "Place", 60, "Counted from the response's first token.", decimals=0),
)
_SETS = (
    TableColumn("name", "Perplexity of", 115, pinned=True),
    TableColumn("before", "Before", 70, decimals=2),
    TableColumn("after", "After", 70, decimals=2),
    TableColumn("change", "Change", 70),
    TableColumn("read", "Read", 150, "How many texts, and how many of their tokens count."),
)


def change_strip(codec: TextCodec, text: CountedText, before: FloatArray, after: FloatArray) -> list[StripToken]:
    """The tokens that count, from the first of them on, coloured by how much likelier each became."""
    start, strip = int(text.places[0]) if text.places.size else len(text.ids), list[StripToken]()
    for place in range(start, len(text.ids)):
        token = text.ids[place]
        piece = codec.piece(token, text.ids[max(0, place - CONTEXT_TAIL) : place])
        shown, change = glyphs(piece) or "␀", float(after[place] - before[place])
        ground = _ground(change)
        lines = (
            f"{shown}  ·  id {token}",
            f"{_probability(before[place])} before, {_probability(after[place])} after",
            f"{change:+.3f} nats",
        )
        kind = "step special" if codec.is_special(token) else "step"
        strip.append(StripToken(shown, ", ".join(lines), kind, lines, (), ground, ink_on(ground), piece.endswith("\n")))
    return strip


def _ground(change: float) -> str:
    """Orange for what lost, violet for what gained, pale between."""
    position = (min(max(change / MOST_CHANGE, -1.0), 1.0) + 1) / 2 * (len(DIVERGING) - 1)
    low = min(int(position), len(DIVERGING) - 2)
    share, parts = position - low, list[int]()
    for at in (1, 3, 5):
        one, two = (int(DIVERGING[low + step][at : at + 2], 16) for step in (0, 1))
        parts.append(round(one + (two - one) * share))
    return "#{:02X}{:02X}{:02X}".format(*parts)


def _probability(logprob: float) -> str:
    return percent(math.exp(float(logprob)))


def change_table(codec: TextCodec, text: CountedText, before: FloatArray, after: FloatArray) -> TableData:
    """The tokens of the text that gained most, then those that lost most."""
    gained, lost = largest_changes(text, after - before, LARGEST)
    start, rows = int(text.places[0]) if text.places.size else 0, list[dict[str, object]]()
    for place in (*gained, *reversed(lost)):
        piece = codec.piece(text.ids[place], text.ids[max(0, place - CONTEXT_TAIL) : place])
        rows.append(
            {
                "token": glyphs(piece) or "␀",
                "place": place - start + 1,
                "before": _probability(before[place]),
                "after": _probability(after[place]),
                "change": f"{float(after[place] - before[place]):+.3f}",
            }
        )
    return TableData(_CHANGES, tuple(rows))


def perplexity_table(sets: Sequence[SetPerplexity]) -> TableData:
    """One row a set of texts."""
    rows = [
        {
            "name": each.name,
            "before": each.before,
            "after": each.after,
            "change": f"{each.after / each.before - 1:+.1%}",
            "read": f"{each.texts} of {each.of}, {each.tokens:,} tokens" if each.of > 1 else f"{each.tokens:,} tokens",
        }
        for each in sets
    ]
    return TableData(_SETS, tuple(rows))


def moved_sentence(sets: Sequence[SetPerplexity], heldout: str, neutral: Sequence[str]) -> str:
    """Whether what was learnt carries over, and whether something was forgotten; plain text, only what the numbers say."""
    by_name = {each.name: each for each in sets}
    said = list[str]()
    if heldout in by_name:
        one = by_name[heldout]
        verb = "carries over to" if one.after < one.before else "does not carry over to"
        said.append(
            f"What was learnt {verb} the held-out pairs: perplexity {one.before:,.2f} before, {one.after:,.2f} after."
        )
    worse = [by_name[name] for name in neutral if name in by_name and by_name[name].after > 1.05 * by_name[name].before]
    if worse:
        most = max(worse, key=lambda each: each.after / each.before)
        said.append(
            f"Something was forgotten: {most.name[0].lower()}{most.name[1:]} that the training was not about is less likely "
            f"than before ({most.after / most.before - 1:+.0%} perplexity)."
        )
    elif any(name in by_name for name in neutral):
        said.append("None of the neutral texts became less likely by more than 5%.")
    return " ".join(said)
