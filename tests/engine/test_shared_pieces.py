"""Work that several ask for at once: begun once, stepped by whoever has the turn, and no one's end is another's."""

from __future__ import annotations

from typing import TypeVar

import pytest

from playground.engine.api import CancelToken, Score
from playground.engine.facets import require
from playground.engine.fake.engine import FakeEngine
from playground.engine.pieces import Pieces, finish
from playground.engine.serving.caching import CachedEngine
from playground.engine.serving.shared_pieces import SharedPieces
from playground.engine.types import SequenceScore
from playground.errors import BadInput, Cancelled

T = TypeVar("T")


class Work:
    """Two turns for others, then the answer. ``begun`` counts; ``steps`` are those that were taken."""

    def __init__(self) -> None:
        self.begun = self.steps = self.closed = 0
        self.fails: BaseException | None = None

    def begin(self, cancel: CancelToken | None = None) -> Pieces[str]:
        self.begun += 1
        try:
            for _ in range(2):
                self.steps += 1
                yield
                if cancel is not None:
                    cancel.check()
                if self.fails is not None:
                    error, self.fails = self.fails, None
                    raise error
            self.steps += 1
            return "answer"
        finally:
            self.closed += 1


def in_turns(asked: list[Pieces[T]]) -> list[T]:
    """What each gives, a step of each at a time."""
    waiting, answers = list(enumerate(asked)), {}
    while waiting:
        for place, each in list(waiting):
            try:
                next(each)
            except StopIteration as end:
                answers[place] = end.value
                waiting.remove((place, each))
    return [answers[place] for place in range(len(asked))]


def test_thirty_who_take_turns_pay_for_one() -> None:
    work, shared = Work(), SharedPieces[str]()
    asked = [shared.run("text", work.begin, CancelToken()) for _ in range(30)]
    assert in_turns(asked) == ["answer"] * 30
    assert (work.begun, work.steps, shared._under_way) == (1, 3, {})
    assert finish(shared.run("text", work.begin, CancelToken())) == "answer" and work.begun == 2


def test_who_cancels_ends_alone_and_the_last_takes_the_work_away() -> None:
    work, shared, own, other = Work(), SharedPieces[str](), CancelToken(), CancelToken()
    first = shared.run("text", lambda: work.begin(own), own)
    second = shared.run("text", lambda: work.begin(other), other)
    next(first), next(second)
    own.cancel()
    with pytest.raises(Cancelled):
        finish(first)
    assert finish(second) == "answer" and work.begun == 2, "begun anew: who had begun it is gone"
    third = shared.run("text", work.begin, CancelToken())
    next(third)
    third.close()
    assert shared._under_way == {} and work.closed == work.begun == 3


def test_a_failure_is_one_readers_and_the_others_begin_anew() -> None:
    work, shared = Work(), SharedPieces[str]()
    first, second = (shared.run("text", work.begin, CancelToken()) for _ in range(2))
    next(first)
    next(second)
    work.fails = BadInput("no", "text")
    with pytest.raises(BadInput):
        finish(first)
    assert finish(second) == "answer" and work.begun == 2


class Slow(FakeEngine):
    """An engine that scores in two pieces and counts what it is asked."""

    scored = 0

    def score_in_pieces(self, ids: object, *, cancel: CancelToken | None = None) -> Pieces[SequenceScore]:
        self.scored += 1
        yield
        return (yield from super().score_in_pieces(ids, cancel=cancel))  # type: ignore[arg-type]


def test_a_text_that_thirty_ask_for_at_once_is_scored_once() -> None:
    engine = Slow()
    asked = require(CachedEngine(engine), Score)
    readers = [asked.score_in_pieces([1, 2, 3]) for _ in range(30)]
    assert len({id(each) for each in in_turns(readers)}) == 1 and engine.scored == 1
