"""Kept trainings in the database: one runs at a time, another visitor's are as if they were not there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from playground.store.connection import Database
from playground.store.records import TrainingRecord
from playground.store.trainings import TrainingTable

KEPT = TrainingRecord("t" * 32, "anna", 5.0, "Mine", '{"é": 1}', "{}", "{}", "paused", "", "", "", 5.0, 0.0, 0, 0, "")


@pytest.fixture
def table(store_url: str) -> Iterator[TrainingTable]:
    """On SQLite and on PostgreSQL."""
    database = Database(store_url)
    yield TrainingTable(database)
    database.close()


def test_one_runs_it_and_what_it_wrote_stays(table: TrainingTable) -> None:
    table.add(KEPT)
    table.add(replace(KEPT, id="u" * 32, created=6.0))
    taken = {"owner": "1@2@here", "writer": "w", "written": 7.0}
    assert not table.claim(KEPT.id, "bert", lambda record: True, **taken)  # type: ignore[arg-type]
    assert not table.claim(KEPT.id, "anna", lambda record: record.status == "running", **taken)  # type: ignore[arg-type]
    assert table.claim(KEPT.id, "anna", lambda record: True, **taken)  # type: ignore[arg-type]
    assert not table.change(KEPT.id, "x", done=9)
    assert table.change(KEPT.id, "w", done=3, steps=12, seconds=1.5, result="abc")
    stored = table.training(KEPT.id, "anna")
    assert stored is not None and (stored.status, stored.done, stored.steps, stored.result) == ("running", 3, 12, "abc")
    assert [one.id[0] for one in table.trainings("anna")] == ["u", "t"]
    assert table.training(KEPT.id, "bert") is None and table.trainings("bert") == ()
    table.delete(KEPT.id, "bert")
    assert table.training(KEPT.id, "anna") is not None
    table.delete(KEPT.id, "anna")
    assert table.training(KEPT.id, "anna") is None
