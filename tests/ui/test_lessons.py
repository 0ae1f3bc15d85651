"""The lessons that come with the app, from start to end: each step opens its page as it says, and nothing is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from pages import PAGES
from playground.engine.fake.engine import FakeEngine
from playground.room.lesson import SHIPPED, Lesson, read_lesson
from playground.state.setup import Setup
from tests.ui.conftest import Opened


@pytest.fixture(autouse=True)
def _own_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PLAYGROUND_DATA", str(tmp_path))


@pytest.fixture
def engine() -> FakeEngine:
    """With as many layers and heads as the steps name."""
    engine = FakeEngine()
    engine._info = replace(engine.info, layers=13, heads=4, kv_heads=2)
    return engine


def shipped(name: str) -> Lesson:
    return read_lesson(SHIPPED[name].read_text(encoding="utf-8"), ["", *PAGES])


STEPS = [(name, place) for name in SHIPPED for place in range(len(shipped(name).steps))]


@pytest.mark.parametrize(("name", "place"), STEPS)
def test_a_step_opens_what_it_says(open_app: Callable[..., Opened], name: str, place: int) -> None:
    step = shipped(name).steps[place]
    parts = urlsplit(step.link)
    page, query = PAGES[parts.path.strip("/")], dict(parse_qsl(parts.query))
    app = open_app(query, run=False)
    app.at.switch_page(f"../../pages/{page.name}.py")
    app.run()
    assert app.errors == []
    assert app.at.title[0].value == page.title
    if "try" in query:
        experiment = page.experiments[query["try"]]
        assert experiment.look in app.texts()
        assert app.state(Setup).prompt == experiment.setup["prompt"]
        if page.state is not None:
            state = app.state(page.state)
            assert {field: getattr(state, field) for field in experiment.state} == dict(experiment.state)
    else:
        assert app.state(Setup).prompt == query["prompt"]
    section = query.get("view") or ("" if "try" not in query else page.experiments[query["try"]].section)
    if section:
        assert app.at.session_state[page.section_key] == page.sections[section].title
