"""How one attention weight comes about: dot product, scaling, softmax. And the text that shows what heads do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from playground.engine.api import TextCodec
from playground.engine.attention_data import AttentionPass
from playground.engine.attention_scores import attention_scores, masked_softmax
from playground.engine.types import FloatArray, TokenIds
from playground.errors import BadInput, CapabilityMissing
from playground.inspection.attention import Selection, check_selection, layer_of
from playground.models.info import ModelInfo

RANDOM_TOKENS = 50  # drawn once and repeated, as in the papers


@dataclass(frozen=True, slots=True)
class WeightParts:
    """One query of one head, key by key. Arrays are (keys,): all positions of the text up to the query.

    ``dots`` are q·k; ``scores`` those times ``scale`` (1/√d in most models), after a ``softcap`` where the model has
    one; ``weights`` their softmax over the ``visible`` keys; ``recorded`` what the model used for the keys inside the
    window, NaN before it. ``sharing`` lists the query heads that use the same keys.
    """

    layer: int
    head: int
    query: int
    key_head: int
    sharing: tuple[int, ...]
    depth: int
    scale: float
    softcap: float | None
    dots: FloatArray
    scores: FloatArray
    weights: FloatArray
    visible: np.typing.NDArray[np.bool_]
    recorded: FloatArray

    @property
    def error(self) -> float:
        """The largest difference between the softmax of the scores and what the model used."""
        return float(np.nanmax(np.abs(self.weights - self.recorded)))


def weight_parts(attention: AttentionPass, layer: int, head: int, query: int) -> WeightParts:
    """Take the weights of position ``query`` (in the whole text) apart.

    Raises CapabilityMissing where the architecture shows no queries and keys, BadInput outside of the window.
    """
    check_selection(attention, Selection(layer, (head,)))
    chosen = layer_of(attention, layer)
    if chosen.queries is None or chosen.keys is None:
        raise CapabilityMissing(
            f"Layer {layer} does not show its queries and keys, or they alone do not give its weights: "
            "look at its weights under Heads."
        )
    if not attention.start <= query < attention.end:
        raise BadInput(
            f"Position {query} is outside of the window: choose {attention.start} to {attention.end - 1}.", "query"
        )
    row, group, keys = query - attention.start, chosen.heads // chosen.key_heads, query + 1
    own, shared = (
        chosen.queries[head : head + 1, row : row + 1],
        chosen.keys[head // group][None, :keys],
    )
    scores = attention_scores(own, shared, chosen.scale, chosen.softcap)  # (1, 1, keys)
    visible = chosen.visible[row, :keys]
    recorded = np.full(keys, np.nan, np.float32)
    recorded[attention.start :] = chosen.weights[head, row, : keys - attention.start]
    return WeightParts(
        layer=layer,
        head=head,
        query=query,
        key_head=head // group,
        sharing=tuple(range(head // group * group, (head // group + 1) * group)),
        depth=int(own.shape[-1]),
        scale=chosen.scale,
        softcap=chosen.softcap,
        dots=(own @ shared.transpose(0, 2, 1))[0, 0],
        scores=scores[0, 0],
        weights=masked_softmax(scores, visible[None])[0, 0],
        visible=visible,
        recorded=recorded,
    )


def repeated_random_ids(info: ModelInfo, codec: TextCodec, *, count: int = RANDOM_TOKENS, seed: int = 0) -> TokenIds:
    """The model's start token where it has one, then distinct random tokens, then the same ones again.

    Olsson et al. 2022: on such a text only a look at the earlier occurrence can tell what comes next. Special tokens
    are left out. Fewer than ``count`` where vocabulary or context is small.
    """
    start = codec.start_ids[:1]
    room = (info.context_length - len(start)) // 2
    order = np.random.default_rng(seed).permutation(info.vocab_size)
    drawn: list[int] = []
    for token in map(int, order):
        if len(drawn) >= min(count, room):
            break
        if not codec.is_special(token):
            drawn.append(token)
    return (*start, *drawn, *drawn)
