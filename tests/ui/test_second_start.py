"""A page whose model is still being loaded: what was kept of earlier starts is shown, the rest waits, and the end is seen."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from playground.engine.early import EarlyEngine
from playground.engine.fake import FakeEngine
from playground.engine.kept_answers import KeptAnswers
from playground.engine.logits_cache import LogitsCache
from playground.engine.pool import ModelChoice
from playground.errors import ModelCorrupt
from playground.ui import runtime
from playground.ui.setup import DEFAULT_PROMPT
from tests.ui.conftest import Opened

Open = Callable[..., Opened]
PATIENCE = 20.0


class SlowStart:
    """Offers what ``kept`` holds, then waits for the gate before the engine, or the failure, comes."""

    def __init__(self, kept: KeptAnswers) -> None:
        self.kept, self.gate = kept, threading.Event()
        self.failure: ModelCorrupt | None = None
        self.whole = FakeEngine()

    def __call__(self, choice: ModelChoice, loading: Any) -> FakeEngine:
        known = self.whole
        loading.offer(EarlyEngine(known.info, known.capabilities, known.codec, self.kept, LogitsCache()))
        assert self.gate.wait(PATIENCE)
        if self.failure is not None:
            raise self.failure
        return self.whole

    def ended(self) -> None:
        self.gate.set()
        for thread in threading.enumerate():
            if thread.name == "model-loader":
                thread.join(PATIENCE)


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[SlowStart]:
    kept, engine = KeptAnswers(tmp_path), FakeEngine()
    ids = engine.codec.encode(DEFAULT_PROMPT)
    kept.put_row(engine.info.revision, ids, engine.next_logits(ids).logits)
    kept.put_score(engine.info.revision, engine.score(ids))
    made = SlowStart(kept)
    yield made
    made.gate.set()


def card(app: Opened) -> str:
    return "\n".join(text.value for text in app.at.sidebar.markdown)


def test_the_whole_page_stands_before_the_weights_are_there(open_app: Open, slow: SlowStart) -> None:
    app = open_app(opener=slow)
    assert not app.errors and not slow.whole.calls
    assert app.bars["rows"] and "log-probability" in app.strip[1]["label"]
    assert "kept from the last start" in app.texts(), "what is shown says where it comes from"
    assert "Fake model" in card(app.run()) and "loading; answers kept from the last start are shown" in card(app)
    for section in ("Pipeline", "Compare", "Why this token?", "Any word", "Proof"):
        assert not app.section(section).errors
    app.section("Bars").at.slider(key="w_top_k").set_value(2)
    assert not app.run().errors and app.kept() == 2
    assert not slow.whole.calls


def test_the_end_of_the_loading_is_seen_and_the_numbers_stay(open_app: Open, slow: SlowStart) -> None:
    app = open_app(opener=slow)
    bars, strip = app.bars, app.strip
    slow.ended()
    app.run()
    assert (app.bars, app.strip) == (bars, strip)
    assert "kept from the last start" not in app.texts()
    assert "ready" in card(app) and "loading" not in card(app)


def test_a_kept_row_that_was_not_confirmed_is_replaced_on_the_page(open_app: Open, slow: SlowStart) -> None:
    ids = slow.whole.codec.encode(DEFAULT_PROMPT)
    right = slow.whole.next_logits(ids).logits
    slow.kept.forget(slow.whole.info.revision, ids)
    slow.kept.put_row(slow.whole.info.revision, ids, right[::-1])
    slow.kept.put_score(slow.whole.info.revision, slow.whole.score(ids))
    slow.whole = FakeEngine()
    app = open_app(opener=slow)
    wrong = app.bars["rows"]
    slow.ended()  # this engine has no row of its own yet, as after ``check_shown``
    assert app.run().bars["rows"] != wrong
    assert app.bars["rows"][0]["pick"] == int(right.argmax())


def test_what_was_not_kept_waits_for_the_model(
    open_app: Open, slow: SlowStart, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    progress = runtime._show_progress

    def watch(loading: Any, wanted: threading.Event) -> None:
        shown.append(loading.what)
        slow.ended()
        progress(loading, wanted)

    monkeypatch.setattr(runtime, "_show_progress", watch)
    app = open_app({"prompt": "hello world"}, opener=slow)
    assert shown == ["Starting"] and not app.errors
    assert len(app.strip) == len(slow.whole.codec.encode("hello world")) and slow.whole.calls


def test_a_model_that_fails_after_the_beginning_is_told(open_app: Open, slow: SlowStart) -> None:
    slow.failure = ModelCorrupt("It lacks a tensor: fetch it again.")
    app = open_app(opener=slow)
    assert not app.errors
    slow.ended()
    app.run()
    assert any("lacks a tensor" in error for error in app.errors)
    assert "could not be loaded" in card(app)


def test_other_pages_wait_for_the_weights(open_app: Open, slow: SlowStart, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[bool] = []
    monkeypatch.setattr(runtime, "_show_progress", lambda loading, wanted: (waited.append(True), slow.ended()))
    app = open_app(opener=slow)
    app.at.switch_page("pages/generate.py")
    app.run()
    assert waited and not app.errors
