"""Servers and a browser for the benchmarks: move a slider, take the time until its picture is repainted.

The clock runs inside the page, from the key event to the frame in which the picture's text or widths have changed.
"""

from __future__ import annotations

import os
import shutil
import statistics
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.conftest import FLAGS, serve

PICTURE = ".js-plotly-plot .xtick, .bars .fill, .light svg"

# Each key pressed on the page starts a clock that stops in the first frame with another picture; see window.__times.
CLOCK = """
() => {
  // The components' shadow roots are looked up once: a walk over the whole page at each frame would be what is measured.
  const WATCHED = ['.js-plotly-plot text', '.bars .text', '.bars .fill', '.light text', '.light .bar', '.light .curve',
    '.light .mark', '.table .number'].join()
  const NODES = 60
  const roots = [document, ...[...document.querySelectorAll('*')].map((node) => node.shadowRoot).filter((root) => root)]
    .filter((root) => root.querySelector(WATCHED))
  // Nor may the reading be what is measured: the first nodes of a picture change with it.
  const find = (root) => [...root.querySelectorAll(WATCHED)].slice(0, NODES)
    .map((node) => node.textContent + node.style.width + node.getAttribute('d') + node.getAttribute('width'))
  const picture = () => roots.flatMap(find).join('|')
  window.__times = []
  window.addEventListener('keydown', () => {
    const before = picture()
    const start = performance.now()
    const look = () => {
      if (picture() !== before) window.__times.push(performance.now() - start)
      else requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  }, { capture: true })
}
"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser; ``new_page`` gives a fresh tab of it."""
    executable = os.environ.get("PLAYGROUND_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


def new_page(browser: Browser) -> Page:
    """A fresh tab. The clocks are scripts put into the page, which the server's Content-Security-Policy forbids."""
    return browser.new_page(bypass_csp=True)


@contextmanager
def server(script: str) -> Iterator[str]:
    """Serve a script of this repository."""
    with serve(script=script) as url:
        yield url


def open_clocked(browser: Browser, url: str, section: str | None = None, slider: str | None = None) -> Page:
    """A browser tab at ``url``, its picture painted, a slider focused (the first, or by name) and the clock in place.

    ``section``: the page's own tab to open first.
    """
    page = new_page(browser)
    page.goto(url)
    page.locator(PICTURE).first.wait_for(state="attached", timeout=60_000)
    page.wait_for_selector("[data-test-script-state='notRunning']", state="attached")
    if section is not None:
        page.get_by_role("tab", name=section, exact=True).click()
        page.wait_for_timeout(1_500)
    (page.get_by_role("slider", name=slider) if slider else page.get_by_role("slider")).first.focus()
    page.evaluate(CLOCK)
    return page


def press(page: Page, move: int) -> None:
    """Move the slider one step, to and fro."""
    page.keyboard.press("ArrowLeft" if move % 2 else "ArrowRight")


def slider_times(page: Page, moves: int, pause_ms: int = 200) -> list[float]:
    """Milliseconds from the key to the repainted picture, ``moves`` times, with a pause after each."""
    page.evaluate("window.__times = []")
    for move in range(moves):
        press(page, move)
        page.wait_for_function(f"window.__times.length > {move}", timeout=30_000)
        page.wait_for_timeout(pause_ms)
    return [float(value) for value in page.evaluate("window.__times")]


def slider_times_in_turns(pages: dict[str, Page], rounds: int, moves: int) -> dict[str, list[float]]:
    """``slider_times`` of several pages, a round of each in turn, so that a slow minute hits all. The first warms up."""
    times: dict[str, list[float]] = {name: [] for name in pages}
    for round_ in range(rounds + 1):
        for name, page in pages.items():
            page.bring_to_front()
            spent = slider_times(page, moves)
            times[name] += spent if round_ else []
    return times


def median(values: list[float]) -> float:
    return statistics.median(values)


def percentile(values: list[float], share: float) -> float:
    """The value below which ``share`` of the values lie, by nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
