"""Every piece has a readable form, and nothing in it can move the text around it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.engine.text.display import bracket, glyphs

WOMAN_TECHNOLOGIST = "👩\u200d💻"


@pytest.mark.parametrize(
    ("piece", "shown"),
    [
        (" the", "␣the"),
        (" ", "␣"),
        ("    ", "␣␣␣␣"),
        ("a b", "a b"),
        ("a ", "a␣"),
        ("\n", "↵"),
        ("\n\n", "↵↵"),
        ("\r\n", "␍↵"),
        ("\tif", "⇥if"),
        ("\x00", "␀"),
        ("\x1b[31m", "␛[31m"),
        ("\x7f", "␡"),
        ("\x85", "⟨U+0085⟩"),
        ("\u00a0", "⟨U+00A0⟩"),
        ("\u200d", "⟨U+200D⟩"),
        ("\u200dx", "⟨U+200D⟩x"),
        (WOMAN_TECHNOLOGIST, WOMAN_TECHNOLOGIST),
        ("\u200b", "⟨U+200B⟩"),
        ("a\u200bb", "a⟨U+200B⟩b"),
        ("\u202egnp.exe", "⟨U+202E⟩gnp.exe"),
        ("abc\u2066", "abc⟨U+2066⟩"),
        ("\ufeff", "⟨U+FEFF⟩"),
        ("\u093f", "◌\u093f"),
        ("क\u093f", "क\u093f"),
        ("\ufe0f", "⟨U+FE0F⟩"),
        ("⟨im_end⟩", "⟨im_end⟩"),
        ("<0xF0><0x9F>", "<0xF0><0x9F>"),
        ("<b>&amp;</b>", "<b>&amp;</b>"),
        ("\ufffd", "\ufffd"),
        (" שלום", "\u2068␣שלום\u2069"),
        ("م", "\u2068م\u2069"),
        ("٣", "\u2068٣\u2069"),
        ("\u200fx", "⟨U+200F⟩x"),
        ("", "∅"),
    ],
)
def test_glyphs(piece: str, shown: str) -> None:
    assert glyphs(piece) == shown


@given(st.text())
def test_glyphs_are_visible_and_keep_to_their_place(piece: str) -> None:
    shown = glyphs(piece)
    if any(unicodedata.bidirectional(character) in {"R", "AL", "AN"} for character in shown):
        assert (shown[0], shown[-1]) == ("\u2068", "\u2069")
        shown = shown[1:-1]
    assert shown and shown[0] != " " and shown[-1] != " "
    for character in shown:
        assert character in "\u200c\u200d" or unicodedata.category(character) not in {"Cc", "Cf", "Zl", "Zp", "Cs"}
        assert unicodedata.bidirectional(character) not in {
            "LRE",
            "RLE",
            "LRO",
            "RLO",
            "PDF",
            "LRI",
            "RLI",
            "FSI",
            "PDI",
        }


@given(st.text(alphabet=st.characters(min_codepoint=0x21, max_codepoint=0x7E)))
def test_printable_ascii_is_shown_as_it_is(piece: str) -> None:
    assert glyphs(piece) == (piece or "∅")


@pytest.mark.parametrize(
    ("name", "shown"),
    [("<|im_end|>", "⟨im_end⟩"), ("</s>", "⟨/s⟩"), ("[UNK]", "⟨UNK⟩"), ("<>", "⟨<>⟩"), ("id 7", "⟨id 7⟩")],
)
def test_brackets(name: str, shown: str) -> None:
    assert bracket(name) == shown
