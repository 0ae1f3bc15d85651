"""Nicknames: what may be one, when two are the same, and one for who gives none.

A nickname is what a stranger has typed, in any script. It is bounded and free of what cannot be seen or turns the text around
it; it is still to be escaped where it is shown.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Collection

import regex

from playground.errors import BadInput

MOST_LETTERS = 24  # as a reader counts them
_MOST_CODE_POINTS = 96  # some scripts and emoji need several for one; hundreds of accents on a letter are no name
_JOINERS = "\u200c\u200d"  # Persian and emoji need them
_UNSEEN = regex.compile(
    r"[\p{Default_Ignorable_Code_Point}\s\u2800]+"
)  # fillers, joiners, variants; some are letters by category
_RESERVED = frozenset({"leader", "theleader"})

_KINDS = (
    "amber brave bright calm clever cosy curious eager fair fond gentle glad jolly keen kind lively lucky merry mild neat "
    "patient plucky proud quick quiet ready sunny swift tidy warm wise witty"
)
_ANIMALS = (
    "badger bear beaver crane deer dolphin dove eagle falcon finch fox goat hare hawk heron horse ibis koala lark lynx mole "
    "moose newt otter owl panda puffin rabbit raven robin seal sparrow squirrel stork swan tiger turtle wolf wren yak"
)


class NicknameTaken(BadInput):
    """Another has this nickname. ``suggestion``: one like it that is free."""

    def __init__(self, nickname: str, suggestion: str) -> None:
        super().__init__(f"Somebody here is called {nickname} already: take {suggestion}, or another one.", "nickname")
        self.suggestion = suggestion


def read_nickname(typed: str) -> str:
    """As it is stored and shown: NFC, single spaces; "" where nothing was typed. Raises BadInput."""
    if len(typed) > 20 * MOST_LETTERS:
        raise BadInput(f"A nickname has at most {MOST_LETTERS} characters: shorten it.", "nickname")
    if any(not _is_allowed(letter) for letter in typed):
        raise BadInput(
            "This nickname has characters that cannot be seen: type it with letters, digits or emoji.", "nickname"
        )
    name = " ".join(unicodedata.normalize("NFC", typed).split())
    if len(name) > _MOST_CODE_POINTS or len(regex.findall(r"\X", name)) > MOST_LETTERS:
        raise BadInput(f"A nickname has at most {MOST_LETTERS} characters: shorten it.", "nickname")
    if name and not any(unicodedata.category(letter)[0] in "LNPS" for letter in _UNSEEN.sub("", name)):
        raise BadInput("Nothing of this nickname can be seen: type a letter or a digit.", "nickname")
    return name


def _is_allowed(letter: str) -> bool:
    """No control character, no half surrogate, nothing unassigned or private, and of marks for layout only the joiners."""
    return letter in _JOINERS or unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def nickname_key(name: str) -> str:
    """Equal for names that a reader takes for the same: without case, width, joiners, variants and spaces.

    >>> nickname_key("ＡＤＡ l.") == nickname_key("Ada L.")
    True
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    return str(_UNSEEN.sub("", folded))


def choose_nickname(wanted: str, taken: Collection[str], chance: random.Random | None = None, *, own: str = "") -> str:
    """``wanted`` as it is stored, or a friendly one where nothing is wanted.

    ``taken``: the keys of the others; ``own``: the present one's. Raises NicknameTaken, BadInput for what cannot be one.
    """
    name = read_nickname(wanted)
    if not name:
        return _friendly(taken, chance or random.SystemRandom())
    if nickname_key(name) in _RESERVED and nickname_key(name) != own:
        raise BadInput("Who leads the room is called that: take another nickname.", "nickname")
    if nickname_key(name) in taken:
        raise NicknameTaken(name, numbered(name, taken))
    return name


def numbered(name: str, taken: Collection[str]) -> str:
    """``name`` itself, or with the first number that makes it free, shortened where it has to be."""
    if nickname_key(name) not in taken:
        return name
    letters = regex.findall(r"\X", name)
    for number in range(2, len(taken) + 3):
        tail = f" {number}"
        candidate = "".join(letters[: MOST_LETTERS - len(tail)]).rstrip() + tail
        if nickname_key(candidate) not in taken:
            return candidate
    raise AssertionError("more numbers than names")


def _friendly(taken: Collection[str], chance: random.Random) -> str:
    """An adjective and an animal, with a number where all tried are taken."""
    for _ in range(50):
        name = f"{chance.choice(_KINDS.split()).title()} {chance.choice(_ANIMALS.split()).title()}"
        if nickname_key(name) not in taken:
            return name
    return numbered(name, taken)
