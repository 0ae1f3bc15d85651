"""The worker: turns, replacement, cancellation, isolation and its end. Events instead of sleeps throughout."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import pytest

from playground.engine.api import AskedStep, CancelToken, Engine, NextTokens, Rows
from playground.engine.facets import require
from playground.engine.fake.engine import FakeEngine
from playground.engine.serving.shares import MOST_ROWS
from playground.engine.serving.sharing import Sharing
from playground.engine.serving.slot_worker import SlotWorker
from playground.engine.serving.step_worker import JOINT_ROWS, JOINT_TOKENS, StepWorker
from playground.engine.serving.ticket import Ticket, Wait
from playground.engine.serving.turns import Priority
from playground.engine.serving.worker import Worker
from playground.engine.types import NextLogits, NextRow, TokenIds
from playground.errors import BadPrompt, Cancelled, ModelError, PlaygroundError
from playground.generation import GenerationStep

PATIENCE = 20.0  # seconds until a test is called hung; never waited for in a passing run


def one_slot(engine: Engine) -> Worker:
    return SlotWorker(engine, at_once=1)


STEPS_ONLY = pytest.mark.parametrize("worker", [StepWorker], indirect=True)


@pytest.fixture(params=[StepWorker, one_slot])
def worker(request: pytest.FixtureRequest) -> Iterator[Worker]:
    """What both kinds do alike, where one job runs at a time."""
    fake_worker: Worker = request.param(FakeEngine())
    yield fake_worker
    fake_worker.close()


class Gate:
    """A job that says when it has started and goes on when it is let."""

    def __init__(self, worker: Worker, session: str = "gate", slot: str = "gate") -> None:
        self.started, self.opened = threading.Event(), threading.Event()
        self.ticket = worker.submit(session, slot, self._job)
        assert self.started.wait(PATIENCE)

    def _job(self, engine: Engine, cancel: CancelToken) -> str:
        self.started.set()
        assert self.opened.wait(PATIENCE)
        return "open"

    def open(self) -> None:
        self.opened.set()


def counting(order: list[str], name: str, steps: int) -> Callable[[Engine, CancelToken], Generator[str, None, int]]:
    def job(engine: Engine, cancel: CancelToken) -> Generator[str, None, int]:
        for index in range(steps):
            order.append(f"{name}{index}")
            yield f"{name}{index}"
        return steps

    return job


def next_row(*ids: int) -> Callable[[Engine, CancelToken], NextRow]:
    """The job that asks for the row after these tokens."""
    return lambda engine, cancel: require(engine, NextTokens).next_logits(ids, cancel=cancel)


def noting(order: list[str], name: str) -> Callable[[Engine, CancelToken], None]:
    return lambda engine, cancel: order.append(name)


def test_a_plain_job_gets_the_engine_and_its_result_comes_back(worker: Worker) -> None:
    ticket = worker.submit("a", "logits", next_row(1, 2))
    assert ticket.result(PATIENCE).ids == (1, 2)
    assert ticket.done and ticket.before() == Wait()


def test_steps_arrive_in_order_and_the_return_value_is_the_result(worker: Worker) -> None:
    ticket = worker.submit("a", "generate", counting([], "s", 3))
    assert list(ticket.steps(PATIENCE)) == ["s0", "s1", "s2"]
    assert ticket.result(PATIENCE) == 3


def test_take_gives_what_has_come(worker: Worker) -> None:
    ticket = worker.submit("a", "generate", counting([], "s", 3))
    assert ticket.wait(PATIENCE)
    assert ticket.take() == ["s0", "s1", "s2"]
    assert ticket.take() == []


class Clock:
    """Time that passes only where a job says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timed(clock: Clock) -> Iterator[Worker]:
    timed_worker = StepWorker(FakeEngine(), clock=clock)
    yield timed_worker
    timed_worker.close()


def taking(
    clock: Clock, order: list[str], name: str, steps: int, seconds: float
) -> Callable[[Engine, CancelToken], Generator[None, None, None]]:
    def job(engine: Engine, cancel: CancelToken) -> Generator[None, None, None]:
        for index in range(steps):
            order.append(name)
            clock.now += seconds
            if index < steps - 1:
                yield

    return job


def test_sessions_share_the_time_and_not_the_steps(timed: Worker, clock: Clock) -> None:
    order: list[str] = []
    gate = Gate(timed)
    slow = timed.submit("slow", "read", taking(clock, order, "S", 3, 1.0))
    quick = timed.submit("quick", "generate", taking(clock, order, "q", 12, 0.25))
    gate.open()
    assert slow.wait(PATIENCE) and quick.wait(PATIENCE)
    # whoever has used less goes next, so that both have used the same after every second of each
    assert "".join(order) == "Sqqqq" * 2 + "Sqqqq"


def test_a_visitors_sessions_share_one_part_of_the_time(clock: Clock) -> None:
    """Three tabs of one visitor get no more than one tab of another."""
    worker = StepWorker(FakeEngine(), clock=clock, sharing=Sharing(lambda session: session[0]))
    order: list[str] = []
    gate = Gate(worker)
    tickets = [
        worker.submit(session, "x", taking(clock, order, session[0], 8, 1.0)) for session in ("a1", "a2", "a3", "b1")
    ]
    gate.open()
    assert all(ticket.wait(PATIENCE) for ticket in tickets)
    assert order[:16].count("b") == 8 and set(order[16:]) == {"a"}
    worker.close()


def test_who_comes_back_has_saved_nothing_up(timed: Worker, clock: Clock) -> None:
    order: list[str] = []
    gate = Gate(timed)
    early = timed.submit("early", "x", taking(clock, order, "e", 8, 1.0))
    gate.open()
    late: list[Ticket[None]] = []

    def arrives(engine: Engine, cancel: CancelToken) -> None:
        late.append(timed.submit("late", "x", taking(clock, order, "l", 4, 1.0)))

    timed.submit("early", "y", arrives).result(PATIENCE)
    assert early.wait(PATIENCE) and late[0].wait(PATIENCE)
    first = order.index("l")
    assert set(zip(order[first::2], order[first + 1 :: 2], strict=False)) <= {("l", "e"), ("e", "e")}


def test_rows_come_before_scores_and_scores_before_steps(timed: Worker, clock: Clock) -> None:
    order: list[str] = []
    gate = Gate(timed)
    tickets = [
        timed.submit(f"{name}{number}", "x", taking(clock, order, name, 1, 0.1), priority)
        for number in range(3)
        for name, priority in (("g", Priority.STEPS), ("s", Priority.LOOK), ("r", Priority.ROW))
    ]
    gate.open()
    for ticket in tickets:
        assert ticket.wait(PATIENCE)
    assert "".join(order) == "rrrsssggg"


def test_a_class_is_a_head_start_and_no_monopoly(timed: Worker, clock: Clock) -> None:
    """One visitor reads without end; another's generation has its half of the time once the head start is used up."""
    order: list[str] = []
    gate = Gate(timed)
    reader = timed.submit("reader", "x", taking(clock, order, "r", 40, 0.5), Priority.ROW)
    writer = timed.submit("writer", "x", taking(clock, order, "w", 10, 0.5))
    gate.open()
    assert reader.wait(PATIENCE) and writer.wait(PATIENCE)
    assert order[:4] == ["r"] * 4 and order[4:24].count("w") == 10


def test_rows_that_wait_together_are_read_together() -> None:
    engine = FakeEngine()
    worker = StepWorker(engine)
    gate = Gate(worker)
    texts = [(5, number) for number in range(JOINT_ROWS + 2)]
    tickets = [worker.next_row(str(number), "next", ids) for number, ids in enumerate(texts)]
    tickets[3].cancel()
    gate.open()
    assert [ticket.result(PATIENCE).ids for ticket in tickets if ticket is not tickets[3]] == texts[:3] + texts[4:]
    assert engine.batched_prefill == [JOINT_ROWS, 1] and texts[3] not in engine.calls
    worker.close()


def test_a_text_that_cannot_be_read_spoils_no_other(worker: Worker) -> None:
    gate = Gate(worker)
    good, bad = worker.next_row("a", "next", (5, 1)), worker.next_row("b", "next", (10**6,))
    gate.open()
    assert good.result(PATIENCE).ids == (5, 1)
    with pytest.raises(BadPrompt):
        bad.result(PATIENCE)


def test_a_long_text_is_read_alone() -> None:
    engine = FakeEngine()
    worker = StepWorker(engine)
    gate = Gate(worker)
    tickets = [worker.next_row("a", "next", (1,) * JOINT_TOKENS), worker.next_row("b", "next", (1, 2))]
    gate.open()
    for ticket in tickets:
        ticket.result(PATIENCE)
    assert engine.batched_prefill == [1, 1]
    worker.close()


@STEPS_ONLY
def test_a_session_with_many_requests_does_not_delay_another(worker: Worker) -> None:
    order: list[str] = []
    gate = Gate(worker)
    greedy = [worker.submit("greedy", f"slot{index}", noting(order, f"greedy{index}")) for index in range(5)]
    modest = worker.submit("modest", "only", noting(order, "modest"))
    assert [ticket.before().ahead for ticket in greedy] == [1, 3, 4, 5, 6]
    assert modest.before().ahead == 2  # the running gate and one request of the greedy session
    gate.open()
    for ticket in [*greedy, modest]:
        ticket.result(PATIENCE)
    assert order.index("modest") == 1


def test_a_newer_request_of_the_same_slot_replaces_a_waiting_one(worker: Worker) -> None:
    order: list[str] = []
    gate = Gate(worker)
    older = worker.submit("a", "logits", noting(order, "older"))
    elsewhere = worker.submit("a", "attention", noting(order, "elsewhere"))
    newer = worker.submit("a", "logits", noting(order, "newer"))
    with pytest.raises(Cancelled):
        older.result(PATIENCE)
    gate.open()
    newer.result(PATIENCE)
    elsewhere.result(PATIENCE)
    assert order == ["elsewhere", "newer"]


def test_a_newer_request_stops_a_running_generation_between_steps(worker: Worker) -> None:
    cleaned, stepped = threading.Event(), threading.Event()

    def endless(engine: Engine, cancel: CancelToken) -> Generator[int, None, None]:
        try:
            while True:
                stepped.set()
                yield 1
        finally:
            cleaned.set()

    older = worker.submit("a", "generate", endless)
    assert stepped.wait(PATIENCE)
    newer = worker.submit("a", "generate", lambda engine, cancel: "newer")
    assert newer.result(PATIENCE) == "newer"
    assert cleaned.wait(PATIENCE)
    with pytest.raises(Cancelled):
        older.result(PATIENCE)


def test_a_cancelled_step_is_the_last_one(worker: Worker) -> None:
    """The generator is closed right after the step during which it was cancelled."""
    in_step, go_on, ended = threading.Event(), threading.Event(), threading.Event()
    steps: list[int] = []

    def job(engine: Engine, cancel: CancelToken) -> Generator[int, None, None]:
        try:
            for index in range(10):
                steps.append(index)
                in_step.set()
                assert go_on.wait(PATIENCE)
                yield index
        finally:
            ended.set()

    ticket = worker.submit("a", "generate", job)
    assert in_step.wait(PATIENCE)
    ticket.cancel()
    assert ticket.done  # whoever waits is free at once
    go_on.set()
    assert ended.wait(PATIENCE)
    assert steps == [0]


def test_a_cancelled_generation_lets_go_before_anyone_elses_turn(worker: Worker) -> None:
    in_step, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def job(engine: Engine, cancel: CancelToken) -> Generator[int, None, None]:
        try:
            in_step.set()
            assert go_on.wait(PATIENCE)
            yield 1
        finally:
            ended.set()

    ticket = worker.submit("a", "generate", job)
    assert in_step.wait(PATIENCE)
    other = worker.submit("b", "logits", lambda engine, cancel: ended.is_set())
    ticket.cancel()
    go_on.set()
    assert other.result(PATIENCE)


def test_a_plain_job_sees_that_it_was_cancelled(worker: Worker) -> None:
    started, noticed = threading.Event(), threading.Event()

    def job(engine: Engine, cancel: CancelToken) -> None:
        started.set()
        while not cancel.cancelled:
            pass
        noticed.set()
        cancel.check()

    with worker.submit("a", "logits", job) as ticket:
        assert started.wait(PATIENCE)
    assert noticed.wait(PATIENCE)
    with pytest.raises(Cancelled):
        ticket.result(PATIENCE)


def test_what_ends_is_counted(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[tuple[str, str, bool]] = []

    def count(kind: str, seconds: float, error: BaseException | None, *, cancelled: bool) -> None:
        assert seconds >= 0
        counted.append((kind, type(error).__name__, cancelled))

    def breaks(engine: Engine, cancel: CancelToken) -> None:
        raise ValueError("no")

    monkeypatch.setattr("playground.engine.serving.worker.count_request", count)
    worker.next_row("a", "next", (1,)).result(10)
    with pytest.raises(ModelError):
        worker.submit("a", "b", breaks).result(10)
    gate = Gate(worker)
    worker.submit("a", "c", next_row(1)).cancel()
    gate.open()
    assert counted[:3] == [("row", "NoneType", False), ("steps", "ModelError", False), ("steps", "Cancelled", True)]


def test_leaving_the_block_keeps_a_finished_result(worker: Worker) -> None:
    with worker.submit("a", "logits", lambda engine, cancel: 7) as ticket:
        assert ticket.wait(PATIENCE)
    assert ticket.result() == 7


class Panic(BaseException):
    """As a library written in another language raises it."""


@pytest.mark.parametrize("error", [ValueError("broken"), SystemExit(3), KeyboardInterrupt(), StopIteration(5), Panic()])
def test_whatever_a_job_raises_is_a_sentence_for_its_ticket_and_harms_nobody(
    worker: Worker, error: BaseException
) -> None:
    def fails(engine: Engine, cancel: CancelToken) -> None:
        raise error

    def fails_later(engine: Engine, cancel: CancelToken) -> Generator[int, None, None]:
        yield 1
        raise error

    failed, later = worker.submit("a", "one", fails), worker.submit("b", "two", fails_later)
    with pytest.raises(PlaygroundError, match=f"{type(error).__name__}.*choose another model"):
        failed.result(PATIENCE)
    steps = later.steps(PATIENCE)
    assert next(steps) == 1
    with pytest.raises(PlaygroundError, match="choose another model"):
        next(steps)
    assert worker.submit("c", "three", lambda engine, cancel: "fine").result(PATIENCE) == "fine"


@pytest.mark.parametrize("kind", [StepWorker, lambda engine: SlotWorker(engine, at_once=2)], ids=["steps", "slots"])
def test_close_fails_all_that_wait_and_releases_the_engine(kind: Callable[[Engine], Worker]) -> None:
    engine = FakeEngine()
    worker = kind(engine)
    closed = threading.Event()

    def generation(engine: Engine, cancel: CancelToken) -> Generator[int, None, None]:
        try:
            while True:
                yield 1
        finally:
            closed.set()

    started = worker.submit("a", "generate", generation)
    assert next(started.steps(PATIENCE)) == 1
    gate = Gate(worker)
    waiting = worker.submit("b", "logits", lambda engine, cancel: 1)
    closer = threading.Thread(target=worker.close)
    closer.start()
    for ticket in (started, waiting, gate.ticket):
        with pytest.raises(ModelError, match="released"):
            ticket.result(PATIENCE)
    gate.open()
    closer.join(PATIENCE)
    assert not closer.is_alive() and engine.closed and closed.is_set()
    with pytest.raises(ModelError, match="released"):
        worker.submit("c", "logits", lambda engine, cancel: 1).result(PATIENCE)
    worker.close()  # a second time does nothing


def test_dropping_a_session_cancels_all_of_it_and_nothing_else(worker: Worker) -> None:
    gate = Gate(worker)
    gone = [worker.submit("gone", slot, lambda engine, cancel: 1) for slot in "xy"]
    stays = worker.submit("stays", "x", lambda engine, cancel: 2)
    worker.drop_session("gone")
    for ticket in gone:
        with pytest.raises(Cancelled):
            ticket.result(PATIENCE)
    assert worker.status().queued == 1
    gate.open()
    assert stays.result(PATIENCE) == 2


def test_status_tells_what_runs_and_what_waits(worker: Worker) -> None:
    gate = Gate(worker, "room", "logits")
    waiting = [worker.submit(session, "logits", lambda engine, cancel: 1) for session in "ab"]
    status = worker.status()
    assert (status.busy, status.queued) == (True, 2)
    gate.open()
    for ticket in waiting:
        ticket.result(PATIENCE)


def test_timeouts_say_so_and_leave_the_request_alone(worker: Worker) -> None:
    gate = Gate(worker)
    assert not gate.ticket.wait(0.001)
    with pytest.raises(TimeoutError):
        gate.ticket.result(0.001)
    with pytest.raises(TimeoutError):
        next(gate.ticket.steps(0.001))
    gate.open()
    assert gate.ticket.result(PATIENCE) == "open"


def test_thirty_sessions_asking_at_once_all_get_their_own_answer_once_computed() -> None:
    engine = FakeEngine()
    worker = StepWorker(engine)
    barrier = threading.Barrier(30)
    answers: dict[int, Any] = {}

    def session(number: int) -> None:
        barrier.wait(PATIENCE)
        shared = worker.submit(str(number), "shared", next_row(9, 9))
        own = worker.submit(str(number), "own", next_row(number, 1))
        answers[number] = (shared.result(PATIENCE), own.result(PATIENCE))

    threads = [threading.Thread(target=session, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    worker.close()
    assert sorted(answers) == list(range(30))
    assert all(own.ids == (number, 1) for number, (_shared, own) in answers.items())
    assert engine.calls.count((9, 9)) == 1  # thirty asked, one computation
    assert len(engine.calls) == 31
    assert sum(shared.computed_tokens > 0 for shared, _own in answers.values()) == 1


def test_thirty_generations_stopped_in_mid_way_leave_an_idle_worker(worker: Worker) -> None:
    def endless(engine: Engine, cancel: CancelToken) -> Generator[int, None, None]:
        while True:
            yield 1

    def session(number: int) -> None:
        with worker.submit(str(number), "generate", endless) as ticket:
            next(ticket.steps(PATIENCE))

    threads = [threading.Thread(target=session, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    worker.submit("last", "x", lambda engine, cancel: 1).result(PATIENCE)
    deadline = time.monotonic() + PATIENCE
    while worker.status().busy and time.monotonic() < deadline:
        pass
    assert worker.status().queued == 0 and not worker.status().busy


def test_a_ticket_keeps_its_first_end() -> None:
    ticket: Ticket[int] = Ticket("a", "x")
    assert ticket.succeed(1)
    assert not ticket.fail(ValueError("late"))
    ticket.cancel()
    ticket.add_step("late")
    assert ticket.result() == 1 and ticket.take() == []


def test_a_ticket_calls_whoever_asked_at_its_end_and_late_comers_at_once() -> None:
    ticket: Ticket[int] = Ticket("me", "slot")
    called: list[str] = []
    ticket.when_done(lambda: called.append("early"))
    assert not called
    ticket.succeed(1)
    ticket.fail(Cancelled("too late"))
    ticket.when_done(lambda: called.append("late"))
    assert called == ["early", "late"] and ticket.result() == 1


# -- one step for all --------------------------------------------------------------------------------------------------


def writing(
    rows: int, tokens: int, draw: Callable[[int], None] | None = None
) -> Callable[[Engine, CancelToken], Generator[tuple[TokenIds, ...] | GenerationStep, None, int]]:
    """A generation so many rows wide and tokens long; yields what its rows have read. ``draw``: its sampler, 32 rows a turn."""

    def job(engine: Engine, cancel: CancelToken) -> Generator[tuple[TokenIds, ...] | GenerationStep, None, int]:
        batch = require(engine, Rows).open_batch([(1, 2, row) for row in range(rows)], cancel=cancel)
        for token in range(tokens):
            cancel.check()
            assert len(batch.logits) == rows
            for first in range(0, rows if draw else 0, 32):
                if first:
                    yield GenerationStep((), (), 0.0, drawn_rows=rows)
                assert draw is not None
                draw(min(32, rows - first))
            batch.ask([token] * rows)
            yield batch.ids
        assert len(batch.logits) == rows
        batch.close()
        return tokens

    return job


def test_steps_of_all_sessions_go_together() -> None:
    engine = FakeEngine()
    worker = StepWorker(engine)
    gate = Gate(worker)
    tickets = [worker.submit(f"session {number}", "generate", writing(1, 8)) for number in range(30)]
    gate.open()
    assert [ticket.result(PATIENCE) for ticket in tickets] == [8] * 30
    assert engine.joint_steps == [[1] * 30] * 8
    worker.close()


def test_a_model_that_takes_no_steps_together_takes_one_at_a_time() -> None:
    class Apart(FakeEngine):
        joins_steps = False

    engine = Apart()
    worker = StepWorker(engine)
    gate = Gate(worker)
    tickets = [worker.submit(f"session {number}", "generate", writing(2, 3)) for number in range(3)]
    gate.open()
    assert [ticket.result(PATIENCE) for ticket in tickets] == [3] * 3
    assert engine.joint_steps == [[2]] * 9
    worker.close()


def test_one_visitor_with_many_rows_takes_no_more_than_is_spare() -> None:
    """The neighbour's one row is in every pass; nobody's rows wait for ever."""
    engine = FakeEngine()
    worker = StepWorker(engine, sharing=Sharing(visitor_of=lambda session: session[:3]))
    worker._cost.rows_within = lambda rows, factor: max(rows, 5)  # type: ignore[method-assign]
    gate = Gate(worker)
    many = [worker.submit(f"big {tab}", "generate", writing(128, 1)) for tab in range(2)]
    small = worker.submit("one", "generate", writing(1, 12))
    gate.open()
    assert small.result(PATIENCE) == 12 and [ticket.result(PATIENCE) for ticket in many] == [1, 1]
    beside = [step for step in engine.joint_steps if sum(step) == 5]
    assert len(beside) == 12 and all(1 in step for step in beside)
    assert sum(map(sum, engine.joint_steps)) == 256 + 12 and max(map(sum, engine.joint_steps)) <= MOST_ROWS
    worker.close()


def test_a_pass_that_fails_is_the_trouble_of_who_is_at_fault() -> None:
    class Fragile(FakeEngine):
        def run_steps(self, wanted: Sequence[tuple[AskedStep, int]]) -> None:
            raise RuntimeError("out of luck")

        def next_logits(self, ids: Sequence[int], *, cancel: CancelToken | None = None) -> NextLogits:
            if tuple(ids) == (1, 2, 1, 0):
                raise ModelError("a sentence")
            return super().next_logits(ids, cancel=cancel)

    worker = StepWorker(Fragile())
    gate = Gate(worker)
    good, bad = (worker.submit(f"session {rows}", "generate", writing(rows, 4)) for rows in (1, 2))
    gate.open()
    assert good.result(PATIENCE) == 4
    with pytest.raises(ModelError, match="a sentence"):
        bad.result(PATIENCE)
    worker.close()


@pytest.mark.parametrize("leaves", [True, False], ids=["its reader left", "cancelled"])
def test_who_leaves_is_in_no_further_pass(leaves: bool) -> None:
    gone: set[str] = set()
    passed = threading.Semaphore(0)
    go = threading.Semaphore(0)

    class Watched(FakeEngine):
        def run_steps(self, wanted: Sequence[tuple[AskedStep, int]]) -> None:
            super().run_steps(wanted)
            passed.release()
            assert go.acquire(timeout=PATIENCE)

    engine = Watched()
    worker = StepWorker(engine, is_alive=lambda session: session not in gone)
    gate = Gate(worker)
    tickets = [worker.submit(name, "generate", writing(1, 3)) for name in "abc"]
    gate.open()
    assert passed.acquire(timeout=PATIENCE)
    if leaves:
        gone.add("b")
    else:
        tickets[1].cancel()
    for _ in range(3):
        go.release()
    assert tickets[0].result(PATIENCE) == tickets[2].result(PATIENCE) == 3
    with pytest.raises(Cancelled):
        tickets[1].result(PATIENCE)
    assert [len(step) for step in engine.joint_steps] == [3, 2, 2] and not engine.take_asked()
    worker.close()


@pytest.mark.parametrize(
    ("base", "row", "company", "drawn"),
    [
        (1.0, 0.01, 0.0, 0.0),
        (1.0, 0.1, 0.0, 0.0),
        (1.0, 0.45, 0.0, 0.0),
        (1.0, 0.05, 0.0, 0.06),
        (1.0, 0.02, 0.5, 0.02),  # a processor without AVX-512
    ],
)
def test_256_candidates_slow_a_neighbours_48_tokens_by_no_more_than_a_third(
    clock: Clock, base: float, row: float, company: float, drawn: float
) -> None:
    """From a row that is nearly free to one as dear as on two cores, drawing it included, and where one in ``company`` is
    dearer than one alone; the clock goes by nothing else. The first neighbour meets the drawing of the first 256 rows."""
    spans: list[float] = []

    class Timed(FakeEngine):
        def run_steps(self, wanted: Sequence[tuple[AskedStep, int]]) -> None:
            super().run_steps(wanted)
            rows = sum(rows for _step, rows in wanted)
            clock.now += base + row * rows + (company if rows > 1 else 0.0)

    def draw(rows: int) -> None:
        clock.now += drawn * rows

    def neighbours(left: int) -> None:
        """One request after the other, each asked for in the moment in which the one before has ended."""
        if not left:
            ended.release()
            return
        started = clock.now

        def end() -> None:
            spans.append(clock.now - started)
            neighbours(left - 1)

        worker.submit("neighbour", "generate", writing(1, 48, draw)).when_done(end)

    ended = threading.Semaphore(0)
    worker = StepWorker(Timed(), clock=clock)
    gate = Gate(worker)
    neighbours(12)
    gate.open()
    assert ended.acquire(timeout=PATIENCE)
    gate = Gate(worker)
    crowd = worker.submit("crowd", "generate", writing(256, 500, draw))
    neighbours(12)
    gate.open()
    assert ended.acquire(timeout=PATIENCE)
    assert not crowd.done and crowd.take()
    crowd.cancel()
    worker.close()
    alone, first, beside = spans[11], spans[12], sum(spans[14:]) / 10
    assert alone == pytest.approx(48 * (base + row + drawn))
    assert first <= alone * 4 / 3 and beside <= alone * 4 / 3


def test_who_leads_goes_first_and_others_are_not_forgotten(clock: Clock) -> None:
    worker = StepWorker(FakeEngine(), clock=clock, sharing=Sharing(goes_first=lambda visitor: visitor == "leader"))
    order: list[str] = []
    gate = Gate(worker)
    early = worker.submit("reader", "x", taking(clock, order, "r", 4, 0.5), Priority.ROW)
    leader = worker.submit("leader", "x", taking(clock, order, "L", 20, 0.5))
    gate.open()
    assert early.wait(PATIENCE) and leader.wait(PATIENCE)
    assert order[:4] == ["L"] * 4 and order.index("r") < 12
    worker.close()


def test_the_expected_wait_is_in_seconds_of_late_less_what_the_running_turn_has_had(
    timed: Worker, clock: Clock
) -> None:
    assert timed.submit("a", "x", taking(clock, [], "a", 5, 2.0)).wait(PATIENCE)
    gate = Gate(timed)
    first, second = (timed.submit(name, "x", taking(clock, [], name, 1, 2.0)) for name in "bc")
    assert [first.before(), second.before()] == [Wait(1, 2.0), Wait(2, 4.0)]  # the gate runs
    clock.now += 1.5
    assert [first.before(), second.before()] == [Wait(1, 0.5), Wait(2, 2.5)]
    clock.now += 5.0
    assert [first.before(), second.before()] == [Wait(1, 0.0), Wait(2, 2.0)]
    gate.open()
    assert first.wait(PATIENCE) and second.wait(PATIENCE) and second.before() == Wait()


def test_what_is_done_together_is_one_turn_in_the_expected_wait(clock: Clock) -> None:
    passed, go = threading.Semaphore(0), threading.Semaphore(0)

    class Timed(FakeEngine):
        def run_steps(self, wanted: Sequence[tuple[AskedStep, int]]) -> None:
            super().run_steps(wanted)
            clock.now += 3.0
            passed.release()
            assert go.acquire(timeout=PATIENCE)

    worker = StepWorker(Timed(), clock=clock)
    gate = Gate(worker)
    rows = [worker.next_row(f"reader {number}", "next", [1, 2, number]) for number in range(JOINT_ROWS + 2)]
    assert [row.before().ahead for row in rows] == [1] * JOINT_ROWS + [2, 2]
    writers = [worker.submit(f"writer {number}", "generate", writing(1, 3)) for number in range(5)]
    gate.open()
    assert passed.acquire(timeout=PATIENCE) and all(row.done for row in rows)
    late = worker.submit("late", "x", taking(clock, [], "late", 1, 0.0))
    assert late.before().ahead == 1 and [writer.before() for writer in writers] == [Wait()] * 5
    late.cancel()
    started = threading.Event()
    opened = threading.Event()

    def hold(engine: Engine, cancel: CancelToken) -> None:
        started.set()
        assert opened.wait(PATIENCE)

    worker.submit("holding", "x", hold, Priority.ROW)
    go.release()
    assert started.wait(PATIENCE)  # between two passes: all five wait for one and the same
    assert {writer.before().ahead for writer in writers} == {1}
    opened.set()
    for _ in range(2):
        go.release()
    assert [writer.result(PATIENCE) for writer in writers] == [3] * 5
    worker.close()
