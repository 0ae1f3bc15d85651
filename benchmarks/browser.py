"""Servers and a browser for the benchmarks: start a script, move a slider, take the time until its bars are repainted."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.e2e.conftest import FLAGS, serve

# Runs in the page: the clock starts at the key press and stops in the frame in which the chart's text has changed.
WATCH = """
() => {
  const find = (root) => [...root.querySelectorAll('.js-plotly-plot text, .bars .text, .bars .fill')]
    .map((node) => node.textContent + node.style.width)
  const text = () => find(document).concat(...[...document.querySelectorAll('*')]
    .filter((node) => node.shadowRoot).map((node) => find(node.shadowRoot))).join('|')
  window.__before = text()
  window.__spent = null
  window.addEventListener('keydown', () => {
    const start = performance.now()
    const look = () => {
      if (text() !== window.__before) window.__spent = performance.now() - start
      else requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  }, { capture: true, once: true })
}
"""


@contextmanager
def chromium() -> Iterator[object]:
    """A headless browser; ``new_page()`` on it gives a fresh tab."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def server(script: str) -> Iterator[str]:
    """Serve a script of this repository."""
    assert Path(script).exists(), script
    with serve(script=script) as url:
        yield url


def slider_times(page: Page, moves: int) -> list[float]:
    """Milliseconds from an arrow key on the first slider to repainted bars, ``moves`` times, back and forth."""
    handle = page.get_by_role("slider").first
    handle.focus()
    spent = []
    for move in range(moves):
        page.evaluate(WATCH)
        page.keyboard.press("ArrowRight" if move % 2 == 0 else "ArrowLeft")
        page.wait_for_function("window.__spent !== null", timeout=30_000)
        spent.append(float(page.evaluate("window.__spent")))
        page.wait_for_selector("[data-test-script-state='notRunning']", state="attached")
        page.wait_for_timeout(150)  # let the browser finish what it does after the paint
    return spent


def median(values: list[float]) -> float:
    return statistics.median(values)
