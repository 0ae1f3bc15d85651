"""The exact bytes of every token of a tokenizer.

A tokenizer stores its tokens in an alphabet of its own: byte-level BPE writes each byte as one printable character
(GPT-2), sentencepiece writes a space as ``▁`` and stray bytes as ``<0xF0>``. Where neither alphabet is recognised,
a token's text is what it adds to a decoded context. Knows nothing of models and pages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_BYTE_TOKEN = re.compile(r"<0x([0-9A-Fa-f]{2})>")
_METASPACE = "▁"
_DECODED_BROKEN = "\ufffd"


def byte_alphabet() -> dict[int, int]:
    """GPT-2's alphabet as a ``str.translate`` table: code point of the stand-in to the byte it stands for.

    Printable Latin-1 bytes stand for themselves; the other 68 are numbered from U+0100 (Radford et al. 2019,
    ``bytes_to_unicode``).
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    table = {byte: byte for byte in printable}
    others = [byte for byte in range(256) if byte not in table]
    return table | {0x100 + index: byte for index, byte in enumerate(others)}


class TokenTable:
    """Bytes, and names of the special ones, of all ids below ``size`` (the rows of the model's head)."""

    def __init__(
        self,
        spellings: dict[int, bytes],
        special: dict[int, str],
        size: int,
        *,
        exact: bool,
        joins: bool,
        decode: Callable[[int], bytes],
    ) -> None:
        self._spellings = spellings
        self._special = special
        self._size = size
        self._decode = decode
        self.exact = exact  # all bytes are known from the alphabet
        self.joins = joins  # a text is its tokens' bytes, nothing stripped: not so in sentencepiece
        self.longest_bytes = max((len(data) for data in spellings.values()), default=1)
        self._ids_of_special = {name: token for token, name in special.items()}
        longest_first = sorted(self._ids_of_special, key=len, reverse=True)
        self._pattern = re.compile("(" + "|".join(map(re.escape, longest_first)) + ")") if longest_first else None

    def token_bytes(self, token_id: int) -> bytes:
        """The bytes of one token; b"" for special and unknown ids."""
        if token_id in self._special or token_id < 0:
            return b""
        data = self._spellings.get(token_id)
        if data is not None or self.exact:
            return data or b""
        data = self._spellings[token_id] = self._decode(token_id)
        return data

    def has_met(self, token_id: int) -> bool:
        """Whether its bytes, or its name, are known without another look."""
        return token_id in self._spellings or token_id in self._special

    def meet(self, spellings: Mapping[int, bytes]) -> None:
        """Take note of tokens' bytes that somebody else has found out."""
        self._spellings.update(spellings)

    def name(self, token_id: int) -> str | None:
        """A special token's spelling, ``id 50000`` for an id that no token has, None for an ordinary token."""
        name = self._special.get(token_id)
        if name is None and self.exact and token_id not in self._spellings:
            return f"id {token_id}"
        return name

    def special_id(self, name: str) -> int | None:
        """The id of the special token that is spelt ``name``."""
        return self._ids_of_special.get(name)

    def spelling(self, token_id: int) -> bytes:
        """The bytes ``decode`` writes: as ``token_bytes``, with special tokens spelt out."""
        name = self._special.get(token_id)
        return self.token_bytes(token_id) if name is None else name.encode()

    def split_special(self, text: str) -> list[tuple[str, int | None]]:
        """``text`` cut at spelt-out special tokens: (piece, its id or None), in order, nothing lost."""
        pieces = self._pattern.split(text) if self._pattern else [text]
        return [(piece, self._ids_of_special.get(piece)) for piece in pieces if piece]


def build_table(tokenizer: PreTrainedTokenizerBase, size: int) -> TokenTable:
    """The table of a transformers tokenizer. About 0.1 s for 49,152 tokens."""
    added = {int(token): entry for token, entry in tokenizer.added_tokens_decoder.items()}
    special = {token: str(entry.content) for token, entry in added.items() if entry.special}
    special |= {
        int(token): str(name)
        for token, name in zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True)
    }
    spellings: dict[int, bytes] = {}
    kind = _alphabet_of(tokenizer)
    if kind is not None:
        to_bytes = _from_byte_alphabet if kind == "bytes" else _from_metaspace
        table = byte_alphabet()
        spellings = {token: to_bytes(name, table) for name, token in tokenizer.get_vocab().items()}
    # Added tokens are matched as they are written, outside the alphabet.
    spellings |= {token: str(entry.content).encode() for token, entry in added.items() if token not in special}
    spellings |= dict.fromkeys(special, b"")
    return TokenTable(
        spellings, special, size, exact=kind is not None, joins=kind == "bytes", decode=_make_decoder(tokenizer)
    )


def _alphabet_of(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """``"bytes"``, ``"metaspace"`` or None, read from the decoder's own description."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or backend.decoder is None:
        return None
    described = json.loads(backend.decoder.__getstate__())
    steps = described.get("decoders", [described])
    kinds = {step["type"] for step in steps}
    if "ByteLevel" in kinds:
        return "bytes"
    replaces = any(step["type"] == "Replace" and _METASPACE in json.dumps(step, ensure_ascii=False) for step in steps)
    return "metaspace" if replaces or kinds & {"Metaspace", "ByteFallback"} else None


def _from_byte_alphabet(name: str, table: dict[int, int]) -> bytes:
    try:
        return name.translate(table).encode("latin-1")
    except UnicodeEncodeError:  # not written in the alphabet: an added token of an older format
        return name.encode()


def _from_metaspace(name: str, _table: dict[int, int]) -> bytes:
    byte = _BYTE_TOKEN.fullmatch(name)
    return bytes([int(byte[1], 16)]) if byte else name.replace(_METASPACE, " ").encode()


def _make_decoder(tokenizer: PreTrainedTokenizerBase) -> Callable[[int], bytes]:
    """For unrecognised alphabets: what a token adds to the decoded text of a letter before it."""
    anchor = list(tokenizer("a", add_special_tokens=False)["input_ids"])[-1:]

    def decode(ids: list[int]) -> str:
        return str(tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def decode_token(token_id: int) -> bytes:
        prefix, whole = decode(anchor), decode([*anchor, token_id])
        if whole.startswith(prefix) and _DECODED_BROKEN not in whole:
            return whole[len(prefix) :].encode()
        return decode([token_id]).encode()

    return decode_token
