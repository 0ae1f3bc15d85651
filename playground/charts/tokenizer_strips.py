"""One text as each tokenizer cuts it: the strip's tokens and the line above it. Knows no streamlit."""

from __future__ import annotations

from collections.abc import Sequence

from playground.charts.token_strip import StripToken
from playground.corpus.tokenizer import BYTES, UNKNOWN, Piece, text_of
from playground.engine.text.display import glyphs
from playground.engine.text.utf8 import added_text

SHOWN = 400
_ABOUT = {
    BYTES: "a part of a character: the vocabulary has no token for it and falls back to bytes",
    UNKNOWN: "unknown to this vocabulary: what stood here is lost",
}


def piece_tokens(pieces: Sequence[Piece], most: int = SHOWN) -> list[StripToken]:
    """The first ``most`` of the strip. What is a part of a character, or unknown, is marked and says so."""
    tokens = []
    for piece in pieces[:most]:
        shown = "⟨unknown⟩" if piece.kind == UNKNOWN else glyphs(added_text(b"", piece.data)) if piece.data else "∅"
        size = len(piece.data)
        lines = [f"{shown}  ·  id {piece.id}", f"{size} byte{'' if size == 1 else 's'}: {piece.data.hex(' ').upper()}"]
        if piece.kind in _ABOUT:
            lines.append(_ABOUT[piece.kind])
        kind = {BYTES: "prompt special", UNKNOWN: "prompt forbidden"}.get(piece.kind, "prompt")
        tokens.append(StripToken(shown, ", ".join(lines), kind, tuple(lines), breaks=piece.data.endswith(b"\n")))
    return tokens


def strip_line(pieces: Sequence[Piece], text: str) -> str:
    """Counts of one strip, as plain text: tokens, bytes a token, and how many are no whole characters or unknown."""
    size = len(text.encode())
    parts = [f"{len(pieces):,} tokens", f"{size / len(pieces):.2f} bytes a token" if pieces else "nothing to cut"]
    for kind, words in ((BYTES, "parts of characters"), (UNKNOWN, "unknown")):
        count = sum(piece.kind == kind for piece in pieces)
        if count:
            parts.append(f"{count:,} {words}")
    if text_of(pieces) != text.encode():
        parts.append("not the same text when read back")
    if len(pieces) > SHOWN:
        parts.append(f"the first {SHOWN} are shown")
    return " · ".join(parts)
