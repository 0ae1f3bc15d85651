"""A function that hangs, hoards or crashes costs its own call, and one visitor's calls never hold up another's."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from playground.bounded import (
    BoundedFailure,
    ChildDied,
    OutOfMemory,
    OutOfTime,
    RaisedInChild,
    call_bounded,
    close_children,
)
from playground.bounded.places import Places
from tests.bounded import functions


@pytest.fixture(scope="module", autouse=True)
def _no_child_left() -> Iterator[None]:
    yield
    close_children()


def test_results_come_from_another_process_that_serves_again() -> None:
    assert call_bounded(functions.double, 21) == 42
    assert call_bounded(functions.speak) == "reply"
    first = call_bounded(functions.process)
    assert first == call_bounded(functions.process) != psutil.Process().pid


def test_what_the_function_raises_is_told_and_the_child_serves_on() -> None:
    before = call_bounded(functions.process)
    with pytest.raises(RaisedInChild, match="no such thing") as raised:
        call_bounded(functions.fail, "no such thing")
    assert raised.value.kind == "LookupError"
    with pytest.raises(RaisedInChild):
        call_bounded(functions.panic)
    assert call_bounded(functions.process) == before


@pytest.mark.parametrize(
    ("function", "failure", "seconds"),
    [(functions.loop, OutOfTime, 0.3), (functions.hoard, OutOfMemory, 30), (functions.crash, ChildDied, 30)],
)
def test_what_fails_is_named_and_the_next_call_has_a_new_child(
    function: Callable[[], object], failure: type[BoundedFailure], seconds: float
) -> None:
    with pytest.raises(failure):
        call_bounded(function, seconds=seconds, memory_bytes=500_000_000)
    assert call_bounded(functions.double, 2) == 4


def test_a_call_that_is_cancelled_ends_at_once_with_its_child() -> None:
    cancelled = threading.Event()
    threading.Timer(0.2, cancelled.set).start()

    def check() -> None:
        if cancelled.is_set():
            raise KeyError("cancelled")

    started = time.monotonic()
    with pytest.raises(KeyError):
        call_bounded(functions.loop, seconds=60, check=check)
    assert time.monotonic() - started < 10
    assert call_bounded(functions.double, 3) == 6


def test_a_child_at_work_ends_with_its_parent() -> None:
    script = (
        "import threading, time\n"
        "from playground.bounded import call_bounded, calls\n"
        "from tests.bounded import functions\n"
        "threading.Thread(target=call_bounded, args=(functions.loop,), kwargs={'seconds': 600}, daemon=True).start()\n"
        "while not calls._all: time.sleep(0.01)\n"
        "print([child._process.pid for child in calls._all][0])\n"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert not psutil.pid_exists(int(done.stdout))


# -- turns ---------------------------------------------------------------------------------------------------------------


def test_a_visitor_has_one_place_and_a_stranger_gets_the_next() -> None:
    """Two columns of one visitor used to take both places for all."""
    places = Places(2)
    first_may_end, entered, order = threading.Event(), threading.Event(), list[str]()

    def hold(visitor: str, name: str, until: threading.Event | None) -> None:
        with places.take(visitor, lambda: None):
            order.append(name)
            entered.set()
            if until is not None:
                assert until.wait(30)

    first = threading.Thread(target=hold, args=("greedy", "first", first_may_end))
    first.start()
    assert entered.wait(30)
    second = threading.Thread(target=hold, args=("greedy", "second", None))
    second.start()
    hold("stranger", "stranger", None)
    first_may_end.set()
    first.join(30)
    second.join(30)
    assert order == ["first", "stranger", "second"]


def test_a_free_place_goes_to_who_had_a_turn_longest_ago() -> None:
    places, order = Places(1), list[str]()
    release = threading.Event()

    def hold(visitor: str) -> None:
        with places.take(visitor, lambda: None):
            order.append(visitor)

    with places.take("much", lambda: None):
        threads = [threading.Thread(target=hold, args=(v,)) for v in ("much", "much", "new")]
        for thread in threads:
            thread.start()
        while len(places._waiting) < 3:
            release.wait(0.01)
    for thread in threads:
        thread.join(30)
    assert order == ["new", "much", "much"]


def test_a_wait_for_a_place_can_be_cancelled() -> None:
    places = Places(1)

    def cancelled() -> None:
        raise KeyError("cancelled")

    with places.take("one", lambda: None):
        with pytest.raises(KeyError), places.take("other", cancelled):
            raise AssertionError("there is no place")
        assert places._waiting == []
    with places.take("other", lambda: None):
        pass
