"""``make bench``: run every benchmark and print the README's performance table. Names select some: ``slider chain``.

``bakeoff``, ``contamination``, ``meaning``, ``quality`` and ``teach`` measure models and formulas, not the code: they run only
when named.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from datetime import date

BENCHMARKS = (
    "slider",
    "sessions",
    "room",
    "together",
    "follow",
    "chain",
    "prefix",
    "adapter",
    "start",
    "generate",
    "streaming",
    "attention",
    "soak",
    "scale",
    "best_of_n",
    "scoring",
    "inside",
    "architectures",
    "tune",
    "tune_run",
    "training",
    "preferences",
    "servers",
    "filters",
    "languages",
)
ONLY_WHEN_NAMED = ("bakeoff", "contamination", "meaning", "quality", "teach")


def main(wanted: list[str]) -> int:
    """Run the wanted benchmarks one after the other; each prints its rows as soon as it has them."""
    names = wanted or [name for name in BENCHMARKS if importlib.util.find_spec(f"benchmarks.bench_{name}")]
    available = (*BENCHMARKS, *ONLY_WHEN_NAMED)
    unknown = [name for name in names if name not in available]
    if unknown:
        print(f"error: no benchmark called {', '.join(unknown)}; there are {', '.join(available)}", file=sys.stderr)
        return 2
    print(f"{date.today()}, {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    for name in [name for name in names if name in ONLY_WHEN_NAMED]:
        importlib.import_module(f"benchmarks.bench_{name}").main()
        names.remove(name)
    if not names:
        return 0
    print("| benchmark | figure | value |\n|---|---|---|")
    for name in names:
        figures = importlib.import_module(f"benchmarks.bench_{name}").run()
        for figure, value in figures.items() if isinstance(figures, dict) else figures:  # as they come
            print(f"| {name} | {figure} | {value:,.3g} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
