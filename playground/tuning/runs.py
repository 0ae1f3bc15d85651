"""Tunings that outlive their process: each text is stored as it ends, and a run goes on where it was cut off.

``playground.store`` holds the rows; here a plan or a text becomes a row and back. Knows no page.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Literal, cast

from playground.engine.api import CancelToken, Engine
from playground.engine.serving.worker import in_a_sentence
from playground.errors import BadInput, Cancelled
from playground.generation.document import Origin, origin_of
from playground.models.info import ModelInfo
from playground.store.owner import BEAT_S, SILENT_S, is_alive, this_process
from playground.store.records import LOCAL, StoreError, TuningRecord
from playground.testtime.candidate_rows import UNREADABLE, candidate_of, candidate_record
from playground.testtime.types import Candidate
from playground.tuning.examples import Example
from playground.tuning.plan import Plan, plan_values, read_plan
from playground.tuning.running import ROWS_AT_ONCE, PlanStep, PlanTexts, texts_by_arm, write_places

if TYPE_CHECKING:
    from playground.store.connection import Database
    from playground.store.tunings import TuningTable

Status = Literal["running", "paused", "stopped", "finished", "damaged"]
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class TuningSummary:
    """One line of the list. ``status``: "running" only while whoever writes it is there; cut off is "paused"; "stopped" was
    meant to end early. "damaged": its plan cannot be read. ``model``: what wrote it. ``problem``: why it paused, or "".
    """

    id: str
    created: float
    name: str
    model: str
    status: Status
    written: int
    wanted: int
    seconds: float
    problem: str


@dataclass(frozen=True, slots=True, eq=False)
class KeptTuning:
    """A tuning as it is kept. ``texts``: by place (see ``running.plan_places``)."""

    summary: TuningSummary
    plan: Plan
    origin: Origin
    texts: Mapping[int, Candidate]

    @property
    def id(self) -> str:
        return self.summary.id

    def complete(self) -> tuple[Plan, PlanTexts] | None:
        """Of the examples that all arms have answered in full: the plan of these alone, and their texts. None without any."""
        return complete_part(self.plan, self.texts)


def complete_part(plan: Plan, texts: Mapping[int, Candidate]) -> tuple[Plan, PlanTexts] | None:
    """See ``KeptTuning.complete``: what is compared is paired, so an example counts under all settings or under none."""
    each = len(plan.arms) * plan.samples
    whole = [place for place in range(len(plan.examples)) if all(place * each + n in texts for n in range(each))]
    if not whole:
        return None
    part = replace(plan, examples=tuple(plan.examples[place] for place in whole))
    moved = {new * each + n: texts[old * each + n] for new, old in enumerate(whole) for n in range(each)}
    return part, texts_by_arm(part, moved)


class TuningStore:
    """One visitor's tunings: another's are as if they were not there. All methods raise StoreError."""

    def __init__(self, visitor: str = LOCAL, database: Database | None = None) -> None:
        """``database``: None for the one of this process."""
        from playground.store.connection import shared_database  # SQLAlchemy takes a while, and a page opens without it
        from playground.store.tunings import TuningTable

        self._rows = TuningTable(database or shared_database())
        self._visitor = visitor

    def start(self, plan: Plan, origin: Origin, name: str) -> str:
        """A new one without texts, which nobody writes yet; its id."""
        tuning = uuid.uuid4().hex
        plan_json = json.dumps(plan_values(plan), ensure_ascii=False)
        origin_json = json.dumps(asdict(origin), ensure_ascii=False)
        name = name.strip()[:LONGEST_NAME] or "Tuning"
        now = time.time()
        self._rows.add(
            TuningRecord(tuning, self._visitor, now, name, plan_json, origin_json, "paused", "", "", "", now, 0.0)
        )
        return tuning

    def take_up(self, tuning: str, *, former: TuningWriter | None = None) -> TuningWriter | None:
        """Its writer from now on; None where another is at it, or there is none of this id. ``former`` makes way."""
        writer = uuid.uuid4().hex

        def is_free(record: TuningRecord) -> bool:
            return not _is_written(record) or (former is not None and record.writer == former.word)

        taken = self._rows.claim(
            tuning, self._visitor, is_free, owner=this_process(), writer=writer, written=time.time()
        )
        return TuningWriter(self._rows, tuning, writer) if taken else None

    def count(self) -> int:
        """How many there are."""
        return self._rows.count(self._visitor)

    def tunings(self) -> tuple[TuningSummary, ...]:
        """All of them, the newest first."""
        return tuple(_listed(record) for record in self._rows.tunings(self._visitor))

    def summary(self, tuning: str) -> TuningSummary:
        """One line. Raises BadInput where there is none of this id."""
        return _listed(self._record_of(tuning))

    def load(self, tuning: str) -> KeptTuning:
        """With all its texts. Raises BadInput where there is none of this id."""
        record = self._record_of(tuning)
        try:
            plan, origin = read_plan(json.loads(record.plan), _no_file), Origin(**json.loads(record.origin))
            texts = {row.place: candidate_of(row) for row in self._rows.texts(tuning, self._visitor)}
            return KeptTuning(replace(_listed(record), written=len(texts)), plan, origin, texts)
        except (*UNREADABLE, BadInput):
            raise StoreError("This tuning was damaged on the disk and cannot be shown: delete it.") from None

    def delete(self, tuning: str) -> None:
        """With all its texts. One that is not there is no error."""
        self._rows.delete(tuning, self._visitor)

    def _record_of(self, tuning: str) -> TuningRecord:
        record = self._rows.tuning(tuning, self._visitor)
        if record is None:
            raise BadInput(
                "There is no such tuning of yours: it was deleted, or is another's. Choose one under Plan.", "tuning"
            )
        return record


class TuningWriter:
    """Who writes a tuning. ``ends_as``: what it is called where the run is cancelled, "paused" or "stopped".

    ``unsaid``: its run ended and the store could not be told so, as on a full disk.
    """

    def __init__(self, rows: TuningTable, tuning: str, word: str) -> None:
        self.tuning, self.word = tuning, word
        self.ends_as: Status = "paused"
        self.unsaid = False
        self._rows = rows
        self._said = time.monotonic()
        self._seconds = 0.0

    def add(self, texts: Sequence[Candidate], seconds: float = 0.0) -> None:
        """Store finished texts at once; without any say now and then that they are on their way.

        Raises StoreError, also where another has taken the tuning over.
        """
        self._seconds += seconds
        if not texts and time.monotonic() - self._said < BEAT_S:
            return
        rows = [candidate_record(text) for text in texts]
        spent, self._seconds, self._said = self._seconds, 0.0, time.monotonic()
        if not self._rows.add_texts(self.tuning, self.word, rows, written=time.time(), seconds=spent):
            raise StoreError("Another tab has taken this tuning over, or it was deleted: look there.")

    def end(self, status: Status, problem: str = "") -> None:
        """Let go of it; what is stored stays."""
        self._rows.let_go(self.tuning, self.word, status=status, problem=problem)


def kept_texts(
    engine: Engine,
    plan: Plan,
    writer: TuningWriter,
    *,
    written: Mapping[int, Candidate],
    rows: int = ROWS_AT_ONCE,
    cancel: CancelToken | None = None,
) -> Generator[PlanStep, None, None]:
    """What is missing of a plan's texts, each stored as it ends. However it ends, the tuning is marked so.

    A text that cannot be stored ends the run: going on would lose what comes after it as well.
    """
    status: Status | None = None
    problem = ""
    try:
        with closing(write_places(engine, plan, range(plan.texts), written=written, rows=rows, cancel=cancel)) as steps:
            for step in steps:
                writer.add(step.finished, step.seconds)
                yield step
        status = "finished"
    except Cancelled:
        raise
    except Exception as error:
        problem = str(in_a_sentence(error))
        raise
    finally:
        try:
            writer.end(status or writer.ends_as, problem)
        except StoreError:
            writer.unsaid = True


def check_same_model(origin: Origin, info: ModelInfo) -> None:
    """Raises BadInput where a tuning was begun by another model or engine than the one in use: its texts would be of both."""
    own = origin_of(info)
    if (origin.id, origin.revision, origin.dtype) != (own.id, own.revision, own.dtype):
        raise BadInput(
            f"This tuning was begun by {_named(origin)}, and {_named(own)} is in use: choose that model to go on, or run the "
            "plan anew with this one.",
            "model",
        )


def _named(origin: Origin) -> str:
    return f"{origin.name} ({origin.dtype}, {origin.revision[:12]})"


def _is_written(record: TuningRecord) -> bool:
    """Whether somebody is at it: a process that lives, and has said so of late."""
    silent = time.time() - record.written
    return record.status == "running" and silent < SILENT_S and is_alive(record.owner, record.written)


def _listed(record: TuningRecord) -> TuningSummary:
    """A line of the list for any row, readable or not."""
    status = cast(Status, "paused" if record.status == "running" and not _is_written(record) else record.status)
    wanted, model = record.texts, ""
    try:
        wanted = read_plan(json.loads(record.plan), _no_file).texts
        model = Origin(**json.loads(record.origin)).name
    except (*UNREADABLE, BadInput):
        status = "damaged"
    return TuningSummary(
        record.id, record.created, record.name, model, status, record.texts, wanted, record.seconds, record.problem
    )


def _no_file(name: str) -> tuple[Example, ...]:
    raise BadInput("A kept plan has its examples in it.", "examples")
