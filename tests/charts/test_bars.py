"""The bars' data for the browser: shares of the axis, ticks, the cut-off, and what is said in words."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.charts.bars import LOG_FLOOR, BarRow, BarsData, axis_share, bars_payload

PROBABILITY = st.one_of(st.just(0.0), st.just(1.0), st.floats(0, 1), st.floats(1e-45, 1e-6))


def row(index: int, raw: float, final: float, removed_by: str | None = None, *, chosen: bool = False) -> BarRow:
    logprob = math.log(raw) if raw > 0 else -math.inf
    return BarRow(100 + index, f"t{index}", index, raw, logprob, final, removed_by, chosen)


def plain_data(**changes: Any) -> BarsData:
    rows = (row(0, 0.5, 0.8, chosen=True), row(1, 0.125, 0.2), row(2, 0.0625, 0.0, "Top-p"))
    data = BarsData(rows, 97, 0.3125, 0.0, kept=2, vocab_size=100, cut_after=2)
    return replace(data, **changes)


@st.composite
def any_data(draw: st.DrawFn) -> BarsData:
    count = draw(st.integers(1, 12))
    rows = tuple(
        row(i, draw(PROBABILITY), draw(PROBABILITY), draw(st.sampled_from([None, "Top-k"])), chosen=i == 0)
        for i in range(count)
    )
    others = draw(st.integers(0, 50_000))
    vocab = count + others
    return BarsData(
        rows,
        others,
        draw(PROBABILITY),
        draw(PROBABILITY),
        kept=draw(st.integers(1, vocab)),
        vocab_size=vocab,
        cut_after=draw(st.one_of(st.none(), st.integers(1, vocab))),
        log=draw(st.booleans()),
    )


@given(any_data())
def test_whatever_the_data_every_bar_fits_the_axis_and_travels_as_json(data: BarsData) -> None:
    payload = bars_payload(data)
    text = json.dumps(payload, allow_nan=False)
    assert json.dumps(json.loads(text)) == text
    assert len(payload["rows"]) == len(data.rows) + 1
    for shown in payload["rows"]:
        assert 0 <= shown["raw"] <= 1 and 0 <= shown["final"] <= 1
    ticks = [tick["at"] for tick in payload["ticks"]]
    assert ticks == sorted(ticks) and ticks[0] >= 0 and ticks[-1] <= 1 + 1e-9 and 2 <= len(ticks) <= 8
    assert len({tick["text"] for tick in payload["ticks"]}) == len(ticks)
    assert -1 <= payload["cutRow"] <= len(data.rows)
    assert (payload["cutRow"] == -1) == (payload["cutText"] == "")


@given(any_data())
def test_a_longer_bar_never_stands_for_less(data: BarsData) -> None:
    shown = bars_payload(data)["rows"]
    pairs = sorted(zip((item.raw_prob for item in data.rows), (item["raw"] for item in shown), strict=False))
    assert all(a[1] <= b[1] for a, b in zip(pairs, pairs[1:], strict=False))


def test_linear_shares_are_fractions_of_the_longest_bar() -> None:
    shown = bars_payload(plain_data())["rows"]
    np.testing.assert_allclose([item["raw"] for item in shown], [0.625, 0.15625, 0.078125, 0.390625])
    np.testing.assert_allclose([item["final"] for item in shown], [1.0, 0.25, 0.0, 0.0])


@pytest.mark.parametrize(("probability", "share"), [(1.0, 1.0), (1e-4, 0.5), (1e-8, 0.0), (1e-12, 0.0), (0.0, 0.0)])
def test_the_log_axis_runs_from_a_hundred_millionth_to_one(probability: float, share: float) -> None:
    assert axis_share(probability, 0.3, log=True) == pytest.approx(share)
    assert LOG_FLOOR == 1e-8


@given(st.floats(1e-8, 1))
def test_log_shares_and_log_ticks_are_the_same_axis(probability: float) -> None:
    assert axis_share(probability, 1.0, log=True) == pytest.approx(1 + math.log10(probability) / 8, abs=1e-9)
    for tick in bars_payload(plain_data(log=True))["ticks"]:
        value = 1.0 if tick["text"] == "100%" else float(tick["text"])
        assert axis_share(value, 1.0, log=True) == pytest.approx(tick["at"], abs=1e-9)


@given(any_data())
def test_linear_ticks_say_where_they_stand(data: BarsData) -> None:
    data = replace(data, log=False)
    largest = max([data.others_raw, data.others_final, *(p for r in data.rows for p in (r.raw_prob, r.final_prob))])
    if largest < 1e-6:
        return  # an axis too short for its text's three digits
    for tick in bars_payload(data)["ticks"]:
        assert tick["at"] * largest * 100 == pytest.approx(float(tick["text"].rstrip("%")), rel=6e-3, abs=1e-9)


def test_a_removed_token_names_its_stage_and_shows_no_final() -> None:
    gone = bars_payload(plain_data())["rows"][2]
    assert gone["removed"] and gone["finalText"] == "" and gone["rawText"] == "6.25% · removed by Top-p"
    assert "removed by Top-p" in gone["lines"]


def test_each_row_carries_what_the_hover_card_shows() -> None:
    first = bars_payload(plain_data())["rows"][0]
    assert first["pick"] == 100 and first["chosen"]
    assert first["lines"] == ["t0 (drawn)", "id 100, rank 1", "raw 50.00%, log-probability -0.693", "final 80.00%"]


def test_the_others_row_has_count_and_mass_and_cannot_be_picked() -> None:
    rest = bars_payload(plain_data(others_final=0.25))["rows"][-1]
    assert rest["pick"] == -1 and rest["label"] == "others (97)"
    assert (rest["rawText"], rest["finalText"], rest["removed"]) == ("31.25%", "25.00%", False)
    assert bars_payload(plain_data())["rows"][-1]["rawText"] == "31.25% · all removed"


@pytest.mark.parametrize(
    ("cut_after", "row_index", "says"),
    [
        (2, 2, "cut-off: 2 kept above"),
        (1, 1, "kept above"),
        (3, 3, "kept above"),
        (40, 3, "after rank 40"),
        (None, -1, ""),
        (100, -1, ""),
    ],
)
def test_the_cut_off_stands_where_it_falls(cut_after: int | None, row_index: int, says: str) -> None:
    payload = bars_payload(plain_data(cut_after=cut_after))
    assert payload["cutRow"] == row_index
    assert says in payload["cutText"]


def test_the_description_has_the_pictures_numbers() -> None:
    said = bars_payload(plain_data())["description"]
    for part in (
        "3 likeliest next tokens of 100",
        "2 are kept",
        "t0 50.00% raw, 80.00% final",
        "other 97",
        "t1 12.50% raw, 20.00% final",
        "t2 6.25% raw, 0% final",
        "31.25% raw and 0% final",
    ):
        assert part in said


def test_a_vocabulary_of_one_token_is_a_picture_too() -> None:
    payload = bars_payload(BarsData((row(0, 1.0, 1.0),), 0, 0.0, 0.0, kept=1, vocab_size=1, cut_after=1))
    assert payload["rows"][0]["raw"] == 1.0 and payload["rows"][1]["label"] == "others (0)"
    assert "all removed" not in payload["rows"][1]["rawText"]


@pytest.mark.parametrize("label", ["", "<img src=x onerror=1>", "**b** $x$ :red[y]", "\u202eabc", "x" * 5000])
def test_a_label_is_handed_over_untouched(label: str) -> None:
    """The browser writes it as text: escaping here would show the escapes."""
    data = plain_data(rows=(replace(row(0, 0.5, 0.5), label=label),))
    assert bars_payload(data)["rows"][0]["label"] == label
