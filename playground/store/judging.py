"""The tables of judging blind: the link by which judges come to a tuning, who they are, what they and models said.

Rows go in and out as frozen records. Whether a vote comes in time is decided here, in the transaction that writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from playground.store.connection import Database
from playground.store.records import JudgeRecord, ModelVoteRecord, TuningVoteRecord
from playground.store.tables import TuningJudgeRow, TuningLinkRow, TuningModelVoteRow, TuningRow, TuningVoteRow

_VOTE = tuple(column.name for column in TuningVoteRow.__table__.columns if column.name != "tuning")
_MODEL_VOTE = tuple(column.name for column in TuningModelVoteRow.__table__.columns if column.name != "tuning")


class JudgingTable:
    """All methods raise StoreError with one sentence when disk or server does not play along."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- the link --------------------------------------------------------------------------------------------------

    def put_link(self, tuning: str, token: str | None, at: float) -> bool:
        """The one link of a tuning, an earlier one is no longer valid; None: there is none. False where the tuning is gone."""
        with self._database.session() as session:
            if not _is_there(session, tuning):
                return False
            session.execute(delete(TuningLinkRow).where(TuningLinkRow.tuning == tuning))
            if token is not None:
                session.add(TuningLinkRow(token=token, tuning=tuning, created=at))
            return True

    def link_of(self, tuning: str) -> str | None:
        """The token that is valid now."""
        with self._database.session() as session:
            return session.scalar(select(TuningLinkRow.token).where(TuningLinkRow.tuning == tuning))

    def tuning_of(self, token: str) -> tuple[str, str] | None:
        """The tuning that a token leads to, and whose it is; None where it leads nowhere."""
        with self._database.session() as session:
            row = session.execute(
                select(TuningRow.id, TuningRow.visitor)
                .join(TuningLinkRow, TuningLinkRow.tuning == TuningRow.id)
                .where(TuningLinkRow.token == token)
            ).one_or_none()
            return None if row is None else (str(row[0]), str(row[1]))

    # -- judges and votes ------------------------------------------------------------------------------------------

    def put_judge(self, tuning: str, judge: JudgeRecord) -> bool:
        """In the place of an earlier one of this visitor. False where the tuning is gone."""
        with self._database.session() as session:
            if not _is_there(session, tuning):
                return False
            session.merge(TuningJudgeRow(tuning=tuning, **asdict(judge)))
            return True

    def judges(self, tuning: str) -> tuple[JudgeRecord, ...]:
        """In the order in which they came."""
        with self._database.session() as session:
            rows = session.scalars(
                select(TuningJudgeRow)
                .where(TuningJudgeRow.tuning == tuning)
                .order_by(TuningJudgeRow.joined, TuningJudgeRow.judge)
            )
            return tuple(JudgeRecord(r.judge, r.nickname, r.key, r.joined) for r in rows)

    def put_votes(self, tuning: str, votes: Sequence[TuningVoteRecord], *, token: str | None = None) -> bool:
        """A judge's vote on the same texts is replaced. ``token``: the link by which the judge came, None for the owner.

        False, and nothing is stored, where the tuning is gone or the link is no longer valid.
        """
        with self._database.session() as session:
            if not _is_there(session, tuning) or (token is not None and not _leads(session, token, tuning)):
                return False
            for vote in votes:
                session.merge(TuningVoteRow(tuning=tuning, **asdict(vote)))
            return True

    def remove_vote(self, tuning: str, vote: TuningVoteRecord) -> None:
        """The one on these texts by this judge. One that is not there is no error."""
        row = TuningVoteRow
        with self._database.session() as session:
            of_judge = (row.tuning == tuning) & (row.judge == vote.judge)
            on_texts = (row.example == vote.example) & (row.sample == vote.sample)
            session.execute(
                delete(row).where(of_judge & on_texts & (row.first == vote.first) & (row.second == vote.second))
            )

    def votes(self, tuning: str) -> tuple[TuningVoteRecord, ...]:
        """All of them in the order in which they came."""
        columns = [getattr(TuningVoteRow, name) for name in _VOTE]
        order = TuningVoteRow.at, TuningVoteRow.judge, TuningVoteRow.example, TuningVoteRow.sample
        with self._database.session() as session:
            rows = session.execute(select(*columns).where(TuningVoteRow.tuning == tuning).order_by(*order))
            return tuple(TuningVoteRecord(*row) for row in rows)

    def newest_vote(self, tuning: str) -> tuple[int, float]:
        """How many there are, and when the last one came, as seconds since 1970: 0 without any."""
        query = select(func.count(), func.max(TuningVoteRow.at)).where(TuningVoteRow.tuning == tuning)
        with self._database.session() as session:
            count, at = session.execute(query).one()
            return count, at or 0.0

    # -- models ----------------------------------------------------------------------------------------------------

    def put_model_votes(self, tuning: str, votes: Sequence[ModelVoteRecord]) -> bool:
        """A model's on the same texts are replaced. False where the tuning is gone."""
        with self._database.session() as session:
            if not _is_there(session, tuning):
                return False
            for vote in votes:
                session.merge(TuningModelVoteRow(tuning=tuning, **asdict(vote)))
            return True

    def model_votes(self, tuning: str) -> tuple[ModelVoteRecord, ...]:
        """Of all models that were asked."""
        columns = [getattr(TuningModelVoteRow, name) for name in _MODEL_VOTE]
        order = TuningModelVoteRow.model, TuningModelVoteRow.example, TuningModelVoteRow.sample
        with self._database.session() as session:
            rows = session.execute(select(*columns).where(TuningModelVoteRow.tuning == tuning).order_by(*order))
            return tuple(ModelVoteRecord(*row) for row in rows)


def _is_there(session: Session, tuning: str) -> bool:
    return session.scalar(select(TuningRow.id).where(TuningRow.id == tuning)) is not None


def _leads(session: Session, token: str, tuning: str) -> bool:
    return session.scalar(select(TuningLinkRow.tuning).where(TuningLinkRow.token == token)) == tuning
