"""The database: records come back as they went in, failures are one sentence, and nothing in it is SQLite's alone."""

from __future__ import annotations

import os
import socket
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from playground.store.database import RunDatabase
from playground.store.owner import SILENT_S, is_alive, this_process
from playground.store.place import DATA_VARIABLE, FILE_NAME, URL_VARIABLE, data_folder, database_url, sqlite_url
from playground.store.records import LOCAL, CandidateRecord, ColumnRecord, RunRecord, StoreError

RUN = RunRecord("a" * 32, 5.0, '{"n": 2}', "{}", "running", "1@2", 5.0, "{}")
CANDIDATES = tuple(CandidateRecord(place, "{}", b"\0\1", b"", bytes(range(256))) for place in range(3))
COLUMN = ColumnRecord("judge:é", "[1, 2]")


@pytest.fixture
def database(store_url: str) -> Iterator[RunDatabase]:
    """On SQLite and on PostgreSQL."""
    run_database = RunDatabase(store_url)
    yield run_database
    run_database.close()


def test_records_come_back_as_they_went_in(database: RunDatabase, store_url: str) -> None:
    database.add_run(RUN)
    database.add_run(replace(RUN, id="b", created=6.0))
    database.add_candidates(RUN.id, LOCAL, [CANDIDATES[2], CANDIDATES[0]])
    database.add_candidates(RUN.id, LOCAL, CANDIDATES)
    database.put_columns(RUN.id, LOCAL, [replace(COLUMN, scores="old")])
    database.put_columns(RUN.id, LOCAL, [COLUMN])
    database.change_run(RUN.id, LOCAL, status="finished", cost='{"a": 1}')
    stored = replace(RUN, status="finished", cost='{"a": 1}', finished=3)
    again = RunDatabase(store_url)
    assert again.load(RUN.id, LOCAL) == (stored, CANDIDATES, (COLUMN,))
    assert [run.id for run in again.runs(LOCAL)] == ["b", RUN.id] and again.runs(LOCAL)[1] == stored
    again.delete(RUN.id, LOCAL)
    again.add_candidates(RUN.id, LOCAL, CANDIDATES)
    again.close()
    assert database.load(RUN.id, LOCAL) is None and [run.finished for run in database.runs(LOCAL)] == [0]
    engine = create_engine(store_url)
    with engine.connect() as raw:
        for table in ("candidates", "columns"):
            assert raw.scalar(text(f"SELECT COUNT(*) FROM {table}")) == 0, "what hangs on a run goes with it"
    engine.dispose()


def test_a_run_is_changed_by_its_owner_alone_where_that_is_asked(database: RunDatabase) -> None:
    database.add_run(RUN)
    database.change_run(RUN.id, LOCAL, of="another", status="stopped", written=9.0)
    assert database.runs(LOCAL) == (RUN,)
    database.change_run(RUN.id, LOCAL, of=RUN.owner, status="stopped", written=9.0)
    assert database.runs(LOCAL) == (replace(RUN, status="stopped", written=9.0),)
    database.check()


def test_another_visitors_run_is_as_one_that_is_not_there(database: RunDatabase) -> None:
    own_run = replace(RUN, visitor="me")
    database.add_run(own_run)
    database.add_run(replace(RUN, id="b", visitor="them"))
    database.add_candidates(own_run.id, "them", CANDIDATES)
    database.put_columns(own_run.id, "them", [COLUMN])
    database.change_run(own_run.id, "them", status="stopped")
    database.delete(own_run.id, "them")
    database.delete(own_run.id, LOCAL)
    assert database.load(own_run.id, "them") is None and database.load(own_run.id, LOCAL) is None
    assert database.load(own_run.id, "me") == (own_run, (), ())
    assert [database.count(name) for name in ("me", "them", LOCAL)] == [1, 1, 0]
    assert database.runs("me") == (own_run,) and database.runs(LOCAL) == ()


def test_a_note_with_an_end_is_gone_after_it(database: RunDatabase) -> None:
    database.put_note("old", "text", expires=time.time() - 1)
    database.put_note("kept", "text", expires=time.time() + 60)
    database.put_note("for good", "text")
    assert [database.note(name) for name in ("old", "kept", "for good")] == [None, "text", "text"]


def test_notes_are_stored_replaced_and_removed(database: RunDatabase) -> None:
    assert database.note("bake-off") is None
    database.put_note("bake-off", "one")
    database.put_note("bake-off", "two")
    assert database.note("bake-off") == "two"
    database.put_note("bake-off", None)
    assert database.note("bake-off") is None


def test_a_folder_that_cannot_be_made_and_a_damaged_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match=DATA_VARIABLE):
        RunDatabase(sqlite_url(tmp_path / "file" / "below"))
    RunDatabase(sqlite_url(tmp_path / "broken")).close()
    for name in (tmp_path / "broken").iterdir():
        name.write_bytes(b"this is no database" * 500)
    with pytest.raises(StoreError, match="damaged"):
        RunDatabase(sqlite_url(tmp_path / "broken")).runs(LOCAL)


def test_a_file_of_another_version_is_said_to_be_that(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE_NAME) as raw:
        raw.execute("CREATE TABLE runs (id TEXT PRIMARY KEY, created FLOAT)")
    raw.close()
    with pytest.raises(StoreError, match="another version") as refused:
        RunDatabase(sqlite_url(tmp_path))
    assert "writable" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+nodriver://me:secret@localhost/runs", "see that it runs"),
        ("postgresql+asyncpg://me:secret@localhost/runs", "its driver is not installed"),
        ("no url", "its URL cannot be read"),
    ],
)
def test_a_server_that_cannot_be_used_is_one_sentence_without_its_password(url: str, said: str) -> None:
    with pytest.raises(StoreError, match=said) as refused:
        RunDatabase(url)
    assert "secret" not in str(refused.value) and URL_VARIABLE in str(refused.value) and "\n" not in str(refused.value)


def test_the_place_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(URL_VARIABLE, raising=False)
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    assert data_folder() == tmp_path and database_url() == f"sqlite:///{tmp_path / FILE_NAME}"
    monkeypatch.setenv(URL_VARIABLE, "postgresql+psycopg://host/runs")
    assert database_url() == "postgresql+psycopg://host/runs"
    monkeypatch.delenv(DATA_VARIABLE)
    assert data_folder() != tmp_path


def test_only_a_living_process_is_alive() -> None:
    own = this_process()
    number, created, machine = own.split("@")
    assert is_alive(own, 0) and number == str(os.getpid()) and is_alive(f"{number}@{created}", 0)
    assert not is_alive(f"{number}@{float(created) - 60}@{machine}", time.time()) and not is_alive("no owner", 0)
    assert is_alive(f"1@2@not {machine}", time.time() - 5), "another machine says that it is there"
    assert not is_alive(f"1@2@not {machine}", time.time() - 2 * SILENT_S)


def test_a_server_that_is_not_there_is_told_soon() -> None:
    with socket.socket() as held:  # bound, so nobody else has it, and nobody listens
        held.bind(("127.0.0.1", 0))
        url = f"postgresql+psycopg://me:secret@127.0.0.1:{held.getsockname()[1]}/runs"
        with pytest.raises(StoreError, match=r"Runs cannot be kept in .*: see that it runs") as refused:
            RunDatabase(url)
    assert "secret" not in str(refused.value)
