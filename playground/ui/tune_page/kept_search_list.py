"""A visitor's kept searches, on one's own machine all: open, delete."""

from __future__ import annotations

from functools import partial

from playground.tuning.kept_searches import KeptSearch, SearchStore
from playground.ui.kit import session
from playground.ui.kit.fragments import redraw
from playground.ui.kit.job_view import tried
from playground.ui.kit.kept_list import KeptLine, KeptList
from playground.ui.kit.markdown import escape_markdown
from playground.ui.tune_page.search_view import SearchView, delete_search, open_search, search_view
from playground.ui.visitor import owner_id


def kept_list() -> None:
    """The list, closed at first."""
    KeptList("searches", "search", "this search", "Pause the search that runs first.", _open, _delete).draw(
        lambda: [_line(each) for each in _searches()],
        lambda: session.get(SearchView).id,
        lambda: session.get(SearchView).busy,
    )


def _searches() -> tuple[KeptSearch, ...]:
    return SearchStore(owner_id()).searches()


def _line(kept: KeptSearch) -> KeptLine:
    if kept.state is None:
        return KeptLine(kept.id, kept.created, "unreadable", None)
    done = "finished" if kept.state.finished else f"{len(kept.state.trials)} of {kept.state.plan.trials} trials"
    said = f"{escape_markdown(kept.state.plan.goal.name)} · {done}"
    opens = f"Begun with {escape_markdown(kept.model)}. Takes its examples and settings into the page."
    return KeptLine(kept.id, kept.created, said, opens)


def _open(search: str) -> None:
    for kept in _searches():
        if kept.id == search:
            open_search(kept)
    redraw()


def _delete(search: str) -> None:
    tried(search_view, partial(delete_search, search))()
    redraw()
