"""What a chat template puts around a message, token by token. Knows a codec and no model's numbers.

Which tokens are the template's is found by reading other messages in the same template: what does not change is its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from playground.engine.api import TextCodec
from playground.engine.text.prompt import encode_prompt
from playground.engine.types import TokenIds
from playground.inspection.next_token import CONTEXT_TAIL

_PROBES = ("zq 7", "7 qz", "Nu?")
_ROLES = ("system", "user", "assistant", "model", "human", "tool")


@dataclass(frozen=True, slots=True)
class TemplateToken:
    """One token of a message as it is read. ``about``: why it stands there; "" for what was typed."""

    id: int
    text: str
    added: bool
    about: str = ""


def template_tokens(codec: TextCodec, text: str, system: str = "") -> tuple[TemplateToken, ...]:
    """Each token of ``text`` as one user message, and which of them nobody typed. Errors as ``encode_prompt``'s.

    A token in which the template's text and typed text are joined counts as typed.
    """
    ids = encode_prompt(codec, text, chat=True, system=system or None)
    typed = [_changing(ids, [encode_prompt(codec, probe, chat=True, system=system or None) for probe in _others(text)])]
    if system:
        typed.append(_changing(ids, [encode_prompt(codec, text, chat=True, system=one) for one in _others(system)]))
    tokens = []
    for place, token in enumerate(ids):
        added = not any(place in span for span in typed)
        piece = codec.piece(token, ids[max(0, place - CONTEXT_TAIL) : place])
        tokens.append(TemplateToken(token, piece, added, _about(codec, ids, place, piece) if added else ""))
    return tuple(tokens)


def _others(text: str) -> list[str]:
    """Texts that begin and end otherwise, so that what stays the same is not theirs."""
    shown = text.strip()
    return [probe for probe in _PROBES if not shown or (probe[0] != shown[0] and probe[-1] != shown[-1])][:2]


def _changing(ids: TokenIds, others: Sequence[TokenIds]) -> range:
    """The places of ``ids`` that are not the same in the ``others``, from the front and from the back."""
    front = min(_same(ids, other) for other in others)
    back = min(_same(ids[::-1], other[::-1]) for other in others)
    return range(front, max(front, len(ids) - back))


def _same(ids: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    pairs = enumerate(zip(ids, other, strict=False))
    return next((place for place, (one, two) in pairs if one != two), min(len(ids), len(other)))


def _about(codec: TextCodec, ids: TokenIds, place: int, piece: str) -> str:
    """Why the template has this token, as far as a token itself says."""
    word = piece.strip()
    if codec.is_special(ids[place]):
        if ids[place] in codec.eos_token_ids:
            return "Special token: the message ends here. The model writes it itself when its answer is complete."
        if place == 0 and ids[: len(codec.start_ids)] == codec.start_ids:
            return "Special token: every text of this model begins with it."
        return "Special token: a message begins here. No typed text can make it."
    if not word:
        return "Layout that the template fixes."
    if word.lower() in _ROLES:
        return f"Whose message follows: the {word.lower()}'s."
    return "Words of the template itself: the model reads them with every message, though nobody typed them."
