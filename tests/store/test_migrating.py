"""Migrations: old files open, several processes may start at once, and what they make is what ``tables.py`` declares."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from playground.store.database import RunDatabase
from playground.store.place import FILE_NAME, sqlite_url
from playground.store.records import LOCAL, CandidateRecord, StoreError
from playground.store.tables import VERSION, Base

ROOT = Path(__file__).resolve().parents[2]

# What SQLAlchemy made of the tables as they were before there were migrations, with a run in them.
BEFORE = """
CREATE TABLE runs (id VARCHAR(32) NOT NULL, created FLOAT NOT NULL, name VARCHAR NOT NULL, asking VARCHAR NOT NULL,
  origin VARCHAR NOT NULL, status VARCHAR NOT NULL, owner VARCHAR NOT NULL, cost VARCHAR NOT NULL, PRIMARY KEY (id));
CREATE TABLE candidates (run VARCHAR(32) NOT NULL, place INTEGER NOT NULL, plain VARCHAR NOT NULL, prompt_ids BLOB NOT NULL,
  ids BLOB NOT NULL, arrays BLOB NOT NULL, PRIMARY KEY (run, place),
  FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE);
CREATE TABLE columns (run VARCHAR(32) NOT NULL, label VARCHAR NOT NULL, scores VARCHAR NOT NULL, PRIMARY KEY (run, label),
  FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE);
INSERT INTO runs VALUES ('a', 5.0, '', '{"n": 2}', '{}', 'finished', '1@2', '{}');
INSERT INTO candidates VALUES ('a', 0, '{}', x'0001', x'', x'00');
"""
NOTES = "CREATE TABLE notes (name VARCHAR NOT NULL, text VARCHAR NOT NULL, PRIMARY KEY (name));"


@pytest.mark.parametrize("script", [BEFORE, BEFORE + NOTES], ids=["without notes", "with notes"])
def test_a_file_from_before_there_were_migrations_opens(tmp_path: Path, script: str) -> None:
    with sqlite3.connect(tmp_path / FILE_NAME) as raw:
        raw.executescript(script)
    raw.close()
    for _ in range(2):  # the second finds it done
        database = RunDatabase(sqlite_url(tmp_path))
        loaded = database.load("a", LOCAL)
        assert loaded is not None
        run, candidates, _columns = loaded
        assert (run.created, run.request, run.status, run.finished) == (5.0, '{"n": 2}', "finished", 1)
        assert candidates == (CandidateRecord(0, "{}", b"\0\1", b"", b"\0"),)
        database.put_note("a", "note")
        assert database.note("a") == "note"
        database.close()


def test_what_migrations_make_is_what_the_tables_declare(store_url: str) -> None:
    RunDatabase(store_url).close()
    engine = create_engine(store_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == VERSION
    engine.dispose()


def test_the_version_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(ROOT / "playground/store/migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [VERSION]


def test_several_processes_may_start_at_once(store_url: str) -> None:
    """They are let go together."""
    program = (
        "from playground.store.database import RunDatabase; print('ready', flush=True); input();"
        f"RunDatabase({store_url!r}).check()"
    )

    def start() -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [sys.executable, "-c", program], cwd=ROOT, text=True, stdin=pipe, stdout=pipe, stderr=pipe
        )

    with ExitStack() as opened:
        started = [opened.enter_context(start()) for _ in range(3)]
        for process in started:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
        for process in started:
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        said = [process.communicate()[1] for process in started]
    assert [process.returncode for process in started] == [0] * 3, said
    RunDatabase(store_url).close()


def test_a_store_of_a_newer_version_is_told(store_url: str) -> None:
    RunDatabase(store_url).close()
    engine = create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '99'"))
    engine.dispose()
    with pytest.raises(
        StoreError, match=rf"newer version than this one \(99, not {VERSION}\): update this installation"
    ):
        RunDatabase(store_url)
