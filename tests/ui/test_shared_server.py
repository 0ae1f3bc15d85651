"""A shared server as a guest meets it: limits told in one sentence, models from a list, uploads locked, nothing of the disk."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from playground.engine.api import CancelToken, Engine
from playground.engine.fake.engine import FakeEngine
from playground.engine.serving.loading import ModelChoice
from playground.engine.serving.step_worker import StepWorker
from playground.errors import LimitReached
from playground.models.naming import ComparedModel
from playground.room.limits import UNLIMITED
from playground.server.visitor import COOKIE
from playground.state.setup import Setup
from playground.store.place import DATA_VARIABLE
from playground.ui import admission, runtime, tabs
from playground.ui.visitor import visitor_cookies
from playground.ui.workspace import shared
from playground.ui.workspace.shared import model_refusal, offered_models
from tests.ui.conftest import Opened

Open = Callable[..., Opened]


@pytest.fixture(autouse=True)
def _shared(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("PLAYGROUND_SHARED", "1")
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    yield
    tabs._visitors.clear()


def limit(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PLAYGROUND_LIMITS", text)


def on_page(app: Opened, page: str) -> Opened:
    app.at.switch_page(f"../../pages/{page}.py")
    return app.run()


def pressed(app: Opened, key: str) -> Opened:
    app.at.button(key=key).click()
    app.run()
    return app.run()


def test_a_prompt_that_is_too_long_is_refused_with_the_number(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, "prompt_tokens=3")
    app = open_app({"prompt": "one two three four five six"})
    assert any("reads prompts of at most 3 tokens, not" in error for error in app.errors), app.errors
    monkeypatch.delenv("PLAYGROUND_SHARED")
    assert not app.run().errors


@pytest.mark.parametrize(
    ("page", "query", "button", "said"),
    [
        ("generate", {"new": "9"}, "generate", "writes at most 8 new tokens a text, not 9"),
        ("best_of_n", {"n": "5", "new": "4"}, "bon_run", "makes at most 4 texts at a time, not 5"),
        ("best_of_n", {"n": "2", "new": "9"}, "bon_run", "writes at most 8 new tokens a text, not 9"),
        (
            "best_of_n",
            {"n": "2", "new": "4", "rules": '["reward:some/model"]'},
            "bon_run",
            "offers the model it was started with, and no other",
        ),
    ],
)
def test_more_than_a_visitor_may_ask_for_is_refused_before_the_model_is_asked(
    open_app: Open, monkeypatch: pytest.MonkeyPatch, page: str, query: dict[str, str], button: str, said: str
) -> None:
    limit(monkeypatch, "rows=4, new_tokens=8")
    app = on_page(open_app(query, run=False), page)
    app = pressed(app, button)
    assert said in " ".join(app.errors), app.errors


def test_models_are_those_offered_whether_others_exist_or_not(
    open_app: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PLAYGROUND_MODELS", "org/small, @bfloat16")
    assert list(offered_models()) == ["", "org/small", "@bfloat16"]
    allowed = [ModelChoice(), ModelChoice("org/small"), ModelChoice(None, None, "bfloat16")]
    assert [model_refusal(choice) for choice in allowed] == ["", "", ""]
    refused = {
        model_refusal(ModelChoice(name)) for name in ("org/large", str(tmp_path), "/no/such", "http://box:8000/v1", "?")
    }
    assert len(refused) == 1 and "org/small, @bfloat16" in refused.pop()
    app = open_app({"model": str(tmp_path), "prompt": "a"})
    assert any("offers the model it was started with" in text for text in [*app.errors, app.texts()])
    assert not [button for button in app.at.button if button.key == "load_linked_model"]
    monkeypatch.delenv("PLAYGROUND_SHARED")
    assert not model_refusal(ModelChoice("org/large"))


def test_a_model_beside_that_is_not_offered_is_not_loaded(open_app: Open) -> None:
    app = open_app(run=False)
    app.put(Setup(prompt="hello", beside=(ComparedModel("org/large"),)))
    app.at.session_state["sampling_section"] = "Compare"
    app.run()
    assert any("offers the model it was started with" in error for error in app.errors), app.errors
    assert not [button for button in app.at.button if button.key == "load_X"]


def test_a_guest_sees_what_holds_and_no_way_to_another_model(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, "tabs=7")
    monkeypatch.setenv("PLAYGROUND_MODELS", "org/small")
    app = open_app().hold(shared_server=True)
    assert "7 tabs · 40 requests at a time" in app.texts() and "seen by you alone" in app.texts()
    assert not [button for button in app.at.button if button.key == "FormSubmitter:model_form-Load"]
    app.at.button(key="offered_model_1").click()
    app.run()
    assert app.state(Setup).model == "org/small" and not app.errors


def test_uploads_are_locked(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    def script() -> None:
        from playground.ui.workspace.shared import file_uploader

        file_uploader("Problems", type="csv", key="problems")

    at = AppTest.from_function(script).run()
    assert not at.get("file_uploader") and "locked" in at.caption[0].value
    monkeypatch.delenv("PLAYGROUND_SHARED")
    assert AppTest.from_function(script).run().get("file_uploader")


def test_whoever_leads_the_room_is_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    class Led:
        def is_leader(self, visitor: str) -> bool:
            return visitor == "the leader"

    monkeypatch.setattr(tabs, "present_room", lambda _is_alive: Led())
    for visitor, guest in (("somebody", True), ("the leader", False)):
        monkeypatch.setattr(shared, "visitor_id", lambda name=visitor: name)
        assert shared.is_guest() == guest == bool(model_refusal(ModelChoice("org/large")))
        assert (shared.visitor_limits() == UNLIMITED) != guest


def test_a_tab_too_many_is_told_until_another_closes(open_app: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, "tabs=2")
    monkeypatch.setattr(type(st.context), "cookies", {COOKIE: visitor_cookies().make("one browser")})
    closed: set[str] = set()
    monkeypatch.setattr(tabs, "is_alive", lambda session: session not in closed)

    def tab(session: str) -> list[str]:
        monkeypatch.setattr(admission, "session_id", lambda: session)
        app = open_app(run=False)
        app.at.run()
        assert bool(app.at.sidebar.markdown) != bool(app.errors), "a tab that may not stay shows nothing else"
        return app.errors

    assert not tab("first") and not tab("second")
    assert "takes at most 2 tabs of a visitor" in tab("third")[0]
    assert not tab("first"), "who was there first stays"
    closed.add("first")
    assert not tab("third")


def test_turns_and_requests_are_shared_by_a_visitors_tabs(monkeypatch: pytest.MonkeyPatch) -> None:
    limit(monkeypatch, "queued=2")
    for session, visitor in (("s1", "one"), ("s2", "one"), ("s3", "another")):
        tabs.note_tab(session, visitor)
    assert [tabs.visitor_of(session) for session in ("s1", "s2", "s3", "s4")] == ["one", "one", "another", "s4"]
    with closing(StepWorker(FakeEngine(), sharing=tabs.SHARING)) as worker:
        hold, go = threading.Event(), threading.Event()

        def job(engine: Engine, cancel: CancelToken) -> None:
            hold.set()
            go.wait(20)

        worker.submit("s1", "a", job)
        assert hold.wait(20)
        asked = [
            worker.submit(*place, lambda engine, cancel: "done") for place in (("s2", "a"), ("s2", "b"), ("s3", "a"))
        ]
        again = worker.submit("s2", "a", lambda engine, cancel: "in its place")
        go.set()
        with pytest.raises(LimitReached, match="at most 2 requests of a visitor"):
            asked[1].result(20)
        assert asked[2].result(20) == "done" and again.result(20) == "in its place"
    monkeypatch.delenv("PLAYGROUND_SHARED")
    assert tabs.visitor_of("s1") == "s1" and tabs.may_upload("s1")


def test_no_page_has_an_uploader_that_guests_are_not_kept_from() -> None:
    """The page Architectures took a config of any guest's, and built it."""
    house = Path(runtime.__file__).parent
    own = [
        str(file.relative_to(house)) for file in house.rglob("*.py") if "st.file_uploader(" in file.read_text("utf-8")
    ]
    assert own == ["workspace/shared.py"]
