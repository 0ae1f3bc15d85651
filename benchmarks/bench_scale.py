"""The Plan pages: slider to paint against the plain page, ``calc`` against importing streamlit, counts of huge models."""

from __future__ import annotations

import os
import subprocess
import sys
import time

from benchmarks.browser import chromium, median, open_clocked, server, slider_times

ROUNDS, MOVES = 3, 6
PAGES = {"Model and memory": "scale_model", "Training": "scale_training"}
HUGE = {"405B": "Llama-3.1-405B", "671B": "DeepSeek-V3"}
COUNT = """
import time
from playground.scaling.configs import load_preset
from playground.scaling.meta import count_on_meta
preset = load_preset({name!r})
started = time.perf_counter()
count_on_meta(preset.config)
print(time.perf_counter() - started)
"""


def run() -> dict[str, float]:
    """Milliseconds, seconds and ratios. Rounds alternate between the things compared, so that a slow minute hits all."""
    return {**slider(), **start(), **counts()}


def slider() -> dict[str, float]:
    """From an arrow key on a page's first slider to its repainted chart."""
    times: dict[str, list[float]] = {"plain page": [], **{name: [] for name in PAGES}}
    with server("benchmarks/plain_page.py") as plain_url, server("app.py") as app_url, chromium() as browser:
        tabs = {"plain page": open_clocked(browser, plain_url)}
        tabs |= {name: open_clocked(browser, f"{app_url}/{path}") for name, path in PAGES.items()}
        for tab in tabs.values():
            tab.bring_to_front()
            slider_times(tab, 2)
        for _ in range(ROUNDS):
            for name, tab in tabs.items():
                tab.bring_to_front()
                times[name] += slider_times(tab, MOVES)
    plain = median(times["plain page"])
    found = {f"{name}, slider to paint, ms": median(values) for name, values in times.items()}
    return found | {f"{name} / plain page": median(times[name]) / plain for name in PAGES}


def start(rounds: int = 5) -> dict[str, float]:
    """Wall time of one ``calc`` command and of importing streamlit, each in a fresh Python."""
    calc = [sys.executable, "-m", "playground", "calc", "params", "--config", "Llama-3-8B", "--json"]
    other = [sys.executable, "-c", "import streamlit"]
    ours, theirs = list[float](), list[float]()
    for _ in range(rounds):
        ours.append(_seconds(calc))
        theirs.append(_seconds(other))
    return {
        "calc params, s": median(ours),
        "import streamlit, s": median(theirs),
        "calc / import streamlit": median(ours) / median(theirs),
    }


def counts() -> dict[str, float]:
    """Counting the largest presets: on the meta device with transformers' import, and by the formula."""
    from playground.scaling.configs import load_preset
    from playground.scaling.parameters import count_parameters

    found = {}
    for label, name in HUGE.items():
        answer = subprocess.run(
            [sys.executable, "-c", COUNT.format(name=name)], check=True, capture_output=True, text=True, env=_quiet()
        )
        found[f"{label} on the meta device, s"] = float(answer.stdout.split()[-1])
        spec = load_preset(name).spec
        started = time.perf_counter()
        count_parameters(spec)
        found[f"{label} by the formula, ms"] = (time.perf_counter() - started) * 1e3
    return found


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=_quiet())
    return time.perf_counter() - started


def _quiet() -> dict[str, str]:
    return os.environ | {"HF_HUB_OFFLINE": "1"}


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:45} {value:8.2f}")
