"""Which parts of a page are redrawn after a callback."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from playground.ui import state


@pytest.mark.parametrize(
    ("asked", "drawn"),
    [
        ((state.PICTURES,), ["pictures", "pictures:address"]),
        ((state.TEXT,), ["text:choice"]),
        (("pictures:address",), ["pictures:address"]),
        ((state.PICTURES, "mark:top_k", "mark:gone"), ["pictures", "pictures:address", "mark:top_k"]),
        ((state.CONTROLS, "mark:top_k"), ["controls"]),  # which hold the mark
    ],
)
def test_a_part_is_redrawn_by_its_name_or_by_what_it_follows(
    monkeypatch: pytest.MonkeyPatch, asked: tuple[str, ...], drawn: list[str]
) -> None:
    session = {
        "page_parts": (state.PICTURES, "text:choice", "pictures:address", state.CONTROLS),
        "marks_drawn": {"mark:top_k"},
    }
    reruns: list[list[str]] = []
    monkeypatch.setattr(state.st, "session_state", session)
    monkeypatch.setattr(state.st, "rerun", reruns.append)
    monkeypatch.setattr(state, "get_script_run_ctx", lambda **options: SimpleNamespace(fragment_ids_this_run=["one"]))
    state.rerun_parts(*asked)
    assert reruns == [drawn]
