"""The tables of rooms and of their members. Rows go in and out as frozen records; what they mean, writers know."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, select, update

from playground.store.connection import Database
from playground.store.tables import MemberRow, RoomRow


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """``opened``, ``closed``: seconds since 1970. ``leader``: a visitor or "". ``link``: the last shown of ``moves`` links.

    ``lesson``: the text of its file, "" for none; ``step``: of it, from 0.
    """

    id: str
    code: str
    opened: float
    closed: float | None = None
    leader: str = ""
    link: str = ""
    moves: int = 0
    lesson: str = ""
    step: int = 0


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """``key``: the nickname as it is compared with others; unique in a room. ``joined``: seconds since 1970."""

    room: str
    visitor: str
    nickname: str
    key: str
    following: bool
    joined: float


class RoomTable:
    """All methods raise StoreError with one sentence when disk or server does not play along."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, room: RoomRecord) -> None:
        with self._database.session() as session:
            names = ("id", "code", "opened", "closed", "leader", "link", "moves", "lesson", "step")
            session.add(RoomRow(**{name: getattr(room, name) for name in names}))

    def change(self, room: str, **values: str | int | float) -> None:
        """Set ``code``, ``leader``, ``link``, ``moves``, ``lesson`` or ``step``."""
        with self._database.session() as session:
            session.execute(update(RoomRow).where(RoomRow.id == room).values(**values))

    def close_all(self, at: float) -> None:
        """No room is open any more, and nobody's nickname is kept."""
        with self._database.session() as session:
            session.execute(update(RoomRow).where(RoomRow.closed.is_(None)).values(closed=at))
            session.execute(delete(MemberRow))

    def open_room(self) -> RoomRecord | None:
        """The newest that has not been closed."""
        with self._database.session() as session:
            row = session.scalars(
                select(RoomRow).where(RoomRow.closed.is_(None)).order_by(RoomRow.opened.desc()).limit(1)
            ).first()
            if row is None:
                return None
            return RoomRecord(
                row.id,
                row.code,
                row.opened,
                row.closed,
                row.leader,
                row.link,
                row.moves,
                row.lesson,
                row.step,
            )

    def put_member(self, member: MemberRecord) -> None:
        """In the place of an earlier one of this visitor."""
        with self._database.session() as session:
            names = ("room", "visitor", "nickname", "key", "following", "joined")
            session.merge(MemberRow(**{name: getattr(member, name) for name in names}))

    def remove_member(self, room: str, visitor: str) -> None:
        """One that is not there is no error."""
        with self._database.session() as session:
            session.execute(delete(MemberRow).where(MemberRow.room == room, MemberRow.visitor == visitor))

    def members(self, room: str) -> tuple[MemberRecord, ...]:
        """In the order in which they joined."""
        with self._database.session() as session:
            rows = session.scalars(
                select(MemberRow).where(MemberRow.room == room).order_by(MemberRow.joined, MemberRow.visitor)
            )
            return tuple(MemberRecord(r.room, r.visitor, r.nickname, r.key, r.following, r.joined) for r in rows)
