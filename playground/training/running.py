"""A kept training as a job for a worker: loaded, run step by step, its checkpoints and what was learnt written to disk."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import torch

from playground.engine.api import CancelToken, Engine
from playground.engine.serving.worker import in_a_sentence
from playground.errors import BadInput, Cancelled, ModelError, PlaygroundError, TrainingDiverged
from playground.generation.document import Origin, public_id
from playground.models.info import ModelInfo
from playground.store.adapters import new_adapter
from playground.store.records import StoreError
from playground.store.trainings import reward_folder, training_folder
from playground.training.checkpoint import disk_problem, load_checkpoint, save_checkpoint
from playground.training.estimate import Pace
from playground.training.loop import Training
from playground.training.masks import Row, encode_rows
from playground.training.objectives import make_objective
from playground.training.pairs import Pair
from playground.training.runs import KeptTraining, Status, TrainingWriter
from playground.training.settings import TrainSettings
from playground.training.split import split
from playground.training.steps import Noted, Reading, TrainStep
from playground.training.student import Student, open_student
from playground.training.teachable import teachable

CHECKPOINT_EVERY_S = 10.0  # what a killed process loses at most, and one step
_LOOKED_AT = 8  # rows, to measure the pace

TrainEvent = TrainStep | Reading | Noted | None
Job = Callable[[Engine, CancelToken], Generator[TrainEvent, None, "Trained"]]


@dataclass(frozen=True, slots=True)
class Trained:
    """How a training ended. ``folder``: what was learnt at its best. ``result``: the folder's name, an adapter's id."""

    folder: Path
    result: str
    steps: tuple[TrainStep, ...]
    trainable_parameters: int
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Prepared:
    """A training before its first step, with sentences on what was cut, left out or not held out."""

    student: Student
    training: Training
    notes: tuple[str, ...]


def prepare(student: Student, rows: tuple[Row, ...], settings: TrainSettings, folder: Path | None) -> Prepared:
    """Split and encode the rows; go on from the checkpoint in ``folder``, if there is one."""
    parts = split(rows, settings.heldout_share, settings.seed)
    limit = student.info.context_length
    train = encode_rows(student.codec, parts.train, settings, limit)
    heldout = encode_rows(student.codec, parts.heldout, settings, limit, may_be_none=True)
    used = [part[place] for part, rows in ((parts.train, train), (parts.heldout, heldout)) for place in rows.places]
    margins = [row.margin or 0.0 for row in used if isinstance(row, Pair)]
    objective = make_objective(student, [*train.encoded, *heldout.encoded], settings, margins)
    places = range(len(train.encoded)), range(len(train.encoded), len(used))
    start = load_checkpoint(folder) if folder is not None else None
    return Prepared(
        student,
        Training(student, objective, *places, settings, start),
        (*student.notes, *parts.notes, *train.notes, *heldout.notes),
    )


def kept_training(writer: TrainingWriter, kept: KeptTraining) -> Job:
    """The job: it goes on from the last checkpoint. However it ends, the training is marked so.

    A cancelled one writes its checkpoint before it goes, and what was best until then. Of one that was just begun
    (``writer.is_new``) and is refused before its first step, as for want of memory, nothing is kept.
    """
    return lambda engine, cancel: _run(engine.info, writer, kept, cancel)


def _run(
    info: ModelInfo, writer: TrainingWriter, kept: KeptTraining, cancel: CancelToken
) -> Generator[TrainEvent, None, Trained]:
    status: Status | None = None
    problem = ""
    folder = training_folder(kept.id)
    prepared: Prepared | None = None
    result = ""
    refused = False
    try:
        writer.begin(kept.summary.seconds)
        base = _base(info, kept.origin)
        yield None
        prepared = prepare(open_student(base, kept.settings), kept.rows, kept.settings, folder)
        yield Noted(prepared.notes) if prepared.notes else None
        yield from _steps(prepared, writer, folder, cancel)
        status = "finished"
    except Cancelled:
        raise
    except TrainingDiverged as error:
        status, problem = "stopped", str(error)
        raise
    except (BadInput, ModelError) as error:
        problem, refused = str(error), prepared is None and writer.is_new
        raise
    except Exception as error:
        problem = str(in_a_sentence(error))
        raise
    finally:
        try:
            result = _persist(prepared, writer, kept, folder)
        except (OSError, PlaygroundError) as error:
            status, problem = (
                "paused",
                str(error) if isinstance(error, PlaygroundError) else disk_problem(folder, error),
            )
        training = None if prepared is None else prepared.training
        done, steps = (
            (kept.summary.done, kept.summary.steps) if training is None else (len(training.steps) - 1, training.total)
        )
        try:
            if refused:
                writer.withdraw()
            else:
                writer.end(status or writer.ends_as, problem, max(done, 0), steps)
        except StoreError:
            writer.unsaid = True
    if problem:
        raise PlaygroundError(problem)
    student = prepared.student
    where = reward_folder(result) if student.head else folder.parent.parent / "adapters" / result
    return Trained(where, result, prepared.training.steps, student.trainable_parameters, prepared.notes)


def _steps(
    prepared: Prepared, writer: TrainingWriter, folder: Path, cancel: CancelToken
) -> Generator[TrainEvent, None, None]:
    training, saved = prepared.training, time.monotonic()
    for step in training.run():
        cancel.check()
        if step is not None:
            writer.tell(step.step, step.steps, step.seconds)
            if time.monotonic() - saved > CHECKPOINT_EVERY_S:
                save_checkpoint(folder, training.checkpoint(), prepared.notes)
                saved = time.monotonic()
        yield step or training.reading


def _persist(prepared: Prepared | None, writer: TrainingWriter, kept: KeptTraining, folder: Path) -> str:
    """The checkpoint, and what was best in a folder that others can load; its name, "" before the first step.

    The student is used up: it is left as it was at its best.
    """
    if prepared is None or len(prepared.training.steps) < 2:
        return ""
    writer.check()
    save_checkpoint(folder, prepared.training.checkpoint(), prepared.notes)
    prepared.student.load_state(prepared.training.best)
    result = (
        kept.id
        if prepared.student.head
        else (kept.folder.name if kept.folder else new_adapter(kept.visitor, kept.summary.name).name)
    )
    target = reward_folder(kept.id) if prepared.student.head else folder.parent.parent / "adapters" / result
    write_folder(prepared.student, target)
    writer.note_result(result)
    return result


def write_folder(student: Student, target: Path) -> None:
    """``Student.save`` beside the folder first, then file by file in its place: a reader finds whole files.

    Raises PlaygroundError with one sentence where the disk does not play along.
    """
    from safetensors import SafetensorError

    beside = target.parent / f".{target.name}.new"
    try:
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir(parents=True)
        student.save(beside)
        target.mkdir(parents=True, exist_ok=True)
        for file in sorted(beside.iterdir(), key=lambda path: path.suffix == ".json"):  # the weights first
            file.replace(target / file.name)
    except (OSError, SafetensorError) as error:
        raise PlaygroundError(disk_problem(target, error)) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _base(info: ModelInfo, origin: Origin) -> str | None:
    """What to load. Raises also BadInput where the training was begun on another model."""
    base = teachable(info)
    if origin.id not in (public_id(info.id), None if base is None else public_id(base)):
        raise BadInput(
            f"This training was begun on {origin.name}, and {info.name} is in use: choose that model to go on, or train anew.",
            "model",
        )
    return base


def calibration(
    settings: TrainSettings, rows: tuple[Row, ...]
) -> Callable[[Engine, CancelToken], Generator[None, None, Pace]]:
    """The job that measures this machine's pace on a step of the rows themselves, the model loaded apart for it."""
    return lambda engine, cancel: _calibrate(engine.info, settings, rows, cancel)


def _calibrate(
    info: ModelInfo, settings: TrainSettings, rows: tuple[Row, ...], cancel: CancelToken
) -> Generator[None, None, Pace]:
    started = time.perf_counter()
    student = open_student(teachable(info), settings)
    load = time.perf_counter() - started
    yield
    encoded = encode_rows(student.codec, rows[:_LOOKED_AT], settings, student.info.context_length).encoded
    objective = make_objective(student, encoded, settings)
    places = range(len(encoded))
    for _rows in objective.before(places):
        yield
    learnt, looked, tokens = 0.0, 0.0, 0
    for number, group in enumerate(objective.passes(places)):
        cancel.check()
        started = time.perf_counter()
        with torch.enable_grad():
            objective.loss(group, {}).backward()  # type: ignore[no-untyped-call]
        middle = time.perf_counter()
        with torch.no_grad():
            objective.loss(group, {})
        if number:  # the first pass warms up
            learnt, looked = learnt + middle - started, looked + time.perf_counter() - middle
            tokens += objective.tokens(group)
        yield
    if not tokens:  # one pass alone: measured cold
        learnt, looked, tokens = middle - started, time.perf_counter() - middle, objective.tokens(list(places))
    return Pace(learnt / tokens, looked / tokens, load)
