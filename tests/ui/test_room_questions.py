"""The room's questions on a page: a leader and participants, each with a tab of their own, on one hub."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.testing.v1 import AppTest

from pages import PAGES
from playground.engine.fake.codec import FakeCodec
from playground.engine.fake.engine import FakeEngine
from playground.errors import BadInput
from playground.room.hub.room import Room
from playground.room.present import ROOM_VARIABLE, present_room
from playground.room.questions.types import Better, Guess, Guessed, LessonQuestion, Moved, Temperature, Voted
from playground.store.place import DATA_VARIABLE
from playground.ui import runtime
from playground.ui.kit import jobs
from playground.ui.room_page import asking
from playground.ui.room_page.questions import start_question
from tests.ui.conftest import RUN_S

HOSTILE = "<img src=x onerror=alert(1)> **bold**"


def page() -> None:
    """What the Room page draws of it."""
    from playground.ui.kit.fragments import set_parts
    from playground.ui.room_page.questions import question_part

    set_parts("room:question")
    question_part()


class Tab:
    """One visitor's."""

    def __init__(self, visitor: str) -> None:
        self.at = AppTest.from_function(page, default_timeout=RUN_S)
        self.at.session_state["me"] = visitor
        self.run()

    def run(self) -> Tab:
        self.at.run()
        assert not self.at.exception, [error.message for error in self.at.exception]
        return self

    def press(self, label: str) -> Tab:
        buttons = [button for button in self.at.button if button.label == label]
        assert buttons, f"no button {label!r} among {[button.label for button in self.at.button]}"
        buttons[0].click()
        return self.run()

    def labels(self) -> list[str]:
        return [button.label for button in self.at.button]

    def said(self) -> str:
        texts = [
            *self.at.markdown,
            *self.at.caption,
            *self.at.info,
            *self.at.success,
            *self.at.error,
            *self.at.subheader,
        ]
        return "\n".join(str(element.value) for element in texts)

    def written(self) -> str:
        """What goes to the browser as HTML."""
        return "\n".join(str(element.proto.body) for element in self.at.get("html"))

    def sent(self) -> str:
        """Everything that the browser was told."""
        return "\n".join(str(element.proto) for element in self.at.main)


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def room(monkeypatch: pytest.MonkeyPatch, engine: FakeEngine, tmp_path: Path) -> Iterator[Room]:
    """An open room with a leader and three who have joined. Store and pool are new ones for each test."""
    monkeypatch.setenv(ROOM_VARIABLE, "1")
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))
    monkeypatch.setattr(jobs, "PATIENCE_S", 30.0)
    monkeypatch.setattr(runtime, "_open_engine", lambda choice, progress: engine)
    monkeypatch.setattr(asking, "visitor_id", lambda: st.session_state["me"])
    runtime.close_pool()
    opened = present_room()
    assert opened is not None
    opened.lead("lena", opened.leader_ticket(opened.secret))
    for visitor in ("anna", "bert", "carl"):
        opened.join(visitor, opened.view().code, visitor.title())
        opened.note_tab(visitor, f"tab of {visitor}")
    yield opened
    runtime.close_pool()


def hub(room: Room) -> Any:  # noqa: ANN401 - of the page's own module
    return asking.question_hub(room)


def ask_guess(leader: Tab, prompt: str = "The capital of France is", real: str = "Paris") -> Tab:
    leader.at.text_area[0].input(prompt)
    leader.at.text_input[0].input(real)
    return leader.press("Ask the room")


def guess(tab: Tab, word: str) -> Tab:
    tab.at.text_input[0].input(word)
    return tab.press("Send my guess")


def test_a_guess_goes_from_asking_to_the_next_round(room: Room, engine: FakeEngine) -> None:
    leader, anna, bert = Tab("lena"), Tab("anna"), Tab("bert")
    assert "Nothing is asked" in anna.said()
    ask_guess(leader)
    assert "0 of 3 have answered" in leader.said()
    guess(anna.run(), "Paris")
    assert "counted as its first token **␣Paris**" in anna.said().replace("\\", "")
    guess(guess(bert.run(), "London"), "Londinium")
    assert "2 of 3 have answered" in leader.run().said()

    assert engine.calls == [], "the model was asked before the reveal"
    leader.press("Reveal")
    assert len(engine.calls) == 1
    for tab in (leader, anna.run(), bert.run()):
        assert {metric.label for metric in tab.at.metric} >= {"Room's perplexity", "Model's perplexity", "Room right"}
        assert "29% of the time" in tab.said()
    assert "Your guess **␣Paris**" in anna.said() and "Your guess" not in leader.said()
    assert "Send my guess" not in anna.labels()

    leader.press("Next round")
    assert leader.at.session_state["me"] == "lena" and "round 2" in leader.said()
    assert hub(room).current().question.about.prompt == "The capital of France is Paris"
    leader.press("Reveal").press("Finish")
    assert "Nothing is asked" in anna.run().said()
    assert len(hub(room).rounds()) == 2


def test_before_the_reveal_no_browser_is_told_what_the_model_says(room: Room, engine: FakeEngine) -> None:
    """Neither the participants' nor the leader's, in whatever state of the question."""
    leader, anna = Tab("lena"), Tab("anna")
    ask_guess(leader)
    guess(anna.run(), "London")
    leader.press("Close")
    sent = leader.run().sent() + anna.run().sent()
    assert engine.calls == []
    leader.press("Reveal")
    likeliest = [FakeCodec().piece(token.id) for token in hub(room).current().question.result.top]
    unseen = [piece for piece in likeliest if len(piece) > 2 and piece not in (" London", " Paris")]
    assert unseen and not [piece for piece in unseen if json.dumps(piece)[1:-1] in sent]
    assert "perplexity" not in sent.lower() and "entropy" not in sent.lower()


def test_the_leader_sees_who_has_not_answered_opens_again_and_sets_a_timer(room: Room) -> None:
    leader, anna = Tab("lena"), Tab("anna")
    ask_guess(leader)
    guess(anna.run(), "Paris")
    room.leave("carl")
    assert "1 of 2 have answered" in leader.run().said() and "Bert" in leader.said()
    assert not [name for name in ("Anna", "Carl") if name in leader.said()]

    leader.press("Close")
    assert "Closed" in anna.run().said()
    leader.press("Open again")
    guess(anna.run(), "London")
    assert "Your guess: **␣London**" in anna.said()

    leader.press("1 min")
    assert 50 < hub(room).seconds_left() <= 60
    assert "room_countdown" in anna.run().sent() and "Stop the timer" in leader.run().labels()
    leader.press("Stop the timer")
    assert hub(room).seconds_left() is None and "room_countdown" not in anna.run().sent()
    leader.press("Discard")
    assert hub(room).rounds() == ()


def test_a_reveal_before_any_answer_asks_once_more(room: Room) -> None:
    leader, anna = Tab("lena"), Tab("anna")
    ask_guess(leader)
    assert "Nobody has answered yet" in leader.said()
    guess(anna.run(), "Paris")
    assert "Nobody has answered yet" not in leader.run().said()


def test_words_to_pick_from_are_buttons(room: Room) -> None:
    leader, anna = Tab("lena"), Tab("anna")
    leader.at.text_area[0].input("It is")
    leader.at.text_input[1].input("cold, warm, cold,")
    leader.press("Ask the room")
    assert {"cold", "warm"} <= set(anna.run().labels())
    anna.press("warm")
    assert hub(room).answer_of("anna").given == Guessed(" warm")


@pytest.mark.parametrize("word", ["", "m" * 10_000, " \u202e "])
def test_a_guess_that_is_none_is_refused_in_a_sentence(room: Room, word: str) -> None:
    hub(room).ask("lena", Guess("It is"))
    anna = guess(Tab("anna"), word)
    assert len(anna.at.error) == 1 and anna.at.error[0].value.endswith(".")
    assert hub(room).stage().answered == 0
    assert not guess(anna, "cold").at.error


def test_another_name_in_mid_vote_keeps_the_vote_and_a_second_place_gives_no_second_one(room: Room) -> None:
    asked = hub(room).ask("lena", Better("Why?", ("one", "two")))
    leader, anna = Tab("lena"), Tab("anna").press("A is better")
    room.rename("anna", "Zoë")
    assert "1 of 3 have answered" in leader.run().said() and "Zo" not in leader.said()
    assert "Your vote is in" in anna.run().said()
    room.leave("anna")
    anna.press("B is better")  # the page of before
    assert "Join the room first" in anna.said()
    room.join("anna", room.view().code, "Anna again")
    assert "Your vote is in" in anna.run().said()
    anna.press("B is better")
    (answer,) = hub(room).current().answers
    assert answer.given.winner != answer.given.left and hub(room).current().question.id == asked.id


def test_an_answer_that_comes_late_is_refused_in_a_sentence(room: Room) -> None:
    asked = hub(room).ask("lena", Guess("It is"))
    anna, bert = Tab("anna"), Tab("bert")
    hub(room).close("lena", asked.id)
    guess(anna, "cold")  # the page of before
    assert "came after the end" in anna.said()
    hub(room).discard("lena", asked.id)
    guess(bert, "cold")
    assert "is gone" in bert.said().replace("\\", "")
    stranger = Tab("stranger")
    hub(room).ask("lena", Guess("It is"))
    guess(stranger.run(), "cold")
    assert "Join the room first" in stranger.said()


def test_what_strangers_type_is_shown_as_text(room: Room) -> None:
    leader, anna = Tab("lena"), Tab("anna")
    ask_guess(leader, HOSTILE, "שלום")
    guess(anna.run(), "<b>x</b>")
    leader.press("Reveal")
    for tab in (leader, anna.run()):
        assert not [mark for mark in ("<img", "<b>x") if mark in tab.said() + tab.written()]
        assert "&lt;img" in tab.written()


def test_answers_are_compared_on_shuffled_sides(room: Room) -> None:
    leader = Tab("lena")
    leader.at.segmented_control[0].set_value("better")
    leader.run()
    leader.at.segmented_control[1].set_value("Typed texts")
    leader.run()
    for place, text in enumerate(("one", HOSTILE, "three")):
        leader.at.text_area[place].input(text)
    leader.press("Ask the room")
    voters = [Tab(name) for name in ("anna", "bert", "carl")]
    for tab in voters:
        tab.press("A is better").press("B is better")
        assert "<img" not in tab.written() and "&lt;img" in tab.written()
    current = hub(room).current()
    assert {answer.visitor for answer in current.answers} == {"anna", "bert", "carl"}
    for answer in current.answers:
        assert isinstance(answer.given, Voted) and answer.given.winner != answer.given.left, "B stood on the right"

    leader.run().at.toggle[0].set_value(True)
    assert "decided votes" in leader.run().said(), "the leader may look while votes come in"
    assert "decided votes" not in voters[0].run().said()
    leader.press("Reveal")
    assert "decided votes" in voters[0].run().said()
    leader.press("Next pair: Answer 2 and Answer 3")
    assert hub(room).current().question.about.pair == (1, 2)
    voters[0].run().press("A tie")
    leader.press("Reveal")
    assert "4 votes" in leader.said()


def test_the_models_texts_stand_beside_the_rooms_temperatures(room: Room, engine: FakeEngine) -> None:
    leader = Tab("lena")
    leader.at.segmented_control[0].set_value("temperature")
    leader.run().press("Ask the room")
    for visitor, value in (("anna", 0.2), ("bert", 0.9), ("carl", 1.6)):
        tab = Tab(visitor)
        tab.at.slider[0].set_value(value)
        tab.run()
        assert f"{value:.2f}" in tab.said()
    leader.run().press("Reveal")
    result = hub(room).current().question.result
    assert [(text.name, text.temperature) for text in result.texts] == [
        ("lowest", 0.2),
        ("median", 0.9),
        ("highest", 1.6),
    ]
    batches = len(engine.batches)
    anna = Tab("anna")
    assert "Median: 0.90" in anna.said() and "3 settings" in anna.said()
    assert len(engine.batches) == batches == 1, "written once"


def test_a_slider_that_a_slow_browser_still_has_is_no_answer(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """It sends the slider's value once more after the question was closed, or opened again: nobody has moved it."""
    asked = hub(room).ask("lena", Temperature("a poem", "Write."))
    anna, bert = Tab("anna").press("Take 1.00"), Tab("bert")
    before = [(tab, tab.at._tree.get_widget_states().widgets) for tab in (anna, bert)]
    hub(room).close("lena", asked.id)
    for tab, sent in before:
        tab.run()
        sliders = WidgetStates(widgets=[state for state in sent if state.WhichOneof("value") == "double_array_value"])
        assert len(sliders.widgets) == 1 and not tab.at.slider
        monkeypatch.setattr(tab.at._tree, "get_widget_states", lambda states=sliders: states)
    hub(room).reopen("lena", asked.id)
    assert "Take 1.00" in bert.run().labels() and hub(room).answered() == {"anna"}
    hub(room).close("lena", asked.id)
    assert not anna.run().at.error


def test_a_phone_that_slept_through_a_change_is_told_that_it_missed_it(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can wake a part whose connection is lost; the strip's timer looks, and asks for it."""
    missed: list[bool] = []

    def look() -> str:
        missed.append(asking.missed_the_stage(room))
        return "anna"

    monkeypatch.setattr(asking, "visitor_id", look)
    asked = hub(room).ask("lena", Guess("It is"))
    anna = Tab("anna")
    hub(room).answer("bert", asked.id, Guessed(" cold"))
    anna.run()
    assert not any(missed), "not drawn yet; and others' answers are nothing to draw"
    hub(room).close("lena", asked.id)
    missed.clear()
    anna.run()
    assert missed[0]
    missed.clear()
    anna.run()
    assert not any(missed)


def test_of_two_leaders_the_one_who_holds_the_wand_goes_on(room: Room) -> None:
    first, second = Tab("lena"), Tab("lena")
    ask_guess(first)
    ask_guess(second)
    assert "A question is on already" in second.said()
    first.press("Discard")
    second.run()
    room.lead("otto", room.leader_ticket(room.secret))
    ask_guess(second)
    assert "Only the leader" in second.said()
    assert hub(room).current() is None


def test_a_new_process_shows_what_was_answered(room: Room) -> None:
    asked = hub(room).ask("lena", Temperature("a poem", "Write."))
    hub(room).answer("anna", asked.id, Moved(0.4))
    asking._hubs.clear()
    anna = Tab("anna")
    assert anna.at.slider[0].value == 0.4 and "Your setting: **0.40**" in anna.said()
    assert "1 of 3 have answered" in Tab("lena").said()


def test_results_are_kept_and_deleted(room: Room) -> None:
    asked = hub(room).ask("lena", Better("Why?", ("one", "two")))
    hub(room).answer("anna", asked.id, Voted("first", "first"))
    hub(room).finish("lena", asked.id)
    leader = Tab("lena")
    leader.at.session_state["room_kept"] = True
    leader.run()
    assert "1 round · 1 answer" in leader.said()
    assert len(leader.at.get("download_button")) == 3
    leader.press("Delete")
    assert hub(room).rounds() == ()


@pytest.mark.parametrize(
    ("question", "about"),
    [
        (
            LessonQuestion("guess", prompt="It is", rounds=3, real_next="cold", seconds=600),
            Guess("It is", "cold", rounds=3),
        ),
        (LessonQuestion("better", prompt="Why?", answers=("one", "two")), Better("Why?", ("one", "two"))),
        (
            LessonQuestion("better", "Which is warmer?", answers=("one", "two")),
            Better("Which is warmer?", ("one", "two")),
        ),
        (LessonQuestion("temperature", "a poem", "Write."), Temperature("a poem", "Write.")),
    ],
)
def test_a_lessons_question_goes_on_stage(
    room: Room, monkeypatch: pytest.MonkeyPatch, question: LessonQuestion, about: object
) -> None:
    monkeypatch.setattr(asking, "visitor_id", lambda: "lena")
    start_question(question)
    room_page = PAGES["room"]
    assert st.session_state[room_page.section_key] == room_page.sections["questions"].title
    asked = hub(room).current().question
    assert asked.about == about and asked.seconds == question.seconds
    left_s = hub(room).seconds_left()
    assert left_s is None if not question.seconds else 500 < left_s <= question.seconds
    with pytest.raises(BadInput, match="on already"):
        start_question(question)


def test_a_lesson_cannot_choose_a_run(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "visitor_id", lambda: "lena")
    with pytest.raises(BadInput, match="choose the run"):
        start_question(LessonQuestion("better", prompt="Why?"))


def test_without_a_room_the_page_says_how_to_open_one(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ROOM_VARIABLE)
    assert "No room is open" in Tab("anna").said()
