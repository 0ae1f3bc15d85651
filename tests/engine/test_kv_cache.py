"""The cache that grows in place against transformers' own, under any sequence of operations."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.cache_utils import Cache, DynamicCache

from playground.engine.hf.kv_cache import PreallocatedLayer
from playground.engine.hf.state import DecoderState

OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("update"), st.integers(1, 90)),
        st.tuples(st.just("crop"), st.integers(0, 20)),
        st.tuples(st.just("select"), st.integers(1, 3)),
        st.tuples(st.just("beams"), st.integers(0, 10**6)),
    ),
    max_size=12,
)


def states(rows: int, count: int, start: float) -> torch.Tensor:
    return torch.arange(rows * 2 * count * 3, dtype=torch.float32).reshape(rows, 2, count, 3) + start


def filled(rows: int, count: int, start: float = 0.0) -> Cache:
    cache = DynamicCache()
    for layer in range(2):
        cache.update(states(rows, count, start + layer), states(rows, count, start - layer), layer)
    return cache


def preallocate(cache: Cache, rows: int = 1) -> Cache:
    grown: Cache = DecoderState(cache, cache.get_seq_length()).preallocate(rows).value
    return grown


def assert_same(left: Cache, right: Cache) -> None:
    for one, other in zip(left.layers, right.layers, strict=True):
        assert torch.equal(one.keys, other.keys) and torch.equal(one.values, other.values)
    assert left.get_seq_length() == right.get_seq_length()


@settings(deadline=None)
@given(OPERATIONS, st.booleans())
def test_it_holds_what_transformers_own_cache_holds(operations: list[tuple[str, int]], alike: bool) -> None:
    """``alike``: rows of one prompt, read once. "beams" puts them into another order, some of them twice."""
    plain, growing = (
        (filled(1, 5), preallocate(filled(1, 5), 3)) if alike else (filled(3, 5), preallocate(filled(3, 5)))
    )
    if alike:
        plain.batch_repeat_interleave(3)
    assert all(type(layer) is PreallocatedLayer for layer in growing.layers)
    assert_same(plain, growing)
    rows = 3
    for turn, (name, number) in enumerate(operations):
        for cache in (plain, growing):
            if name == "update":
                for layer in range(2):
                    got = cache.update(states(rows, number, turn), states(rows, number, -turn), layer)
                    assert got[0].shape[-2] == cache.get_seq_length(layer)
            elif name == "crop":
                cache.crop(-min(number, cache.get_seq_length() - 1))
            elif name == "beams":
                order = [number // 7**place % rows for place in range(1 + number % 4)]
                cache.batch_select_indices(torch.tensor(order))
            else:
                cache.batch_select_indices(torch.arange(min(number, rows)).flip(0))
        rows = 1 + number % 4 if name == "beams" else rows
        rows = min(number, rows) if name == "select" else rows
        assert_same(plain, growing)


def test_a_step_writes_its_own_position_only() -> None:
    cache = preallocate(filled(2, 5))
    cache.update(states(2, 1, 9), states(2, 1, 9), 0)
    place = cache.layers[0].keys.data_ptr()
    for turn in range(40):
        cache.update(states(2, 1, turn), states(2, 1, turn), 0)
    assert cache.layers[0].keys.data_ptr() == place


def test_rows_that_leave_make_room_in_place() -> None:
    cache = preallocate(filled(1, 5), 4)
    cache.update(states(4, 1, 9), states(4, 1, 9), 0)
    layer = cache.layers[0]
    place, kept = layer.keys.data_ptr(), layer.keys[[0, 3, 2]].clone()
    cache.layers = cache.layers[:1]
    cache.batch_select_indices(torch.tensor([0, 3, 2]))
    cache.update(states(3, 1, 9), states(3, 1, 9), 0)
    assert cache.layers[0].keys.data_ptr() == place and torch.equal(cache.layers[0].keys[:, :, :-1], kept)


def test_the_cache_it_came_from_and_the_rows_taken_out_are_their_own() -> None:
    source = filled(2, 5)
    before = filled(2, 5)
    state = DecoderState(source, 5).fork(5).preallocate(1)
    growing = state.value
    for layer in range(2):
        growing.update(states(2, 1, 50), states(2, 1, 50), layer)
    assert_same(source, before)
    row = state.plain_row(1)
    taken, whole = row.value, state.plain_row(None).value
    expected = [layer.keys.clone() for layer in taken.layers]
    for layer in range(2):
        growing.crop(-2)
        growing.update(states(2, 2, 70), states(2, 2, 70), layer)
    assert all(torch.equal(layer.keys, keys) for layer, keys in zip(taken.layers, expected, strict=True))
    assert torch.equal(whole.layers[0].keys[1:], expected[0])
    assert row.cache_bytes == taken.layers[0].keys.untyped_storage().nbytes() * 4  # no reserved capacity comes along
    assert row.state_bytes is None
