"""A model as judge: what it prefers is what stays when the order is turned, and how far it goes along with people."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from playground.engine.fake.codec import FakeCodec
from playground.engine.fake.engine import FakeEngine
from playground.engine.pieces import finish
from playground.engine.types import FloatArray
from playground.errors import BadInput
from playground.tuning.judging import Judgement, Material, Unit
from playground.tuning.model_judge import TEMPLATE, fill_pair, model_standing, read_units, units_to_read
from playground.tuning.panel import ModelOpinion
from playground.tuning.plan import CONTROL
from tests.tuning.simulated_judges import material

GOOD = Material(
    ("today", "cool", CONTROL),
    (("Say a.", ""), ("Say b.", "")),
    {"today": [["bad"], ["so good"]], "cool": [["good"], ["not"]], CONTROL: [["bad"], [None]]},
)
UNITS = list(GOOD.units["today", "cool"])


def engine(lead: Callable[[str], float]) -> FakeEngine:
    """One whose log-odds of "1" against "2" after a text are ``lead`` of it."""
    codec = FakeEngine().codec

    def logits(ids: tuple[int, ...]) -> FloatArray:
        row = np.full(FakeEngine().info.vocab_size, -30.0, dtype=np.float32)
        (one,), (two,) = codec.encode("1"), codec.encode("2")
        row[one], row[two] = lead(codec.decode(ids)), 0.0
        return row

    return FakeEngine(logits)


def opinions_of(lead: Callable[[str], float]) -> list[ModelOpinion]:
    opinions = [each for each in read_units(engine(lead), GOOD, UNITS) if each is not None]
    assert len(opinions) == 2
    return opinions


def good_is_one(text: str) -> float:
    return 2.0 if "good" in text.split("Reply 1: ")[1].split("Reply 2: ")[0] else -2.0


def test_who_prefers_a_text_says_so_in_both_orders() -> None:
    today_bad, today_good = opinions_of(good_is_one)
    assert (today_bad.as_one, today_bad.as_two) == pytest.approx((-2, -2), abs=1e-4)
    assert (today_good.as_one, today_good.as_two) == pytest.approx((2, 2), abs=1e-4)
    standing = model_standing([today_bad, today_good], [])
    assert (standing.steady.share, standing.says_one.share, standing.with_people.share) == (1, 0.5, None)
    assert standing.shares["today", "cool"].share == 0.5


def test_who_always_says_one_prefers_nothing() -> None:
    standing = model_standing(opinions_of(lambda text: 3.0), [])
    assert (standing.steady.share, standing.says_one.share) == (0, 1) and not standing.shares


def test_agreement_is_with_the_majority_of_people_who_decided() -> None:
    given = material(("today", "cool"), examples=4)
    units = given.units["today", "cool"]
    said = [
        ("left", "first"),
        ("right", "first"),
        ("left", "second"),
        ("left", "first"),
    ]  # first, second, second, first
    votes = [Judgement(u, "ann", left, verdict, 0) for u, (verdict, left) in zip(units, said, strict=True)]  # type: ignore[arg-type]
    votes += [Judgement(units[3], "bob", "first", "right", 0), Judgement(units[0], "bob", "first", "tie", 0)]
    opinions = [ModelOpinion(unit, "m", 1.0, -0.5) for unit in units]  # the first, everywhere
    standing = model_standing(opinions, votes)
    assert (standing.with_people.count, standing.with_people.total) == (1, 3)  # on the fourth people are divided


def test_what_people_judged_is_read_first_and_nothing_twice() -> None:
    given = material(("today", "cool"), examples=3, equal={2})
    judged = Unit(1, 0, "today", "cool")
    votes = [Judgement(judged, "ann", "first", "left", 0)]
    assert units_to_read(given, votes, [], 10) == [judged, Unit(0, 0, "today", "cool")]
    assert units_to_read(given, votes, [ModelOpinion(judged, "m", 1, 1)], 10) == [Unit(0, 0, "today", "cool")]


def test_what_looks_like_a_place_inside_a_text_stays_text() -> None:
    filled = fill_pair("{one}", "{two} }", "b")
    assert "Request: {one}\n" in filled and "Reply 1: {two} }\n" in filled and "Reply 2: b\n" in filled
    assert filled.endswith(TEMPLATE.rpartition("}")[2])


def test_what_does_not_fit_is_left_out_and_a_model_that_cannot_tell_the_numbers_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    long = Material(GOOD.arms, GOOD.prompts, dict(GOOD.texts) | {"cool": [["good " * 1000], ["not"]]})
    read = list(read_units(engine(good_is_one), long, UNITS))
    assert read[0] is None and read[1] is not None

    monkeypatch.setattr(FakeCodec, "encode", lambda self, text, parse_special=False: (5,))
    with pytest.raises(BadInput, match="do not tell 1 from 2"):
        finish(read_units(FakeEngine(), GOOD, UNITS))
