"""The text so far as a strip of tokens: what each is, how likely it was, and what was stepped back over."""

from __future__ import annotations

import math

from playground.charts.numbers import entropy, logprob, percent
from playground.charts.token_strip import StripToken
from playground.engine.api import TextCodec
from playground.engine.text.display import glyphs
from playground.engine.types import SequenceScore, TokenIds
from playground.inspection.next_token import CONTEXT_TAIL

SHOWN_TOKENS = 400


def text_tokens(
    codec: TextCodec, ids: TokenIds, prompt_length: int, later: TokenIds, score: SequenceScore | None
) -> tuple[list[StripToken], int]:
    """The strip's tokens and the place of the first one shown in the whole text.

    ``ids`` are prompt and accepted tokens, ``later`` those stepped back over; ``score`` is of ``ids``, where there is one.
    """
    whole = ids + later
    first = max(0, len(whole) - SHOWN_TOKENS)
    tokens = []
    for place in range(first, len(whole)):
        text = codec.piece(whole[place], whole[max(0, place - CONTEXT_TAIL) : place])
        shown, past = glyphs(text) or "␀", place >= len(ids)
        accepted = "step" if place >= prompt_length else "prompt"
        kind = "ghost" if past else "special" if codec.is_special(whole[place]) else accepted
        about = ["stepped back over: press Forth to return to it"] if past else _score_lines(place, score)
        lines = (f"{shown}  ·  id {whole[place]}", *about)
        tokens.append(StripToken(shown, ", ".join(lines), kind, lines, breaks=text.endswith("\n")))
    return tokens, first


def _score_lines(place: int, score: SequenceScore | None) -> list[str]:
    if score is None:
        return ["probability not computed"]
    value = float(score.logprobs[place])
    if math.isnan(value):
        return ["first token: nothing comes before it, so it has no probability"]
    rank, before = score.rank_at(place), float(score.entropies[place])
    rank_text = "rank unknown" if rank is None else f"rank {rank + 1:,}"
    return [
        f"raw probability {percent(math.exp(value))}, log-probability {logprob(value)}",
        f"{rank_text}, entropy before it {'unknown' if math.isnan(before) else entropy(before)}",
    ]
