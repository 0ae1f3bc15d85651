"""Trainings that outlive their process: taken up again from their last checkpoint, whoever stopped them and why.

``playground.store`` holds the rows, the data folder the checkpoints; here a training becomes a row and back. Knows no page.
"""

from __future__ import annotations

import json
import shutil
import time
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from playground.errors import BadInput
from playground.generation.document import Origin
from playground.store.adapters import delete_adapter, kept_folder
from playground.store.owner import BEAT_S, SILENT_S, is_alive, this_process
from playground.store.records import LOCAL, StoreError, TrainingRecord
from playground.training.curve import read_curve, read_notes
from playground.training.demonstrations import Demonstration, read_demonstrations, write_demonstrations
from playground.training.masks import Row
from playground.training.pairs import Pair, read_pairs, write_pairs
from playground.training.settings import Kind, TrainSettings, read_train_settings
from playground.training.steps import TrainStep

if TYPE_CHECKING:
    from playground.store.connection import Database
    from playground.store.trainings import TrainingTable

Status = Literal["running", "paused", "stopped", "finished", "damaged"]
LONGEST_NAME = 80
_UNREADABLE = (ValueError, KeyError, TypeError, BadInput)


@dataclass(frozen=True, slots=True)
class TrainingSummary:
    """One line of the list. ``status``: "running" only while whoever runs it is there; cut off is "paused"; "stopped" was meant
    to end early, or had to. "damaged": it cannot be read. ``model``: what is taught. ``done`` of ``steps``, 0 while unknown.
    ``problem``: why it paused or stopped, or "". ``has_adapter``: what was learnt is kept and can be used.
    """

    id: str
    created: float
    name: str
    model: str
    kind: Kind
    status: Status
    done: int
    steps: int
    seconds: float
    problem: str
    has_adapter: bool


@dataclass(frozen=True, slots=True, eq=False)
class KeptTraining:
    """A training as it is kept. ``steps``: up to its last checkpoint. ``folder``: what was learnt so far, a PEFT folder or for a
    reward model one of sequence classification; None before there is one. ``visitor``: whose it is. ``notes``: sentences on
    what of the rows was cut, left out or not held out.
    """

    summary: TrainingSummary
    rows: tuple[Row, ...]
    settings: TrainSettings
    origin: Origin
    steps: tuple[TrainStep, ...]
    folder: Path | None
    visitor: str
    notes: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.summary.id


class TrainingStore:
    """One visitor's trainings: another's are as if they were not there. All methods raise StoreError."""

    def __init__(self, visitor: str = LOCAL, database: Database | None = None) -> None:
        """``database``: None for the one of this process."""
        from playground.store.connection import shared_database  # SQLAlchemy takes a while, and a page opens without it
        from playground.store.trainings import TrainingTable

        self._table = TrainingTable(database or shared_database())
        self._visitor = visitor

    def start(self, rows: Sequence[Row], settings: TrainSettings, origin: Origin, name: str) -> str:
        """A new one that nobody runs yet; its id. Raises BadInput for settings that are not allowed."""
        training, now = uuid.uuid4().hex, time.time()
        record = TrainingRecord(
            training,
            self._visitor,
            now,
            name.strip()[:LONGEST_NAME] or "Training",
            _written(rows),
            json.dumps(settings.checked().values()),
            json.dumps(asdict(origin), ensure_ascii=False),
            status="paused",
            problem="",
            owner="",
            writer="",
            written=now,
            seconds=0.0,
            done=0,
            steps=0,
            result="",
        )
        self._table.add(record)
        return training

    def take_up(self, training: str, *, former: TrainingWriter | None = None) -> TrainingWriter | None:
        """Its writer from now on; None where another is at it, or there is none of this id. ``former`` makes way."""
        writer = uuid.uuid4().hex
        is_new = False

        def is_free(record: TrainingRecord) -> bool:
            nonlocal is_new
            is_new = not record.owner
            return not _is_written(record) or (former is not None and record.writer == former.word)

        taken = self._table.claim(
            training, self._visitor, is_free, owner=this_process(), writer=writer, written=time.time()
        )
        return TrainingWriter(self._table, training, writer, is_new) if taken else None

    def trainings(self) -> tuple[TrainingSummary, ...]:
        """All of them, the newest first."""
        return tuple(_listed(record) for record in self._table.trainings(self._visitor))

    def summary(self, training: str) -> TrainingSummary:
        """One line. Raises BadInput where there is none of this id."""
        return _listed(self._record_of(training))

    def load(self, training: str) -> KeptTraining:
        """With its rows and its curve. Raises BadInput where there is none of this id."""
        from playground.store.trainings import training_folder

        record = self._record_of(training)
        try:
            settings = read_train_settings(json.loads(record.settings))
            origin = Origin(**json.loads(record.origin))
            steps, notes = read_curve(training_folder(training)), read_notes(training_folder(training))
            rows = _read(record.rows, settings.kind)
        except _UNREADABLE:
            raise StoreError("This training was damaged on the disk and cannot be shown: delete it.") from None
        return KeptTraining(
            _listed(record),
            rows,
            settings,
            origin,
            steps,
            result_folder(record.result, settings.kind),
            self._visitor,
            notes,
        )

    def delete(self, training: str) -> None:
        """With its checkpoint and what was learnt. One that is not there is no error."""
        from playground.store.trainings import reward_folder, training_folder

        record = self._table.training(training, self._visitor)
        if record is None:
            return
        self._table.delete(training, self._visitor)
        shutil.rmtree(training_folder(training), ignore_errors=True)
        shutil.rmtree(reward_folder(training), ignore_errors=True)
        if record.result:
            delete_adapter(self._visitor, record.result)

    def _record_of(self, training: str) -> TrainingRecord:
        record = self._table.training(training, self._visitor)
        if record is None:
            raise BadInput("There is no such training of yours: it was deleted, or is another's.", "training")
        return record


class TrainingWriter:
    """Who runs a training. ``ends_as``: what it is called where the run is cancelled, "paused" or "stopped".

    ``unsaid``: its run ended and the store could not be told so, as on a full disk. ``is_new``: nobody has run it before.
    """

    def __init__(self, table: TrainingTable, training: str, word: str, is_new: bool) -> None:
        self.training, self.word, self.is_new = training, word, is_new
        self.ends_as: Status = "paused"
        self.unsaid = False
        self._table = table
        self._said = 0.0
        self._seconds = 0.0

    def tell(self, done: int, steps: int, seconds: float) -> None:
        """How far it is; written now and then. Raises StoreError where another has taken it over."""
        self._seconds += seconds
        if time.monotonic() - self._said < BEAT_S / 5:
            return
        self._said = time.monotonic()
        self._change(written=time.time(), done=done, steps=steps)

    def begin(self, seconds: float) -> None:
        """``seconds``: what earlier runs of it took."""
        self._seconds = seconds

    def check(self) -> None:
        """Raises StoreError where another has taken it over: nothing may be written to its folders then."""
        self._change(written=time.time())

    def note_result(self, result: str) -> None:
        """The folder of what was learnt."""
        self._change(result=result)

    def end(self, status: Status, problem: str, done: int, steps: int) -> None:
        """Let go of it; what is stored stays."""
        self._change(
            status=status, problem=problem, writer="", written=time.time(), done=done, steps=steps, lost_is_fine=True
        )

    def withdraw(self) -> None:
        """As if it had never been begun: it was refused before its first step, and has no folders yet."""
        self._table.withdraw(self.training, self.word)

    def _change(self, *, lost_is_fine: bool = False, **values: str | float | int) -> None:
        if not self._table.change(self.training, self.word, seconds=self._seconds, **values) and not lost_is_fine:
            raise StoreError("Another tab has taken this training over, or it was deleted: look there.")


def result_folder(result: str, kind: Kind) -> Path | None:
    """Where what was learnt lies, once it is there."""
    from playground.store.trainings import reward_folder

    if not result:
        return None
    if kind != "reward":
        return kept_folder(result)
    folder = reward_folder(result)
    return folder if (folder / "config.json").is_file() else None


def _written(rows: Sequence[Row]) -> str:
    pairs = [row for row in rows if isinstance(row, Pair)]
    return (
        write_pairs(pairs) if pairs else write_demonstrations([row for row in rows if isinstance(row, Demonstration)])
    )


def _read(text: str, kind: Kind) -> tuple[Row, ...]:
    data = text.encode("utf-8")
    return read_demonstrations(data, "rows.jsonl")[0] if kind == "sft" else read_pairs(data, "rows.jsonl")[0]


def _is_written(record: TrainingRecord) -> bool:
    """Whether somebody is at it: a process that lives, and has said so of late."""
    silent = time.time() - record.written
    return record.status == "running" and silent < SILENT_S and is_alive(record.owner, record.written)


def _listed(record: TrainingRecord) -> TrainingSummary:
    """A line of the list for any row, readable or not."""
    status = cast(Status, "paused" if record.status == "running" and not _is_written(record) else record.status)
    line = TrainingSummary(
        record.id,
        record.created,
        record.name,
        "",
        "sft",
        status,
        record.done,
        record.steps,
        record.seconds,
        record.problem,
        False,
    )
    try:
        settings = read_train_settings(json.loads(record.settings))
        kept = result_folder(record.result, settings.kind) is not None
        return replace(line, model=Origin(**json.loads(record.origin)).name, kind=settings.kind, has_adapter=kept)
    except _UNREADABLE:
        return replace(line, status="damaged")
