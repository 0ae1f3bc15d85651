"""The tables of questions asked of a room and of the answers. Rows go in and out as frozen records.

Whether an answer comes in time is decided here, in the transaction that writes it. What the JSON means is the business of
who writes it.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, select, update

from playground.store.connection import Database
from playground.store.records import AnswerRecord, QuestionRecord
from playground.store.tables import AnswerRow, QuestionRow


class QuestionTable:
    """All methods raise StoreError with one sentence when disk or server does not play along."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, question: QuestionRecord) -> None:
        with self._database.session() as session:
            names = ("id", "room", "series", "round", "asked", "state", "about", "result", "seconds", "closes")
            session.add(QuestionRow(**{name: getattr(question, name) for name in names}))

    def change(self, question: str, *, state: str | None = None, result: str | None = None) -> bool:
        """Set what is given; False where there is no such question. With its state its timer ends."""
        values: dict[str, str | None] = {} if state is None else {"state": state, "closes": None}
        values |= {} if result is None else {"result": result}
        with self._database.session() as session:
            changed = session.execute(
                update(QuestionRow).where(QuestionRow.id == question).values(**values).returning(QuestionRow.id)
            )
            return changed.first() is not None

    def set_timer(self, question: str, seconds: int, closes: float | None) -> None:
        """How long it is open, and until when."""
        with self._database.session() as session:
            session.execute(
                update(QuestionRow).where(QuestionRow.id == question).values(seconds=seconds, closes=closes)
            )

    def put_answer(self, question: str, visitor: str, given: str, at: float) -> AnswerRecord | None:
        """Store it in the place of an earlier one of this visitor; None where the question is not open or not there."""
        with self._database.session() as session:
            is_open = (QuestionRow.id == question) & (QuestionRow.state == "open")
            held = update(QuestionRow).where(is_open).values(state="open").returning(QuestionRow.id)
            if session.execute(held).first() is None:  # a write, so that nobody closes it between look and answer
                return None
            row = session.get(AnswerRow, (question, visitor))
            if row is None:
                row = AnswerRow(question=question, visitor=visitor, first=at)
                session.add(row)
            row.given, row.at = given, at
            return AnswerRecord(question, visitor, row.first, at, given)

    def remove_answer(self, question: str, visitor: str) -> None:
        """One that is not there is no error."""
        with self._database.session() as session:
            session.execute(delete(AnswerRow).where(AnswerRow.question == question, AnswerRow.visitor == visitor))

    def delete(self, series: str) -> None:
        """All rounds of a series with their answers. One that is not there is no error."""
        with self._database.session() as session:
            session.execute(delete(QuestionRow).where(QuestionRow.series == series))

    def discard(self, question: str) -> None:
        """One round with its answers."""
        with self._database.session() as session:
            session.execute(delete(QuestionRow).where(QuestionRow.id == question))

    def questions(self, room: str) -> tuple[QuestionRecord, ...]:
        """All of a room, the oldest first."""
        with self._database.session() as session:
            rows = session.scalars(
                select(QuestionRow).where(QuestionRow.room == room).order_by(QuestionRow.asked, QuestionRow.round)
            )
            return tuple(
                QuestionRecord(
                    r.id, r.room, r.series, r.round, r.asked, r.state, r.about, r.result, r.seconds, r.closes
                )
                for r in rows
            )

    def answers(self, questions: Sequence[str]) -> tuple[AnswerRecord, ...]:
        """Those to these questions, in the order of visitors' first ones."""
        with self._database.session() as session:
            rows = session.scalars(
                select(AnswerRow).where(AnswerRow.question.in_(questions)).order_by(AnswerRow.first, AnswerRow.visitor)
            )
            return tuple(AnswerRecord(r.question, r.visitor, r.first, r.at, r.given) for r in rows)
