"""One model in memory, whatever a client sends and however a link spells it."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest
import streamlit as st

from playground.engine.fake.engine import FakeEngine
from playground.engine.serving.loading import Loading, ModelChoice
from playground.errors import ModelError, ModelNotFound
from playground.models.catalogue import DEFAULT_MODEL
from playground.ui import runtime
from playground.ui.kit.pace import crowded
from tests.ui.conftest import Opened

Open = Callable[..., Opened]


class Openings:
    """An opener that takes note."""

    def __init__(self) -> None:
        self.choices: list[ModelChoice] = []

    def __call__(self, choice: ModelChoice, _progress: object) -> FakeEngine:
        self.choices.append(choice)
        return FakeEngine()


def test_a_client_that_clears_the_caches_loads_nothing(open_app: Open) -> None:
    """What ``BackMsg(clear_cache=True)`` does on the server: Streamlit clears both of its caches."""
    openings = Openings()
    opened = open_app(opener=openings)
    pool = runtime.model_pool()
    for _ in range(3):
        st.cache_data.clear()
        st.cache_resource.clear()
        opened.run()
    assert runtime.model_pool() is pool and openings.choices == [ModelChoice()]


@pytest.mark.parametrize("spelt", [{"model": DEFAULT_MODEL}, {"device": "cpu"}, {"dtype": "float32"}])
def test_a_link_that_spells_the_default_out_shares_it(open_app: Open, spelt: dict[str, str]) -> None:
    openings = Openings()
    opened = open_app(spelt, opener=openings)
    assert openings.choices == [ModelChoice()] and opened.bars["rows"]
    assert "which is not loaded here" not in opened.texts()


def test_the_engine_is_told_of_a_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[object] = []

    def make_engine(*wishes: object) -> FakeEngine:
        given.extend(wishes)
        return FakeEngine()

    monkeypatch.setattr("playground.engine.factory.make_engine", make_engine)
    runtime._open_engine(ModelChoice(), Loading(ModelChoice()))
    assert crowded in given


def test_what_is_permanent_is_spared_by_collections_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thawing is recorded only: here it would be the tests' own objects (tests/conftest.py)."""
    thawed: list[bool] = []
    monkeypatch.setattr(gc, "unfreeze", lambda: thawed.append(True))
    runtime.spare_permanent_objects()
    assert gc.get_freeze_count() > 100_000 and not thawed, "libraries among them"
    runtime.close_pool()
    assert thawed


def test_ready_is_who_has_a_model(open_app: Open) -> None:
    """One that failed is tried again at the next look: the server that it is behind may have come."""
    tried: list[int] = []

    def fails_once(choice: ModelChoice, _progress: object) -> FakeEngine:
        tried.append(1)
        if len(tried) == 1:
            raise ModelNotFound("Nothing is there: start it.")
        return FakeEngine()

    open_app(opener=fails_once)
    with pytest.raises(ModelError):
        runtime.check_model()
    assert runtime.model_pool().keep_ready(ModelChoice()).done.wait(10)
    runtime.check_model()
