"""Cutting and sharing states."""

from __future__ import annotations

import os

import torch
from hypothesis import given
from hypothesis import strategies as st

from playground.engine.hf.prefix import PrefixCache, common_prefix
from playground.engine.hf.state import DecoderState
from playground.models.decoding import new_cache
from tests.engine.small import small_model

IDS = st.lists(st.integers(0, 2), max_size=12).map(tuple)


@given(IDS, IDS)
def test_the_common_prefix_is_the_standard_librarys(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    texts = ["".join(map(str, ids)) for ids in (left, right)]
    assert common_prefix(left, right) == len(os.path.commonprefix(texts))


def test_a_fork_that_grows_leaves_the_original_as_it_was() -> None:
    model = small_model("llama")
    cache = new_cache(model.config)
    model(input_ids=torch.arange(8)[None], past_key_values=cache)
    before = [layer.keys.clone() for layer in cache.layers]
    twin = DecoderState(cache, 8).fork(5).value
    model(input_ids=torch.tensor([[9, 9, 9, 9]]), past_key_values=twin)
    assert cache.get_seq_length() == 8 and twin.get_seq_length() == 9
    for layer, keys in zip(cache.layers, before, strict=True):
        assert torch.equal(layer.keys, keys)
    for layer, keys in zip(twin.layers, before, strict=True):
        assert torch.equal(layer.keys[..., :5, :], keys[..., :5, :])


def test_a_whole_fork_shares_its_memory() -> None:
    model = small_model("llama")
    cache = new_cache(model.config)
    model(input_ids=torch.arange(8)[None], past_key_values=cache)
    assert DecoderState(cache, 8).fork(8).value.layers[0].keys.data_ptr() == cache.layers[0].keys.data_ptr()


@given(st.lists(IDS.filter(bool), min_size=1, max_size=6), IDS.filter(bool))
def test_the_best_slot_is_the_longest_common_prefix(stored: list[tuple[int, ...]], asked: tuple[int, ...]) -> None:
    prefixes = PrefixCache()
    for ids in stored:
        cache = new_cache(None)
        cache.update(torch.zeros(1, 1, len(ids), 2), torch.zeros(1, 1, len(ids), 2), 0)
        prefixes.store("r", ids, DecoderState(cache, len(ids)))
    length, cache_found = prefixes.best("r", asked)
    assert length == max(min(common_prefix(ids, asked), len(asked) - 1) for ids in stored)
    assert (cache_found is None) == (length == 0)
    assert cache_found is None or cache_found.length == cache_found.value.get_seq_length() == length
    assert prefixes.best("other revision", asked) == (0, None)


def test_the_least_recently_used_slot_goes_first() -> None:
    prefixes = PrefixCache(max_slots=2)
    for ids in ((1, 1), (2, 2)):
        cache = new_cache(None)
        cache.update(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2), 0)
        prefixes.store("r", ids, DecoderState(cache, 2))
    assert prefixes.best("r", (1, 1, 5))[0] == 2  # used
    third = new_cache(None)
    third.update(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2), 0)
    prefixes.store("r", (3, 3), DecoderState(third, 2))
    assert [prefixes.best("r", (*ids, 5))[0] for ids in ((1, 1), (2, 2), (3, 3))] == [2, 0, 2]
