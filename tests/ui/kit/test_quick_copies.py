"""Copies of where a part stands: the same places as Streamlit's own copies, and as independent."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from streamlit.cursor import Cursor, LockedCursor, RunningCursor
from streamlit.delta_generator import DeltaGenerator

from playground.ui.kit.quick_copies import copy_quickly


def stack() -> tuple[DeltaGenerator, ...]:
    """Containers in each other, with a form, of which the last has drawn two elements and shows a passing one."""
    cursors: list[Cursor] = [RunningCursor(0), RunningCursor(0, (1,)), LockedCursor(0, (1, 4), 2)]
    containers: list[DeltaGenerator] = []
    for cursor in cursors:
        containers.append(DeltaGenerator(0, cursor, containers[-1] if containers else None, "column"))
        containers[-1]._creating_fragment_id = f"part {len(containers)}"
    cursors[1].lock_element(), cursors[1].lock_element()
    cursors[1]._transient_index = 3
    shown: Any = {"text": "a spinner"}
    cursors[1]._transient_elements[3] = shown
    return tuple(containers)


def cursor_states(containers: tuple[DeltaGenerator, ...]) -> list[Any]:
    return [
        (
            type(each._cursor),
            {**vars(each._cursor), "_transient_elements": dict(each._cursor._transient_elements.items())},
            each._block_type,
            each._form_data,
            each._creating_fragment_id,
        )
        for last in containers
        for each in last._ancestors
        if each._cursor is not None
    ]


@pytest.fixture
def streamlits_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[DeltaGenerator, ...]]:
    """A copy made by Streamlit; from then on ours are."""
    yielded = deepcopy(stack())
    monkeypatch.setattr(DeltaGenerator, "__deepcopy__", DeltaGenerator.__deepcopy__)
    monkeypatch.setattr(Cursor, "__deepcopy__", None, raising=False)
    copy_quickly()
    yield yielded


def test_a_copy_stands_where_streamlits_own_does(streamlits_own: tuple[DeltaGenerator, ...]) -> None:
    assert cursor_states(deepcopy(stack())) == cursor_states(streamlits_own)
    assert deepcopy({0: RunningCursor(0, (2,))})[0].delta_path == [0, 2, 0]


def test_what_the_copy_draws_moves_nothing_in_the_original(streamlits_own: tuple[DeltaGenerator, ...]) -> None:
    original = stack()
    before, duplicate = cursor_states(original), deepcopy(original)
    for each in duplicate:
        assert each._cursor is not None
        each._cursor.lock_element()
        each._cursor.transient_elements[9] = each._cursor  # type: ignore[assignment]
    assert cursor_states(original) == before
    assert duplicate[2]._parent is duplicate[1], "an ancestor is copied once"
