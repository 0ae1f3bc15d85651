"""The ballot in view, who votes, and what a vote does: the session's side of the page Preferences."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from playground.errors import PlaygroundError
from playground.preferences.ballots import Ballot, Verdict
from playground.preferences.kept import BallotStore, KeptBallot
from playground.preferences.ready import READY_NAME, ready_ballot
from playground.state.preferences import PreferencesState
from playground.ui.kit import session
from playground.ui.kit.fragments import PICTURES, redraw
from playground.ui.visitor import owner_id

LONGEST_NAME = 40
MOST_SECONDS = 600.0  # who looks away for longer has not been reading two answers


@dataclass(frozen=True, slots=True)
class Voter:
    """Who votes in this tab, and the group they speak for."""

    name: str = "me"
    group: str = ""


@dataclass(eq=False)
class _Shown:
    """Since when this tab shows what is to be judged, monotonic seconds."""

    since: float = 0.0


def store() -> BallotStore:
    """This visitor's. Raises StoreError."""
    return BallotStore(owner_id())


def opened() -> KeptBallot:
    """The ballot in view: the link's, else the newest, else the answers that ship, not kept yet (its id is "")."""
    wanted = session.get(PreferencesState).ballot
    own = store()
    if wanted:
        return own.load(wanted)
    newest = own.ballots()[:1]
    return own.load(newest[0].id) if newest else KeptBallot("", READY_NAME, ready_ballot(), (), ())


def open_ballot(ballot: str) -> None:
    """Bring one into view; "" for the newest."""
    session.change(PreferencesState, ballot=ballot, question=1)


def kept_id() -> str:
    """The id of the ballot in view, which is kept from now on."""
    kept = opened()
    if kept.id:
        return kept.id
    return add_ballot(kept.name, kept.ballot)


def add_ballot(name: str, ballot: Ballot, verdicts: Sequence[Verdict] = ()) -> str:
    """Keep a new ballot and bring it into view."""
    ballot_id = store().add(name.strip()[: LONGEST_NAME * 2] or "Ballot", ballot, verdicts)
    open_ballot(ballot_id)
    return ballot_id


def cast(verdicts: Sequence[Verdict]) -> None:
    """Keep votes on the ballot in view. Raises BadInput for answers that are not in it."""
    kept = opened()
    for verdict in verdicts:
        kept.ballot.check(verdict)
    store().vote(kept_id(), [replace(verdict, at=verdict.at or time.time()) for verdict in verdicts])


def note_shown() -> None:
    """What is to be judged is on screen from now on."""
    session.get(_Shown).since = time.monotonic()


def seconds_since_shown() -> float:
    """How long it was looked at; the next is on screen from now on. 0 where nobody knows."""
    shown = session.get(_Shown)
    spent, shown.since = time.monotonic() - shown.since if shown.since else 0.0, time.monotonic()
    return round(spent, 1) if spent < MOST_SECONDS else 0.0


def attempt(action: Callable[..., object], *parts: str) -> Callable[..., None]:
    """A callback that does ``action``, tells what it refuses, and redraws the named parts (the pictures where none is named)."""

    def callback(*args: object) -> None:
        session.clear_problems()
        try:
            action(*args)
        except PlaygroundError as error:
            session.note_problem(str(error))
        redraw(*(parts or (PICTURES,)))

    return callback
