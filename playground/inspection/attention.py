"""Attention weights made ready to be looked at: which heads, with or without the first token, and their figures.

Arithmetic on an ``AttentionPass``; knows no model and no picture. A weight says where a head's average of values came
from; it is not an explanation of what the model answers (Jain and Wallace 2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from playground.engine.attention_data import AttentionPass, BoolArray, LayerAttention
from playground.engine.types import FloatArray
from playground.errors import BadInput
from playground.numerics import entropy_of_weights

_NOTHING_LEFT = 1e-6  # a query that gives the first token more than all but this has nothing to be shared out
REDUCTIONS = ("mean", "min", "max")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which heads: a layer's number in the model (None: all layers), its heads (none named: all), and how they merge."""

    layer: int | None = 0
    heads: tuple[int, ...] = (0,)
    how: str = "mean"

    @property
    def single(self) -> bool:
        return self.layer is not None and len(self.heads) == 1

    @property
    def text(self) -> str:
        """As written in a link: ``3.2`` one head, ``3.0+2.max`` several, ``3.all.mean`` a layer, ``all.mean``."""
        if self.layer is None:
            return f"all.{self.how}"
        heads = "+".join(map(str, self.heads)) or "all"
        return f"{self.layer}.{heads}" if self.single else f"{self.layer}.{heads}.{self.how}"

    @property
    def title(self) -> str:
        """In words: "Layer 3, head 2"."""
        how = {"mean": "mean", "min": "smallest", "max": "largest"}[self.how]
        if self.layer is None:
            return f"All layers and heads, {how} weight"
        if self.single:
            return f"Layer {self.layer}, head {self.heads[0]}"
        return f"Layer {self.layer}, {how} weight of " + (
            f"heads {', '.join(map(str, self.heads))}" if self.heads else "all heads"
        )


def read_selection(text: str) -> Selection:
    """A selection from its ``text``. Raises BadInput with the forms that are understood."""
    parts = text.split(".")
    how = parts.pop() if len(parts) > 1 and parts[-1] in REDUCTIONS else "mean"
    layer: int | None = None
    heads: tuple[int, ...] = ()
    try:
        if parts != ["all"]:
            left, right = parts
            layer = _number(left)
            heads = () if right == "all" else tuple(dict.fromkeys(_number(head) for head in right.split("+")))
    except ValueError:
        raise BadInput(
            f"Heads are written 3.2, 3.0+2.max, 3.all.mean or all.mean (layer, heads, how), not {text[:40]!r}.", "heads"
        ) from None
    return Selection(layer, heads, how)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 5):
        raise ValueError(text)
    return int(text)


@dataclass(frozen=True, slots=True)
class AttentionMatrix:
    """What one picture shows, for the W positions of the window.

    ``values`` (W, W) float32, query by key: NaN where the mask forbids, where the first token is hidden, and where
    nothing was left to share out. ``first`` (W,): the weight on the text's first token before it was hidden.
    ``before`` (W,): the weight on keys before the window.
    """

    selection: Selection
    start: int
    values: FloatArray
    first: FloatArray
    before: FloatArray
    first_hidden: bool

    @property
    def sink_share(self) -> float:
        """Mean weight on the first token, over the queries after it; NaN for a lone token."""
        return _mean(self.first[0 if self.start else 1 :])


def layer_of(attention: AttentionPass, number: int) -> LayerAttention:
    """The layer of that number. Raises BadInput for one that is not there or has no attention."""
    for layer in attention.layers:
        if layer.index == number:
            return layer
    numbers = [layer.index for layer in attention.layers]
    span = (
        f"{numbers[0]} to {numbers[-1]}"
        if numbers == list(range(numbers[0], numbers[-1] + 1))
        else ", ".join(map(str, numbers))
    )
    raise BadInput(f"There is no attention in layer {number}: choose one of {span}.", "layer")


def check_selection(attention: AttentionPass, selection: Selection) -> None:
    """Raises BadInput when a layer or head is not there."""
    if selection.layer is None:
        return
    heads = layer_of(attention, selection.layer).heads
    for head in selection.heads:
        if not 0 <= head < heads:
            raise BadInput(f"Layer {selection.layer} has no head {head}: its heads are 0 to {heads - 1}.", "head")


def clearest_head(attention: AttentionPass) -> Selection:
    """The head with on average the largest weight on one token, not the first nor the query's own; of a lone token the first."""
    best, place = -1.0, (attention.layers[0].index, 0)
    for layer in attention.layers:
        others = layer.weights.copy()  # (heads, W, W)
        others[:, :, 0] = 0
        others[:, np.arange(attention.width), np.arange(attention.width)] = 0
        largest = others.max(axis=-1).mean(axis=-1)  # (heads,)
        if float(largest.max()) > best:
            best, place = float(largest.max()), (layer.index, int(largest.argmax()))
    return Selection(place[0], (place[1],))


def attention_matrix(attention: AttentionPass, selection: Selection, *, hide_first: bool = False) -> AttentionMatrix:
    """The weights of the selected heads, merged. Heads are renormalised one by one before they are merged."""
    check_selection(attention, selection)
    layers = attention.layers if selection.layer is None else (layer_of(attention, selection.layer),)
    heads = list(selection.heads) if selection.layer is not None and selection.heads else None
    first = _merged([layer.first[heads] if heads else layer.first for layer in layers], "mean")
    before = _merged([layer.before[heads] if heads else layer.before for layer in layers], "mean")
    parts = [shown_weights(layer, attention.start, heads, hide_first=hide_first) for layer in layers]
    return AttentionMatrix(selection, attention.start, _merged(parts, selection.how), first, before, hide_first)


def shown_weights(
    layer: LayerAttention, start: int, heads: list[int] | None = None, *, hide_first: bool = False
) -> FloatArray:
    """(heads, W, W): weights with NaN where the mask forbids; without the first token and renormalised if asked.

    Hiding divides each row by what the first token leaves: a_ij / (1 - a_i0). The first query, which sees nothing
    else, is left blank.
    """
    weights = (layer.weights if heads is None else layer.weights[heads]).copy()  # (heads, W, W)
    visible: BoolArray = layer.visible[:, start:]  # (W, W)
    if hide_first:
        left = 1.0 - (layer.first if heads is None else layer.first[heads])  # (heads, W)
        left[left <= _NOTHING_LEFT] = np.nan
        weights /= left[:, :, None]
        if start == 0:
            weights[:, :, 0] = np.nan
    weights[:, ~visible] = np.nan
    return weights


def _merged(parts: list[FloatArray], how: str) -> FloatArray:
    """Merge over the first axis of all parts, (heads, ...) each, part by part so that memory stays small."""
    with np.errstate(invalid="ignore"):
        if how == "mean":
            total = sum(np.nan_to_num(part).sum(axis=0) for part in parts)
            count = sum((~np.isnan(part)).sum(axis=0) for part in parts)
            result: FloatArray = np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
            return result
        pick = np.fmin if how == "min" else np.fmax  # a number wins over NaN
        merged: FloatArray = pick.reduce([pick.reduce(part, axis=0) for part in parts])
        return merged


@dataclass(frozen=True, slots=True)
class HeadFigures:
    """One head in numbers, each a mean over the queries it is defined for; NaN where there is none.

    ``first``: weight on the text's first token (the sink), over the queries after it. ``previous``: on the token
    before. ``duplicate``: on earlier occurrences of the query's own token. ``induction``: on what followed those.
    ``entropy`` in nats and ``distance`` in tokens, both over the queries after the first; NaN for a window that does
    not begin at the text's start, where keys are missing.
    """

    layer: int
    head: int
    key_head: int
    first: float
    previous: float
    duplicate: float
    induction: float
    entropy: float
    distance: float


def head_figures(attention: AttentionPass) -> tuple[HeadFigures, ...]:
    """Figures of every head, layer by layer.

    Previous-token and induction heads: Elhage et al. 2021, "A mathematical framework for transformer circuits", and
    Olsson et al. 2022, "In-context learning and induction heads": the attention a head gives, on average, to the token
    such a head would attend to. On repeated random tokens no other habit can produce it. For ids (a b a): query 2
    repeats key 0, so key 0 is the duplicate's and key 1 the induction's.
    """
    ids = np.array(attention.window_ids)
    same = np.tril(ids[:, None] == ids[None, :], -1)  # (W, W): key j < query i of the same token
    after = np.zeros_like(same)
    after[:, 1:] = same[:, :-1]  # key j + 1 for each such j; j + 1 <= i
    figures: list[HeadFigures] = []
    for layer in attention.layers:
        figures += _layer_figures(attention, layer, same, after)
    return tuple(figures)


def _layer_figures(
    attention: AttentionPass, layer: LayerAttention, same: BoolArray, after: BoolArray
) -> list[HeadFigures]:
    weights, whole = layer.weights, attention.start == 0
    rows = slice(1, None) if whole else slice(None)  # the text's first query can only look at itself
    first = layer.first[:, rows]
    previous = np.diagonal(weights, -1, 1, 2)  # (heads, W - 1)
    duplicate, induction = _share(weights, same), _share(weights, after)
    unknown = np.full(layer.heads, np.nan)
    entropies = entropy_of_weights(weights[:, rows]).mean(-1) if whole and attention.width > 1 else unknown
    distances = _distance(weights)[:, rows].mean(-1) if whole and attention.width > 1 else unknown
    group = layer.heads // layer.key_heads
    return [
        HeadFigures(
            layer.index,
            head,
            head // group,
            _mean(first[head]),
            _mean(previous[head]),
            float(duplicate[head]),
            float(induction[head]),
            float(entropies[head]),
            float(distances[head]),
        )
        for head in range(layer.heads)
    ]


def _share(weights: FloatArray, wanted: BoolArray) -> FloatArray:
    """(heads,): the mean weight on the wanted keys, over the queries that have one; NaN where none has."""
    rows = wanted.any(axis=1)
    if not rows.any():
        return np.full(weights.shape[0], np.nan, np.float32)
    given = np.einsum("hqk,qk->hq", weights[:, rows], wanted[rows].astype(np.float32))
    shares: FloatArray = given.mean(axis=1)
    return shares


def _distance(weights: FloatArray) -> FloatArray:
    """(heads, W): the mean of i - j under row i's weights."""
    width = weights.shape[-1]
    steps = (np.arange(width)[:, None] - np.arange(width)[None, :]).astype(np.float32)
    result: FloatArray = np.einsum("hqk,qk->hq", weights, steps)
    return result


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if values.size else math.nan


def rollout(attention: AttentionPass) -> FloatArray:
    """Attention rollout (Abnar and Zuidema 2020, "Quantifying attention flow in transformers"): (layers, T, T).

    With A the mean over a layer's heads and I for the residual stream, each layer passes on (A + I) / 2; layer l of the
    result is the product of those up to l, so row i says how much of each input token reaches position i. Rows sum to
    1. Layers without attention pass everything on. Raises BadInput for a window that leaves keys out.
    """
    if attention.start:
        raise BadInput(
            "Rollout follows every token from the start: set the window's start to 0, or shorten the text.", "window"
        )
    identity = np.eye(attention.width, dtype=np.float32)
    reached, steps = identity, []
    for layer in attention.layers:
        reached = ((layer.weights.mean(axis=0) + identity) / 2) @ reached
        steps.append(reached)
    return np.stack(steps)
