"""What the page and the command line say of a row that is listed in part."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest

from playground.engine.fake.codec import FakeCodec
from playground.engine.fake.served import ServedFakeEngine
from playground.engine.types import TopTokens
from playground.inspection.partial import (
    candidate_of,
    draw_sentence,
    examine_top,
    listed_candidates,
    partial_csv,
    rest_of_row,
    verdict_sentence,
)
from playground.sampling.partial_chain import PartialNext
from playground.sampling.settings import NEUTRAL, SamplerSettings

CODEC = FakeCodec()


def looked_at(settings: SamplerSettings, seed: int = 0) -> PartialNext:
    return examine_top(ServedFakeEngine().next_logits((1, 2, 3)), settings, (1, 2), seed, CODEC)


def test_the_history_of_a_row_is_its_prompt_and_what_was_accepted() -> None:
    plain, weakened = looked_at(NEUTRAL), looked_at(NEUTRAL.replace(presence_penalty=2))
    assert plain.step == weakened.step == 1 and plain.context.generated_ids == (3,)
    assert weakened.trace.verdict in ("exact", "bounded")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (NEUTRAL, "The final distribution is exact, though this engine tells 20 of 273 tokens."),
        (NEUTRAL.replace(temperature=0.8), "Temperature: it raises every probability to a power"),
        (NEUTRAL.replace(repetition_penalty=1.2), "multiplies logits"),
        (NEUTRAL.replace(repetition_penalty=1.2, top_k=3), "not known. The repetition penalty"),
    ],
)
def test_the_verdict_is_a_sentence(settings: SamplerSettings, says: str) -> None:
    assert says in verdict_sentence(looked_at(settings)) and verdict_sentence(looked_at(settings)).endswith(".")


def test_a_draw_that_is_open_names_what_it_can_be() -> None:
    texts = {token: f"t{token}" for token in range(300)}
    said = {draw_sentence(looked_at(NEUTRAL, seed), texts) for seed in range(30)}
    assert None in said
    assert any(sentence and "falls among the tokens that are not told by this engine" in sentence for sentence in said)
    open_ = [draw_sentence(looked_at(NEUTRAL.replace(temperature=1.2), seed), texts) for seed in range(60)]
    assert any(sentence and ", or a token that is not told" in sentence for sentence in open_)
    unknown = draw_sentence(looked_at(NEUTRAL.replace(top_n_sigma=1)), texts)
    assert unknown and "points at no token" in unknown


def test_the_csv_ends_with_all_that_is_not_told() -> None:
    view = looked_at(NEUTRAL.replace(temperature=0.8, top_p=0.5))
    rows = list(csv.DictReader(io.StringIO(partial_csv(view, CODEC))))
    assert len(rows) == 21 and rows[-1]["text"] == "253 tokens not told by this engine" and rows[-1]["id"] == ""
    raw = [float(row["raw_probability"]) for row in rows]
    assert sum(raw) == pytest.approx(1, abs=1e-5)
    low, high = view.trace.final_probs()
    assert [float(row["final_probability_low"]) for row in rows[:-1]] == low.tolist()
    assert [float(row["final_probability_high"]) for row in rows[:-1]] == high.tolist()
    assert {row["kept"] for row in rows} <= {"yes", "no", "open"} and rows[0]["kept"] == "yes"


def test_a_token_that_is_not_listed_has_a_ceiling() -> None:
    view = looked_at(NEUTRAL.replace(temperature=0.8))
    outside = next(token for token in range(273) if token not in view.trace.raw.ids)
    candidate = candidate_of(view, outside, CODEC)
    assert candidate.rank is None and candidate.raw_prob is None and candidate.kept is True
    assert 0 == candidate.final[0] < candidate.final[1] < listed_candidates(view, CODEC, 1)[0].final[1]
    cut = looked_at(NEUTRAL.replace(top_k=3))
    assert candidate_of(cut, outside, CODEC).kept is False and candidate_of(cut, outside, CODEC).final == (0, 0)
    assert (
        candidate_of(cut, outside, CODEC).removed_by == "top_k"
        and candidate_of(view, outside, CODEC).removed_by is None
    )
    inside = int(view.trace.raw.ids[4])
    assert candidate_of(view, inside, CODEC).rank == 4


def test_a_row_of_which_all_is_told_has_no_rest() -> None:
    logprobs = np.log([0.5, 0.3, 0.2]).astype(np.float32)
    row = TopTokens((1,), np.array([2, 0, 1], np.int32), logprobs, 3, 0.0)
    rest = rest_of_row(examine_top(row, NEUTRAL.replace(temperature=2), (1,), 0, CODEC))
    assert (rest.count, rest.raw_prob, rest.final) == (0, 0.0, (0.0, 0.0))
