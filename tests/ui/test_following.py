"""Showing and following without a browser: the leader's page is told, those who follow open it, who moves leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType

import pytest

from pages import PAGES
from playground.engine.api import Attention
from playground.engine.fake.engine import FakeEngine, fake_info
from playground.engine.pieces import finish
from playground.generation.document import origin_of
from playground.room.hub.room import Room
from playground.room.lesson import SHIPPED, read_lesson
from playground.room.present import present_room
from playground.room.questions.types import Guess
from playground.sampling.settings import SamplerSettings
from playground.state.best_of_n import BestOfNState
from playground.state.generate import GenerateState
from playground.state.inside import InsideState
from playground.state.sampling import Pins, SamplingState
from playground.state.setup import Setup
from playground.state.tune import TuneState
from playground.tuning.plan import read_plan
from playground.tuning.runs import TuningStore, kept_texts
from playground.ui import visitor
from playground.ui.best_of_n_page import sections
from playground.ui.best_of_n_page.session import BestOfNSession, ModelSession
from playground.ui.following import plain_link
from playground.ui.generate_page import actions
from playground.ui.generate_page.session import GenerateSession, _Sessions
from playground.ui.kit import session
from playground.ui.kit.wake import Beside
from playground.ui.room_page.asking import question_hub
from playground.ui.workspace import room as woken_by
from tests.ui.conftest import Opened

OpenApp = Callable[..., Opened]


class Tab:
    """One browser of the room: whose it is stands before each of its runs."""

    who = ""

    def __init__(self, app: Opened, name: str) -> None:
        self.app, self.name = app, name

    def run(self) -> Opened:
        Tab.who = self.name
        return self.app.run()

    def go(self, page: str) -> Opened:
        self.app.at.switch_page(f"../../pages/{page}.py")
        return self.run()

    @property
    def page(self) -> str:
        return str(self.app.at.title[0].value)


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Room:
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))
    monkeypatch.setenv("PLAYGROUND_ROOM", "1")
    monkeypatch.setattr(visitor, "session_id", lambda: Tab.who)  # a tab without a cookie is named by its session
    found = present_room()
    assert found is not None
    found.lead("lena", found.leader_ticket(found.secret))
    for name in ("ada", "bo"):
        found.join(name, found.view().code, name)
    return found


@pytest.fixture
def tab(room: Room, open_app: OpenApp) -> Callable[..., Tab]:
    def tab(name: str, **query: str) -> Tab:
        opened = Tab(open_app(query, run=False), name)
        opened.run()
        return opened

    return tab


Tabs = Callable[..., Tab]


def test_who_follows_sees_prompt_settings_page_tab_and_text(room: Room, tab: Tabs) -> None:
    leader = tab("lena", prompt="the cat", temperature="0.5", view="pipeline")
    ada = tab("ada")  # comes late
    assert ada.app.state(Setup) == leader.app.state(Setup)
    assert (
        ada.app.state(Setup).settings.temperature == 0.5 and ada.app.at.session_state["sampling_section"] == "Pipeline"
    )
    leader.app.at.slider(key="w_temperature").set_value(1.3)
    leader.run(), ada.run()
    assert ada.app.state(Setup).settings.temperature == 1.3
    leader.go("generate")
    ada.run()
    assert ada.page == "Generate" and ada.app.state(GenerateState) == leader.app.state(GenerateState)


@pytest.fixture
def wakes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Who was woken, by name, in order."""
    woken: list[str] = []
    monkeypatch.setattr(woken_by, "rerunner", lambda _key, _every, _beside: partial(woken.append, Tab.who))
    return woken


def test_a_move_while_a_follower_s_page_opens_is_not_lost(
    room: Room, tab: Tabs, wakes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tab("lena", prompt="the cat")
    moved = iter([True])

    def move() -> None:
        if next(moved, False):
            room.show("lena", "/sampling?prompt=the+cat&temperature=0.5")

    wakes.clear()
    monkeypatch.setattr("playground.ui.frame.let_go_of_unnamed", move)
    ada = tab("ada")  # set up as the leader's page was, and not listening yet
    assert ada.app.state(Setup).settings.temperature == 1.0 and "ada" in wakes
    wakes.clear()
    ada.run()
    assert ada.app.state(Setup).settings.temperature == 0.5 and not wakes


def test_a_move_is_one_run_the_parts_of_the_open_page_or_the_whole_of_another(
    room: Room, tab: Tabs, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: dict[str, Callable[[], Beside]] = {}
    monkeypatch.setattr(
        woken_by, "rerunner", lambda _key, _every, beside: runs.update({Tab.who: beside}) or (lambda: None)
    )
    leader, ada = tab("lena", prompt="the cat"), tab("ada")
    assert runs["ada"]() == Beside()  # it is where the leader is
    leader.app.at.slider(key="w_temperature").set_value(1.3)
    leader.run()
    assert {"pictures", "controls"} <= set(runs["ada"]().parts) and runs["lena"]() == Beside()
    leader.go("scale_laws")
    assert runs["ada"]() == Beside(page="scale_laws")
    room.follow("ada", False)
    assert runs["ada"]() == Beside()
    room.follow("ada", True)
    ada.go("scale_laws")
    leader.go("sampling")
    assert runs["ada"]() == Beside(page="")


def test_who_was_away_as_the_leader_moved_is_told_of_the_next_move(
    room: Room, tab: Tabs, wakes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tab("lena", prompt="the cat")
    ada = tab("ada")
    here = [False]
    monkeypatch.setattr(woken_by, "is_alive", lambda _tab: here[0])
    for temperature, told in (("0.5", False), ("0.6", False), ("0.7", True)):
        wakes.clear()
        room.show("lena", f"/sampling?temperature={temperature}")
        assert ("ada" in wakes) is told
        if temperature == "0.6":
            here[0] = True
            ada.run()  # the connection is there again


def test_a_cell_of_another_text_is_followed_with_its_text(room: Room, tab: Tabs) -> None:
    leader, ada = tab("lena", prompt="the cat"), tab("ada")
    for one in (leader.go("inside"), ada.go("inside")):
        assert one.component("lens_grid")["tokens"]
    leader.app.put(replace(leader.app.state(Setup), prompt="hello"))
    leader.run()
    leader.app.put(replace(leader.app.state(InsideState), depth=1, position=2))
    leader.run(), ada.run()
    assert ada.app.state(Setup).prompt == "hello" and ada.app.state(InsideState) == leader.app.state(InsideState)
    assert ada.app.state(InsideState).position == 2
    ada.app.at.text_area(key="w_prompt").set_value("another")
    ada.run()
    assert ada.app.state(InsideState).position is None


def test_on_a_page_that_the_engine_cannot_feed_a_follower_is_told_so_and_comes_along_to_the_next(
    room: Room, tab: Tabs, engine: FakeEngine
) -> None:
    engine._facets = engine.facets - {Attention}
    leader, ada = tab("lena", prompt="the cat"), tab("ada")
    leader.go("attention"), ada.run()
    assert ada.page == "Attention" and set(ada.app.errors) == set(leader.app.errors) and ada.app.errors
    member = room.member("ada")
    assert member is not None and member.following and ada.app.at.button(key="leave_leader")
    leader.go("sampling"), ada.run()
    assert ada.page == "Sampling" and ada.app.bars["rows"] and not ada.app.errors


def test_a_leader_s_tuning_is_hers_and_who_follows_comes_along_all_the_same(
    room: Room, tab: Tabs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_SHARED", "1")
    fields = {"examples": [{"prompt": "a"}], "settings": {"b": {}, "c": {"top_k": 2}}, "max_new_tokens": 2}
    plan, store = read_plan(fields, lambda name: ()), TuningStore("lena")
    writer = store.take_up(store.start(plan, origin_of(fake_info()), "Hers"))
    assert writer is not None
    finish(kept_texts(FakeEngine(), plan, writer, known={}))
    leader, ada = tab("lena"), tab("ada")
    leader.go("tune")
    leader.app.put(TuneState(tuning=writer.tuning))
    for section in ("Results", "Judge", "Decision", "Plan"):
        leader.app.held["tune_section"] = section
        for _ in range(2):
            leader.run(), ada.run()
            member = room.member("ada")
            assert member is not None and member.following and ada.page == "Tune", section
            assert ada.app.at.session_state["tune_section"] == section
        assert not leader.app.errors and "Hers" not in ada.app.texts()
    assert leader.app.state(TuneState).tuning == writer.tuning


def text_of(tab: Tab) -> GenerateSession:
    found = tab.app.state(_Sessions)["write", "fake"]
    assert isinstance(found, GenerateSession)
    return found


def run_of(tab: Tab) -> ModelSession:
    return tab.app.state(BestOfNSession).of_model("fake")


def counted(monkeypatch: pytest.MonkeyPatch, where: ModuleType, name: str) -> list[str]:
    """Grows with each call of that function from now on."""
    calls, function = list[str](), getattr(where, name)

    def call(*given: object, **named: object) -> object:
        calls.append(name)
        return function(*given, **named)

    monkeypatch.setattr(where, name, call)
    return calls


def together(*tabs: Tab, work: Callable[[Tab], GenerateSession | ModelSession] = text_of) -> None:
    """Look in as the browsers' timers would, the leader first, until her work is there for all."""
    for _ in range(200):
        for one in tabs:
            one.run()
        if not any(work(one).busy for one in tabs):
            return
    raise AssertionError("not written to its end")


def test_the_model_writes_a_leader_s_text_once_and_all_see_it(
    room: Room, tab: Tabs, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = counted(monkeypatch, actions, "start_texts")
    leader, ada, bo = tab("lena", new="6", ignore_eos="1"), tab("ada"), tab("bo")
    leader.app.put(Pins({"B": SamplerSettings(temperature=0.5, top_k=3)}))
    leader.app.put(GenerateState(max_new_tokens=6, ignore_eos=True))
    leader.go("generate")
    together(leader, ada, bo)
    for seed in (0, 1):
        assert len(asked) == seed + 1
        for one in (ada, bo):
            assert one.page == "Generate" and text_of(one).run is text_of(leader).run
            assert text_of(one).tree == text_of(leader).tree and len(text_of(one).tree.path(seed)) == 6
            assert one.app.state(Pins) == leader.app.state(Pins) != {}
            assert not one.app.errors and not one.app.texts().count("edited or cut off")
        leader.app.put(leader.app.state(Setup).change(seed=1))  # nothing new is written for it
        leader.run(), ada.run(), bo.run()
        assert len(asked) == seed + 1
        if not seed:
            leader.app.at.button(key="generate").click()
            together(leader, ada, bo)
    text_of(leader).selected = 3
    leader.run(), ada.run()
    assert text_of(ada).selected == 3 and ada.app.component("generate_strip")["selected"] >= 3

    ada.app.at.button(key="leave_leader").click()
    ada.run()
    ada.app.at.button(key="generate").click()  # the same seed: it is there
    together(ada)
    ada.app.put(ada.app.state(Setup).change(seed=9))
    ada.app.at.button(key="generate").click()
    together(ada)
    assert len(asked) == 3 and len(text_of(ada).tree.branches) == 3 and len(text_of(leader).tree.branches) == 2
    ada.app.at.button(key="follow_leader").click()
    ada.run()
    assert text_of(ada).tree == text_of(leader).tree and len(asked) == 3


def test_a_leader_s_candidates_are_written_once_and_seen_by_all(
    room: Room, tab: Tabs, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = counted(monkeypatch, sections, "start_run")
    leader, ada = tab("lena"), tab("ada")
    for seed in (0, 7):
        leader.app.put(leader.app.state(Setup).change(seed=seed))
        if seed:
            leader.app.at.button(key="bon_run").click()
        else:
            leader.go("best_of_n")
        together(leader, ada, work=run_of)
        assert ada.page == "Best-of-N" and not ada.app.errors
        assert run_of(ada).run is run_of(leader).run and len(run_of(ada).run.candidates) == BestOfNState().n
        assert len(asked) == (2 if seed else 1)
    hers, run = run_of(leader), run_of(leader).run
    hers.opened = 2
    leader.run(), ada.run()
    assert run_of(ada).opened == 2

    ada.app.at.button(key="leave_leader").click()
    ada.run()
    ada.app.put(ada.app.state(Setup).change(seed=9))
    ada.app.at.button(key="bon_run").click()
    together(ada, work=run_of)
    assert (
        len(asked) == 3 and hers.run is run and run_of(ada).run is not run and len(run.candidates) == BestOfNState().n
    )


def test_what_the_leader_shows_is_kept_in_a_lesson_as_a_link_alone() -> None:
    assert plain_link("/generate?prompt=a+b&seed=1&shown=abc.1.0.1..0&pinned=%7B%7D") == "/generate?prompt=a+b&seed=1"


def test_what_the_leader_puts_back_to_its_default_goes_back_for_all(room: Room, tab: Tabs) -> None:
    leader, ada = tab("lena", temperature="0.5", rows="30", view="pipeline"), tab("ada")
    assert ada.app.state(SamplingState).rows == 30
    leader.app.put(SamplingState())
    leader.app.at.slider(key="w_temperature").set_value(1.0)
    leader.app.at.session_state["sampling_section"] = "Bars"
    leader.run(), ada.run()
    assert ada.app.state(SamplingState).rows == SamplingState().rows
    assert ada.app.state(Setup).settings.temperature == 1.0 and ada.app.at.session_state["sampling_section"] == "Bars"


def test_who_moves_something_looks_for_herself_until_she_asks_to_follow(room: Room, tab: Tabs) -> None:
    leader, ada = tab("lena"), tab("ada")
    ada.app.at.slider(key="w_temperature").set_value(0.3)
    ada.run()
    member = room.member("ada")
    assert member is not None and not member.following
    leader.go("glossary")
    ada.run()
    assert ada.page == "Sampling" and ada.app.at.button(key="follow_leader").label == "Follow the leader"
    ada.app.at.button(key="follow_leader").click()
    ada.run()
    assert ada.page == "Glossary"
    ada.app.at.button(key="leave_leader").click()
    leader.go("sampling")
    ada.run()
    assert ada.page == "Glossary"


def test_a_value_that_a_slow_browser_sends_back_is_no_move(
    room: Room, tab: Tabs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timer that ticks before the browser has heard of the leader's move sends what its widgets showed before."""
    leader, ada = tab("lena", temperature="0.5"), tab("ada")
    leader.app.at.slider(key="w_temperature").set_value(1.3)
    leader.run(), ada.run()
    ada.app.at.slider(key="w_temperature").set_value(0.5)
    ada.run()
    assert _follows(room, "ada") and ada.app.state(Setup).settings.temperature == 1.3
    monkeypatch.setattr(session, "ECHO_S", 0.0)  # later it is her own
    leader.app.at.slider(key="w_temperature").set_value(1.4)
    leader.run(), ada.run()
    ada.app.at.slider(key="w_temperature").set_value(1.3)
    ada.run()
    assert not _follows(room, "ada") and ada.app.state(Setup).settings.temperature == 1.3


def _follows(room: Room, visitor_name: str) -> bool:
    member = room.member(visitor_name)
    return member is not None and member.following


def test_the_leader_calls_back_who_looks_for_herself(room: Room, tab: Tabs) -> None:
    leader, ada = tab("lena"), tab("ada")
    ada.app.at.button(key="leave_leader").click()
    ada.run(), leader.run()
    leader.app.at.button(key="call_back").click()
    leader.run(), ada.run()
    back = ada.app.at.button(key="follow_leader")
    assert back.label == "The leader calls: follow" and ada.page == "Sampling"
    back.click()
    ada.run(), leader.run()
    assert "call_back" not in [button.key for button in leader.app.at.button]


def test_another_page_by_the_sidebar_is_a_move_too(room: Room, tab: Tabs) -> None:
    tab("lena")
    ada, bo = tab("ada"), tab("bo")
    ada.go("scale_laws")
    members = [room.member("ada"), room.member("bo")]
    assert [one is not None and one.following for one in members] == [False, True] and bo.page == "Sampling"


def test_a_leader_who_is_gone_leaves_the_page_standing(room: Room, tab: Tabs) -> None:
    tab("lena", prompt="still here")
    room.leave("lena")
    assert tab("ada").app.state(Setup).prompt == "still here"


def test_who_has_not_joined_shows_nothing(room: Room, tab: Tabs) -> None:
    stranger = Tab(tab("lena", prompt="shown").app, "stranger")
    stranger.go("glossary")
    shown = room.view().shown
    assert shown is not None and "prompt=shown" in shown.link and stranger.page == "Join the room"


def test_a_second_tab_of_the_leaders_takes_nothing_back(room: Room, tab: Tabs) -> None:
    first, second = tab("lena", prompt="one"), tab("lena", prompt="two")
    first.run()
    shown = room.view().shown
    assert shown is not None and "prompt=two" in shown.link and second.page == "Sampling"


def test_a_lesson_goes_forth_and_back_for_all(room: Room, tab: Tabs) -> None:
    room.put_lesson("lena", SHIPPED["sampling"].read_text(encoding="utf-8"))
    leader, ada = tab("lena"), tab("ada")
    stage = question_hub(room)
    leader.app.at.button(key="lesson_forth").click()
    leader.run(), ada.run()
    asked = stage.current()
    assert asked is not None and asked.question.about == Guess("My favourite thing is", rounds=2), "before its bars"
    assert [leader.page, ada.page, room.view().step] == ["Room", "Room", 1]
    leader.app.at.button(key="lesson_page").click()
    leader.run(), ada.run()
    assert [leader.page, ada.page] == ["Sampling"] * 2 and ada.app.state(Setup).prompt == "My favourite thing is"
    for place in (2, 1, 0):
        leader.app.at.button(key="lesson_forth" if place > room.view().step else "lesson_back").click()
        leader.run(), ada.run()
        assert [ada.page, room.view().step] == ["Sampling", place]
        assert ada.app.state(Setup) == leader.app.state(Setup)
    assert stage.current() == asked
    leader.app.at.button(key="lesson_forth").click()
    leader.run()
    assert "A question is on already" in leader.app.errors[0]
    leader.app.at.button(key="lesson_forth").click()
    leader.run(), ada.run()
    assert ada.app.state(Setup).settings.temperature == 1.5 and "Watch the row of the others" in ada.app.texts()
    assert ada.app.errors == [] and "20% raw and 68%" in ada.app.texts()  # the experiment's note


def test_the_leader_chooses_a_lesson_opens_a_step_and_adds_the_page_shown(room: Room, tab: Tabs) -> None:
    leader, ada = tab("lena", prompt="added"), tab("ada")
    leader.go("room")
    leader.app.hold(room_section="Lesson")
    leader.run()
    leader.app.at.button(key="lesson_attention").click()
    leader.run()
    assert room.view().lesson == SHIPPED["attention"].read_text(encoding="utf-8")
    leader.app.at.button(key="lesson_down_0").click()
    leader.run()
    leader.app.at.text_input(key="lesson_say").set_value("<b>Mine</b>")
    leader.app.at.selectbox(key="lesson_kind").set_value("guess")
    next(one for one in leader.app.at.button if one.label == "Add this step").click()
    leader.run()
    lesson = read_lesson(room.view().lesson, ["", *PAGES])
    shown = room.view().shown
    assert [step.link for step in lesson.steps[:2]] == ["/attention?try=sink", "/attention?try=it"]
    assert shown is not None and lesson.steps[-1].link == shown.link and lesson.steps[-1].say == "<b>Mine</b>"
    room.go("lena", 4)
    leader.run()
    leader.app.at.button(key="lesson_up_4").click()
    leader.run()
    assert room.view().step == 3, "the step under way stays under way"
    leader.app.at.text_area[3].set_value("Another sentence")
    next(one for one in leader.app.at.button if "lesson_change_3" in one.proto.form_id).click()
    leader.run()
    changed = read_lesson(room.view().lesson, ["", *PAGES]).steps[3]
    assert (changed.say, room.view().step) == ("Another sentence", 3)
    leader.app.at.button(key="lesson_end").click()
    leader.run()
    assert room.view().lesson == "" and "No lesson is chosen" in leader.app.texts()
    leader.app.at.button(key="lesson_undo").click()
    leader.run()
    assert "Another sentence" in room.view().lesson and room.view().step == 3
    leader.app.at.button(key="lesson_open_5").click()
    leader.run()
    ada.run()
    assert ada.page == "Inside the model" and room.view().step == 5
