"""Which parts of a page are redrawn after a callback."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import streamlit as st

from playground.ui.kit import fragments
from playground.ui.kit.fragments import CONTROLS, PICTURES, TEXT

THERE = (TEXT, "text:overview", PICTURES, "pictures:address", CONTROLS)
STORAGE = SimpleNamespace(resolve_target=list)  # each part is its own id


@pytest.mark.parametrize(
    ("asked", "drawn"),
    [
        ((PICTURES,), [PICTURES, "pictures:address"]),
        ((TEXT,), [TEXT, "text:overview"]),
        (("pictures:address",), ["pictures:address"]),
        ((CONTROLS, PICTURES), [PICTURES, "pictures:address", CONTROLS]),
        ((), list(THERE)),
        (("of another page",), []),
    ],
)
def test_a_part_is_redrawn_by_its_name_or_with_what_it_is_a_part_of(
    monkeypatch: pytest.MonkeyPatch, asked: tuple[str, ...], drawn: list[str]
) -> None:
    reruns: list[list[str]] = []
    monkeypatch.setattr(st, "session_state", {"playground_parts": THERE, "playground_parts_drawn": set(THERE)})
    monkeypatch.setattr(st, "rerun", reruns.append)
    context = SimpleNamespace(fragment_ids_this_run=["one"], fragment_storage=STORAGE)
    monkeypatch.setattr(fragments, "get_script_run_ctx", lambda **options: context)
    fragments.redraw(*asked)
    assert reruns == ([drawn] if drawn else [])


def test_nothing_is_cut_short_while_the_whole_page_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    reruns: list[list[str]] = []
    monkeypatch.setattr(st, "rerun", reruns.append)
    context = SimpleNamespace(fragment_ids_this_run=[])
    monkeypatch.setattr(fragments, "get_script_run_ctx", lambda **options: context)
    fragments.redraw(PICTURES)
    assert reruns == []


@pytest.mark.parametrize(("running", "asked"), [([PICTURES], 0), (["look_next"], 1), ([CONTROLS], 1)])
def test_a_part_that_is_being_run_is_not_run_a_second_time(
    monkeypatch: pytest.MonkeyPatch, running: list[str], asked: int
) -> None:
    """Streamlit reruns the fragment of the widget anyway; asking for it again would be two runs for one move."""
    reruns: list[list[str]] = []
    state = {"playground_parts": (PICTURES,), "playground_parts_drawn": {PICTURES}}
    monkeypatch.setattr(st, "session_state", state)
    monkeypatch.setattr(st, "rerun", reruns.append)
    context = SimpleNamespace(fragment_ids_this_run=running, fragment_storage=STORAGE)
    monkeypatch.setattr(fragments, "get_script_run_ctx", lambda **options: context)
    fragments.redraw(PICTURES)
    assert len(reruns) == asked


def test_a_part_that_the_open_tab_has_not_is_left_out_and_the_others_are_redrawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Streamlit refuses the whole request where it knows one name not: the page stood still."""
    reruns: list[list[str]] = []
    drawn = {PICTURES, CONTROLS}
    monkeypatch.setattr(st, "session_state", {"playground_parts": THERE, "playground_parts_drawn": drawn})
    monkeypatch.setattr(st, "rerun", reruns.append)
    context = SimpleNamespace(fragment_ids_this_run=["one"], fragment_storage=STORAGE)
    monkeypatch.setattr(fragments, "get_script_run_ctx", lambda **options: context)
    fragments.redraw()
    assert reruns == [[PICTURES, CONTROLS]]
