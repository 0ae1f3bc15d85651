"""Trained results that are ready: a data file, made by ``python -m benchmarks.learned``, and the form they are written in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from playground.architectures.request import LearnRequest
from playground.architectures.types import LearnStep, Learnt

FILE = Path(__file__).parent / "data" / "learned.json"
COMMAND = "python -m benchmarks.learned"


@dataclass(frozen=True, slots=True)
class Ready:
    """``date``: when the file was computed, ISO. ``machine``: on what."""

    date: str
    machine: str
    learnt: tuple[Learnt, ...]

    def of(self, task: str) -> tuple[Learnt, ...]:
        return tuple(each for each in self.learnt if each.request.task == task)


@lru_cache(maxsize=1)
def ready_results() -> Ready:
    """What ships with the playground."""
    found = json.loads(FILE.read_text(encoding="utf-8"))
    return Ready(found["date"], found["machine"], tuple(map(_read, found["learnt"])))


def write_results(path: Path, date: str, machine: str, learnt: Sequence[Learnt]) -> None:
    """The same as a file, one trained model a line."""
    rows = ",\n".join(json.dumps(asdict(each), separators=(",", ":")) for each in learnt)
    head = json.dumps({"date": date, "machine": machine, "command": COMMAND})[:-1]
    path.write_text(f'{head}, "learnt": [\n{rows}\n]}}\n', encoding="utf-8")


def _read(given: dict[str, Any]) -> Learnt:
    return Learnt(
        LearnRequest(**given["request"]),
        tuple(LearnStep(**step) for step in given["steps"]),
        tuple((int(size), float(share)) for size, share in given["accuracies"]),
        given["parameters"],
        given["seconds"],
        tuple(map(tuple, given["alignment"])),
        tuple(given["symbols"]),
    )
