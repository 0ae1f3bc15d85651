"""Kept tunings: nothing that was written is lost, and one that was cut off becomes the same texts as one that was not."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import text

from playground.engine.api import CancelToken
from playground.engine.fake.engine import FakeEngine, fake_info
from playground.engine.pieces import finish
from playground.errors import BadInput, Cancelled, ModelError
from playground.generation.document import origin_of
from playground.store.connection import Database
from playground.store.place import sqlite_url
from playground.store.records import StoreError
from playground.testtime.types import Candidate
from playground.tuning.plan import Plan, read_plan
from playground.tuning.running import write_texts
from playground.tuning.runs import TuningStore, TuningWriter, check_same_model, kept_texts

ORIGIN = origin_of(fake_info())


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    run_database = Database(sqlite_url(tmp_path))
    yield run_database
    run_database.close()


def plan_of(**changes: Any) -> Plan:
    fields: dict[str, Any] = {
        "examples": [{"prompt": "ab", "tags": ["x"]}, {"prompt": "hello", "checks": ["json"]}],
        "settings": {"today": {"temperature": 2}, "cold": {"temperature": 0.5, "top_p": 0.9}},
        "samples": 2,
        "max_new_tokens": 6,
    }
    return read_plan(fields | changes, lambda file: ())


def begun(store: TuningStore, plan: Plan) -> TuningWriter:
    writer = store.take_up(store.start(plan, ORIGIN, "Mine"))
    assert writer is not None
    return writer


def same(one: Candidate, other: Candidate) -> bool:
    arrays = ("raw_logprobs", "probs", "entropies", "mean_logprobs")
    return (one.ids, one.text, one.setting, one.finish_reason, one.random_stream) == (
        other.ids,
        other.text,
        other.setting,
        other.finish_reason,
        other.random_stream,
    ) and all(np.array_equal(getattr(one, name), getattr(other, name), equal_nan=True) for name in arrays)


def test_a_run_that_is_cut_off_anywhere_becomes_the_same_texts(database: Database) -> None:
    plan, store = plan_of(), TuningStore(database=database)
    whole = finish(write_texts(FakeEngine(), plan))
    writer = begun(store, plan)
    for taken in (7, 9, 100):  # steps that each process gets so far as
        stored = store.load(writer.tuning).texts
        with closing(kept_texts(FakeEngine(), plan, writer, written=stored, rows=3)) as steps:
            for _, step in zip(range(taken), steps, strict=False):
                assert step.done <= plan.texts
        kept = store.load(writer.tuning)
        assert len(kept.texts) > len(stored) and kept.summary.seconds > 0
        if kept.summary.status != "finished":
            assert kept.summary.status == "paused" and 0 < kept.summary.written < plan.texts
            part = kept.complete()
            assert (part is None) == (len(kept.texts) < 6) and (part is None or part[0].examples == plan.examples[:1])
            again = store.take_up(writer.tuning)
            assert again is not None
            writer = again
    kept = store.load(writer.tuning)
    assert kept.plan.settings == plan.settings and kept.plan.examples == plan.examples and kept.origin == ORIGIN
    complete = kept.complete()
    assert kept.summary.status == "finished" and complete is not None and complete[0].examples == plan.examples
    for arm in plan.arms:
        pairs = zip(sum(whole.texts[arm], ()), sum(complete[1].texts[arm], ()), strict=True)
        assert all(same(one, other) for one, other in pairs)


def write_until_killed(folder: Path, tuning: str, pipe: Connection) -> None:
    """The process that is killed: it says when it is in the middle of a pass, and stays there."""
    calls = 0

    def hang() -> None:
        nonlocal calls
        calls += 1
        if calls == 34:  # at three rows: some texts have ended, some are under way, some not begun
            pipe.send("in the middle")
            threading.Event().wait()

    store = TuningStore(database=Database(sqlite_url(folder)))
    writer = store.take_up(tuning)
    assert writer is not None
    list(kept_texts(FakeEngine(before_step=hang), plan_of(), writer, written={}, rows=3))


def test_a_process_that_is_killed_in_mid_run_loses_nothing_that_had_ended(database: Database, tmp_path: Path) -> None:
    plan, store = plan_of(), TuningStore(database=database)
    tuning = store.start(plan, ORIGIN, "Mine")
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=write_until_killed, args=(tmp_path, tuning, there))
    process.start()
    try:
        assert here.poll(60) and here.recv() == "in the middle"
        assert store.summary(tuning).status == "running" and store.take_up(tuning) is None, "it is being written"
    finally:
        process.kill()
        process.join()
    kept = store.load(tuning)
    assert kept.summary.status == "paused" and 0 < len(kept.texts) < plan.texts
    writer = store.take_up(tuning)
    assert writer is not None
    list(kept_texts(FakeEngine(), plan, writer, written=kept.texts))
    whole, texts = finish(write_texts(FakeEngine(), plan)).texts, store.load(tuning).complete()
    assert texts is not None and texts[1].texts.keys() == whole.keys()
    for arm in plan.arms:
        pairs = zip(sum(whole[arm], ()), sum(texts[1].texts[arm], ()), strict=True)
        assert all(same(one, other) for one, other in pairs)


def test_what_goes_wrong_is_said_and_what_was_written_stays(database: Database) -> None:
    plan, store = plan_of(), TuningStore(database=database)
    writer = begun(store, plan)

    def die() -> None:
        if len(engine.calls) > 40:
            raise RuntimeError("out of memory")

    engine = FakeEngine(before_step=die)
    with pytest.raises(RuntimeError):
        list(kept_texts(engine, plan, writer, written={}, rows=4))
    summary = store.summary(writer.tuning)
    assert summary.status == "paused" and 0 < summary.written < plan.texts and "out of memory" in summary.problem

    again = store.take_up(writer.tuning)
    assert again is not None and store.summary(writer.tuning).problem == ""
    cancel = CancelToken()
    again.ends_as = "stopped"
    with pytest.raises(Cancelled):
        for _step in kept_texts(FakeEngine(), plan, again, written=store.load(again.tuning).texts, cancel=cancel):
            cancel.cancel()
    assert store.summary(writer.tuning).status == "stopped"


def test_a_full_disk_pauses_the_run(tmp_path: Path) -> None:
    plan = plan_of(samples=20, examples=[{"prompt": "ab" * 400}])
    Database(sqlite_url(tmp_path)).close()
    database = Database(sqlite_url(tmp_path), most_bytes=(tmp_path / "best-of-n-1.sqlite3").stat().st_size + 60_000)
    store = TuningStore(database=database)
    writer = begun(store, plan)
    with pytest.raises(StoreError, match="The disk is full"):
        list(kept_texts(FakeEngine(), plan, writer, written={}, rows=4))
    database.close()
    roomy = Database(sqlite_url(tmp_path))
    store = TuningStore(database=roomy)
    again = store.take_up(writer.tuning, former=writer)  # it may not have been able to say that it ends
    assert again is not None
    stored = store.load(writer.tuning).texts
    assert 0 < len(stored) < plan.texts
    list(kept_texts(FakeEngine(), plan, again, written=stored))
    assert store.summary(writer.tuning).status == "finished"
    roomy.close()


def test_one_writes_the_others_look_on(database: Database) -> None:
    plan, store = plan_of(), TuningStore(database=database)
    writer = begun(store, plan)
    steps = kept_texts(FakeEngine(), plan, writer, written={}, rows=2)
    next(steps)
    assert store.take_up(writer.tuning) is None and store.summary(writer.tuning).status == "running"
    other = store.take_up(writer.tuning, former=writer)
    assert other is not None
    with pytest.raises(StoreError, match="Another tab has taken this tuning over"):
        list(steps)
    assert store.summary(writer.tuning).status == "running"  # the other's: the first does not let go of it
    store.delete(writer.tuning)
    with pytest.raises(StoreError, match="or it was deleted"):
        list(kept_texts(FakeEngine(), plan, other, written={}))
    with database.session() as session:
        assert session.scalar(text("SELECT count(*) FROM tuning_texts")) == 0


def test_a_writer_that_has_been_silent_for_long_is_gone(database: Database) -> None:
    store = TuningStore(database=database)
    writer = begun(store, plan_of())
    for change in ("owner = '1@2.00@' || substr(owner, instr(owner, '@') + 1)", "written = written - 100"):
        assert store.take_up(writer.tuning) is None
        with database.session() as session:
            session.execute(text(f"UPDATE tunings SET {change}"))
        if "written" in change:
            assert store.summary(writer.tuning).status == "paused" and store.take_up(writer.tuning) is not None
        else:
            with database.session() as session:
                session.execute(text("UPDATE tunings SET owner = '999999@2.00'"))
            assert store.take_up(writer.tuning) is not None


def test_another_s_is_not_there(database: Database) -> None:
    anna, bert = TuningStore("anna", database), TuningStore("bert", database)
    writer = begun(anna, plan_of())
    writer.add([replace(one, index=0) for one in finish(write_texts(FakeEngine(), plan_of())).texts["cold"][0][:1]])
    assert bert.tunings() == () and bert.count() == 0 and bert.take_up(writer.tuning) is None
    with pytest.raises(BadInput, match="no such tuning"):
        bert.load(writer.tuning)
    bert.delete(writer.tuning)
    (summary,) = anna.tunings()
    assert (summary.name, summary.written, summary.wanted, summary.model) == ("Mine", 1, 12, "Fake model")


def test_another_model_s_is_said_and_a_damaged_one_is_listed(database: Database) -> None:
    check_same_model(ORIGIN, fake_info())
    for other in (replace(fake_info(), revision="fake-2"), replace(fake_info(), dtype="bfloat16")):
        with pytest.raises(BadInput, match=r"begun by Fake model \(float32, fake-1\).*choose that model"):
            check_same_model(ORIGIN, other)
    store = TuningStore(database=database)
    tuning = store.start(plan_of(), ORIGIN, " ")
    with database.session() as session:
        session.execute(text("""UPDATE tunings SET plan = '{"examples":'"""))
    assert [(one.status, one.name) for one in store.tunings()] == [("damaged", "Tuning")]
    with pytest.raises(StoreError, match="damaged on the disk"):
        store.load(tuning)


def test_an_engine_s_own_failure_is_a_sentence(database: Database) -> None:
    store = TuningStore(database=database)
    writer = begun(store, plan_of())

    def die() -> None:
        raise ModelError("The server has gone: start it again.")

    engine = FakeEngine(before_step=die)
    with pytest.raises(ModelError):
        list(kept_texts(engine, plan_of(), writer, written={}))
    assert store.summary(writer.tuning).problem == "The server has gone: start it again."
