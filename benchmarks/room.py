"""A room of readers without their browsers: sessions that speak Streamlit's own protocol to the server.

A workshop's browsers run on the readers' machines; ten of them on this one would measure the browsers. A ``Reader`` opens
a session, moves the Temperature slider and takes the time until the server says that the script run has finished.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect


class Reader:
    """One session. Keeps all widgets' values, as a browser does, and sends them with every move."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._slider = ""
        self._fragment = ""
        self.value = 1.0
        self.times_ms: list[float] = []

    @classmethod
    async def open(cls, url: str) -> Reader:
        """Connect and wait until the page has its bars."""
        address = url.replace("http://", "ws://") + "/_stcore/stream"
        reader = cls(await connect(address, subprotocols=["streamlit"], max_size=None))  # type: ignore[list-item]
        message = BackMsg()
        message.rerun_script.query_string = ""
        await reader._send(message)
        await reader._read_run(learn=True)
        while not reader._slider or reader._loading:
            await reader._read_run(learn=True)
        return reader

    _loading = True

    async def move(self) -> None:
        """Move the slider one step, to and fro; records the time until the run has finished."""
        self.value = 1.05 if self.value == 1.0 else 1.0
        message = BackMsg()
        message.rerun_script.fragment_id = self._fragment
        state = message.rerun_script.widget_states.widgets.add()
        state.id = self._slider
        state.double_array_value.data.append(self.value)
        start = time.perf_counter()
        await self._send(message)
        await self._read_run(learn=False)
        self.times_ms.append((time.perf_counter() - start) * 1000)

    async def close(self) -> None:
        await self._socket.close()

    async def _send(self, message: Any) -> None:
        await self._socket.send(message.SerializeToString())

    async def _read_run(self, *, learn: bool) -> None:
        """Read until the server says that a run has finished which painted the bars."""
        painted = False
        while True:
            message = ForwardMsg()
            message.ParseFromString(await asyncio.wait_for(self._socket.recv(), 120))  # type: ignore[arg-type]
            kind = message.WhichOneof("type")
            if kind == "delta":
                painted = painted or message.delta.new_element.WhichOneof("type") == "bidi_component"
                if learn:
                    self._learn(message.delta)
            elif kind == "script_finished" and (painted or learn):
                return

    def _learn(self, delta: Any) -> None:
        element = delta.new_element
        kind = element.WhichOneof("type")
        if kind == "slider" and element.slider.label == "Temperature":
            self._slider, self._fragment = element.slider.id, delta.fragment_id
        elif kind == "bidi_component":
            self._loading = False


async def _move_in_time(reader: Reader, moves: int, delay: float) -> None:
    start = time.monotonic() + delay
    for move in range(moves):
        await asyncio.sleep(max(0.0, start + move - time.monotonic()))
        await reader.move()


async def _measure(url: str, sessions: int, moves: int) -> list[float]:
    readers = [await Reader.open(url) for _ in range(sessions)]
    for reader in readers:
        await reader.move()
        reader.times_ms.clear()
    await asyncio.gather(*(_move_in_time(reader, moves, index / sessions) for index, reader in enumerate(readers)))
    for reader in readers:
        await reader.close()
    return [spent for reader in readers for spent in reader.times_ms]


def measure(url: str, sessions: int, moves: int) -> list[float]:
    """Milliseconds of all moves of ``sessions`` readers, each moving once a second, evenly staggered."""
    return asyncio.run(_measure(url, sessions, moves))
