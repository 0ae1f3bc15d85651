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
    texts = pieces(codec, candidate.ids, candidate.prompt_ids)
    return [_token(candidate, place, text, codec, scale) for place, text in enumerate(texts)]


def _token(candidate: Candidate, place: int, text: str, codec: TextCodec, scale: str) -> StripToken:
    token, shown = candidate.ids[place], glyphs(text)
    value, before = float(candidate.raw_logprobs[place]), float(candidate.entropies[place])
    lines = [
        f"{shown}  ·  id {token}  ·  token {place + 1}",
        f"raw {percent(math.exp(value))}, log-probability {logprob(value)}",
        f"final {percent(float(candidate.probs[place]))}; entropy before it {entropy(before)}",
    ]
    top = candidate.top_logprobs[place]
    if len(top) and value < float(top[0]) - 1e-4:
        lines.append(f"the likeliest token there had raw {percent(math.exp(float(top[0])))}")
    ground, ink = token_colours(scale, TokenFigures(value, 0, before))
    return StripToken(
        text=shown,
        label=", ".join(lines),
        kind="step special" if codec.is_special(token) else "step",
        lines=tuple(lines),
        background=ground,
        ink=ink,
        breaks=text.endswith("\n"),
    )
