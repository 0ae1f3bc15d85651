"""What the "Try this" notes of the Sampling page claim, held against the bundled model: each number in them is true."""

from __future__ import annotations

import numpy as np
import pytest

from playground.engine.api import NextTokens
from playground.engine.facets import require
from playground.engine.factory import make_engine
from playground.engine.hf.engine import TransformersEngine
from playground.inspection.compared import ModelRow, compare_rows
from playground.inspection.next_token import top_candidates
from playground.sampling.chain import NextToken, examine
from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.state.sampling import Pins, SamplingState
from playground.ui.kit.page import Experiment
from playground.ui.sampling_page.experiments import EXPERIMENTS
from tests.engine.conftest import bundled_engine

__all__ = ["bundled_engine"]
pytestmark = pytest.mark.model


def pins_of(experiment: Experiment) -> list[SamplerSettings]:
    (pins,) = experiment.puts
    assert isinstance(pins, Pins)
    return list(pins.values())


def looked_at(engine: TransformersEngine, prompt: str, settings: SamplerSettings) -> NextToken:
    ids = engine.codec.encode(prompt)
    return examine(engine.next_logits(ids).logits, settings, prompt_ids=ids)


def kept(view: NextToken) -> int:
    return int(np.count_nonzero(view.trace.final_probs))


def others(engine: TransformersEngine, view: NextToken) -> float:
    """The final probability in the row "others" of the bars as they stand at first."""
    return 1 - sum(row.final_prob for row in top_candidates(view, engine.codec, SamplingState().rows))


def test_top_p_adapts_and_top_k_does_not(bundled_engine: TransformersEngine) -> None:
    experiment = EXPERIMENTS["adapts"]
    unsure = "My favourite thing is"
    assert unsure in experiment.look
    assert (
        "3 tokens" in experiment.look
        and kept(looked_at(bundled_engine, experiment.setup["prompt"], experiment.setup["settings"])) == 3
    )
    assert kept(looked_at(bundled_engine, unsure, experiment.setup["settings"])) > 1_000
    for prompt in (experiment.setup["prompt"], unsure):
        assert kept(looked_at(bundled_engine, prompt, pins_of(experiment)[0])) == 10


def test_the_three_orders_keep_what_is_said(bundled_engine: TransformersEngine) -> None:
    experiment = EXPERIMENTS["order"]
    counts = [kept(looked_at(bundled_engine, experiment.setup["prompt"], pin)) for pin in pins_of(experiment)]
    assert "{}, {} and {} tokens".format(*counts) in experiment.look


def test_heat_fills_the_others_row_and_min_p_empties_it(bundled_engine: TransformersEngine) -> None:
    experiment = EXPERIMENTS["tail"]
    raw, hot = (
        looked_at(bundled_engine, experiment.setup["prompt"], chosen)
        for chosen in (NEUTRAL, experiment.setup["settings"])
    )
    assert f"{others(bundled_engine, raw):.0%} raw and {others(bundled_engine, hot):.0%}" in experiment.look
    cut = looked_at(bundled_engine, experiment.setup["prompt"], experiment.setup["settings"].replace(min_p=0.1))
    assert f"{kept(cut)} words are left" in experiment.look and abs(others(bundled_engine, cut)) < 1e-6


def test_the_penalty_ends_the_loop(bundled_engine: TransformersEngine) -> None:
    experiment = EXPERIMENTS["loop"]
    raw = looked_at(bundled_engine, experiment.setup["prompt"], NEUTRAL)
    assert bundled_engine.codec.piece(int(raw.trace.raw_probs.argmax()), raw.ids) == " mat"
    assert 0.45 < raw.trace.raw_probs.max() < 0.55
    cooled = looked_at(bundled_engine, experiment.setup["prompt"], experiment.setup["settings"])
    assert bundled_engine.codec.piece(int(cooled.trace.final_probs.argmax()), cooled.ids) == " floor"


def test_half_the_bits_move_what_is_said(bundled_engine: TransformersEngine) -> None:
    experiment = EXPERIMENTS["format"]
    (half,) = experiment.setup["beside"]
    engine = make_engine(*half.names(None, "cpu", "float32"))
    try:
        first, other = (
            ModelRow(
                each.info,
                each.codec,
                require(each, NextTokens).next_logits(each.codec.encode(experiment.setup["prompt"])),
            )
            for each in (bundled_engine, engine)
        )
    finally:
        engine.close()
    comparison = compare_rows(first, other)
    assert (
        comparison.distances.kl_pq is not None and f"some {comparison.distances.kl_pq.low:.3f} nats" in experiment.look
    )
    paris = comparison.moved[0]
    assert paris.text == " Paris" and f"{paris.p:.1%} to 76 or 77%" in experiment.look
    assert f"{paris.q:.0%}" in ("76%", "77%"), "one with AVX512-BF16, the other without"
