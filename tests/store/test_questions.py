"""Questions and answers in the database: one answer a visitor, none after the end, all gone with their question."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from playground.store.connection import Database
from playground.store.questions import QuestionTable
from playground.store.records import AnswerRecord, QuestionRecord

ASKED = QuestionRecord("q" * 32, "ABCD", "s" * 32, 1, 5.0, "open", '{"prompt": "é"}')


@pytest.fixture
def table(store_url: str) -> Iterator[QuestionTable]:
    """On SQLite and on PostgreSQL."""
    database = Database(store_url)
    yield QuestionTable(database)
    database.close()


def test_an_answer_replaces_the_same_visitors_until_the_end(table: QuestionTable, store_url: str) -> None:
    table.add(ASKED)
    assert table.put_answer(ASKED.id, "anna", "1", 6.0) == AnswerRecord(ASKED.id, "anna", 6.0, 6.0, "1")
    table.put_answer(ASKED.id, "bert", "2", 7.0)
    table.put_answer(ASKED.id, "anna", "3", 8.0)
    assert table.change(ASKED.id, state="closed", result="{}")
    assert table.put_answer(ASKED.id, "anna", "4", 9.0) is None
    assert table.put_answer(ASKED.id, "carl", "5", 9.0) is None

    again = Database(store_url)  # as another process finds it
    reopened = QuestionTable(again)
    (question,) = reopened.questions("ABCD")
    assert (question.state, question.result, question.about) == ("closed", "{}", ASKED.about)
    assert [(a.visitor, a.given, a.first, a.at) for a in reopened.answers([ASKED.id])] == [
        ("anna", "3", 6.0, 8.0),
        ("bert", "2", 7.0, 7.0),
    ]
    again.close()


def test_a_timer_is_kept_until_its_question_closes(table: QuestionTable, store_url: str) -> None:
    table.add(replace(ASKED, seconds=60, closes=65.5))
    again = Database(store_url)
    reopened = QuestionTable(again)
    assert [(one.seconds, one.closes) for one in reopened.questions("ABCD")] == [(60, 65.5)]
    table.change(ASKED.id, result="{}")
    table.set_timer(ASKED.id, 30, 40.0)
    assert [(one.seconds, one.closes) for one in reopened.questions("ABCD")] == [(30, 40.0)]
    table.change(ASKED.id, state="closed")
    assert [(one.seconds, one.closes) for one in reopened.questions("ABCD")] == [(30, None)]
    again.close()


def test_what_is_gone_takes_no_answer_and_leaves_none(table: QuestionTable) -> None:
    assert table.put_answer("nothing", "anna", "1", 6.0) is None and not table.change("nothing", state="closed")
    table.add(ASKED)
    table.put_answer(ASKED.id, "anna", "1", 6.0)
    table.discard(ASKED.id)
    assert table.answers([ASKED.id]) == () == table.questions("ABCD")
    table.add(ASKED)
    table.delete(ASKED.series)
    table.delete(ASKED.series)
    assert table.questions("ABCD") == () == table.questions("other")
