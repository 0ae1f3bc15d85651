"""The pictures of "Inside the model": valid, legible, escaped, and described in their own numbers."""

from __future__ import annotations

import json
import math
from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import pytest

from playground.charts.lens_grid import (
    COLOURS,
    MOST_DIVERGENCE,
    SHADES,
    LensGridData,
    depth_name,
    fractions,
    grid_of,
    lens_description,
    lens_payload,
    shade_table,
)
from playground.charts.lens_html import lens_page
from playground.charts.lens_rank import RankData, RankLine, rank_description, rank_figure
from playground.charts.palette import contrast
from playground.charts.scale_lines import LinesData, lines_chart, lines_description
from playground.charts.timing_lines import cache_data, decode_data, prefill_data, roofline_data, seconds_data
from playground.engine.api import CancelToken
from playground.engine.fake.engine import FakeEngine
from playground.engine.pieces import finish
from playground.inspection.lens import choose_window, read_lens
from playground.inspection.speed import Pass, workload_of
from playground.inspection.timing import CacheSize, LengthTiming, Timing, timing_of

HOSTILE = "</script><img src=x onerror=alert(1)>"


def grid(depths: int = 3, positions: int = 2, text: str = "␣Paris") -> LensGridData:
    shape = (depths, positions)
    return LensGridData(
        tokens=tuple(f"t{place}" for place in range(positions)),
        first=7,
        tops=tuple(
            tuple(text if depth == depths - 1 else f"␣a{depth}" for _ in range(positions)) for depth in range(depths)
        ),
        probabilities=np.linspace(0, 1, depths * positions, dtype=np.float32).reshape(shape),
        entropies=np.linspace(math.log(1000), 0, depths * positions, dtype=np.float32).reshape(shape),
        divergences=np.linspace(2 * MOST_DIVERGENCE, 0, depths * positions, dtype=np.float32).reshape(shape),
        leads_from=np.full(positions, depths - 1),
        vocab_size=1000,
    )


def test_every_shade_is_legible_and_the_scale_is_monotonous() -> None:
    table = shade_table()
    assert len(table) == SHADES + 1
    assert all(contrast(ground, ink) >= 4.5 for ground, ink in table)


@pytest.mark.parametrize("colour", COLOURS)
def test_each_colour_places_the_cells_on_its_own_scale(colour: str) -> None:
    placed = fractions(grid(), colour)
    assert placed.min() == 0 and placed.max() == 1
    direction = 1 if colour == "probability" else -1
    assert (np.diff(direction * placed.ravel()) >= 0).all()
    shades = lens_payload(grid())["shades"][colour]
    assert min(shades) == 0 and max(shades) == SHADES


def test_a_value_that_is_no_number_has_no_colour() -> None:
    data = grid()
    data.entropies[0, 0] = np.nan
    assert lens_payload(data)["shades"]["entropy"][0] == -1
    json.dumps(lens_payload(data), allow_nan=False)


def test_the_payload_lists_each_text_once_and_stays_small() -> None:
    payload = lens_payload(grid(31, 64))
    assert [payload["texts"][number] for number in payload["tops"][-64:]] == ["␣Paris"] * 64
    assert len(payload["texts"]) == 31 and len(payload["tops"]) == 31 * 64
    assert len(json.dumps(payload)) < 150_000, "what 64 positions of 30 layers send"


def test_the_description_has_the_answer_and_its_numbers() -> None:
    said = lens_description(grid())
    assert "␣Paris with 100.00%" in said and "3 depths by 2 positions" in said and "layer 2 (answer)" in said
    assert depth_name(0, 3) == "embedding" and depth_name(1, 3) == "layer 1"


def test_the_html_page_is_escaped_and_forbids_everything() -> None:
    page = lens_page(grid(text=HOSTILE), "probability", HOSTILE)
    assert "<script" not in page and "<img" not in page and "onerror=alert(1)&gt;" in page
    assert "default-src 'none'" in page and page.count("<td") == 6
    assert page.index("layer 2 (answer)</th>") < page.index("embedding</th>"), "the answer stands on top"


def ranks() -> RankData:
    def line(name: str, values: list[int]) -> RankLine:
        line_ranks = np.array(values, dtype=np.int32)
        return RankLine(name, line_ranks, np.full(len(values), -1.0, dtype=np.float32), 2 if values[-1] == 0 else None)

    return RankData((line(HOSTILE, [900, 20, 0]), line("␣other", [3, 4, 5])), 1, 49_152)


def test_the_rank_figure_is_valid_and_puts_rank_one_on_top() -> None:
    figure = rank_figure(ranks())
    go.Figure(figure.to_dict())  # full validation
    low, high = figure.layout.yaxis.range
    assert low > high and figure.data[0].y.tolist() == [901, 21, 1]
    assert "<img" not in json.dumps(figure.to_plotly_json(), default=str)
    said = rank_description(ranks())
    assert "rank 901 at the embedding" in said and "leads from depth 2 on" in said and "never leads" in said


def timing(cache: bool = True) -> Timing:
    engine = FakeEngine()
    work = workload_of(engine.info, engine.weights())

    def one(tokens: int) -> tuple[LengthTiming, Pass]:
        passes = [
            Pass(
                n,
                c,
                work.flops(n, c, r),
                work.traffic(n, c, r),
                work.flops(n, c, r) / 1e9 + work.traffic(n, c, r) / 2e9,
                r,
            )
            for n, c, r in ((tokens, 0, 1), (1, tokens + 2, 1), (1, tokens + 2, 4))
        ]
        held = work.cache_bytes(tokens + 4) if cache else None
        return LengthTiming(passes[0], passes[1], CacheSize(tokens + 4, held, held)), passes[2]

    lengths, several = zip(*(one(tokens) for tokens in (16, 64, 256)), strict=True)
    return timing_of(engine.info, work, lengths, several[:1])


@pytest.mark.parametrize("make", [prefill_data, seconds_data, decode_data, cache_data, roofline_data])
def test_the_timing_pictures_are_drawn_and_described(make: Callable[[Timing, int], LinesData | None]) -> None:
    data = make(timing(), 2048)
    assert data is not None
    assert len(lines_chart(data).marks) == len(data.marks)
    said = lines_description(data, "Subject")
    assert data.y.title in said and len(data.marks) in (3, 7)


def test_predictions_reach_ahead_and_meet_the_measured_marks() -> None:
    times = timing()
    for data in (prefill_data(times, 2048), seconds_data(times, 2048), decode_data(times, 2048)):
        (series,) = data.series
        assert series.x[-1] == 2048
        for mark in data.marks:
            assert np.interp(mark.x, series.x, series.y) == pytest.approx(mark.y, rel=0.05)
        assert [mark.strong for mark in data.marks] == [False, False, True], "the check is marked" + data.y.title


def test_under_the_roof_reading_is_bound_by_arithmetic_and_writing_by_memory() -> None:
    times = timing()
    data = roofline_data(times)
    reads = [mark for mark in data.marks if not mark.strong]
    writes = [mark for mark in data.marks if mark.strong]
    assert max(mark.x for mark in writes) < min(mark.x for mark in reads)
    for mark in data.marks:
        assert mark.y * 1e9 <= min(times.speed.fit.flops_per_s, mark.x * times.speed.fit.bytes_per_s) * 1.01, (
            "nothing beats the roof"
        )


def test_without_a_cache_there_is_no_cache_picture() -> None:
    assert cache_data(timing(cache=False), 100) is None
    full = cache_data(timing(), 100)
    assert full is not None and full.marks[0].y == pytest.approx(2 * 2 * 16 * 4 * 20 / 1e6)


def test_the_fit_in_these_tests_is_from_the_same_rates() -> None:
    times = timing()
    assert times.speed.fit.flops_per_s == pytest.approx(1e9, rel=1e-3) and times.speed.fit.bytes_per_s == pytest.approx(
        2e9, rel=1e-3
    )


def test_a_lens_as_a_page_escapes_the_text() -> None:
    engine = FakeEngine()
    ids = engine.codec.encode("=1+1 <b>")
    picture = finish(read_lens(engine, ids, choose_window(len(ids)), CancelToken()))
    page = lens_page(grid_of(picture, engine.codec, engine.info.vocab_size), "probability", "Fake model")
    assert "<b>" not in page.split("<body>")[1].replace("<b>Probability</b>", "") and "&lt;" in page
