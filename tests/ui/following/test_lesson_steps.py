"""A lesson under way, and a question on stage beside it: the leader's strip, and what those who follow see of both."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from pages import PAGES
from playground.engine.fake.engine import FakeEngine
from playground.room.hub.room import Room
from playground.room.lesson import SHIPPED, read_lesson
from playground.room.questions.types import Given, Guess, Guessed, Moved, Temperature, Voted
from playground.state.setup import Setup
from playground.ui.following import plain_link
from playground.ui.kit.markdown import escape_markdown
from playground.ui.room_page.asking import question_hub
from tests.ui.following.conftest import Tab, Tabs


def test_what_the_leader_shows_is_kept_in_a_lesson_as_a_link_alone() -> None:
    assert plain_link("/generate?prompt=a+b&seed=1&shown=abc.1.0.1..0&pinned=%7B%7D") == "/generate?prompt=a+b&seed=1"


def test_a_lesson_goes_forth_and_back_for_all(room: Room, tab: Tabs) -> None:
    room.put_lesson("lena", SHIPPED["sampling"].read_text(encoding="utf-8"))
    leader, ada = tab("lena"), tab("ada")
    stage = question_hub(room)
    leader.app.at.button(key="lesson_forth").click()
    leader.run(), ada.run()
    asked = stage.current()
    assert asked is not None and asked.question.about == Guess("My favourite thing is", rounds=2), "before its bars"
    assert asked.question.seconds == 60 and 0 < (stage.seconds_left() or 0) <= 60
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
    leader.run(), ada.run()
    assert "a question is on already" in leader.app.errors[0] and room.view().step == 0
    for one in (leader, ada):
        assert one.app.state(Setup).prompt == "The capital of France is", "what is to be guessed is not shown"
    stage.discard("lena", asked.question.id)
    for place in (1, 2):
        leader.app.at.button(key="lesson_forth").click()
        leader.run(), ada.run()
        assert [ada.page, room.view().step] == [("Room", "Sampling")[place - 1], place]
    assert ada.app.state(Setup).settings.temperature == 1.5 and "Watch the row of the others" in ada.app.texts()
    assert ada.app.errors == [] and "20% raw and 68%" in ada.app.texts()  # the experiment's note
    again = stage.stage().question
    assert again is not None
    stage.discard("lena", again.id)  # and its timer


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


ANSWERS: dict[str, Given] = {"guess": Guessed(" a"), "better": Voted("first", "first"), "temperature": Moved(0.5)}


@pytest.mark.parametrize("name", SHIPPED)
def test_a_lesson_is_gone_through_from_start_to_end(room: Room, tab: Tabs, engine: FakeEngine, name: str) -> None:
    """By the leader's buttons, with its questions asked, answered, revealed and finished; one follows all the way."""
    engine._info = replace(engine.info, layers=13, heads=4, kv_heads=2)  # as many as the steps name
    room.put_lesson("lena", SHIPPED[name].read_text(encoding="utf-8"))
    room.go("lena", 1)
    lesson = read_lesson(room.view().lesson, ["", *PAGES])
    leader, ada, stage = tab("lena"), tab("ada"), question_hub(room)
    leader.app.at.button(key="lesson_back").click()  # to the first
    leader.run(), ada.run()
    for place, step in enumerate(lesson.steps):
        if place:
            leader.app.at.button(key="lesson_forth").click()
            leader.run(), ada.run()
        if step.question is not None:
            if step.question.kind != "guess":  # its page is seen first
                leader.app.at.button(key="lesson_ask").click()
                leader.run(), ada.run()
            question = stage.stage().question
            assert question is not None and question.kind == step.question.kind and ada.page == leader.page == "Room"
            stage.answer("ada", question.id, ANSWERS[question.kind])
            press(leader, "Reveal")
            ada.run()
            assert stage.stage().question is not None and not [*leader.app.errors, *ada.app.errors]
            press(leader, "Finish")
            if step.question.kind != "guess":
                leader.app.at.button(key="lesson_back").click()
                leader.run()
                leader.app.at.button(key="lesson_forth").click()
            else:
                leader.app.at.button(key="lesson_page").click()
            leader.run(), ada.run()
        page = PAGES[urlsplit(step.link).path.strip("/")]
        assert (leader.page, ada.page, room.view().step) == (page.title, page.title, place)
        assert escape_markdown(step.say) in ada.app.texts() and not [*leader.app.errors, *ada.app.errors]
    assert room.view().step == len(lesson.steps) - 1 and len(stage.rounds()) == sum(
        step.question is not None for step in lesson.steps
    )


def press(tab: Tab, label: str) -> None:
    """The button of that label, then until what it asked for is drawn."""
    next(button for button in tab.app.at.button if button.label == label).click()
    tab.run(), tab.run()


def test_a_hostile_file_is_one_sentence_and_the_lesson_before_stays(room: Room, tab: Tabs) -> None:
    before = SHIPPED["attention"].read_text(encoding="utf-8")
    room.put_lesson("lena", before)
    stage, leader = question_hub(room), tab("lena")
    asked = stage.ask("lena", Temperature("a poem", "Write."))
    leader.go("room")
    leader.app.hold(room_section="Lesson")
    for file, line in (
        (b"title: a\nsteps: !!python/object/apply:os.system ['id']\n", 2),
        (b"\xff\xfe\x00", 1),
        (b"title: a\nsteps:\n- {link: 'https://evil.example/', say: hi}\n", 3),
    ):
        leader.app.at.file_uploader(key="lesson_file").upload("lesson.yaml", file, "text/yaml")
        leader.run()
        leader.app.at.button(key="lesson_take").click()
        leader.run()
        (said,) = leader.app.errors
        assert said.startswith(f"Line {line} of the lesson") and room.view().lesson == before, said
    good = SHIPPED["sampling"].read_bytes()
    leader.app.at.file_uploader(key="lesson_file").upload("lesson.yaml", good, "text/yaml")
    leader.run()
    leader.app.at.button(key="lesson_take").click()
    leader.run()
    assert room.view().lesson == good.decode() and not leader.app.errors
    assert stage.stage().question == asked, "a lesson in mid-question leaves it on stage"


def keys(tab: Tab) -> set[str | None]:
    return {button.key for button in tab.app.at.button}


def test_what_is_on_stage_stands_in_the_leader_s_strip_and_nothing_else_is_asked(room: Room, tab: Tabs) -> None:
    room.put_lesson("lena", SHIPPED["sampling"].read_text(encoding="utf-8"))
    room.go("lena", 1)
    leader, stage = tab("lena"), question_hub(room)
    assert not leader.app.at.button(key="lesson_ask").disabled and "to_question" not in keys(leader)
    asked = stage.ask("lena", Temperature("a poem", "Write."))
    leader.run()
    assert leader.app.at.button(key="lesson_ask").disabled
    assert leader.app.at.button(key="to_question").label == "On stage: Set the temperature (open)"
    stage.close("lena", asked.id)
    room.put_lesson("lena", SHIPPED["attention"].read_text(encoding="utf-8"))  # another lesson in mid-question
    leader.run()
    assert stage.stage().question is not None and "Walk through the heads" in leader.app.texts()
    way = leader.app.at.button(key="to_question")
    assert way.label == "On stage: Set the temperature (closed)"
    way.click()
    leader.run()
    assert leader.page == "Room" and leader.app.at.session_state["room_section"] == "Questions"
    assert "to_question" not in keys(leader), "it is in view"
    room.put_lesson("lena", SHIPPED["sampling"].read_text(encoding="utf-8"))
    room.go("lena", 1)
    stage.discard("lena", asked.id)
    assert not leader.run().at.button(key="lesson_ask").disabled


def test_who_has_not_answered_is_led_to_the_question_from_any_page_and_back(room: Room, tab: Tabs) -> None:
    leader, ada, bo = tab("lena"), tab("ada"), tab("bo")
    stage = question_hub(room)
    asked = stage.ask("lena", Temperature("a poem", "Write."))  # and the leader looks at another page
    ada.run()
    ada.app.at.button(key="answer_question").click()
    ada.run()
    member = room.member("ada")
    assert ada.page == "Room" and member is not None and member.following
    stage.answer("ada", asked.id, Moved(0.5))
    ada.app.at.button(key="to_leader").click()
    ada.run()
    assert ada.page == leader.page == "Sampling" and "answer_question" not in keys(ada), "she has answered"

    bo.app.at.button(key="leave_leader").click()
    bo.run()
    assert {"answer_question", "follow_leader"} <= keys(bo)
    leader.go("room")  # to the question: who follows comes along
    ada.run(), bo.run()
    assert ada.page == "Room" and bo.page == "Sampling"
    assert "follow_leader" not in keys(bo), "one way to the leader and to the question"
    bo.app.at.button(key="answer_question").click()
    bo.run()
    member = room.member("bo")
    assert bo.page == "Room" and member is not None and member.following


def test_the_leader_s_room_page_is_shown_only_while_a_question_is_on_stage(room: Room, tab: Tabs) -> None:
    leader, ada, stage = tab("lena"), tab("ada"), question_hub(room)
    asked = stage.ask("lena", Temperature("a poem", "Write."))
    for page, expected in (("scale_laws", "Scaling laws"), ("room", "Room"), ("glossary", "Glossary")):
        leader.go(page)
        ada.run()
        assert ada.page == expected
    stage.finish("lena", asked.id)
    leader.go("room")
    ada.run()
    assert ada.page == "Glossary"
    leader.go("glossary"), leader.go("scale_laws")
    ada.run()
    assert ada.page == "Scaling laws"


def test_strips_are_told_of_the_stage_where_no_move_tells_them(room: Room, tab: Tabs, wakes: list[str]) -> None:
    tab("lena"), tab("ada")
    room.follow("bo", False)
    tab("bo")
    wakes.clear()
    asked = question_hub(room).ask("lena", Temperature("a poem", "Write."))
    assert sorted(wakes) == ["bo", "lena"]
    wakes.clear()
    question_hub(room).answer("ada", asked.id, Moved(0.5))
    assert wakes == ["ada"], "from a tab that asks her, of what she has answered in another one"
