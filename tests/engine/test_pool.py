"""The pool: one load for many sessions, release of what nobody wants, failures that leave the others alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from playground.engine.api import CancelToken, Engine
from playground.engine.fake.engine import FakeEngine
from playground.engine.serving.loading import Loading, ModelChoice
from playground.engine.serving.pool import ModelPool
from playground.errors import BadInput, Cancelled, ModelNotFound, ModelTooLarge
from playground.models.catalogue import ModelSource
from playground.models.estimate import MemoryNeed
from playground.models.hardware import Hardware
from playground.models.locating import LocatedModel
from playground.models.placement import Placement
from tests.engine.test_worker import next_row

ONE, TWO = ModelChoice("one"), ModelChoice("two")
PATIENCE = 10.0


class Loader:
    """Opens fakes, counts them, fails where told, and can be held in the middle of a load."""

    def __init__(self) -> None:
        self.opened: list[tuple[ModelChoice, FakeEngine]] = []
        self.tries: list[ModelChoice] = []
        self.failures: dict[ModelChoice, Exception] = {}
        self.gate = threading.Event()
        self.gate.set()
        self.room_for: int | None = None

    def __call__(self, choice: ModelChoice, loading: Loading) -> FakeEngine:
        self.tries.append(choice)
        loading.report("Reading weights", 0.5)
        assert self.gate.wait(PATIENCE)
        if choice in self.failures:
            raise self.failures[choice]
        if self.room_for is not None and sum(not engine.closed for _, engine in self.opened) >= self.room_for:
            raise ModelTooLarge("It needs 2 GB and 1 GB is free: choose a smaller one.", 2, 1)
        engine = FakeEngine()
        self.opened.append((choice, engine))
        return engine


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def alive() -> set[str]:
    return {"a", "b", "c"}


@pytest.fixture
def make_pool(loader: Loader, alive: set[str]) -> Iterator[Callable[..., ModelPool]]:
    pools: list[ModelPool] = []

    def make(**settings: Any) -> ModelPool:
        pools.append(ModelPool(loader, is_alive=lambda session: session in alive, **settings))
        return pools[-1]

    yield make
    loader.gate.set()
    for pool in pools:
        pool.close()


def ended(loading: Loading) -> Loading:
    assert loading.done.wait(PATIENCE)
    return loading


def test_many_sessions_share_one_load(make_pool: Callable[..., ModelPool], loader: Loader) -> None:
    pool = make_pool()
    loader.gate.clear()
    loadings: list[Loading] = []
    threads = [threading.Thread(target=lambda s=s: loadings.append(pool.request(s, ONE))) for s in "abcabcabc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    loader.gate.set()
    assert len({id(loading) for loading in loadings}) == 1
    assert ended(loadings[0]).worker is not None and loader.tries == [ONE]
    assert pool.loaded() == (ONE,)


def test_progress_can_be_read_while_it_loads(make_pool: Callable[..., ModelPool], loader: Loader) -> None:
    loader.gate.clear()
    loading = make_pool().request("a", ONE)
    while not loader.tries:
        assert not loading.done.wait(0.01)
    assert not loading.done.is_set() and loading.worker is None
    loader.gate.set()
    assert (ended(loading).what, loading.fraction) == ("Reading weights", 0.5)


@pytest.mark.parametrize(("given", "kept"), [(-1.0, 0.0), (0.25, 0.25), (7.0, 1.0)])
def test_a_fraction_stays_within_its_bounds(given: float, kept: float) -> None:
    loading = Loading(ONE)
    loading.report("x", given)
    assert loading.fraction == kept


def test_switching_releases_the_old_model_once_nobody_wants_it(
    make_pool: Callable[..., ModelPool], loader: Loader
) -> None:
    pool = make_pool()
    ended(pool.request("a", ONE))
    ended(pool.request("b", ONE))
    ended(pool.request("a", TWO))
    assert not loader.opened[0][1].closed, "b still looks at it"
    ended(pool.request("b", TWO))
    pool.release_unused()
    assert loader.opened[0][1].closed and not loader.opened[1][1].closed
    assert pool.loaded() == (TWO,)


def test_a_closed_tab_wants_nothing(make_pool: Callable[..., ModelPool], loader: Loader, alive: set[str]) -> None:
    pool = make_pool()
    ended(pool.request("a", ONE))
    assert pool.release_unused() == 0
    alive.discard("a")
    assert pool.release_unused() == 1 and loader.opened[0][1].closed


def test_the_old_model_works_until_the_new_one_is_there(make_pool: Callable[..., ModelPool], loader: Loader) -> None:
    pool = make_pool()
    worker = ended(pool.request("a", ONE)).worker
    assert worker is not None
    loader.gate.clear()
    new = pool.request("a", TWO)
    ticket = worker.submit("a", "next", next_row(1, 2))
    assert ticket.result(PATIENCE).ids == (1, 2)
    loader.gate.set()
    ended(new)


def test_a_failure_keeps_what_others_use(make_pool: Callable[..., ModelPool], loader: Loader) -> None:
    pool = make_pool()
    ended(pool.request("a", ONE))
    loader.failures[TWO] = ModelNotFound("No such model: choose another.")
    failed = ended(pool.request("b", TWO))
    assert isinstance(failed.error, ModelNotFound) and failed.worker is None
    assert pool.loaded() == (ONE,) and not loader.opened[0][1].closed


def test_a_failed_load_is_tried_anew_when_asked_again(make_pool: Callable[..., ModelPool], loader: Loader) -> None:
    pool = make_pool()
    loader.failures[ONE] = ModelNotFound("No such model: choose another.")
    failed = ended(pool.request("a", ONE))
    del loader.failures[ONE]
    again = ended(pool.request("a", ONE))
    assert again is not failed and again.worker is not None and again.error is None


def test_a_defect_in_a_loader_ends_in_a_sentence(make_pool: Callable[..., ModelPool], loader: Loader) -> None:
    loader.failures[ONE] = KeyError("weights")
    failed = ended(make_pool().request("a", ONE))
    assert str(failed.error) == "The model could not be loaded (KeyError: 'weights'); choose another one."


def test_too_large_releases_the_unused_and_tries_once_more(make_pool: Callable[..., ModelPool], loader: Loader) -> None:
    loader.room_for = 1
    pool = make_pool()
    ended(pool.request("a", ONE))
    new = ended(pool.request("a", TWO))
    assert new.error is None and new.worker is not None
    assert loader.tries == [ONE, TWO, TWO] and loader.opened[0][1].closed


def test_too_large_stays_refused_while_others_use_the_old_one(
    make_pool: Callable[..., ModelPool], loader: Loader
) -> None:
    loader.room_for = 1
    pool = make_pool()
    ended(pool.request("a", ONE))
    refused = ended(pool.request("b", TWO))
    assert isinstance(refused.error, ModelTooLarge)
    assert (refused.error.needed_bytes, refused.error.available_bytes) == (2, 1)
    assert loader.tries == [ONE, TWO] and not loader.opened[0][1].closed


def test_choices_that_mean_the_same_share_one_model(make_pool: Callable[..., ModelPool], loader: Loader) -> None:
    spelt = ModelChoice("one", "cpu", "float32")
    pool = make_pool(normalise=lambda choice: ONE if choice == spelt else choice)
    assert pool.request("a", spelt) is pool.request("b", ONE)
    assert loader.tries == [ONE] and pool.asked_for() == (ONE,)
    ended(pool.request("a", spelt))


def test_what_nobody_uses_is_released_by_itself(
    make_pool: Callable[..., ModelPool], loader: Loader, alive: set[str]
) -> None:
    pool = make_pool(look_seconds=0.01)
    ended(pool.request("a", ONE))
    ended(pool.request("b", TWO))
    alive.discard("a")
    deadline = time.monotonic() + PATIENCE
    while not loader.opened[0][1].closed:
        assert time.monotonic() < deadline
    assert pool.loaded() == (TWO,) and not loader.opened[1][1].closed


def test_a_connection_lost_for_a_moment_costs_nobody_the_model(
    make_pool: Callable[..., ModelPool], alive: set[str]
) -> None:
    pool = make_pool(look_seconds=PATIENCE)
    ended(pool.request("a", ONE))
    alive.clear()
    assert pool.release_unused(at_once=False) == 0
    alive.add("a")
    ended(pool.request("a", ONE))
    assert pool.release_unused(at_once=False) == 0 and pool.loaded() == (ONE,)
    alive.clear()
    assert [pool.release_unused(at_once=False) for _ in range(2)] == [0, 1]


def test_what_the_server_began_with_stays_until_a_reader_chooses_otherwise(
    make_pool: Callable[..., ModelPool], loader: Loader, alive: set[str]
) -> None:
    pool = make_pool()
    ended(pool.keep_ready(ONE))
    assert pool.release_unused() == 0, "nobody has come yet"
    ended(pool.request("a", ONE))
    ended(pool.request("b", TWO))
    assert pool.release_unused() == 0
    alive.discard("a")
    assert pool.release_unused() == 1 and pool.loaded() == (TWO,)


def test_a_reader_who_has_left_is_not_computed_for(make_pool: Callable[..., ModelPool], alive: set[str]) -> None:
    worker = ended(make_pool().request("a", ONE)).worker
    assert worker is not None
    stepped = threading.Event()

    def endless(engine: Engine, cancel: CancelToken) -> Generator[int, None, None]:
        while True:
            stepped.set()
            yield 1

    ticket = worker.submit("a", "generate", endless)
    assert stepped.wait(PATIENCE)
    alive.discard("a")
    with pytest.raises(Cancelled):
        ticket.result(PATIENCE)


# -- several models of one session -------------------------------------------------------------------------------------

GB = 1_000_000_000
LAPTOP = Hardware(ram_available_bytes=3 * GB)


def located(weights: int, working: int, device: str = "cpu") -> LocatedModel:
    need = MemoryNeed(weights // 4, weights, working, 0)
    return LocatedModel(ModelSource("hub", "big/one"), Path("."), "r", need, Placement(device, "float32", None, ""))


def test_what_is_beside_stays_with_the_session_that_compares(
    make_pool: Callable[..., ModelPool], loader: Loader, alive: set[str]
) -> None:
    pool = make_pool()
    ended(pool.request("a", ONE))
    (beside,) = pool.beside("a", [TWO])
    ended(beside)
    assert pool.release_unused() == 0 and set(pool.loaded()) == {ONE, TWO}
    assert pool.beside("a", [TWO]) == (beside,) and pool.beside("b", [TWO]) == (beside,), "shared, not loaded again"
    pool.beside("a", [])
    assert pool.release_unused() == 0, "b still compares with it"
    alive.discard("b")
    assert pool.release_unused() == 1 and pool.loaded() == (ONE,)


def test_a_session_has_four_models_at_most(make_pool: Callable[..., ModelPool], loader: Loader) -> None:
    pool = make_pool()
    choices = [ModelChoice(name) for name in "pqrs"]
    with pytest.raises(BadInput, match="4 models can be compared at a time"):
        pool.beside("a", choices)
    assert loader.tries == []
    assert len(pool.beside("a", [*choices[:3], choices[0]])) == 4, "the same one twice is one"


def test_the_model_that_becomes_the_own_one_keeps_its_work(make_pool: Callable[..., ModelPool]) -> None:
    pool = make_pool()
    worker = ended(pool.request("a", ONE)).worker
    pool.beside("a", [ONE])
    gate = threading.Event()
    assert worker is not None
    ticket = worker.submit("a", "row", lambda engine, cancel: gate.wait(PATIENCE))
    pool.request("a", TWO)
    gate.set()
    assert ticket.result(PATIENCE) is True, "it is beside now"


def test_a_load_nobody_waits_for_any_more_is_cancelled(make_pool: Callable[..., ModelPool], loader: Loader) -> None:
    pool = make_pool()
    loader.gate.clear()
    (first,) = pool.beside("a", [ONE])
    pool.beside("b", [ONE])
    pool.beside("a", [])
    assert not first.cancelled, "b waits for it"
    pool.beside("b", [])
    assert pool.asked_for() == ()
    with pytest.raises(Cancelled):
        first.report("Reading weights", 0.7)
    (again,) = pool.beside("a", [ONE])
    assert again is not first
    loader.gate.set()
    assert ended(again).worker is not None
    assert isinstance(ended(first).error, Cancelled), "one of the two is let go of"
    assert sorted(engine.closed for _, engine in loader.opened) == [False, True]


def test_a_model_is_refused_with_both_numbers_before_a_weight_is_read(make_pool: Callable[..., ModelPool]) -> None:
    """2 GB fit into 3 GB, and then again until the first one's weights are there: what is on its way counts."""
    pool = make_pool(hardware=lambda: LAPTOP)
    first = ended(pool.request("a", ONE))
    first.done.clear()  # as in the middle of its load
    first.admit(located(2 * GB, GB // 2))
    assert pool.free_bytes(located(0, 0).placement) == GB // 2
    second, gpu = ended(pool.request("b", TWO)), located(GB, 0, "cuda:0")
    with pytest.raises(ModelTooLarge, match=r"needs about 1.0 GB .* cpu has 500 MB .* free") as refused:
        second.admit(located(GB, 0))
    assert (refused.value.needed_bytes, refused.value.available_bytes) == (GB, GB // 2)
    assert not gpu.placement.shares_memory(located(0, 0).placement)
    first.done.set()  # else the pool's end waits for it


def test_of_a_loaded_model_only_the_caches_are_still_to_come(make_pool: Callable[..., ModelPool]) -> None:
    pool = make_pool(hardware=lambda: LAPTOP)  # the machine as it is with the first one's weights in memory
    ended(pool.request("a", ONE)).admit(located(2 * GB, GB // 2))
    ended(pool.beside("a", [TWO])[0]).admit(located(2 * GB, GB // 2))
    assert pool.free_bytes(located(0, 0).placement) == 2 * GB


def test_a_model_behind_an_address_takes_no_memory_here(make_pool: Callable[..., ModelPool]) -> None:
    pool = make_pool(hardware=lambda: LAPTOP)
    ended(pool.request("a", ModelChoice("http://127.0.0.1:1/v1")))
    assert pool.free_bytes(located(0, 0).placement) == 3 * GB


def test_close_releases_everything(make_pool: Callable[..., ModelPool], loader: Loader) -> None:
    pool = make_pool()
    ended(pool.request("a", ONE))
    ended(pool.request("b", TWO))
    pool.close()
    assert pool.loaded() == () and all(engine.closed for _, engine in loader.opened)


def test_an_end_waits_for_what_is_still_loading(make_pool: Callable[..., ModelPool], loader: Loader) -> None:
    pool = make_pool()
    loader.gate.clear()
    loading = pool.request("a", ONE)
    ending = threading.Thread(target=pool.close)
    ending.start()
    assert not loading.done.is_set() and pool.asked_for() == (ONE,) and pool.loaded() == ()
    loader.gate.set()
    ending.join(PATIENCE)
    assert not ending.is_alive() and loading.done.is_set()
    assert pool.loaded() == () and loader.opened[0][1].closed
