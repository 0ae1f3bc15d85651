"""Every packaged tokenizer against its own library's ids (own_libraries.py), and its pieces against the text's own bytes."""

from __future__ import annotations

import json

import pytest

from playground.corpus.tokenizer import Piece, text_of
from playground.corpus.tokenizers import CATALOGUE, absent, file_of, packaged
from tests.corpus.own_libraries import FILE, OWN, checksum
from tests.corpus.texts import two_hundred

pytestmark = pytest.mark.model
CHANGES = {"qwen3", "qwen3.5"}  # put a text into NFC first


def test_all_of_the_catalogue_are_installed() -> None:
    assert absent() == {} and len(CATALOGUE) >= 10


@pytest.mark.parametrize("name", CATALOGUE)
def test_ids_are_those_of_the_tokenizers_own_library(name: str) -> None:
    texts = two_hundred()
    assert len(texts) == 200
    checksums = [[len(ids), checksum(ids)] for ids in packaged(name).encode_all(texts)]
    expected = json.loads(FILE.read_text())[name]
    assert [text for text, own, other in zip(texts, checksums, expected, strict=True) if own != other] == []


@pytest.mark.filterwarnings("ignore")  # the packages' own code
@pytest.mark.parametrize("name", CATALOGUE)
def test_what_is_stored_is_what_the_library_says_today(name: str) -> None:
    path = file_of(name)
    assert path is not None
    encode = OWN[name](path)
    ids = [list(encode(text)) for text in two_hundred()]
    assert [[len(each), checksum(each)] for each in ids] == json.loads(FILE.read_text())[name]


@pytest.mark.parametrize("name", CATALOGUE)
def test_pieces_are_the_ids_and_spell_the_text_byte_by_byte(name: str) -> None:
    tokenizer = packaged(name)
    for text in two_hundred():
        pieces = tokenizer.pieces(text)
        assert [piece.id for piece in pieces] == tokenizer.encode_all([text])[0]
        if name not in CHANGES or text.isascii():
            assert text_of(pieces) == text.encode(), (name, text)
        for piece in pieces:
            assert piece.kind == ("bytes" if _is_broken(piece) else "text")


def _is_broken(piece: Piece) -> bool:
    try:
        piece.data.decode()
    except UnicodeDecodeError:
        return True
    return False
