"""The course notes' example of what translation through English loses: who speaks to whom, in Vietnamese.

Facts of the language as grammars have them (Thompson, A Vietnamese Reference Grammar, 1965: kinship terms as pronouns).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

ENGLISH = "I love you."


@dataclass(frozen=True, slots=True)
class Address:
    """``own`` and ``other``: what who speaks calls himself and the other; ``who`` in English."""

    who: str
    own: str
    other: str

    @property
    def vietnamese(self) -> str:
        """The sentence."""
        return f"{self.own.capitalize()} yêu {self.other}."


ADDRESSES = (
    Address("a man to the woman he loves", "anh", "em"),
    Address("a woman to the man she loves", "em", "anh"),
    Address("a child to its mother", "con", "mẹ"),
    Address("a mother to her child", "mẹ", "con"),
    Address("a child to its father", "con", "bố"),
    Address("a grandchild to its grandmother", "cháu", "bà"),
    Address("a younger sibling to an elder sister", "em", "chị"),
    Address("to somebody of one's age, at a distance", "tôi", "bạn"),
)


def bits_lost() -> float:
    """Bits that say which of the addresses is meant, were each as likely."""
    return math.log2(len(ADDRESSES))
