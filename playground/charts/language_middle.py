"""Sentences of one language that become one sentence of another, and the way back, as one drawing. Knows no streamlit."""

from __future__ import annotations

from html import escape

from playground.charts.boxes import Box, arrow, boxes_svg
from playground.charts.palette import INK
from playground.corpus.pronouns import ADDRESSES, ENGLISH

_ROW = 46
_MIDDLE = (len(ADDRESSES) - 1) * _ROW / 2
_SIZE = 980, len(ADDRESSES) * _ROW


def middle_svg() -> str:
    """Who speaks to whom, what he says, the one English sentence, and a question mark where it is translated back."""
    boxes = {
        f"{place}": Box(290, 4 + _ROW * place, escape(f"{each.vietnamese} ({each.own} · {each.other})"), 230)
        for place, each in enumerate(ADDRESSES)
    }
    boxes |= {
        "english": Box(610, 4 + _MIDDLE, escape(ENGLISH), 130),
        "back": Box(830, 4 + _MIDDLE, "which of them?", 140),
    }
    who = [
        f'<text x="280" y="{4 + _ROW * place + 20}" text-anchor="end" fill="{INK}">{escape(each.who)}</text>'
        for place, each in enumerate(ADDRESSES)
    ]
    ways = [(name, "english") for name in boxes if name.isdigit()]
    more = "".join(who) + arrow(boxes["english"].right, boxes["back"].left)
    return boxes_svg(_SIZE, boxes, ways, ("english",), more)


def middle_description() -> str:
    """The drawing in words."""
    said = "; ".join(f"{each.vietnamese} ({each.who})" for each in ADDRESSES)
    return f"{len(ADDRESSES)} Vietnamese sentences, each in English {ENGLISH} {said}. Which is meant, the way back must guess."
