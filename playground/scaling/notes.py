"""Where the course notes and the sources disagree: both numbers, both computed here, and why they differ."""

from __future__ import annotations

from dataclasses import dataclass

from playground.scaling.configs import load_preset
from playground.scaling.figures import Figure, figure, given
from playground.scaling.hardware import find_gpu
from playground.scaling.laws import LAWS, data_factor, kaplan_data_factor, optimal_for_flops
from playground.scaling.parameters import count_parameters
from playground.scaling.quantity import format_count
from playground.scaling.training import TrainingPlan, cost_training

NOTES = "course notes"
GPT3_FLOPS = 3.14e23
NOTES_FLOPS_PER_S = 60e12  # taken for the H100 NVL: its FP32 peak
NOTES_UTILISATION = 0.7


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One topic. ``as_in_notes`` and ``checked`` are in the same unit wherever the two can be compared."""

    topic: str
    as_in_notes: tuple[Figure, ...]
    checked: tuple[Figure, ...]
    why: str
    sources: tuple[str, ...]


def disagreements() -> tuple[Disagreement, ...]:
    """All of them, in the order of the notes. Computed on each call (about a millisecond)."""
    return (_weights(), _sparse_memory(), _gpt3_time(), _gpt3_cost(), _palm2(), _tokens_per_param(), _drop(), _power())


def _weights() -> Disagreement:
    params = count_parameters(load_preset("Llama-2-7B").spec).total
    notes = figure("7B in 16 bits", "B", "N · 2{B/param}", NOTES, N=(7e9, "param"))
    real = figure("Llama-2-7B in 16 bits", "B", "N · 2{B/param}", "exact count", N=(float(params), "param"))
    why = "The real count is below 7B, and 13.48 GB are 12.55 GiB; both are the weights alone, without a cache."
    return Disagreement("Memory of a 7B model", (notes,), (real,), why, (NOTES, "meta-llama/Llama-2 config.json"))


def _sparse_memory() -> Disagreement:
    count = count_parameters(load_preset("Mixtral-8x7B").spec)
    notes = figure("Sized by active parameters", "B", "N · 2{B/param}", NOTES, N=(float(count.active), "param"))
    real = figure("Resident weights", "B", "N · 2{B/param}", "exact count", N=(float(count.total), "param"))
    why = "A mixture of experts computes like its active parameters, but every expert must be in memory."
    return Disagreement("Memory of Mixtral 8x7B", (notes,), (real,), why, (NOTES, "2401.04088"))


def _days(flops_per_s: float, utilisation: float, source: str, name: str) -> Figure:
    return figure(
        name,
        "day",
        "C / (GPUs · speed · use) / 86400{s/day}",
        source,
        C=(GPT3_FLOPS, "FLOP"),
        GPUs=(256.0, "GPU"),
        speed=(flops_per_s, "FLOP/s/GPU"),
        use=(utilisation, "1"),
    )


def _gpt3_time() -> Disagreement:
    peak = find_gpu("H100 NVL").peak_flops
    notes = _days(NOTES_FLOPS_PER_S, 1.0, NOTES, "256 H100 at 60 TFLOP/s")
    checked = (
        _days(peak, 1.0, "H100 NVL data sheet, dense bf16", "256 H100 NVL at 100%"),
        _days(peak, 0.4, "H100 NVL data sheet, dense bf16", "256 H100 NVL at 40% MFU"),
    )
    why = (
        "60 TFLOP/s is the card's FP32 figure. Training runs in bf16, whose dense peak is 835.5 TFLOP/s. "
        "The notes write 236 days for 236.6."
    )
    return Disagreement("GPT-3 on 256 H100", (notes,), checked, why, (NOTES, "2005.14165, table D.1"))


def _gpt3_cost() -> Disagreement:
    days = _days(NOTES_FLOPS_PER_S, NOTES_UTILISATION, NOTES, "256 H100 at 60 TFLOP/s and 70%")
    notes = figure(
        "Cost at 70%",
        "USD",
        "days · 24{h/day} · GPUs · price",
        NOTES,
        days=(days.value, "day"),
        GPUs=(256.0, "GPU"),
        price=(2.0, "USD/GPU/h"),
    )
    plan = TrainingPlan(GPT3_FLOPS / 6 / 300e9, 300e9, find_gpu("H100 NVL"), 256, 0.4, 2.0)
    checked = cost_training(plan).cost_usd
    why = (
        "$4.1M is 236 days divided by 0.7, so the run it pays for takes 337 days (338 and $4.15M without rounding between); "
        "and 70% utilisation is not usual: published values are about 30 to 46%."
    )
    return Disagreement(
        "Cost of GPT-3", (days, notes), (checked,) if checked else (), why, (NOTES, "2204.02311, table 3")
    )


def _palm2() -> Disagreement:
    notes = given("PaLM-2, largest", 1e22, "FLOP", NOTES)
    symbols = {"N": (340e9, "param"), "D": (3.6e12, "token")}
    checked = figure("PaLM-2, largest", "FLOP", "6{FLOP/param/token} · N · D", "sizes from press reports", **symbols)
    why = "340B parameters on 3.6T tokens, as the press reported, need 700 times as much; the report withholds it."
    return Disagreement("Compute of PaLM-2", (notes,), (checked,), why, (NOTES, "2305.10403; press reports of 2023"))


def _tokens_per_param() -> Disagreement:
    law = LAWS["hoffmann-printed"]
    checked = tuple(
        given(
            f"Printed law at {format_count(flops, 2)} FLOPs",
            optimal_for_flops(law, flops).tokens_per_param,
            "1",
            law.source,
        )
        for flops in (1e19, 3.8e25)
    )
    why = "20 is the result of approach 1 alone; the printed constants of approach 3 drift with the budget."
    rule = given("Tokens per parameter", 20.0, "1", NOTES)
    return Disagreement("Tokens per parameter", (rule,), checked, why, (NOTES, "2203.15556; 2404.10102"))


def _drop() -> Disagreement:
    names = ("hoffmann-printed", "besiroglu")
    checked = (
        given("Kaplan", kaplan_data_factor(3.4, 2.8), "1", "2001.08361, equation 1.2"),
        *(given(name, data_factor(LAWS[name], 3.4, 2.8), "1", LAWS[name].source) for name in names),
    )
    why = "Each law gives less than ten, the more so the larger the loss that no data removes."
    notes = given("Factor of data", 10.0, "1", NOTES)
    return Disagreement("Data for a loss of 2.8 in place of 3.4", (notes,), checked, why, (NOTES, "2001.08361"))


def _power() -> Disagreement:
    def growth(name: str, after: float, before: float, source: str) -> Figure:
        return figure(name, "1", "after / before", source, after=(after, "1"), before=(before, "1"))

    notes = (given("Growth of data centres at most", 50.0, "1", NOTES),)
    checked = (
        growth("Least growth to the notes' own shares", 4.0, 2.0, "from 2% to 4%"),
        growth("Most growth to the notes' own shares", 20.0, 1.0, "from 1% to 20%"),
        figure(
            "IEA, 2024 to 2030",
            "1",
            "after / before",
            "IEA, Energy and AI, 2025, in TWh",
            after=(945e9, "kWh"),
            before=(415e9, "kWh"),
        ),
    )
    why = (
        "From 1–2% to 4–20% is 2 to 20 times; 50 times would be all the world's power. The IEA counts 415 TWh (1.5%) "
        "in 2024 and expects about 945 TWh (just under 3%) in 2030."
    )
    return Disagreement("Electricity", notes, checked, why, (NOTES, "IEA, Energy and AI, 2025"))
