"""A model behind an address: what the playground leaves of a llama.cpp server's own speed, and what a slider costs on it.

The server is llama.cpp's own on the bundled weights (``tests/engine/remote/llama_server.py``), in a process beside the app.
All that is compared is measured in turns in the same run: the server asked by a plain HTTP client, the page in Chromium, and
the same page on transformers. Thirty readers are sessions at the app's socket (``room.py``), for thirty browsers would be what is
measured; they are held against thirty plain clients that ask for the same.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import ExitStack
from urllib.parse import urlencode

import httpx2
from playwright.sync_api import Browser, Page

from benchmarks.browser import chromium, median, new_page, open_clocked, slider_times_in_turns
from benchmarks.room import SEED, Reader, close_room
from tests.e2e.conftest import serve
from tests.engine.remote.llama_server import llama_server

PROMPT = "Once upon a time there was a fox who"
TOKENS, TOP, ROUNDS = 128, 10, 3
READERS, SLOTS, SHORT, ROOM_ROUNDS = 30, 4, 48, 2
SLIDER_ROUNDS, MOVES = 2, 8
PATIENCE_MS = 300_000
IDLE = "[data-test-script-state='notRunning']"

# From a click on the button to the frame in which the strip has as many tokens as were asked for.
WRITTEN = """
async (count) => {
  const tokens = () => [...document.querySelectorAll('*')].map((node) => node.shadowRoot).filter((root) => root)
    .reduce((sum, root) => sum + root.querySelectorAll('.token.step').length, 0)
  const start = performance.now()
  document.querySelector('.st-key-generate button').click()
  await new Promise((done) => {
    let fell = tokens() < count
    const look = () => {
      const now = tokens()
      fell = fell || now < count
      if (fell && now >= count) done()
      else requestAnimationFrame(look)
    }
    requestAnimationFrame(look)
  })
  return performance.now() - start
}
"""


def run() -> dict[str, float]:
    """One row in the browser, thirty readers, and a slider, each beside what it is held against."""
    with llama_server(SLOTS) as base, ExitStack() as stack:
        served = stack.enter_context(serve(PLAYGROUND_MODEL=base, PLAYGROUND_SERVERS=base))
        here = stack.enter_context(serve())
        with chromium() as browser:
            figures = {**_one_row(base, browser, served, here), **_slider(browser, served, here)}
        return {**figures, **asyncio.run(_room(base, served))}


def _body(tokens: int, top: int, seed: int) -> dict[str, object]:
    """As the page asks for it: neutral samplers, the log-probabilities of the likeliest tokens."""
    neutral = {"temperature": 1.0, "top_k": 0, "top_p": 1.0, "min_p": 0.0, "typical_p": 1.0}
    asked = {"prompt": PROMPT, "n_predict": tokens, "n_probs": top, "ignore_eos": True, "seed": seed, "stream": True}
    return {**neutral, **asked, "cache_prompt": True}


# -- one row, in the browser -------------------------------------------------------------------------------------------


def _one_row(base: str, browser: Browser, served: str, here: str) -> dict[str, float]:
    pages = {"page": _written_page(browser, served), "transformers": _written_page(browser, here)}
    spent: dict[str, list[float]] = {"server": [], "page": [], "transformers": []}
    with httpx2.Client(timeout=None, trust_env=False) as client:
        for round_ in range(ROUNDS + 1):
            times = {"server": _plain(client, base, round_)}
            for name, page in pages.items():
                times[name] = _written(page, round_)
            for name, seconds in times.items():
                spent[name] += [seconds] if round_ else []  # the first warms up
    rate = {name: TOKENS / median(seconds) for name, seconds in spent.items()}
    for page in pages.values():
        page.close()
    return {
        "the server by plain HTTP, tokens/s": rate["server"],
        "the same in the browser, tokens/s": rate["page"],
        "in the browser / plain HTTP": rate["page"] / rate["server"],
        "in the browser / transformers in the browser": rate["page"] / rate["transformers"],
    }


def _plain(client: httpx2.Client, base: str, seed: int) -> float:
    started = time.perf_counter()
    url = base.removesuffix("/v1") + "/completion"
    with client.stream("POST", url, json=_body(TOKENS, TOP, seed)) as answer:
        for _part in answer.iter_raw():
            pass
    return time.perf_counter() - started


def _written(page: Page, seed: int) -> float:
    """Seconds from the press to the last token on screen; another seed each time, for the same text is not written twice."""
    page.bring_to_front()
    box = page.get_by_label("Seed", exact=True)
    box.fill(str(1_000 + seed))
    box.press("Enter")
    page.wait_for_timeout(500)
    page.wait_for_selector(IDLE, state="attached", timeout=PATIENCE_MS)
    seconds = float(page.evaluate(WRITTEN, TOKENS)) / 1000
    page.wait_for_selector(IDLE, state="attached", timeout=PATIENCE_MS)
    return seconds


def _written_page(browser: Browser, url: str) -> Page:
    page = new_page(browser)
    page.goto(f"{url}/generate?{urlencode({'prompt': PROMPT, 'new': TOKENS, 'ignore_eos': 1})}")
    page.get_by_text(f"{TOKENS} new tokens").first.wait_for(timeout=PATIENCE_MS)  # the first text comes by itself
    return page


# -- a slider on a row that is known -----------------------------------------------------------------------------------


def _slider(browser: Browser, served: str, here: str) -> dict[str, float]:
    query = urlencode({"prompt": PROMPT, "temperature": 0.8})
    pages = {name: open_clocked(browser, f"{url}/?{query}") for name, url in (("served", served), ("here", here))}
    times = slider_times_in_turns(pages, SLIDER_ROUNDS, MOVES)
    on_server, on_transformers = median(times["served"]), median(times["here"])
    return {
        "slider to paint on a server's known row, ms": on_server,
        "slider on a server / on transformers": on_server / on_transformers,
    }


# -- thirty readers ----------------------------------------------------------------------------------------------------


async def _room(base: str, served: str) -> dict[str, float]:
    plain, ours = list[float](), list[float]()
    query = urlencode({"prompt": PROMPT, "new": SHORT, "ignore_eos": 1})
    readers = [await Reader.open(served, query, page="generate") for _ in range(READERS)]
    for reader in readers:
        await reader.painted("generate", finished=True)
        await _until_written(reader)  # the first text comes by itself
    for round_ in range(ROOM_ROUNDS):
        for reader in readers:
            await reader.set_number(SEED, 1_000 + round_)
        if round_ % 2:  # the other way round, so that a machine that becomes slower hits both
            ours.append(await _written_room(readers))
        plain.append(await _plain_room(base, round_))
        if not round_ % 2:
            ours.append(await _written_room(readers))
    await close_room(readers)
    rates = {name: READERS * SHORT / median(seconds) for name, seconds in (("plain", plain), ("ours", ours))}
    return {
        f"{READERS} plain clients, {SHORT} tokens each, tokens/s": rates["plain"],
        f"{READERS} readers, tokens/s": rates["ours"],
        f"{READERS} readers / {READERS} plain clients": rates["ours"] / rates["plain"],
    }


async def _plain_room(base: str, seed: int) -> float:
    url = base.removesuffix("/v1") + "/completion"

    async def one(client: httpx2.AsyncClient, number: int) -> None:
        async with client.stream("POST", url, json=_body(SHORT, TOP, seed * READERS + number)) as answer:
            async for _part in answer.aiter_raw():
                pass

    limits = httpx2.Limits(max_connections=READERS)
    async with httpx2.AsyncClient(timeout=None, trust_env=False, limits=limits) as client:
        started = time.perf_counter()
        await asyncio.gather(*(one(client, number) for number in range(READERS)))
        return time.perf_counter() - started


async def _until_written(reader: Reader) -> None:
    while reader.ticking:
        await asyncio.sleep(0.02)


async def _written_room(readers: list[Reader]) -> float:
    """Seconds from the first press to the last text that is written to its end."""

    async def one(reader: Reader) -> None:
        await reader.press("generate")
        await reader.painted("generate_stop")
        await _until_written(reader)

    started = time.perf_counter()
    await asyncio.gather(*(one(reader) for reader in readers))
    return time.perf_counter() - started


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name:50} {value:8.3f}")
