"""Judging on the page and by link: what each sees, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from playground.engine.fake.engine import FakeEngine
from playground.room.present import ROOM_VARIABLE, present_room
from playground.room.questions.types import Better, Voted
from playground.store.place import DATA_VARIABLE
from playground.store.records import LOCAL
from playground.tuning.panel import Panel
from playground.tuning.runs import TuningStore, kept_texts
from playground.ui.room_page import asking, gate
from playground.ui.tune_page import judge as judge_tab
from playground.ui.tune_page.judge import JudgeView
from playground.ui.tune_page.judge_gate import entries, wrong_links
from playground.ui.tune_page.judge_results import LeftOut
from tests.tuning.test_runs import begun, plan_of
from tests.ui.conftest import Opened
from tests.ui.test_tune_page import open_tune

EXAMPLES = [{"prompt": f"number {place}"} for place in range(6)]


@pytest.fixture
def tuning(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """One that is written to the end, in this visitor's store."""
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    wrong_links.cache_clear()
    entries.cache_clear()
    plan, store = plan_of(examples=EXAMPLES), TuningStore(LOCAL)
    writer = begun(store, plan)
    list(kept_texts(FakeEngine(), plan, writer, written={}))
    return writer.tuning


def show(open_app: Callable[..., Opened], tuning: str, view: str) -> Opened:
    app = open_tune(open_app, "Judge", tuning=tuning)
    app.put(JudgeView(view))
    app.run()
    assert not app.errors
    return app


@pytest.mark.parametrize("tab", ["Judge", "Decision"])
def test_what_is_not_written_yet_is_said(
    open_app: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tab: str
) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    writer = begun(TuningStore(LOCAL), plan_of(examples=EXAMPLES))
    app = open_tune(open_app, tab, tuning=writer.tuning)
    assert (
        not app.errors and ("Nothing to judge yet" if tab == "Judge" else "No prompt has been answered") in app.texts()
    )
    assert "needs a plan that was run" not in app.texts() and "judged all pairs" not in app.texts()


def test_the_pair_names_no_setting_and_the_votes_say_what_they_say(
    open_app: Callable[..., Opened], tuning: str
) -> None:
    app = show(open_app, tuning, "Judge")
    shown = app.component(f"judge_pair_{tuning[:12]}")
    assert len(shown["pairs"]) > 1 and set(shown["pairs"][0]) == {"id", "prompt", "system", "left", "right"}
    assert not any(word in str(shown) for word in ("today", "cold", "control"))
    assert "more would settle today vs cold" in app.texts()

    panel = Panel(tuning, LOCAL)
    for judge in ("ann", "bob"):
        panel.admit(judge, judge.title(), judge)
        for question in panel.turn(judge, 12).questions:
            panel.vote(judge, question, "left" if judge == "bob" or question.unit.example % 2 else "tie")
    app = show(open_app, tuning, "What the votes say")
    shown_text = app.texts()
    assert "Two judges said the same" in shown_text and "73%" in shown_text and "confidence sequences" in shown_text
    assert {
        row["Judge"] if "Judge" in row else row["name"] for row in app.at.dataframe[1].value.to_dict("records")
    } == {
        "Ann",
        "Bob",
    }
    before = int(shown_text.split(" votes;")[0].split()[-1])
    app.put(LeftOut(tuning, ("bob",)))
    app.run()
    assert int(app.texts().split(" votes;")[0].split()[-1]) < before


def test_a_judge_by_link_sees_pairs_and_nothing_else(open_app: Callable[..., Opened], tuning: str) -> None:
    token = Panel(tuning, LOCAL).new_link()
    app = open_app({"judge": token}, run=False)
    app.at.run()
    app.at.text_input(key="judge_nickname").set_value("  Änne ")
    app.at.button[0].click()
    app.at.run()
    app.at.run()
    assert not app.at.exception and not app.errors and not app.at.sidebar.markdown and not app.at.tabs
    (component,) = app.at.get("bidi_component")
    assert component.key == f"judge_pair_{tuning[:12]}"
    assert "the pair at hand" in app.texts() and "cold" not in app.texts()
    assert [judge.nickname for judge in Panel(tuning, LOCAL).judges().values()] == ["Änne"]


def test_a_wrong_link_is_one_sentence_and_many_are_too_many(open_app: Callable[..., Opened], tuning: str) -> None:
    for number in range(12):
        app = open_app({"judge": f"wrong {number}"}, run=False)
        app.at.run()
        (problem,) = app.errors
        assert ("Too many wrong links" in problem) == (number >= 10) or "not valid any more" in problem
        assert not app.at.get("bidi_component")


def test_the_link_is_made_replaced_and_revoked(open_app: Callable[..., Opened], tuning: str) -> None:
    app = show(open_app, tuning, "Judges by link")
    app.at.button(key="judge_make").click()
    app.run()
    token = Panel(tuning, LOCAL).link()
    assert token and f"/?judge={token}" in app.at.code[0].value
    app.at.button(key="judge_revoke").click()
    app.run()
    assert Panel(tuning, LOCAL).link() is None


def test_the_model_is_asked_and_told_apart_from_the_votes(open_app: Callable[..., Opened], tuning: str) -> None:
    app = show(open_app, tuning, "A model as judge")
    app.at.button(key="judge_ask_model").click()
    app.run()
    shown_text = app.texts()
    assert "12 pairs read" in shown_text and "people have decided nothing that it has read" in shown_text
    panel = Panel(tuning, LOCAL)
    assert len(panel.opinions()) == 12 and not panel.judgements()
    assert app.at.button(key="judge_ask_model").disabled


def test_a_tuning_that_is_gone_is_one_sentence(open_app: Callable[..., Opened], tuning: str) -> None:
    TuningStore(LOCAL).delete(tuning)
    app = open_tune(open_app, "Judge", tuning=tuning)
    assert len(app.errors) <= 1 and not app.at.get("bidi_component") or "no such tuning" in "".join(app.errors)


def test_a_room_is_asked_about_a_pair_and_its_votes_count(
    open_app: Callable[..., Opened], monkeypatch: pytest.MonkeyPatch, tuning: str
) -> None:
    monkeypatch.setenv(ROOM_VARIABLE, "1")
    for module in (asking, gate, judge_tab):
        monkeypatch.setattr(module, "visitor_id", lambda: "lena")
    room = present_room()
    assert room is not None
    room.lead("lena", room.leader_ticket(room.secret))
    room.join("anna", room.view().code, "Anna")
    app = show(open_app, tuning, "Judges by link")
    app.at.button(key="judge_ask_room").click()
    app.run()
    hub = asking.question_hub(room)
    on_stage = hub.stage().question
    assert on_stage is not None and isinstance(on_stage.about, Better) and not app.errors
    hub.answer("anna", on_stage.id, Voted("first", "first"))
    hub.close("lena", on_stage.id)
    app = show(open_app, tuning, "What the votes say")
    assert "1 vote;" in app.texts() and "1 of the votes are a room's" in app.texts()
