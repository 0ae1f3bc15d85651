"""Turns for script runs: the order, letting go while waiting, and that nobody is lost or held up."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.proto.WidgetStates_pb2 import WidgetState, WidgetStates
from streamlit.runtime.scriptrunner import ScriptRunner, StopException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData

from playground.ui.kit import streamlit_mends
from playground.ui.kit.run_turns import RunTurns, Urgency
from playground.ui.kit.streamlit_mends import urgency_of

PATIENCE_S = 30.0
LONG_S = 600.0  # a lease that ends in no test


def until(there: Callable[[], object]) -> None:
    ends = time.perf_counter() + PATIENCE_S
    while not there():
        assert time.perf_counter() < ends
        time.sleep(0.001)


class Runs:
    """Scripts on threads of their own, each with one step that it takes when it is told to."""

    def __init__(self, lease_s: float = LONG_S) -> None:
        self.turns = RunTurns(lease_s)
        self.began: list[str] = []
        self.ended: list[str] = []
        self._threads: list[threading.Thread] = []

    def start(self, name: str, urgency: Urgency, step: Callable[[], object] = lambda: None) -> None:
        """Begin a run, and wait until it has its turn or waits for it."""
        before = len(self.began) + len(self.turns._waiting)

        def run() -> None:
            with self.turns.turn(urgency):
                self.began.append(name)
                step()
            self.ended.append(name)

        self._threads.append(threading.Thread(target=run, daemon=True))
        self._threads[-1].start()
        until(lambda: len(self.began) + len(self.turns._waiting) > before)

    def finish(self) -> None:
        for thread in self._threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), f"waits for ever; ended: {self.ended}"


def wait_for(event: threading.Event) -> Callable[[], object]:
    def wait() -> None:
        assert event.wait(PATIENCE_S)

    return wait


def test_what_a_hand_waits_for_goes_first_and_the_rest_as_it_came() -> None:
    runs, go = Runs(), threading.Event()
    runs.start("first", Urgency.PAGE, wait_for(go))
    runs.start("page", Urgency.PAGE)
    runs.start("page 2", Urgency.PAGE)
    runs.start("tick", Urgency.PART)
    runs.start("slider", Urgency.MOVED)
    assert runs.began == ["first"], "one at a time"
    go.set()
    runs.finish()
    assert runs.began == ["first", "slider", "tick", "page", "page 2"]


def test_who_has_waited_long_is_not_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("playground.ui.kit.run_turns.time", SimpleNamespace(monotonic=lambda: now))
    runs, go = Runs(), threading.Event()
    runs.start("first", Urgency.PAGE, wait_for(go))
    runs.start("page", Urgency.PAGE)
    now += Urgency.MOVED.value + 1
    runs.start("slider", Urgency.MOVED)
    go.set()
    runs.finish()
    assert runs.began == ["first", "page", "slider"]


def test_a_long_run_lets_a_more_urgent_one_go_first_and_no_other() -> None:
    runs, drawn = Runs(), threading.Event()

    def draw() -> None:
        assert drawn.wait(PATIENCE_S)
        runs.turns.give_way()
        runs.began.append("page goes on")

    runs.start("page", Urgency.PAGE, draw)
    runs.start("page 2", Urgency.PAGE)
    runs.start("slider", Urgency.MOVED)
    drawn.set()
    runs.finish()
    assert runs.began == ["page", "slider", "page goes on", "page 2"]


def test_who_waits_for_the_model_lets_go_and_goes_on_in_its_turn() -> None:
    runs, model, go = Runs(), threading.Event(), threading.Event()

    def ask() -> None:
        with runs.turns.let_go():
            assert model.wait(PATIENCE_S)
        runs.began.append("page goes on")

    runs.start("page", Urgency.PAGE, ask)
    runs.start("page 2", Urgency.PAGE, wait_for(go))
    assert runs.began == ["page", "page 2"]
    model.set()
    until(lambda: len(runs.turns._waiting) == 1)
    go.set()
    runs.finish()
    assert runs.began == ["page", "page 2", "page goes on"]


@pytest.mark.parametrize("inside", [False, True])
def test_a_run_that_is_stopped_leaves_its_turn_to_the_next(inside: bool) -> None:
    turns = RunTurns(LONG_S)
    with pytest.raises(StopException), turns.turn(Urgency.PAGE):
        if inside:
            with turns.let_go():
                raise StopException
        raise StopException
    assert turns._holder is None and not turns._waiting
    with turns.turn(Urgency.PAGE):
        assert turns._holder is not None


def test_a_run_that_is_stuck_holds_nobody_up_for_longer_than_its_lease() -> None:
    """And neither do two of which each waits for what the other has."""
    runs, lock, go = Runs(lease_s=0.02), threading.Lock(), threading.Event()

    def with_the_lock() -> None:
        with lock:
            assert go.wait(PATIENCE_S)
            runs.turns.give_way()  # its lease has ended: it waits for the one who waits for the lock

    def needs_the_lock() -> None:
        go.set()
        with lock:
            pass

    runs.start("stuck", Urgency.PAGE, with_the_lock)
    runs.start("next", Urgency.PAGE, needs_the_lock)
    runs.finish()
    assert sorted(runs.ended) == ["next", "stuck"]


def test_outside_of_a_run_nothing_waits() -> None:
    turns = RunTurns(LONG_S)
    turns.give_way()
    with turns.let_go():
        pass


def moved(**kind: Any) -> WidgetStates:
    return WidgetStates(widgets=[WidgetState(id="a", **kind)])


@pytest.mark.parametrize(
    ("data", "urgency"),
    [
        (RerunData(widget_states=moved(int_value=1)), Urgency.PAGE),
        (RerunData(fragment_id_queue=["part"], widget_states=moved(int_value=1)), Urgency.MOVED),
        (RerunData(fragment_id="part", widget_states=moved(int_value=1)), Urgency.MOVED),
        (RerunData(fragment_id_queue=["part"], widget_states=moved(trigger_value=True)), Urgency.PART),
        (RerunData(fragment_id_queue=["part"], widget_states=moved(int_value=1), is_auto_rerun=True), Urgency.PART),
        (RerunData(fragment_id_queue=["part"]), Urgency.PART),
    ],
)
def test_which_runs_are_urgent(data: RerunData, urgency: Urgency) -> None:
    assert urgency_of(data) is urgency


def test_a_run_has_a_turn_and_gives_way_where_it_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    turns = RunTurns(LONG_S)
    monkeypatch.setattr(streamlit_mends, "TURNS", turns)
    monkeypatch.setattr(turns, "give_way", lambda: said.append("gives way"))
    monkeypatch.setattr(streamlit_mends, "_handle_requests", lambda _self: said.append("looks for requests"))

    def run(runner: ScriptRunner, _data: RerunData) -> None:
        said.append("has a turn" if turns._holder else "has none")
        streamlit_mends._give_way(runner)

    monkeypatch.setattr(streamlit_mends, "_run", run)
    runner: Any = SimpleNamespace(_pages_manager=SimpleNamespace())
    streamlit_mends._run_script(runner, RerunData())
    assert said == ["has a turn", "gives way", "looks for requests"] and turns._holder is None
