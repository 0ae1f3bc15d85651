"""A lesson: the steps that a leader goes through, each a page's link, a sentence, minutes, and perhaps a question.

A lesson is a YAML file, written by hand or by the app:

>>> print(write_lesson(Lesson("Two words", (LessonStep("/?prompt=Hello", "What comes next?", 2.0),))), end="")
title: Two words
steps:
- link: /?prompt=Hello
  say: What comes next?
  minutes: 2

Knows no page: which there are is told by who reads. Three lessons come with the app (``SHIPPED``).
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import yaml
from pydantic import (
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from playground.errors import BadInput
from playground.lined_yaml import LinedData, read_lined
from playground.room.questions.types import LessonQuestion

LONGEST_LINK = 20_000  # characters
LONGEST_SENTENCE = 600
LONGEST_TITLE = 200
MOST_STEPS = 100
MOST_MINUTES = 180.0
_FOLDER = Path(__file__).with_name("lessons")
SHIPPED: dict[str, Path] = {name: _FOLDER / f"{name}.yaml" for name in ("sampling", "why-n-answers", "attention")}
"""The lessons that come with the app, by name, in the order in which a group would take them."""


_STRICT = ConfigDict(extra="forbid")


def _text(longest: int, shortest: int = 0) -> StringConstraints:
    return StringConstraints(strip_whitespace=True, min_length=shortest, max_length=longest)


def _read_question(value: Any, read: ValidatorFunctionWrapHandler) -> LessonQuestion | None:  # noqa: ANN401 - as pydantic
    """A question's own refusals with their line; a name that it does not have is refused too."""
    unknown = value.keys() - {each.name for each in fields(LessonQuestion)} if isinstance(value, dict) else ()
    for name in unknown:
        raise PydanticCustomError("extra_forbidden", "{name}", {"name": name})
    try:
        question: LessonQuestion | None = read(value)
    except BadInput as error:
        raise PydanticCustomError("question", "{why}", {"why": str(error).rstrip(".")}) from None
    return question


@dataclass(frozen=True, slots=True)
class LessonStep:
    """``link`` is "/page?query" of this app. ``say``: one sentence, for everybody to read. ``minutes``: how long it takes."""

    __pydantic_config__ = _STRICT
    link: Annotated[str, _text(LONGEST_LINK, 1)]
    say: Annotated[str, _text(LONGEST_SENTENCE, 1)]
    minutes: Annotated[float, Field(gt=0, le=MOST_MINUTES, allow_inf_nan=False)] = 1.0
    question: Annotated[LessonQuestion | None, WrapValidator(_read_question)] = None


@dataclass(frozen=True, slots=True)
class Lesson:
    """``about``: whom it is for, in a sentence or two."""

    __pydantic_config__ = _STRICT
    title: Annotated[str, _text(LONGEST_TITLE, 1)]
    about: Annotated[str, _text(LONGEST_SENTENCE)] = field(default="", kw_only=True)
    steps: Annotated[tuple[LessonStep, ...], Field(max_length=MOST_STEPS)]

    @property
    def minutes(self) -> float:
        return sum(step.minutes for step in self.steps)

    def added(self, step: LessonStep) -> Lesson:
        """With one step more at the end. Raises BadInput when there are as many as a lesson may have."""
        if len(self.steps) >= MOST_STEPS:
            raise BadInput(f"A lesson has at most {MOST_STEPS} steps: take one out first.", "lesson")
        return replace(self, steps=(*self.steps, step))

    def moved(self, place: int, by: int) -> Lesson:
        """With the step at ``place`` (from 0) so many places later; at the ends nothing moves."""
        other = place + by
        if not (0 <= place < len(self.steps) and 0 <= other < len(self.steps)):
            return self
        steps = list(self.steps)
        steps.insert(other, steps.pop(place))
        return replace(self, steps=tuple(steps))

    def where_moved(self, step: int, place: int, by: int) -> int:
        """Where the step that was at ``step`` stands in ``moved(place, by)``.

        >>> Lesson("a", steps=(LessonStep("/", "b"),) * 3).where_moved(1, 0, 1)
        0
        """
        order = list(range(len(self.steps)))
        if 0 <= place < len(order) and 0 <= place + by < len(order):
            order.insert(place + by, order.pop(place))
        return order.index(step) if step in order else step

    def changed(self, place: int, say: str, minutes: float, seconds: int = 0) -> Lesson:
        """With another sentence, other minutes and other ``seconds`` to answer for the step at ``place``, from 0. Raises
        BadInput."""
        step = self.steps[place]
        question = None if step.question is None else replace(step.question, seconds=seconds)
        step = replace(step, say=say, minutes=minutes, question=question)
        return replace(self, steps=(*self.steps[:place], step, *self.steps[place + 1 :]))

    def without(self, place: int) -> Lesson:
        """Without the step at ``place``, from 0."""
        return replace(self, steps=self.steps[:place] + self.steps[place + 1 :])


def check_link(link: str, pages: Collection[str]) -> str:
    """``link`` where it is "/page?query" of one of ``pages`` ("": the first one). Raises BadInput.

    >>> check_link("/generate?new=8", ["", "generate"])
    '/generate?new=8'
    """
    if len(link) > LONGEST_LINK:
        raise BadInput(f"The link has more than {LONGEST_LINK:,} characters: shorten its text.", "link")
    if not link.startswith("/") or link.startswith("//") or "\\" in link or not link.isprintable():
        raise BadInput(
            f"A link is one of this app's own pages, such as /sampling?prompt=Hello, not {link[:60]!r}.", "link"
        )
    page = urlsplit(link).path.strip("/")
    if page not in pages:
        raise BadInput(f"There is no page called {page[:40]!r}: there are {', '.join(filter(None, pages))}.", "link")
    return link


def read_lesson(text: str, pages: Collection[str]) -> Lesson:
    """A lesson from its file's text. Raises BadInput: one sentence, with the line, about the first thing that is wrong."""
    data = read_lined(text)
    try:
        lesson: Lesson = _schema().validate_python(data.value)
    except ValidationError as error:
        raise _first_refusal(data, error.errors(include_url=False)) from None
    for place, step in enumerate(lesson.steps):
        try:
            check_link(step.link, pages)
        except BadInput as error:
            line = data.line(("steps", place, "link"))
            raise BadInput(f"Line {line:,} of the lesson: {error}", "lesson") from None
    return lesson


def write_lesson(lesson: Lesson) -> str:
    """The file's text: ``read_lesson`` gives the same lesson again."""
    text: str = yaml.safe_dump(_plain(lesson), sort_keys=False, allow_unicode=True, width=110)
    return text


def _plain(part: Any) -> dict[str, Any]:  # noqa: ANN401 - any of the three dataclasses
    """What differs from the defaults, in the order in which people read it."""
    cells = {}
    for each in fields(part):
        value = getattr(part, each.name)
        if each.default is not MISSING and value == each.default:
            continue
        if each.name == "steps":
            value = [_plain(step) for step in value]
        elif each.name == "question":
            value = _plain(value)
        elif isinstance(value, tuple):
            value = list(value)
        elif isinstance(value, float) and value.is_integer():
            value = int(value)
        cells[each.name] = value
    return cells


@functools.cache
def _schema() -> Any:  # noqa: ANN401 - pydantic's own kind
    return TypeAdapter(Lesson)


def _first_refusal(data: LinedData, errors: Sequence[Mapping[str, Any]]) -> BadInput:
    """The first thing that is wrong, as one sentence: pydantic lists them in the order of the fields."""
    first = min(errors, key=lambda each: data.line(each["loc"]))
    path = first["loc"]
    where = " of ".join(_spoken(path)) or "the lesson"
    why = _WHY.get(first["type"], first["msg"][:1].lower() + first["msg"][1:])
    return BadInput(f"Line {data.line(path):,} of the lesson: {where}: {why}.", "lesson")


_WHY = {
    "missing": "it is not there",
    "extra_forbidden": "there is no such name; see docs/room.md for those there are",
    "dataclass_type": 'names with values are needed here, such as "link: /"',
    "tuple_type": "a list is needed here, one step a dash",
    "string_type": "a text is needed here",
}


def _spoken(path: Sequence[str | int]) -> list[str]:
    """A path in words, the innermost first: "minutes", "step 3"."""
    words = []
    for part in reversed(path):
        if isinstance(part, int):
            words.append(f"step {part + 1}")
        elif part != "steps" or not words:
            words.append(part)
    return words
