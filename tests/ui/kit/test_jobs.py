"""Long work seen from a page: the page never waits for it, shows how far it is, and draws the result when it is there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from playground.engine.fake.engine import FakeEngine
from playground.engine.serving.ticket import Ticket, Wait
from playground.engine.types import NextLogits
from playground.errors import BadInput
from playground.ui.kit import job_view, jobs
from playground.ui.kit.job_view import JobView
from playground.ui.kit.pace import crowded, look_every, queue_words
from playground.ui.kit.run_turns import RunTurns, Urgency
from tests.ui.conftest import Opened

PATIENCE = 30.0


class HeldEngine(FakeEngine):
    """Does not answer for a prompt that ends in "!" before it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.go = threading.Event(), threading.Event()

    def next_logits(self, ids: Sequence[int], **how: Any) -> NextLogits:
        if list(ids)[-1:] == [ord("!")]:
            self.asked.set()
            assert self.go.wait(PATIENCE)
        return super().next_logits(ids, **how)


@pytest.fixture
def engine() -> Iterator[HeldEngine]:
    held_engine = HeldEngine()
    yield held_engine
    held_engine.go.set()


@pytest.fixture
def patience_s() -> float:
    return 0.2


@pytest.mark.parametrize(
    ("wait", "said"),
    [(Wait(), ""), (Wait(2, 0.4), ", 2 ahead"), (Wait(3, 4.4), ", 3 ahead, about 4 s"), (Wait(0, 9.0), "")],
)
def test_who_waits_is_told_the_place_and_the_expected_wait(wait: Wait, said: str) -> None:
    ticket: Ticket[None] = Ticket("a", "b")
    ticket._wait_of = lambda _ticket: wait
    assert queue_words(ticket) == said
    ticket.succeed(None)
    assert queue_words(ticket) == ""


def pending(app: Opened) -> list[str]:
    return [caption.value for caption in app.at.caption if "reads" in caption.value]


def test_a_page_does_not_wait_for_the_model_and_keeps_the_old_picture(
    open_app: Callable[..., Opened], engine: HeldEngine
) -> None:
    app = open_app({"prompt": "first"})
    before = [row["pick"] for row in app.bars["rows"]]
    app.at.text_area(key="w_prompt").set_value("hold!")
    app.run()
    assert engine.asked.wait(PATIENCE)
    assert len(pending(app)) == 1 and "The model reads 5 tokens" in pending(app)[0]
    assert [row["pick"] for row in app.bars["rows"]] == before, "dimmed until the new one is there"
    assert [token["text"] for token in app.strip] == list("first"), "and so does the text above it"
    engine.go.set()
    row = FakeEngine().next_logits(app.engine.codec.encode("hold!")).logits
    while pending(app):  # as a browser's timer would
        app.run()
    assert app.bars["rows"][0]["pick"] == int(np.argmax(row))


def test_other_controls_work_while_it_is_on_its_way(open_app: Callable[..., Opened], engine: HeldEngine) -> None:
    app = open_app({"prompt": "hold!"})
    app.at.slider(key="w_top_k").set_value(3)
    app.run()
    assert pending(app) and not app.errors
    engine.go.set()
    while pending(app):
        app.run()
    assert app.kept() == 3


def test_a_job_view_takes_steps_result_refusal_and_stop() -> None:
    steps: list[int] = []
    results: list[str] = []
    ticket: Ticket[str] = Ticket("a", "x")
    job = JobView(ticket, steps.append, results.append)
    ticket.add_step(1)
    job.drain()
    assert job.busy and steps == [1] and not results
    ticket.add_step(2)
    ticket.succeed("done")
    job.drain()
    assert not job.busy and steps == [1, 2] and results == ["done"]
    refused = JobView(Ticket[str]("a", "x"))
    refused.ticket.fail(BadInput("Too much: ask for less."))
    refused.drain()
    assert refused.problem == "Too much: ask for less." and not refused.stopped
    stopped = JobView(Ticket[str]("a", "x"))
    stopped.stop()
    stopped.drain()
    assert stopped.stopped and stopped.problem is None


def test_a_finished_job_is_not_looked_in_on_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a job makes its page's timer tick, and a timer that is told its pace again after that goes on for ever."""
    looks, stopped, woken, redrawn = list[Callable[[], None]](), list[str](), list[str](), list[tuple[str, ...]]()
    monkeypatch.setattr("streamlit.fragment", lambda look, **how: lambda: looks.append(look))
    monkeypatch.setattr(job_view, "stop_timer", stopped.append)
    monkeypatch.setattr(job_view, "redraw_next", lambda *parts: redrawn.append(parts))
    monkeypatch.setattr(job_view, "waker", lambda key, every: lambda: woken.append(key))
    work: JobView[str] = JobView(Ticket("a", "x"))
    job_view.watch(work, lambda: None, key="live")
    (look,) = looks
    look()
    look()
    assert not stopped and not woken
    work.ticket.succeed("done")
    assert woken == ["live"] and not redrawn
    look()
    assert stopped == ["live"] and redrawn == [()]


def test_looks_become_rarer_as_readers_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.ui.kit.pace.readers", lambda: 1)
    alone = look_every()
    assert not crowded()
    monkeypatch.setattr("playground.ui.kit.pace.readers", lambda: 30)
    assert look_every() > 5 * alone
    assert crowded()


def test_a_part_that_found_nothing_yet_is_redrawn_though_another_found_the_result_in_the_same_run(
    open_app: Callable[..., Opened], engine: HeldEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The text's part comes first and may give up just before the result is there for the pictures."""
    app = open_app({"prompt": "first"})
    waits: list[jobs.Progress] = []
    redrawn: list[str] = []
    monkeypatch.setattr(
        "playground.ui.sampling_page.steps.redraw_when_done", lambda pending, part: redrawn.append(part)
    )

    def too_late_once(awaited: jobs.Progress) -> bool:
        if isinstance(awaited, jobs._Request):  # and not the model's loading
            waits.append(awaited)
        there = threading.Event()
        awaited.when_done(there.set)
        return there.wait(PATIENCE) and len(waits) != 1

    monkeypatch.setattr(jobs, "there_soon", too_late_once)
    app.at.text_area(key="w_prompt").set_value("other")
    app.run()
    assert app.bars["rows"] and redrawn == ["text"], "the pictures are there, and a timer will redraw the text"


def test_a_script_lets_others_run_while_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = RunTurns()
    monkeypatch.setattr(jobs, "TURNS", turns)
    ticket: Ticket[int] = Ticket("a", "b")
    request = jobs._Request("key", ticket, "reads")
    held: list[bool] = []

    class Waits(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            held.append(turns._holder is not None)
            ticket.succeed(1)
            return super().wait(timeout)

    monkeypatch.setattr(jobs, "threading", SimpleNamespace(Event=Waits))
    with turns.turn(Urgency.PAGE):
        there = jobs.there_soon(request)
        held.append(turns._holder is not None)
    assert there and held == [False, True]
