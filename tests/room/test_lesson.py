"""A lesson's file: written and read back, and whatever a stranger puts into it is one sentence with its line."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.lined_yaml import MOST_BYTES
from playground.room.lesson import (
    LONGEST_SENTENCE,
    MOST_STEPS,
    SHIPPED,
    Lesson,
    LessonStep,
    check_link,
    read_lesson,
    write_lesson,
)
from playground.room.questions.types import LessonQuestion

PAGES = ("", "sampling", "generate", "attention", "inside", "best_of_n")
STEP = "- link: /\n  say: hi\n"

# -- what is written comes back ----------------------------------------------------------------------------------------

plain = st.characters(exclude_categories=("Cs", "Cc", "Cn", "Co", "Zl", "Zp"), exclude_characters="\ufeff")
sentences = st.text(plain, min_size=1, max_size=80).map(str.strip).filter(bool)
questions = st.builds(
    LessonQuestion,
    st.sampled_from(["guess", "better", "temperature"]),
    purpose=st.text(plain, max_size=20).map(str.strip),
    prompt=st.text(plain, max_size=20),
    rounds=st.integers(1, 20),
    seconds=st.just(0) | st.integers(5, 3_600),
)
links = st.tuples(st.sampled_from(PAGES), st.text("abc=&%+1", max_size=20)).map(lambda parts: f"/{parts[0]}?{parts[1]}")
steps = st.builds(LessonStep, links, sentences, st.floats(0.1, 180), st.none() | questions)
lessons = st.builds(Lesson, sentences, st.lists(steps, max_size=4).map(tuple), about=sentences | st.just(""))


@given(lessons)
def test_a_lesson_written_is_the_lesson_read(lesson: Lesson) -> None:
    assert read_lesson(write_lesson(lesson), PAGES) == lesson


@given(lessons)
def test_what_is_written_is_yaml_for_everybody(lesson: Lesson) -> None:
    document = yaml.safe_load(write_lesson(lesson))
    assert document["title"] == lesson.title and [step["say"] for step in document["steps"]] == [
        step.say for step in lesson.steps
    ]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_lessons_last_half_an_hour(name: str) -> None:
    text = SHIPPED[name].read_text(encoding="utf-8")
    lesson = read_lesson(text, PAGES)
    assert lesson.minutes == 30
    for step in lesson.steps:
        assert step.question is None or 0 < step.question.rounds * step.question.seconds <= step.minutes * 60


def test_words_that_yaml_takes_for_other_types_stay_words() -> None:
    (step,) = read_lesson("title: no\nsteps:\n- link: /\n  say: 2026-11-28\n  minutes: '3'\n", PAGES).steps
    assert (step.say, step.minutes) == ("2026-11-28", 3.0)


# -- lining up ---------------------------------------------------------------------------------------------------------


def named(*names: str) -> Lesson:
    return Lesson("a", tuple(LessonStep("/", name) for name in names))


def said(lesson: Lesson) -> str:
    return "".join(step.say for step in lesson.steps)


def test_steps_are_added_moved_and_taken_out() -> None:
    lesson = named("a", "b", "c")
    assert said(lesson.added(LessonStep("/", "d"))) == "abcd"
    assert [said(lesson.moved(place, by)) for place, by in ((0, 1), (2, -1), (0, 2), (0, -1), (2, 1), (7, 1))] == [
        *("bac", "acb", "bca"),
        *("abc", "abc", "abc"),  # at the ends nothing moves
    ]
    assert said(lesson.without(1)) == "ac"
    with pytest.raises(BadInput, match="at most"):
        Lesson("a", (LessonStep("/", "x"),) * MOST_STEPS).added(LessonStep("/", "y"))


def test_a_step_is_changed_with_the_time_to_answer() -> None:
    asks = LessonStep("/", "a", question=LessonQuestion("guess"))
    (step, plain) = Lesson("a", (asks, LessonStep("/", "b"))).changed(0, "c", 2.0, 60).changed(1, "d", 3.0, 60).steps
    assert (step.say, step.minutes, step.question) == ("c", 2.0, LessonQuestion("guess", seconds=60))
    assert (plain.say, plain.question) == ("d", None)
    with pytest.raises(BadInput, match="A timer runs for"):
        Lesson("a", (asks,)).changed(0, "c", 2.0, 1)


# -- hostile files -----------------------------------------------------------------------------------------------------

BOMB = "a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\ntitle: *c\n"
HOSTILE = {
    "nothing": ("", 1),
    "no mapping": ("- a\n", 1),
    "no steps": ("title: a\n", 1),
    "half a file": ("title: [", 1),
    "aliases": (BOMB, 1),
    "a tag": ("title: a\nsteps: !!python/object/apply:os.system ['id']\n", 2),
    "a tag on a word": ("title: !!str a\nsteps: []\n", 1),
    "depth": ("title: a\nsteps: " + "[" * 100_000 + "\n", 2),
    "many": ("title: a\nsteps:\n" + "- a\n" * 9_000, 4_998),
    "a control character": ("title: a\nsteps:\n- link: /\n  say: \x07\n", 4),
    "a name twice": (f"title: a\ntitle: b\nsteps:\n{STEP}", 2),
    "a name of no words": ("title: a\n? [x]\n: y\n", 2),
    "a name there is not": (f"title: a\nsteps:\n{STEP}  minuts: 3\n", 5),
    "a number that is none": (f"title: a\nsteps:\n{STEP}  minutes: nan\n", 5),
    "no minutes": (f"title: a\nsteps:\n{STEP}  minutes: 0\n", 5),
    "a text that is none": ("title: a\nsteps:\n- link: /\n  say: [a]\n", 4),
    "a long sentence": (f"title: a\nsteps:\n- link: /\n  say: {'x' * (LONGEST_SENTENCE + 1)}\n", 4),
    "an unknown question": (f"title: a\nsteps:\n{STEP}  question: {{kind: exam}}\n", 5),
    "a question's name there is not": (f"title: a\nsteps:\n{STEP}  question: {{kind: guess, x: y}}\n", 5),
    "one answer": (f"title: a\nsteps:\n{STEP}  question: {{kind: better, answers: [a]}}\n", 5),
    "rounds without end": (f"title: a\nsteps:\n{STEP}  question: {{kind: guess, rounds: 1000}}\n", 5),
    "a timer without end": (f"title: a\nsteps:\n{STEP}  question: {{kind: guess, seconds: 99999}}\n", 5),
    "a timer of half seconds": (f"title: a\nsteps:\n{STEP}  question: {{kind: guess, seconds: 7.5}}\n", 5),
    "a timer that is none": (f"title: a\nsteps:\n{STEP}  question: {{kind: guess, seconds: soon}}\n", 5),
    "many steps": ("title: a\nsteps:\n" + STEP * (MOST_STEPS + 1), 2),
    "an empty sentence": ("title: a\nsteps:\n- link: /\n  say: ' '\n", 4),
    "another site": ("title: a\nsteps:\n- say: hi\n  link: https://example.org/\n", 4),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_one_sentence_with_its_line(name: str) -> None:
    text, line = HOSTILE[name]
    with pytest.raises(BadInput) as refused:
        read_lesson(text, PAGES)
    sentence = str(refused.value)
    assert re.match(rf"Line {line:,} of the lesson: .+\.$", sentence) and "\n" not in sentence and len(sentence) < 300


def test_a_huge_file_is_refused_before_it_is_read() -> None:
    with pytest.raises(BadInput, match="larger than"):
        read_lesson("title: " + "x" * MOST_BYTES, PAGES)


@given(st.text(max_size=200) | st.text("-: []{}&*!?|>'\"\n\t#%@`ax0", max_size=60))
def test_any_text_is_a_lesson_or_one_sentence(text: str) -> None:
    try:
        read_lesson(text, PAGES)
    except BadInput as refused:
        assert "\n" not in str(refused)


def test_html_is_a_text_like_any_other() -> None:
    (step,) = read_lesson("title: a\nsteps:\n- link: /\n  say: <script>alert(1)</script>\n", PAGES).steps
    assert step.say == "<script>alert(1)</script>"  # who shows it escapes it


@pytest.mark.parametrize(
    "link",
    [
        "https://example.org/",
        "//example.org/sampling",
        "/\\example.org",
        "javascript:alert(1)",
        "sampling",
        "",
        "/nowhere",
    ]
    + ["/sampling\n?a=1", "/../etc/passwd", "/sampling/../../x", "/" + "x" * 30_000, "/\t/example.org", "/component/x"],
)
def test_links_lead_to_pages_of_this_app(link: str) -> None:
    with pytest.raises(BadInput):
        check_link(link, PAGES)


@pytest.mark.parametrize("link", ["/", "/?prompt=a", "/sampling", "/generate?new=8&stop=%5B%5D"])
def test_links_of_pages_are_taken(link: str) -> None:
    assert check_link(link, PAGES) == link
