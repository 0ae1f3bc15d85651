"""What the browser is sent comes back as the weights, small; and what the pictures say is true."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from playground.charts.attention_bytes import WORD, decoded, matrix_codes, shrunk, tile_codes, tile_side
from playground.charts.attention_map import HeadMap, HeadTile, head_lines, map_payload, overview_map, thumbnails
from playground.charts.attention_parts import SHOWN_KEYS, WeightBars, shown_keys, weight_description, weight_figure
from playground.charts.attention_view import SCALES, AttentionView, MatrixPanel, panel_description, view_payload
from playground.engine.fake.engine import FakeEngine
from playground.inspection.attention import head_figures

WEIGHTS = st.floats(0, 1, width=32)


def causal(values: np.ndarray) -> np.ndarray:
    return np.where(np.tri(len(values), dtype=bool), values, np.nan).astype(np.float32)


@given(hnp.arrays(np.float32, st.integers(1, 9).map(lambda n: (n, n)), elements=WEIGHTS))
def test_weights_come_back_within_the_stated_precision(values: np.ndarray) -> None:
    shown = causal(values)
    shown[:, 0] = np.nan  # a hidden first token
    back = decoded(matrix_codes(shown))
    lower = shown[np.tril_indices(len(shown))]
    np.testing.assert_array_equal(np.isnan(back), np.isnan(lower))
    precision = 1 / WORD  # the slope of p = (code / WORD)² at 1, times half a code
    np.testing.assert_allclose(back, lower, atol=precision * 1.01, rtol=0)
    assert precision < 2e-5, "the page says 0.002 percentage points"


def test_small_weights_keep_their_place_on_a_log_scale() -> None:
    for weight in (1e-4, 1e-6):
        back = float(decoded(matrix_codes(np.full((1, 1), weight, np.float32)))[0])
        assert back == pytest.approx(weight, rel=0.02)


def test_a_head_of_128_tokens_is_22_kilobytes_and_512_still_paint() -> None:
    assert len(matrix_codes(causal(np.random.default_rng(0).random((128, 128))))) < 23_000
    assert len(matrix_codes(causal(np.random.default_rng(0).random((512, 512))))) < 360_000


@pytest.mark.parametrize(("count", "width"), [(270, 128), (1024, 512), (4096, 512), (4, 3), (12, 20)])
def test_all_thumbnails_stay_small_and_square(count: int, width: int) -> None:
    side = tile_side(count, width)
    assert min(8, width) <= side <= min(32, width)
    assert len(tile_codes(np.zeros((count, side, side), np.float32))) < 210_000


def test_shrinking_takes_the_largest_of_each_block_and_blank_only_where_all_is_blank() -> None:
    values = causal(np.random.default_rng(1).random((50, 50)))[None]
    small = shrunk(values, 20)[0]
    edges = np.linspace(0, 50, 20, endpoint=False).astype(int).tolist() + [50]
    for row in range(20):
        for column in range(20):
            block = values[0, edges[row] : edges[row + 1], edges[column] : edges[column + 1]]
            if np.isnan(block).all():
                assert np.isnan(small[row, column])
            else:
                assert small[row, column] == np.nanmax(block)
    assert shrunk(values, 50) is values


def test_the_overview_has_every_head_once_and_tells_the_sinks() -> None:
    attention = FakeEngine(shows_scores=False).attentions((5, 6, 7, 5, 6))
    figures = head_figures(attention)
    data = overview_map(attention, figures, thumbnails(attention), name="Fake")
    payload = map_payload(data, (1, 0))
    assert payload["places"] == [[0, 0], [0, 1], [1, 0], [1, 1]] and payload["locked"] == [1, 0]
    codes = decoded(payload["codes"], wide=False).reshape(4, 15)
    np.testing.assert_allclose(codes[3], attention.layers[1].weights[1][np.tril_indices(5)], atol=0.004)
    mean = 100 * np.mean([figure.first for figure in figures])
    assert f"gives {mean:.2f}% to the first token" in data.description
    strong = sum(figure.first > 0.5 for figure in figures)
    assert "All 2 layers by 2 heads of Fake on 5 tokens" in data.description
    assert f"{strong} of 4 give it more than half" in data.description
    assert payload["scale"] is None and set(payload["ends"]) == set(SCALES), "coloured by what is chosen in the browser"
    assert payload["lines"][2] == list(head_lines(figures[2])) and payload["lines"][2][0] == "Layer 1, head 0"


def test_a_map_of_figures_is_scaled_to_its_top() -> None:
    tiles = np.array([2.0, np.nan, 4.0], np.float32)[:, None, None]
    heads = tuple(HeadTile(0, head, (f"head {head}",)) for head in range(3))
    payload = map_payload(HeadMap(heads, tiles, "entropies", "linear", {"linear": ("0", "4 nats")}, top=4.0), (-1, -1))
    np.testing.assert_allclose(decoded(payload["codes"], wide=False), [0.5, np.nan, 1.0], atol=0.004)


def make_view(values: np.ndarray, start: int = 10) -> AttentionView:
    tokens = tuple("abcdefgh"[: len(values)])
    return AttentionView(tokens, start, (MatrixPanel("Layer 1, head 2", causal(values)),), query=start)


def test_the_description_names_the_strongest_cells_by_position() -> None:
    values = np.zeros((4, 4), np.float32)
    values[3, 1], values[2, 2], values[1, 0] = 0.75, 0.5, 0.25
    view = make_view(values)
    description = panel_description(view, view.panels[0])
    assert description == (
        "Layer 1, head 2: attention of 4 queries by 4 keys. Strongest: 13 d to 11 b 75.00%, 12 c to 12 c 50.00%, "
        "11 b to 10 a 25.00%."
    )
    payload = view_payload(view)
    assert (
        payload["panels"][0]["top"] == 0.75
        and payload["start"] == 10
        and payload["panels"][0]["description"] == description
    )


def test_a_picture_of_one_token_or_of_nothing_has_words_too() -> None:
    alone = make_view(np.ones((1, 1), np.float32), start=0)
    assert "one query and one key. Nothing to show." in panel_description(alone, alone.panels[0])
    blank = make_view(np.full((2, 2), np.nan, np.float32))
    assert view_payload(blank)["panels"][0]["top"] == 1.0


def bars(count: int) -> WeightBars:
    rng = np.random.default_rng(2)
    scores = rng.standard_normal(count).astype(np.float32)
    scores[0] = np.nan
    weights = rng.dirichlet(np.ones(count)).astype(np.float32)
    weights[0] = 0
    return WeightBars("9 <b>x</b>", tuple(f"{i} <i>" for i in range(count)), scores * 8, scores, weights)


@pytest.mark.parametrize("count", [2, 10, 100])
def test_the_bars_of_a_weight_are_a_valid_figure_of_the_heaviest_keys(count: int) -> None:
    data = bars(count)
    figure = weight_figure(data)
    go.Figure(figure.to_dict())  # validated in full here
    shown = shown_keys(data)
    assert len(shown) == min(count, SHOWN_KEYS) and shown == sorted(shown)
    assert set(np.argsort(-data.weights)[: len(shown)]) == set(shown)
    np.testing.assert_array_equal(figure.data[1]["x"], data.weights[shown])
    assert all("<i>" not in name for name in figure.layout.yaxis.ticktext)
    assert "Highest: " + data.names[int(np.argmax(data.weights))] in weight_description(data)
