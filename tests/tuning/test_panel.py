"""The judges of a kept tuning: questions out of its texts, votes into the store, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from playground.engine.fake.engine import FakeEngine
from playground.errors import BadInput
from playground.store.connection import Database
from playground.store.place import sqlite_url
from playground.tuning.judging import Question, Unit
from playground.tuning.panel import ModelOpinion, Panel
from playground.tuning.runs import TuningStore, kept_texts
from tests.tuning.test_runs import begun, plan_of

EXAMPLES = [{"prompt": text, "system": ""} for text in ("ab", "hello", "the cat", "a dog")]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    panel_database = Database(sqlite_url(tmp_path))
    yield panel_database
    panel_database.close()


@pytest.fixture
def tuning(database: Database) -> str:
    """Maria's, written to the end."""
    plan, store = plan_of(examples=EXAMPLES), TuningStore("maria", database)
    writer = begun(store, plan)
    list(kept_texts(FakeEngine(), plan, writer, written={}))
    return writer.tuning


def test_a_judge_by_link_votes_and_the_owner_sees_it(database: Database, tuning: str) -> None:
    owner = Panel(tuning, "maria", database=database)
    token = owner.new_link()
    judge = Panel.by_link(token, database=database)
    judge.admit("anna", "Anna", "anna")
    (question,) = judge.turn("anna", 1).questions
    texts = TuningStore("maria", database).load(tuning).texts
    assert {question.left_text, question.right_text} <= {text.text for text in texts.values()}
    judge.vote("anna", question, "left")
    judge.vote("anna", question, "both_bad")  # twice: the last word counts
    (asked,) = [each for each in owner.judgements() if each.verdict != "same"]
    assert (asked.unit, asked.judge, asked.verdict, asked.left) == (question.unit, "anna", "both_bad", question.left)
    assert owner.judges()["anna"].nickname == "Anna"
    (following,) = judge.turn("anna", 1).questions
    assert following.unit != question.unit
    judge.undo("anna", question)
    assert question.unit not in {each.unit for each in owner.judgements()}


def test_a_link_that_is_revoked_and_a_tuning_that_is_gone_say_so(database: Database, tuning: str) -> None:
    owner = Panel(tuning, "maria", database=database)
    with pytest.raises(BadInput, match="not valid any more"):
        Panel.by_link("guessed", database=database)
    judge = Panel.by_link(owner.new_link(), database=database)
    (question,) = judge.turn("anna", 1).questions
    owner.revoke_link()
    with pytest.raises(BadInput, match="not valid any more"):
        judge.vote("anna", question, "left")
    owner.vote("maria", question, "left")  # who made it needs no link
    TuningStore("maria", database).delete(tuning)
    for act in (lambda: owner.vote("maria", question, "tie"), lambda: owner.turn("maria", 1).questions, owner.new_link):
        with pytest.raises(BadInput, match="no such tuning"):
            act()


def test_words_and_texts_that_are_none_are_refused(database: Database, tuning: str) -> None:
    owner = Panel(tuning, "maria", database=database)
    (question,) = owner.turn("maria", 1).questions
    with pytest.raises(BadInput, match="one of the two answers"):
        owner.vote("maria", question, "same")
    with pytest.raises(BadInput, match="not among those"):
        owner.vote("maria", Question(Unit(9, 0, "today", "cold"), "first", "", "", "", ""), "left")
    stranger = Panel(tuning, "bob", database=database)
    with pytest.raises(BadInput, match="no such tuning"):
        stranger.turn("bob", 1)


def test_who_knows_a_tuning_s_id_alone_does_not_come_by_its_link(database: Database, tuning: str) -> None:
    owner, stranger = (Panel(tuning, name, database=database) for name in ("maria", "bob"))
    token = owner.new_link()
    for act in (stranger.link, stranger.new_link, stranger.revoke_link, lambda: stranger.admit("bob", "Bob", "bob")):
        with pytest.raises(BadInput, match="no such tuning"):
            act()
    assert owner.link() == token and not owner.judges()


def test_what_is_not_written_yet_is_not_asked_about(database: Database) -> None:
    plan, store = plan_of(examples=EXAMPLES), TuningStore("maria", database)
    writer = begun(store, plan)
    panel = Panel(writer.tuning, "maria", database=database)
    assert panel.turn("maria", 5).questions == ()
    list(kept_texts(FakeEngine(), plan, writer, written={}))
    assert panel.turn("maria", 5).questions  # the texts that have come since


def test_a_models_opinions_are_kept_apart_from_votes(database: Database, tuning: str) -> None:
    owner = Panel(tuning, "maria", database=database)
    opinion = ModelOpinion(Unit(0, 1, "today", "cold"), "m", 0.5, -0.25)
    owner.put_opinions([opinion])
    assert owner.opinions() == (opinion,) and owner.judgements() == ()
