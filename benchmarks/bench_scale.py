"""The Plan pages: sliders, whole pages, loads and tabs against the plain page; ``calc`` against importing streamlit.

Besides, the counts of huge models. "Slider to paint" ends at the first frame with another picture, or another number in
the table where no picture depends on a slider (Data and limits). "Whole page" ends when every chart and table of the
open tab is painted and the script has run to its end.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from functools import partial

from playwright.sync_api import Browser, Page

from benchmarks.browser import chromium, median, new_page, open_clocked, press, server, slider_times_in_turns
from benchmarks.whole_page import action_ms, install, load_ms

ROUNDS, MOVES = 3, 6
PLAIN = "plain page"
# Page, tab and slider: the tab's picture depends on the slider, on the Data page the table does.
SLIDERS = {
    "Model and memory": ("scale_model", "Memory", "Context (tokens)"),
    "Training": ("scale_training", "Bill", "Epochs"),
    "Scaling laws": ("scale_laws", "Returns", "Loss before (nats)"),
    "Serving": ("scale_serving", "Roofline", "Batch (sequences)"),
    "Data and limits": ("scale_data", "Languages", "Epochs"),
}
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
    return {**pages(), **start(), **counts()}


def pages() -> dict[str, float]:
    """Sliders, loads and tabs of the five pages, in turns with the plain page."""
    figures: dict[str, float] = {}
    with server("benchmarks/plain_page.py") as plain_url, server("app.py") as app_url, chromium() as browser:
        urls = {PLAIN: plain_url, **{name: f"{app_url}/{path}" for name, (path, _, _) in SLIDERS.items()}}
        open_clocked(browser, urls["Training"]).close()  # the first visitor of a server pays for its imports
        figures |= _against_plain("slider to paint", _sliders(browser, urls))
        tabs = {name: _open(browser, name, url) for name, url in urls.items()}
        for tab in tabs.values():
            install(tab)
        whole, loads = ({name: list[float]() for name in tabs} for _ in range(2))
        for round_ in range(ROUNDS + 1):  # the first round warms up
            for name, tab in tabs.items():
                tab.bring_to_front()
                rest = [action_ms(tab, partial(press, tab, move)) for move in range(MOVES)]
                if round_:
                    whole[name] += rest
        figures |= _against_plain("slider to whole page", whole)
        switched = {PLAIN: whole[PLAIN], **{name: _switches(tabs[name], name) for name in SLIDERS}}
        figures |= _against_plain("slowest tab to whole page", switched)
        for tab in tabs.values():
            tab.close()
        for round_ in range(ROUNDS + 1):
            for name, url in urls.items():
                tab = new_page(browser)
                spent = load_ms(tab, url)
                tab.close()
                if round_:
                    loads[name].append(spent)
        return figures | _against_plain("load to whole page", loads)


def _sliders(browser: Browser, urls: dict[str, str]) -> dict[str, list[float]]:
    """Milliseconds from key to paint, in browser tabs without the other clock: it watches every change of a page."""
    tabs = {name: _open(browser, name, url) for name, url in urls.items()}
    times = slider_times_in_turns(tabs, ROUNDS, MOVES)
    for tab in tabs.values():
        tab.close()
    return times


def _open(browser: Browser, name: str, url: str) -> Page:
    """The page with the tab and the slider of ``SLIDERS`` in front."""
    _, section, slider = SLIDERS.get(name, (None, None, None))
    return open_clocked(browser, url, section, slider)


def _to_tab(page: Page, section: str) -> float:
    tab = page.get_by_role("tab", name=section, exact=True)
    return action_ms(page, tab.click) if tab.get_attribute("aria-selected") != "true" else 0.0


def _switches(page: Page, name: str) -> list[float]:
    """Milliseconds to each of the page's tabs in turn; of three rounds, those of the tab with the largest median."""
    page.bring_to_front()
    sections = page.get_by_role("tab").all_inner_texts()
    times: dict[str, list[float]] = {section: [] for section in sections}
    for round_ in range(ROUNDS + 1):
        for section in sections[1:] + sections[:1]:
            spent = _to_tab(page, section)
            if round_:
                times[section].append(spent)
    return max(times.values(), key=median)


def _against_plain(what: str, times: dict[str, list[float]]) -> dict[str, float]:
    plain = median(times[PLAIN])
    figures = {f"{name}, {what}, ms": median(values) for name, values in times.items()}
    return figures | {f"{name} / plain page, {what}": median(times[name]) / plain for name in SLIDERS}


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

    figures = {}
    for label, name in HUGE.items():
        answer = subprocess.run(
            [sys.executable, "-c", COUNT.format(name=name)], check=True, capture_output=True, text=True, env=_quiet()
        )
        figures[f"{label} on the meta device, s"] = float(answer.stdout.split()[-1])
        spec = load_preset(name).spec
        started = time.perf_counter()
        count_parameters(spec)
        figures[f"{label} by the formula, ms"] = (time.perf_counter() - started) * 1e3
    return figures


def _seconds(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=_quiet())
    return time.perf_counter() - started


def _quiet() -> dict[str, str]:
    return os.environ | {"HF_HUB_OFFLINE": "1"}


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:60} {value:8.2f}")
