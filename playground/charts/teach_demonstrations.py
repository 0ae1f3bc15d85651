"""What is taught: a demonstration's tokens with the loss mask on them, and what a set of them takes, beside InstructGPT's."""

from __future__ import annotations

from dataclasses import dataclass

from playground.charts.numbers import percent, scientific
from playground.charts.table import TableColumn, TableData
from playground.charts.token_strip import StripToken
from playground.engine.api import TextCodec
from playground.engine.text.display import glyphs
from playground.inspection.next_token import CONTEXT_TAIL
from playground.training.masks import MaskedText

SHOWN_TOKENS = 400
CHEAP_USD, DEAR_USD = 10, 25  # a pair written by a labeller: the two figures the course notes give
INSTRUCT_PAIRS, INSTRUCT_SHARE = 13_000, 0.02  # InstructGPT's demonstrations, and its post-training's share of compute
_COLUMNS = (
    TableColumn("what", "", 220),
    TableColumn("here", "These demonstrations", 250),
    TableColumn("instruct", "InstructGPT, as the notes have it", 260),
)


@dataclass(frozen=True, slots=True)
class SetCosts:
    """What a set of demonstrations takes. ``flops`` and ``share``: of the training, and of pre-training; None: not known."""

    pairs: int
    tokens: int
    taught: int
    epochs: int
    flops: float | None = None
    share: float | None = None


def mask_strip(codec: TextCodec, text: MaskedText) -> list[StripToken]:
    """Underlined what counts in the loss; each token says whether it does and why."""
    strip = []
    for place, token in enumerate(text.ids[:SHOWN_TOKENS]):
        piece = codec.piece(token, text.ids[max(0, place - CONTEXT_TAIL) : place])
        shown, special = glyphs(piece) or "␀", codec.is_special(token)
        counted = text.counted[place]
        why = "counts in the loss" if counted else _uncounted(place, text)
        kind = " ".join(filter(None, ("step" if counted else "prompt", "special" if special else "")))
        lines = (f"{shown}  ·  id {token}", why)
        strip.append(StripToken(shown, ", ".join(lines), kind, lines, breaks=piece.endswith("\n")))
    return strip


def _uncounted(place: int, text: MaskedText) -> str:
    if place == 0:
        return "does not count: nothing comes before it, so nothing predicts it"
    return (
        "does not count: it is read, and not learnt to be written" if place < text.prompt_tokens else "does not count"
    )


def cost_table(costs: SetCosts) -> TableData:
    """Pairs, tokens, compute and money beside InstructGPT's."""
    low, high = costs.pairs * CHEAP_USD, costs.pairs * DEAR_USD
    share = "not known for this model" if costs.share is None else percent(costs.share)
    rows = (
        ("Pairs", f"{costs.pairs:,}", f"about {INSTRUCT_PAIRS:,}"),
        (
            "Labels, at $10 to $25 a pair",
            f"${low:,} to ${high:,}",
            f"${INSTRUCT_PAIRS * CHEAP_USD:,} to ${INSTRUCT_PAIRS * DEAR_USD:,}",
        ),
        ("Tokens in one epoch", f"{costs.tokens:,}, of which {costs.taught:,} count", ""),
        (f"Tokens in {costs.epochs} epochs", f"{costs.tokens * costs.epochs:,}", ""),
        ("Compute", "not known" if costs.flops is None else f"{scientific(costs.flops, 2)} FLOPs", ""),
        ("Share of pre-training's compute", share, f"about {percent(INSTRUCT_SHARE)}, all of post-training"),
    )
    return TableData(_COLUMNS, tuple({"what": a, "here": b, "instruct": c} for a, b, c in rows))
