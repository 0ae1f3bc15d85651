"""Pictures of the page Examples: what they show is what the numbers say, in words and colours too."""

from __future__ import annotations

import numpy as np
import pytest

from playground.charts.compare import compare_description, compare_figure
from playground.charts.palette import FINAL, RAW, contrast
from playground.charts.teach_curves import best_step, loss_chart, loss_description
from playground.charts.teach_demonstrations import SetCosts, cost_table, mask_strip
from playground.charts.teach_moved import change_strip, change_table, moved_sentence, perplexity_table
from playground.charts.teach_readings import distance_sentence, readings_data, readings_table, template_strip
from playground.engine.fake.codec import FakeCodec
from playground.engine.fake.engine import fake_info
from playground.engine.types import NextLogits
from playground.inspection.compared import ModelRow
from playground.inspection.moved import CountedText, SetPerplexity
from playground.inspection.template import template_tokens
from playground.training.masks import MaskedText
from playground.training.steps import TrainStep

CODEC = FakeCodec()


def read(seed: int, apart: float = 0.0) -> ModelRow:
    logits = np.random.default_rng(seed).standard_normal(fake_info().vocab_size).astype(np.float32) * 3
    logits[:50] += np.float32(apart)
    return ModelRow(fake_info(), CODEC, NextLogits(CODEC.encode("hello"), logits, 1, 1.0))


def test_bars_of_readings_are_the_rows_own_probabilities_by_name_and_colour() -> None:
    reads = {"text": read(0), "chat": read(1)}
    data = readings_data(reads)
    assert data.settings == ("text", "chat") and data.colours == (RAW, FINAL)
    for name, row in zip(reads, data.probabilities, strict=True):
        next_logits = reads[name].row
        assert isinstance(next_logits, NextLogits)
        logits = next_logits.logits.astype(np.float64)
        probs = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
        assert set(np.round(row, 6)) <= set(np.round(probs.astype(np.float32), 6))
    figure = compare_figure(data)
    assert [trace.name for trace in figure.data] == ["text", "chat"]
    assert compare_description(data).startswith("Probabilities. text: ")
    table = readings_table(reads)
    assert [row["reading"] for row in table.rows] == ["text", "chat"] and table.rows[0]["kl"] == ""
    assert str(table.rows[1]["kl"]) in distance_sentence("text", reads["text"], "chat", reads["chat"])
    assert distance_sentence("a", read(0), "b", read(0)).endswith("the same probabilities.")
    assert "but for rounding" in distance_sentence("a", read(0), "b", read(0, 1e-5))
    assert "largest differences" in distance_sentence("a", read(0), "b", read(0, 1e-2))


def test_what_is_added_and_what_counts_is_said_of_each_token() -> None:
    for token, shown in zip(
        template_tokens(CODEC, "hello"), template_strip(template_tokens(CODEC, "hello")), strict=True
    ):
        assert shown.lines[1].startswith("added · ") == token.added
    text = MaskedText(CODEC.encode("hello world"), (False, True), 1)
    assert ["counts in the loss" in token.lines[1] for token in mask_strip(CODEC, text)] == [False, True]


def test_costs_stand_beside_those_of_the_notes() -> None:
    rows = {row["what"]: row for row in cost_table(SetCosts(40, 2_000, 800, 3, 1.5e12, 0.001)).rows}
    assert rows["Labels, at $10 to $25 a pair"]["here"] == "$400 to $1,000"
    assert rows["Labels, at $10 to $25 a pair"]["instruct"].startswith("$130,000")
    assert rows["Tokens in 3 epochs"]["here"] == "6,000"
    assert rows["Compute"]["here"] == "1.50·10¹² FLOPs"
    assert rows["Share of pre-training's compute"]["here"] == "0.10%"


def test_a_tokens_colour_says_gain_or_loss_and_its_ink_can_be_read() -> None:
    ids = CODEC.encode("abcd")
    text = CountedText.whole(ids)
    before = np.array([np.nan, -1, -1, -1], dtype=np.float32)
    after = np.array([np.nan, -0.5, -4, -1], dtype=np.float32)
    gained, lost, same = change_strip(CODEC, text, before, after)
    assert len({gained.background, lost.background, same.background}) == 3
    assert lost.background == "#B35806" and same.background == "#F7F7F7"
    assert all(contrast(token.background, token.ink) >= 4.5 for token in (gained, lost, same))
    assert [row["change"] for row in change_table(CODEC, text, before, after).rows] == ["+0.500", "-3.000"]


def test_learning_and_forgetting_are_said_as_the_numbers_have_it() -> None:
    sets = [
        SetPerplexity("Held-out pairs", 6, 6, 200, 20.0, 8.0),
        SetPerplexity("A story", 1, 1, 60, 10.0, 15.0),
        SetPerplexity("Code", 1, 1, 60, 10.0, 10.1),
    ]
    said = moved_sentence(sets, "Held-out pairs", ("A story", "Code"))
    assert "carries over to the held-out pairs" in said and "a story" in said and "+50%" in said
    assert "does not carry over" in moved_sentence(
        [SetPerplexity("Held-out pairs", 1, 1, 2, 8, 9)], "Held-out pairs", ()
    )
    assert "None of the neutral texts" in moved_sentence([sets[2]], "Held-out pairs", ("Code",))
    assert [row["change"] for row in perplexity_table(sets).rows] == ["-60.0%", "+50.0%", "+1.0%"]


def test_the_curve_marks_the_step_that_is_kept() -> None:
    def step(number: int, loss: float | None, heldout: float | None, best: bool = False) -> TrainStep:
        return TrainStep(number, 4, number / 2, loss, heldout, 1e-3, 1.0, 50, 0.1, best)

    steps = [step(0, None, 3.0), step(1, 2.9, None), step(2, 2.0, 2.5, True), step(3, 1.5, None), step(4, 1.0, 2.7)]
    chart = loss_chart(steps)
    assert chart is not None and [line.name for line in chart.lines] == ["taught", "held out"]
    (mark,) = chart.marks
    assert mark.text == "best 2.500" and mark.x == pytest.approx(2 / 4, abs=0.03)
    assert best_step(steps) is steps[2] and loss_chart(steps[:1]) is None
    assert loss_description(steps).endswith("Best: 2.500 at step 2.")
