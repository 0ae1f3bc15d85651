"""Byte-level vocabularies with ranks (.tiktoken, tekken.json), read by OpenAI's library tiktoken."""

from __future__ import annotations

import base64
import gzip
import json
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from playground.corpus.tokenizer import Piece, TokenizerFacts, check_texts, kind_of
from playground.errors import BadPrompt, ModelCorrupt
from playground.models.foreign import foreign_errors
from playground.models.wording import reason_text

if TYPE_CHECKING:
    import tiktoken

# How each vocabulary's authors cut a text before merging; facts of their published configurations.
CL100K = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
_CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_SPACES = r"\s*[\r\n]+|\s+(?!\S)|\s+"
LLAMA3 = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + _SPACES
QWEN2 = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|" + _SPACES
QWEN35 = _CONTRACTIONS + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|" + _SPACES
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_BEFORE = r"[^\r\n\p{L}\p{N}]?"
O200K = (
    f"{_BEFORE}{_UPPER}*{_LOWER}+{_CONTRACTIONS}?|{_BEFORE}{_UPPER}+{_LOWER}*{_CONTRACTIONS}?"
    rf"|\p{{N}}{{1,3}}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_SPACES}"
)
TEKKEN_SPECIAL = 1_000  # ids that stand before the vocabulary


class RankTokenizer:
    """A tokenizer of tiktoken. ``first``: the id of rank 0. ``prepare``: what the authors do to a text first."""

    def __init__(
        self,
        facts: TokenizerFacts,
        encoding: tiktoken.Encoding,
        first: int = 0,
        prepare: Callable[[str], str] = lambda text: text,
    ) -> None:
        self.facts, self._encoding, self._first, self._prepare = facts, encoding, first, prepare

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        check_texts(texts)
        with foreign_errors(self._cannot_read):
            ranks = [self._encoding.encode_ordinary(self._prepare(text)) for text in texts]
        return [[self._first + rank for rank in each] for each in ranks] if self._first else ranks

    def pieces(self, text: str) -> list[Piece]:
        (ids,) = self.encode_all([text])
        data = [self._encoding.decode_single_token_bytes(token - self._first) for token in ids]
        return [Piece(token, each, kind_of(each)) for token, each in zip(ids, data, strict=True)]

    def _cannot_read(self, error: BaseException) -> BadPrompt:
        return BadPrompt(f"{self.facts.label} could not read this text ({reason_text(error)}): shorten it.", "text")


def read_ranks(path: Path) -> dict[bytes, int]:
    """A .tiktoken file: base64 of the token, a space, its rank; gzipped where its name ends so."""
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    lines = (line.split() for line in data.splitlines())
    return {base64.b64decode(token): int(rank) for token, rank in filter(None, lines)}


def open_ranks(facts: Callable[[int], TokenizerFacts], path: Path, pattern: str, *, nfc: bool = False) -> RankTokenizer:
    """``facts`` is given the size of the vocabulary. Raises ModelCorrupt for a file that is something else."""
    with foreign_errors(lambda error: _corrupt(path, error)):
        ranks = read_ranks(path)
        encoding = _encoding(path.name, pattern, ranks)
    prepare = _nfc if nfc else str
    return RankTokenizer(facts(len(ranks)), encoding, 0, prepare)


def open_tekken(facts: Callable[[int], TokenizerFacts], path: Path) -> RankTokenizer:
    """Mistral's tekken.json: pattern and ranks in one file; ids begin after the special tokens."""
    with foreign_errors(lambda error: _corrupt(path, error)):
        tekken = json.loads(path.read_bytes())
        config = tekken["config"]
        size = int(config["default_vocab_size"]) - int(config["default_num_special_tokens"])
        ranks = {base64.b64decode(each["token_bytes"]): int(each["rank"]) for each in tekken["vocab"][:size]}
        encoding = _encoding(path.name, config["pattern"], ranks)
    return RankTokenizer(facts(size + TEKKEN_SPECIAL), encoding, int(config["default_num_special_tokens"]))


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _encoding(name: str, pattern: str, ranks: dict[bytes, int]) -> tiktoken.Encoding:
    import tiktoken

    return tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens={})


def _corrupt(path: Path, error: BaseException) -> ModelCorrupt:
    return ModelCorrupt(
        f"{path.name} is no vocabulary of the kind expected ({reason_text(error)}): run `make tokenizers`."
    )
