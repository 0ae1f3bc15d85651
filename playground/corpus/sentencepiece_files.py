"""Vocabularies with scores (SentencePiece), read by Google's library; from a .model file or from a GGUF file's header."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.corpus.tokenizer import UNKNOWN, Piece, TokenizerFacts, check_texts, kind_of, text_of
from playground.errors import BadPrompt, ModelCorrupt
from playground.models.foreign import foreign_errors
from playground.models.gguf_file import GgufFile
from playground.models.wording import reason_text

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

_SPACE = "▁"
_USER_DEFINED = 4


class ScoreTokenizer:
    """A tokenizer of sentencepiece."""

    def __init__(self, facts: TokenizerFacts, processor: SentencePieceProcessor) -> None:
        self.facts, self._processor = facts, processor

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        check_texts(texts)
        with foreign_errors(self._cannot_read):
            return [list(self._processor.encode(text)) for text in texts]

    def pieces(self, text: str) -> list[Piece]:
        """Some vocabularies put a space before a text: it is no part of the first piece."""
        (ids,) = self.encode_all([text])
        pieces = [self._piece(token) for token in ids]
        if pieces and text_of(pieces) == b" " + text.encode():
            pieces[0] = Piece(pieces[0].id, pieces[0].data[1:], pieces[0].kind)
        return pieces

    def _piece(self, token: int) -> Piece:
        name = str(self._processor.id_to_piece(token))
        if self._processor.is_unknown(token):
            return Piece(token, b"", UNKNOWN)
        data = bytes([int(name[3:5], 16)]) if self._processor.is_byte(token) else name.replace(_SPACE, " ").encode()
        return Piece(token, data, kind_of(data))

    def _cannot_read(self, error: BaseException) -> BadPrompt:
        return BadPrompt(f"{self.facts.label} could not read this text ({reason_text(error)}): change it.", "text")


def open_model(facts: Callable[[int], TokenizerFacts], path: Path) -> ScoreTokenizer:
    """A SentencePiece .model file. Raises ModelCorrupt."""
    return _open(facts, path, path.read_bytes)


def open_gguf(facts: Callable[[int], TokenizerFacts], path: Path) -> ScoreTokenizer:
    """The vocabulary in a GGUF file's header, of which only the first part may be there. Raises ModelCorrupt."""
    return _open(facts, path, lambda: model_of(GgufFile(path, header_only=True).values))


def _open(facts: Callable[[int], TokenizerFacts], path: Path, read: Callable[[], bytes]) -> ScoreTokenizer:
    def corrupt(error: BaseException) -> ModelCorrupt:
        return ModelCorrupt(f"{path.name} holds no SentencePiece vocabulary ({reason_text(error)}).")

    with foreign_errors(corrupt):
        from sentencepiece import SentencePieceProcessor

        processor = SentencePieceProcessor(model_proto=read())
    return ScoreTokenizer(facts(int(processor.get_piece_size())), processor)


def model_of(values: dict[str, Any]) -> bytes:
    """A SentencePiece model of a GGUF header's tokens, scores and types, which are SentencePiece's own numbers.

    The protocol buffer ``ModelProto`` of sentencepiece_model.proto, written by hand: pieces (1: piece 1, score 2, type 3),
    trainer (2: model_type 3 = BPE, byte_fallback 35) and normaliser (3: no dummy prefix, no squeezing of spaces).
    """
    tokens, scores, types = (values[f"tokenizer.ggml.{name}"] for name in ("tokens", "scores", "token_type"))
    prefix = bool(values.get("tokenizer.ggml.add_space_prefix", True))
    parts = [
        _field(
            1, _field(1, _spelt(token, kind).encode()) + b"\x15" + struct.pack("<f", score) + b"\x18" + _varint(kind)
        )
        for token, score, kind in zip(tokens, scores, types, strict=True)
    ]
    trainer = b"\x18\x02" + _tag(35, 0) + b"\x01"
    normaliser = _field(1, b"identity") + b"\x18" + _varint(int(prefix)) + b"\x20\x00" + b"\x28\x01"
    return b"".join([*parts, _field(2, trainer), _field(3, normaliser)])


def _spelt(token: str, kind: int) -> str:
    """Runs of spaces are user-defined tokens, which GGUF files spell with spaces, unlike all others."""
    return token.replace(" ", _SPACE) if kind == _USER_DEFINED else token


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def _tag(number: int, wire: int) -> bytes:
    return _varint(number << 3 | wire)


def _field(number: int, data: bytes) -> bytes:
    return _tag(number, 2) + _varint(len(data)) + data
