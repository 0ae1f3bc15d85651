"""How a token's text is made visible. Pure string work; knows neither a model nor a page.

A token's piece is hostile: it may be one space, a line break, half an emoji or a character that turns the rest of the
line around. ``glyphs`` gives the form in which every such piece can be read.
"""

from __future__ import annotations

import unicodedata

SPACE_GLYPH = "␣"
_NAMED = {"\n": "↵", "\t": "⇥", "\r": "␍", "\x7f": "␡"}
# Joiners shape the letters around them (emoji families, Devanagari, Persian): shown only where they join nothing.
_JOINERS = {"\u200c", "\u200d"}
_INVISIBLE = {"Cc", "Cf", "Zl", "Zp", "Zs", "Co", "Cs", "Cn"}
_MARKS = {"Mn", "Mc", "Me"}
_RIGHT_TO_LEFT = {"R", "AL", "AN"}  # Unicode's bidirectional classes of letters and digits
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"
_VARIATION_SELECTORS = range(0xFE00, 0xFE10)


def bracket(name: str) -> str:
    """A special token's name in the house's brackets: ``<|im_end|>`` gives ``⟨im_end⟩``, ``</s>`` gives ``⟨/s⟩``."""
    bare = name
    for left, right in (("<|", "|>"), ("<", ">"), ("[", "]")):
        if bare.startswith(left) and bare.endswith(right) and len(bare) > len(left) + len(right):
            bare = bare[len(left) : -len(right)]
            break
    return f"⟨{bare}⟩"


def escape_bytes(data: bytes) -> str:
    """Bytes that make no character, one ``<0xF0>`` each."""
    return "".join(f"<0x{byte:02X}>" for byte in data)


def _codepoint(character: str) -> str:
    return f"⟨U+{ord(character):04X}⟩"


def _glyph(character: str, *, at_start: bool) -> str:
    """One character other than the plain space."""
    if character in _NAMED:
        return _NAMED[character]
    if ord(character) < 0x20:
        return chr(0x2400 + ord(character))  # Unicode's own control pictures
    if character in _JOINERS:
        return _codepoint(character) if at_start else character
    category = unicodedata.category(character)
    if category in _INVISIBLE and character != " ":
        return _codepoint(character)
    if at_start and category in _MARKS:
        # A mark would climb onto whatever stands to its left; a variation selector has no shape at all.
        return _codepoint(character) if ord(character) in _VARIATION_SELECTORS else "◌" + character
    return character


def glyphs(piece: str) -> str:
    """The readable form of a token's text.

    ``" the"`` gives ``"␣the"``, ``"\\n"`` gives ``"↵"``, a lone zero-width joiner ``"⟨U+200D⟩"``; spaces between
    words stay spaces, those at either end become ``␣``. Names in ⟨⟩ and ``<0xF0>`` escapes pass unchanged.
    An empty piece gives ``"∅"``. What is written from right to left stands between isolates (U+2068, U+2069), which are
    not seen: without them it would turn the numbers and tokens beside it around.
    """
    if not piece:
        return "∅"
    body = piece.strip(" ")
    if not body:
        return SPACE_GLYPH * len(piece)
    leading = len(piece) - len(piece.lstrip(" "))
    trailing = len(piece) - leading - len(body)
    if body.isascii() and body.isprintable():  # most tokens of most texts: nothing in them is invisible or turns
        return SPACE_GLYPH * leading + body + SPACE_GLYPH * trailing
    shown = "".join(_glyph(character, at_start=index == 0) for index, character in enumerate(body))
    shown = SPACE_GLYPH * leading + shown + SPACE_GLYPH * trailing
    turns = any(unicodedata.bidirectional(character) in _RIGHT_TO_LEFT for character in shown)
    return f"{_ISOLATE}{shown}{_END_ISOLATE}" if turns else shown


def without_isolates(shown: str) -> str:
    """What ``glyphs`` gave without its isolates, for a file or a program; one of the text itself is spelt out in it."""
    return shown.replace(_ISOLATE, "").replace(_END_ISOLATE, "")
