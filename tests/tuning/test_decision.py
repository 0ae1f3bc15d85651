"""What may be said of a plan's numbers: gains with what they cost elsewhere, nothing of chance, and honest ends in between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from playground.tuning.decision import Findings, decide, winner
from playground.tuning.measures import MEASURES, Measure, find_measure
from playground.tuning.statistics import Difference, adjust, sign_flip_p

Values = Mapping[str, np.ndarray]


def decided(values: np.ndarray, name: str = "checks", samples: int = 1, others: Values | None = None) -> Findings:
    measures = [MEASURES[name], *(MEASURES[other] for other in others or {})]
    arms = ["today", *(f"s{n}" for n in range(values.shape[1] - 2)), "control"]
    return decide(arms, {name: values, **(others or {})}, measures, samples=samples)


def noisy(seed: int, examples: int, *shifts: float, noise: float = 0.01) -> np.ndarray:
    """An arm for each shift, today and the control without one."""
    rng = np.random.default_rng(seed)
    base = rng.random((examples, 1))
    own: np.ndarray = base + [0.0, *shifts, 0.0] + noise * rng.normal(size=(examples, len(shifts) + 2))
    return own


def test_a_real_gain_is_said_with_its_size_and_what_it_costs() -> None:
    values = noisy(0, 40, 0.3, 0.0)
    more = {"repetition": noisy(1, 40, 0.1, 0.0), "tokens": 100 * noisy(2, 40, 0.0, 0.0)}
    decision = decided(values, others=more)
    own = decision.recommendation
    assert own.setting == "s0" and not own.keep
    assert own.text.startswith("Use 's0': it passes 30 points more of its checks (95%: 29.")
    assert "than 'today' on 40 examples, p = 0.00" in own.text and "'s1' showed no gain." in own.text
    assert "But it repeats " in own.text and "No difference was found in tokens (95%: " in own.text
    assert own.text.endswith("similarity, consistency, distinct-2, refusals, latency and what people prefer.")
    assert [each.a for each in decision.comparisons] == ["s0", "s1", "control"] * 3
    assert not decision.failures({"checks": 0.5}, [MEASURES["checks"]])
    (failure,) = decision.failures({"checks": 0.99}, [MEASURES["checks"]])
    assert failure.startswith("checks of 's0' is ") and "required: at least 0.99" in failure


def test_prices_of_0_and_texts_of_one_token_are_no_shares() -> None:
    values, free = noisy(0, 20, 0.3), find_measure("cost:0/0")
    measures = [MEASURES["checks"], free, MEASURES["tokens"], MEASURES["refusals"]]
    by_name = dict(zip([each.name for each in measures], [values, 0 * values, 0 * values + 1, 0 * values], strict=True))
    own = decide(["today", "s0", "control"], by_name, measures).intervals["today"]
    assert (own[free.name].mean, own[free.name].low, own[free.name].high) == (0, None, None)
    assert (own["tokens"].mean, own["tokens"].low, own["tokens"].high) == (1, None, None)
    assert own["refusals"].high is not None and 0.1 < own["refusals"].high < 0.2


def test_more_of_what_is_worse_is_no_gain() -> None:
    values = noisy(0, 40, 0.3, -0.2)
    text = decided(values, "repetition").recommendation.text
    assert text.startswith("Use 's1': it repeats 20.") and " points less (95%: 19." in text
    assert "'s0' did worse in repetition." in decided(values[:, [0, 1, 3]], "repetition").recommendation.text


def test_where_the_control_differs_nothing_is_claimed() -> None:
    values = noisy(1, 40, 0.3)
    values[:, -1] += 0.2
    advice = decided(values).recommendation
    assert advice.keep and "its own second run differs" in advice.text


def test_equals_are_told_apart_in_at_most_one_of_twenty_plans() -> None:
    """The whole rule, control and correction among it, on 400 plans of 12 examples and four settings that are all the same."""
    rng = np.random.default_rng(2)
    plans, arms = 400, 5
    values = rng.random((12, plans, 1)) + 0.2 * rng.normal(size=(12, plans, arms))
    differences = values[:, :, 1:] - values[:, :, :1]
    p = sign_flip_p(differences.reshape(12, -1)).reshape(plans, arms - 1)
    means = differences.mean(axis=0)
    claims = 0
    for place in range(plans):
        adjusted = adjust(p[place], "holm")
        own = [Difference(m, None, None, None, a, 12) for m, a in zip(means[place].tolist(), adjusted, strict=True)]
        claims += winner(own, 1) is not None
    assert claims / plans <= 0.05


@pytest.mark.parametrize(
    ("values", "name", "said"),
    [
        (noisy(3, 12, 0.0, noise=0.1), "checks", "no difference found in checks. "),
        (noisy(3, 12, 0.0, noise=0.1), "checks", " To see one of 5 points, "),
        (noisy(3, 3, 0.3), "checks", "The most seen: 's0' passes 29.6 points more of its checks"),
        (noisy(3, 200, 0.0), "checks", "One of 5 points would have been seen in four of five such plans."),
        (noisy(3, 3, 0.3), "checks", "With 3 examples none could be shown, whatever its size; take 7 at least."),
        (noisy(3, 12), "checks", "there was no other setting to compare."),
        (noisy(3, 12, 0.1), "tokens", "decides nothing"),
        (np.full((5, 3), np.nan), "checks", "no example says anything of checks"),
        (np.ones((20, 4)), "checks", "is 100% on every example under every setting"),
        (np.zeros((20, 4)), "checks", "cannot tell them apart; take easier ones."),
        (np.zeros((20, 4)), "refusals", "take harder ones."),
        (np.arange(20.0)[:, None] * np.ones((1, 3)), "checks", "they may be equal settings."),
        (
            noisy(4, 40, -0.3, 0.0),
            "checks",
            "'s0' did worse in checks. In the others no difference was found. One of 5 points",
        ),
    ],
)
def test_keep_what_you_have_and_why(values: np.ndarray, name: str, said: str) -> None:
    advice = decided(values, name).recommendation
    assert (
        advice.keep and advice.setting == "today" and advice.text.startswith("Keep 'today': ") and said in advice.text
    )


def test_what_would_show_a_difference_does() -> None:
    """As many examples more as it says show five points in about four of five plans."""
    values = noisy(5, 20, 0.0, noise=0.1)
    text = decided(values, samples=3).recommendation.text
    more = int(text.split("5 points, ")[1].split(" ")[0].replace(",", ""))
    assert f"({3 * more:,} more samples of each setting)" in text
    spread, shown = float((values[:, 1] - values[:, 0]).std(ddof=1)), 0
    for seed in range(60):
        own = 0.05 + spread * np.random.default_rng(seed).normal(size=(20 + more, 1))
        shown += bool(sign_flip_p(own, repeats=400)[0] < 0.05)
    assert 0.6 < shown / 60 < 0.95


def test_a_bar_without_a_value_is_missed() -> None:
    equal = decided(np.full((5, 3), np.nan))
    assert "has no value" in equal.failures({"checks": 0.1}, [MEASURES["checks"]])[0]


def test_braces_in_a_check_are_no_places_for_numbers() -> None:
    measure: Measure = find_measure('json:{"type": "object"}')
    decision: Any = decide(["a", "b", "control"], {measure.name: noisy(6, 30, 0.5)}, [measure])
    assert "it has 50" in decision.recommendation.text and '{"type": "object"}' in decision.recommendation.text
