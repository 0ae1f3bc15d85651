"""The Sampling page on an engine that tells the likeliest tokens of a row only: numbers where they are known, else bounds."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from playground.engine.fake.engine import FakeEngine
from playground.engine.fake.served import ROW_TOKENS, ServedFakeEngine
from playground.sampling.chain import trace_row
from playground.sampling.context import EMPTY_CONTEXT
from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.state.sampling import Pins
from playground.state.setup import Setup
from tests.ui.conftest import Opened

Open = Callable[..., Opened]


def opened(open_app: Open, **query: str) -> Opened:
    return open_app({"prompt": "hello", **query}, opener=lambda choice, progress: ServedFakeEngine())


def truth(settings: SamplerSettings) -> np.ndarray:
    engine = FakeEngine()
    return trace_row(engine.next_logits(engine.codec.encode("hello")).logits, settings, EMPTY_CONTEXT).final_probs


def test_bars_of_what_is_told_and_one_for_the_rest(open_app: Open) -> None:
    app = opened(open_app, temperature="1.3", rows="30")
    rows = app.bars["rows"]
    assert (
        len(rows) == ROW_TOKENS + 1 and rows[-1]["label"] == "not told by this engine (253)" and rows[-1]["pick"] == -1
    )
    assert app.bars["bounded"] and all(row["final"] < row["finalHigh"] for row in rows)
    exact = truth(NEUTRAL.replace(temperature=1.3))
    end = float(truth(NEUTRAL)[rows[0]["pick"]]) / rows[0]["raw"]  # where the axis ends
    for row in rows[:-1]:
        assert row["final"] * end - 1e-5 <= exact[row["pick"]] <= row["finalHigh"] * end + 1e-5
    assert "to " in rows[0]["finalText"] and "not told by this engine have" in app.bars["description"]
    few = opened(open_app, rows="5").bars["rows"]
    assert [row["label"] for row in few[-2:]] == [
        f"told, not shown ({ROW_TOKENS - 5})",
        "not told by this engine (253)",
    ]


def test_what_ends_within_the_tokens_told_is_exact(open_app: Open) -> None:
    app = opened(open_app, top_k="4", temperature="0.7", order="top_k,temperature")
    exact = truth(SamplerSettings(top_k=4, temperature=0.7, order="top_k,temperature"))
    kept = [row for row in app.bars["rows"] if not row["removed"]]
    assert len(kept) == 4 and not app.bars["bounded"] and app.bars["rows"][-1]["removed"]
    for row in kept:
        assert row["final"] == row["finalHigh"] and row["finalText"] == f"{100 * exact[row['pick']]:.2f}%"
    assert "Top-k :green-badge[exact] → Temperature :green-badge[exact]" in app.texts()
    assert "The final distribution is exact" in app.texts() and "Exact: " in app.texts()


def test_each_sampler_is_marked_beside_its_slider_and_in_the_chain(open_app: Open) -> None:
    app = opened(open_app, temperature="0.8", top_k="30")
    app.run()
    assert "**Temperature** :violet-badge[bounded]" in app.texts() and "**Top-k** :violet-badge[bounded]" in app.texts()
    assert "Temperature (bounded) → Top-k (bounded)" in app.texts()
    app.put(app.state(Setup).change(settings=NEUTRAL.replace(temperature=0.8, top_k=3)))
    app.run()
    assert "Temperature (bounded) → Top-k (exact)" in app.texts() and "**Top-k** :green-badge[exact]" in app.texts()


@pytest.mark.parametrize(("name", "value"), [("repetition_penalty", "1.2"), ("top_n_sigma", "1")])
def test_what_cannot_be_said_is_said_in_one_sentence(open_app: Open, name: str, value: str) -> None:
    app = opened(open_app, **{name: value})
    assert not app.errors and "not known" in app.bars["rows"][0]["finalText"] and not app.bars["bounded"]
    assert app.texts().count("The final distribution is not known") == 1
    assert all(row["raw"] > 0 and row["final"] == row["finalHigh"] == 0 for row in app.bars["rows"])
    for section in ("Pipeline", "Why this token?", "Compare"):
        assert not app.section(section).errors
    assert "points at no token" in app.section("Why this token?").texts()


def test_a_draw_is_certain_or_says_what_it_may_be(open_app: Open) -> None:
    app = opened(open_app, temperature="1.4", seed="1")
    settings = NEUTRAL.replace(temperature=1.4)
    outcomes = set()
    for seed in range(12):
        app.put(Setup(prompt="hello", settings=settings, seed=seed))
        app.run()
        chosen, maybe = ([row for row in app.bars["rows"] if row[state]] for state in ("chosen", "maybe"))
        assert bool(chosen) != bool(maybe)
        outcomes.add("certain" if chosen else "open")
        if maybe:
            assert "falls among the tokens" in app.texts() or "could give" in app.texts()
            app.at.button(key="accept_drawn").click()
            app.run()
            assert app.state(Setup).taken == () and "cannot be said" in app.texts()
    assert outcomes == {"certain", "open"}


def test_a_certain_draw_is_accepted(open_app: Open) -> None:
    app = opened(open_app, top_k="1")
    app.at.button(key="accept_drawn").click()
    app.run()
    assert app.state(Setup).taken == (int(truth(NEUTRAL).argmax()),) and not app.errors


def test_pins_are_drawn_in_their_bounds(open_app: Open) -> None:
    app = opened(open_app, temperature="0.8")
    app.put(Pins({"A": NEUTRAL.replace(top_k=3), "B": NEUTRAL, "C": NEUTRAL.replace(repetition_penalty=1.1)}))
    app.section("Compare")
    (table,) = [frame.value for frame in app.at.dataframe if "KL, nats" in frame.value]
    assert table["final"].tolist() == ["bounded", "exact", "exact", "not known"]
    assert table["KL, nats"].tolist() == ["", "open", "open", "open"] and "**Pin C** is not drawn" in app.texts()
    app.put(app.state(Setup).change(settings=NEUTRAL))
    app.run()
    (table,) = [frame.value for frame in app.at.dataframe if "KL, nats" in frame.value]
    assert table["KL, nats"].tolist() == ["", "∞", "0.0000", "open"]


def test_the_other_sections_say_what_they_know(open_app: Open) -> None:
    app = opened(open_app, top_p="0.2", word="q")
    assert "removed" in app.section("Any word").texts()
    assert "The proof runs transformers' processors over a whole row" in app.section("Proof").texts()
    app.section("Pipeline")
    (table,) = [frame.value for frame in app.at.dataframe if "known" in frame.value]
    assert table["known"].tolist() == ["exact", "exact"] and table["kept"].tolist()[0] == "273"
    app.hold(draw_many=True)
    assert "Many draws need" not in app.section("Why this token?").texts()
    app.put(app.state(Setup).change(settings=NEUTRAL.replace(temperature=2)))
    assert "Many draws need an exact final distribution" in app.run().texts()
    assert not app.errors
