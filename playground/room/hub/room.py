"""A room: who has joined, who leads, what is shown, where the lesson stands. Thread-safe, in front of the store.

Everything is in the store before anybody is told of it, so a server that is killed goes on where it was. Only who is connected
is known to this process alone. Subscribers are called after the lock is released, from the thread of whoever changed
something; they must not wait. Must not know streamlit, pages or models.
"""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from playground.errors import BadInput, LimitReached
from playground.room.codes import changes_of_place, is_same, leader_secret, new_code, read_code, wrong_codes
from playground.room.people import choose_nickname, nickname_key, numbered
from playground.room.state import Member, RoomView, Shown
from playground.room.subscribers import Subscribers
from playground.store.rooms import MemberRecord, RoomRecord, RoomTable

MOST_MEMBERS = 200
MOST_LINK = 64_000  # characters: a link carries a prompt
MOST_LESSON = 200_000
_TICKET_S = 600.0  # a browser's first page on a server that has just been started takes its time
_WRONG_CODE = "This is not the code of the room: read it again on the wall."


class Room:
    """One room. ``is_connected``: whether a tab of this id is; ``server_secret``: what the leader's link is made of.

    ``clock`` is stored; how long something takes is counted by ``steady``, which nobody sets.
    """

    def __init__(
        self,
        table: RoomTable,
        record: RoomRecord,
        *,
        server_secret: str,
        is_connected: Callable[[str], bool] = lambda _session: True,
        clock: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises StoreError."""
        self._table, self._record = table, record
        self._secret = leader_secret(server_secret, record.id)
        self._is_connected, self._clock, self._steady = is_connected, clock, steady
        self._members = {member.visitor: member for member in table.members(record.id)}
        self._tabs: dict[str, set[str]] = {}
        self._tickets: dict[str, float] = {}
        self._called: set[str] = set()
        self._wrong, self._changes = wrong_codes(), changes_of_place()
        self._lock = threading.RLock()
        self._version = 0
        self._step_at: float | None = None
        self._subscribers = Subscribers()

    @property
    def id(self) -> str:
        """What it is called in the store; the code may change, this does not."""
        return self._record.id

    @property
    def secret(self) -> str:
        """What the leader's link carries. For the terminal that opened the room, and for nobody else."""
        return self._secret

    # -- looking -----------------------------------------------------------------------------------------------------------

    def view(self) -> RoomView:
        with self._lock:
            record = self._record
            members = tuple(self._member(member) for member in self._members.values())
            since = None if self._step_at is None else self._steady() - self._step_at
            shown = self.shown()
            return RoomView(
                record.code, record.leader, members, shown, record.lesson, record.step, self._version, since
            )

    def shown(self) -> Shown | None:
        """What the leader shows; None before the first page."""
        with self._lock:
            return Shown(self._record.link, self._record.moves) if self._record.link else None

    def member(self, visitor: str) -> Member | None:
        """This visitor's place; None who has not joined."""
        with self._lock:
            record = self._members.get(visitor)
            return None if record is None else self._member(record)

    def is_leader(self, visitor: str) -> bool:
        with self._lock:
            return visitor != "" and visitor == self._record.leader

    def may_answer(self, visitor: str) -> bool:
        """Whether this visitor has joined and does not lead."""
        with self._lock:
            return visitor in self._members and visitor != self._record.leader

    def nickname_of(self, visitor: str) -> str:
        """ "" of who is not here any more."""
        with self._lock:
            record = self._members.get(visitor)
            return "" if record is None else record.nickname

    def subscribe(self, callback: Callable[[], None], *, people: bool = False) -> Callable[[], None]:
        """Call back when link, lesson or leader change; with ``people`` when somebody comes, goes or follows, too.

        Gives what ends that.
        """
        return self._subscribers.add(callback, details=people)

    # -- joining -----------------------------------------------------------------------------------------------------------

    def join(self, visitor: str, code: str, nickname: str = "", *, address: str = "") -> Member:
        """Take a place, or another nickname on the place one has. Raises BadInput, NicknameTaken, LimitReached."""
        self._pace(visitor, address)
        with self._changing(people=True):
            self._wrong.check(visitor, address)
            if not is_same(read_code(code), self._record.code):
                self._wrong.note(visitor, address)
                raise BadInput(_WRONG_CODE, "code")
            return self._take_place(visitor, nickname)

    def rename(self, visitor: str, nickname: str) -> Member:
        """Of who has joined. Raises BadInput, NicknameTaken, LimitReached."""
        self._pace(visitor)
        with self._changing(people=True):
            self._check_member(visitor)
            return self._take_place(visitor, nickname)

    def leave(self, visitor: str) -> None:
        """Give the place up. A leader who leaves lays down the wand."""
        with self._changing(people=not self.is_leader(visitor)):
            self._remove(visitor)

    def note_tab(self, visitor: str, tab: str) -> None:
        """A tab of this visitor is open. Cheap: called with every run of a page."""
        with self._lock:
            tabs = self._tabs.setdefault(visitor, set()) if visitor in self._members else set()
            was_here = bool(tabs) and self._is_here(visitor)
            tabs.add(tab)
            if was_here or visitor not in self._members:
                return
        self._note_return()

    def _note_return(self) -> None:
        """Somebody who was away is here again. The store knows nothing of it."""
        with self._lock:
            self._version += 1
        self._subscribers.tell(detail=True)

    def follow(self, visitor: str, on: bool) -> None:
        """Whether this visitor sees what the leader shows. Raises BadInput of who has not joined."""
        with self._changing(people=True):
            member = self._check_member(visitor)
            self._called.discard(visitor)
            if member.following != on:
                self._put(replace(member, following=on))

    # -- leading -----------------------------------------------------------------------------------------------------------

    def leader_ticket(self, secret: str, *, visitor: str = "", address: str = "") -> str:
        """For the secret of the leader's link a word that leads once, within ten minutes: what may stand in an address bar.

        Raises BadInput for a wrong secret, LimitReached for who tries too many.
        """
        with self._lock:  # so that many at once are not more than the limit
            self._wrong.check(visitor, address)
            if not is_same(secret, self._secret):
                self._wrong.note(visitor, address)
                raise BadInput(
                    "This is not the leader's link of the room that is open: take the one in the terminal.", "lead"
                )
            ticket, now = secrets.token_urlsafe(16), self._steady()
            self._tickets = {each: until for each, until in self._tickets.items() if until > now}
            self._tickets[ticket] = now + _TICKET_S
        return ticket

    def lead(self, visitor: str, ticket: str) -> Member:
        """Take the wand, over from another who holds it. Raises BadInput for a ticket that was used or is old."""
        with self._changing():
            if self._tickets.pop(ticket, -math.inf) <= self._steady():
                raise BadInput(
                    "This way in was used already, or is old: open the leader's link in the terminal again.", "lead"
                )
            if visitor not in self._members:
                self._put(self._new_member(visitor, numbered("Leader", self._taken(visitor))))
            self._change(leader=visitor)
            return self._member(self._members[visitor])

    def show(self, leader: str, link: str) -> None:
        """Show a page to who follows: its link from the ``/`` on. Raises BadInput."""
        if not link.startswith("/") or link.startswith("//") or len(link) > MOST_LINK or not link.isprintable():
            raise BadInput("Only a page of this playground can be shown: open it and show it from there.", "link")
        with self._changing():
            self._check_leader(leader)
            if link != self._record.link:
                self._change(link=link, moves=self._record.moves + 1)

    def call_back(self, leader: str) -> None:
        """Ask those who look for themselves to follow again: they are told, and nobody is moved. Raises BadInput."""
        with self._changing():
            self._check_leader(leader)
            self._called = {member.visitor for member in self._members.values() if not member.following}

    def put_lesson(self, leader: str, text: str, step: int | None = None) -> None:
        """A lesson's file, from its first step on; "" for none. A ``step``: one that was changed under way. Raises BadInput."""
        if len(text) > MOST_LESSON:
            raise BadInput(f"A lesson has at most {MOST_LESSON:,} characters: shorten it.", "lesson")
        with self._changing():
            self._check_leader(leader)
            self._change(lesson=text, step=max(0, step or 0))
            self._step_at = None if step is None else self._step_at

    def go(self, leader: str, step: int) -> None:
        """To a step of the lesson, from 0. How many there are is the business of who reads the lesson. Raises BadInput."""
        with self._changing():
            self._check_leader(leader)
            self._change(step=max(0, step))
            self._step_at = self._steady()

    def remove(self, leader: str, visitor: str) -> None:
        """Take a place away: of who took an ugly nickname. With the code they can join again. Raises BadInput."""
        with self._changing():  # their pages, too
            self._check_leader(leader)
            self._remove(visitor)

    def change_code(self, leader: str) -> str:
        """A new code; who has joined stays. Raises BadInput."""
        with self._changing(people=True):
            self._check_leader(leader)
            self._change(code=new_code())
            return self._record.code

    # -- with the lock held ------------------------------------------------------------------------------------------------

    @contextmanager
    def _changing(self, *, people: bool = False) -> Iterator[None]:
        """The lock around a change, and the news after it, only where nothing was raised. ``people``: of nothing else."""
        with self._lock:
            yield
            self._version += 1
        self._subscribers.tell(detail=people)

    def _pace(self, visitor: str, address: str = "") -> None:
        self._changes.check(visitor, address)
        self._changes.note(visitor, address)

    def _check_leader(self, visitor: str) -> None:
        if not self.is_leader(visitor):
            raise BadInput("Only the leader of the room can do this: open the leader's link.", "leader")

    def _check_member(self, visitor: str) -> MemberRecord:
        if visitor not in self._members:
            raise BadInput("Join the room first: its code is on the wall.", "code")
        return self._members[visitor]

    def _take_place(self, visitor: str, nickname: str) -> Member:
        present = self._members.get(visitor)
        if present is None and len(self._members) >= MOST_MEMBERS:
            raise LimitReached(f"This room has its {MOST_MEMBERS} people: ask the leader to make room.")
        if present is not None and not nickname.strip():
            return self._member(present)
        name = choose_nickname(nickname, self._taken(visitor), own=present.key if present else "")
        if present is None:
            self._put(self._new_member(visitor, name))
        else:
            self._put(replace(present, nickname=name, key=nickname_key(name)))
        return self._member(self._members[visitor])

    def _new_member(self, visitor: str, name: str) -> MemberRecord:
        return MemberRecord(self.id, visitor, name, nickname_key(name), True, self._clock())

    def _taken(self, visitor: str) -> set[str]:
        """The keys of the others' nicknames."""
        return {member.key for member in self._members.values() if member.visitor != visitor}

    def _put(self, member: MemberRecord) -> None:
        self._table.put_member(member)
        self._members[member.visitor] = member

    def _remove(self, visitor: str) -> None:
        if self.is_leader(visitor):
            self._change(leader="")
        self._table.remove_member(self.id, visitor)
        self._members.pop(visitor, None)
        self._tabs.pop(visitor, None)
        self._called.discard(visitor)

    def _change(self, **values: str | int) -> None:
        self._table.change(self.id, **values)
        self._record = replace(self._record, **values)  # type: ignore[arg-type]

    def _member(self, member: MemberRecord) -> Member:
        return Member(
            member.visitor,
            member.nickname,
            member.visitor == self._record.leader,
            member.following,
            self._is_here(member.visitor),
            member.joined,
            member.visitor in self._called and not member.following,
        )

    def _is_here(self, visitor: str) -> bool:
        tabs = self._tabs.get(visitor, set())
        tabs -= {tab for tab in tabs if not self._is_connected(tab)}
        return bool(tabs)
