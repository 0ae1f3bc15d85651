"""The tables of ballots (answers that are voted on), of the votes and scores, and of what was learnt from them.

Rows go in and out as frozen records; what their JSON means, the writer knows. A ballot is one visitor's: another's is as if it
were not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from playground.store.connection import Database
from playground.store.records import BallotRecord, BallotScoreRecord, BallotVoteRecord, RewardHeadRecord
from playground.store.tables import BallotRow, BallotScoreRow, BallotVoteRow, RewardHeadRow

_VOTE = tuple(column.name for column in BallotVoteRow.__table__.columns if column.name != "ballot")
_SCORE = tuple(column.name for column in BallotScoreRow.__table__.columns if column.name != "ballot")
_HEAD = tuple(column.name for column in RewardHeadRow.__table__.columns)


class BallotTable:
    """All methods raise StoreError with one sentence when disk or server does not play along."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, ballot: BallotRecord, votes: Sequence[BallotVoteRecord]) -> None:
        """A new ballot with the votes that came with it."""
        with self._database.session() as session:
            session.add(BallotRow(**{name: value for name, value in asdict(ballot).items() if name != "votes"}))
            session.flush()
            if votes:
                session.execute(insert(BallotVoteRow), [{"ballot": ballot.id, **asdict(vote)} for vote in votes])

    def ballots(self, visitor: str) -> tuple[BallotRecord, ...]:
        """All of a visitor's without their answers, the newest first."""
        counts = select(func.count()).where(BallotVoteRow.ballot == BallotRow.id).scalar_subquery()
        with self._database.session() as session:
            rows = session.execute(
                select(BallotRow.id, BallotRow.created, BallotRow.name, counts)
                .where(BallotRow.visitor == visitor)
                .order_by(BallotRow.created.desc(), BallotRow.id)
            )
            return tuple(BallotRecord(row[0], visitor, row[1], row[2], "", row[3]) for row in rows)

    def load(self, ballot: str, visitor: str) -> BallotRecord | None:
        """One with its answers; None where there is none of this id."""
        with self._database.session() as session:
            row = session.get(BallotRow, ballot)
            if row is None or row.visitor != visitor:
                return None
            return BallotRecord(row.id, row.visitor, row.created, row.name, row.answers)

    def delete(self, ballot: str, visitor: str) -> None:
        """With its votes and scores. One that is not there is no error."""
        with self._database.session() as session:
            session.execute(delete(BallotRow).where(BallotRow.id == ballot, BallotRow.visitor == visitor))

    # -- votes and scores ------------------------------------------------------------------------------------------

    def put_votes(self, ballot: str, visitor: str, votes: Sequence[BallotVoteRecord]) -> bool:
        """A voter's vote on the same pair is replaced. False where the ballot is gone."""
        with self._database.session() as session:
            if not _is_there(session, ballot, visitor):
                return False
            for vote in votes:
                session.merge(BallotVoteRow(ballot=ballot, **asdict(vote)))
            return True

    def remove_vote(self, ballot: str, visitor: str, voter: str, first: int, second: int) -> None:
        """One that is not there is no error."""
        row = BallotVoteRow
        with self._database.session() as session:
            if _is_there(session, ballot, visitor):
                on_pair = (row.first == first) & (row.second == second)
                session.execute(delete(row).where(row.ballot == ballot, row.voter == voter, on_pair))

    def votes(self, ballot: str) -> tuple[BallotVoteRecord, ...]:
        """All of them in the order in which they came."""
        columns = [getattr(BallotVoteRow, name) for name in _VOTE]
        order = BallotVoteRow.at, BallotVoteRow.voter, BallotVoteRow.first, BallotVoteRow.second
        with self._database.session() as session:
            rows = session.execute(select(*columns).where(BallotVoteRow.ballot == ballot).order_by(*order))
            return tuple(BallotVoteRecord(*row) for row in rows)

    def put_score(self, ballot: str, visitor: str, score: BallotScoreRecord) -> bool:
        """A voter's score of the same answer is replaced. False where the ballot is gone."""
        with self._database.session() as session:
            if not _is_there(session, ballot, visitor):
                return False
            session.merge(BallotScoreRow(ballot=ballot, **asdict(score)))
            return True

    def scores(self, ballot: str) -> tuple[BallotScoreRecord, ...]:
        """All of them in the order in which they came."""
        columns = [getattr(BallotScoreRow, name) for name in _SCORE]
        order = BallotScoreRow.at, BallotScoreRow.voter, BallotScoreRow.answer
        with self._database.session() as session:
            rows = session.execute(select(*columns).where(BallotScoreRow.ballot == ballot).order_by(*order))
            return tuple(BallotScoreRecord(*row) for row in rows)

    # -- reward heads ----------------------------------------------------------------------------------------------

    def put_head(self, head: RewardHeadRecord) -> None:
        with self._database.session() as session:
            session.merge(RewardHeadRow(**asdict(head)))

    def head(self, head: str) -> RewardHeadRecord | None:
        """The one of this id, whoever asks: nobody guesses an id, and a link to a run may name it."""
        with self._database.session() as session:
            row = session.get(RewardHeadRow, head)
            return None if row is None else RewardHeadRecord(**{name: getattr(row, name) for name in _HEAD})

    def delete_head(self, head: str, visitor: str) -> None:
        """One that is not there is no error."""
        with self._database.session() as session:
            session.execute(delete(RewardHeadRow).where(RewardHeadRow.id == head, RewardHeadRow.visitor == visitor))

    def heads(self, visitor: str) -> tuple[RewardHeadRecord, ...]:
        """All of a visitor's, the newest first."""
        with self._database.session() as session:
            rows = session.scalars(
                select(RewardHeadRow)
                .where(RewardHeadRow.visitor == visitor)
                .order_by(RewardHeadRow.created.desc(), RewardHeadRow.id)
            )
            return tuple(RewardHeadRecord(**{name: getattr(row, name) for name in _HEAD}) for row in rows)


def _is_there(session: Session, ballot: str, visitor: str) -> bool:
    return session.scalar(select(BallotRow.id).where(BallotRow.id == ballot, BallotRow.visitor == visitor)) is not None
