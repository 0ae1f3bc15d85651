"""Ballots that outlive their process: answers, votes and scores of one visitor, out of the store and into it.

The one module of this package that knows the store. All methods raise StoreError, and BadInput where a ballot is gone.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from playground.errors import BadInput
from playground.preferences.ballots import Answer, Ballot, Rating, Verdict
from playground.store.records import BallotRecord, BallotScoreRecord, BallotVoteRecord, StoreError

if TYPE_CHECKING:
    from playground.store.connection import Database

MOST_BALLOTS = 50  # of one visitor


@dataclass(frozen=True, slots=True)
class BallotSummary:
    """One line of the list. ``created``: seconds since 1970."""

    id: str
    name: str
    created: float
    votes: int


@dataclass(frozen=True, slots=True, eq=False)
class KeptBallot:
    """A ballot with all that was said of it, in the order in which it came."""

    id: str
    name: str
    ballot: Ballot
    verdicts: tuple[Verdict, ...]
    ratings: tuple[Rating, ...]


class BallotStore:
    """``owner``: whose they are; another's are as if they were not there."""

    def __init__(self, owner: str, database: Database | None = None) -> None:
        """``database``: None for the one of this process."""
        from playground.store.ballots import BallotTable
        from playground.store.connection import shared_database  # SQLAlchemy takes a while

        self._owner, self._table = owner, BallotTable(database or shared_database())

    def add(self, name: str, ballot: Ballot, verdicts: Sequence[Verdict] = ()) -> str:
        """Keep a new ballot; its id."""
        if len(self.ballots()) >= MOST_BALLOTS:
            raise BadInput(f"There are {MOST_BALLOTS} kept ballots already: delete one first.", "ballot")
        for verdict in verdicts:
            ballot.check(verdict)
        answers = json.dumps([list(asdict(answer).values()) for answer in ballot.answers], ensure_ascii=False)
        record = BallotRecord(uuid.uuid4().hex, self._owner, time.time(), name, answers)
        self._table.add(record, [_record(verdict) for verdict in verdicts])
        return record.id

    def ballots(self) -> tuple[BallotSummary, ...]:
        """The newest first."""
        return tuple(BallotSummary(r.id, r.name, r.created, r.votes) for r in self._table.ballots(self._owner))

    def load(self, ballot: str) -> KeptBallot:
        """One with its votes."""
        stored = self._table.load(ballot, self._owner)
        if stored is None:
            raise _gone()
        verdicts = tuple(_verdict(record) for record in self._table.votes(ballot))
        ratings = tuple(Rating(r.voter, r.answer, r.score, r.seconds, r.at) for r in self._table.scores(ballot))
        return KeptBallot(stored.id, stored.name, _read(stored.answers), verdicts, ratings)

    def vote(self, ballot: str, verdicts: Sequence[Verdict]) -> None:
        """In the place of what the same voter said of the same pair before."""
        if not self._table.put_votes(ballot, self._owner, [_record(verdict) for verdict in verdicts]):
            raise _gone()

    def undo(self, ballot: str, verdict: Verdict) -> None:
        """Take a vote back."""
        self._table.remove_vote(ballot, self._owner, verdict.voter, verdict.first, verdict.second)

    def rate(self, ballot: str, rating: Rating) -> None:
        """In the place of the same voter's score of the same answer before."""
        record = BallotScoreRecord(rating.voter, rating.answer, rating.score, rating.seconds, rating.at)
        if not self._table.put_score(ballot, self._owner, record):
            raise _gone()

    def delete(self, ballot: str) -> None:
        self._table.delete(ballot, self._owner)


def _gone() -> BadInput:
    return BadInput("This ballot has been deleted: choose another one, or bring in new answers.", "ballot")


@lru_cache(maxsize=8)  # every vote looks at it again
def _read(answers: str) -> Ballot:
    try:
        return Ballot(tuple(Answer(*map(str, row)) for row in json.loads(answers)))
    except (ValueError, TypeError, BadInput):
        raise StoreError("This ballot was damaged on the disk and cannot be shown: delete it.") from None


def _record(each: Verdict) -> BallotVoteRecord:
    return BallotVoteRecord(
        each.voter, each.first, each.second, each.left, each.winner, each.group, each.seconds, each.at or time.time()
    )


def _verdict(record: BallotVoteRecord) -> Verdict:
    left, winner = cast(Any, record.left), cast(Any, record.winner)
    return Verdict(record.voter, record.first, record.second, left, winner, record.tag, record.seconds, record.at)
