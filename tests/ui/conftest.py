"""The whole app in this process, with an engine that has known numbers and keeps count of its calls."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from playground.engine.fake.engine import FakeEngine
from playground.engine.serving.loading import ModelChoice
from playground.ui import runtime
from playground.ui.components.declare import MARK
from playground.ui.kit import jobs

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")
Opener = Callable[[ModelChoice, Any], FakeEngine]
RUN_S = 240.0  # of one run at most: the first of a process imports the app, which takes a busy machine over a minute


class Opened:
    """The app under test: ``at`` is Streamlit's own test double of a browser tab."""

    def __init__(self, at: AppTest, engine: FakeEngine) -> None:
        self.at, self.engine = at, engine
        self.held: dict[str, object] = {}

    def hold(self, **state: object) -> Opened:
        """Open tabs, popovers and expanders by their keys, and keep them open: the double does not send them back."""
        self.held |= state
        return self.run()

    def run(self) -> Opened:
        self.run_once()
        if not self.at.sidebar.markdown:  # only a fragment ran, and the double forgets the rest of the page
            self.run_once()
        assert not self.at.exception, [error.message for error in self.at.exception]
        return self

    def run_once(self) -> None:
        """One run of the script, of a part of the page perhaps."""
        for key, value in self.held.items():
            self.at.session_state[key] = value
        self.at.run()

    def agree(self) -> Opened:
        """Load the model that the link names."""
        self.at.button(key="load_linked_model").click()
        return self.run()

    def component(self, key: str) -> dict[str, Any]:
        """The data a component was given: what the browser paints."""
        for element in self.at.get("bidi_component"):
            if element.key == key:
                payload = json.loads(element.proto.json)
                assert isinstance(payload, dict)
                del payload[MARK]  # when it was drawn
                return payload
        raise AssertionError(f"no component {key!r} on the page")

    @property
    def bars(self) -> dict[str, Any]:
        return self.component("bars")

    @property
    def strip(self) -> list[dict[str, Any]]:
        tokens = self.component("text_strip")["tokens"]
        assert isinstance(tokens, list)
        return tokens

    @property
    def errors(self) -> list[str]:
        return [error.value for error in self.at.error]

    def kept(self) -> int:
        return sum(not row["removed"] for row in self.bars["rows"] if row["pick"] >= 0)

    @property
    def _has_states(self) -> bool:
        return "playground_states" in self.at.session_state

    def state(self, kind: type[T]) -> T:
        """The session's state of a kind, as the page keeps it."""
        states = self.at.session_state["playground_states"] if self._has_states else {}
        state: T = states.get(kind) or kind()
        return state

    def put(self, state: object) -> None:
        """Replace the session's state of this kind, as another page or a first click would."""
        if not self._has_states:
            self.at.session_state["playground_states"] = {}
        self.at.session_state["playground_states"][type(state)] = state

    def section(self, label: str) -> Opened:
        return self.hold(sampling_section=label)

    def texts(self) -> str:
        """Everything written in markdown, captions and notes."""
        parts = [*self.at.markdown, *self.at.caption, *self.at.info, *self.at.warning, *self.at.error]
        return "\n".join(str(element.value) for element in parts)


@pytest.fixture(autouse=True)
def _own_main(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit makes its script the process's ``__main__``, which a child process of a later test would run again."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def patience_s() -> float:
    """How long a script run waits for a result: long, so that a busy machine changes nothing. Tests of Pending shorten it."""
    return 30.0


@pytest.fixture
def open_app(monkeypatch: pytest.MonkeyPatch, engine: FakeEngine, patience_s: float) -> Iterator[Callable[..., Opened]]:
    """Open the app at a link. The pool is a new one for each test."""
    monkeypatch.setattr(jobs, "PATIENCE_S", patience_s)
    runtime.close_pool()
    st.cache_resource.clear()

    def open_at(query: dict[str, str] | None = None, *, opener: Opener | None = None, run: bool = True) -> Opened:
        monkeypatch.setattr(runtime, "_open_engine", opener or (lambda choice, progress: engine))
        at = AppTest.from_file(str(ROOT / "playground" / "ui" / "entry.py"), default_timeout=RUN_S)
        for name, value in (query or {}).items():
            at.query_params[name] = value
        opened = Opened(at, engine)
        return opened.run() if run else opened

    yield open_at
    runtime.close_pool()
    st.cache_resource.clear()
    for thread in threading.enumerate():
        if thread.name == "model-loader":
            thread.join(10)
