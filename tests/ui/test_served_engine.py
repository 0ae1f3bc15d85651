"""Every page on an engine that only streams and tells the top of a row: it works, or says in one sentence what is missing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pages import PAGES
from playground.engine.fake.served import ServedFakeEngine
from tests.ui.conftest import Opened


@pytest.mark.parametrize("name", PAGES)
def test_a_page_works_or_says_in_one_sentence_what_is_missing(open_app: Callable[..., Opened], name: str) -> None:
    app = open_app(opener=lambda choice, progress: ServedFakeEngine(), run=False)
    app.at.switch_page(f"../../pages/{name}.py")
    app.run()
    assert len(app.errors) <= 1, app.errors
    for problem in app.errors:
        assert "Served fake has" in problem or "this engine tells" in problem, problem
        assert "choose a" in problem, problem
    if not PAGES[name].needs:
        assert not app.errors
