"""What the panels of questions share: the room's hub, who looks, actions whose refusal is told, and being woken.

A part of the page listens to the hub and is told to tick when something changes; nobody looks in by a timer.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import streamlit as st

from playground.errors import BadInput, PlaygroundError
from playground.room.questions.hub import QuestionHub
from playground.room.questions.types import About, Answer, Guess, Question, Result, Round
from playground.store.place import database_url
from playground.ui.kit import session
from playground.ui.kit.messages import show_problem
from playground.ui.kit.wake import stop_timer, waker
from playground.ui.runtime import session_id
from playground.ui.visitor import visitor_id
from playground.ui.workspace.room import the_room

if TYPE_CHECKING:
    from playground.room.hub.room import Room

QUESTION = "room:question"  # the part of the page
ROOM_LINK = "/room?"  # where questions are answered
_AGAIN_S = 1.0  # a tick that got lost between two wakes is made up for; the run then drawn ends the timer


@dataclass(frozen=True, slots=True)
class Asking:
    """Who looks at which room's questions."""

    room: Room
    hub: QuestionHub
    visitor: str

    @property
    def leads(self) -> bool:
        return self.room.is_leader(self.visitor)

    def own_answer(self) -> Answer | None:
        return self.hub.answer_of(self.visitor)


@dataclass(frozen=True, slots=True)
class Panel:
    """One kind of question on the page.

    ``form``: what the leader fills in to ask. ``pose``: what was asked, for all. ``answer``: a participant's buttons.
    ``show``: what came out, given all rounds of the series. ``compute``: what a reveal needs of the model; raises Pending.
    ``following``: the leader's way to the next round. ``live``: whether the leader may look before the end.
    """

    form: Callable[[Asking], None]
    pose: Callable[[Round], None]
    answer: Callable[[Asking, Round], None]
    show: Callable[[Asking, tuple[Round, ...]], None]
    compute: Callable[[Round], Result | None]
    following: Callable[[Asking, Round], None]
    live: bool


_hubs: dict[tuple[str, str], QuestionHub] = {}
_hubs_lock = threading.Lock()


def question_hub(room: Room) -> QuestionHub:
    """The one of this process for a room. Raises StoreError; the next call tries again."""
    key = database_url(), room.id
    with _hubs_lock:
        if key not in _hubs:
            from playground.store.connection import shared_database  # SQLAlchemy takes a while
            from playground.store.questions import QuestionTable

            table = QuestionTable(shared_database())
            _hubs[key] = QuestionHub(table, room.id, may_lead=room.is_leader, may_answer=room.may_answer)
        return _hubs[key]


def asking_here() -> Asking:
    """Raises BadInput on a server without a room, StoreError."""
    room = the_room()
    if room is None:
        raise BadInput("No room is open on this server: start one with `python -m playground room`.", "room")
    return Asking(room, question_hub(room), visitor_id())


def put_on_stage(asking: Asking, about: About, seconds: int = 0) -> None:
    """Ask the room, and bring those who follow to where they answer. ``seconds``: of a timer, 0 for none. Raises BadInput."""
    asking.hub.ask(asking.visitor, about, seconds)
    asking.room.show(asking.visitor, ROOM_LINK)


def hub_or_none(room: Room) -> QuestionHub | None:
    """The room's hub; None while the store is away, so that what else a page shows goes on."""
    try:
        return question_hub(room)
    except PlaygroundError:
        return None


def on_stage(room: Room) -> Question | None:
    """What is asked now."""
    hub = hub_or_none(room)
    return None if hub is None else hub.stage().question


# -- being woken -----------------------------------------------------------------------------------------------------------


class _Listening:
    """What a tab listens to; ends with its session."""

    _end: weakref.finalize[Any, _Listening] | None = None

    def begin(self, unsubscribe: Callable[[], object]) -> None:
        if self._end is not None:
            self._end()
        self._end = weakref.finalize(self, unsubscribe)


@dataclass(frozen=True, slots=True)
class OwnAnswers:
    """Tells this tab what its visitor has answered in another one."""

    hub: QuestionHub
    visitor: str

    def __call__(self, wake: Callable[[], None]) -> Callable[[], None]:
        """From a script run. Gives what ends it. The tab that answers is not woken: it is drawn anew in the same run."""
        tab = session_id()
        return self.hub.subscribe_own(self.visitor, lambda: None if session_id() == tab else wake())


@dataclass(frozen=True, slots=True)
class _Heard:
    """The stage's version as the part was last drawn; None before."""

    version: int | None = None


def missed_the_stage(room: Room) -> bool:
    """Whether the stage has changed since this tab drew it: nobody can be woken whose connection is lost, as a sleeping
    phone's is."""
    hub, heard = hub_or_none(room), session.get(_Heard).version
    return hub is not None and heard is not None and hub.stage().version != heard


def listen(asking: Asking) -> None:
    """From the body of the part: wake it when the stage changes, or its visitor answers in another tab; the leader's at every
    answer and arrival, for the count."""
    stop_timer(QUESTION)
    wake = waker(QUESTION, lambda: _AGAIN_S)
    ends = [asking.hub.subscribe(wake, answers=asking.leads), OwnAnswers(asking.hub, asking.visitor)(wake)]
    if asking.leads and asking.hub.stage().question is not None:
        ends.append(asking.room.subscribe(wake, people=True))  # who has not answered yet
    session.get(_Listening).begin(lambda: [end() for end in ends])
    session.put(_Heard(asking.hub.stage().version))


# -- acting ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Refused:
    sentence: str = ""


def act(do: Callable[..., object], *args: object) -> None:
    """A callback: what is refused is told in the part, once."""
    try:
        do(*args)
    except PlaygroundError as error:
        session.put(_Refused(str(error)))
    else:
        session.put(_Refused())


def show_refusal() -> None:
    """What the last action was refused for; it has been read by the next one."""
    refused = session.get(_Refused)
    if refused.sentence:
        show_problem(refused.sentence)
        session.put(_Refused())


@dataclass(frozen=True, slots=True)
class Revealing:
    """The round that this leader asked to reveal and whose figures are not there yet."""

    question: str = ""


# -- showing ---------------------------------------------------------------------------------------------------------------


def show_text(text: str, kind: str = "") -> None:
    """A stranger's text as it is, with its line breaks, in its own direction."""
    st.html(f'<div class="room-text {kind}" dir="auto">{escape(text)}</div>')


def title_of(question: Question, name: str) -> str:
    """The question's name, with its number among the rounds."""
    wanted = question.about.rounds if isinstance(question.about, Guess) else 1
    if wanted > 1:
        return f"{name} · round {question.round} of {max(wanted, question.round)}"
    return f"{name} · round {question.round}" if question.round > 1 else name
