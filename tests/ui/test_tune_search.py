"""The tab Search: the budget stands before the search, it pauses and goes on, and its winner can be taken on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from playground.store.place import DATA_VARIABLE
from playground.tuning.examples import Example
from playground.tuning.kept_searches import SearchStore
from playground.tuning.preset import PresetStore
from playground.ui.tune_page.search_view import SearchDraft, SearchView
from playground.ui.tune_page.session import Draft
from tests.ui.conftest import Opened
from tests.ui.test_tune_plan import until

EXAMPLES = tuple(Example("ab" * n + "c", reference="defg") for n in range(1, 9))


@pytest.fixture(autouse=True)
def _own_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))


def searching(open_app: Callable[..., Opened], **fields: object) -> Opened:
    app = open_app({"temperature": "3"}, run=False)
    app.put(Draft(examples=EXAMPLES, measures=("chrf",), max_new_tokens=4, samples=1, chat=False))
    app.put(SearchDraft(**({"texts": 40, "ranges": {"temperature": (0.0, 3.0)}} | fields)))  # type: ignore[arg-type]
    app.at.switch_page("../../pages/tune.py")
    return app.hold(tune_section="Search")


def test_a_search_is_told_before_it_runs_and_its_winner_is_taken_on(open_app: Callable[..., Opened]) -> None:
    app = searching(open_app)
    assert "**7 settings** on 4 examples, 4 texts each" in app.texts()
    assert "On 4 examples no difference can be shown, whatever its size: bring 14 or more" in app.texts()
    app.at.button(key="search_start").click()
    until(app.run(), lambda opened: bool((state := opened.state(SearchView).state) and state.finished))
    state = app.state(SearchView).state
    assert state is not None and len(state.trials) == 7 and state.check is not None
    assert "On the 4 examples it was not chosen on its chrf is " in app.texts()
    assert "7 of 7 trials" in app.texts() and "the best so far has chrf" in app.texts()
    app.at.button(key="search_keep").click()
    app.run()
    (kept,) = PresetStore().presets()
    assert state.best is not None and kept.settings == state.best.settings and "7 settings were tried" in kept.why
    app.held.clear()
    app.at.button(key="search_add").click()
    app.run()
    assert app.at.session_state["tune_section"] == "Plan"
    assert state.best.settings in app.state(Draft).others.values()


def test_what_cannot_be_searched_is_said_where_it_is_asked_for(open_app: Callable[..., Opened]) -> None:
    app = searching(open_app, texts=10, bars="distinct-2 >= 0.1")
    assert "10 texts are too few" in app.errors[0] and app.at.button(key="search_start").disabled
    app.at.text_area(key="search_bars").set_value("distinct")
    assert "is no bar" in app.run().errors[0]
    app.at.number_input(key="search_texts").set_value(60)
    app.at.text_area(key="search_bars").set_value("tokens <= 3\n")
    app.run()
    assert not app.errors and not app.at.button(key="search_start").disabled
    app.at.multiselect(key="search_samplers").set_value(["temperature", "top_k"])
    app.run()
    assert app.state(SearchDraft).ranges == {"temperature": (0.0, 3.0), "top_k": (0, 200)}


def test_two_examples_are_too_few(open_app: Callable[..., Opened]) -> None:
    app = open_app(run=False)
    app.put(Draft(examples=EXAMPLES[:2]))
    app.at.switch_page("../../pages/tune.py")
    app.hold(tune_section="Search")
    assert [button for button in app.at.button if button.key == "tune_to_Examples"]


def test_a_search_outlives_its_session(open_app: Callable[..., Opened]) -> None:
    app = searching(open_app)
    app.at.button(key="search_start").click()
    until(app.run(), lambda opened: bool((state := opened.state(SearchView).state) and state.trials))
    if "search_pause" in [button.key for button in app.at.button]:
        app.at.button(key="search_pause").click()
    until(app.run(), lambda opened: not opened.state(SearchView).busy)
    (kept,) = SearchStore().searches()
    assert kept.state is not None and kept.state.trials

    fresh = open_app({"temperature": "1"}, run=False)
    fresh.at.switch_page("../../pages/tune.py")
    fresh.hold(tune_section="Search", search_kept=True)
    fresh.run()
    fresh.at.button(key=f"search_open_{kept.id}").click()
    fresh.run()
    assert fresh.state(Draft).examples == EXAMPLES and fresh.state(SearchDraft).ranges == {"temperature": (0.0, 3.0)}
    if not kept.state.finished:
        fresh.at.button(key="search_on").click()
    until(fresh.run(), lambda opened: bool((state := opened.state(SearchView).state) and state.finished))
    assert "On the 4 examples it was not chosen on its chrf is " in fresh.texts()
    until(fresh.run(), lambda opened: not opened.at.button(key=f"search_delete_{kept.id}").disabled)
    fresh.at.button(key=f"search_delete_{kept.id}").click()
    fresh.run()
    assert SearchStore().searches() == () and fresh.state(SearchView).state is None
