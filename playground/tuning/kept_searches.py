"""Searches that are kept: what was asked for and how far it is, trial by trial, so that a killed one goes on where it was.

A trial's texts are not kept: what they came to is. Knows no page.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from playground.engine.api import CancelToken, Engine
from playground.errors import BadInput
from playground.models.info import ModelInfo
from playground.sampling.settings import SamplerSettings
from playground.store.records import LOCAL, SearchRecord, StoreError
from playground.tuning.examples import Example
from playground.tuning.measures import find_measure
from playground.tuning.plan import plan_values, read_plan
from playground.tuning.running import ROWS_AT_ONCE
from playground.tuning.search import PRESENT, SearchState, SearchStep, Trial, checked_state, run_search
from playground.tuning.search_plan import SearchPlan, SearchRange, bars_text, read_bars

if TYPE_CHECKING:
    from playground.store.connection import Database

MOST_SEARCHES = 50  # of a visitor
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, BadInput)


@dataclass(frozen=True, slots=True)
class KeptSearch:
    """``state``: None where it cannot be read, as after damage on the disk. ``created``: seconds since 1970."""

    id: str
    created: float
    model: str
    revision: str
    state: SearchState | None


class SearchStore:
    """One visitor's searches: another's are as if they were not there. All methods raise StoreError."""

    def __init__(self, visitor: str = LOCAL, database: Database | None = None) -> None:
        """``database``: None for the one of this process."""
        from playground.store.connection import shared_database  # SQLAlchemy takes a while, and a page opens without it
        from playground.store.searches import SearchTable

        self._rows = SearchTable(database or shared_database())
        self._visitor = visitor

    def start(self, plan: SearchPlan, info: ModelInfo) -> str:
        """A new one without trials; its id. Raises BadInput where as many as may be are kept."""
        if len(self._rows.searches(self._visitor)) >= MOST_SEARCHES:
            raise BadInput(f"At most {MOST_SEARCHES} searches are kept: delete one first.", "search")
        search, asked = uuid.uuid4().hex, json.dumps(_plan_values(plan), ensure_ascii=False)
        nothing = json.dumps(_progress_values(SearchState(plan)))
        self._rows.add(SearchRecord(search, self._visitor, time.time(), info.name, info.revision, asked, nothing))
        return search

    def put(self, search: str, state: SearchState) -> None:
        """How far it is. Raises StoreError where it is gone."""
        if not self._rows.put_progress(search, self._visitor, json.dumps(_progress_values(state))):
            raise StoreError("This search was deleted meanwhile, as from another tab: search anew.")

    def searches(self) -> tuple[KeptSearch, ...]:
        """All of them, the newest first."""
        return tuple(
            KeptSearch(record.id, record.created, record.model, record.revision, _state(record))
            for record in self._rows.searches(self._visitor)
        )

    def delete(self, search: str) -> None:
        """One that is not there is no error."""
        self._rows.delete(search, self._visitor)


def kept_search(
    engine: Engine,
    state: SearchState,
    store: SearchStore,
    search: str,
    cancel: CancelToken | None = None,
    *,
    rows: int = ROWS_AT_ONCE,
) -> Generator[SearchStep, None, SearchState]:
    """``run_search``, each trial stored as it ends. A trial that cannot be stored ends it."""
    stored = len(state.trials)
    with closing(run_search(engine, state, cancel, rows=rows)) as steps:
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                last_state: SearchState = end.value
                store.put(search, last_state)
                return last_state
            if len(step.state.trials) > stored:
                store.put(search, step.state)
                stored = len(step.state.trials)
            yield step


def _plan_values(plan: SearchPlan) -> dict[str, Any]:
    return {
        "plan": plan_values(replace(plan.beside({PRESENT: plan.present}, plan.examples), samples=1)),
        "samples": plan.samples,
        "ranges": [[each.name, each.low, each.high] for each in plan.ranges],
        "goal": plan.goal.name,
        "bars": bars_text(plan.bars),
        "texts": plan.texts,
    }


def _read_plan(values: Mapping[str, Any]) -> SearchPlan:
    own = read_plan(values["plan"], _no_file)
    return SearchPlan(
        examples=own.examples,
        present=own.settings[PRESENT],
        ranges=tuple(SearchRange(*each) for each in values["ranges"]),
        goal=find_measure(values["goal"]),
        bars=read_bars(values["bars"]),
        texts=values["texts"],
        samples=values["samples"],
        max_new_tokens=own.max_new_tokens,
        seed=own.seed,
        chat=own.chat,
    )


def _progress_values(state: SearchState) -> dict[str, Any]:
    trials = [[trial.settings.to_mapping(), dict(trial.means), trial.met] for trial in state.trials]
    values = {
        name: [[None if np.isnan(value) else value for value in row] for row in each.tolist()]
        for name, each in state.values.items()
    }
    return {"trials": trials, "finished": state.finished, "values": values}


def _state(record: SearchRecord) -> SearchState | None:
    try:
        plan, values = _read_plan(json.loads(record.plan)), json.loads(record.progress)
        trials = tuple(
            Trial(number, SamplerSettings.from_mapping(settings), means, met)
            for number, (settings, means, met) in enumerate(values["trials"])
        )
        state = SearchState(plan, trials, values["finished"])
        arrays = {name: np.array(each, dtype=float) for name, each in values["values"].items()}
        return checked_state(state, arrays) if arrays else state
    except _UNREADABLE:
        return None


def _no_file(name: str) -> tuple[Example, ...]:
    raise BadInput("A kept search has its examples in it.", "examples")
