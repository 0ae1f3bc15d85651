"""What Tune and the room compute without a model: the reach map of many settings, and a refit of votes."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable

import numpy as np

from playground.preferences.asking import look_ahead
from playground.preferences.strengths import fit_strengths
from playground.preferences.votes import Outcome, Vote
from playground.sampling.registry import PARAMETERS
from playground.sampling.settings import SamplerSettings
from playground.tuning.reach_axes import grid_around
from playground.tuning.reach_map import ReachMap, Reference

REFERENCES, TOKENS, VOCAB = 20, 32, 49_152
OUTCOMES: tuple[Outcome, ...] = ("left", "right", "tie")


def _references() -> list[Reference]:
    """Rows shaped like the bundled model's: one to a hundred likely tokens over a wide tail."""
    rng = np.random.default_rng(0)
    references = []
    for _ in range(REFERENCES):
        rows = (rng.normal(0, 2.4, size=(TOKENS, VOCAB)) + 4).astype(np.float32)
        likely = rng.integers(VOCAB, size=(TOKENS, 60))
        np.put_along_axis(rows, likely, (8 + rng.exponential(3, size=likely.shape)).astype(np.float32), axis=1)
        ids = tuple(int(row[rng.geometric(0.3) % 60]) for row in likely)
        references.append(Reference((), ids, rows))
    return references


def _votes() -> list[Vote]:
    rng = np.random.default_rng(1)
    pairs = [rng.choice(20, size=2, replace=False) for _ in range(2000)]
    return [Vote(f"{a:02}", f"{b:02}", OUTCOMES[rng.integers(3)], f"voter {n % 30}") for n, (a, b) in enumerate(pairs)]


def _median_ms(work: Callable[[int], object], times: int = 9) -> float:
    spent = []
    for turn in range(times):
        started = time.perf_counter()
        work(turn)
        spent.append((time.perf_counter() - started) * 1000)
    return statistics.median(spent)


def _median_cpu_ms(work: Callable[[], object], times: int = 9) -> float:
    spent = []
    for _ in range(times):
        started = time.process_time()
        work()
        spent.append((time.process_time() - started) * 1000)
    return statistics.median(spent)


def run() -> dict[str, float]:
    """Medians. The map's third sampler moves between two redraws, as under a slider; then both axes' temperatures too."""
    reach_map = ReachMap(_references())
    grid = list(itertools.product(np.linspace(0.2, 2, 10).round(2), np.linspace(0.1, 1, 10).round(2)))

    def redraw(turn: int) -> None:
        reach_map.look([SamplerSettings(temperature=t, top_p=p, top_k=200 + turn) for t, p in grid], roughly=True)

    def new_temperatures(turn: int) -> None:
        reach_map.look([SamplerSettings(temperature=t + (turn + 1) / 1000, top_p=p) for t, p in grid], roughly=True)

    def of_axes(x: str, y: str) -> float:
        def move(turn: int) -> None:
            around = SamplerSettings(temperature=0.9, top_k=300 + turn)
            reach_map.look(grid_around(around, x, y, {}).settings, roughly=True)

        return _median_ms(move, times=5)

    redraw(-1)
    votes = _votes()
    items = sorted({name for vote in votes for name in vote.pair})
    return {
        f"reach of {REFERENCES} references x 100 settings, one slider moved, ms": _median_ms(redraw),
        "the same with ten temperatures it has not seen, ms": _median_ms(new_temperatures),
        **{
            f"the slowest axes: {PARAMETERS[y].label} by {PARAMETERS[x].label}, one slider moved, ms": of_axes(x, y)
            for x, y in (("temperature", "top_h"), ("top_h", "top_n_sigma"), ("dynatemp_range", "top_p"))
        },
        "2,000 votes on 20 things refitted, ms": _median_ms(lambda _turn: fit_strengths(votes)),
        "the same and which pair to ask about next, ms of a processor": _median_cpu_ms(
            lambda: look_ahead(votes, items)
        ),
    }
