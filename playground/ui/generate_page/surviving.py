"""A generation survives its process: stored while it grows, taken up by the process that the reader's browser finds next.

Stored at most every two seconds, and more rarely the longer storing takes; what came after the last time is written anew,
with the same seed. Where the model draws in this process these are the same tokens.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import parse_qsl

from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.generation.tree import History, Tree
from playground.generation.under_way import Snapshot, from_text, to_text
from playground.state.setup import read_setup, setup_query
from playground.store.place import is_shared
from playground.ui.generate_page.actions import request_for, start_texts
from playground.ui.generate_page.session import GenerateSession, opened
from playground.ui.kit import session
from playground.ui.workspace.survival import keep_for_tab, kept_for_tab

EVERY_S = 2.0
SHARE = 20  # of the time at most one part goes into storing
SECTIONS = ("write", "compare")


@dataclass(eq=False)
class _Stored:
    """What was stored last of a work."""

    tree: Tree | None = None
    busy: bool = False
    next: float = 0.0


class _StoredWorks(dict[str, _Stored]):
    """By section and model."""


def store_progress(work: GenerateSession, section: str, worker: Worker) -> None:
    """At each look: store the work if it has changed, it is time, or it has just ended.

    Where nothing is stored for tabs it is not put into words either: that was a third of what thirty pages take.
    """
    if work.run is None or work.leader is not None or not is_shared():
        return
    what = _what(section, worker)
    stored, now, busy = session.get(_StoredWorks).setdefault(what, _Stored()), time.monotonic(), work.stream is not None
    if (stored.tree is work.tree and stored.busy == busy) or (busy and now < stored.next):
        return
    run, setup = work.whole_run(), work.setup
    assert run is not None
    stream = work.stream or (work.last if work.last is not None and work.last.problem else None)  # a process that ends
    left = {} if stream is None else stream.left()
    snapshot = Snapshot(run, left, "" if setup is None else setup_query(setup), work.letters)
    keep_for_tab(what, to_text(snapshot, worker.engine.codec))
    took = time.monotonic() - now
    stored.tree, stored.busy, stored.next = work.tree, busy, now + max(EVERY_S, SHARE * took)


def take_up(worker: Worker) -> None:
    """Once a tab and model: what the process before was writing for this tab, shown and gone on with."""
    for section in SECTIONS:
        what = _what(section, worker)
        text = kept_for_tab(what) if session.once(f"take up {what}") else None
        if text is not None and opened(section, worker).run is None:
            _take_up(opened(section, worker), worker, text)


def _take_up(work: GenerateSession, worker: Worker, text: str) -> None:
    try:
        snapshot = from_text(text, worker.engine.info)
    except PlaygroundError:
        return  # of another version of the model: written anew
    run, tree = snapshot.run, snapshot.run.tree
    work.run, work.history, work.letters = run, History(tree), tuple(snapshot.letters)
    work.setup = read_setup(dict(parse_qsl(snapshot.setup, keep_blank_values=True))).state if snapshot.setup else None
    branches = [tree[branch] for branch, count in snapshot.left.items() if count > 0]
    if not branches:
        return
    try:
        requests = [
            request_for(run, branch.settings, branch.seed, tree.path(branch.id), snapshot.left[branch.id])
            for branch in branches
        ]
        ids, before = [branch.id for branch in branches], [branch.steps for branch in branches]
        work.stream = start_texts(worker, requests, ids, before)
        work.note = "The process that was writing this text has ended; another one goes on from what it had stored."
    except PlaygroundError as error:
        work.problem = str(error)


def _what(section: str, worker: Worker) -> str:
    return f"{section} {worker.engine.info.id}"
