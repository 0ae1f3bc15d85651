"""Best-of-N on an engine that samples by itself: the same candidates, and what it does not tell is said, not made up."""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from playground.charts.candidate_strip import candidate_tokens
from playground.charts.candidates_table import candidate_table, groups_table
from playground.engine.api import CancelToken
from playground.engine.fake.codec import EOS_ID, VOCAB
from playground.engine.fake.served import ServedFakeEngine
from playground.engine.types import FloatArray, StreamedToken, StreamEvent, StreamRequest, TopTokens
from playground.errors import BadInput, CapabilityMissing
from playground.generation import generate
from playground.generation.document import origin_of
from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.testtime.bakeoff import DEFAULT_RULES, BakeoffState, run_bakeoff
from playground.testtime.bakeoff_file import state_from_json, state_to_json
from playground.testtime.bakeoff_report import report
from playground.testtime.beam import check_beams
from playground.testtime.beam_settings import BeamSettings
from playground.testtime.events import BatchStep, Planned
from playground.testtime.export import rows, to_csv, to_html, to_jsonl
from playground.testtime.generate import CandidateRequest, CandidateRun, Variation, generate_candidates
from playground.testtime.judges import _said
from playground.testtime.live_run import LiveRun
from playground.testtime.race import race, retry
from playground.testtime.recorder import RunRecorder, recorded_run
from playground.testtime.registry import LOGPROB_SCORERS
from playground.testtime.request import BestOfNRequest, candidate_request
from playground.testtime.rules import Rule
from playground.testtime.running import score_now
from playground.testtime.scoring import ScoringContext
from playground.testtime.stored_runs import RunStore
from playground.testtime.types import Candidate, ScoredCandidates
from tests.testtime.test_bakeoff import plan
from tests.testtime.test_stored_runs import same

T = TypeVar("T")
MOST = 12


def logits(ids: tuple[int, ...]) -> FloatArray:
    """A, B or the end."""
    row = np.full(VOCAB, -30.0, dtype=np.float32)
    row[65], row[66], row[EOS_ID] = 1.0, 0.5, -1.0
    return row


class Silent(ServedFakeEngine):
    """Tells the text of a token and nothing else of it."""

    def stream(self, request: StreamRequest, *, cancel: CancelToken | None = None) -> Iterator[StreamEvent]:
        for event in super().stream(request, cancel=cancel):
            yield StreamedToken(event.row, event.index, event.text) if isinstance(event, StreamedToken) else event


def asked(n: int = 8, **changes: Any) -> CandidateRequest:
    return CandidateRequest((Variation((67,), NEUTRAL),), n, **{"max_new_tokens": MOST, **changes})


def finish(steps: Generator[Any, None, T]) -> tuple[list[Any], T]:
    events = []
    while True:
        try:
            events.append(next(steps))
        except StopIteration as end:
            return events, end.value


def run_of(engine: ServedFakeEngine, request: CandidateRequest | None = None) -> CandidateRun:
    return finish(generate_candidates(engine, request or asked()))[1]


def scored(candidates: tuple[Candidate, ...]) -> ScoredCandidates:
    return ScoredCandidates(candidates, score_now(candidates, LOGPROB_SCORERS, ScoringContext()))


# -- generating --------------------------------------------------------------------------------------------------------


def test_each_candidate_is_the_text_that_its_request_gives_alone() -> None:
    engine = ServedFakeEngine(logits)
    events, run = finish(generate_candidates(engine, asked(seed=5)))
    alone = [finish(generate(engine, [row]))[1].rows[0] for row in asked(seed=5).rows()]
    assert [one.text for one in run.candidates] == [row.text for row in alone]
    assert [one.finish_reason for one in run.candidates] == [row.finish_reason for row in alone]
    assert len({one.text for one in run.candidates}) > 3
    assert run.new_tokens == sum(one.n_tokens for one in run.candidates) == sum(event.tokens for event in events[1:])
    planned = events[0]
    assert isinstance(planned, Planned) and planned.plan.memory is None and planned.plan.batches == (tuple(range(8)),)


def test_what_is_being_written_is_counted_as_it_begins_and_ends() -> None:
    events, _run = finish(generate_candidates(ServedFakeEngine(logits), asked()))
    steps = [event for event in events if isinstance(event, BatchStep)]
    assert max(step.rows for step in steps) <= 8 and steps[-1].rows == len(steps[-1].finished) == 1
    assert all(step.context is None and step.tokens + len(step.finished) == 1 for step in steps)
    assert [step.prefill_ms is not None for step in steps] == [True] + [False] * (len(steps) - 1)
    run = LiveRun(BestOfNRequest("p"))
    for event in events:
        run.take(event)
    assert not run.timings and run.cost.new_tokens == sum(one.n_tokens for one in run.ordered)


def test_known_numbers_are_kept_and_others_are_nobodys() -> None:
    row = logits(()).astype(np.float64)
    logprobs = row - np.log(np.exp(row).sum())
    for one in run_of(ServedFakeEngine(logits)).candidates:
        np.testing.assert_allclose(
            one.raw_logprobs, [logprobs[token] for token in one.ids if token is not None], rtol=1e-5
        )
        assert np.isnan(one.probs).all() and np.isnan(one.entropies).all() and np.isnan(one.mean_logprobs).all()
        assert one.top_logprobs.shape == (one.n_tokens, 20) and "".join(one.pieces) == one.text


def test_a_run_that_was_cut_off_goes_on_with_the_same_texts() -> None:
    engine = ServedFakeEngine(logits)
    whole = run_of(engine)
    stored = tuple(whole.candidates[place] for place in (0, 3, 4))
    events, rest = finish(generate_candidates(engine, asked(), written=stored))
    assert [one.text for one in rest.candidates] == [one.text for one in whole.candidates]
    assert events[0].plan.batches == ((1, 2, 5, 6, 7),)


def test_what_it_cannot_be_told_is_refused_before_it_is_asked() -> None:
    request = replace(asked(), variations=(Variation((67,), SamplerSettings(dry_multiplier=0.8)),))
    with pytest.raises(BadInput, match="cannot be told dry_multiplier"):
        run_of(ServedFakeEngine(logits), request)


def test_beams_need_rows_and_say_so() -> None:
    with pytest.raises(CapabilityMissing, match="Rows that are sampled here"):
        check_beams(ServedFakeEngine(), asked().rows()[0], BeamSettings(4))


# -- the first valid one -----------------------------------------------------------------------------------------------


def passes(candidate: Candidate) -> bool:
    return candidate.text.endswith("B") and candidate.finish_reason == "eos"


@pytest.mark.parametrize("seed", range(5))
def test_a_race_ends_with_the_first_text_that_passes(seed: int) -> None:
    events, outcome = finish(race(ServedFakeEngine(logits), asked(seed=seed), passes))
    steps = [event for event in events if isinstance(event, BatchStep)]
    assert outcome.tokens_spent == sum(step.tokens for step in steps)
    assert len(outcome.finished) + outcome.stopped <= outcome.n
    if outcome.winner is None:
        assert len(outcome.finished) == 8 and outcome.tokens_saved == 0
        return
    assert passes(outcome.winner) and [one.valid for one in outcome.finished] == [False] * (
        len(outcome.finished) - 1
    ) + [True]
    begun = outcome.tokens_spent - sum(one.candidate.n_tokens for one in outcome.finished)
    assert outcome.tokens_saved == (outcome.n - len(outcome.finished)) * MOST - begun


def test_a_retry_begins_each_when_the_one_before_has_ended() -> None:
    whole = run_of(ServedFakeEngine(logits)).candidates
    outcome = finish(retry(ServedFakeEngine(logits), asked(), passes))[1]
    first = next((place for place, one in enumerate(whole) if passes(one)), len(whole) - 1)
    assert [one.candidate.text for one in outcome.finished] == [one.text for one in whole[: first + 1]]
    assert outcome.stopped == 0 and outcome.tokens_spent == sum(one.n_tokens for one in whole[: first + 1])


# -- rules -------------------------------------------------------------------------------------------------------------


def test_a_rule_whose_numbers_are_not_told_says_so_and_the_others_rank() -> None:
    table = scored(run_of(ServedFakeEngine(logits)).candidates)
    problems = {column.label: column.problem for column in table.columns}
    assert [label for label, problem in problems.items() if problem] == ["self-certainty"]
    assert "the whole next-token distribution of each step" in problems["self-certainty"]
    for column in table.columns:
        assert all(value is None for value in column.values) == bool(column.problem)


def test_an_engine_that_tells_texts_alone_leaves_every_such_rule_empty() -> None:
    table = scored(run_of(Silent(logits)).candidates)
    assert all(column.problem.endswith("choose a model that runs in this process.") for column in table.columns)
    assert all(value is None for column in table.columns for value in column.values)


def test_one_token_that_is_not_told_makes_a_score_unknown_and_no_others() -> None:
    first, *others = run_of(ServedFakeEngine(logits)).candidates
    holed = first.raw_logprobs.copy()
    holed[0] = math.nan
    table = scored((replace(first, raw_logprobs=holed), *others))
    for label in ("avg-logprob", "sum-logprob", "length-norm"):
        column = table.column(label)
        assert column.values[0] is None and "not tell" in column.scores[0].note and not column.problem
        assert all(value is not None for value in column.values[1:])


def test_a_judge_on_a_row_told_in_part_counts_what_is_told() -> None:
    row = np.log(np.array([0.5, 0.2, 0.1], np.float32))
    listed = TopTokens((1,), np.array([7, 8, 9], np.int32), row, 100, 0.0)
    sure, open_ = _said(listed, {7, 50}, {8}), _said(listed, {8, 50}, {9})
    assert sure.value == pytest.approx(0.5) and sure.valid is True  # 0.2 left cannot turn it
    assert open_.value == pytest.approx(0.2) and open_.valid is None and "at least" in open_.note
    assert _said(listed, {8}, {9}).valid is True  # both are told: nothing is hidden


# -- kept, shown, taken away -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ServedFakeEngine, Silent])
def test_a_stored_run_comes_back_as_it_was_and_goes_on(tmp_path: Path, kind: type[ServedFakeEngine]) -> None:
    store, engine = RunStore(tmp_path), kind(logits)
    request = BestOfNRequest("C", n=6, max_new_tokens=MOST)
    run = store.start(request, origin_of(engine.info))
    steps = recorded_run(engine, request, RunRecorder(store, run))
    for event in steps:
        if isinstance(event, BatchStep) and event.finished:
            break
    steps.close()
    half = store.load(run)
    assert half.candidates
    whole = finish(recorded_run(engine, request, RunRecorder(store, run), written=half.candidates, before=half.cost))[1]
    kept = store.load(run).candidates
    assert all(same(one, other) for one, other in zip(kept, whole.candidates, strict=True))
    unbroken = run_of(engine, candidate_request(request, engine.codec))
    assert [one.text for one in kept] == [one.text for one in unbroken.candidates]
    store.close()


@pytest.mark.parametrize("kind", [ServedFakeEngine, Silent])
def test_files_have_null_for_what_is_not_told(kind: type[ServedFakeEngine]) -> None:
    table = scored(run_of(kind(logits)).candidates)
    has_numbers = kind is ServedFakeEngine
    for line, row in zip(to_jsonl(table).splitlines(), rows(table), strict=True):
        read = json.loads(line)
        assert read == row and read["scores"]["self-certainty"] is None
        assert (read["sum_logprob"] is not None) == (read["scores"]["avg-logprob"] is not None) == has_numbers
        assert all((token is not None) == has_numbers for token in read["ids"])
    assert "nan" not in (to_csv(table) + to_html(table, title="t", prompt="p")).lower()


@pytest.mark.parametrize("kind", [ServedFakeEngine, Silent])
def test_pictures_show_texts_and_no_number_that_nobody_told(kind: type[ServedFakeEngine]) -> None:
    engine = kind(logits)
    candidates = run_of(engine).candidates
    for one in candidates:
        tokens = candidate_tokens(one, engine.codec, "probability")
        assert "".join(token.text for token in tokens) == one.text
        assert not any("nan" in line for token in tokens for line in token.lines)
    (line,) = groups_table([("samples", candidates)]).rows
    assert line["distinct-2"] != "–"
    shown = [column.name for column in candidate_table(scored(candidates)).columns]
    assert "self-certainty" in shown[-9:] and shown[:2] == ["#", "text"]


# -- the bake-off ------------------------------------------------------------------------------------------------------


def test_a_bake_off_leaves_out_the_rules_whose_numbers_are_not_told() -> None:
    state = finish(run_bakeoff(ServedFakeEngine(logits), BakeoffState(plan())))[1]
    untold = {name: why for name, why in state.untold}
    assert set(untold) == {rule.name for rule in DEFAULT_RULES if "self-certainty" in str(rule)} and len(untold) == 3
    assert all("Self-certainty needs" in why for why in untold.values())
    assert [rule.name for rule in report(state).rules] == [r.name for r in DEFAULT_RULES if r.name not in untold]
    assert state_from_json(state_to_json(state)) == state


def test_a_bake_off_without_a_rule_that_works_is_one_sentence() -> None:
    only = plan(rules=(Rule("certain", "column", column="self-certainty"),))
    with pytest.raises(BadInput, match="Self-certainty needs"):
        finish(run_bakeoff(ServedFakeEngine(logits), BakeoffState(only)))
