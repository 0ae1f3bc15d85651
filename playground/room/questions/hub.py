"""The question on stage: one of each room, in front of the store. Thread-safe; knows no page, no model, no nickname.

Everything is in the store before anybody is told of it, so a server that is killed in mid-question goes on where it was.
Subscribers are called after the lock is released, from the thread of whoever changed something; they must not wait.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from playground.errors import BadInput, PlaygroundError
from playground.room.questions import stored
from playground.room.questions.countdown import Countdown
from playground.room.questions.types import (
    GIVEN,
    About,
    Answer,
    Given,
    Question,
    Result,
    Round,
    Stage,
    State,
    check_seconds,
)
from playground.room.subscribers import Subscribers, SubscribersByVisitor

if TYPE_CHECKING:
    from playground.store.questions import QuestionTable  # SQLAlchemy takes a while, and a page opens without it

_GONE = "This question is gone: look at what is asked now."
_CLOSED = "This question is closed: your answer came after the end."
LEFT_AFTER_RESTART_S = 30.0  # at least, of a timer that went on while nobody could answer


class QuestionHub:
    """All questions of one room. ``may_lead`` and ``may_answer`` say of a visitor what is allowed now."""

    def __init__(
        self,
        table: QuestionTable,
        room: str,
        *,
        may_lead: Callable[[str], bool],
        may_answer: Callable[[str], bool],
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Raises StoreError."""
        self._table, self._room, self._clock = table, room, clock
        self._may_lead, self._may_answer = may_lead, may_answer
        self._lock = threading.RLock()
        self._version = 0
        self._subscribers, self._countdown = Subscribers(), Countdown()
        self._of_visitors = SubscribersByVisitor()
        records = table.questions(room)
        questions = [question for question in map(stored.read_question, records) if question is not None]
        on_stage = [question for question in questions if question.state != "finished"]
        self._question: Question | None = on_stage[-1] if on_stage else None
        self._answers: dict[str, Answer] = self._load(self._question) if self._question else {}
        if self._question is not None:
            self._resume_timer(self._question)

    def _load(self, question: Question) -> dict[str, Answer]:
        return {
            record.visitor: answer
            for record in self._table.answers([question.id])
            if (answer := stored.read_answer(question.about, record)) is not None
        }

    # -- looking -----------------------------------------------------------------------------------------------------------

    def stage(self) -> Stage:
        with self._lock:
            return Stage(self._question, len(self._answers), self._version)

    def current(self) -> Round | None:
        """The question on stage with its answers."""
        with self._lock:
            return None if self._question is None else Round(self._question, tuple(self._answers.values()))

    def answer_of(self, visitor: str) -> Answer | None:
        """This visitor's to the question on stage, if there is one."""
        with self._lock:
            return self._answers.get(visitor)

    def answered(self) -> frozenset[str]:
        """The visitors who have answered the question on stage."""
        with self._lock:
            return frozenset(self._answers)

    def seconds_left(self) -> float | None:
        """Until the timer closes the question on stage; None where none runs."""
        return self._countdown.left_s()

    def rounds(self, series: str = "") -> tuple[Round, ...]:
        """All rounds of the room that can be read, those of a ``series`` where one is named; the oldest first."""
        return stored.read_rounds(self._table.questions(self._room), self._table.answers, series)

    def subscribe(self, callback: Callable[[], None], *, answers: bool = False) -> Callable[[], None]:
        """Call back when the stage changes, with ``answers`` when an answer comes too; gives what ends that."""
        return self._subscribers.add(callback, details=answers)

    def subscribe_own(self, visitor: str, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back when this visitor answers, in whichever tab, or their answer is taken away; gives what ends that."""
        return self._of_visitors.add(visitor, callback)

    # -- answering ---------------------------------------------------------------------------------------------------------

    def answer(self, visitor: str, question: str, given: Given) -> None:
        """Takes the place of this visitor's earlier one. Raises BadInput after the end, for what is gone or of another kind,
        and of who does not take part."""
        if not visitor or not self._may_answer(visitor):
            raise BadInput("Join the room first: then answer.", "answer")
        with self._lock:
            present = self._question
            if present is None or present.id != question:
                raise BadInput(_GONE, "answer")
            if not isinstance(given, GIVEN[present.kind]):
                raise BadInput("This answers another kind of question: look at what is asked now.", "answer")
            before = self._answers.get(visitor)
            if before is not None and before.given == given and present.state == "open":
                return
            now = self._clock()
            if self._table.put_answer(question, visitor, stored.given_text(given), now) is None:
                raise BadInput(_CLOSED, "answer")
            self._answers[visitor] = Answer(visitor, given, now)
        self._tell_of_answers(visitor)

    # -- leading -----------------------------------------------------------------------------------------------------------

    def ask(self, leader: str, about: About, seconds: int = 0) -> Question:
        """Put a new question on stage, open for so many seconds; 0: until it is closed. Raises BadInput while another one is
        there."""
        self._check_leader(leader)
        check_seconds(seconds)
        with self._lock:
            if self._question is not None:
                raise BadInput("A question is on already: finish it or discard it, then ask the next.", "question")
            question = self._begin(about, uuid.uuid4().hex, 1, seconds)
        self._tell()
        return question

    def next_round(self, leader: str, question: str, about: About) -> Question:
        """End the round ``question`` and begin the next of the same series, with the same timer."""
        self._check_leader(leader)
        with self._lock:
            present = self._present(question)
            self._set_state("finished")
            self._take_off()
            following = self._begin(about, present.series, present.round + 1, present.seconds)
        self._tell()
        return following

    def close(self, leader: str, question: str) -> None:
        """No answer is taken any more."""
        self._check_leader(leader)
        with self._lock:
            if self._present(question).state != "open":
                return
            self._set_state("closed")
        self._tell()

    def reopen(self, leader: str, question: str) -> None:
        """Take answers again, of a question that was closed and not yet revealed."""
        self._check_leader(leader)
        with self._lock:
            if self._present(question).state == "revealed":
                raise BadInput("This question has been revealed: its answers stand.", "question")
            self._set_state("open")
        self._tell()

    def start_timer(self, leader: str, question: str, seconds: int) -> None:
        """Close it by itself after so many seconds, from now; a timer that runs already is replaced. 0 stops it, and the next
        round has none."""
        self._check_leader(leader)
        check_seconds(seconds)
        with self._lock:
            present = self._present(question)
            if present.state != "open":
                raise BadInput("This question is closed: open it again for a timer.", "question")
            closes = self._clock() + seconds if seconds else None
            self._table.set_timer(question, seconds, closes)
            self._question = replace(present, seconds=seconds, closes=closes)
            self._count_down(question, seconds)
        self._tell()

    def _count_down(self, question: str, seconds: float) -> None:
        """0 stops it."""
        if seconds:
            self._countdown.begin(seconds, lambda: self._time_is_up(question))
        else:
            self._countdown.cancel()

    def _resume_timer(self, question: Question) -> None:
        """Of a process before this one. A clock that was set back meanwhile makes it no longer than it was."""
        if question.state == "open" and question.closes is not None:
            left_s = max(LEFT_AFTER_RESTART_S, question.closes - self._clock())
            self._count_down(question.id, min(left_s, question.seconds))

    def _time_is_up(self, question: str) -> None:
        """From the timer's thread. A store that is away leaves it open: the leader sees that and closes it."""
        with self._lock, suppress(PlaygroundError):
            if self._question is not None and self._question.id == question and self._question.state == "open":
                self._set_state("closed")
        self._tell()

    def reveal(self, leader: str, question: str, result: Result | None = None) -> None:
        """Show everybody what came out. Close it first, so that ``result`` covers every answer."""
        self._check_leader(leader)
        with self._lock:
            self._present(question)
            if result is not None:
                self._put_result(result)
            self._set_state("revealed")
        self._tell()

    def put_result(self, question: str, result: Result) -> None:
        """Store what has been computed for it; of a question that is gone it is dropped."""
        with self._lock:
            if self._question is None or self._question.id != question:
                self._table.change(question, result=stored.result_text(result))
                return
            self._put_result(result)
        self._tell()

    def finish(self, leader: str, question: str) -> None:
        """Take it off the stage; its answers are kept."""
        self._check_leader(leader)
        with self._lock:
            self._present(question)
            self._set_state("finished")
            self._take_off()
        self._tell()

    def discard(self, leader: str, question: str) -> None:
        """Take it off the stage and delete it with its answers."""
        self._check_leader(leader)
        with self._lock:
            self._present(question)
            self._table.discard(question)
            self._take_off()
        self._tell()

    def remove_answer(self, leader: str, visitor: str) -> None:
        """Take away what this visitor has answered to the question on stage, if anything: of who is removed from the room."""
        self._check_leader(leader)
        with self._lock:
            if self._question is None or visitor not in self._answers:
                return
            self._table.remove_answer(self._question.id, visitor)
            del self._answers[visitor]
            shown = self._question.state == "revealed"
        if shown:  # in everybody's picture
            self._tell()
        self._tell_of_answers(visitor)

    def delete(self, leader: str, series: str) -> None:
        """Delete all rounds of a series that is off the stage."""
        self._check_leader(leader)
        with self._lock:
            if self._question is not None and self._question.series == series:
                raise BadInput("This question is on stage: finish it first.", "question")
            self._table.delete(series)
        self._tell()

    # -- with the lock held ------------------------------------------------------------------------------------------------

    def _check_leader(self, visitor: str) -> None:
        if not visitor or not self._may_lead(visitor):
            raise BadInput("Only the leader of the room can do this: open the leader's link.", "leader")

    def _present(self, question: str) -> Question:
        """The question on stage. Raises BadInput where it is another one: a second leader has gone on."""
        if self._question is None or self._question.id != question:
            raise BadInput(_GONE, "question")
        return self._question

    def _begin(self, about: About, series: str, number: int, seconds: int) -> Question:
        now = self._clock()
        closes = now + seconds if seconds else None
        question = Question(
            uuid.uuid4().hex, self._room, series, number, now, "open", about, seconds=seconds, closes=closes
        )
        self._table.add(stored.question_record(question))
        self._question, self._answers = question, {}
        self._count_down(question.id, seconds)
        return question

    def _take_off(self) -> None:
        self._countdown.cancel()
        self._question, self._answers = None, {}

    def _set_state(self, state: State) -> None:
        assert self._question is not None
        self._countdown.cancel()
        self._table.change(self._question.id, state=state)
        self._question = replace(self._question, state=state, closes=None)

    def _put_result(self, result: Result) -> None:
        assert self._question is not None
        self._table.change(self._question.id, result=stored.result_text(result))
        self._question = replace(self._question, result=result)

    def _tell_of_answers(self, visitor: str) -> None:
        """After the lock is released: who counts answers, and the tabs of the visitor whose it is."""
        self._subscribers.tell(detail=True)
        self._of_visitors.tell(visitor)

    def _tell(self) -> None:
        """After the lock is released."""
        with self._lock:
            self._version += 1
        self._subscribers.tell()
