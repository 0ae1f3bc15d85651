"""The pictures of the Training page, as the charts take them. Knows no streamlit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from playground.charts.scale_bars import BarsOf, PlainBar
from playground.charts.scale_lines import NOW, Axis, LinesData, Mark, Series
from playground.errors import BadInput
from playground.plan.answers import training_cost, training_plan
from playground.plan.scenarios import Scenarios, lettered, titled
from playground.plan.wording import write_figure
from playground.scaling.figures import Figure
from playground.scaling.training import PUBLISHED_MFU, TrainingCost, cost_training

UNITS = {"days": "days", "money": "USD", "energy": "kWh", "CO₂": "kg of CO₂"}
MARKED = {"GPT-3 175B (V100)": "GPT-3", "Gopher 280B": "Gopher", "MT-NLG 530B": "MT-NLG", "PaLM 540B": "PaLM"}


def bill_data(scenarios: Scenarios, quantity: str) -> BarsOf:
    """One quantity (of UNITS) of every scenario side by side. Raises BadInput where none has it."""
    bars = []
    for letter, bill in scenarios.each(training_cost):
        shown = _part_of(bill, quantity)
        if shown is not None:
            bars.append(PlainBar(titled(letter), shown.value, write_figure(shown), letter))
    if not bars:
        raise BadInput("No price is known for this GPU; type one on the left to compare money.", "price")
    return BarsOf(tuple(bars), UNITS[quantity])


def _part_of(bill: TrainingCost, quantity: str) -> Figure | None:
    return {"days": bill.days, "money": bill.cost_usd, "energy": bill.energy_kwh, "CO₂": bill.co2_kg}[quantity]


def mfu_data(scenarios: Scenarios) -> LinesData:
    """Days of each plan at every utilisation; marks at the published ones."""
    plan = training_plan(scenarios.now)
    shares = np.linspace(0.05, 1.0, 60)
    at_full = cost_training(replace(plan, mfu=1.0)).days.value
    marks = [Mark(MARKED.get(each.run, "Llama 3.1"), 100 * each.mfu, at_full / each.mfu) for each in PUBLISHED_MFU[:5]]
    marks.append(Mark("now", 100 * plan.mfu, at_full / plan.mfu, strong=True))
    series = [Series("days", 100 * shares, at_full / shares, NOW)]
    for letter, pinned in scenarios.each_pin(training_plan):
        days = cost_training(replace(pinned, mfu=1.0)).days.value
        series.append(Series(lettered("days", letter), 100 * shares, days / shares, letter))
        marks.append(Mark(letter, 100 * pinned.mfu, days / pinned.mfu, strong=True))
    return LinesData(
        Axis("model FLOPs utilisation (MFU) in %", log=False, range=(0.0, 100.0)),
        Axis("days"),
        tuple(series),
        tuple(marks),
    )
