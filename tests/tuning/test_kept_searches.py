"""Kept searches: one that was cut off anywhere comes to the same end as one that was not, and another's is not there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from playground.engine.fake.engine import fake_info
from playground.engine.pieces import finish
from playground.errors import BadInput
from playground.store.connection import Database
from playground.store.place import sqlite_url
from playground.store.records import StoreError
from playground.tuning import kept_searches
from playground.tuning.examples import Example
from playground.tuning.kept_searches import SearchStore, kept_search
from playground.tuning.measures import MEASURES
from playground.tuning.search import SearchState, run_search, search_words
from playground.tuning.search_plan import Bar
from tests.tuning.test_search import engine_with, plan_of

INFO = fake_info()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    search_database = Database(sqlite_url(tmp_path))
    yield search_database
    search_database.close()


def test_a_search_that_is_cut_off_anywhere_comes_to_the_same_end(database: Database) -> None:
    bar = Bar(MEASURES["distinct-2"], True, 0.125)
    mixed = (*plan_of().examples[:15], Example("aa"))  # one without a reference has no value
    plan, store = plan_of(bars=(bar,), examples=mixed, samples=2, texts=180), SearchStore("ann", database)
    whole = finish(run_search(engine_with(2.0), SearchState(plan)))
    search = store.start(plan, INFO)
    for taken in (9, 12):  # steps that each process gets so far as
        (kept,) = store.searches()
        assert kept.state is not None
        with closing(kept_search(engine_with(2.0), kept.state, store, search)) as steps:
            for _, step in zip(range(taken), steps, strict=False):
                assert not step.state.finished
        (after,) = store.searches()
        assert after.state is not None and len(after.state.trials) > len(kept.state.trials)
    (kept,) = store.searches()
    assert kept.state is not None and not kept.state.finished and kept.model == INFO.name
    ended = finish(kept_search(engine_with(2.0), kept.state, store, search))
    (kept,) = store.searches()
    assert kept.state is not None and kept.state.plan == plan
    for state in (ended, kept.state):
        assert state.finished and search_words(state) == search_words(whole)
        assert [(t.settings, dict(t.means), t.met) for t in state.trials] == [
            (t.settings, dict(t.means), t.met) for t in whole.trials
        ]


def test_another_s_is_not_there_and_a_deleted_one_is_said(database: Database) -> None:
    store, other = SearchStore("ann", database), SearchStore("bob", database)
    search = store.start(plan_of(), INFO)
    other.delete(search)
    assert other.searches() == () and len(store.searches()) == 1
    with pytest.raises(StoreError, match="deleted"):
        other.put(search, SearchState(plan_of()))
    running = kept_search(engine_with(2.0), SearchState(plan_of()), store, search)
    next(running)
    store.delete(search)
    with pytest.raises(StoreError, match="deleted meanwhile"):
        list(running)


def test_as_many_as_may_be_are_kept(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_searches, "MOST_SEARCHES", 1)
    store = SearchStore("ann", database)
    store.start(plan_of(), INFO)
    with pytest.raises(BadInput, match="At most 1 searches"):
        store.start(plan_of(), INFO)


@pytest.mark.parametrize("damage", ["{", '{"trials": [[{"temperature": -7}, {}, true]]}', "[]", '{"trials": 3}'])
def test_a_damaged_one_is_listed_as_that(database: Database, damage: str) -> None:
    store = SearchStore("ann", database)
    search = store.start(plan_of(), replace(INFO, name="<b>"))
    with database.session() as session:
        session.execute(text("UPDATE searches SET progress = :damage"), {"damage": damage})
    (kept,) = store.searches()
    assert kept.state is None and kept.id == search and kept.model == "<b>"
