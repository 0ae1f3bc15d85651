"""The bake-off: a set of problems, N candidates each, every rule's choice, and how often it was right.

``run_bakeoff`` is a generator: to pause is to stop asking it (or cancel), to go on is to start it again with the last
state it gave. A problem that was cut short is done again with the same random numbers, so a paused run ends as an unbroken one.
What the numbers mean is ``report``'s business. Knows no page and no file.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from playground.engine.api import CancelToken, Engine
from playground.engine.text.prompt import encode_prompt
from playground.errors import BadInput, BadPrompt
from playground.sampling.settings import NEUTRAL, SamplerSettings
from playground.testtime.answers import extract_answers
from playground.testtime.events import BatchStep
from playground.testtime.generate import CandidateRequest, Variation, generate_candidates
from playground.testtime.problems import Problem
from playground.testtime.registry import SCORERS, checked_spec, kind_of
from playground.testtime.rules import FIRST, MAJORITY, Rule, choose
from playground.testtime.running import score_all
from playground.testtime.scoring import ScoringContext
from playground.testtime.types import Candidate, ScoreColumn, ScoredCandidates, ScorerSpec, check_count

VERIFIER = "@verifier"
"""In a rule's filters: the problem's own verifier."""

Status = Literal["running", "finished", "over budget"]
LONGEST_KEPT = 400  # characters of a chosen answer that are kept for the table

DEFAULT_RULES: tuple[Rule, ...] = (
    FIRST,
    Rule("average log-probability", "column", column="avg-logprob"),
    Rule("sum of log-probabilities", "column", column="sum-logprob"),
    Rule("length-normalised", "column", column="length-norm"),
    Rule("lowest group confidence", "column", column="lowest-group-confidence"),
    Rule("self-certainty", "column", column="self-certainty"),
    replace(MAJORITY, name="majority vote"),
    Rule("vote by probability", "weighted vote", column="avg-logprob"),
    Rule("vote by rank of self-certainty", "weighted vote", column="self-certainty", weight_kind="borda"),
    Rule("certain and likely", "weighted sum", weights=(("self-certainty", 1.0), ("avg-logprob", 1.0))),
    Rule("verifier, then average log-probability", "filter then rank", column="avg-logprob", filters=(VERIFIER,)),
)
JUDGE_RULE = Rule("the model as judge", "column", column="judge")
"""Costs one reading a candidate, so it is not among the defaults."""


@dataclass(frozen=True, slots=True)
class BakeoffPlan:
    """What is run. ``token_budget`` and ``seconds_budget``: no further problem is begun once either is spent.

    Checked on creation: BadInput names the field at fault.
    """

    problems: tuple[Problem, ...]
    n: int = 8
    max_new_tokens: int = 48
    settings: SamplerSettings = NEUTRAL
    seed: int = 0
    chat: bool = True
    system: str = ""
    rules: tuple[Rule, ...] = DEFAULT_RULES
    token_budget: int | None = None
    seconds_budget: float | None = None

    def __post_init__(self) -> None:
        check_count(self.n)
        if not self.problems:
            raise BadInput("problems: there are none; choose a kind or a difficulty that has some.", "problems")
        if not self.rules or len({rule.name for rule in self.rules}) < len(self.rules):
            raise BadInput("rules: choose at least one, each under a name of its own.", "rules")
        for value, name in ((self.token_budget, "token_budget"), (self.seconds_budget, "seconds_budget")):
            if value is not None and not value > 0:
                raise BadInput(f"{name}: must be more than 0, or left out for no budget.", name)
        for rule in self.rules:
            for label in _columns_of(rule):
                kind = kind_of(checked_spec(_spec(label)))
                if kind.needs_reference:
                    raise BadInput(f"rules: {rule.name[:60]!r} would look at the right answers; leave it out.", "rules")

    def scorers(self) -> tuple[ScorerSpec, ...]:
        """Every scorer that a rule reads, once, the problem's own verifier left out."""
        labels = dict.fromkeys(label for rule in self.rules for label in _columns_of(rule))
        return tuple(_spec(label) for label in labels)


@dataclass(frozen=True, slots=True)
class RuleChoice:
    """What one rule chose on one problem. ``winner`` is None where it chose nobody, which counts as wrong."""

    rule: str
    winner: int | None
    correct: bool
    tied: bool


@dataclass(frozen=True, slots=True)
class ProblemOutcome:
    """One problem done. ``correct``: whether each candidate was found right, in order; ``texts`` what each said, cut short.
    A candidate whose check came to no end is not found right.
    """

    problem: str
    kind: str
    difficulty: str
    correct: tuple[bool, ...]
    answers: tuple[str | None, ...]
    texts: tuple[str, ...]
    choices: tuple[RuleChoice, ...]
    tokens: int
    seconds: float

    @property
    def single(self) -> float:
        """How often one candidate, taken blindly, is right."""
        return sum(self.correct) / len(self.correct)


@dataclass(frozen=True, slots=True)
class BakeoffState:
    """All that was done so far: enough to go on from. ``skipped``: problems that could not be asked, and why; ``untold``:
    rules that read what the engine does not tell, and what that is.
    """

    plan: BakeoffPlan
    outcomes: tuple[ProblemOutcome, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    status: Status = "running"
    untold: tuple[tuple[str, str], ...] = ()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Those that can be compared."""
        left_out = dict(self.untold)
        return tuple(rule for rule in self.plan.rules if rule.name not in left_out)

    @property
    def done(self) -> int:
        return len(self.outcomes) + len(self.skipped)

    @property
    def tokens(self) -> int:
        return sum(outcome.tokens for outcome in self.outcomes)

    @property
    def seconds(self) -> float:
        return sum(outcome.seconds for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class BakeoffProgress:
    """Where the run is. ``state`` is what to keep; ``doing`` says in a few words what is done right now."""

    state: BakeoffState
    problem: Problem
    doing: str
    candidates: int = field(default=0)  # finished of this problem


def run_bakeoff(
    engine: Engine, state: BakeoffState, *, cancel: CancelToken | None = None, visitor: str = ""
) -> Generator[BakeoffProgress, None, BakeoffState]:
    """Go on from ``state`` (``BakeoffState(plan)`` at first) to the end or to the end of the budget.

    A job for ``Worker.submit``. Yields after every decode step and score; the state in it changes after each problem.
    Raises Cancelled between steps, and BadInput where a scorer cannot be used at all.
    """
    token = cancel or CancelToken()
    plan = state.plan
    state = replace(state, status="running")
    while state.done < len(plan.problems):
        if _spent(state):
            return replace(state, status="over budget")
        problem = plan.problems[state.done]
        try:
            outcome, untold = yield from _solve(engine, state, problem, token, visitor)
        except BadPrompt as error:
            state = replace(state, skipped=(*state.skipped, (problem.id, str(error))))
            yield BakeoffProgress(state, problem, "left out")
            continue
        state = replace(state, outcomes=(*state.outcomes, outcome), untold=(*state.untold, *untold))
        yield BakeoffProgress(state, problem, "done", plan.n)
    return replace(state, status="finished")


def _spent(state: BakeoffState) -> bool:
    plan = state.plan
    tokens = plan.token_budget is not None and state.tokens >= plan.token_budget
    return tokens or (plan.seconds_budget is not None and state.seconds >= plan.seconds_budget)


def _solve(
    engine: Engine, state: BakeoffState, problem: Problem, cancel: CancelToken, visitor: str
) -> Generator[BakeoffProgress, None, tuple[ProblemOutcome, tuple[tuple[str, str], ...]]]:
    """The outcome, and the rules that turned out to read what is not told."""
    started = time.perf_counter()
    plan = state.plan
    candidates = yield from _candidates(engine, state, problem, cancel)
    context = ScoringContext(problem.prompt, None, problem.answer_pattern, engine, visitor, cancel)
    columns = yield from _score(state, problem, candidates, plan.scorers(), context)
    untold = _untold(state.rules, columns)
    state = replace(state, untold=(*state.untold, *untold))
    if not state.rules:
        raise BadInput(untold[0][1], "rules")
    context = replace(context, reference=problem.reference)  # only now: no rule may see it
    checks = (problem.verifier_spec, problem.truth_spec)
    verifier, truth = yield from _score(state, problem, candidates, checks, context)
    answers = tuple(a.key for a in extract_answers([c.text for c in candidates], problem.answer_pattern))
    scored = ScoredCandidates(candidates, (*columns, verifier), answers)
    correct = tuple(score.valid is True for score in truth.scores)
    outcome = ProblemOutcome(
        problem=problem.id,
        kind=problem.kind,
        difficulty=problem.difficulty,
        correct=correct,
        answers=answers,
        texts=tuple(candidate.text[:LONGEST_KEPT] for candidate in candidates),
        choices=tuple(_choice(_with_verifier(rule, problem), scored, correct) for rule in state.rules),
        tokens=sum(candidate.n_tokens for candidate in candidates),
        seconds=time.perf_counter() - started,
    )
    return outcome, untold


def _untold(rules: Sequence[Rule], columns: Sequence[ScoreColumn]) -> tuple[tuple[str, str], ...]:
    missing = {column.label: column.problem for column in columns if column.problem}
    pairs = ((rule.name, label) for rule in rules for label in _columns_of(rule) if label in missing)
    return tuple({name: missing[label] for name, label in pairs}.items())


def _candidates(
    engine: Engine, state: BakeoffState, problem: Problem, cancel: CancelToken
) -> Generator[BakeoffProgress, None, tuple[Candidate, ...]]:
    plan, codec = state.plan, engine.codec
    chat = plan.chat and engine.info.has_chat_template
    ids = encode_prompt(codec, problem.prompt, chat=chat, system=plan.system)
    asked = CandidateRequest((Variation(ids, plan.settings),), plan.n, plan.max_new_tokens, plan.seed)
    steps = generate_candidates(engine, asked, cancel=cancel)
    finished = 0
    while True:
        try:
            event = next(steps)
        except StopIteration as end:
            candidates: tuple[Candidate, ...] = end.value.candidates
            return candidates
        finished += len(event.finished) if isinstance(event, BatchStep) else 0
        yield BakeoffProgress(state, problem, "generating", finished)


def _score(
    state: BakeoffState,
    problem: Problem,
    candidates: Sequence[Candidate],
    specs: Sequence[ScorerSpec],
    context: ScoringContext,
) -> Generator[BakeoffProgress, None, tuple[ScoreColumn, ...]]:
    scoring = score_all(candidates, specs, context)
    while True:
        try:
            step = next(scoring)
        except StopIteration as end:
            columns: tuple[ScoreColumn, ...] = end.value
            break
        yield BakeoffProgress(state, problem, f"scoring by {step.label}", len(candidates))
    for column in columns:
        if column.problem and not kind_of(column.spec).reads:  # must not look like a rule that chooses badly
            raise BadInput(column.problem, "rules")
    return columns


def _choice(rule: Rule, scored: ScoredCandidates, correct: Sequence[bool]) -> RuleChoice:
    chosen = choose(rule, scored)
    right = chosen.winner is not None and correct[chosen.winner]
    return RuleChoice(rule.name, chosen.winner, right, chosen.tied)


def _with_verifier(rule: Rule, problem: Problem) -> Rule:
    own = problem.verifier_spec.label
    return replace(rule, filters=tuple(own if label == VERIFIER else label for label in rule.filters))


def _columns_of(rule: Rule) -> tuple[str, ...]:
    labels = (rule.column, *(label for label, _weight in rule.weights), *rule.filters)
    return tuple(label for label in labels if label and label != VERIFIER)


def _spec(label: str) -> ScorerSpec:
    name, colon, argument = label.partition(":")
    if name not in SCORERS:
        raise BadInput(f"rules: there is no scorer {name[:40]!r}; choose one of {', '.join(SCORERS)}.", "rules")
    return ScorerSpec(name, argument if colon else None)
