"""Judges, their link and their votes in the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from playground.store.connection import Database
from playground.store.judging import JudgingTable
from playground.store.records import JudgeRecord, ModelVoteRecord, StoreError, TuningRecord, TuningVoteRecord
from playground.store.tunings import TuningTable

TUNING = TuningRecord("t" * 32, "maria", 1.0, "name", "{}", "{}", "finished", "", "", "", 1.0, 0.0)
VOTE = TuningVoteRecord("anna", 0, 1, "today", "cool é", "second", "left", 5.0)


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    """On SQLite and on PostgreSQL, with a tuning in it."""
    opened = Database(store_url)
    TuningTable(opened).add(TUNING)
    yield opened
    opened.close()


def test_votes_come_back_in_order_and_a_second_one_on_the_same_texts_replaces(database: Database) -> None:
    table = JudgingTable(database)
    later = replace(VOTE, example=3, at=7.0)
    assert table.put_votes(TUNING.id, [later, VOTE])
    assert table.put_votes(TUNING.id, [replace(VOTE, verdict="tie", at=6.0), replace(VOTE, judge="bert", at=6.5)])
    assert table.votes(TUNING.id) == (replace(VOTE, verdict="tie", at=6.0), replace(VOTE, judge="bert", at=6.5), later)
    table.remove_vote(TUNING.id, VOTE)
    table.remove_vote(TUNING.id, VOTE)
    assert [vote.judge for vote in table.votes(TUNING.id)] == ["bert", "anna"]


def test_a_link_leads_to_one_tuning_until_it_is_replaced_or_revoked(database: Database) -> None:
    table = JudgingTable(database)
    assert table.link_of(TUNING.id) is None and table.tuning_of("word") is None
    assert table.put_link(TUNING.id, "word", 2.0) and table.tuning_of("word") == (TUNING.id, "maria")
    assert table.put_votes(TUNING.id, [VOTE], token="word") and not table.put_votes(TUNING.id, [VOTE], token="other")
    assert table.put_link(TUNING.id, "new", 3.0) and table.link_of(TUNING.id) == "new"
    assert table.tuning_of("word") is None and not table.put_votes(TUNING.id, [VOTE], token="word")
    assert table.put_link(TUNING.id, None, 4.0) and table.link_of(TUNING.id) is None


def test_a_tuning_that_is_deleted_takes_all_of_it_along(database: Database) -> None:
    table = JudgingTable(database)
    opinion = ModelVoteRecord("m", 0, 1, "today", "cool é", 0.25, -0.5)
    table.put_link(TUNING.id, "word", 2.0)
    assert table.put_judge(TUNING.id, JudgeRecord("anna", "Änna", "änna", 4.0)) and table.put_votes(TUNING.id, [VOTE])
    assert table.put_model_votes(TUNING.id, [opinion]) and table.model_votes(TUNING.id) == (opinion,)
    TuningTable(database).delete(TUNING.id, "maria")
    assert not table.votes(TUNING.id) and not table.judges(TUNING.id) and not table.model_votes(TUNING.id)
    assert table.tuning_of("word") is None
    gone = (
        table.put_link(TUNING.id, "word", 2.0),
        table.put_judge(TUNING.id, JudgeRecord("anna", "Änna", "änna", 4.0)),
        table.put_votes(TUNING.id, [VOTE]),
        table.put_model_votes(TUNING.id, [opinion]),
    )
    assert gone == (False,) * 4


def test_two_judges_of_a_tuning_have_two_nicknames(database: Database) -> None:
    table = JudgingTable(database)
    table.put_judge(TUNING.id, JudgeRecord("anna", "old", "old", 4.0))
    table.put_judge(TUNING.id, JudgeRecord("anna", "Änna", "änna", 5.0))
    with pytest.raises(StoreError):
        table.put_judge(TUNING.id, JudgeRecord("bert", "Änna", "änna", 6.0))
    assert [judge.nickname for judge in table.judges(TUNING.id)] == ["Änna"]
