"""A room as it can be looked at: frozen data. Nicknames were typed by strangers: escape them where they are shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Member:
    """Who has joined. ``here``: a tab of theirs is connected. ``leader``: holds the wand now. ``joined``: seconds since 1970.

    ``called``: looks for themselves, and the leader has asked them back since.
    """

    visitor: str
    nickname: str
    leader: bool
    following: bool
    here: bool
    joined: float
    called: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What the leader shows: the link of a page, from its ``/`` on. ``version`` grows with every move."""

    link: str
    version: int


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room at one moment. ``leader``: the visitor who holds the wand, "" for none. ``version`` grows with every change.

    ``lesson``: the text of the lesson's file, "" for none; ``step``: of it, from 0; ``step_s``: seconds since the leader went
    there, None where that has not been since the server was started.
    """

    code: str
    leader: str
    members: tuple[Member, ...]
    shown: Shown | None
    lesson: str
    step: int
    version: int
    step_s: float | None = None

    @property
    def joined(self) -> tuple[Member, ...]:
        """All but the leader: those who answer."""
        return tuple(member for member in self.members if not member.leader)

    @property
    def here(self) -> int:
        """How many of those have a tab that is connected."""
        return sum(member.here for member in self.joined)

    @property
    def followers(self) -> int:
        """How many see what the leader shows, now."""
        return sum(member.following and member.here for member in self.joined)
