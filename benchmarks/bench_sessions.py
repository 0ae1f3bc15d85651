"""Ten sessions on one server, each moving a slider once a second, against one session alone."""

from __future__ import annotations

import time

from playwright.sync_api import Page

from benchmarks.browser import chromium, median, open_clocked, percentile, press, server, slider_times

SESSIONS, MOVES = 10, 12


def run() -> dict[str, float]:
    """Median and 95th percentile of ten sessions, as multiples of one session's median."""
    with server("app.py") as url, chromium() as browser:
        pages = [open_clocked(browser, url) for _ in range(SESSIONS)]
        slider_times(pages[0], 3)
        pages[0].bring_to_front()
        one = slider_times(pages[0], MOVES, 1000)
        ten = _together(pages)
    return {
        "one session, median ms": median(one),
        "ten sessions, median ms": median(ten),
        "ten sessions' median / one session's": median(ten) / median(one),
        "ten sessions' 95th percentile / one session's median": percentile(ten, 0.95) / median(one),
    }


def _together(pages: list[Page]) -> list[float]:
    """Every tab moves its slider once a second, the tabs a tenth of a second apart, as readers in a room do."""
    for page in pages:
        page.evaluate("window.__times = []")
    start = time.monotonic()
    for move in range(MOVES):
        for index, page in enumerate(pages):
            due = start + move + index / SESSIONS
            page.wait_for_timeout(max(0.0, due - time.monotonic()) * 1000)
            press(page, move)
    times: list[float] = []
    for page in pages:
        page.wait_for_selector("[data-test-script-state='notRunning']", state="attached")
        times += [float(value) for value in page.evaluate("window.__times")]
    return times


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:55} {value:8.2f}")
