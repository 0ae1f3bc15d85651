"""Many sessions on llama.cpp's own server with four slots: all finish, who leaves makes room, who hangs harms nobody."""

from __future__ import annotations

import json
import threading
import urllib.request
from collections.abc import Callable, Generator, Iterator

import pytest

from playground.engine.api import CancelToken, Engine, Stream
from playground.engine.facets import require
from playground.engine.factory import make_engine
from playground.engine.serving.pool import open_worker
from playground.engine.serving.ticket import Ticket
from playground.engine.serving.worker import Worker
from playground.engine.types import StreamedEnd, StreamedToken, StreamEvent, StreamRequest
from playground.errors import Cancelled
from tests.engine.remote.llama_server import llama_server
from tests.engine.remote.standin import Asked, Reply, running
from tests.engine.remote.tiny_llama import TinyLlama

SLOTS = 4
PATIENCE = 60.0
FRANCE = "The capital of France is"


@pytest.fixture(scope="module")
def four_slots() -> Iterator[str]:
    with llama_server(SLOTS) as base:
        yield base


@pytest.fixture
def worker(four_slots: str) -> Iterator[Worker]:
    slots_worker = open_worker(make_engine(four_slots))
    yield slots_worker
    slots_worker.close()


def streaming(request: StreamRequest) -> Callable[[Engine, CancelToken], Generator[StreamEvent, None, None]]:
    def job(engine: Engine, cancel: CancelToken) -> Generator[StreamEvent, None, None]:
        yield from require(engine, Stream).stream(request, cancel=cancel)

    return job


def endless(worker: Worker, session: str) -> Ticket[None]:
    ids = worker.engine.codec.encode(FRANCE)
    return worker.submit(session, "text", streaming(StreamRequest(ids, max_new_tokens=900, ignore_eos=True, seed=1)))


def begun(ticket: Ticket[None]) -> bool:
    return isinstance(next(ticket.steps(PATIENCE)), StreamedToken)


def slots_at_work(base: str) -> int:
    with urllib.request.urlopen(base.removesuffix("/v1") + "/slots") as response:
        return sum(slot["is_processing"] for slot in json.loads(response.read()))


@pytest.mark.model
def test_thirty_sessions_through_four_slots_all_finish(worker: Worker) -> None:
    ids = worker.engine.codec.encode(FRANCE)
    tickets = [
        worker.submit(
            str(n), "text", streaming(StreamRequest(ids, max_new_tokens=6, temperature=0, ignore_eos=True, top=2))
        )
        for n in range(30)
    ]
    row = worker.next_row("another", "next", ids)
    assert row.result(PATIENCE).ids == ids
    texts = [list(ticket.steps(PATIENCE)) for ticket in tickets]
    for events in texts:
        assert [event.index for event in events if isinstance(event, StreamedToken)] == list(range(6))
        assert isinstance(events[-1], StreamedEnd) and events[-1].text.startswith(" Paris")
    assert not worker.status().queued


@pytest.mark.model
def test_a_cancelled_one_frees_its_slot_for_who_waits(worker: Worker, four_slots: str) -> None:
    running_ones = [endless(worker, str(n)) for n in range(SLOTS)]
    assert all(begun(ticket) for ticket in running_ones)
    waiting = endless(worker, "waiting")
    assert waiting.before().ahead == 1 and slots_at_work(four_slots) == SLOTS
    running_ones[0].cancel()
    assert begun(waiting)
    with pytest.raises(Cancelled):
        running_ones[0].result(PATIENCE)
    worker.close()  # cuts off the rest
    for _ in range(2000):
        if not slots_at_work(four_slots):
            return
    pytest.fail("the server still works for nobody")


def test_one_request_that_hangs_stops_no_other() -> None:
    tiny, let = TinyLlama(), threading.Event()
    routes = tiny.routes()
    completion = routes["/completion"]

    def answer(asked: Asked) -> Reply:
        if asked.body["prompt"] == [1, 1]:
            assert let.wait(PATIENCE)
        return completion(asked)

    with running({**routes, "/completion": answer}) as server:
        worker = open_worker(make_engine(server.base))
        hanging = worker.next_row("hanging", "next", (1, 1))
        others = [worker.next_row(str(n), "next", (2, n % 8)) for n in range(30)]
        assert [row.result(PATIENCE).ids for row in others] == [(2, n % 8) for n in range(30)]
        assert not hanging.done
        hanging.cancel()
        worker.close()  # does not wait for the server
        assert not let.is_set()
        let.set()
