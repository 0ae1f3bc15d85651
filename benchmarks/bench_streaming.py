"""What streaming into a browser costs: tokens per second of the Generate page against the same worker without a page.

Twice: of a link that is opened, whose first tokens come while the browser still builds the page, and of a text that is asked
for on a page that has long been there. One server, one model, the same texts in turns: the page in Chromium, then the generator
on an engine in this process.
``python -m benchmarks.bench_streaming`` prints the figures; ``run()`` returns them.
"""

from __future__ import annotations

import re
import statistics
from urllib.parse import urlencode

from playwright.sync_api import Page

from benchmarks.browser import chromium, new_page, server
from playground.engine.api import Engine
from playground.engine.factory import make_engine
from playground.generation import Generation, GenerationRequest, generate
from playground.sampling.settings import SamplerSettings

PROMPT = "Once upon a time there was a fox who"
LENGTHS = (128, 500)
ROUNDS = 2
STILL_MS = 3_000
# The strip's shadow root is looked up once: a walk over the whole page at each look would be what is measured.
COUNTER = """
count => {
  const find = () => [...document.querySelectorAll('*')].map((node) => node.shadowRoot)
    .find((root) => root && root.querySelector('.token.step'))
  let root = find()
  const tokens = () => {
    if (!root || !root.host.isConnected) root = find()
    return root ? root.querySelectorAll('.token.step').length : 0
  }
  window.__first = { at: performance.now(), count: tokens() }
  const timer = setInterval(() => {
    if (tokens() >= count) { window.__last = performance.now(); clearInterval(timer) }
  }, 20)
}
"""
WARM_UP = 250  # tokens, during which the server finds its weights' codes


def run(lengths: tuple[int, ...] = LENGTHS, rounds: int = ROUNDS) -> dict[str, float]:
    """Cost of the page by length: 0.1 is ten percent more time a token. Rounds take turns."""
    engine = make_engine(None, device="cpu")
    page_speed: dict[int, list[float]] = {count: [] for count in lengths}
    bare_speed: dict[int, list[float]] = {count: [] for count in lengths}
    open_speed: dict[int, list[float]] = {count: [] for count in lengths}
    with server("app.py") as url, chromium() as browser:
        warm = new_page(browser)
        _on_page(warm, url, WARM_UP, 1)
        warm.close()
        for turn in range(rounds):
            for count in lengths:
                seed = 100 * turn + count
                bare_speed[count].append(_bare(engine, count, seed))
                page = new_page(browser)
                page_speed[count].append(_on_page(page, url, count, seed))
                page.close()
                page = new_page(browser)
                open_speed[count].append(_on_open_page(page, url, count, seed))
                page.close()
    engine.close()
    figures: dict[str, float] = {}
    for count in lengths:
        bare, shown = statistics.median(bare_speed[count]), statistics.median(page_speed[count])
        figures[f"{count} tokens, no page, tokens/s"] = bare
        figures[f"{count} tokens, in the browser, tokens/s"] = shown
        figures[f"{count} tokens, cost of streaming"] = bare / shown - 1
        figures[f"{count} tokens on an open page, cost of streaming"] = bare / statistics.median(open_speed[count]) - 1
    return figures


def _bare(engine: Engine, count: int, seed: int) -> float:
    """Tokens per second of decoding, as the command line has them."""
    asked = GenerationRequest(
        engine.codec.encode(PROMPT), SamplerSettings(), max_new_tokens=count, seed=seed, ignore_eos=True, top=12
    )
    steps = generate(engine, [asked])
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Generation = end.value
            return count / result.decode_ms * 1000


def _on_page(page: Page, url: str, count: int, seed: int) -> float:
    """Tokens per second from the first token on screen to the last one."""
    page.goto(f"{url}/generate?{_query(count, seed)}")
    return _shown(page, count)


def _on_open_page(page: Page, url: str, count: int, seed: int) -> float:
    """The same of a text asked for by the button, once one of a token is there and the page is still."""
    page.goto(f"{url}/generate?{_query(1, seed)}")
    page.get_by_text("1 new token").first.wait_for(timeout=180_000)
    maximum = page.get_by_role("spinbutton", name="Maximum new tokens")
    maximum.fill(str(count))
    maximum.press("Enter")
    page.wait_for_timeout(STILL_MS)
    page.locator(".st-key-generate button").first.click()
    page.locator(".token.step").nth(1).wait_for(timeout=180_000)
    return _shown(page, count)


def _query(count: int, seed: int) -> str:
    return urlencode({"prompt": PROMPT, "new": count, "ignore_eos": 1, "seed": seed})


def _shown(page: Page, count: int) -> float:
    page.locator(".token.step").first.wait_for(timeout=180_000)
    page.evaluate(COUNTER, count)
    page.wait_for_function("window.__last", timeout=600_000)
    seconds = page.evaluate("(window.__last - window.__first.at) / 1000")
    already = page.evaluate("window.__first.count")
    shown = float((count - already) / seconds)
    said = page.get_by_text(re.compile(rf"{count} new tokens")).first
    said.wait_for(timeout=60_000)
    return shown


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:40} {value:8.3f}")
