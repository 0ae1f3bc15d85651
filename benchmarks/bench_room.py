"""Thirty readers on one server: what each pays for the others, and what they leave behind.

Measured at the server's own socket (see ``room.py``). A slider's time runs from its message to the end of the run that
painted the bars; a prompt's from its message, or a link's from connecting, until the bars are there.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from urllib.parse import urlencode

import psutil

from benchmarks.browser import median, percentile, server
from benchmarks.room import SEED, Reader, close_room, moves_in_time, open_room
from playground.engine.api import NextTokens
from playground.engine.facets import require
from playground.engine.factory import make_engine
from playground.engine.pieces import finish

SESSIONS, MOVES, ROOMS = 30, 15, 5
LINK_WORDS, LONG_WORDS, PROMPTS = 100, 7_500, 6
SETTLE_S = 3.0  # after a room has left, before its traces are weighed
GENERATED = "new=1000&ignore_eos=1"
WORDS = (
    "time year people way day man thing woman life child world school state family student group country problem hand "
    "part place case week company system program question work government number night point home water room mother area "
    "money story fact month lot right study book eye job word business issue side kind head house service friend father "
    "power hour game line end member law car city name president team minute idea body back parent face others level "
    "office door health person art war history party result change morning reason research girl guy moment air teacher"
)


def run() -> dict[str, float]:
    """The figures of thirty readers on a server of their own, then of thirty links and one long reader on fresh ones."""
    return {**_sliders(), **_links(), **_long_reader()}


def words(count: int, seed: int) -> str:
    """A text of so many short words, another for each seed from the first word on."""
    return " ".join([str(seed), *random.Random(seed).choices(WORDS.split(), k=count - 1)])


# -- sliders and memory ------------------------------------------------------------------------------------------------


def _sliders() -> dict[str, float]:
    with server("app.py") as url:
        return asyncio.run(_slider_figures(url, _server_process(url)))


async def _slider_figures(url: str, process: psutil.Process) -> dict[str, float]:
    before = median(await _room(url, 1, 2 * MOVES))
    readers = await open_room(url, SESSIONS)
    room = await moves_in_time(readers, MOVES)
    writer = asyncio.create_task(_keep_writing(url))
    await asyncio.sleep(2)
    writing = await moves_in_time(readers, MOVES)
    if writer.done():
        writer.result()
        raise RuntimeError("the generation ended too early")
    writer.cancel()
    await close_room(readers)
    left = [_megabytes(process)]
    after = median(await _room(url, 1, 2 * MOVES))
    for _ in range(ROOMS - 1):
        await _room(url, SESSIONS, 3)
        await asyncio.sleep(SETTLE_S)
        left.append(_megabytes(process))
    print("memory after each room, MB:", *(f"{value:,.0f}" for value in left), flush=True)
    return {
        "one session, slider, median ms": before,
        f"{SESSIONS} sessions, slider, median ms": median(room),
        f"{SESSIONS} sessions, slider, 95th percentile / one session's median": percentile(room, 0.95) / before,
        "the same with one generation running": percentile(writing, 0.95) / before,
        f"one session after the {SESSIONS} left / before": after / before,
        f"memory after room {ROOMS} / after room 2": left[-1] / left[1],
        "memory grown a room after room 2, MB": (left[-1] - left[1]) / (ROOMS - 2),
    }


async def _room(url: str, sessions: int, moves: int) -> list[float]:
    readers = await open_room(url, sessions)
    spent = await moves_in_time(readers, moves)
    await close_room(readers)
    return spent


async def _keep_writing(url: str) -> None:
    """A generation that runs until it is cancelled; begun anew where it ends."""
    reader = await Reader.open(url, GENERATED, "generate")
    try:
        await reader.painted("generate", finished=True)
        for seed in itertools.count(1):
            await reader.set_number(SEED, seed)  # the same one gives the text that is there
            await reader.press("generate")
            await reader.painted("generate_stop")
            while reader.ticking:
                await asyncio.sleep(0.5)
    finally:
        await reader.close()


def _server_process(url: str) -> psutil.Process:
    port = url.rsplit(":", 1)[1]
    return next(child for child in psutil.Process().children() if port in child.cmdline())


def _megabytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / 1e6


# -- links opened at once ----------------------------------------------------------------------------------------------


def _links() -> dict[str, float]:
    texts = [words(LINK_WORDS, 1_000 + number) for number in range(SESSIONS)]
    alone_s, together_s = _model_alone(texts)
    with server("app.py") as url:
        first_s, last_s = asyncio.run(_open_at_once(url, texts))
    return {
        f"{SESSIONS} links at once, first bars, s": first_s,
        f"{SESSIONS} links at once, last bars, s": last_s,
        "the model alone, one after the other, s": alone_s,
        "the model alone, together, s": together_s,
        "last bars / the model alone, one after the other": last_s / alone_s,
        "last bars / the model alone, together": last_s / together_s,
    }


def _model_alone(texts: Sequence[str]) -> tuple[float, float]:
    """Seconds that the engine takes for the texts in this process, one after the other and in one call."""
    engine = make_engine(None)
    try:
        asked = require(engine, NextTokens)
        ids = [engine.codec.encode(text) for text in texts]
        asked.next_logits(engine.codec.encode(words(LINK_WORDS, 1)))  # the first pass of a process is slower
        started = time.perf_counter()
        for each in ids:
            asked.next_logits(each)
        one_by_one = time.perf_counter() - started
        others = [engine.codec.encode(words(LINK_WORDS, 2_000 + number)) for number in range(len(texts))]
        started = time.perf_counter()
        finish(asked.next_logits_in_pieces(others))
        return one_by_one, time.perf_counter() - started
    finally:
        engine.close()


async def _open_at_once(url: str, texts: Sequence[str]) -> tuple[float, float]:
    """Seconds until the first and the last reader of a link has bars; the server and its model are warm."""

    await _room(url, 1, 1)
    started = time.perf_counter()

    async def one(text: str) -> tuple[Reader, float]:
        reader = await Reader.open(url, urlencode({"prompt": text}))
        await reader.painted()
        return reader, time.perf_counter() - started

    opened = await asyncio.gather(*map(one, texts))
    await close_room([reader for reader, _ in opened])
    times = [spent for _, spent in opened]
    return min(times), max(times)


# -- one who reads long texts ------------------------------------------------------------------------------------------


def _long_reader() -> dict[str, float]:
    with server("app.py") as url:
        idle, beside, longest = asyncio.run(_beside_a_long_reader(url))
    return {
        "a new prompt, idle server, median ms": idle,
        f"a new prompt beside {LONG_WORDS:,} words in a loop, median ms": beside,
        "the same / idle": beside / idle,
        "the slowest of them / idle": longest / idle,
    }


async def _beside_a_long_reader(url: str) -> tuple[float, float, float]:
    """Milliseconds: medians idle and beside the loop, and the slowest beside it."""
    reader, other = await open_room(url, 2)
    idle = [await reader.read(words(12, 3_000 + number)) for number in range(PROMPTS)]

    async def loop() -> None:
        for number in range(1_000):
            await other.read(words(LONG_WORDS, 4_000 + number))

    looping = asyncio.create_task(loop())
    await asyncio.sleep(2)
    beside = [await reader.read(words(12, 5_000 + number)) for number in range(PROMPTS)]
    looping.cancel()
    await asyncio.gather(looping, return_exceptions=True)
    await close_room([reader, other])
    return median(idle), median(beside), max(beside)


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:75} {value:8.2f}")
