"""Scoring 256 candidates by all built-in rules that ask no model, against generating them; one process.

A prompt of 256 tokens and 64 new ones, as the issue states it. The candidates are really generated, then scored by every
rule, ranked, compared, voted on and drawn as curves. ``python -m benchmarks.bench_scoring [rows]``; ``run()`` returns the
numbers.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from playground.bounded import close_children
from playground.engine.api import Engine
from playground.engine.factory import make_engine
from playground.sampling.settings import NEUTRAL
from playground.testtime.answers import extract_answers
from playground.testtime.clusters import cluster_texts
from playground.testtime.curves import all_curves
from playground.testtime.generate import CandidateRequest, Variation, generate_candidates
from playground.testtime.ranking import compare_rankings, rank_all
from playground.testtime.registry import SCORERS, parse_spec
from playground.testtime.rules import MAJORITY, column_rule
from playground.testtime.running import score_now
from playground.testtime.scoring import ScoringContext
from playground.testtime.types import Candidate, ScoredCandidates, ScorerSpec

ROWS = 256
PROMPT_TOKENS = 256
NEW_TOKENS = 64
ARGUMENTS = {
    "regex": r"\d+",
    "length": "1-50w",
    "forbidden": "sorry,cannot",
    "json": '{"type": "object"}',
    "sql": "sqlite",
}
_ASKS_A_MODEL = {"judge", "reward", "reward-head", "similarity"}

T = TypeVar("T")


def run(rows: int = ROWS) -> dict[str, float]:
    """Seconds, and the ratio that is to stay under a tenth."""
    engine = make_engine(None)
    try:
        generated, candidates = timed(lambda: _generate(engine, rows))
    finally:
        engine.close()
    specs = builtin_specs()
    close_children()  # the start of a child process counts
    context = ScoringContext("What is 17 + 25?", "42", "number")
    scoring, columns = timed(lambda: score_now(candidates, specs, context))
    answers = tuple(answer.key for answer in extract_answers([c.text for c in candidates], "number"))
    scored = ScoredCandidates(candidates, columns, answers)
    comparing, _ = timed(
        lambda: (rank_all(scored), compare_rankings(scored), cluster_texts([c.text for c in candidates]))
    )
    correct = [score.valid is True for score in scored.column("math").scores]
    drawing, _ = timed(lambda: all_curves([column_rule("avg-logprob"), MAJORITY], scored, correct))
    close_children()
    return {
        f"generating {rows} candidates, s": generated,
        f"scoring them by {len(specs)} rules, s": scoring,
        "scoring / generating": scoring / generated,
        "ranking, comparing, clustering, s": comparing,
        "curves of two rules, s": drawing,
    }


def builtin_specs() -> list[ScorerSpec]:
    """Every rule that asks no model, with an argument where it needs one."""
    names = [name for name in SCORERS if name not in _ASKS_A_MODEL]
    return [parse_spec(f"{name}:{ARGUMENTS[name]}" if name in ARGUMENTS else name) for name in names]


def timed(work: Callable[[], T]) -> tuple[float, T]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def _generate(engine: Engine, rows: int) -> tuple[Candidate, ...]:
    ids = engine.codec.encode("A shop sells 17 pens and 25 books; how many things are that? " * 40)[:PROMPT_TOKENS]
    asked = CandidateRequest((Variation(ids, NEUTRAL),), rows, NEW_TOKENS, ignore_eos=True)
    steps = generate_candidates(engine, asked)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            candidates: tuple[Candidate, ...] = end.value.candidates
            return candidates


if __name__ == "__main__":
    for figure, value in run(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS).items():
        print(f"{figure:<40} {value:9.3f}")
