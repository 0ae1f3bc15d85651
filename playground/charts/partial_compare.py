"""Several settings over one row that is listed in part: bars solid up to the lower bound, hatched on to the upper one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from playground.charts.compare import NOW, CompareData, named_tokens, settings_words, shown_tokens
from playground.charts.numbers import choices
from playground.engine.api import TextCodec
from playground.engine.text.display import glyphs
from playground.inspection.next_token import CONTEXT_TAIL
from playground.sampling.orders import order_name
from playground.sampling.partial_chain import PartialNext
from playground.sampling.partial_compare import certain_difference, kl_divergence

if TYPE_CHECKING:
    import pandas


def partial_compare_data(views: Mapping[str, PartialNext], codec: TextCodec) -> CompareData:
    """The listed tokens that can be likeliest under any of the settings of which something is known, and the rest last."""
    known = {name: item for name, item in views.items() if item.trace.final is not None}
    bounds = [np.stack([item.trace.final_probs() for item in known.values()], axis=1)] if known else []
    if not bounds:
        empty = np.zeros((0, 0), dtype=np.float32)
        return CompareData((), (), empty, empty)
    low, high = bounds[0]  # (settings, k) each
    best = high.max(axis=0)
    places = [place for place in np.argsort(-best, kind="stable")[: shown_tokens(len(known)) - 1] if best[place] > 0]
    first = next(iter(known.values()))
    ids = first.trace.raw.ids
    labels = [glyphs(codec.piece(int(ids[place]), first.ids[-CONTEXT_TAIL:])) for place in places]
    rest = np.array([item.trace.final_rest() for item in known.values()])  # (settings, 2)
    low, high = np.column_stack([low[:, places], rest[:, 0]]), np.column_stack([high[:, places], rest[:, 1]])
    return CompareData(
        tuple(known), (*labels, "not told"), low.astype(np.float32), (high - low).clip(0).astype(np.float32)
    )


def partial_difference_table(views: Mapping[str, PartialNext], codec: TextCodec) -> pandas.DataFrame:
    """One row a setting: what is certain of it and of its difference from the present one."""
    import pandas as pd  # only a table needs it, and the first bars need not wait for it

    now = views[NOW].trace
    rows = []
    for name, item in views.items():
        trace = item.trace
        gained, lost = certain_difference(trace, now)
        divergence = kl_divergence(now, trace)
        rows.append(
            {
                "": "Now" if name == NOW else name,
                "order": order_name(item.settings.order) or "own",
                "final": {"unknown": "not known"}.get(trace.verdict, trace.verdict),
                "kept": "" if trace.final is None else counts(trace.final.left),
                "exp H": "" if trace.final is None else _choices(trace.final.entropy()),
                "KL, nats": "" if name == NOW else _divergence(divergence),
                "gained now": "" if name == NOW else named_tokens(gained, codec, item.ids),
                "lost now": "" if name == NOW else named_tokens(lost, codec, item.ids),
                "chain": settings_words(item.settings),
            }
        )
    return pd.DataFrame(rows)


def counts(bounds: tuple[float, float]) -> str:
    """How many tokens, as a number or as two."""
    if math.isinf(bounds[1]):
        return "not known"
    low, high = (f"{int(bound):,}" for bound in bounds)
    return low if low == high else f"{low} to {high}"


def _choices(entropy: tuple[float, float]) -> str:
    low, high = (choices(bound) for bound in entropy)
    return low if low == high else f"{low} to {high}"


def _divergence(value: float | None) -> str:
    return "open" if value is None else "∞" if math.isinf(value) else f"{value:.4f}"
