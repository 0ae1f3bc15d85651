"""Heads of a model whose weights were set by hand are found; hiding, merging, rollout and the parts of a weight."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import entropy as scipy_entropy

from playground.engine.attention_data import AttentionPass
from playground.engine.fake.engine import FakeEngine
from playground.engine.hf.engine import TransformersEngine
from playground.errors import BadInput, CapabilityMissing
from playground.inspection.attention import (
    HeadFigures,
    Selection,
    attention_matrix,
    head_figures,
    read_selection,
    rollout,
)
from playground.inspection.attention_parts import repeated_random_ids, weight_parts
from tests.inspection.constructed import DUPLICATE, FIRST, INDUCTION, PREVIOUS, constructed_loaded

TEXT = (5, 6, 7, 5, 6, 9, 5)


def make_pass(ids: tuple[int, ...] = TEXT, start: int = 0) -> AttentionPass:
    """The fake's: two layers, two heads that share one key head."""
    return FakeEngine().attentions(ids, start=start)


# -- what heads do -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def known_heads() -> dict[tuple[int, int], HeadFigures]:
    engine = TransformersEngine(constructed_loaded())
    ids = repeated_random_ids(engine.info, engine.codec, count=15)
    assert len(ids) == len(engine.codec.start_ids) + 30
    return {(head.layer, head.head): head for head in head_figures(engine.attentions(ids))}


@pytest.mark.parametrize(
    ("name", "place", "least"),
    [
        ("previous", PREVIOUS, 0.99),
        ("first", FIRST, 0.99),
        ("induction", INDUCTION, 0.9),
        ("duplicate", DUPLICATE, 0.4),
    ],
)
def test_a_head_that_was_built_is_found(
    known_heads: dict[tuple[int, int], HeadFigures], name: str, place: tuple[int, int], least: float
) -> None:
    """The duplicate head shares its weight between both occurrences, itself one of them: a half each."""
    scores = {at: getattr(head, name) for at, head in known_heads.items()}
    assert max(scores, key=scores.__getitem__) == place
    assert scores[place] > least
    assert sorted(scores.values())[-2] < 0.35


def test_an_even_head_has_the_entropy_and_distance_of_an_even_head(
    known_heads: dict[tuple[int, int], HeadFigures],
) -> None:
    even = known_heads[0, 2]
    width = 30 + len(TransformersEngine(constructed_loaded()).codec.start_ids)
    key_counts = range(2, width + 1)  # keys of each query after the first
    assert even.entropy == pytest.approx(np.mean([math.log(count) for count in key_counts]), abs=1e-4)
    assert even.distance == pytest.approx(np.mean([(count - 1) / 2 for count in key_counts]), abs=1e-3)
    assert known_heads[PREVIOUS].distance == pytest.approx(1.0, abs=0.01)
    assert known_heads[PREVIOUS].entropy < 0.01


def test_the_scores_by_the_plainest_loops() -> None:
    attention = make_pass()
    got = head_figures(attention)[1]
    weights = attention.layers[0].weights[1]
    duplicate, induction = list[float](), list[float]()
    for query in range(len(TEXT)):
        earlier = [key for key in range(query) if TEXT[key] == TEXT[query]]
        if earlier:
            duplicate.append(sum(float(weights[query, key]) for key in earlier))
            induction.append(sum(float(weights[query, key + 1]) for key in earlier))
    assert (got.layer, got.head, got.key_head) == (0, 1, 0)
    assert got.duplicate == pytest.approx(np.mean(duplicate), abs=1e-6)
    assert got.induction == pytest.approx(np.mean(induction), abs=1e-6)
    assert got.previous == pytest.approx(np.mean([weights[i, i - 1] for i in range(1, len(TEXT))]), abs=1e-6)
    assert got.first == pytest.approx(weights[1:, 0].mean(), abs=1e-6)
    assert got.entropy == pytest.approx(np.mean([scipy_entropy(row) for row in weights[1:]]), abs=1e-5)


def test_a_lone_token_and_a_window_leave_figures_undefined_not_wrong() -> None:
    alone = head_figures(make_pass((7,)))[0]
    assert all(math.isnan(getattr(alone, name)) for name in ("first", "previous", "duplicate", "entropy", "distance"))
    window = head_figures(make_pass(start=3))[0]
    assert math.isnan(window.entropy) and math.isnan(window.distance)
    assert window.first == pytest.approx(make_pass().layers[0].weights[0, 3:, 0].mean(), abs=1e-6)


def test_one_repeated_token_has_every_earlier_key_as_its_duplicate() -> None:
    head = head_figures(make_pass((7,) * 6))[0]
    weights = make_pass((7,) * 6).layers[0].weights[0]
    assert head.duplicate == pytest.approx(np.mean([weights[i, :i].sum() for i in range(1, 6)]), abs=1e-6)


def test_repeated_random_tokens_are_distinct_plain_and_seeded() -> None:
    engine = FakeEngine()
    ids = repeated_random_ids(engine.info, engine.codec, count=20, seed=4)
    start = len(engine.codec.start_ids)
    body = ids[start:]
    assert ids[:start] == engine.codec.start_ids
    assert body[:20] == body[20:] and len(set(body)) == 20 and len(body) == 40
    assert not any(engine.codec.is_special(token) for token in body)
    assert ids == repeated_random_ids(engine.info, engine.codec, count=20, seed=4)
    assert ids != repeated_random_ids(engine.info, engine.codec, count=20, seed=5)
    short = FakeEngine(context_length=9)
    assert len(repeated_random_ids(short.info, short.codec)) == 9


# -- selecting, merging, hiding ----------------------------------------------------------------------------------------


def test_the_part_above_the_diagonal_is_blank_and_not_zero() -> None:
    values = attention_matrix(make_pass(), Selection(0, (1,))).values
    assert np.isnan(values[np.triu_indices(len(TEXT), 1)]).all()
    assert not np.isnan(values[np.tril_indices(len(TEXT))]).any()


@pytest.mark.parametrize("how", ["mean", "min", "max"])
def test_merging_equals_numpy_over_the_heads(how: str) -> None:
    attention = make_pass()
    lower = np.tril_indices(len(TEXT))
    merge = getattr(np, how)
    layer = merge(attention.layers[1].weights, axis=0)
    np.testing.assert_allclose(
        attention_matrix(attention, Selection(1, (), how)).values[lower], layer[lower], atol=1e-6
    )
    every = merge(np.concatenate([layer.weights for layer in attention.layers]), axis=0)
    np.testing.assert_allclose(
        attention_matrix(attention, Selection(None, (), how)).values[lower], every[lower], atol=1e-6
    )


@given(st.lists(st.integers(1, 40), min_size=2, max_size=12), st.integers(0, 3))
def test_hiding_the_first_token_shares_out_the_rest(tokens: list[int], begin: int) -> None:
    start = min(begin, len(tokens) - 1)
    attention = make_pass(tuple(tokens), start)
    plain, hidden = (attention_matrix(attention, Selection(0, (0,)), hide_first=hide) for hide in (False, True))
    before = np.where(np.isnan(plain.values), 0, plain.values).sum(-1) + plain.before
    np.testing.assert_allclose(before, 1, atol=1e-5)
    rows = slice(1, None) if start == 0 else slice(None)
    left = 1 - plain.first[rows]
    shown = np.nan_to_num(hidden.values[rows]).sum(-1) + (plain.before[rows] - plain.first[rows] * (start > 0)) / left
    np.testing.assert_allclose(shown, 1, atol=1e-4)
    if start == 0:
        assert np.isnan(hidden.values[:, 0]).all(), "the first token's column is blank"
    assert hidden.sink_share == pytest.approx(plain.sink_share, nan_ok=True), "the share is that before hiding"


@pytest.mark.parametrize(
    ("text", "selection"),
    [
        ("3.2", Selection(3, (2,))),
        ("3.0+2.max", Selection(3, (0, 2), "max")),
        ("3.all.min", Selection(3, (), "min")),
        ("all.mean", Selection(None, ())),
        ("0.0+0", Selection(0, (0,))),
    ],
)
def test_a_selection_is_written_and_read(text: str, selection: Selection) -> None:
    assert read_selection(text) == selection == read_selection(selection.text)


@pytest.mark.parametrize("text", ["", "3", "3.x", "-1.2", "1.2.3", "all.2", "3.²", "1.0+", "99999.0", "a" * 300])
def test_a_selection_that_is_none_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(BadInput, match="Heads are written"):
        read_selection(text)


@pytest.mark.parametrize(
    ("selection", "says"), [(Selection(9), "choose one of 0 to 1"), (Selection(0, (5,)), "its heads are 0 to 1")]
)
def test_a_head_that_is_not_there_is_refused(selection: Selection, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        attention_matrix(make_pass(), selection)


# -- rollout -----------------------------------------------------------------------------------------------------------


def test_rollout_is_the_product_of_the_halved_layers() -> None:
    attention = make_pass()
    product = np.eye(len(TEXT))
    for layer, got in zip(attention.layers, rollout(attention), strict=True):
        product = (0.5 * layer.weights.astype(np.float64).mean(0) + 0.5 * np.eye(len(TEXT))) @ product
        np.testing.assert_allclose(got, product, atol=1e-6)
        np.testing.assert_allclose(got.sum(-1), 1, atol=1e-5)


def test_rollout_of_a_window_that_leaves_keys_out_is_refused() -> None:
    with pytest.raises(BadInput, match="window's start to 0"):
        rollout(make_pass(start=2))


# -- how a weight comes about ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [0, 3])
def test_the_parts_of_a_weight_lead_to_the_weight(start: int) -> None:
    attention = make_pass(start=start)
    layer = attention.layers[1]
    assert layer.queries is not None and layer.keys is not None
    parts = weight_parts(attention, 1, 1, 5)
    dots = [float(layer.queries[1, 5 - start] @ layer.keys[0, key]) for key in range(6)]
    np.testing.assert_allclose(parts.dots, dots, rtol=1e-5)
    np.testing.assert_allclose(parts.scores, np.array(dots) / math.sqrt(parts.depth), rtol=1e-5)
    np.testing.assert_allclose(parts.weights, softmax(np.array(dots) / math.sqrt(parts.depth)), atol=1e-6)
    np.testing.assert_allclose(parts.weights[start:], layer.weights[1, 5 - start, : 6 - start], atol=1e-6)
    assert parts.error < 1e-5 and np.isnan(parts.recorded[:start]).all()
    assert (parts.key_head, parts.sharing) == (0, (0, 1))


def test_the_parts_are_refused_where_they_are_not_known() -> None:
    blind = FakeEngine(shows_scores=False).attentions(TEXT)
    with pytest.raises(CapabilityMissing, match="does not show its queries and keys"):
        weight_parts(blind, 0, 0, 3)
    with pytest.raises(BadInput, match="outside of the window: choose 2 to 6"):
        weight_parts(make_pass(start=2), 0, 0, 1)
