"""Any tokenizer.json, read by the tokenizers library; a stranger's in a child process, with limits on time and memory.

A file may be hostile: a pattern that never ends, a vocabulary that fills the memory, a panic of the library. So what is not
from a package of our own choice is opened, asked and forgotten by a child (``bounded/``).
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from playground.bounded import BoundedFailure, OutOfMemory, OutOfTime, RaisedInChild, call_bounded
from playground.bounded.program import ReplyTooLong
from playground.corpus.json_checks import NoTokenizer, read_described, refusal_of
from playground.corpus.tokenizer import UNKNOWN, Piece, TokenizerFacts, check_texts, kind_of
from playground.engine.text.token_bytes import byte_alphabet
from playground.errors import BadInput, ModelCorrupt
from playground.models.foreign import foreign_errors
from playground.models.wording import reason_text, shown

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Library

MOST_FILE_BYTES = 100_000_000
OPEN_SECONDS = 20.0  # of a child's own computing, to open a file and read texts with it
_BYTE_NAME, _SPACE = re.compile(r"<0x([0-9A-Fa-f]{2})>"), "▁"
_OTHER_TEXT = "give another text, or take it away"


class _Opened:
    """A file as the library has it. ``alphabet``: "bytes" or "spaces", how names of tokens spell their bytes; "" unknown."""

    def __init__(self, path: Path) -> None:
        from tokenizers import Tokenizer as Library

        text, described = read_described(path.read_bytes())
        try:
            self.library: Library = Library.from_str(text)
        except MemoryError:
            raise
        except BaseException as error:  # a panic of the library is no Exception: a child would die of it without a word
            raise refusal_of(error) from None
        self.library.no_truncation()
        self.library.no_padding()
        self.library.encode_special_tokens = True
        self.size = int(self.library.get_vocab_size())
        steps = json.dumps([described.get("decoder"), described.get("pre_tokenizer")])
        self.alphabet = "bytes" if '"ByteLevel"' in steps else "spaces" if _spaced(described) else ""
        model = described.get("model") or {}
        unknown = model.get("unk_token")
        self.unknown = self.library.token_to_id(unknown) if isinstance(unknown, str) else model.get("unk_id")

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        return [each.ids for each in self.library.encode_batch_fast(list(texts), add_special_tokens=False)]

    def pieces(self, text: str) -> list[tuple[int, bytes, str]]:
        encoding = self.library.encode(text, add_special_tokens=False)
        pieces = []
        for token, name, (start, end) in zip(encoding.ids, encoding.tokens, encoding.offsets, strict=True):
            surface = text[start:end].encode()
            if token == self.unknown:
                pieces.append((token, surface, UNKNOWN))
                continue
            data = self._spelt(name, surface)
            pieces.append((token, data, kind_of(data)))
        if pieces and b"".join(data for _, data, _ in pieces) == b" " + text.encode():
            pieces[0] = (pieces[0][0], pieces[0][1][1:], pieces[0][2])
        return pieces

    def _spelt(self, name: str, surface: bytes) -> bytes:
        if self.alphabet == "bytes":
            try:
                return name.translate(_ALPHABET).encode("latin-1")
            except UnicodeEncodeError:  # an added token, written as it is
                return name.encode()
        if self.alphabet == "spaces":
            if byte := _BYTE_NAME.fullmatch(name):
                return bytes([int(byte[1], 16)])
            return name.replace(_SPACE, " ").encode()
        return surface


_ALPHABET = byte_alphabet()


def _spaced(described: dict[str, Any]) -> bool:
    """Whether spaces are written ▁, as SentencePiece writes them."""
    parts = [described.get(name) for name in ("decoder", "pre_tokenizer", "normalizer")]
    return _SPACE in json.dumps(parts, ensure_ascii=False)


class FileTokenizer:
    """A tokenizer.json from a package that the set-up installs, opened in this process."""

    def __init__(self, facts: TokenizerFacts, opened: _Opened) -> None:
        self.facts, self._opened = facts, opened

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        check_texts(texts)
        return self._opened.ids(texts)

    def pieces(self, text: str) -> list[Piece]:
        check_texts([text])
        return [Piece(*each) for each in self._opened.pieces(text)]


def open_file(name: str, label: str, licence: str, source: str, path: Path) -> FileTokenizer:
    """Raises ModelCorrupt for a file that the library does not read."""

    def corrupt(error: BaseException) -> ModelCorrupt:
        return ModelCorrupt(f"{label} cannot be read from {path.name} ({reason_text(error)}): run `make tokenizers`.")

    with foreign_errors(corrupt):
        opened = _Opened(path)
    return FileTokenizer(TokenizerFacts(name, label, licence, source, opened.size), opened)


# -- a stranger's ------------------------------------------------------------------------------------------------------


class StrangeTokenizer:
    """A tokenizer.json that somebody names or uploads: each question is answered by a child process.

    ``visitor``: who asks; each has one place. Raises BadInput in place of what the child could not do.
    """

    def __init__(self, name: str, path: Path, visitor: str = "") -> None:
        self._path, self._visitor = path, visitor
        self._label = name
        size = self._ask(child_size)
        content = _digest(path)
        self.facts = TokenizerFacts(name, name, "as its publisher says", "given by you", int(size), content)

    def encode_all(self, texts: Sequence[str]) -> list[list[int]]:
        check_texts(texts)
        token_ids: list[list[int]] = self._ask(child_ids, list(texts))
        return token_ids

    def pieces(self, text: str) -> list[Piece]:
        check_texts([text])
        raw_pieces = self._ask(child_pieces, text)
        return [Piece(token, data.encode("latin-1"), kind) for token, data, kind in raw_pieces]

    def _ask(self, question: Any, *about: Any) -> Any:  # noqa: ANN401 - JSON from a child
        step = _OTHER_TEXT if about else "take another one"
        try:
            return call_bounded(question, str(self._path), *about, seconds=OPEN_SECONDS, visitor=self._visitor)
        except OutOfTime:
            why = f"it needs more than {OPEN_SECONDS:g} seconds of computing: {step}"
        except OutOfMemory:
            why = f"it needs more memory than it is given: {step}"
        except RaisedInChild as error:
            why = _said(error, step)
        except BoundedFailure:
            why = f"the library tokenizers crashes with it: {step}"
        raise BadInput(f"The tokenizer {shown(self._label)} cannot be used: {why}.", "tokenizer")


def _said(error: RaisedInChild, step: str) -> str:
    if error.kind == NoTokenizer.__name__:
        return str(error)
    if error.kind == ReplyTooLong.__name__:
        return "it makes more tokens of this text than are read: give a shorter text, or take another one"
    return f"the library tokenizers breaks on what it is given: {step}"


def open_strange(path: Path, name: str = "", visitor: str = "") -> StrangeTokenizer:
    """A tokenizer.json, or a folder that has one. Raises BadInput."""
    file = path / "tokenizer.json" if path.is_dir() else path
    if not file.is_file():
        raise BadInput(
            f"There is no tokenizer.json at {shown(str(path))}: name a folder that has one, or the file.", "tokenizer"
        )
    if file.stat().st_size > MOST_FILE_BYTES:
        raise BadInput(
            f"{shown(file.name)} has more than {MOST_FILE_BYTES:,} bytes: no tokenizer is so large.", "tokenizer"
        )
    return StrangeTokenizer(name or (path.name if path.is_dir() else file.parent.name or file.name), file, visitor)


@functools.lru_cache(maxsize=2)
def _opened(path: str, digest: str) -> _Opened:
    return _Opened(Path(path))


def _again(path: str) -> _Opened:
    return _opened(path, _digest(Path(path)))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def child_size(path: str) -> int:
    """In the child: the size of the vocabulary. Raises NoTokenizer."""
    return _again(path).size


def child_ids(path: str, texts: list[str]) -> list[list[int]]:
    """In the child: ids of texts. Raises NoTokenizer."""
    opened = _again(path)
    try:
        return opened.ids(texts)
    except MemoryError:
        raise
    except BaseException:
        raise NoTokenizer(f"the library tokenizers cannot cut this text with it: {_OTHER_TEXT}") from None


def child_pieces(path: str, text: str) -> list[tuple[int, str, str]]:
    """In the child: id, bytes as Latin-1 and kind of each token. Raises NoTokenizer."""
    opened = _again(path)
    try:
        return [(token, data.decode("latin-1"), kind) for token, data, kind in opened.pieces(text)]
    except MemoryError:
        raise
    except BaseException:
        raise NoTokenizer(f"the library tokenizers cannot cut this text with it: {_OTHER_TEXT}") from None
