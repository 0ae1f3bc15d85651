"""Best-of-N runs kept on disk: written while candidates finish, reopened, compared, deleted.

One SQLite file in the user's data folder. A candidate is committed when it ends, so a process that is killed loses only
what it had not finished, and ``resume_of`` says where to go on. Scores that cost a model are kept beside; all others are
computed again. Knows no model and no page; safe to use from several threads and processes.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, cast

import platformdirs
import psutil
from sqlalchemy import create_engine, delete, event, func, select, update
from sqlalchemy.exc import DatabaseError, SQLAlchemyError
from sqlalchemy.orm import Session

from playground.errors import BadInput, PlaygroundError
from playground.generation.document import Origin
from playground.testtime.request import BestOfNRequest, asking_from_json, asking_to_json
from playground.testtime.store_rows import (
    Base,
    CandidateRow,
    ColumnRow,
    NoteRow,
    RunRow,
    candidate_of,
    candidate_row,
    column_json,
    column_of,
)
from playground.testtime.types import Candidate, ScoreColumn

DATA_VARIABLE = "PLAYGROUND_DATA"
FILE_NAME = "best-of-n-1.sqlite3"  # the number is the schema's
Status = Literal["running", "finished", "stopped", "damaged"]


class StoreError(PlaygroundError):
    """Runs cannot be kept or read: the disk is full, the folder cannot be written, the file is damaged."""


@dataclass(frozen=True, slots=True)
class RunCost:
    """What a run took, in the engine's own time. ``resumed`` counts how often it was taken up again."""

    prefill_ms: float = 0.0
    decode_ms: float = 0.0
    computed_tokens: int = 0
    new_tokens: int = 0
    resumed: int = 0


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of the list. ``status``: "running" only while the process that writes it lives; else "stopped" early.
    "damaged": what was written of it cannot be read, so that only its id is sure.
    """

    id: str
    created: float
    name: str
    model: str
    prompt: str
    status: Status
    finished: int
    wanted: int


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as kept: enough to show it, rank it and go on with it."""

    summary: RunSummary
    asking: BestOfNRequest
    origin: Origin
    cost: RunCost
    candidates: tuple[Candidate, ...]
    columns: tuple[ScoreColumn, ...]


def data_folder() -> Path:
    """PLAYGROUND_DATA, or the system's data folder for this user."""
    chosen = os.environ.get(DATA_VARIABLE)
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_data_dir("llm-playground"))


class RunStore:
    """The file of kept runs. All methods raise StoreError with one sentence when the disk does not play along."""

    def __init__(self, folder: Path | None = None, *, most_bytes: int | None = None) -> None:
        """``most_bytes`` bounds the file, for tests of a full disk."""
        self.path = (folder or data_folder()) / FILE_NAME
        self._most_bytes = most_bytes
        with self._told():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._engine = create_engine(f"sqlite:///{self.path}", connect_args={"timeout": 20})
            event.listen(self._engine, "connect", self._prepare)
            Base.metadata.create_all(self._engine)

    def _prepare(self, connection: Any, _record: object) -> None:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")  # a damaged row must not hide the others
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")  # readers do not wait for the one who writes
        cursor.execute("PRAGMA synchronous=NORMAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        if self._most_bytes is not None:
            cursor.execute("PRAGMA page_size")
            cursor.execute(f"PRAGMA max_page_count={self._most_bytes // int(cursor.fetchone()[0])}")
        cursor.close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """The failures of files and of SQLite as one sentence with a next step."""
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(_sentence(self.path, error)) from None

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with self._told(), Session(self._engine) as session, session.begin():
            yield session

    # -- writing -------------------------------------------------------------------------------------------------------

    def start(self, asking: BestOfNRequest, origin: Origin, name: str = "") -> str:
        """A new run without candidates; its id."""
        run = uuid.uuid4().hex
        with self._session() as session:
            session.add(
                RunRow(
                    id=run,
                    created=time.time(),
                    name=name,
                    asking=asking_to_json(asking),
                    origin=_json(origin),
                    status="running",
                    owner=_this_process(),
                    cost=_json(RunCost()),
                )
            )
        return run

    def take_up(self, run: str) -> None:
        """Mark a run that was cut off as being written by this process."""
        with self._session() as session:
            session.execute(update(RunRow).where(RunRow.id == run).values(status="running", owner=_this_process()))

    def add(self, run: str, candidates: Sequence[Candidate]) -> None:
        """Keep finished candidates, in one transaction. One that is there already is replaced."""
        with self._session() as session:
            if session.get(RunRow, run) is None:
                return  # deleted meanwhile: nobody wants its candidates
            for candidate in candidates:
                session.merge(candidate_row(run, candidate))

    def finish(self, run: str, status: Status, cost: RunCost) -> None:
        with self._session() as session:
            values = {"status": status, "cost": _json(cost)}
            session.execute(update(RunRow).where(RunRow.id == run).values(**values))

    def put_columns(self, run: str, columns: Sequence[ScoreColumn]) -> None:
        """Keep scores, so that what a model judged need not be judged again."""
        with self._session() as session:
            if session.get(RunRow, run) is None:
                return
            for column in columns:
                session.merge(ColumnRow(run=run, label=column.label, scores=column_json(column)))

    def rename(self, run: str, name: str) -> None:
        with self._session() as session:
            session.execute(update(RunRow).where(RunRow.id == run).values(name=" ".join(name.split())[:80]))

    def delete(self, run: str) -> None:
        """With all its candidates. One that is not there is no error."""
        with self._session() as session:
            session.execute(delete(RunRow).where(RunRow.id == run))

    def put_note(self, name: str, text: str | None) -> None:
        """Keep a text under a name; None forgets it."""
        with self._session() as session:
            if text is None:
                session.execute(delete(NoteRow).where(NoteRow.name == name))
            else:
                session.merge(NoteRow(name=name, text=text))

    # -- reading -------------------------------------------------------------------------------------------------------

    def runs(self) -> tuple[RunSummary, ...]:
        """All runs, the newest first."""
        counted = select(CandidateRow.run, func.count().label("n")).group_by(CandidateRow.run).subquery()
        with self._session() as session:
            rows = session.execute(
                select(RunRow, counted.c.n)
                .outerjoin(counted, counted.c.run == RunRow.id)
                .order_by(RunRow.created.desc())
            ).all()
            return tuple(_listed(run, int(count or 0)) for run, count in rows)

    def load(self, run: str) -> StoredRun:
        """One run with its candidates in order. Raises BadInput where there is none of this id."""
        with self._session() as session:
            found = session.get(RunRow, run)
            if found is None:
                raise BadInput("This run is not kept any more: choose another one.", "run")
            rows = session.scalars(
                select(CandidateRow).where(CandidateRow.run == run).order_by(CandidateRow.place)
            ).all()
            columns = session.scalars(select(ColumnRow).where(ColumnRow.run == run)).all()
            try:
                candidates = tuple(candidate_of(row) for row in rows)
                return StoredRun(
                    summary=_summary(found, len(rows)),
                    asking=asking_from_json(found.asking),
                    origin=Origin(**json.loads(found.origin)),
                    cost=_at_least(RunCost(**json.loads(found.cost)), candidates),
                    candidates=candidates,
                    columns=tuple(column_of(column) for column in columns),
                )
            except (ValueError, TypeError, KeyError, AttributeError, BadInput):
                raise StoreError("This run was damaged on the disk and cannot be shown: delete it.") from None

    def note(self, name: str) -> str | None:
        """The text kept under a name, if there is one."""
        with self._session() as session:
            found = session.get(NoteRow, name)
            return None if found is None else found.text

    def close(self) -> None:
        self._engine.dispose()


_shared: dict[Path, RunStore] = {}
_shared_lock = threading.Lock()


def shared_store() -> RunStore:
    """The one store of this process for the present ``data_folder``. Raises StoreError; the next call tries again.

    No cache of the page's framework: any client may ask that to be emptied, and there would be one more store each time.
    """
    folder = data_folder()
    with _shared_lock:
        if folder not in _shared:
            _shared[folder] = RunStore(folder)
        return _shared[folder]


# -- rows and dataclasses ------------------------------------------------------------------------------------------------


def _json(item: Any) -> str:
    return json.dumps({f.name: getattr(item, f.name) for f in fields(item)}, ensure_ascii=False, allow_nan=False)


def _listed(run: RunRow, finished: int) -> RunSummary:
    """A line of the list for any row, readable or not."""
    try:
        return _summary(run, finished)
    except (ValueError, TypeError, KeyError, AttributeError):
        return RunSummary(run.id, 0.0, "a run that was damaged on the disk", "", "", "damaged", finished, finished)


def _summary(run: RunRow, finished: int) -> RunSummary:
    asking, origin = json.loads(run.asking), json.loads(run.origin)
    cut_off = run.status == "running" and not _is_alive(run.owner)
    status = cast(Status, "stopped" if cut_off else run.status)
    wanted = int(asking["n"]) + int(asking.get("beams", 0))
    created, model, prompt = float(run.created), str(origin["name"]), str(asking["prompt"])
    return RunSummary(run.id, created, str(run.name), model, prompt, status, finished, wanted)


def _at_least(cost: RunCost, candidates: Sequence[Candidate]) -> RunCost:
    """A process that was killed had no time to say what it spent: at least what its finished candidates took."""
    return replace(
        cost,
        new_tokens=max(cost.new_tokens, sum(one.n_tokens for one in candidates)),
        decode_ms=max(cost.decode_ms, max((one.elapsed_ms for one in candidates), default=0.0)),
    )


def _this_process() -> str:
    return f"{os.getpid()}@{psutil.Process().create_time():.2f}"


def _is_alive(owner: str) -> bool:
    """Whether the process of this number is still the one that wrote: numbers are given out again."""
    number, _, created = owner.partition("@")
    try:
        return bool(abs(psutil.Process(int(number)).create_time() - float(created)) < 1)
    except (psutil.Error, ValueError):
        return False


def _sentence(path: Path, error: Exception) -> str:
    reason = str(error.orig if isinstance(error, DatabaseError) else error).splitlines()[0][:160].rstrip(".")
    if "full" in reason or "No space" in reason:
        return f"The disk is full, so this run is not kept: free some space in {path.parent} or delete older runs."
    if "locked" in reason:
        return f"Another process holds the file of kept runs ({path.name}): close it and try again."
    if "malformed" in reason or "not a database" in reason:
        return f"The file of kept runs is damaged ({path}): move it away, a new one will be made."
    if re.search(r"no such (?:column|table)|has no column|constraint failed", reason):
        return f"The file of kept runs is of another version ({path}): move it away, a new one will be made."
    return (
        f"Runs cannot be kept in {path.parent} ({reason}): make it writable or set {DATA_VARIABLE} to another folder."
    )
