"""The race: bytes by formula are those of the tensors, families are of one size, exponents and crossings by arithmetic."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from playground.architectures.families import FAMILIES
from playground.architectures.growth import crossing, exponent, exponents_said, family_growth
from playground.architectures.model import SequenceModel, parameter_count
from playground.architectures.race import Racer, RaceRow, race, race_loaded, racers_of, read_contexts
from playground.architectures.results import crossings, exponents_of, predicted_prefill
from playground.engine.api import CancelToken
from playground.engine.hf.engine import TransformersEngine
from playground.errors import BadInput, Cancelled
from playground.scaling.configs import load_config
from tests.engine.small import small_loaded


def run(names: list[str], contexts: tuple[int, ...]) -> tuple[RaceRow, ...]:
    steps = race(racers_of(names, load_config), contexts)
    while True:
        try:
            assert 0 <= next(steps).share <= 1
        except StopIteration as end:
            rows: tuple[RaceRow, ...] = end.value
            return rows


@pytest.mark.parametrize("name", FAMILIES)
def test_bytes_by_formula_are_the_tensors(name: str) -> None:
    for row in run([name], (20, 40)):
        assert row.state_bytes is not None and row.cache_bytes is not None and not row.note
        assert row.state_bytes + row.cache_bytes == row.predicted_bytes
        assert row.prefill_s and row.decode_s_per_token
        assert bool(row.cache_bytes) == (name in ("transformer", "jamba"))


def test_all_families_are_of_one_size() -> None:
    sizes = {name: family_growth(family).parameters for name, family in FAMILIES.items()}
    assert max(sizes.values()) < 1.2 * min(sizes.values()), sizes
    for family in FAMILIES.values():
        if family.layers:
            model = SequenceModel(1024, 256, family.layers, family.wider)
            assert parameter_count(model) == family_growth(family).parameters


def test_any_config_runs_and_what_does_not_fit_says_so(tmp_path: Path) -> None:
    config = {
        "model_type": "gpt2",
        "n_embd": 32,
        "n_layer": 2,
        "n_head": 2,
        "vocab_size": 50,
        "n_positions": 48,
    }
    (tmp_path / "own.json").write_text(json.dumps(config))
    fits, beyond = run([str(tmp_path / "own.json")], (32, 64))
    assert fits.cache_bytes == fits.predicted_bytes and "48 tokens" in beyond.note and beyond.prefill_s is None
    (row,) = run(["llama-3.1-405b"], (32,))
    assert "weights take" in row.note and row.state_bytes is None and row.predicted_bytes > 0


def test_the_loaded_model_is_raced_through_its_engine() -> None:
    engine = TransformersEngine(small_loaded("mamba", context_length=200))
    steps = race_loaded(engine, (16, 64, 256), None, CancelToken(), seed=0)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            rows = end.value
            break
    assert rows[0].state_bytes == rows[1].state_bytes > 0 and rows[0].cache_bytes == 0
    assert "reads 200 tokens" in rows[2].note


def test_a_race_stops_where_it_is_told_to() -> None:
    cancel = CancelToken()
    steps = race([Racer("GRU", FAMILIES["gru"])], (16, 32), cancel=cancel)
    next(steps)
    cancel.cancel()
    with pytest.raises(Cancelled):
        list(steps)


@pytest.mark.parametrize("text", ["", "0", "a", "12,-3", "1e3", "9999999999", ",", "131073"])
def test_contexts_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(BadInput, match="contexts"):
        read_contexts(text)


def test_exponents_are_slopes() -> None:
    contexts = [128.0, 256, 512, 1024, 2048, 4096]
    assert exponent(contexts, [3 * x**1.9 for x in contexts]) == pytest.approx(1.9)
    assert exponent(contexts, [7.0] * 6) == pytest.approx(0)
    assert exponent(contexts, [1 + 1e9 * (x < 1000) for x in contexts]) == pytest.approx(0)  # short ones say nothing
    assert exponent([128.0], [1.0]) is None and exponent(contexts, [None] * 6) is None
    assert exponents_said({"prefill": 1.91, "decode": 0.99, "state": -0.001}) == "prefill 1.9, decode 1.0, state 0"


def test_curves_cross_where_their_formulas_do() -> None:
    contexts = [2.0**power for power in range(4, 12)]
    assert crossing(contexts, [x**2 for x in contexts], [100 * x for x in contexts]) == pytest.approx(100)
    assert crossing(contexts, contexts, [9e9] * 8) is None and crossing(contexts, [9e9] * 8, contexts) is None
    rows = [
        RaceRow(name, int(x), 0, x, 0, int(kept), seconds, 1e-3)
        for name, of in (("a", lambda x: (x, x * x / 1e5)), ("b", lambda x: (300, x / 1e3)))
        for x in contexts
        for kept, seconds in [of(x)]
    ]
    lengths = {one.quantity: one.context for one in crossings(rows, "a")}
    assert lengths["state"] == pytest.approx(300, rel=0.2) and lengths["prefill"] == pytest.approx(100)
    assert exponents_of(rows[:8])["prefill"] == pytest.approx(2) and exponents_of(rows[8:])["state"] == 0
    assert predicted_prefill(rows[8:])[3] == pytest.approx(rows[11].prefill_s)
