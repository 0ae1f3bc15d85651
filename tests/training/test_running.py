"""Kept trainings at a worker: paused and gone on with, ended badly, one after the other, saved where others load them."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from playground.engine.api import CancelToken
from playground.engine.factory import make_engine
from playground.engine.fake.engine import FakeEngine
from playground.engine.serving.step_worker import StepWorker
from playground.engine.types import NextLogits
from playground.errors import BadInput, Cancelled, ModelTooLarge, PlaygroundError
from playground.generation.document import origin_of
from playground.models.adapter_files import list_adapters
from playground.models.reward import load_reward_model
from playground.store.connection import Database
from playground.store.place import DATA_VARIABLE, sqlite_url
from playground.store.records import StoreError
from playground.training import running, runs
from playground.training.line import TrainingLine
from playground.training.running import Trained, kept_training
from playground.training.runs import KeptTraining, TrainingStore, TrainingWriter
from playground.training.settings import Kind
from playground.training.steps import Noted, TrainStep
from playground.training.student import open_student
from tests.training.tiny_student import rows_of, settings_of


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrainingStore]:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    database = Database(sqlite_url(tmp_path))
    yield TrainingStore("anna", database)
    database.close()


@pytest.fixture(scope="module")
def worker(tiny_model: Path) -> Iterator[StepWorker]:
    tiny_worker = StepWorker(make_engine(str(tiny_model), dtype="float32"))
    yield tiny_worker
    tiny_worker.close()


def begun(store: TrainingStore, worker: StepWorker, kind: Kind = "sft", **changes: Any) -> str:
    return store.start(rows_of(kind), settings_of(kind, **changes), origin_of(worker.engine.info), "Mine")


def taken_up(store: TrainingStore, training: str) -> tuple[TrainingWriter, KeptTraining]:
    writer = store.take_up(training)
    assert writer is not None
    return writer, store.load(training)


def finished(store: TrainingStore, worker: StepWorker, training: str) -> Trained:
    return worker.submit("s", "train", kept_training(*taken_up(store, training))).result(60)


def test_a_finished_one_is_a_standard_folder_that_the_picker_lists(
    store: TrainingStore, worker: StepWorker, tiny_model: Path
) -> None:
    training = begun(store, worker)
    served = worker.engine.info
    done = finished(store, worker, training)
    kept = store.load(training)
    assert kept.folder == done.folder and kept.summary.status == "finished" and kept.summary.has_adapter
    assert kept.steps == done.steps and kept.summary.done == kept.summary.steps == len(done.steps) - 1
    (listed,) = list_adapters("anna")
    assert listed.folder == kept.folder and listed.name == "Mine" and listed.base == str(tiny_model)
    assert worker.engine.info == served
    plain = AutoModelForCausalLM.from_pretrained(tiny_model).eval()
    ids = torch.tensor([[5, 6, 7]])
    untaught = plain(ids).logits.detach()
    peft = PeftModel.from_pretrained(plain, str(kept.folder)).eval()
    assert not torch.allclose(peft(ids).logits, untaught, atol=1e-4)
    with peft.disable_adapter():
        assert torch.equal(peft(ids).logits, untaught)
    store.delete(training)
    assert store.trainings() == () and list_adapters("anna") == ()
    with pytest.raises(BadInput, match="no such training"):
        store.load(training)


def test_a_paused_one_goes_on_and_ends_as_one_that_was_not(store: TrainingStore, worker: StepWorker) -> None:
    whole = finished(store, worker, begun(store, worker))
    training = begun(store, worker)
    writer, kept = taken_up(store, training)
    assert store.take_up(training) is None
    ticket = worker.submit("s", "train", kept_training(writer, kept))
    for step in ticket.steps(60):
        if step.step == 3:
            break
    ticket.cancel()
    worker.submit("s", "other", lambda engine, cancel: None).result(60)  # its thread has let go of the cancelled one
    between = store.load(training)
    assert between.summary.status == "paused" and between.summary.done >= 3 and between.summary.has_adapter
    assert len(between.steps) == between.summary.done + 1
    done = finished(store, worker, training)
    assert [(one.loss, one.heldout) for one in done.steps] == [(one.loss, one.heldout) for one in whole.steps]
    assert len(list_adapters("anna")) == 2


def test_one_whose_process_was_killed_goes_on_from_its_checkpoint(
    store: TrainingStore, worker: StepWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = finished(store, worker, begun(store, worker))
    training = begun(store, worker)
    writer, kept = taken_up(store, training)
    with monkeypatch.context() as patched:
        patched.setattr(running, "CHECKPOINT_EVERY_S", 0.0)
        steps = kept_training(writer, kept)(worker.engine, CancelToken())
        while not isinstance(step := next(steps), TrainStep) or step.step < 3:
            pass
        next(steps)
    assert store.summary(training).status == "running" and store.take_up(training) is None
    monkeypatch.setattr(
        runs, "is_alive", lambda owner, written: False
    )  # as after a SIGKILL, which leaves the row as it was
    assert store.summary(training).status == "paused" and len(store.load(training).steps) == 4
    done = finished(store, worker, training)
    assert [(one.loss, one.heldout) for one in done.steps] == [(one.loss, one.heldout) for one in whole.steps]
    with pytest.raises(StoreError, match="taken this training over"):  # the killed one's thread, had it lived on
        writer.check()
    steps.close()
    assert store.summary(training).status == "finished" and len(list_adapters("anna")) == 2


def train_until_killed(folder: Path, model: Path, training: str, pipe: Connection) -> None:
    """The process that is killed: it says when it is in the middle of its fifth step, and stays there."""
    running.CHECKPOINT_EVERY_S = 0.0
    writer, kept = taken_up(TrainingStore("anna", Database(sqlite_url(folder))), training)
    steps = kept_training(writer, kept)(make_engine(str(model), dtype="float32"), CancelToken())
    while not isinstance(step := next(steps), TrainStep) or step.step < 4:
        pass
    next(steps)  # a pass of the next one
    pipe.send("in the middle")
    threading.Event().wait()


def test_one_that_sigkill_ends_in_mid_run_goes_on_from_its_last_checkpoint(
    store: TrainingStore, worker: StepWorker, tiny_model: Path, tmp_path: Path
) -> None:
    whole = finished(store, worker, begun(store, worker))
    training = begun(store, worker)
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=train_until_killed, args=(tmp_path, tiny_model, training, there))
    process.start()
    try:
        assert here.poll(120) and here.recv() == "in the middle"
        assert store.summary(training).status == "running" and store.take_up(training) is None, "it is being trained"
    finally:
        process.kill()
        process.join()
    assert process.exitcode == -signal.SIGKILL
    assert store.summary(training).status == "paused" and len(store.load(training).steps) == 5
    done = finished(store, worker, training)
    assert [(one.loss, one.heldout) for one in done.steps] == [(one.loss, one.heldout) for one in whole.steps]
    assert store.summary(training).status == "finished" and len(list_adapters("anna")) == 2


def test_a_reward_model_is_a_folder_that_scores(store: TrainingStore, worker: StepWorker, tiny_model: Path) -> None:
    done = finished(store, worker, begun(store, worker, "reward", epochs=6))
    assert AutoModelForSequenceClassification.from_pretrained(done.folder).config.num_labels == 1
    model = load_reward_model(str(done.folder))
    good, bad = model.scores("the 3?", ["the cat sat", "mat mat mat "])
    assert good > bad and store.load(store.trainings()[0].id).folder == done.folder


def test_what_is_said_of_its_rows_is_told_and_kept(store: TrainingStore, worker: StepWorker) -> None:
    rows = (*rows_of("sft"), *rows_of("sft")[:3])
    training = store.start(rows, settings_of(epochs=1), origin_of(worker.engine.info), "Mine")
    ticket = worker.submit("s", "train", kept_training(*taken_up(store, training)))
    notes = [step for step in ticket.steps(60) if isinstance(step, Noted)]
    assert [note.notes for note in notes] == [store.load(training).notes]
    assert "3 rows repeat others" in notes[0].notes[0]


def test_divergence_ends_it_with_a_sentence_and_stays_stopped(store: TrainingStore, worker: StepWorker) -> None:
    training = begun(store, worker, "reward", learning_rate=10.0, epochs=8)
    with pytest.raises(PlaygroundError, match="learning rate 10 is too high"):
        finished(store, worker, training)
    summary = store.summary(training)
    assert summary.status == "stopped" and "learning rate 10" in summary.problem


def test_a_full_disk_pauses_it_with_a_sentence(
    store: TrainingStore, worker: StepWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = begun(store, worker)

    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "replace", full)
        with pytest.raises(PlaygroundError, match="The disk is full"):
            finished(store, worker, training)
    assert store.summary(training).status == "paused" and "disk is full" in store.summary(training).problem
    assert finished(store, worker, training).steps


def test_another_model_is_refused_and_the_training_stays(store: TrainingStore, worker: StepWorker) -> None:
    training = begun(store, worker)
    taken_up(store, training)[0].end("paused", "", 0, 0)
    other = StepWorker(FakeEngine())
    with pytest.raises(BadInput, match="was begun on"):
        finished(store, other, training)
    other.close()
    assert store.summary(training).status == "paused"


def test_of_one_that_is_refused_as_it_begins_nothing_is_kept(
    store: TrainingStore, worker: StepWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = begun(store, worker)

    def too_large(*_args: object) -> None:
        raise ModelTooLarge("It needs more than there is.", 2, 1)

    with monkeypatch.context() as patched:
        patched.setattr(running, "open_student", too_large)
        with pytest.raises(ModelTooLarge):
            finished(store, worker, training)
        assert store.trainings() == ()
        paused = begun(store, worker)
        taken_up(store, paused)[0].end("paused", "", 0, 0)
        with pytest.raises(ModelTooLarge):
            finished(store, worker, paused)
    assert store.summary(paused).problem == "It needs more than there is.", "it was in the list before"
    assert finished(store, worker, paused).steps


def test_others_are_answered_meanwhile_and_by_the_weights_as_they_were(
    store: TrainingStore, worker: StepWorker
) -> None:
    before = worker.next_row("other", "next", (5, 6, 7)).result(60)
    ticket = worker.submit("s", "train", kept_training(*taken_up(store, begun(store, worker, epochs=100))))
    for step in ticket.steps(60):
        if isinstance(step, TrainStep) and step.step == 2:
            break
    rows = [worker.next_row("other", f"next {n}", (5, 6, 7, n)).result(60) for n in range(8, 12)]
    assert not ticket.done and len(rows) == 4, "nobody waits for its end"
    ticket.cancel()
    worker.submit("s", "other", lambda engine, cancel: None).result(60)
    after = worker.next_row("third", "next", (5, 6, 7)).result(60)
    assert isinstance(before, NextLogits) and isinstance(after, NextLogits)
    np.testing.assert_array_equal(before.logits, after.logits)


def test_two_trainings_go_one_after_the_other_and_the_second_is_told(worker: StepWorker) -> None:
    line, go = TrainingLine(), threading.Event()
    ran: list[str] = []

    def job(name: str) -> Any:  # noqa: ANN401 - a job
        def steps(engine: object, cancel: object) -> Generator[int, None, str]:
            go.wait(60)
            ran.append(name)
            yield 1
            return name

        return steps

    first, second, third = (line.submit(worker, name, "train", job(name), 100.0) for name in "abc")
    assert (second.before().ahead, third.before().ahead) == (1, 2) and 199 < third.before().seconds <= 200
    second.cancel()
    assert third.before().ahead == 1
    go.set()
    assert list(third.steps(60)) == [1] and third.result() == "c" and first.result() == "a"
    with pytest.raises(Cancelled):
        second.result()
    assert ran == ["a", "c"]


def test_the_saved_adapter_begins_where_the_best_was(
    store: TrainingStore, worker: StepWorker, tiny_model: Path
) -> None:
    done = finished(store, worker, begun(store, worker, epochs=3))
    best = [step for step in done.steps if step.best][-1]
    from playground.training.running import prepare

    settings = settings_of(epochs=3)
    setup = prepare(open_student(str(tiny_model), settings), rows_of("sft"), settings, None)
    setup.student.model.load_adapter(str(done.folder), "default")
    evaluation = setup.training._objective.evaluate(setup.training._heldout)
    while True:
        try:
            next(evaluation)
        except StopIteration as end:
            assert end.value[0] == pytest.approx(best.heldout, abs=1e-5)
            break
