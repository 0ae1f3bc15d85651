"""One candidate of best-of-N as a token strip: its colours and what stands in each token's card."""

from __future__ import annotations

import math

from playground.charts.numbers import entropy, logprob, percent
from playground.charts.token_colours import TokenFigures, token_colours
from playground.charts.token_strip import StripToken
from playground.engine.api import TextCodec
from playground.engine.text.display import glyphs
from playground.generation.document import pieces
from playground.testtime.types import Candidate

STRIP_SCALES = ("probability", "surprise", "entropy")  # a candidate keeps no ranks


def candidate_tokens(candidate: Candidate, codec: TextCodec, scale: str) -> list[StripToken]:
    """All tokens of a candidate, the ending one included."""
    ids = tuple(token for token in candidate.ids if token is not None)
    texts = candidate.pieces or pieces(codec, ids, candidate.prompt_ids)
    return [_token(candidate, place, text, codec, scale) for place, text in enumerate(texts)]


def _token(candidate: Candidate, place: int, text: str, codec: TextCodec, scale: str) -> StripToken:
    token, shown = candidate.ids[place], glyphs(text)
    value, final, before = (
        float(values[place]) for values in (candidate.raw_logprobs, candidate.probs, candidate.entropies)
    )
    lines = [f"{shown}  ·  id {'not told' if token is None else token}  ·  token {place + 1}"]
    if not math.isnan(value):
        lines.append(f"raw {percent(math.exp(value))}, log-probability {logprob(value)}")
    if not math.isnan(final):
        lines.append(f"final {percent(final)}; entropy before it {entropy(before)}")
    top = candidate.top_logprobs[place]
    if len(top) and value < float(top[0]) - 1e-4:
        lines.append(f"the likeliest token there had raw {percent(math.exp(float(top[0])))}")
    ground, ink = token_colours(scale, TokenFigures(value, 0, before))
    return StripToken(
        text=shown,
        label=", ".join(lines),
        kind="step special" if token is not None and codec.is_special(token) else "step",
        lines=tuple(lines),
        background=ground,
        ink=ink,
        breaks=text.endswith("\n"),
    )
