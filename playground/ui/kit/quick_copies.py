"""Streamlit's copies of a part's place on the page, made quickly.

With each part that it draws, and again with each run of one, Streamlit copies the containers that the part stands in, and for
each of them its parents anew: by Python's general way, a third of what a run of a part costs the server. Here an ancestor is
copied once, so that who shared it still does, and its cursor field by field. The copies are as independent as before.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from streamlit.cursor import Cursor, SparseList
from streamlit.delta_generator import DeltaGenerator


def copy_quickly() -> None:
    """From now on, in this process. Calling it again changes nothing."""
    DeltaGenerator.__deepcopy__ = _copy_container  # type: ignore[method-assign, assignment]
    Cursor.__deepcopy__ = _copy_cursor  # type: ignore[attr-defined]


def _copy_container(self: DeltaGenerator, memo: dict[int, Any]) -> DeltaGenerator:
    duplicate = DeltaGenerator(
        root_container=self._root_container,
        cursor=deepcopy(self._cursor, memo),
        parent=deepcopy(self._parent, memo),
        block_type=self._block_type,
    )
    duplicate._form_data = self._form_data  # a tuple of one name
    duplicate._creating_fragment_id = self._creating_fragment_id
    return duplicate


def _copy_cursor(self: Cursor, memo: dict[int, Any]) -> Cursor:
    duplicate = object.__new__(type(self))
    duplicate.__dict__.update(self.__dict__)
    shown = self._transient_elements
    duplicate._transient_elements = deepcopy(shown, memo) if len(shown) else SparseList()
    return duplicate
