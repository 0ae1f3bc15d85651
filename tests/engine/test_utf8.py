"""Characters that end in another token than they begin, against Python's own incremental decoder."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.engine.text.utf8 import added_text, pending_bytes

SPLITS = st.tuples(st.text(max_size=12), st.lists(st.integers(0, 48), max_size=6))


@given(SPLITS)
def test_the_completed_characters_of_any_split_make_the_text(case: tuple[str, list[int]]) -> None:
    text, cuts = case
    data = text.encode()
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    decoder, read = codecs.getincrementaldecoder("utf-8")(), b""
    for begin, end in zip(edges, edges[1:], strict=False):
        token = data[begin:end]
        expected = decoder.decode(token)
        pending = pending_bytes(read)
        shown = added_text(pending, token)
        unfinished = decoder.getstate()[0]
        own = unfinished[-len(token) :] if token and unfinished else b""
        if len(unfinished) > len(token):  # the character began earlier: all of the token is unfinished
            own = token
        assert shown == expected + "".join(f"<0x{byte:02X}>" for byte in own)
        read += token


@given(st.binary(max_size=12))
def test_pending_bytes_are_what_the_incremental_decoder_holds_back(data: bytes) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(data)
    assert pending_bytes(data) == decoder.getstate()[0]


@given(st.binary(max_size=4), st.binary(min_size=1, max_size=8))
def test_no_byte_of_a_token_is_lost_and_no_replacement_character_appears(before: bytes, token: bytes) -> None:
    shown = added_text(pending_bytes(before), token)
    assert shown
    assert "\ufffd" not in shown or "\ufffd".encode() in pending_bytes(before) + token


@pytest.mark.parametrize(
    ("pending", "data", "shown"),
    [
        (b"", b"\xf0\x9f", "<0xF0><0x9F>"),
        (b"\xf0\x9f\x98", b"\x80", "😀"),
        (b"\xf0\x9f\x98", b"\x80!", "😀!"),
        (b"\xf0\x9f", b"a", "a"),
        (b"\xf0\x9f", b"\xf0", "<0xF0>"),
        (b"", "\ufffd".encode(), "\ufffd"),
        (b"", b"\xff", "<0xFF>"),
        (b"", b"", ""),
    ],
)
def test_examples(pending: bytes, data: bytes, shown: str) -> None:
    assert added_text(pending, data) == shown
