"""Architectures: the race of six families to 8,192 tokens, each default training, and a slider meanwhile.

The slider is another tab's, moved in Chromium while the first tab trains by the page's own button.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Generator

from benchmarks.browser import chromium, median, new_page, open_clocked, percentile, slider_times
from playground.architectures.families import DEFAULT
from playground.architectures.learning import learn
from playground.architectures.race import CONTEXTS, race, racers_of
from playground.architectures.request import usual_request
from playground.architectures.tasks import TASKS
from playground.scaling.configs import load_config
from tests.e2e.conftest import serve

MOVES = 40
TRAINING = "/architectures?view=learn&task=mqar&models=%5B%22mamba%22%5D&seeds=1&steps=20000"


def _finish(steps: Generator[object, None, object]) -> float:
    started = time.perf_counter()
    for _step in steps:
        pass
    return time.perf_counter() - started


def run() -> dict[str, float]:
    """Seconds, and how many times as long a slider's picture takes while a training is under way."""
    figures = {"six families to 8,192 tokens, s": _finish(race(racers_of(DEFAULT, load_config), CONTEXTS))}
    for task in TASKS.values():
        slowest = max(_finish(learn(usual_request(task.name, model))) for model in task.shown)
        figures[f"{task.name}: the slowest default training, s"] = slowest
    return figures | slider_meanwhile()


def slider_meanwhile() -> dict[str, float]:
    """Milliseconds from the key to the repainted picture on one tab, idle and while another tab's training runs."""
    with tempfile.TemporaryDirectory() as place, serve(PLAYGROUND_DATA=place) as url, chromium() as browser:
        trains = new_page(browser)
        trains.goto(url + TRAINING)
        button = trains.get_by_role("button", name="Train", exact=True)
        button.wait_for()
        page = open_clocked(browser, url)
        slider_times(page, 10)
        idle = slider_times(page, MOVES)
        trains.bring_to_front()
        button.click()
        trains.get_by_text("0 of 1 trained · Mamba-2, seed 0: step").wait_for(timeout=120_000)
        page.bring_to_front()
        busy = slider_times(page, MOVES)
        if not trains.get_by_text("0 of 1 trained").is_visible():
            raise RuntimeError("the training ended before the slider was measured")
    return {
        "slider idle, median, ms": median(idle),
        "slider while another tab trains, median, ms": median(busy),
        "slider while another tab trains / idle, medians": median(busy) / median(idle),
        "slider while another tab trains / idle, 95th percentiles": percentile(busy, 0.95) / percentile(idle, 0.95),
    }
