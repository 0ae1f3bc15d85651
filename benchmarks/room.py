"""A room of readers without their browsers: sessions that speak Streamlit's own protocol to the server.

A workshop's browsers run on the readers' machines; thirty of them on this one would measure the browsers. A ``Reader`` does
what a tab does: it keeps its widgets' values and sends them with every message, follows the address, and sends each timer's
rerun (``auto_rerun``) every interval until a full run or the server ends it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import suppress

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Delta_pb2 import Delta
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

PATIENCE_S = 600.0
BARS, SLIDER, PROMPT, SEED = "bars", "w_temperature", "w_prompt", "w_seed"


class Reader:
    """One session. Make it with ``open``."""

    def __init__(self, socket: ClientConnection, query: str, page: str) -> None:
        self._socket = socket
        self._query, self._page, self._script = query, page, ""
        self._values: dict[str, WidgetState] = {}
        self._widgets: dict[str, tuple[str, str]] = {}  # by the id's end, which is its key: the id and the fragment
        self._timers: dict[str, tuple[float, asyncio.Task[None]]] = {}
        self._painted: set[str] = set()  # keys drawn since the last move
        self._content: dict[str, bytes] = {}  # what each showed last
        self._news = asyncio.Condition()
        self._idle = self._acknowledged = False
        self.page_runs = 0  # runs of the whole page
        self.part_runs = 0  # and of parts of it
        self._listening = asyncio.create_task(self._listen())
        self.moves = 0

    @classmethod
    async def open(cls, url: str, query: str = "", page: str = "", *, cookie: str = "") -> Reader:
        """Connect and ask for a page (the first, or by its address), with a link's query. Does not wait for it.

        ``cookie``: the header of that name, where it matters who this is.
        """
        address = url.replace("http://", "ws://") + "/_stcore/stream"
        headers = {"Cookie": cookie} if cookie else None
        socket = await connect(
            address,
            subprotocols=[Subprotocol("streamlit")],
            additional_headers=headers,
            max_size=None,
            open_timeout=60,
        )
        reader = cls(socket, query, page)
        await reader._rerun()
        return reader

    async def close(self) -> None:
        self._stop_timers(list(self._timers))
        await self._socket.close()
        await asyncio.gather(self._listening, return_exceptions=True)

    # -- what a reader does ------------------------------------------------------------------------------------------

    async def painted(self, key: str = BARS, *, finished: bool = False) -> None:
        """Until the element of that key was drawn after the last move; ``finished``: and no run is under way."""
        async with self._news:
            arrived = self._news.wait_for(lambda: key in self._painted and (self._idle or not finished))
            await asyncio.wait_for(arrived, PATIENCE_S)

    async def move(self) -> float:
        """Move the slider one step, to and fro; milliseconds until the run that painted the bars has finished."""
        self.moves += 1
        start = time.perf_counter()
        await self._set(SLIDER, "double_array_value", 0.85 if self.moves % 2 else 0.8)
        await self.painted(finished=True)
        return (time.perf_counter() - start) * 1000

    def showing(self, key: str = BARS) -> bytes | None:
        """What the element of that key shows; None before it was drawn."""
        return self._content.get(key)

    async def showing_other(self, before: bytes | None, key: str = BARS) -> None:
        """Until that element shows something else."""
        async with self._news:
            await asyncio.wait_for(
                self._news.wait_for(lambda: self._content.get(key) not in (None, before)), PATIENCE_S
            )

    def forget(self) -> None:
        """What was shown: the next picture is another one, whatever it shows."""
        self._content.clear()

    async def go(self, page: str) -> None:
        """Open another page, as the sidebar does; without a link."""
        self._painted.clear()
        self._content.clear()
        self._idle, self._query, self._page, self._script = False, "", page, ""
        await self._rerun()

    async def read(self, prompt: str) -> float:
        """Type another prompt; milliseconds until its bars are there: the old ones are drawn meanwhile, dimmed."""
        start, before = time.perf_counter(), self._content.get(BARS)
        await self._set(PROMPT, "string_value", prompt)
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: self._content.get(BARS) != before), PATIENCE_S)
        return (time.perf_counter() - start) * 1000

    async def set_number(self, key: str, number: int) -> None:
        """Choose another seed, another maximum."""
        await self._set(key, "int_value", number)
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: self._idle), PATIENCE_S)

    async def press(self, key: str) -> None:
        """Press a button."""
        await self._set(key, "trigger_value", True, keep=False)

    @property
    def ticking(self) -> bool:
        """Whether the page looks in on something under way."""
        return bool(self._timers)

    async def _set(self, key: str, kind: str, value: bool | str | int | float, *, keep: bool = True) -> None:
        widget, fragment = self._widgets[key]
        state = WidgetState(id=widget)
        if kind == "double_array_value":
            state.double_array_value.data.append(value)
        else:
            setattr(state, kind, value)
        self._painted.clear()
        self._idle = False
        if keep:
            self._values[widget] = state
        await self._rerun(fragment, extra=() if keep else (state,))

    async def _rerun(self, fragment: str = "", *, timer: bool = False, extra: Iterable[WidgetState] = ()) -> None:
        message = BackMsg()
        asked = message.rerun_script
        asked.query_string, asked.fragment_id, asked.is_auto_rerun = self._query, fragment, timer
        asked.page_script_hash, asked.page_name = self._script, "" if self._script else self._page
        asked.widget_states.widgets.extend([*self._values.values(), *extra])
        await self.send(message)

    async def send(self, message: BackMsg) -> None:
        """Any message of a tab's, as it is."""
        await self._socket.send(message.SerializeToString())

    async def acknowledged(self) -> None:
        """Until a heartbeat was answered."""
        async with self._news:
            await asyncio.wait_for(self._news.wait_for(lambda: self._acknowledged), PATIENCE_S)
            self._acknowledged = False

    # -- what the server says ----------------------------------------------------------------------------------------

    async def _listen(self) -> None:
        with suppress(ConnectionClosed):
            async for data in self._socket:
                message = ForwardMsg()
                message.ParseFromString(data)
                async with self._news:
                    self._take(message)
                    self._news.notify_all()

    def _take(self, message: ForwardMsg) -> None:
        kind = message.WhichOneof("type")
        if kind == "delta":
            self._learn(message.delta)
        elif kind == "new_session":
            self._idle, self._script = False, message.new_session.page_script_hash
            if message.metadata.run.fragment_ids:
                self.part_runs += 1
            else:
                self.page_runs += 1
                self._stop_timers(list(self._timers))
        elif kind == "navigation":  # the first run of a session begins under another name than its page's
            self._script = message.navigation.page_script_hash
        elif kind == "heartbeat_ack":
            self._acknowledged = True
        elif kind == "script_finished":
            self._idle = True
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self._start_timer(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            self._stop_timers(message.stop_auto_rerun.fragment_ids)

    def _learn(self, delta: Delta) -> None:
        if delta.WhichOneof("type") != "new_element":
            return
        element = getattr(delta.new_element, delta.new_element.WhichOneof("type") or "empty")
        key = getattr(element, "id", "").split("-", 2)[-1]
        if key:
            self._widgets[key] = element.id, delta.fragment_id
            self._painted.add(key)
            self._content[key] = element.SerializeToString()

    def _start_timer(self, fragment: str, interval: float) -> None:
        if self._timers.get(fragment, (0.0, None))[0] == interval:
            return
        self._stop_timers([fragment])
        self._timers[fragment] = interval, asyncio.create_task(self._tick(fragment, interval))

    def _stop_timers(self, fragments: Iterable[str]) -> None:
        for fragment in fragments:
            _, task = self._timers.pop(fragment, (0.0, None))
            if task is not None:
                task.cancel()

    async def _tick(self, fragment: str, interval: float) -> None:
        with suppress(ConnectionClosed):
            while True:
                await asyncio.sleep(interval)
                await self._rerun(fragment, timer=True)


async def open_room(url: str, sessions: int) -> list[Reader]:
    """Readers of the Sampling page, one after the other, each with bars and one move made."""
    readers = []
    for _ in range(sessions):
        reader = await Reader.open(url, "temperature=0.8")
        await reader.painted(finished=True)
        await reader.move()
        readers.append(reader)
    return readers


async def close_room(readers: Iterable[Reader]) -> None:
    for reader in readers:
        await reader.close()


async def moves_in_time(readers: list[Reader], moves: int) -> list[float]:
    """Milliseconds of all moves, each reader moving once a second, evenly staggered."""

    async def one(reader: Reader, delay: float) -> list[float]:
        start, spent = time.monotonic() + delay, []
        for move in range(moves):
            await asyncio.sleep(max(0.0, start + move - time.monotonic()))
            spent.append(await reader.move())
        return spent

    each = await asyncio.gather(*(one(reader, index / len(readers)) for index, reader in enumerate(readers)))
    return [spent for one_reader in each for spent in one_reader]


def measure(url: str, sessions: int, moves: int) -> list[float]:
    """Milliseconds of all moves of a room that comes, moves and goes."""

    async def whole() -> list[float]:
        readers = await open_room(url, sessions)
        spent = await moves_in_time(readers, moves)
        await close_room(readers)
        return spent

    return asyncio.run(whole())
