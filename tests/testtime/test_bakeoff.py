"""The bake-off on an engine with known answers: pause and resume, budgets, and a report that promises nothing."""

from __future__ import annotations

import itertools
import json
import statistics
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from playground.bounded import close_children
from playground.engine.api import CancelToken
from playground.engine.fake.engine import FakeEngine, default_logits
from playground.engine.serving.step_worker import StepWorker
from playground.engine.types import FloatArray
from playground.errors import BadInput, Cancelled
from playground.testtime.bakeoff import (
    DEFAULT_RULES,
    JUDGE_RULE,
    BakeoffPlan,
    BakeoffProgress,
    BakeoffState,
    ProblemOutcome,
    RuleChoice,
    run_bakeoff,
)
from playground.testtime.bakeoff_file import state_from_json, state_to_json
from playground.testtime.bakeoff_report import _p_value, coverage_by_n, holm, report
from playground.testtime.problems import Problem
from playground.testtime.rules import FIRST, Rule, column_rule

PROBLEMS = tuple(
    Problem(
        f"p{place}",
        "letters",
        "easy" if place < 3 else "hard",
        f"Say b. {place}",
        "b",
        "mentions",
        "letter",
        "length:1-9t",
    )
    for place in range(5)
)


@pytest.fixture(scope="module", autouse=True)
def _no_child_left() -> Iterator[None]:
    yield
    close_children()


def speller(**options: Any) -> FakeEngine:
    """Writes b or c, then ends; b with the better log-probability."""
    plain = FakeEngine(**options)
    eos = plain.codec.eos_token_ids[0]
    letters = [plain.codec.encode(letter)[0] for letter in "bc"]

    def logits(ids: tuple[int, ...]) -> FloatArray:
        row = np.full(plain.info.vocab_size, -50.0, dtype=np.float32)
        if ids[-1] in letters and ids[-2] not in letters:
            row[eos] = 0.0
        else:
            row[letters[0]], row[letters[1]] = 0.5, 0.0
        return row

    return FakeEngine(logits, **options)


def plan(**changes: Any) -> BakeoffPlan:
    return BakeoffPlan(**{"problems": PROBLEMS, "n": 4, "max_new_tokens": 4, "chat": False, **changes})


def finish(steps: Generator[object, None, BakeoffState]) -> BakeoffState:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            state: BakeoffState = end.value
            return state


def without_time(state: BakeoffState) -> BakeoffState:
    return replace(state, outcomes=tuple(replace(outcome, seconds=0.0) for outcome in state.outcomes))


def test_every_problem_is_solved_under_every_rule() -> None:
    state = finish(run_bakeoff(speller(), BakeoffState(plan())))
    assert state.status == "finished" and len(state.outcomes) == 5
    for outcome in state.outcomes:
        assert outcome.correct == tuple("b" in text for text in outcome.texts)
        by_rule = {choice.rule: choice for choice in outcome.choices}
        assert list(by_rule) == [rule.name for rule in DEFAULT_RULES]
        assert by_rule["first candidate"].winner == 0
        # b is the likelier letter, so the likeliest answer is right wherever a right one was found
        assert by_rule["average log-probability"].correct == any(outcome.correct)
        assert all(
            choice.winner is None or choice.correct == outcome.correct[choice.winner] for choice in outcome.choices
        )


def test_paused_at_any_step_and_gone_on_with_it_ends_as_unbroken() -> None:
    whole = finish(run_bakeoff(speller(), BakeoffState(plan())))
    assert sum(any(o.correct) for o in whole.outcomes) > 0
    for stop in (1, 7, 30, 60):
        steps = run_bakeoff(speller(), BakeoffState(plan()))
        kept = BakeoffState(plan())
        for progress in itertools.islice(steps, stop):
            kept = progress.state
        steps.close()
        resumed = finish(run_bakeoff(speller(), state_from_json(state_to_json(kept))))
        assert without_time(resumed) == without_time(whole)


def test_a_cancel_is_felt_within_a_step() -> None:
    token = CancelToken()
    steps = run_bakeoff(speller(), BakeoffState(plan()), cancel=token)
    next(steps)
    token.cancel()
    with pytest.raises(Cancelled):
        list(steps)


def test_it_runs_on_the_worker_and_tells_where_it_is() -> None:
    worker = StepWorker(speller())
    try:
        ticket = worker.submit("s", "bake-off", lambda e, cancel: run_bakeoff(e, BakeoffState(plan()), cancel=cancel))
        state = ticket.result(timeout=60)
        progress = [step for step in ticket.steps() if isinstance(step, BakeoffProgress)]
    finally:
        worker.close()
    assert state.status == "finished"
    assert {step.problem.id for step in progress} == {problem.id for problem in PROBLEMS}
    assert [step.state.done for step in progress] == sorted(step.state.done for step in progress)


def test_no_problem_is_begun_once_a_budget_is_spent() -> None:
    first = finish(run_bakeoff(speller(), BakeoffState(plan(token_budget=1))))
    assert (first.status, first.done) == ("over budget", 1)
    more = finish(run_bakeoff(speller(), replace(first, plan=plan(token_budget=None))))
    assert (more.status, more.done) == ("finished", 5)
    timed = finish(run_bakeoff(speller(), BakeoffState(plan(seconds_budget=1e-9))))
    assert (timed.status, timed.done) == ("over budget", 1)


def test_a_problem_too_long_for_the_model_is_left_out_and_said() -> None:
    long = replace(PROBLEMS[0], id="long", prompt="x" * 200)
    state = finish(
        run_bakeoff(speller(context_length=100), BakeoffState(plan(problems=(PROBLEMS[0], long, PROBLEMS[1]))))
    )
    assert [outcome.problem for outcome in state.outcomes] == ["p0", "p1"] and state.status == "finished"
    assert state.skipped[0][0] == "long" and state.skipped[0][1].endswith(".")
    assert state_from_json(state_to_json(state)) == state


def test_the_judge_can_take_part() -> None:
    state = finish(
        run_bakeoff(FakeEngine(default_logits), BakeoffState(plan(problems=PROBLEMS[:1], rules=(JUDGE_RULE,))))
    )
    assert state.outcomes[0].choices[0].winner is not None


def test_a_rule_that_cannot_work_does_not_count_as_a_bad_one() -> None:
    rules = (Rule("reward", "column", column="reward:somebody/not-cached"),)
    with pytest.raises(BadInput, match="not in the local cache"):
        finish(run_bakeoff(speller(), BakeoffState(plan(rules=rules))))


@pytest.mark.parametrize(
    "changes",
    [
        {"n": 0},
        {"n": 257},
        {"problems": ()},
        {"rules": ()},
        {"rules": (FIRST, FIRST)},
        {"rules": (column_rule("nothing"),)},
        {"rules": (column_rule("math"),)},  # it would look at the right answers
        {"token_budget": 0},
        {"seconds_budget": -1.0},
    ],
)
def test_a_plan_that_cannot_be_run_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        plan(**changes)


# -- the file ------------------------------------------------------------------------------------------------------------


def kept() -> BakeoffState:
    return finish(run_bakeoff(speller(), BakeoffState(plan(token_budget=10))))


@pytest.mark.parametrize("change", ["no json", "version", "n", "order", "winner", "rule", "extra"])
def test_a_file_that_does_not_fit_is_one_sentence(change: str) -> None:
    data = json.loads(state_to_json(kept()))
    if change == "version":
        data["format"] = "playground-bakeoff-0"
    elif change == "n":
        data["plan"]["n"] = 10_000
    elif change == "order":
        data["outcomes"][0]["problem"] = "another"
    elif change == "winner":
        data["outcomes"][0]["choices"][0]["winner"] = 99
    elif change == "rule":
        data["plan"]["rules"][0]["kind"] = "magic"
    elif change == "extra":
        data["run"] = "this"
    with pytest.raises(BadInput) as refused:
        state_from_json("{" if change == "no json" else json.dumps(data))
    assert str(refused.value).startswith("The bake-off cannot be read") and "\n" not in str(refused.value)


# -- the report ----------------------------------------------------------------------------------------------------------


def outcomes(right: dict[str, list[bool]], correct: list[list[bool]]) -> tuple[ProblemOutcome, ...]:
    return tuple(
        ProblemOutcome(
            f"p{place}",
            "k",
            "easy" if place % 2 == 0 else "hard",
            tuple(row),
            (None,) * len(row),
            ("",) * len(row),
            tuple(RuleChoice(name, 0, values[place], False) for name, values in right.items()),
            10,
            1.0,
        )
        for place, row in enumerate(correct)
    )


def state_of(right: dict[str, list[bool]], correct: list[list[bool]]) -> BakeoffState:
    problems = tuple(replace(PROBLEMS[0], id=f"p{place}") for place in range(len(correct)))
    rules = tuple(Rule(name, "first") for name in right)
    return BakeoffState(
        plan(problems=problems, n=len(correct[0]), rules=rules), outcomes(right, correct), (), "finished"
    )


def test_a_rule_that_always_finds_the_right_one_helps_and_the_others_are_told_that_they_do_not() -> None:
    correct = [[True, False, False, False]] * 20
    verdict = report(state_of({"oracle": [True] * 20, "blind": [place % 4 == 0 for place in range(20)]}, correct))
    oracle, blind = verdict.rules
    assert oracle.accuracy.mean == 1.0 and oracle.gain == pytest.approx(0.75) and oracle.p_adjusted < 0.01
    assert oracle.statement.startswith("It helped: 75.0 points above")
    assert blind.gain == pytest.approx(0.0) and blind.p_adjusted > 0.5
    assert "does not show that it helps" in blind.statement
    assert (verdict.single.mean, verdict.coverage.mean) == (0.25, 1.0)
    assert "oracle" in verdict.summary and "blind," not in verdict.summary
    assert dict(oracle.by_difficulty)["hard"].count == 10


def test_a_rule_that_harms_is_said_to_harm() -> None:
    correct = [[True, True, True, False]] * 20
    rule = report(state_of({"worst": [False] * 20}, correct)).rules[0]
    assert rule.statement.startswith("It harmed: 75.0 points below")


def test_few_problems_prove_nothing() -> None:
    verdict = report(state_of({"lucky": [True] * 4}, [[True, False]] * 4))
    assert (
        "Nothing can be said" in verdict.rules[0].statement
        and "no rule can be told from blind choice" in verdict.summary
    )
    same = report(state_of({"same": [True] * 4}, [[True, True]] * 4)).rules[0]
    assert "no difference" in same.statement and same.p_value == 1.0


@given(st.lists(st.floats(-1, 1).filter(lambda gain: abs(gain) > 0.01), min_size=2, max_size=8))
def test_the_p_value_is_the_share_of_sign_flips_as_extreme(gains: list[float]) -> None:
    total = abs(sum(gains))
    flips = [
        abs(sum(s * g for s, g in zip(signs, gains, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(gains))
    ]
    share = statistics.fmean(flip >= total - 1e-9 for flip in flips)
    assert _p_value(gains, 0) == pytest.approx(min(1.0, share), abs=1e-9)


def test_holm_by_hand() -> None:
    assert holm([0.04, 0.01, 0.03]) == pytest.approx((0.06, 0.03, 0.06))
    assert holm([0.9, 0.8]) == (1.0, 1.0) and holm([]) == ()


def test_a_report_on_nothing_is_refused() -> None:
    with pytest.raises(BadInput):
        report(BakeoffState(plan()))


def test_coverage_grows_with_n_and_ends_at_what_was_found() -> None:
    state = kept()
    curve = coverage_by_n(state)
    verdict = report(state)
    assert [k for k, _share in curve] == [1, 2, 3, 4]
    assert curve[0][1] == pytest.approx(verdict.single.mean) and curve[-1][1] == pytest.approx(verdict.coverage.mean)
    assert [share for _k, share in curve] == sorted(share for _k, share in curve)
