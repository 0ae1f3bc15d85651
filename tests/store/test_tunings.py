"""Kept tunings in the database: one writes at a time, texts are replaced in place, all gone with their tuning."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from playground.store.connection import Database
from playground.store.records import CandidateRecord, TuningRecord
from playground.store.tunings import TuningTable

KEPT = TuningRecord("t" * 32, "anna", 5.0, "Mine", '{"é": 1}', "{}", "paused", "", "", "", 5.0, 0.0)


@pytest.fixture
def table(store_url: str) -> Iterator[TuningTable]:
    """On SQLite and on PostgreSQL."""
    database = Database(store_url)
    yield TuningTable(database)
    database.close()


def text(place: int, plain: str = "{}") -> CandidateRecord:
    return CandidateRecord(place, plain, b"\0\1", b"", b"\0")


def test_one_writes_and_what_it_wrote_stays(table: TuningTable, store_url: str) -> None:
    table.add(KEPT)
    table.add(replace(KEPT, id="u" * 32, created=6.0))
    taken = {"owner": "1@2@here", "writer": "w", "written": 7.0}
    assert not table.claim(KEPT.id, "bert", lambda record: True, **taken)  # type: ignore[arg-type]
    assert not table.claim(KEPT.id, "anna", lambda record: record.status == "running", **taken)  # type: ignore[arg-type]
    assert table.claim(KEPT.id, "anna", lambda record: True, **taken)  # type: ignore[arg-type]
    assert table.add_texts(KEPT.id, "w", [text(3), text(1)], written=8.0, seconds=1.5)
    assert not table.add_texts(KEPT.id, "x", [text(2)], written=9.0, seconds=1.0)
    assert table.add_texts(KEPT.id, "w", [text(3, '{"a": 1}')], written=10.0, seconds=0.5)

    again = Database(store_url)  # as another process finds it
    reopened = TuningTable(again)
    assert [row.place for row in reopened.texts(KEPT.id, "anna")] == [1, 3] and reopened.texts(KEPT.id, "bert") == ()
    assert reopened.texts(KEPT.id, "anna")[1] == text(3, '{"a": 1}')
    first, second = reopened.tunings("anna")
    assert (first.id, first.texts) == ("u" * 32, 0)
    assert second == replace(KEPT, status="running", owner="1@2@here", writer="w", written=10.0, seconds=2.0, texts=2)
    reopened.let_go(KEPT.id, "x", status="stopped", problem="")
    reopened.let_go(KEPT.id, "w", status="paused", problem="The disk is full.")
    after = reopened.tuning(KEPT.id, "anna")
    assert after is not None and (after.status, after.problem, after.writer) == ("paused", "The disk is full.", "")
    assert reopened.tuning(KEPT.id, "bert") is None and reopened.count("anna") == 2 and reopened.count("bert") == 0
    again.close()


def test_a_deleted_one_leaves_nothing_and_takes_nothing(table: TuningTable) -> None:
    table.add(KEPT)
    assert table.claim(KEPT.id, "anna", lambda record: True, owner="o", writer="w", written=1.0)
    assert table.add_texts(KEPT.id, "w", [text(0)], written=2.0, seconds=0.0)
    table.delete(KEPT.id, "bert")
    (own,) = table.tunings("anna")
    assert own.name == "Mine"
    table.delete(KEPT.id, "anna")
    table.delete(KEPT.id, "anna")
    assert not table.add_texts(KEPT.id, "w", [text(1)], written=3.0, seconds=0.0)
    table.add(KEPT)
    assert table.texts(KEPT.id, "anna") == ()


def test_one_who_lets_go_while_another_takes_up_is_no_obstacle(table: TuningTable) -> None:
    table.add(KEPT)
    assert table.claim(KEPT.id, "anna", lambda record: True, owner="o", writer="former", written=1.0)
    statuses: list[str] = []

    def as_it_ends(record: TuningRecord) -> bool:
        if not statuses:
            table.let_go(KEPT.id, "former", status="paused", problem="")
        statuses.append(record.status)
        return True

    assert table.claim(KEPT.id, "anna", as_it_ends, owner="o", writer="next", written=2.0)
    assert statuses == ["running", "paused"] and table.tuning(KEPT.id, "anna").writer == "next"  # type: ignore[union-attr]
