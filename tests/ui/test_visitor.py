"""Who looks at a page, as a script of Streamlit's finds it."""

from __future__ import annotations

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from playground.server.visitor import COOKIE
from playground.store.place import DATA_VARIABLE
from playground.ui.visitor import visitor_cookies


def script() -> None:
    import streamlit

    from playground.ui.visitor import visitor_id

    streamlit.text(visitor_id())


def named() -> str:
    at = AppTest.from_function(script).run()
    assert not at.exception
    return str(at.text[0].value)


@pytest.fixture(autouse=True)
def _own_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path))


def cookies(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setattr(type(st.context), "cookies", {COOKIE: value})


def test_the_signed_cookie_names_the_visitor_on_all_its_tabs(monkeypatch: pytest.MonkeyPatch) -> None:
    cookies(monkeypatch, visitor_cookies().make("a browser"))
    assert [named(), named()] == ["a browser", "a browser"]


def test_without_a_valid_cookie_the_tab_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    without = named()
    cookies(monkeypatch, "a browser.of someone else")
    assert without and named() and "browser" not in named()


def test_a_login_names_the_visitor_on_every_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    cookies(monkeypatch, visitor_cookies().make("a browser"))
    monkeypatch.setattr(type(st.user), "to_dict", lambda self: {"is_logged_in": True, "iss": "https://id", "sub": "7"})
    first = named()
    monkeypatch.setattr(type(st.user), "to_dict", lambda self: {"is_logged_in": True, "iss": "https://id", "sub": "8"})
    assert first.startswith("login-") and len(first) <= 64 and named() != first
    monkeypatch.setattr(type(st.user), "to_dict", lambda self: {"is_logged_in": False})
    assert named() == "a browser"


def test_what_is_stored_belongs_to_the_machine_or_on_a_shared_server_to_the_visitor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from playground.store.records import LOCAL
    from playground.ui.visitor import owner_id

    cookies(monkeypatch, visitor_cookies().make("a browser"))
    assert owner_id() == LOCAL
    monkeypatch.setenv("PLAYGROUND_SHARED", "1")
    assert owner_id() == "a browser"
