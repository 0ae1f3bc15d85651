"""The room of this server, as the pages ask for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from playground.room.present import is_room_server, present_room
from playground.ui.kit import session
from playground.ui.kit.wake import Beside, rerunner
from playground.ui.runtime import session_id
from playground.ui.tabs import is_alive
from playground.ui.visitor import visitor_id

if TYPE_CHECKING:
    from playground.room.hub.room import Room

Subscribe = Callable[[Callable[[], None]], Callable[[], None]]
"""Takes who is to be told of changes, and gives what ends that."""


def the_room() -> Room | None:
    """None on a server without one. Raises StoreError."""
    return present_room(is_alive)


def leads() -> bool:
    """Whether this reader leads the room that is open."""
    room = the_room()
    return room is not None and room.is_leader(visitor_id())


def has_room() -> bool:
    """Whether this server was started with a room. Asks no store."""
    return is_room_server()


@dataclass(eq=False)
class _Listener:
    """A fragment of this session that a room wakes, and what else does."""

    room: Room
    people: bool
    others: tuple[Subscribe, ...]
    wake: Callable[[], None]
    ends: list[Callable[[], None]] = field(default_factory=list)
    ended: bool = False

    def end(self) -> None:
        self.ended = True
        for each in self.ends:
            each()


class _Listening(dict[str, _Listener]):
    """Those of this session, by the fragment's key."""


def wake_with_room(
    room: Room,
    key: str,
    every: float,
    *,
    people: bool = False,
    others: Sequence[Subscribe] = (),
    beside: Callable[[], Beside] = Beside,
) -> None:
    """From the body of the fragment of that key: run it again when the room changes, until this tab is gone.

    A tab whose connection was lost for a moment is gone to who changed something then; its next run listens again.
    ``every``: its timer in seconds. ``people``: when somebody comes, goes or follows, too. ``others``: when what they tell of
    changes, too.
    """
    asked = (room, people, tuple(others))
    listening, tab, wake = session.get(_Listening), session_id(), rerunner(key, every, beside)
    former = listening.get(key)
    if former is not None and (former.room, former.people, former.others) == asked and not former.ended:
        former.wake = wake  # another page has it at another place
        return
    if former is not None:
        former.end()
    listener = listening[key] = _Listener(*asked, wake)

    def notified() -> None:
        if is_alive(tab):
            listener.wake()
        else:
            listener.end()

    listener.ends += [room.subscribe(notified, people=people), *(subscribe(notified) for subscribe in others)]


def wake_now(key: str) -> None:
    """Run that fragment of this tab again once the present run has ended."""
    listener = session.get(_Listening).get(key)
    if listener is not None:
        listener.wake()
