"""The tables as SQLAlchemy declares them. A change of them is a new file in ``migrations/versions`` and a new VERSION."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

VERSION = "2"  # the newest revision in migrations/versions


class Base(DeclarativeBase):
    pass


class RunRow(Base):
    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created: Mapped[float]
    request: Mapped[str]
    origin: Mapped[str]
    status: Mapped[str]
    owner: Mapped[str]
    written: Mapped[float] = mapped_column(server_default="0")
    cost: Mapped[str]


class CandidateRow(Base):
    __tablename__ = "candidates"
    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    plain: Mapped[str]
    prompt_ids: Mapped[bytes]
    ids: Mapped[bytes]
    arrays: Mapped[bytes]


class ColumnRow(Base):
    __tablename__ = "columns"
    run: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True)
    scores: Mapped[str]


class NoteRow(Base):
    """A text under a name: the bake-off under way, what a browser tab works at."""

    __tablename__ = "notes"
    name: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
    expires: Mapped[float | None] = mapped_column(index=True)
