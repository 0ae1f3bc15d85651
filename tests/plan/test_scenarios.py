"""Pinned scenarios beside the present one: their letters, and every picture of the Plan pages drawn from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from playground.charts.palette import FINAL, PINS
from playground.charts.scale_bars import BarsOf, plain_chart
from playground.charts.scale_lines import NOW, LinesData, lines_chart
from playground.errors import BadInput
from playground.plan import data_pictures, law_pictures, model_pictures, serving_pictures, training_pictures
from playground.plan.answers import fit_of
from playground.plan.scenarios import LETTERS, Pins, Scenarios, lettered, pinned
from playground.plan.setup import ScaleSetup

NOW_SET = ScaleSetup(config="Llama-2-7B", demand=1e12)
Picture = Callable[[Scenarios], LinesData | BarsOf]
PICTURES: dict[str, Picture] = {
    "context": lambda scenarios: model_pictures.context_data(scenarios, False),
    "mfu": training_pictures.mfu_data,
    "bill": lambda scenarios: training_pictures.bill_data(scenarios, "money"),
    "equal compute": law_pictures.iso_flop_data,
    "over-training": law_pictures.over_training_data,
    "lifetime": law_pictures.lifetime_data,
    "roofline": serving_pictures.roofline_data,
    "sweep": lambda scenarios: serving_pictures.sweep_data(scenarios, "batch", "tokens per second"),
    "languages": data_pictures.language_data,
    "stock": data_pictures.stock_data,
}


def test_pins_take_the_first_free_letter_and_no_more_than_four() -> None:
    pins = Pins()
    for number, letter in enumerate(LETTERS, 1):
        pins = pins.with_pin(replace(NOW_SET, batch=number))
        assert list(pins.by_letter)[-1] == letter
    with pytest.raises(BadInput, match="unpin one"):
        pins.with_pin(NOW_SET)
    again = pins.without("B").with_pin(NOW_SET)
    assert list(again.by_letter) == list(LETTERS) and again.by_letter["B"] == NOW_SET
    assert pinned([NOW_SET] * 6).by_letter.keys() == set(LETTERS)


@pytest.mark.parametrize("name", PICTURES)
def test_a_scenario_pinned_as_it_is_lies_on_the_present_one_in_its_own_colour(name: str) -> None:
    data = PICTURES[name](Scenarios(NOW_SET, {"C": NOW_SET}))
    if isinstance(data, BarsOf):
        bars = {bar.colour: bar for bar in plain_chart(data).bars}
        assert bars[FINAL].x == bars[PINS["C"]].x and bars[FINAL].text == bars[PINS["C"]].text
        return
    kinds = {series.kind: series for series in data.series}
    assert np.allclose(kinds[NOW].x, kinds["C"].x) and np.allclose(kinds[NOW].y, kinds["C"].y, equal_nan=True)
    assert lettered("", "C").strip(", ") == "C" and "C" in kinds["C"].name
    assert {FINAL, PINS["C"]} <= {line.colour for line in lines_chart(data).lines}


def test_a_scenario_that_cannot_be_computed_is_left_out() -> None:
    def refuse(setup: ScaleSetup) -> int:
        if setup.batch == 3:
            raise BadInput("no")
        return setup.batch

    scenarios = Scenarios(replace(NOW_SET, batch=2), {"A": replace(NOW_SET, batch=3), "B": replace(NOW_SET, batch=4)})
    assert dict(scenarios.each(refuse)) == {NOW: 2, "B": 4}
    assert dict(scenarios.each_pin(refuse)) == {"B": 4}


def test_the_bars_of_the_memory_are_what_the_table_says() -> None:
    training = replace(NOW_SET, purpose="training", gpus=8, zero=3)
    data = model_pictures.memory_data(Scenarios(NOW_SET, {"A": training}))
    for (_, parts), setup in zip(data.bars, (NOW_SET, training), strict=True):
        assert sum(size for _, size in parts) * 1e9 == pytest.approx(fit_of(setup).needed_bytes)


def test_where_curves_of_memory_cross_both_take_the_same() -> None:
    curves = model_pictures.memory_curves(NOW_SET)
    by_name = {curve.name: curve for curve in curves}
    crossings = model_pictures.own_crossings(curves, True)
    assert crossings
    for one in crossings:
        for name in (one.grower, one.other):
            at = np.interp(one.context, by_name[name].contexts, by_name[name].total_bytes) / 1e9
            assert at == pytest.approx(one.gigabytes, rel=0.02)
