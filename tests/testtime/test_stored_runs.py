"""Recorded runs: what goes in comes out, a killed process loses only what it had not finished, a full disk is one sentence."""

from __future__ import annotations

import dataclasses
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from playground.engine.api import CancelToken
from playground.engine.fake.engine import FakeEngine
from playground.errors import BadInput, Cancelled
from playground.generation.document import origin_of
from playground.sampling.settings import NEUTRAL
from playground.store.owner import SILENT_S
from playground.store.place import DATA_VARIABLE, FILE_NAME
from playground.store.records import LOCAL, StoreError
from playground.testtime.generate import CandidateRun, generate_candidates
from playground.testtime.recorder import RunRecorder, recorded_run
from playground.testtime.request import BestOfNRequest, candidate_request, request_from_json, request_to_json
from playground.testtime.stored_runs import RunCost, RunStore, shared_store
from playground.testtime.types import Candidate, Score, ScoreColumn, ScorerSpec
from tests.testtime.kept_child import ASKING, child_engine

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunStore]:
    """SQLite's file, for tests that reach into it."""
    run_store = RunStore(tmp_path)
    yield run_store
    run_store.close()


@pytest.fixture
def any_store(store_url: str) -> Iterator[RunStore]:
    """On SQLite and on PostgreSQL."""
    run_store = RunStore(url=store_url)
    yield run_store
    run_store.close()


def finished(steps: Generator[Any, None, CandidateRun]) -> CandidateRun:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            run: CandidateRun = end.value
            return run


def unbroken(request: BestOfNRequest = ASKING) -> CandidateRun:
    engine = child_engine()
    return finished(generate_candidates(engine, candidate_request(request, engine.codec)))


def same(one: Candidate, other: Candidate) -> bool:
    for each in dataclasses.fields(Candidate):
        left, right = getattr(one, each.name), getattr(other, each.name)
        if isinstance(left, np.ndarray):
            if left.shape != right.shape or not np.array_equal(left, right, equal_nan=True):
                return False
        elif left != right:
            return False
    return True


def keep(store: RunStore, request: BestOfNRequest = ASKING) -> tuple[str, CandidateRun]:
    engine = child_engine()
    run = store.start(request, origin_of(engine.info))
    return run, finished(recorded_run(engine, request, RunRecorder(store, run)))


def test_a_run_comes_back_as_it_was(any_store: RunStore, store_url: str) -> None:
    request = dataclasses.replace(
        ASKING,
        settings=NEUTRAL.replace(temperature=0.8, logit_bias={7: -1.0}),
        beams=2,
        reference="Ä|🦊",
        scorers=("json",),
    )
    run, candidate_run = keep(any_store, request)
    stored = any_store.load(run)
    assert stored.request == request and stored.origin == origin_of(FakeEngine().info)
    assert len(stored.candidates) == 14 == stored.summary.finished == stored.summary.wanted
    assert stored.summary.status == "finished" and stored.cost.new_tokens == candidate_run.new_tokens
    assert {one.origin for one in stored.candidates} == {"sampling", "beam"}
    again = RunStore(url=store_url)
    assert all(
        same(one, other) for one, other in zip(again.load(run).candidates, candidate_run.candidates, strict=True)
    )
    again.close()


def test_a_run_stored_by_an_earlier_version_is_read(store: RunStore) -> None:
    """It calls a candidate's random stream its luck_row."""
    run, candidate_run = keep(store)
    with sqlite3.connect(Path(store.place) / FILE_NAME) as raw:
        raw.execute("UPDATE candidates SET plain = replace(plain, 'random_stream', 'luck_row')")
        assert raw.execute("SELECT count(*) FROM candidates WHERE plain LIKE '%luck_row%'").fetchone()[0] == 12
    raw.close()
    stored = store.load(run)
    assert [one.random_stream for one in stored.candidates] == [one.random_stream for one in candidate_run.candidates]
    assert stored.candidates[5].random_stream == 5


def test_scores_that_cost_a_model_are_kept_beside(any_store: RunStore) -> None:
    run, candidate_run = keep(any_store)
    scores = tuple(Score(float(one.index), one.index > 3, "note <b>") for one in candidate_run.candidates[:-1])
    column = ScoreColumn(ScorerSpec("judge", "{answer}"), (*scores, Score(None)), 12.5, "a problem")
    any_store.put_columns(run, [column])
    any_store.put_columns(run, [column])
    assert any_store.load(run).columns == (column,)


def test_runs_are_listed_and_deleted(any_store: RunStore) -> None:
    first, _ = keep(any_store)
    second, _ = keep(any_store, dataclasses.replace(ASKING, prompt="another", n=2))
    assert [summary.id for summary in any_store.runs()] == [second, first]
    any_store.delete(first)
    any_store.delete(first)
    assert [summary.id for summary in any_store.runs()] == [second]
    with pytest.raises(BadInput, match="has been deleted"):
        any_store.load(first)
    any_store.add(first, any_store.load(second).candidates)
    assert [summary.id for summary in any_store.runs()] == [second], (
        "a deleted run stays deleted while its job still ends"
    )


def test_a_killed_process_keeps_what_was_finished_and_the_run_goes_on(store_url: str) -> None:
    """A real process, a real SIGKILL. What is taken up again ends as the unbroken run does."""
    run, kept = "", 0
    with subprocess.Popen(
        [sys.executable, "-m", "tests.testtime.kept_child", store_url],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            while kept < 3:
                run, count = process.stdout.readline().split()
                kept = int(count)
            store = RunStore(url=store_url)
            assert store.runs()[0].status == "running" and store.runs()[0].finished == kept
        finally:
            process.send_signal(signal.SIGKILL)
    (summary,) = store.runs()
    assert summary.status == "stopped" and 3 <= summary.finished == kept < summary.wanted == 12
    stored = store.load(run)
    store.take_up(run)
    assert store.runs()[0].status == "running"
    engine = child_engine()
    resumed = finished(
        recorded_run(engine, stored.request, RunRecorder(store, run), written=stored.candidates, before=stored.cost)
    )
    whole = unbroken()
    assert [one.ids for one in resumed.candidates] == [one.ids for one in whole.candidates]
    assert store.runs()[0].status == "finished"
    assert [one.ids for one in store.load(run).candidates] == [one.ids for one in whole.candidates]
    assert resumed.new_tokens - stored.cost.new_tokens == sum(
        one.n_tokens for one in whole.candidates if one.index not in {kept.index for kept in stored.candidates}
    ), "nothing that was finished is made again"
    store.close()


def test_a_cancelled_run_is_stopped_and_keeps_its_candidates(any_store: RunStore) -> None:
    engine, cancel = child_engine(), CancelToken()
    run = any_store.start(ASKING, origin_of(engine.info))
    steps = recorded_run(engine, ASKING, RunRecorder(any_store, run), cancel=cancel)
    while not any_store.load(run).candidates:
        next(steps)
    cancel.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    stored = any_store.load(run)
    assert stored.summary.status == "stopped" and 0 < len(stored.candidates) < 12 and stored.cost.new_tokens > 0


def test_another_process_that_took_a_run_up_is_not_disturbed_by_the_one_before(any_store: RunStore) -> None:
    """A job that ends late, in a process whose reader has gone to another one."""
    engine, cancel = child_engine(), CancelToken()
    run = any_store.start(ASKING, origin_of(engine.info))
    steps = recorded_run(engine, ASKING, RunRecorder(any_store, run), cancel=cancel)
    next(steps)
    any_store._rows.change_run(run, LOCAL, owner="7@1@elsewhere", written=time.time())
    cancel.cancel()
    with pytest.raises(Cancelled):
        next(steps)
    assert any_store.runs()[0].status == "running"
    any_store.beat(run)
    any_store._rows.change_run(run, LOCAL, written=time.time() - 2 * SILENT_S)
    assert any_store.runs()[0].status == "stopped", "the other machine has been silent for too long"


def test_a_step_now_and_then_says_that_the_run_is_still_written(
    any_store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.testtime.recorder.BEAT_S", 0.0)
    engine = child_engine()
    run = any_store.start(ASKING, origin_of(engine.info))
    any_store._rows.change_run(run, LOCAL, written=0.0)
    steps = recorded_run(engine, ASKING, RunRecorder(any_store, run))
    next(steps)
    next(steps)
    assert time.time() - any_store._rows.runs(LOCAL)[0].written < SILENT_S
    steps.close()


def test_a_full_disk_is_one_sentence_and_the_run_goes_on(tmp_path: Path) -> None:
    RunStore(tmp_path).close()
    store = RunStore(tmp_path, most_bytes=(tmp_path / FILE_NAME).stat().st_size + 20_000)  # beyond the empty tables
    request = dataclasses.replace(ASKING, n=40, max_new_tokens=60, ignore_eos=True)
    engine = child_engine()
    recorder = RunRecorder(store, store.start(request, origin_of(engine.info)))
    run = finished(recorded_run(engine, request, recorder))
    assert len(run.candidates) == 40
    assert (
        recorder.problem is not None
        and recorder.problem.startswith("The disk is full")
        and str(tmp_path) in recorder.problem
    )
    with pytest.raises(StoreError, match="The disk is full"):
        for _ in range(50):
            store.put_note("a", "x" * 20_000)
            store.put_note("b", "x" * 40_000)
    store.close()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("request", "{"),
        ("request", "[]"),
        ("origin", "null"),
        ("created", "once"),
        ("request", b"\xff\xfe"),
        ("owner", b"\xff"),
    ],
)
def test_one_damaged_run_hides_no_other(store: RunStore, column: str, value: object) -> None:
    good, _ = keep(store)
    bad, _ = keep(store)
    with sqlite3.connect(Path(store.place) / FILE_NAME) as raw:
        raw.execute(f"UPDATE runs SET {column} = CAST(? AS TEXT) WHERE id = ?", (value, bad))
    raw.close()
    listed = {summary.id: summary.status for summary in store.runs()}
    assert listed[good] == "finished" and set(listed) == {good, bad}
    if column != "owner":
        assert listed[bad] == "damaged"
        with pytest.raises(StoreError, match="damaged"):
            store.load(bad)
    store.delete(bad)
    assert [summary.id for summary in store.runs()] == [good]


def test_runs_scores_and_notes_are_their_owners_alone(any_store: RunStore) -> None:
    own, theirs = any_store.of("me"), any_store.of("them")
    run, candidate_run = keep(own)
    own.put_note("bake-off", "my own")
    column = ScoreColumn(ScorerSpec("judge", ""), tuple(Score(0.0) for _ in candidate_run.candidates), 1.0)
    for other in (theirs, any_store):
        assert other.runs() == () and other.count() == 0 and other.note("bake-off") is None
        with pytest.raises(BadInput, match="choose another one"):
            other.load(run)
        other.put_columns(run, [column])
        other.put_note("bake-off", None)
        other.finish(run, "stopped", RunCost())
        other.delete(run)
    stored = own.load(run)
    assert len(stored.candidates) == len(candidate_run.candidates) and not stored.columns
    assert stored.summary.status == "finished" and own.note("bake-off") == "my own"
    own.delete(run)
    assert own.runs() == ()


def test_a_visitor_who_has_enough_goes_on_unrecorded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))

    def may_record(stored: int) -> None:
        if stored >= 1:
            raise BadInput("Enough.")

    engine = child_engine()
    first, second = (RunRecorder.begin(ASKING, origin_of(engine.info), "me", may_record) for _ in range(2))
    third = RunRecorder.begin(ASKING, origin_of(engine.info), "them", may_record)
    assert first.run and first.problem is None and third.run
    assert second.problem == "Enough." and not second.run
    assert len(finished(recorded_run(engine, ASKING, second)).candidates) == 12
    assert shared_store("me").count() == 1


def test_the_store_is_one_for_all_threads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    stores: list[RunStore] = []
    threads = [threading.Thread(target=lambda: stores.append(shared_store(LOCAL))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(stores) == 8 and len({id(store._rows) for store in stores}) == 1
    stores[0].close()


def test_several_threads_write_at_once(any_store: RunStore) -> None:
    whole = unbroken()
    runs = [any_store.start(ASKING, origin_of(FakeEngine().info)) for _ in range(4)]
    problems: list[BaseException] = []

    def write(run: str) -> None:
        try:
            for one in whole.candidates:
                any_store.add(run, [one])
        except BaseException as error:  # told to the test
            problems.append(error)

    threads = [threading.Thread(target=write, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not problems and all(len(any_store.load(run).candidates) == 12 for run in runs)


def test_a_set_up_survives_json_and_a_foreign_one_is_refused() -> None:
    request = BestOfNRequest(
        "p", chat=True, system="s", systems=("a", "b"), temperatures=(0.5, 1.0), n=4, stop_strings=("\n",)
    )
    assert request_from_json(request_to_json(request)) == request
    assert [name for name, _system, _settings in request.ways()] == [
        "T = 0.5, system 1",
        "T = 1, system 1",
        "T = 0.5, system 2",
        "T = 1, system 2",
    ]
    for bad in ("", "[]", '{"prompt": 3}', '{"prompt": "a", "n": 0}', '{"prompt": "a", "settings": {"top_q": 1}}'):
        with pytest.raises(BadInput):
            request_from_json(bad)


def test_samples_do_not_depend_on_beams_or_on_what_they_are_judged_by() -> None:
    asked = BestOfNRequest("p", n=3, beams=4, beam_groups=2, diversity_penalty=0.5, length_penalty=2.0)
    judged = dataclasses.replace(asked, scorers=("json",), reference="r", answer_pattern="number")
    assert judged.sampling_part() == asked.sampling_part() == BestOfNRequest("p", n=3)
    assert dataclasses.replace(asked, seed=1).sampling_part() != asked.sampling_part()


def test_ways_of_asking_that_make_no_sense_are_refused() -> None:
    with pytest.raises(BadInput, match="chat"):
        BestOfNRequest("p", systems=("a",))
    with pytest.raises(BadInput, match="ways of asking"):
        BestOfNRequest("p", chat=True, systems=("a", "b", "c", "d"), temperatures=(0.1, 0.2, 0.3, 0.4, 0.5))
    with pytest.raises(BadInput):
        BestOfNRequest("p", beams=99)


def test_the_cost_adds_up_over_a_resumption() -> None:
    run = finished(recorded_run(child_engine(), ASKING, RunRecorder(), before=RunCost(10.0, 20.0, 100, 1)))
    assert run.new_tokens == 100 + unbroken().new_tokens and run.prefill_ms > 10
