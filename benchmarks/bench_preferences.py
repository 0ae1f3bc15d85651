"""A reward from votes: what fitting it takes, with the hidden states cached, and what they take before; one process.

Two hundred votes of a synthetic voter on the answers that ship, by the bundled model. ``python -m benchmarks.bench_preferences``
prints what the head is worth beside what it takes; ``run()`` returns the times.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from playground.engine.api import CancelToken
from playground.engine.factory import make_engine
from playground.engine.pieces import finish
from playground.engine.types import FloatArray
from playground.preferences.ballots import Verdict
from playground.preferences.examined import ExaminedHead, accuracy_sentence, examine_head
from playground.preferences.ready import ready_ballot
from playground.preferences.reward import decided_votes, feature_scale, fit_head
from playground.preferences.synthetic import VOTERS, synthetic_verdicts
from playground.testtime.answer_states import answer_ids, read_states

VOTES, PENALTY = 200, 1.0
T = TypeVar("T")


def run() -> dict[str, float]:
    """Seconds."""
    return _measure()[0]


def _measure() -> tuple[dict[str, float], ExaminedHead]:
    ballot = ready_ballot()
    votes = synthetic_verdicts(ballot, VOTERS["brief"], VOTES + 1)
    reading, states = _timed(_states)
    fitting, examined = _timed(lambda: examine_head(ballot, votes[:VOTES], states, PENALTY))
    again, _weights = _timed(lambda: _refit(states, votes))
    figures = {
        f"hidden states of {len(ballot.answers)} answers, s": reading,
        f"reward head on {VOTES} votes, states cached: fit, held out, curve, s": fitting,
        "the same head fitted anew after one more vote, s": again,
    }
    return figures, examined


def _states() -> FloatArray:
    engine = make_engine(None)
    try:
        ids = [answer_ids(engine, answer.prompt, answer.text) for answer in ready_ballot().answers]
        return finish(read_states(engine, ids, CancelToken()))
    finally:
        engine.close()


def _refit(states: FloatArray, votes: tuple[Verdict, ...]) -> object:
    ballot = ready_ballot()
    return fit_head(states, decided_votes(ballot, votes), feature_scale(states, ballot.questions), PENALTY)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def main() -> None:
    """The table of docs/teach.md."""
    figures, examined = _measure()
    for name, value in figures.items():
        print(f"| {name} | {value:.3g} |")
    print(accuracy_sentence(examined))
    if examined.curve is not None:
        sizes = ", ".join(
            f"{size}: {mean:.0%}" for size, mean in zip(examined.curve.sizes, examined.curve.mean, strict=True)
        )
        print(f"Held-out agreement by votes fitted to: {sizes}.")
    if examined.calibration is not None:
        print(f"Calibration error {examined.calibration.error:.1%}; loss {examined.loss:.3f} nats.")
    likes = ", ".join(f"{one.feature} {one.correlation:+.2f}" for one in examined.likings[:4])
    print(f"It goes along with {likes}; rewards spread by {np.std(examined.rewards):.2f}.")


if __name__ == "__main__":
    main()
