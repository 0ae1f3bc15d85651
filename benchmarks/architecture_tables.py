"""``python -m benchmarks.architecture_tables``: the tables of docs/architectures.md, from the data file and from a race run now.

With ``learned`` only the first, which runs nothing.
"""

from __future__ import annotations

import sys

from playground.architectures.families import DEFAULT
from playground.architectures.growth import exponents_said
from playground.architectures.race import RaceRow, race, racers_of
from playground.architectures.ready import ready_results
from playground.architectures.results import exponents_of, mean_of_shares, value_of, verdict
from playground.architectures.tasks import LEARNERS, TASKS
from playground.scaling.configs import load_config

CONTEXTS = (512, 1024, 2048, 4096, 8192)


def learned_lines() -> list[str]:
    """Accuracy at each size, by task and model."""
    ready = ready_results()
    lines = [f"Computed on {ready.date}, {ready.machine}."]
    for task in TASKS.values():
        learnt = ready.of(task.name)
        if not learnt:
            continue
        sizes = task.sizes
        lines += [
            "",
            f"| {task.label} | seeds | " + " | ".join(map(str, sizes)) + " |",
            "|---" * (len(sizes) + 2) + "|",
        ]
        for model in dict.fromkeys(each.request.model for each in learnt):
            own = [dict(each.accuracies) for each in learnt if each.request.model == model]
            cells = []
            for size in sizes:
                mean = mean_of_shares([each[size] for each in own])
                width = "" if mean.low is None or mean.high is None else f" ({mean.low:.0%}–{mean.high:.0%})"
                cells.append(f"{mean.value:.0%}{width}")
            lines.append(f"| {LEARNERS[model].label} | {len(own)} | " + " | ".join(cells) + " |")
        conclusion, words = verdict(task.name, learnt)
        lines += ["", f"{conclusion.name.capitalize()}: {words}"]
    return lines


def race_lines() -> list[str]:
    """Bytes, times and exponents of the default families, measured now."""
    steps = race(racers_of(DEFAULT, load_config), CONTEXTS)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            rows: tuple[RaceRow, ...] = end.value
            break
    lines = [
        "| model | context | bytes by formula | bytes of the tensors | read in, s | a token in, ms |",
        "|---" * 6 + "|",
    ]
    for row in rows:
        kept, read, token = (value_of(row, name) for name in ("state", "prefill", "decode"))
        lines.append(
            f"| {row.config} | {row.context:,} | {row.predicted_bytes:,} | {kept or 0:,.0f} | {read or 0:.2f} | "
            f"{1e3 * (token or 0):.1f} |"
        )
    lines.append("")
    for name in dict.fromkeys(row.config for row in rows):
        lines.append(f"- {name}: {exponents_said(exponents_of([row for row in rows if row.config == name]))}")
    return lines


def main(words: list[str]) -> int:
    """Print them."""
    print("\n".join(learned_lines()))
    if "learned" not in words:
        print("\n" + "\n".join(race_lines()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
