"""The tables as SQLAlchemy declares them. A change of them is a new file in ``migrations/versions`` and a new VERSION."""

from __future__ import annotations

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from playground.store.records import LOCAL

VERSION = "12"  # the newest revision in migrations/versions


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
    visitor: Mapped[str] = mapped_column(String(64), server_default=LOCAL, index=True)
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


class QuestionRow(Base):
    """One round of a question asked of a room."""

    __tablename__ = "questions"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    room: Mapped[str] = mapped_column(index=True)
    series: Mapped[str] = mapped_column(String(32))
    round: Mapped[int]
    asked: Mapped[float]
    state: Mapped[str]
    about: Mapped[str]
    result: Mapped[str | None]
    seconds: Mapped[int] = mapped_column(server_default="0")
    closes: Mapped[float | None]


class AnswerRow(Base):
    """One visitor's answer to it, the last given."""

    __tablename__ = "answers"
    question: Mapped[str] = mapped_column(ForeignKey("questions.id", ondelete="CASCADE"), primary_key=True)
    visitor: Mapped[str] = mapped_column(primary_key=True)
    first: Mapped[float]
    at: Mapped[float]
    given: Mapped[str]


class RoomRow(Base):
    """A workshop. ``leader``: a visitor, "" before there is one. ``link``: the last shown of ``moves``."""

    __tablename__ = "rooms"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    code: Mapped[str]
    opened: Mapped[float]
    closed: Mapped[float | None]
    leader: Mapped[str]
    link: Mapped[str]
    moves: Mapped[int]
    lesson: Mapped[str]
    step: Mapped[int]


class MemberRow(Base):
    """A visitor's place in a room. ``key``: the nickname as it is compared with others."""

    __tablename__ = "members"
    __table_args__ = (UniqueConstraint("room", "key", name="uq_members_room_key"),)
    room: Mapped[str] = mapped_column(ForeignKey("rooms.id", ondelete="CASCADE"), primary_key=True)
    visitor: Mapped[str] = mapped_column(primary_key=True)
    nickname: Mapped[str]
    key: Mapped[str]
    following: Mapped[bool]
    joined: Mapped[float]


class TuningRow(Base):
    """A plan whose texts are written. ``writer``: whoever does so, a new word each time it is taken up; "" for nobody."""

    __tablename__ = "tunings"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    visitor: Mapped[str] = mapped_column(String(64), index=True)
    created: Mapped[float]
    name: Mapped[str]
    plan: Mapped[str]
    origin: Mapped[str]
    status: Mapped[str]
    problem: Mapped[str]
    owner: Mapped[str]
    writer: Mapped[str]
    written: Mapped[float]
    seconds: Mapped[float]


class TuningTextRow(Base):
    __tablename__ = "tuning_texts"
    tuning: Mapped[str] = mapped_column(ForeignKey("tunings.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    plain: Mapped[str]
    prompt_ids: Mapped[bytes]
    ids: Mapped[bytes]
    arrays: Mapped[bytes]


class TuningLinkRow(Base):
    """The link by which judges come to a tuning."""

    __tablename__ = "tuning_links"
    token: Mapped[str] = mapped_column(String(64), primary_key=True)
    tuning: Mapped[str] = mapped_column(ForeignKey("tunings.id", ondelete="CASCADE"), index=True)
    created: Mapped[float]


class TuningJudgeRow(Base):
    """Who judges it. ``judge``: a visitor."""

    __tablename__ = "tuning_judges"
    __table_args__ = (UniqueConstraint("tuning", "key", name="uq_tuning_judges_tuning_key"),)
    tuning: Mapped[str] = mapped_column(ForeignKey("tunings.id", ondelete="CASCADE"), primary_key=True)
    judge: Mapped[str] = mapped_column(primary_key=True)
    nickname: Mapped[str]
    key: Mapped[str]
    joined: Mapped[float]


class TuningVoteRow(Base):
    """One judge's vote on two arms' texts to one example's one sample, the last given."""

    __tablename__ = "tuning_votes"
    tuning: Mapped[str] = mapped_column(ForeignKey("tunings.id", ondelete="CASCADE"), primary_key=True)
    judge: Mapped[str] = mapped_column(primary_key=True)
    example: Mapped[int] = mapped_column(primary_key=True)
    sample: Mapped[int] = mapped_column(primary_key=True)
    first: Mapped[str] = mapped_column(primary_key=True)
    second: Mapped[str] = mapped_column(primary_key=True)
    left: Mapped[str]
    verdict: Mapped[str]
    at: Mapped[float]


class TuningModelVoteRow(Base):
    """What a model made of the same two texts, in either order."""

    __tablename__ = "tuning_model_votes"
    tuning: Mapped[str] = mapped_column(ForeignKey("tunings.id", ondelete="CASCADE"), primary_key=True)
    model: Mapped[str] = mapped_column(primary_key=True)
    example: Mapped[int] = mapped_column(primary_key=True)
    sample: Mapped[int] = mapped_column(primary_key=True)
    first: Mapped[str] = mapped_column(primary_key=True)
    second: Mapped[str] = mapped_column(primary_key=True)
    as_one: Mapped[float]
    as_two: Mapped[float]


class PresetRow(Base):
    """Settings under a name."""

    __tablename__ = "presets"
    visitor: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    created: Mapped[float]
    settings: Mapped[str]
    why: Mapped[str]


class SearchRow(Base):
    """Settings that are looked for."""

    __tablename__ = "searches"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    visitor: Mapped[str] = mapped_column(String(64), index=True)
    created: Mapped[float]
    model: Mapped[str]
    revision: Mapped[str]
    plan: Mapped[str]
    progress: Mapped[str]


class BallotRow(Base):
    """Answers that are voted on."""

    __tablename__ = "ballots"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    visitor: Mapped[str] = mapped_column(String(64), index=True)
    created: Mapped[float]
    name: Mapped[str]
    answers: Mapped[str]


class BallotVoteRow(Base):
    """A voter's vote on two answers, the last given."""

    __tablename__ = "ballot_votes"
    ballot: Mapped[str] = mapped_column(ForeignKey("ballots.id", ondelete="CASCADE"), primary_key=True)
    voter: Mapped[str] = mapped_column(primary_key=True)
    first: Mapped[int] = mapped_column(primary_key=True)
    second: Mapped[int] = mapped_column(primary_key=True)
    left: Mapped[str]
    winner: Mapped[str]
    tag: Mapped[str]
    seconds: Mapped[float]
    at: Mapped[float]


class BallotScoreRow(Base):
    """A voter's score of one answer, the last given."""

    __tablename__ = "ballot_scores"
    ballot: Mapped[str] = mapped_column(ForeignKey("ballots.id", ondelete="CASCADE"), primary_key=True)
    voter: Mapped[str] = mapped_column(primary_key=True)
    answer: Mapped[int] = mapped_column(primary_key=True)
    score: Mapped[int]
    seconds: Mapped[float]
    at: Mapped[float]


class RewardHeadRow(Base):
    """A reward head fitted to votes."""

    __tablename__ = "reward_heads"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    visitor: Mapped[str] = mapped_column(String(64), index=True)
    created: Mapped[float]
    name: Mapped[str]
    model: Mapped[str]
    head: Mapped[str]


class TrainingRow(Base):
    """A training. ``writer``: whoever runs it, a new word each time it is taken up; "" for nobody."""

    __tablename__ = "trainings"
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    visitor: Mapped[str] = mapped_column(String(64), index=True)
    created: Mapped[float]
    name: Mapped[str]
    rows: Mapped[str]
    settings: Mapped[str]
    origin: Mapped[str]
    status: Mapped[str]
    problem: Mapped[str]
    owner: Mapped[str]
    writer: Mapped[str]
    written: Mapped[float]
    seconds: Mapped[float]
    done: Mapped[int]
    steps: Mapped[int]
    result: Mapped[str]
