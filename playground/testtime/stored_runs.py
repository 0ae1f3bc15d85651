"""Best-of-N runs that outlive their process: written while candidates finish, reopened, compared, deleted.

``playground.store`` holds the rows; here a candidate or a column of scores becomes a row and back. Scores that cost a
model are stored beside; all others are computed again. Knows no model and no page.
"""

from __future__ import annotations

import copy
import json
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from playground.errors import BadInput
from playground.generation.document import Origin
from playground.store.owner import is_alive, this_process
from playground.store.place import database_url, sqlite_url
from playground.store.records import LOCAL, ColumnRecord, RunRecord, StoreError
from playground.testtime.candidate_rows import UNREADABLE, candidate_of, candidate_record
from playground.testtime.request import BestOfNRequest, request_from_json, request_to_json
from playground.testtime.types import Candidate, Score, ScoreColumn, ScorerSpec

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from playground.store.database import RunDatabase

Status = Literal["running", "finished", "stopped", "damaged"]
_UNREADABLE = (*UNREADABLE, BadInput)


@dataclass(frozen=True, slots=True)
class RunCost:
    """What a run took, in the engine's own time. ``resumed`` counts how often it was taken up again."""

    prefill_ms: float = 0.0
    decode_ms: float = 0.0
    new_tokens: int = 0
    resumed: int = 0


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One line of the list. ``status``: "running" only while the process that writes it lives; else "stopped" early.
    "damaged": what was written of it cannot be read, so that only its id is sure.
    """

    id: str
    created: float
    model: str
    prompt: str
    status: Status
    finished: int
    wanted: int


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as stored: enough to show it, rank it and go on with it."""

    summary: RunSummary
    request: BestOfNRequest
    origin: Origin
    cost: RunCost
    candidates: tuple[Candidate, ...]
    columns: tuple[ScoreColumn, ...]


class RunStore:
    """One visitor's stored runs and notes: another's are as if they were not there.

    All methods raise StoreError with one sentence when disk or server fails.
    """

    def __init__(
        self, folder: Path | None = None, *, url: str = "", most_bytes: int | None = None, visitor: str = LOCAL
    ) -> None:
        """``url``: a database of SQLAlchemy's; else the SQLite file in ``folder``, else what the environment says."""
        from playground.store.database import RunDatabase  # SQLAlchemy takes a while, and a page opens without it

        wanted = url or (sqlite_url(folder) if folder else database_url())
        self._rows: RunDatabase = RunDatabase(wanted, most_bytes=most_bytes)
        self._visitor = visitor

    def of(self, visitor: str) -> RunStore:
        """The same database, as another visitor sees it."""
        other = copy.copy(self)
        other._visitor = visitor
        return other

    @property
    def place(self) -> str:
        """Where they are, for a person."""
        return self._rows.place

    def start(self, request: BestOfNRequest, origin: Origin) -> str:
        """A new run without candidates; its id."""
        run, owner = uuid.uuid4().hex, this_process()
        asked, origin_json, cost = request_to_json(request), _json(origin), _json(RunCost())
        now = time.time()
        self._rows.add_run(RunRecord(run, now, asked, origin_json, "running", owner, now, cost, visitor=self._visitor))
        return run

    def take_up(self, run: str) -> None:
        """Mark a run that was cut off as being written by this process."""
        self._rows.change_run(run, self._visitor, status="running", owner=this_process(), written=time.time())

    def beat(self, run: str) -> None:
        """Say that this process still writes the run."""
        self._rows.change_run(run, self._visitor, of=this_process(), written=time.time())

    def add(self, run: str, candidates: Sequence[Candidate]) -> None:
        """Store finished candidates, in one transaction. One that is there already is replaced."""
        self._rows.add_candidates(run, self._visitor, [candidate_record(candidate) for candidate in candidates])

    def finish(self, run: str, status: Status, cost: RunCost) -> None:
        """Only while it is this process's: another one may have taken it up."""
        self._rows.change_run(run, self._visitor, of=this_process(), status=status, cost=_json(cost))

    def put_columns(self, run: str, columns: Sequence[ScoreColumn]) -> None:
        """Store scores, so that what a model judged need not be judged again."""
        self._rows.put_columns(
            run, self._visitor, [ColumnRecord(column.label, _column_json(column)) for column in columns]
        )

    def delete(self, run: str) -> None:
        """With all its candidates. One that is not there is no error."""
        self._rows.delete(run, self._visitor)

    def put_note(self, name: str, text: str | None, *, expires: float | None = None) -> None:
        """Store a text under a name, until ``expires`` (seconds since 1970) where that is given; None removes it."""
        self._rows.put_note(self._own(name), text, expires=expires)

    def note(self, name: str) -> str | None:
        """The text stored under a name, if there is one."""
        return self._rows.note(self._own(name))

    def _own(self, name: str) -> str:
        """A note's name in the database: of the machine's own as it always was."""
        return name if self._visitor == LOCAL else f"{self._visitor} {name}"

    def count(self) -> int:
        """How many runs there are."""
        return self._rows.count(self._visitor)

    def runs(self) -> tuple[RunSummary, ...]:
        """All runs, the newest first."""
        return tuple(_listed(run) for run in self._rows.runs(self._visitor))

    def load(self, run: str) -> StoredRun:
        """One run with its candidates in order. Raises BadInput where there is none of this id."""
        stored = self._rows.load(run, self._visitor)
        if stored is None:
            raise BadInput("This run has been deleted: choose another one.", "run")
        record, rows, columns = stored
        try:
            candidates = tuple(candidate_of(row) for row in rows)
            return StoredRun(
                summary=_summary(record),
                request=request_from_json(record.request),
                origin=Origin(**json.loads(record.origin)),
                cost=_at_least(_cost_of(record.cost), candidates),
                candidates=candidates,
                columns=tuple(_column_of(column) for column in columns),
            )
        except _UNREADABLE:
            raise StoreError("This run was damaged on the disk and cannot be shown: delete it.") from None

    def check(self) -> None:
        """Raises StoreError where the database does not answer."""
        self._rows.check()

    def close(self) -> None:
        self._rows.close()


_shared: dict[str, RunStore] = {}
_shared_lock = threading.Lock()


def shared_store(visitor: str) -> RunStore:
    """A visitor's part of the one store of this process for the present ``database_url``. Raises StoreError; the next call
    tries again.

    No cache of the page's framework: any client may ask that to be emptied, and there would be one more store each time.
    """
    url = database_url()
    with _shared_lock:
        if url not in _shared:
            _shared[url] = RunStore(url=url)
        return _shared[url].of(visitor)


def available_store(visitor: str) -> tuple[RunStore | None, str]:
    """The shared store; None where nothing can be stored, with the reason."""
    try:
        return shared_store(visitor), ""
    except StoreError as error:
        return None, str(error)


# -- rows and dataclasses ------------------------------------------------------------------------------------------------


def _json(item: DataclassInstance) -> str:
    return json.dumps({f.name: getattr(item, f.name) for f in fields(item)}, ensure_ascii=False, allow_nan=False)


def _listed(run: RunRecord) -> RunSummary:
    """A line of the list for any row, readable or not."""
    try:
        return _summary(run)
    except _UNREADABLE:
        return RunSummary(run.id, 0.0, "", "a run that was damaged on the disk", "damaged", run.finished, run.finished)


def _summary(run: RunRecord) -> RunSummary:
    request, origin = json.loads(run.request), json.loads(run.origin)
    cut_off = run.status == "running" and not is_alive(run.owner, run.written)
    status = cast(Status, "stopped" if cut_off else run.status)
    wanted = int(request["n"]) + int(request.get("beams", 0))
    model, prompt = str(origin["name"]), str(request["prompt"])
    return RunSummary(run.id, float(run.created), model, prompt, status, run.finished, wanted)


def _cost_of(text: str) -> RunCost:
    """Earlier versions stored a number more, which was always 0."""
    stored = json.loads(text)
    return RunCost(**{f.name: stored[f.name] for f in fields(RunCost) if f.name in stored})


def _at_least(cost: RunCost, candidates: Sequence[Candidate]) -> RunCost:
    """A process that was killed had no time to say what it spent: at least what its finished candidates took."""
    return replace(
        cost,
        new_tokens=max(cost.new_tokens, sum(one.n_tokens for one in candidates)),
        decode_ms=max(cost.decode_ms, max((one.elapsed_ms for one in candidates), default=0.0)),
    )


def _column_json(column: ScoreColumn) -> str:
    scores = [[score.value, score.valid, score.note] for score in column.scores]
    about = {"name": column.spec.name, "argument": column.spec.argument, "scores": scores}
    column_fields = about | {"ms": column.elapsed_ms, "problem": column.problem}
    return json.dumps(column_fields, ensure_ascii=False, allow_nan=False)


def _column_of(row: ColumnRecord) -> ScoreColumn:
    read = json.loads(row.scores)
    scores = tuple(Score(value, valid, note) for value, valid, note in read["scores"])
    return ScoreColumn(ScorerSpec(read["name"], read["argument"]), scores, read["ms"], read["problem"])
