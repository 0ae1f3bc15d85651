"""Questions and answers as the store's JSON, and back. What was damaged on the disk is left out, never raised."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, TypeVar, cast, get_args

from playground.errors import BadInput
from playground.room.questions.types import (
    About,
    Answer,
    Better,
    Given,
    Guess,
    Guessed,
    GuessResult,
    Moved,
    Question,
    Result,
    Round,
    ScoredToken,
    State,
    Temperature,
    TemperatureResult,
    Voted,
    WrittenText,
    kind_of,
)
from playground.store.records import AnswerRecord, QuestionRecord

T = TypeVar("T")
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, BadInput)


def question_record(question: Question) -> QuestionRecord:
    return QuestionRecord(
        question.id,
        question.room,
        question.series,
        question.round,
        question.asked,
        question.state,
        _text({"kind": question.kind, **asdict(question.about)}),
        None if question.result is None else result_text(question.result),
        question.seconds,
        question.closes,
    )


def result_text(result: Result) -> str:
    return _text(asdict(result))


def given_text(given: Given) -> str:
    return _text(asdict(given))


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def read_question(record: QuestionRecord) -> Question | None:
    """None where what is stored cannot be read."""

    def read() -> Question:
        about = _about(json.loads(record.about))
        result = None if record.result is None else _result(about, json.loads(record.result))
        state = cast(State, record.state if record.state in get_args(State) else "finished")
        asked = (record.id, record.room, record.series, record.round, record.asked)
        return Question(*asked, state, about, result, record.seconds, record.closes)

    return _readable(read)


def read_answer(about: About, record: AnswerRecord) -> Answer | None:
    """None where what is stored cannot be read, or answers another kind of question."""

    def read() -> Answer:
        given: dict[str, Any] = json.loads(record.given)
        kinds: dict[str, Callable[..., Given]] = {"guess": Guessed, "better": Voted, "temperature": Moved}
        return Answer(record.visitor, kinds[kind_of(about)](**given), record.at)

    return _readable(read)


def read_rounds(
    records: Sequence[QuestionRecord],
    answers_to: Callable[[Sequence[str]], Sequence[AnswerRecord]],
    series: str = "",
) -> tuple[Round, ...]:
    """Those rounds that can be read, of a ``series`` where one is named, in their order."""
    questions = [
        question
        for record in records
        if (not series or record.series == series) and (question := read_question(record)) is not None
    ]
    about = {question.id: question.about for question in questions}
    answers: dict[str, list[Answer]] = {question.id: [] for question in questions}
    for record in answers_to(list(about)):
        answer = read_answer(about[record.question], record)
        if answer is not None:
            answers[record.question].append(answer)
    return tuple(Round(question, tuple(answers[question.id])) for question in questions)


def _readable(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except _UNREADABLE:
        return None


def _about(fields: dict[str, Any]) -> About:
    kind = fields.pop("kind")
    if kind == "better":
        return Better(fields["prompt"], tuple(fields["answers"]), tuple(fields["pair"]), fields["run"])
    if kind == "guess":
        return Guess(fields["prompt"], fields["real_next"], tuple(fields["choices"]), fields["model"], fields["rounds"])
    return Temperature(**fields)


def _result(about: About, fields: dict[str, Any]) -> Result:
    if isinstance(about, Guess):
        return GuessResult(
            fields["model"],
            fields["vocab_size"],
            tuple(ScoredToken(**token) for token in fields["top"]),
            fields["entropy"],
            tuple((text, ScoredToken(**token)) for text, token in fields["scored"]),
            None if fields["real"] is None else ScoredToken(**fields["real"]),
        )
    return TemperatureResult(fields["model"], fields["seed"], tuple(WrittenText(**text) for text in fields["texts"]))
