"""The question on stage: one answer a visitor until the end, everything kept, and only leaders lead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from playground.errors import BadInput
from playground.room.questions.countdown import Countdown
from playground.room.questions.hub import QuestionHub
from playground.room.questions.types import (
    Better,
    Given,
    Guess,
    Guessed,
    GuessResult,
    Moved,
    ScoredToken,
    Temperature,
    TemperatureResult,
    Voted,
    WrittenText,
)
from playground.store.connection import Database
from playground.store.place import sqlite_url
from playground.store.questions import QuestionTable

TOKEN = ScoredToken(5, " mat", -1.5, 2)
ABOUT = Guess("The cat sat on the", "mat", ("mat", "dog"))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(sqlite_url(tmp_path))
    yield opened
    opened.close()


def hub_of(database: Database, clock: Callable[[], float] = time.time) -> QuestionHub:
    """As a server makes it at its start."""
    return QuestionHub(
        QuestionTable(database),
        "ABCD",
        may_lead=lambda visitor: visitor.startswith("lead"),
        may_answer=lambda visitor: visitor != "stranger",
        clock=clock,
    )


@pytest.fixture
def hub(database: Database) -> QuestionHub:
    return hub_of(database)


def test_a_second_answer_replaces_the_first_until_the_end(hub: QuestionHub) -> None:
    asked = hub.ask("lead", ABOUT)
    hub.answer("anna", asked.id, Guessed(" mat"))
    hub.answer("bert", asked.id, Guessed(" dog"))
    hub.answer("anna", asked.id, Guessed(" floor"))
    assert hub.stage().answered == 2
    hub.close("lead", asked.id)
    with pytest.raises(BadInput, match="came after the end"):
        hub.answer("anna", asked.id, Guessed(" roof"))
    with pytest.raises(BadInput, match="came after the end"):
        hub.answer("anna", asked.id, Guessed(" floor"))  # the same again
    current = hub.current()
    assert current is not None and [a.given for a in current.answers] == [Guessed(" floor"), Guessed(" dog")]


def test_a_killed_server_goes_on_where_it_was(hub: QuestionHub, database: Database) -> None:
    asked = hub.ask("lead", ABOUT)
    hub.answer("anna", asked.id, Guessed(" mat"))
    again = hub_of(database)
    assert again.current() == hub.current()
    again.answer("bert", asked.id, Guessed(" dog"))
    again.close("lead", asked.id)
    result = GuessResult("Fake", 273, (TOKEN,), 2.5, ((" mat", TOKEN),), None)
    again.reveal("lead", asked.id, result)
    third = hub_of(database)
    assert third.current() == again.current() and third.current() is not None
    assert third.rounds() == (third.current(),)
    third.finish("lead", asked.id)
    assert hub_of(database).current() is None


@pytest.mark.parametrize(
    ("about", "given", "result"),
    [
        (Better("q", ("one", "two", "three"), (2, 1), "run"), Voted("bad", "second"), None),
        (
            Temperature("a poem", "Write one."),
            Moved(0.7),
            TemperatureResult("F", 1, (WrittenText("median", 0.7, "t"),)),
        ),
    ],
)
def test_every_kind_comes_back_as_it_went_in(
    hub: QuestionHub, database: Database, about: Better, given: Given, result: TemperatureResult | None
) -> None:
    asked = hub.ask("lead", about)
    hub.answer("anna", asked.id, given)
    hub.reveal("lead", asked.id, result)
    assert hub_of(database).current() == hub.current()
    with pytest.raises(BadInput):
        hub.answer("anna", asked.id, Guessed("x"))  # of another kind


def test_rounds_of_a_series_stand_together(hub: QuestionHub) -> None:
    first = hub.ask("lead", ABOUT)
    hub.answer("anna", first.id, Guessed(" mat"))
    second = hub.next_round("lead", first.id, Guess("The cat sat on the mat"))
    assert (second.series, second.round) == (first.series, 2) and hub.stage().answered == 0
    with pytest.raises(BadInput, match="is gone"):
        hub.answer("bert", first.id, Guessed(" dog"))
    hub.finish("lead", second.id)
    other = hub.ask("lead", ABOUT)
    assert [one.question.round for one in hub.rounds(first.series)] == [1, 2]
    with pytest.raises(BadInput, match="on stage"):
        hub.delete("lead", other.series)
    hub.delete("lead", first.series)
    hub.discard("lead", other.id)
    assert hub.rounds() == () and hub.current() is None


def test_who_may_not_is_refused_and_nothing_changes(hub: QuestionHub) -> None:
    with pytest.raises(BadInput, match="Only the leader"):
        hub.ask("anna", ABOUT)
    asked = hub.ask("lead", ABOUT)
    for wrong in (
        lambda: hub.close("anna", asked.id),
        lambda: hub.reveal("", asked.id),
        lambda: hub.discard("anna", asked.id),
        lambda: hub.next_round("anna", asked.id, ABOUT),
        lambda: hub.answer("stranger", asked.id, Guessed("x")),
        lambda: hub.answer("", asked.id, Guessed("x")),
        lambda: hub.answer("anna", "no such id", Guessed("x")),
        lambda: hub.answer("anna", asked.id, Moved(1.0)),
        lambda: hub.ask("lead 2", ABOUT),  # a second leader: the first one's question stays
        lambda: hub.close("lead 2", "no such id"),
    ):
        with pytest.raises(BadInput):
            wrong()
    assert hub.stage() == type(hub.stage())(asked, 0, 1)


def test_what_was_closed_too_early_is_opened_again_until_the_reveal(hub: QuestionHub) -> None:
    asked = hub.ask("lead", ABOUT)
    hub.close("lead", asked.id)
    with pytest.raises(BadInput, match="Only the leader"):
        hub.reopen("anna", asked.id)
    hub.reopen("lead", asked.id)
    hub.answer("anna", asked.id, Guessed(" mat"))
    hub.reveal("lead", asked.id)
    with pytest.raises(BadInput, match="has been revealed"):
        hub.reopen("lead", asked.id)


def test_a_timer_closes_its_own_question_and_no_other(hub: QuestionHub, monkeypatch: pytest.MonkeyPatch) -> None:
    ends: list[Callable[[], None]] = []
    monkeypatch.setattr(hub._countdown, "begin", lambda _seconds, then: ends.append(then))
    heard: list[str] = []
    hub.subscribe(lambda: heard.append("stage"))
    first = hub.ask("lead", ABOUT)
    for wrong in (1, 10**9):
        with pytest.raises(BadInput, match="A timer runs for"):
            hub.start_timer("lead", first.id, wrong)
    with pytest.raises(BadInput, match="Only the leader"):
        hub.start_timer("anna", first.id, 30)
    hub.start_timer("lead", first.id, 30)
    second = hub.next_round("lead", first.id, ABOUT)
    ends[0]()  # the first round's; the second has one of its own
    assert len(ends) == 2
    hub.answer("anna", second.id, Guessed(" mat"))
    hub.start_timer("lead", second.id, 30)
    heard.clear()
    ends.pop()()
    assert heard == ["stage"]
    with pytest.raises(BadInput, match="after the end"):
        hub.answer("anna", second.id, Guessed(" dog"))
    with pytest.raises(BadInput, match="open it again"):
        hub.start_timer("lead", second.id, 30)


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds of each countdown that begins; none of them runs."""
    begun: list[float] = []
    monkeypatch.setattr(Countdown, "begin", lambda _self, seconds, _then: begun.append(seconds))
    return begun


@pytest.mark.parametrize(
    ("away_s", "left_s"),
    [
        (10, 50),
        (45, 30),  # at least, for those whose browsers have to connect again
        (100_000, 30),
        (-100_000, 60),  # the clock was set back
    ],
)
def test_a_timer_goes_on_after_the_server_was_killed(
    database: Database, counted: list[float], away_s: float, left_s: float
) -> None:
    now = [1e9]
    hub = hub_of(database, lambda: now[0])
    asked = hub.ask("lead", ABOUT, 60)
    assert (asked.seconds, asked.closes) == (60, 1e9 + 60)
    hub.answer("anna", asked.id, Guessed(" mat"))
    now[0] += away_s
    again = hub_of(database, lambda: now[0])
    assert counted == [60, left_s] and again.current() == hub.current()
    again.answer("bert", asked.id, Guessed(" dog"))
    again.close("lead", asked.id)
    again.reopen("lead", asked.id)
    hub_of(database, lambda: now[0])
    assert len(counted) == 2, "what was closed, and what was opened again, has no timer"


def test_a_short_timer_is_no_longer_after_a_restart(database: Database, counted: list[float]) -> None:
    hub_of(database).ask("lead", ABOUT, 5)
    hub_of(database)
    assert counted == [5, 5]


def test_each_round_has_the_timer_of_the_one_before_until_it_is_stopped(hub: QuestionHub, counted: list[float]) -> None:
    first = hub.ask("lead", ABOUT, 60)
    second = hub.next_round("lead", first.id, ABOUT)
    hub.start_timer("lead", second.id, 30)
    third = hub.next_round("lead", second.id, ABOUT)
    assert counted == [60, 60, 30, 30] and third.seconds == 30
    hub.start_timer("lead", third.id, 0)
    fourth = hub.next_round("lead", third.id, ABOUT)
    assert fourth.seconds == 0 and len(counted) == 4
    hub.finish("lead", fourth.id)
    with pytest.raises(BadInput, match="A timer runs for"):
        hub.ask("lead", ABOUT, 4)
    assert hub.stage().question is None


def test_a_countdown_runs_once_and_not_after_it_was_cancelled() -> None:
    countdown, ended = Countdown(), threading.Event()
    countdown.begin(3_600, lambda: pytest.fail("replaced"))
    assert 3_590 < (countdown.left_s() or 0) <= 3_600
    countdown.begin(0.01, ended.set)
    assert ended.wait(60) and countdown.left_s() is None
    countdown.begin(3_600, lambda: pytest.fail("cancelled"))
    countdown.cancel()
    assert countdown.left_s() is None


def test_of_two_leaders_who_go_on_at_once_one_does(hub: QuestionHub) -> None:
    first = hub.ask("lead", ABOUT)
    hub.next_round("lead", first.id, ABOUT)
    with pytest.raises(BadInput, match="is gone"):
        hub.next_round("lead 2", first.id, ABOUT)
    with pytest.raises(BadInput, match="is gone"):
        hub.discard("lead 2", first.id)
    assert [one.question.round for one in hub.rounds()] == [1, 2]


def test_thirty_answer_at_once_and_each_is_kept(hub: QuestionHub, database: Database) -> None:
    asked = hub.ask("lead", ABOUT)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: hub.answer(f"v{n % 30}", asked.id, Guessed(f" w{n}")), range(60)))
    assert hub.stage().answered == 30
    assert len(hub_of(database).rounds()[0].answers) == 30


def test_subscribers_hear_of_what_concerns_them(hub: QuestionHub) -> None:
    heard: list[str] = []
    hub.subscribe(lambda: heard.append("stage"))
    end = hub.subscribe(lambda: heard.append("all"), answers=True)
    asked = hub.ask("lead", ABOUT)
    hub.answer("anna", asked.id, Guessed("x"))
    hub.answer("anna", asked.id, Guessed("x"))  # nothing new
    end()
    hub.close("lead", asked.id)
    assert heard == ["stage", "all", "all", "stage"]


def test_a_visitor_hears_of_own_answers_alone(hub: QuestionHub) -> None:
    heard: list[str] = []
    end = hub.subscribe_own("anna", lambda: heard.append("anna"))
    asked = hub.ask("lead", ABOUT)
    hub.answer("bert", asked.id, Guessed("x"))
    assert heard == []
    hub.answer("anna", asked.id, Guessed("x"))
    hub.answer("anna", asked.id, Guessed("x"))  # nothing new
    hub.remove_answer("lead", "anna")
    hub.remove_answer("lead", "anna")  # there is none
    end()
    hub.answer("anna", asked.id, Guessed("y"))
    assert heard == ["anna", "anna"]


def test_a_removed_persons_answer_goes_from_the_stage_and_earlier_ones_stay(
    hub: QuestionHub, database: Database
) -> None:
    first = hub.ask("lead", ABOUT)
    hub.answer("mallory", first.id, Guessed("ugly"))
    second = hub.next_round("lead", first.id, ABOUT)
    hub.answer("mallory", second.id, Guessed("ugly"))
    hub.answer("anna", second.id, Guessed(" mat"))
    with pytest.raises(BadInput, match="Only the leader"):
        hub.remove_answer("anna", "mallory")
    hub.reveal("lead", second.id)
    heard: list[str] = []
    hub.subscribe(lambda: heard.append("everybody"))
    hub.remove_answer("lead", "mallory")
    assert heard == ["everybody"], "what was revealed is in everybody's picture"
    for each in (hub, hub_of(database)):
        assert each.answered() == {"anna"}
        assert [[answer.visitor for answer in one.answers] for one in each.rounds()] == [["mallory"], ["anna"]]


def test_a_damaged_row_hides_no_other(hub: QuestionHub, database: Database) -> None:
    asked = hub.ask("lead", ABOUT)
    hub.answer("anna", asked.id, Guessed("x"))
    QuestionTable(database).put_answer(asked.id, "bert", "{", 1.0)
    QuestionTable(database).put_answer(asked.id, "carl", '{"temperature": 1}', 1.0)
    assert [answer.visitor for answer in hub_of(database).rounds()[0].answers] == ["anna"]
    QuestionTable(database).change(asked.id, result="[")
    assert hub_of(database).rounds() == ()
