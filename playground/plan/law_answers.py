"""The rows of the Scaling laws page and of the Data page. Pure; knows no streamlit."""

from __future__ import annotations

from playground.errors import BadInput
from playground.plan.answers import price_of
from playground.plan.setup import ScaleSetup, gpu_of
from playground.plan.wording import Row, counted_row, row
from playground.scaling.figures import figure, given
from playground.scaling.languages import MASSIVE_MEDIAN_TOKENS, token_ratios, under_representation
from playground.scaling.laws import (
    LAWS,
    ScalingLaw,
    data_factor,
    explain_loss,
    kaplan_data_factor,
    optimal_for_flops,
    optimal_for_params,
)
from playground.scaling.lifetime import Lifetime, Utilisation, optimise_lifetime, optimise_lifetime_cost
from playground.scaling.notes import NOTES
from playground.scaling.training import training_tokens

HUMAN_TEXT_TOKENS = 300e12  # Villalobos et al. 2024 (2211.04325): effective stock of public human text, 100T to 1000T
MASSIVE = "MASSIVE, median tokens; course notes"
TEXT_SOURCE = (
    "Villalobos et al. 2024, 2211.04325: public human text, adjusted for quality and repeats (100T to 1,000T tokens)"
)

LAW_WORDS = {
    "rule-20": "The rule of thumb: 20 tokens for each parameter.",
    "hoffmann-printed": "Chinchilla's fit (Hoffmann et al. 2022, approach 3) with its constants as printed, rounded.",
    "hoffmann-tex": "Chinchilla's fit (Hoffmann et al. 2022, approach 3) with more digits than were printed.",
    "sardana": "Chinchilla's fit as Sardana et al. 2024 use it to count inference in.",
    "besiroglu": "Besiroglu et al. 2024: Chinchilla's own runs fitted again.",
}


def law_of(setup: ScaleSetup, basis: str = "checked") -> ScalingLaw:
    return LAWS["rule-20" if basis == "notes" else setup.law]


def answer_laws(setup: ScaleSetup, basis: str = "checked") -> tuple[Row, ...]:
    """The loss of N parameters on D tokens, and what the budget would buy at best."""
    law = law_of(setup, basis)
    best = optimal_for_flops(law, setup.budget)
    size, tokens = best.figures
    ratio = figure("Tokens per parameter", "1", "D / N", law.source, D=(best.tokens, "1"), N=(best.params, "1"))
    optimum = (
        counted_row(size, "parameters", lead=True),
        counted_row(tokens, "tokens", lead=True),
        row(ratio),
    )
    if basis == "notes":
        return optimum
    spent = figure(
        "Compute of N and D",
        "FLOP",
        "6{FLOP/param/token} · N · D",
        "Kaplan et al. 2020, 2001.08361",
        N=(setup.size, "param"),
        D=(setup.tokens, "token"),
    )
    reached = explain_loss(law, setup.size, setup.tokens)
    at_best = explain_loss(law, best.params, best.tokens)
    same = optimal_for_flops(law, spent.value)
    excess = figure(
        "Loss above the best for this compute",
        "1",
        "loss − best",
        law.source,
        loss=(reached.value, "1"),
        best=(same.loss, "1"),
    )
    own_ratio = figure(
        "Tokens per parameter of N and D", "1", "D / N", "as typed", D=(setup.tokens, "1"), N=(setup.size, "1")
    )
    return (
        *optimum,
        row(at_best, name="Loss at the optimum (nats)"),
        row(reached, name="Loss of N and D (nats)"),
        row(excess, name="Loss above the best for this compute (nats)"),
        row(spent),
        row(own_ratio),
    )


def lifetime_of(setup: ScaleSetup) -> Lifetime:
    """The life of the least money: 80% of the demand is read, 20% written."""
    if price_of(setup)[0] is None:
        raise BadInput("This GPU has no price in the table; type one to compare costs.", "price")
    return optimise_lifetime_cost(LAWS[setup.law], setup.size, setup.demand * 0.8, setup.demand * 0.2, Utilisation())


def answer_lifetime(setup: ScaleSetup) -> tuple[Row, ...]:
    """The cheapest life against the compute-optimal model of the same loss, in FLOPs, money and energy."""
    law = LAWS[setup.law]
    best, cheapest = optimise_lifetime(law, setup.size, setup.demand), lifetime_of(setup)
    source = "2401.00448, numeric solution"
    saved = figure(
        "Change of lifetime compute",
        "1",
        "best / base − 1{1}",
        source,
        best=(best.total_flops, "FLOP"),
        base=(best.baseline_flops, "FLOP"),
    )
    data = figure(
        "Training data against compute-optimal",
        "1",
        "D / D_base",
        source,
        D=(best.train_tokens, "token"),
        D_base=(best.baseline_tokens, "token"),
    )
    split = f"2401.00448, section 4; 80% read, 20% written; {price_of(setup)[1]}"
    return (
        row(given("Size for the least FLOPs", best.params, "param", source), lead=True),
        row(given("Size for the least money", cheapest.params, "param", split), lead=True),
        row(given("Compute-optimal size", best.baseline_params, "param", law.source)),
        counted_row(data, "times the tokens"),
        Row("Change of lifetime compute", f"{saved.value:+.1%}", saved),
        *(row(shown) for shown in best.figures),
        *_bill(setup, "of the cheapest", cheapest.params, cheapest.train_tokens),
        *_bill(setup, "of the compute-optimal", best.baseline_params, best.baseline_tokens),
    )


def _bill(setup: ScaleSetup, whose: str, params: float, tokens: float) -> tuple[Row, Row]:
    """GPU-hours of a life in money and energy: each kind of token at the utilisation it is computed at."""
    used, gpu, (price, price_source) = Utilisation(), gpu_of(setup), price_of(setup)
    hours = figure(
        "GPU-hours",
        "GPU·h",
        "(6{FLOP/param/token}·N·D/u + 2{FLOP/param/token}·N·(read/u_read + written/u_written)) / peak / 3600{s/h}",
        "2401.00448, section 4",
        N=(params, "param"),
        D=(tokens, "token"),
        u=(used.training, "1"),
        read=(setup.demand * 0.8, "token"),
        u_read=(used.prefill, "1"),
        written=(setup.demand * 0.2, "token"),
        u_written=(used.decode, "1"),
        peak=(gpu.peak_flops, "FLOP/s/GPU"),
    )
    spent = (hours.value, "GPU·h")
    cost = figure(
        f"Lifetime cost {whose}",
        "USD",
        "hours · price",
        f"GPU-hours by 2401.00448, section 4; {price_source}",
        hours=spent,
        price=(price or 0.0, "USD/GPU/h"),
    )
    energy = figure(
        f"Lifetime energy {whose}",
        "kWh",
        "hours · W · PUE / 1000{W·h/kWh}",
        f"power of {gpu.name}",
        hours=spent,
        W=(gpu.watts, "W/GPU"),
        PUE=(setup.pue, "1"),
    )
    return row(cost), row(energy)


def answer_data(setup: ScaleSetup, basis: str = "checked") -> tuple[Row, ...]:
    """How fairly a language is served, and how much of all text a training run would take."""
    law = law_of(setup)
    if basis == "notes":
        return (counted_row(given("Data for the drop in loss", 10.0, "1", NOTES), "times"),)
    share = under_representation(setup.speakers, setup.web_share)
    tokens = training_tokens(setup.dataset, setup.epochs)
    used = figure(
        "Share of all human text",
        "1",
        "dataset / stock",
        TEXT_SOURCE,
        dataset=(setup.dataset, "token"),
        stock=(HUMAN_TEXT_TOKENS, "token"),
    )
    optimal = optimal_for_params(LAWS["rule-20"], HUMAN_TEXT_TOKENS / 20)
    rows = [
        counted_row(share, "times", name=f"Under-representation of {setup.language}", lead=True, note="1 is fair"),
        Row("Share of all human text", f"{used.value:.2%}", used, lead=True),
        row(given("Training tokens", tokens, "token", "dataset tokens × epochs")),
        row(
            given(
                "Largest model that all text could train", optimal.params, "param", "20 tokens a parameter, one epoch"
            )
        ),
    ]
    if law.irreducible < setup.after < setup.before:
        drop, kaplan = data_factor(law, setup.before, setup.after), kaplan_data_factor(setup.before, setup.after)
        rows.append(counted_row(given("Data for the drop in loss", drop, "1", law.source), "times"))
        rows.append(counted_row(given("The same by Kaplan's law", kaplan, "1", "2001.08361, equation 1.2"), "times"))
    for name, times in zip(MASSIVE_MEDIAN_TOKENS, token_ratios(tuple(MASSIVE_MEDIAN_TOKENS.values())), strict=True):
        if name != "English":
            rows.append(counted_row(given(f"Tokens of {name} against English", times, "1", MASSIVE), "times"))
    return tuple(rows)
