"""The map of many settings is the chain at every token: what is kept exactly, the rest within a token at the cut."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.errors import BadInput
from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.tuning import reach_map
from playground.tuning.reach import reach_along
from playground.tuning.reach_map import MapCell, ReachMap, Reference
from playground.tuning.sorted_rows import SortedRows, sort_rows_in_pieces
from tests.tuning.settings import OTHERS, TRUNCATIONS, rows_and_reference, some_settings

PROMPT = (1, 2, 3, 2)


def reference(seed: int, vocab: int = 20, length: int = 6) -> Reference:
    rows, ids = rows_and_reference(seed, vocab=vocab, length=length)
    return Reference(PROMPT, ids, rows)


def heavy_tailed(seed: int, vocab: int, length: int) -> Reference:
    """Rows shaped like a language model's: a few likely tokens over a wide tail, and a reference from all of it."""
    rng = np.random.default_rng(seed)
    rows = (rng.normal(size=(length, vocab)) * 2.5 + rng.standard_exponential(size=(length, vocab))).astype(np.float32)
    rows[:, :4] += rng.uniform(3, 12, size=(length, 1)).astype(np.float32)
    if seed % 2:
        rows = rows.astype(np.float16).astype(np.float32)  # many equal logits
    ranks = np.minimum(rng.geometric(1 / rng.choice([2, 30, 600], size=length)) - 1, vocab - 1)
    ids = tuple(int(np.argsort(-row, kind="stable")[rank]) for row, rank in zip(rows, ranks, strict=True))
    return Reference(PROMPT, ids, rows)


def check(cell: MapCell, references: list[Reference], within: float) -> None:
    for own, mapped in zip(references, cell.references, strict=True):
        chain = reach_along([own.rows], own.prompt_ids, own.ids, cell.settings, own.breakers)
        np.testing.assert_array_equal(mapped.kept, chain.kept)
        assert mapped.removed_by == chain.removed_by and mapped.first_forbidden == chain.first_forbidden
        likely = chain.logprobs > -50
        np.testing.assert_allclose(mapped.logprobs[likely], chain.logprobs[likely], atol=within)
        np.testing.assert_allclose(np.log(mapped.choices), np.log(chain.choices), atol=2 * within)
        np.testing.assert_allclose(mapped.raw_logprobs, chain.raw_logprobs)


@settings(deadline=None, max_examples=80)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=3), st.lists(some_settings(TRUNCATIONS), max_size=4))
def test_it_is_the_chain_at_every_token(seeds: list[int], many: list[SamplerSettings]) -> None:
    references = [reference(seed) for seed in seeds]
    setting_map = ReachMap(references)
    for cell, rough in zip(setting_map.look(many), setting_map.look(many, roughly=True), strict=True):
        check(cell, references, 1e-4)
        assert [own.removed_by for own in rough.references] == [own.removed_by for own in cell.references]


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000), st.lists(some_settings(TRUNCATIONS | OTHERS), min_size=1, max_size=4))
def test_with_penalties_and_what_only_the_chain_can_do_too(seed: int, many: list[SamplerSettings]) -> None:
    references = [reference(seed), reference(seed + 1, length=3)]
    for cell in ReachMap(references).look(many):
        check(cell, references, 1e-4)


MORE: tuple[dict[str, Any], ...] = (
    {},
    {"min_p": 0.02},
    {"top_k": 300},
    {"epsilon_cutoff": 3e-4, "order": "llama.cpp"},
)
OTHER: tuple[dict[str, Any], ...] = (
    *({"eta_cutoff": 3e-4}, {"top_h": 0.4}, {"dynatemp_range": 0.4}, {"top_n_sigma": 1.5, "min_p": 1e-4}),
    *({"top_k": 1000, "top_n_sigma": 2}, {"epsilon_cutoff": 1e-4, "top_p": 0.999}),
    *({"top_h": 0.7, "top_k": 90, "min_p": 1e-3}, {"dynatemp_range": 0.3, "top_k": 500, "top_p": 0.8}),
)
GRID = [
    *(
        SamplerSettings(temperature=temperature, top_p=top_p, **more)
        for temperature, top_p, more in itertools.product((0.1, 0.7, 1, 2), (0.5, 0.95, 1), MORE)
    ),
    *(
        SamplerSettings(temperature=temperature, **more)
        for temperature, more in itertools.product((0.2, 0.5, 1, 1.6), OTHER)
    ),
]


@pytest.mark.parametrize("seed", range(4))
def test_a_wide_vocabulary_with_a_tail_in_segments(seed: int) -> None:
    references = [heavy_tailed(seed, 6000, 8), heavy_tailed(seed + 2, 6000, 4)]
    cells = ReachMap(references).look(GRID)
    for cell in cells:
        check(cell, references, 4e-3)
    assert sum(cell.chained for cell in cells) < 0.1 * 12 * len(cells)  # the chain itself is the exception
    for rough, cell in zip(ReachMap(references).look(GRID, roughly=True), cells, strict=True):
        assert rough.chained <= cell.chained
        for own, exact in zip(rough.references, cell.references, strict=True):
            assert own.removed_by == exact.removed_by
            np.testing.assert_array_equal(own.kept, exact.kept)
    shares = [cell.kept_share for cell in cells]
    assert min(shares) < 0.6 and max(shares) == 1 and {cell.reached for cell in cells} >= {0, 2}


def test_what_the_chain_alone_can_do_is_said() -> None:
    setting_map = ReachMap([reference(3)])
    typical, tempered = setting_map.look([SamplerSettings(typical_p=0.5), SamplerSettings(temperature=0.5)])
    assert typical.chained == 6 and tempered.chained == 0


def test_the_same_penalties_sort_the_rows_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counted(rows: Iterable[npt.NDArray[np.float32]], targets: list[int]) -> Generator[None, None, SortedRows]:
        asked.append(len(targets))
        return sort_rows_in_pieces(rows, targets)

    monkeypatch.setattr(reach_map, "sort_rows_in_pieces", counted)
    setting_map = ReachMap([reference(3)])
    assert not setting_map.is_quick(NEUTRAL)
    setting_map.look([SamplerSettings(top_p=p, repetition_penalty=1.5) for p in (0.3, 0.6, 0.9)])
    setting_map.look([SamplerSettings(top_k=k, repetition_penalty=1.5) for k in (3, 6)])
    assert asked == [6, 6]  # without any, at first; and with these
    assert setting_map.is_quick(SamplerSettings(repetition_penalty=1.5, min_p=0.1)) and setting_map.is_quick(NEUTRAL)
    assert not setting_map.is_quick(SamplerSettings(repetition_penalty=1.2))
    assert not setting_map.is_quick(SamplerSettings(typical_p=0.5))
    for penalty in (1.1, 1.2, 1.3, 1.4):  # what is sorted without any stays
        setting_map.look([SamplerSettings(repetition_penalty=penalty)])
    assert setting_map.is_quick(NEUTRAL) and not setting_map.is_quick(SamplerSettings(repetition_penalty=1.5))


def test_logits_out_of_all_proportion_go_through_the_chain() -> None:
    rows = np.array([[0, 1e30, -1e30, 5]], dtype=np.float32)
    references = [Reference((), (3,), rows)]
    for cell in ReachMap(references).look([NEUTRAL, SamplerSettings(temperature=0.5, top_p=0.9)]):
        check(cell, references, 1e-3)
        assert cell.chained == 1


def test_what_cannot_be_held_or_used_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="no reference"):
        ReachMap([])
    with pytest.raises(BadInput, match="NaN"):
        ReachMap([Reference((), (1,), np.full((1, 3), np.nan, dtype=np.float32))])
    with pytest.raises(BadInput, match="not one of the model's 3"):
        ReachMap([Reference((), (3,), np.zeros((1, 3), dtype=np.float32))])
    monkeypatch.setattr(reach_map, "MOST_BYTES", 10)
    with pytest.raises(BadInput, match="choose fewer or shorter"):
        ReachMap([reference(0)])
