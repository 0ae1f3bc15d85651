"""Pictures of the page Preferences: valid figures that say in words what they show."""

from __future__ import annotations

from xml.etree.ElementTree import fromstring

import numpy as np
import plotly.graph_objects as go
import pytest

from playground.charts.curves_bands import bands_description, bands_figure
from playground.charts.palette import contrast
from playground.charts.preferences_agreement import AgreementData, agreement_description, agreement_figure
from playground.charts.preferences_dpo import accuracy_bands, logps_bands, loss_bands, measured, rewards_bands
from playground.charts.preferences_groups import groups_data, groups_description, groups_figure
from playground.charts.preferences_over import OverData, against_kl, against_n
from playground.charts.preferences_ppo import ppo_svg
from playground.charts.preferences_reward import (
    calibration_data,
    calibration_description,
    calibration_figure,
    learning_bands,
    liking_data,
    liking_description,
    liking_figure,
)
from playground.charts.preferences_strengths import (
    EloBeside,
    elo_as_strengths,
    strengths_with_elo_description,
    strengths_with_elo_figure,
)
from playground.charts.preferences_ways import ways_description, ways_svg
from playground.charts.room_strengths import strengths_data
from playground.preferences.ballots import Answer, Ballot, votes_on_names
from playground.preferences.elo import elo_orders
from playground.preferences.examined import accuracy_sentence, examine_head
from playground.preferences.overoptimisation import fit_best_of_n, kl_of
from playground.preferences.ppo import METHODS
from playground.preferences.ready import varied_ballot
from playground.preferences.strengths import fit_strengths, strengths_by_group
from playground.preferences.synthetic import VOTERS, synthetic_verdicts
from playground.preferences.votes import count_pairs
from playground.testtime.curves import Curve
from playground.training.steps import PreferenceNumbers, TrainStep

HOSTILE = "<b>x</b>"
BALLOT = Ballot(
    tuple(
        Answer(f"p{p}", "word " * (3 + 5 * n + p % 3) + ".", name)
        for p in range(8)
        for n, name in enumerate((HOSTILE, "b", "c"))
    )
)
SAID = [vote for name in ("brief", "thorough") for vote in synthetic_verdicts(BALLOT, VOTERS[name], 24)]


def valid(figure: go.Figure) -> go.Figure:
    """The same with plotly's validation in full."""
    return go.Figure({"data": figure._data, "layout": figure._layout})


def test_strengths_with_elo_stand_on_one_scale() -> None:
    votes = votes_on_names(BALLOT, SAID)
    data = strengths_data(fit_strengths(votes))
    elo = elo_as_strengths(elo_orders(votes, 6), count_pairs(votes).items, data.names)
    assert elo.shape == (6, 3) and elo.mean(axis=1) == pytest.approx(np.zeros(6))
    beside = EloBeside(data, elo)
    figure = valid(strengths_with_elo_figure(beside))
    assert HOSTILE not in str(figure.layout.yaxis.ticktext) and "in 6 orders" in strengths_with_elo_description(beside)


def test_groups_stand_side_by_side_with_everybody() -> None:
    votes = votes_on_names(BALLOT, SAID)
    data = groups_data(strengths_by_group(votes), fit_strengths(votes))
    assert data.groups == ("brief", "thorough", "everybody") and data.values.shape == (3, 3)
    assert len(valid(groups_figure(data)).data) == 3 and "brief" in groups_description(data)


def test_a_heads_pictures() -> None:
    features = np.random.default_rng(0).standard_normal((len(BALLOT.answers), 6)).astype(np.float32)
    examined = examine_head(BALLOT, SAID, features, 1.0, repeats=3)
    assert examined.curve is not None and examined.calibration is not None and "Held out" in accuracy_sentence(examined)
    valid(bands_figure(learning_bands(examined.curve, examined.by_length)))
    calibration = calibration_data(examined.calibration)
    valid(calibration_figure(calibration))
    assert "Mean distance" in calibration_description(calibration)
    likes = liking_data(examined.likings)
    valid(liking_figure(likes))
    assert "words" in liking_description(likes)


def test_a_head_that_knows_nothing_is_said_to_be_no_better_than_a_coin() -> None:
    """150 votes of a voter who likes short answers: from noise nothing is learnt, from their length all of it is."""
    ballot = varied_ballot()
    votes = synthetic_verdicts(ballot, VOTERS["brief"], 150)
    noise = np.random.default_rng(1).standard_normal((len(ballot.answers), 64)).astype(np.float32)
    lengths = np.array([[len(answer.text)] for answer in ballot.answers], dtype=np.float32)
    by_noise, by_length = (examine_head(ballot, votes, features, 1.0, repeats=2) for features in (noise, lengths))
    assert "A coin would do as well" in accuracy_sentence(by_noise)
    assert "A coin" not in accuracy_sentence(by_length) and by_length.held_out is not None
    assert by_length.by_length is not None and by_length.by_length[0] == "shorter" and by_length.by_length[1] > 0.75
    assert (by_length.held_out.share or 0) > 0.75


def test_agreement_has_its_marks() -> None:
    data = AgreementData(0.61)
    assert len(valid(agreement_figure(data)).layout.annotations) == 2 and "61%" in agreement_description(data)


def test_over_optimisation_marks_its_peak_in_both_pictures() -> None:
    ns = (1, 2, 4, 8, 16, 32, 64)
    d = np.sqrt([kl_of(n) for n in ns])
    judged = tuple((d * (1.0 - 0.5 * d)).tolist())
    curve = Curve("judged", ns, judged, judged, judged, exact=True)
    data = OverData(curve, curve, "judge", fit_best_of_n(ns, judged))
    for bands in (against_n(data), against_kl(data)):
        valid(bands_figure(bands))
        assert len(bands.marks) == 1 and "peak" in bands.marks[0][0] and "judge" in bands_description(bands)


def numbers(chosen: float, rejected: float) -> PreferenceNumbers:
    return PreferenceNumbers(chosen, rejected, chosen - rejected, 0.75, -40 + chosen * 10, -42 + rejected * 10, 0.01)


def step(number: int, **about: object) -> TrainStep:
    return TrainStep(number, 4, 0.0, 0.6, None, 1e-4, 1.0, 10, 0.1, **about)  # type: ignore[arg-type]


def test_dpos_curves_show_the_fall_of_both() -> None:
    steps = [step(n, heldout_preference=numbers(-0.1 * n, -0.3 * n)) for n in range(4)]
    measured_steps, held_out = measured(steps)
    assert held_out and len(measured_steps) == 4
    logps = logps_bands(measured_steps)
    assert logps is not None
    winners, losers = (curve.y for curve in logps.curves)
    assert winners[0] == losers[0] == 0 and winners[-1] == pytest.approx(-3) and losers[-1] == pytest.approx(-9)
    loss = loss_bands([step(1), step(2)])
    assert loss is not None and loss_bands([]) is None
    for bands in (rewards_bands(measured_steps), logps, accuracy_bands(measured_steps), loss):
        valid(bands_figure(bands))
    assert measured([step(1, preference=numbers(0.1, 0.0))])[1] is False and measured([step(1)]) == ([], False)


def test_ppos_drawing_is_well_formed_and_names_four_models() -> None:
    text = " ".join(element.text or "" for element in fromstring(ppo_svg()).iter())
    assert all(name in text for name in ("policy", "value model", "reward model", "reference"))


@pytest.mark.parametrize("drawing", [ppo_svg(), ways_svg("over")], ids=["ppo", "ways"])
def test_a_drawings_text_stands_on_a_ground_of_its_own(drawing: str) -> None:
    """It is a picture, which no theme reaches: grey type was 3.9:1 on the light page, the accent's 3.9:1 on the dark one."""
    ground = None
    for element in fromstring(drawing).iter():
        if element.tag.endswith("rect"):
            ground = element.get("fill")
        if element.tag.endswith("text"):
            ink = element.get("fill")
            assert ground and ink and contrast(ink, ground) >= 4.5, element.text


@pytest.mark.parametrize("here", ["vote", "strengths", "groups", "reward", "over", "dpo"])
def test_the_ways_on_from_votes_are_drawn_with_the_one_in_view(here: str) -> None:
    strong = [each for each in fromstring(ways_svg(here)).iter() if each.get("stroke-width") == "2.5"]
    assert len(strong) == 1 and "In view: " in ways_description(here)


def test_what_ppo_takes_is_sixteen_bytes_for_what_is_trained() -> None:
    assert [method.bytes_of(100) for method in METHODS] == [400, 1_800, 3_600]
