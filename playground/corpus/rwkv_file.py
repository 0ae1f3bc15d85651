"""RWKV's vocabulary: the longest token that fits, byte by byte, no merges. Its own code is a trie in Python; this is tables."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from playground.corpus.tokenizer import Piece, TokenizerFacts, check_texts, kind_of
from playground.errors import ModelCorrupt
from playground.models.foreign import foreign_errors


class LongestMatchTokenizer:
    """``ids``: token to id; every single byte is one.

    >>> facts = TokenizerFacts("toy", "Toy", "", "", 4)
    >>> toy = LongestMatchTokenizer(facts, {b"a": 1, b"b": 2, b"ab": 3, b"abb": 4})
    >>> toy.encode_all(["abba"])
    [[4, 1]]
    """

    def __init__(self, facts: TokenizerFacts, ids: dict[bytes, int]) -> None:
        self.facts, self._ids = facts, ids
        self._tokens = {token: data for data, token in ids.items()}
        lengths = defaultdict[bytes, set[int]](set)  # of the tokens that begin with these two bytes
        for data in ids:
            if len(data) > 1:
                lengths[data[:2]].add(len(data))
        self._lengths = {start: sorted(sizes, reverse=True) for start, sizes in lengths.items()}

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        check_texts(texts)
        return [self._encode(text.encode()) for text in texts]

    def _encode(self, data: bytes) -> list[int]:
        ids, lengths, place, tokens = self._ids, self._lengths, 0, list[int]()
        while place < len(data):
            for length in lengths.get(data[place : place + 2], ()):
                token = ids.get(data[place : place + length])
                if token is not None and place + length <= len(data):
                    break
            else:
                length = 1
                token = ids[data[place : place + 1]]
            tokens.append(token)
            place += length
        return tokens

    def pieces(self, text: str) -> list[Piece]:
        (ids,) = self.encode_all([text])
        return [Piece(token, self._tokens[token], kind_of(self._tokens[token])) for token in ids]


def open_rwkv(facts: Callable[[int], TokenizerFacts], path: Path) -> LongestMatchTokenizer:
    """The vocabulary file: an id, a Python literal of text or bytes, its length, one token a line. Raises ModelCorrupt."""
    with foreign_errors(lambda error: ModelCorrupt(f"{path.name} is no vocabulary of RWKV.")):
        ids = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            token, rest = line.split(" ", 1)
            literal = ast.literal_eval(rest.rsplit(" ", 1)[0])
            ids[literal.encode() if isinstance(literal, str) else bytes(literal)] = int(token)
        missing = next((byte for byte in range(256) if bytes([byte]) not in ids), None)
        if missing is not None:
            raise ValueError(f"byte {missing} is missing")
    return LongestMatchTokenizer(facts(max(ids.values()) + 1), ids)
