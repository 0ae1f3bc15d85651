"""Script runs on threads that wait for them: each as alone as on a thread of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar

import pytest
from streamlit.runtime.scriptrunner import ScriptRunner, get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context_attr import SCRIPT_RUN_CONTEXT_ATTR_NAME
from streamlit.testing.v1.local_script_runner import LocalScriptRunner

from playground.ui.kit import ready_threads
from playground.ui.kit.ready_threads import KEPT, start_at_once

PATIENCE_S = 30
LEFT: ContextVar[str] = ContextVar("left", default="nothing")


@pytest.fixture(autouse=True)
def started() -> Iterator[None]:
    before, ready_threads._waiting[:] = ScriptRunner.start, []
    start_at_once()
    yield
    ScriptRunner.start = before  # type: ignore[method-assign]
    ready_threads._waiting.clear()


def run(work: Callable[[], None], kind: type[ScriptRunner] = ScriptRunner) -> ScriptRunner:
    """A runner that was started, whose script is ``work``."""
    runner = object.__new__(kind)
    runner._script_thread = None
    runner._run_script_thread = work  # type: ignore[method-assign]
    runner.start()
    return runner


def finished(work: Callable[[], None]) -> ScriptRunner:
    """The same, once its thread waits for the next one."""
    runner = run(work)
    waits = threading.Event()
    while runner._script_thread not in ready_threads._waiting:
        assert not waits.wait(0.001)
    return runner


def test_a_run_has_the_thread_that_is_said_to_be_its_own() -> None:
    answers: list[bool] = []
    runner = object.__new__(ScriptRunner)
    runner._script_thread = None
    there = threading.Event()

    def work() -> None:
        answers.append(runner._is_in_script_thread())
        there.set()

    runner._run_script_thread = work  # type: ignore[method-assign]
    runner.start()
    assert there.wait(PATIENCE_S) and answers == [True] and not runner._is_in_script_thread()


def test_the_next_run_has_the_same_thread_and_nothing_of_the_one_before() -> None:
    leftovers: list[object] = []

    def leave() -> None:
        LEFT.set("a secret")
        setattr(threading.current_thread(), SCRIPT_RUN_CONTEXT_ATTR_NAME, object())

    def look() -> None:
        leftovers.extend([LEFT.get(), get_script_run_ctx(suppress_warning=True)])

    first, second = finished(leave), finished(look)
    assert first._script_thread is second._script_thread
    assert leftovers == ["nothing", None]


def test_runs_at_once_have_a_thread_each_and_few_are_kept() -> None:
    go, together = threading.Event(), threading.Barrier(KEPT + 6)

    def work() -> None:
        together.wait(PATIENCE_S)
        go.wait(PATIENCE_S)

    runners = [run(work) for _ in range(KEPT + 5)]
    threads = [runner._script_thread for runner in runners]
    together.wait(PATIENCE_S)
    assert len(set(threads)) == KEPT + 5
    go.set()
    turn = threading.Event()
    while len(ready_threads._waiting) < KEPT:
        assert not turn.wait(0.001)
    for thread in set(threads) - set(ready_threads._waiting):
        assert thread is not None
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    assert len(ready_threads._waiting) == KEPT


def test_what_a_run_raises_ends_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda args: raised.append(args.exc_type))

    def work() -> None:
        raise MemoryError

    runner = run(work)
    assert runner._script_thread is not None
    runner._script_thread.join(PATIENCE_S)
    assert raised == [MemoryError] and not ready_threads._waiting


def test_a_runner_starts_once() -> None:
    runner = finished(lambda: None)
    with pytest.raises(RuntimeError, match="already started"):
        runner.start()


def test_the_test_double_of_a_tab_waits_for_the_end_of_its_own_thread() -> None:
    runner = run(lambda: None, LocalScriptRunner)
    assert runner._script_thread is not None
    runner._script_thread.join(PATIENCE_S)
    assert not runner._script_thread.is_alive()
