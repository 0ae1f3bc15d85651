"""The lens against the forward pass it looks into, and another colour of it, key to paint, against the plain page."""

from __future__ import annotations

import time
from urllib.parse import urlencode

from playwright.sync_api import Browser, Page

from benchmarks.browser import chromium, median, new_page, open_clocked, server, slider_times
from playground.engine.api import CancelToken, Score
from playground.engine.facets import require
from playground.engine.factory import make_engine
from playground.inspection.lens import MAX_POSITIONS, read_lens

TEXT = (
    "The Eiffel Tower is in the city of Paris. It was built for the World Fair of 1889 by the company of Gustave Eiffel, "
    "and for forty years it was the tallest structure made by people. Every year about seven million people climb it."
)
ROUNDS, MOVES = 3, 8
COLOURS = ("ArrowRight", "ArrowRight", "ArrowLeft", "ArrowLeft")  # to and fro

# As in ``browser.CLOCK``, for the grid: from the key to the first frame in which a cell has another colour.
_CLOCK = """
() => {
  const roots = [...document.querySelectorAll('*')].map((node) => node.shadowRoot).filter((root) => root)
  const cells = roots.flatMap((root) => [...root.querySelectorAll('.lensCell')]).slice(0, 400)
  const picture = () => cells.map((cell) => cell.style.background).join('|')
  window.__times = []
  window.addEventListener('keydown', (event) => {
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


def run() -> dict[str, float]:
    """Seconds and medians in ms, with their ratios."""
    return lens_times() | colour_times()


def lens_times() -> dict[str, float]:
    """A whole window, and the plain forward pass with all its logits; the lens asks 31 heads where the pass asks one."""
    engine = make_engine(device="cpu", dtype="float32")
    scorer = require(engine, Score)
    ids = engine.codec.encode(TEXT)[:MAX_POSITIONS]
    window = range(len(ids))
    lens, score = list[float](), list[float]()
    for turn in range(ROUNDS + 1):
        different = (int(ids[0]) + turn, *ids[1:])  # nothing is known of it yet
        started = time.perf_counter()
        scorer.score(different)
        between = time.perf_counter()
        list(read_lens(engine, (int(ids[0]) + 100 + turn, *ids[1:]), window, CancelToken()))
        if turn:  # the first of each pays for waking up
            score.append(between - started)
            lens.append(time.perf_counter() - between)
    engine.close()
    return {
        f"lens of {len(ids)} tokens, s": median(lens),
        f"forward pass of {len(ids)} tokens with its logits, s": median(score),
        "lens / forward pass": median(lens) / median(score),
    }


def colour_times() -> dict[str, float]:
    """Rounds alternate between the plain page and ours, so that a slow minute hits both."""
    plain, ours = list[float](), list[float]()
    with server("benchmarks/plain_page.py") as plain_url, server("app.py") as app_url, chromium() as browser:
        plain_page, page = open_clocked(browser, plain_url), _open_lens(browser, app_url)
        slider_times(plain_page, 2)
        _colour_times(page, 4)  # leaves the first colour chosen, as every round does
        for _ in range(ROUNDS):
            plain_page.bring_to_front()
            plain += slider_times(plain_page, MOVES)
            page.bring_to_front()
            ours += _colour_times(page, MOVES)
    return {
        "plain page, slider to paint, ms": median(plain),
        "lens of 40 tokens, another colour to paint, ms": median(ours),
        "lens colour / plain page": median(ours) / median(plain),
    }


def _open_lens(browser: Browser, url: str) -> Page:
    page = new_page(browser)
    page.goto(f"{url}/inside?{urlencode({'prompt': ' '.join(TEXT.split()[:34])})}")
    page.locator(".lensCell").first.wait_for(timeout=120_000)
    page.wait_for_selector("[data-test-script-state='notRunning']", state="attached", timeout=60_000)
    page.evaluate(_CLOCK)
    return page


def _colour_times(page: Page, moves: int, pause_ms: int = 300) -> list[float]:
    page.evaluate("window.__times = []")
    page.get_by_role("radio", name="Probability").focus()
    for move in range(moves):
        page.keyboard.press(COLOURS[move % 4])
        page.wait_for_function(f"window.__times.length > {move}", timeout=30_000)
        page.wait_for_timeout(pause_ms)
    return [float(value) for value in page.evaluate("window.__times")]


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:60} {value:8.2f}")
