"""One reader in a process of its own: what the others receive is not read on its clock.

A workshop's readers have a machine each. In one process a message would wait to be parsed behind those of thirty others,
and a slider's time would be that of the benchmark. ``python -m benchmarks.reader_apart URL``: opens the Sampling page there, then
answers each line ("move", or "read" and a prompt) by the milliseconds that it took.
"""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE, Process

from benchmarks.room import Reader, open_room

READY = "ready"


class ReaderApart:
    """What ``room.Reader`` is for one who moves the slider and types prompts. Make it with ``open``."""

    def __init__(self, process: Process) -> None:
        self._process = process

    @classmethod
    async def open(cls, url: str) -> ReaderApart:
        """With bars on the page, and one move made."""
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", __name__, url, stdin=PIPE, stdout=PIPE)
        reader = cls(process)
        if await reader._line() != READY:
            raise RuntimeError("the reader did not open its page")
        return reader

    async def move(self) -> float:
        """Milliseconds until the run that painted the bars of a moved slider has finished."""
        return await self._ask("move")

    async def read(self, prompt: str) -> float:
        """Milliseconds until the bars of another prompt, of one line, are there."""
        return await self._ask(f"read {prompt}")

    async def close(self) -> None:
        """Its tab is closed."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def _ask(self, line: str) -> float:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        return float(await self._line())

    async def _line(self) -> str:
        assert self._process.stdout is not None
        return (await self._process.stdout.readline()).decode().strip()


async def _answer(url: str) -> None:
    (reader,) = await open_room(url, 1)
    loop = asyncio.get_running_loop()
    print(READY, flush=True)
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(await _taken(reader, line.strip()), flush=True)
    await reader.close()


async def _taken(reader: Reader, line: str) -> float:
    asked, _, prompt = line.partition(" ")
    return await (reader.read(prompt) if asked == "read" else reader.move())


if __name__ == "__main__":
    asyncio.run(_answer(sys.argv[1]))
