"""What a leader's page has computed is looked at by those who follow: written once, hers, and nobody's else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

import pytest

from playground.engine.fake.engine import FakeEngine, fake_info
from playground.engine.pieces import finish
from playground.generation.document import origin_of
from playground.room.hub.room import Room
from playground.sampling.settings import SamplerSettings
from playground.state.best_of_n import BestOfNState
from playground.state.generate import GenerateState
from playground.state.inside import InsideState
from playground.state.sampling import Pins
from playground.state.setup import Setup
from playground.state.tune import TuneState
from playground.tuning.plan import read_plan
from playground.tuning.runs import TuningStore, kept_texts
from playground.ui.best_of_n_page import sections
from playground.ui.best_of_n_page.session import BestOfNSession, ModelSession
from playground.ui.generate_page import actions
from playground.ui.generate_page.session import GenerateSession, _Sessions
from tests.ui.following.conftest import Tab, Tabs


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


def test_a_leader_s_tuning_is_hers_and_who_follows_comes_along_all_the_same(
    room: Room, tab: Tabs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLAYGROUND_SHARED", "1")
    fields = {"examples": [{"prompt": "a"}], "settings": {"b": {}, "c": {"top_k": 2}}, "max_new_tokens": 2}
    plan, store = read_plan(fields, lambda name: ()), TuningStore("lena")
    writer = store.take_up(store.start(plan, origin_of(fake_info()), "Hers"))
    assert writer is not None
    finish(kept_texts(FakeEngine(), plan, writer, written={}))
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
    work = tab.app.state(_Sessions)["write", "fake"]
    assert isinstance(work, GenerateSession)
    return work


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
