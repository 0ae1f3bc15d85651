"""A leader's candidates on the pages of those who follow: they look at hers, and the model writes them once."""

from __future__ import annotations

from dataclasses import dataclass

from playground.engine.serving.worker import Worker
from playground.errors import PlaygroundError
from playground.testtime.live_run import LiveRun
from playground.ui.best_of_n_page.session import BestOfNSession, ModelSession
from playground.ui.kit import session
from playground.ui.kit.jobs import Pending
from playground.ui.workspace.model import loaded_model
from playground.ui.workspace.shown import find_shown, shown_as


@dataclass(frozen=True, slots=True)
class FollowedRun:
    """What is on the leader's screen and has not been taken over here yet; "" for nothing."""

    on_screen: str = ""


def tell_run() -> str:
    """Which run is on screen and which candidate is open, for who follows; "" for none."""
    try:
        own = session.get(BestOfNSession).of_model(loaded_model().engine.info.id)
    except (Pending, PlaygroundError):
        return ""
    if own.run.request is None:
        return ""
    return f"{shown_as(own)}.{shown_as(own.run)}.{'' if own.opened is None else own.opened}"


def follow_run(on_screen: str) -> None:
    """Show it at the next look at the pictures."""
    session.put(FollowedRun(on_screen))


def take_over_run(own: ModelSession, worker: Worker) -> None:
    """Once after ``follow_run``: the leader's run in the place of one's own, if it is of this model and still hers."""
    on_screen = session.get(FollowedRun).on_screen
    if not on_screen:
        return
    session.put(FollowedRun())
    name, run, opened = on_screen.split(".")
    leader, theirs = find_shown(name, ModelSession), find_shown(run, LiveRun)
    if leader is None or leader is own or leader.run is not theirs or leader.model != worker.engine.info.id:
        return
    own.follow(leader)
    own.opened = int(opened) if opened else None
