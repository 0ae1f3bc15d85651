"""Thirty readers who generate at once: against one after the other, one batch of thirty rows, and one reader alone.

First at the worker, where the model's share is seen; then at the server's socket (see ``room.py``), with pages and timers.
Some five minutes on two cores; each figure is given when it is there, and it ends where the next one does not come in four. The
server reads each page's prompt twice before its first text is whole, once for the text and once for the prompt's own
log-probabilities: with thirty pages that is what opening them takes. The slider has a session of its own, which moves it at
one pace, alone and then beside the thirty; another session types the prompts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from contextlib import suppress
from urllib.parse import urlencode

import psutil

from benchmarks.bench_room import SESSIONS, _megabytes, _server_process, words
from benchmarks.browser import median, percentile, server
from benchmarks.reader_apart import ReaderApart
from benchmarks.room import Reader, close_room
from playground.engine.api import CancelToken, Engine
from playground.engine.factory import make_engine
from playground.engine.serving.caching import CachedEngine
from playground.engine.serving.step_worker import StepWorker
from playground.engine.serving.ticket import Ticket
from playground.generation import Generation, GenerationRequest, GenerationStep, generate
from playground.sampling.settings import SamplerSettings

TOKENS, MANY, PROMPT_WORDS, MOVES, RUNS = 48, 256, 12, 60, 3
BETWEEN_MOVES_S, MOVES_A_PROMPT = 0.2, 4
LONG, MAXIMUM = 1_000, "GenerateState.max_new_tokens"
ONE_BY_ONE = 6  # generations; they take as long as the first each, so thirty take five times that
MEMORY_WITHIN_S, STILL_WITHIN_S, LOOK_S, FLAT = 60.0, 20.0, 5.0, 1.05
FIGURE_WITHIN_S = 240.0  # or the benchmark ends, on a machine that others use
SETTINGS = SamplerSettings().replace(temperature=0.8, top_p=0.9)


Figures = Iterator[tuple[str, float]]


def run() -> Figures:
    """The figures of the worker, then of the server."""
    yield from _at_the_worker()
    yield from _at_the_server()


# -- the worker --------------------------------------------------------------------------------------------------------


class _Apart(CachedEngine):
    """The same model, a batch a step."""

    @property
    def joins_steps(self) -> bool:
        return False


def _at_the_worker() -> Figures:
    engine = make_engine(None)
    together, apart = StepWorker(engine), StepWorker(_Apart(engine))
    _seconds(together, [_rows(engine, [1]), _rows(engine, [2])])  # the first passes of a process are slower
    numbers = range(100, 100 + SESSIONS)
    few = max(_seconds(apart, [_rows(engine, [number]) for number in numbers[:ONE_BY_ONE]]))
    one_by_one = few / ONE_BY_ONE * SESSIONS
    yield f"{SESSIONS} generations of {TOKENS} tokens one by one (from {ONE_BY_ONE}), s", one_by_one
    batch = _seconds(together, [_rows(engine, [number + 100 for number in numbers])])[0]
    yield f"{SESSIONS} rows of one batch, s", batch
    at_once = _seconds(together, [_rows(engine, [number + 200]) for number in numbers])
    yield f"{SESSIONS} generations at once, s", max(at_once)
    yield "one by one / at once", one_by_one / max(at_once)
    yield "one batch / at once", batch / max(at_once)
    yield "the last / the first", max(at_once) / min(at_once)
    alone = [_seconds(together, [_rows(engine, [3])])[0] for _ in range(RUNS)]
    large = _submit(together, "large", _rows(engine, [4] * MANY, tokens=500))
    beside = [_seconds(together, [_rows(engine, [3])])[0] for _ in range(RUNS)]
    if large.done:
        raise RuntimeError("the candidates ended too early")
    large.cancel()
    together.close()
    yield f"{TOKENS} tokens beside {MANY} candidates / alone", median(beside) / median(alone)


def _rows(engine: Engine, numbers: Sequence[int], tokens: int = TOKENS) -> list[GenerationRequest]:
    """A row for each number, with a prompt of its own."""
    ids = {number: engine.codec.encode(words(PROMPT_WORDS, number)) for number in numbers}
    return [
        GenerationRequest(ids[number], SETTINGS, max_new_tokens=tokens, seed=number, random_stream=row, ignore_eos=True)
        for row, number in enumerate(numbers)
    ]


def _submit(worker: StepWorker, session: str, rows: Sequence[GenerationRequest]) -> Ticket[Generation]:
    def job(engine: Engine, cancel: CancelToken) -> Generator[GenerationStep, None, Generation]:
        return generate(engine, rows, cancel=cancel, branching=False)

    return worker.submit(session, "generate", job)


def _seconds(worker: StepWorker, generations: Sequence[Sequence[GenerationRequest]]) -> list[float]:
    """How long each took from the moment all were asked for."""
    started, ended = time.perf_counter(), list[float]()
    tickets = [_submit(worker, f"session {number}", rows) for number, rows in enumerate(generations)]
    for ticket in tickets:
        ticket.when_done(lambda: ended.append(time.perf_counter() - started))
    for ticket in tickets:
        ticket.result(3600)
    return ended


# -- the server --------------------------------------------------------------------------------------------------------


def _at_the_server() -> Figures:
    with server("app.py") as url, asyncio.Runner() as runner:
        figures = _server_figures(url)
        with suppress(StopAsyncIteration):
            while True:
                yield runner.run(asyncio.wait_for(_next(figures), FIGURE_WITHIN_S))


async def _next(figures: AsyncIterator[tuple[str, float]]) -> tuple[str, float]:
    return await anext(figures)


async def _server_figures(url: str) -> AsyncIterator[tuple[str, float]]:
    mover, reader = await ReaderApart.open(url), await ReaderApart.open(url)
    prompt = [await reader.read(words(PROMPT_WORDS, 5_000 + number)) for number in range(RUNS)]
    await asyncio.sleep(2)  # that prompt's own log-probabilities are read after its bars
    slider = [await _move(mover) for _ in range(MOVES)]
    writers = await _open_writers(url)
    for writer in writers:
        await writer.set_number(MAXIMUM, TOKENS)
    ended = asyncio.gather(*map(_write, writers))
    moved, read = list[float](), list[float]()
    while not ended.done():
        moved.append(await _move(mover))
        if len(moved) % MOVES_A_PROMPT == 0:
            read.append(await reader.read(words(PROMPT_WORDS, 6_000 + len(moved))))
    yield f"{SESSIONS} pages, {TOKENS} tokens each, the last done, s", max(ended.result())
    yield "the last page / the first", max(ended.result()) / min(ended.result())
    for share, name in (0.5, "median"), (0.95, "95th percentile"):
        yield f"a slider alone, {name} of {len(slider)} moves, ms", percentile(slider, share)
        yield f"meanwhile, {name} of {len(moved)} moves, ms", percentile(moved, share)
    yield "meanwhile a slider, 95th percentile / alone", percentile(moved, 0.95) / percentile(slider, 0.95)
    yield "meanwhile a slider, 95th percentile / alone, median", percentile(moved, 0.95) / median(slider)
    yield "meanwhile a new prompt's bars, median / alone", median(read) / median(prompt)
    await close_room(writers)
    process = _server_process(url)
    before, _ = await _settled(process, 0.0)
    writers = await _open_writers(url)
    for writer in writers:
        await writer.set_number(MAXIMUM, LONG)
    await asyncio.gather(*map(_begin, writers))
    await asyncio.sleep(2)
    await asyncio.gather(*(writer.close() for writer in writers))
    free_ms = await reader.read(words(PROMPT_WORDS, 7_000))
    yield f"{SESSIONS} tabs closed in mid-generation, a new prompt's bars / alone", free_ms / median(prompt)
    after, waited = await _settled(process, FLAT * before)
    yield f"memory {waited:.0f} s later / after the {SESSIONS} pages before", after / before
    await mover.close()
    await reader.close()


async def _move(mover: ReaderApart) -> float:
    """Milliseconds of a move, then the pause before the next one."""
    taken = await mover.move()
    await asyncio.sleep(BETWEEN_MOVES_S)
    return taken


async def _settled(process: psutil.Process, enough: float) -> tuple[float, float]:
    """Megabytes once there are no more than ``enough`` (0.0: once they are still), and after how many seconds."""
    within_s = MEMORY_WITHIN_S if enough else STILL_WITHIN_S
    started, last = time.monotonic(), _megabytes(process)
    while time.monotonic() - started < within_s:
        await asyncio.sleep(LOOK_S)
        now = _megabytes(process)
        if now <= enough or (not enough and abs(now - last) < 0.005 * last):
            last = now
            break
        last = now
    return last, time.monotonic() - started


async def _open_writers(url: str) -> list[Reader]:
    """Each with the text that a page writes by itself as it opens, of one token."""

    async def one(number: int) -> Reader:
        link = {"new": 1, "ignore_eos": 1, "prompt": words(PROMPT_WORDS, 8_000 + number)}
        writer = await Reader.open(url, urlencode(link), "generate")
        await writer.painted("generate_strip", finished=True)
        await _until_written(writer)
        return writer

    return await asyncio.gather(*map(one, range(SESSIONS)))


async def _write(writer: Reader) -> float:
    """Seconds from the press of the button until the page has all of it."""
    started = time.perf_counter()
    await _begin(writer)
    await _until_written(writer)
    return time.perf_counter() - started


async def _begin(writer: Reader) -> None:
    await writer.press("generate")
    await writer.painted("generate_stop")


async def _until_written(writer: Reader) -> None:
    while writer.ticking:
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    for name, value in run():
        print(f"{name:75} {value:8.2f}", flush=True)
