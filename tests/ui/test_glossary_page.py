"""The Glossary page through Streamlit's own test double: every term is there, the search finds it, pages name no other."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from playground.glossary import GLOSSARY, define
from tests.ui.conftest import Opened

ROOT = Path(__file__).resolve().parents[2]
Open = Callable[..., Opened]


@pytest.fixture
def page(open_app: Open) -> Opened:
    app = open_app(run=False)
    app.at.switch_page("../../pages/glossary.py")
    return app.run()


def shown(app: Opened) -> list[str]:
    """The terms on screen, from top to bottom."""
    entries = [each.value.partition("**  \n") for each in app.at.main.markdown]
    return [term.removeprefix("**") for term, gap, _text in entries if gap]


def search(app: Opened, wanted: str) -> list[str]:
    app.at.text_input(key="glossary_search").set_value(wanted)
    return shown(app.run())


def test_every_term_is_defined_in_the_order_of_the_alphabet(page: Opened) -> None:
    assert shown(page) == sorted(GLOSSARY, key=str.lower)
    assert all(f"**{term}**  \n{text}" in page.texts() for term, text in GLOSSARY.items())
    assert not page.engine.calls and not page.errors, "a page of words needs no model"


def test_the_search_looks_at_terms_and_definitions_whatever_the_case(page: Opened) -> None:
    for term in GLOSSARY:
        assert term in search(page, term.upper())
    assert search(page, "nucleus sampling") == ["Top-p"]
    assert search(page, "") == sorted(GLOSSARY, key=str.lower)


@pytest.mark.parametrize("wanted", ["no such term", "(((", "**\\", "<b>"])
def test_what_is_not_there_is_said_with_a_next_step(page: Opened, wanted: str) -> None:
    assert search(page, wanted) == []
    assert [note.value for note in page.at.info] == ["No term matches. Clear the search to see all of them."]


def quoted_terms() -> Iterator[tuple[str, str]]:
    """The terms that pages quote: arguments of ``define``, and of ``why_it_matters`` after its text."""
    for path in sorted((ROOT / "playground" / "ui").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = node.func if isinstance(node, ast.Call) else None
            name = called.id if isinstance(called, ast.Name) else None
            if isinstance(node, ast.Call) and name in ("define", "why_it_matters"):
                for given in node.args[name == "why_it_matters" :]:
                    if isinstance(given, ast.Constant) and isinstance(given.value, str):
                        yield path.name, given.value


def test_every_term_that_a_page_quotes_is_defined() -> None:
    quoted = list(quoted_terms())
    assert len(quoted) > 20
    for _page, term in quoted:
        assert define(term).endswith("."), term
