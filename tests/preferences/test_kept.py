"""Ballots in the store: each owner's own, votes replaced and taken back, ids that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from playground.errors import BadInput
from playground.preferences.ballots import Answer, Ballot, Rating, Verdict
from playground.preferences.kept import BallotStore
from playground.store.connection import Database

BALLOT = Ballot((Answer("p", "a", "x", "s"), Answer("p", "<b>é</b>", "y", "s"), Answer("p", "c", "", "s")))


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    ballot_database = Database(store_url)
    yield ballot_database
    ballot_database.close()


def test_a_ballot_is_its_owners_and_comes_back_as_it_was(database: Database) -> None:
    own, other = BallotStore("ann", database), BallotStore("bob", database)
    ballot = own.add("name", BALLOT, [Verdict("file", 0, 1, "second", "tie", "g", 2.0)])
    loaded = own.load(ballot)
    assert (
        loaded.ballot.answers == BALLOT.answers
        and loaded.verdicts[0].group == "g"
        and loaded.verdicts[0].left == "second"
    )
    assert [each.votes for each in own.ballots()] == [1] and not other.ballots()
    for refused in (
        lambda: other.load(ballot),
        lambda: other.vote(ballot, [Verdict("bob", 0, 1, "first", "tie")]),
        lambda: other.rate(ballot, Rating("bob", 0, 3)),
    ):
        with pytest.raises(BadInput, match="deleted"):
            refused()
    other.delete(ballot)
    assert len(own.load(ballot).verdicts) == 1


def test_votes_replace_and_are_taken_back(database: Database) -> None:
    own = BallotStore("ann", database)
    ballot = own.add("name", BALLOT)
    own.vote(ballot, [Verdict("ann", 0, 1, "first", "tie", at=1.0), Verdict("bob", 0, 2, "first", "first", at=2.0)])
    own.vote(ballot, [Verdict("ann", 0, 1, "first", "second", at=3.0)])
    assert [(each.voter, each.winner) for each in own.load(ballot).verdicts] == [("bob", "first"), ("ann", "second")]
    own.undo(ballot, Verdict("ann", 0, 1, "first", "tie"))
    own.rate(ballot, Rating("ann", 1, 3))
    own.rate(ballot, Rating("ann", 1, 5))
    loaded = own.load(ballot)
    assert len(loaded.verdicts) == 1 and [each.score for each in loaded.ratings] == [5]
    own.delete(ballot)
    with pytest.raises(BadInput, match="deleted"):
        own.load(ballot)


def test_votes_on_answers_that_are_not_there_are_refused(database: Database) -> None:
    with pytest.raises(BadInput, match="not among"):
        BallotStore("ann", database).add("name", BALLOT, [Verdict("x", 0, 3, "first", "tie")])
