"""What an engine that samples by itself told of a token's alternatives, as bars: raw probabilities alone.

The same component paints them as those of a whole row (``charts/bars.py``); there are no final bars, because such an engine
does not tell what its samplers made of them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from playground.charts.bars import axis_share, axis_ticks
from playground.charts.numbers import logprob, percent
from playground.engine.text.display import glyphs

if TYPE_CHECKING:
    from playground.engine.api import TextCodec
    from playground.generation import TokenStep


def step_bars(step: TokenStep, codec: TextCodec, before: tuple[int, ...], vocab_size: int) -> dict[str, Any]:
    """The payload of the bars: the told tokens, the drawn one among them, and all others as one. ``before``: the ids in
    front of it."""
    logprobs = {other.id: other.raw_logprob for other in step.top}
    if step.id is not None and step.raw_logprob is not None:
        logprobs.setdefault(step.id, step.raw_logprob)
    rows = [(token, glyphs(codec.piece(token, before)), value) for token, value in logprobs.items()]
    rest = max(0.0, 1.0 - sum(math.exp(value) for value in logprobs.values()))
    top = max([rest, *map(math.exp, logprobs.values()), 1e-9])
    others = vocab_size - len(rows)
    return {
        "rows": (
            *(_row(token, label, value, top, step.id) for token, label, value in rows),
            _others(others, rest, top),
        ),
        "ticks": tuple(axis_ticks(top, log=False)),
        "cutRow": -1,
        "cutText": "",
        "bounded": False,
        "description": (
            f"Bar chart of the {len(rows)} tokens that the engine told of at this step, raw probabilities: "
            f"{', '.join(f'{label} {percent(math.exp(value))}' for _token, label, value in rows[:5])}. "
            f"The other {others:,} tokens have {percent(rest)}."
        ),
    }


def _row(token: int, label: str, value: float, top: float, chosen: int | None) -> dict[str, Any]:
    raw, drawn = percent(math.exp(value)), token == chosen
    return {
        **_bar(label, math.exp(value), raw, top),
        "pick": token,
        "chosen": drawn,
        "lines": [
            label + (" (drawn)" if drawn else ""),
            f"id {token}",
            f"raw {raw}, log-probability {logprob(value)}",
            "final not told by this engine",
        ],
    }


def _others(count: int, rest: float, top: float) -> dict[str, Any]:
    name, raw = f"others ({count:,})", percent(rest)
    return {**_bar(name, rest, raw, top), "pick": -1, "chosen": False, "lines": [name, f"raw {raw}"]}


def _bar(label: str, probability: float, raw: str, top: float) -> dict[str, Any]:
    return {
        "label": label,
        "raw": axis_share(probability, top, log=False),
        "final": 0.0,
        "rawText": raw,
        "finalText": "",
        "untold": True,
        "removed": False,
        "table": [],
    }
