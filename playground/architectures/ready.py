"""Results that are ready, trained and raced: data files made by ``python -m benchmarks.learned``, and how they are written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from playground.architectures.race import RaceRow
from playground.architectures.request import LearnRequest
from playground.architectures.types import LearnStep, Learnt

FILE = Path(__file__).parent / "data" / "learned.json"
RACE_FILE = FILE.with_name("raced.json")
COMMAND = "python -m benchmarks.learned"
RACE_COMMAND = f"{COMMAND} race"


@dataclass(frozen=True, slots=True)
class Ready:
    """``date``: when the file was computed, ISO. ``machine``: on what."""

    date: str
    machine: str
    learnt: tuple[Learnt, ...]

    def of(self, task: str) -> tuple[Learnt, ...]:
        return tuple(each for each in self.learnt if each.request.task == task)


@dataclass(frozen=True, slots=True)
class ReadyRace:
    """``rows`` of all families; ``date`` and ``machine`` as of ``Ready``."""

    date: str
    machine: str
    rows: tuple[RaceRow, ...]

    def of(self, labels: Sequence[str]) -> tuple[RaceRow, ...]:
        """Those of families with these labels, in this order."""
        return tuple(row for label in labels for row in self.rows if row.config == label)


@lru_cache(maxsize=1)
def ready_race() -> ReadyRace:
    """What ships with the playground."""
    race = json.loads(RACE_FILE.read_text(encoding="utf-8"))
    return ReadyRace(race["date"], race["machine"], tuple(RaceRow(**row) for row in race["rows"]))


def write_race(path: Path, date: str, machine: str, rows: Sequence[RaceRow]) -> None:
    """The same as a file, one row a line."""
    _write(path, {"date": date, "machine": machine, "command": RACE_COMMAND}, "rows", [asdict(row) for row in rows])


@lru_cache(maxsize=1)
def ready_results() -> Ready:
    """What ships with the playground."""
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    return Ready(stored["date"], stored["machine"], tuple(map(_read, stored["learnt"])))


def write_results(path: Path, date: str, machine: str, learnt: Sequence[Learnt]) -> None:
    """The same as a file, one trained model a line."""
    _write(path, {"date": date, "machine": machine, "command": COMMAND}, "learnt", [asdict(each) for each in learnt])


def _write(path: Path, about: dict[str, str], name: str, each: Sequence[dict[str, Any]]) -> None:
    rows = ",\n".join(json.dumps(one, separators=(",", ":")) for one in each)
    path.write_text(f'{json.dumps(about)[:-1]}, "{name}": [\n{rows}\n]}}\n', encoding="utf-8")


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
