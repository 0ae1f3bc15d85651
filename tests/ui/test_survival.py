"""What a tab works at goes on at another process: two apps that share a store and nothing else, one after the other.

The browser's part, that it names its former session as it connects again, is in ``tests/e2e/test_deployment.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from playground.engine.fake.engine import FakeEngine
from playground.store.place import URL_VARIABLE, sqlite_url
from playground.store.records import LOCAL
from playground.testtime.stored_runs import shared_store
from playground.ui import runtime
from playground.ui.best_of_n_page.session import BestOfNSession, PendingAction
from playground.ui.workspace import survival
from tests.ui.conftest import Opened
from tests.ui.test_best_of_n_page import ending
from tests.ui.test_best_of_n_page import settled as run_finished
from tests.ui.test_generate_page import Gate, finished, open_page, reference, until, work_of

Open = Callable[..., Opened]


@pytest.fixture
def gate(open_app: Open) -> Iterator[Gate]:
    """Opened before the app is closed, whatever the test did."""
    closed_gate = Gate()
    yield closed_gate
    closed_gate.open.set()


@pytest.fixture
def tab(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, str], None]:
    """Give this process's tab an id, and the one that its browser names as the one before."""
    monkeypatch.setenv(URL_VARIABLE, sqlite_url(tmp_path))

    def name(own: str, former: str = "") -> None:
        monkeypatch.setattr(survival, "session_id", lambda: own)
        monkeypatch.setattr(survival, "former_session_id", lambda: former)

    return name


def cut_off(open_app: Open, gate: Gate, query: dict[str, str], count: int) -> Opened:
    """Begin to write and hold the model after ``count`` tokens; what is there has been looked at, so it is stored."""
    gate.close(count)
    app = open_page(open_app, query, opener=lambda choice, progress: FakeEngine(before_step=gate))

    def there() -> bool:
        stream = work_of(app).stream
        return stream is not None and stream.count >= count

    return until(app, there, "no tokens came").run()


def test_a_text_goes_on_where_it_was_stored(
    open_app: Open, gate: Gate, tab: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("playground.ui.generate_page.surviving.EVERY_S", 0.0)
    monkeypatch.setattr("playground.ui.generate_page.surviving.SHARE", 0)
    tab("first")
    before = cut_off(open_app, gate, {"new": "12"}, 4)
    written = work_of(before).tree.path_ids(0)
    gate.open.set()
    tab("second", "first")
    engine = FakeEngine()
    app = finished(open_page(open_app, {"new": "12"}, opener=lambda choice, progress: engine))
    assert 4 <= len(written) < 12
    assert work_of(app).tree.path_ids(0) == reference(FakeEngine(), max_new_tokens=12)
    assert len(engine.calls) <= 12 - len(written) + 3, "what was stored is not written again"
    assert "another one goes on from what it had stored" in app.texts()
    assert work_of(app).tree[0].ended == "length"
    tab("third", "second")
    engine = FakeEngine()
    again = open_page(open_app, {"new": "12"}, opener=lambda choice, progress: engine)
    assert work_of(again).tree == work_of(app).tree and not engine.calls, "a finished text is shown as it was"


def test_what_a_process_that_ends_could_not_finish_is_left_to_the_next(
    open_app: Open, gate: Gate, tab: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is told to end lets go of its model first, and its last look finds the text ended by that."""
    monkeypatch.setattr("playground.ui.generate_page.surviving.EVERY_S", 0.0)
    tab("first")
    before = cut_off(open_app, gate, {"new": "12"}, 4)
    stream = work_of(before).stream
    assert stream is not None
    gate.open.set()
    runtime.close_pool()
    assert stream.ticket.wait(10)
    before.run()
    assert work_of(before).stream is None
    tab("second", "first")
    app = finished(open_page(open_app, {"new": "12"}, opener=lambda choice, progress: FakeEngine()))
    assert work_of(app).tree.path_ids(0) == reference(FakeEngine(), max_new_tokens=12)


def test_a_stranger_a_reader_without_a_store_and_another_model_begin_anew(
    open_app: Open, tab: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    tab("first")
    finished(open_page(open_app, {"new": "4"}))
    tab("second", "somebody else")
    assert survival.kept_for_tab("write fake") is None
    tab("second", "first")
    assert survival.kept_for_tab("write fake") and survival.kept_for_tab("write another") is None
    monkeypatch.delenv(URL_VARIABLE)
    assert survival.kept_for_tab("write fake") is None
    survival.keep_for_tab("write fake", "nothing")


def test_a_run_goes_on_with_the_candidates_that_are_missing(
    open_app: Open, gate: Gate, tab: Callable[..., None]
) -> None:
    query = {"new": "12", "n": "5"}
    tab("first")
    gate.close(1)

    def open_run(engine: FakeEngine) -> Opened:
        app = open_app(query, opener=lambda choice, progress: engine, run=False)
        app.at.switch_page("../../pages/best_of_n.py")
        return app.run()

    app = open_run(FakeEngine(ending, before_step=gate))

    def some() -> bool:
        gate.allowed.release()
        return bool(app.state(BestOfNSession).models["fake"].run.candidates)

    until(app, some, "no candidate was finished")
    (stored,) = shared_store(LOCAL).runs()
    assert stored.finished < 5
    gate.open.set()
    tab("second", "first")
    engine = FakeEngine(ending)
    app = run_finished(open_run(engine))
    run = app.state(BestOfNSession).models["fake"].run
    assert run.run_id == stored.id and len(run.candidates) == 5 and run.cost.resumed == 1
    assert "another one goes on from what it had stored" in app.texts()
    (now,) = shared_store(LOCAL).runs()
    assert (now.status, now.finished) == ("finished", 5)
    tab("third", "second")
    engine = FakeEngine(ending)
    again = run_finished(open_run(engine))
    assert again.state(BestOfNSession).models["fake"].run.run_id == stored.id and not engine.calls
    assert not again.state(PendingAction).what
