"""What is asked of a tokenizer here, whoever wrote it: ids of many texts, and the pieces of one with their exact bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from playground.errors import BadPrompt

LONGEST_TEXT = 2_000_000  # characters of one text

TEXT, BYTES, UNKNOWN = "text", "bytes", "unknown"


@dataclass(frozen=True, slots=True)
class TokenizerFacts:
    """``name`` is what links and commands call it; ``licence`` that of the vocabulary, ``source`` where the file is from.

    ``content``: a digest of a stranger's file, whose name says nothing; "" for one of the catalogue.
    """

    name: str
    label: str
    licence: str
    source: str
    vocab_size: int
    content: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """One token of a text. ``data``: the bytes of the text that it stands for.

    ``kind``: "text"; "bytes" for one that holds a part of a character only; "unknown" for one that stands for what the
    vocabulary does not have, and loses it.
    """

    id: int
    data: bytes
    kind: str


class Tokenizer(Protocol):
    """Safe to call from any thread. What is typed is text: a spelt-out special token is no special token."""

    @property
    def facts(self) -> TokenizerFacts: ...

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text, without special tokens. Raises BadPrompt for half a character and for a text too long."""

    def pieces(self, text: str) -> list[Piece]:
        """The tokens of ``text``; their bytes joined are those of the text, unless the tokenizer changes or loses some."""


def kind_of(data: bytes) -> str:
    """Whether bytes are whole characters.

    >>> kind_of("é".encode()), kind_of(b"\\xc3")
    ('text', 'bytes')
    """
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return BYTES
    return TEXT


def check_texts(texts: Sequence[str]) -> None:
    """Raise BadPrompt for what no tokenizer should be given."""
    for text in texts:
        if len(text) > LONGEST_TEXT:
            raise BadPrompt(
                f"A text has {len(text):,} characters; at most {LONGEST_TEXT:,} are tokenized at once: shorten it.",
                "text",
            )
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise BadPrompt(
                f"The text has half a character (a lone surrogate) at position {error.start + 1}: delete it there.",
                "text",
            ) from None


def text_of(pieces: Sequence[Piece]) -> bytes:
    """What the pieces spell together."""
    return b"".join(piece.data for piece in pieces)
