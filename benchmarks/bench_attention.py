"""The Attention page: from a new text to all heads on screen, from a key to another head, memory, and BertViz beside it.

``python -m benchmarks.bench_attention`` prints the figures; ``run()`` returns them. Ratios compare things measured in turns
in one run.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil
import torch
from playwright.sync_api import Browser, Page

from benchmarks.bench_prefix import _open
from benchmarks.browser import chromium, median, new_page, open_clocked, server, slider_times
from playground.engine.hf.engine import TransformersEngine
from playground.engine.hf.malloc_trim import trim_memory
from playground.engine.text.display import glyphs
from playground.generation.document import pieces
from tests.e2e.conftest import sent_bytes

TOKENS, LONG = 128, 512
ROUNDS, MOVES = 3, 8
SENTENCE = "The old mill stood by the river where Mary and John used to play when they were young. "

# Counts paints of both pictures; the clock runs from the key event to the frame in which the wanted ones are done. A picture
# of the text before, shown dimmed while the model reads, does not count.
CLOCK = """
() => {
  const roots = () => [document, ...[...document.querySelectorAll('*')].map((node) => node.shadowRoot).filter((root) => root)]
  const stale = (node) => (node.getRootNode().host ?? node).closest('[class*="st-key-stale_"]')
  const find = (name) => roots().flatMap((root) => [...root.querySelectorAll(name)]).find((node) => !stale(node))
  const state = (name) => { const node = find(name); return [node, Number(node?.dataset.painted || 0)] }
  const changed = (name, [node, count]) => {
    if (node?.isConnected && !stale(node)) return Number(node.dataset.painted || 0) > count
    const [present, painted] = state(name)
    return present === node ? painted > count : painted > 0
  }
  window.__start = (names, key) => {
    window.__done = null
    window.addEventListener('keydown', (event) => {
      const before = names.map(state), start = performance.now()
      const look = () => {
        if (names.every((name, at) => changed(name, before[at]))) window.__done = performance.now() - start
        else requestAnimationFrame(look)
      }
      requestAnimationFrame(look)
    }, { capture: true, once: true })
  }
}
"""


def run(engine: TransformersEngine | None = None) -> dict[str, float]:
    """All figures. Times in ms, sizes in bytes; ratios above or below 1 as their names say."""
    own = engine is None
    engine = engine or _open()
    ids = text_ids(engine, TOKENS)
    forward_ms = eager_forward_ms(engine, ids)
    figures = {"eager forward pass of 128 tokens, ms": forward_ms, **bertviz_figures(engine, ids)}
    if own:
        engine.close()
    figures |= browser_figures(forward_ms)
    return figures | memory_figures()


def text_ids(engine: TransformersEngine, count: int) -> tuple[int, ...]:
    """The first ``count`` tokens of a text that repeats itself with a new number each time."""
    text = "".join(f"{number} {SENTENCE}" for number in range(count))
    return engine.codec.encode(text)[:count]


def eager_forward_ms(engine: TransformersEngine, ids: tuple[int, ...], rounds: int = 5) -> float:
    """Median time of transformers' own eager pass with ``output_attentions``."""
    model, times = engine.loaded.model, list[float]()
    usual = model.config._attn_implementation
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        for _ in range(rounds):
            started = time.perf_counter()
            model(input_ids=torch.tensor([ids]), use_cache=False, output_attentions=True)
            times.append((time.perf_counter() - started) * 1000)
    model.set_attn_implementation(usual)
    return median(times)


# -- in the browser ----------------------------------------------------------------------------------------------------


def browser_figures(forward_ms: float) -> dict[str, float]:
    """A new text to painted pictures, and another head against the plain page's slider."""
    with server("benchmarks/plain_page.py") as plain_url, server("app.py") as app_url, chromium() as browser:
        page = open_attention(browser, app_url)
        new_text = [ready_ms(page, number) for number in range(ROUNDS + 1)][1:]
        plain = open_clocked(browser, plain_url)
        heads, scales, slides, sent = list[float](), list[float](), list[float](), list[int]()
        recoloured = list[int]()
        head_ms(page, 2)
        scale_ms(page)
        slider_times(plain, 2)
        for _ in range(ROUNDS):
            plain.bring_to_front()
            slides += slider_times(plain, MOVES)
            page.bring_to_front()
            sent.append(sent_bytes(page, lambda: heads.extend(head_ms(page, MOVES))) // MOVES)
            recoloured.append(sent_bytes(page, lambda: scales.extend(scale_ms(page))) // MOVES)
    ready = median(new_text)
    return {
        "128 tokens, new text to all heads painted, ms": ready,
        "128 tokens ready / (2 x eager forward + 1 s)": ready / (2 * forward_ms + 1000),
        "another head, key to paint, ms": median(heads),
        "plain page, slider to paint, ms": median(slides),
        "another head / plain page's slider": median(heads) / median(slides),
        "another colour scale, key to paint of all pictures, ms": median(scales),
        "another colour scale / plain page's slider": median(scales) / median(slides),
        "bytes over the wire for another colour scale, at most": float(max(recoloured)),
        "bytes over the wire for another head of 128 tokens, at most": float(max(sent)),
    }


def open_attention(browser: Browser, app_url: str) -> Page:
    page = new_page(browser)
    page.goto(f"{app_url}/attention?prompt=Hello")
    page.locator(".attention .frame").first.wait_for(timeout=120_000)
    page.wait_for_selector("[data-test-script-state='notRunning']", state="attached", timeout=60_000)
    page.evaluate(CLOCK)
    return page


def prompt_of(number: int) -> str:
    """About 128 tokens, another text each time, so that nothing is remembered."""
    return f"{number + 2} " + (SENTENCE * 7).replace("mill", f"mill{number}", 1)[:-70]


def ready_ms(page: Page, number: int) -> float:
    """From Ctrl+Enter in the prompt to both pictures painted."""
    box = page.get_by_label("Prompt", exact=True)
    box.fill(prompt_of(number))
    page.evaluate("window.__start(['.attention', '.map'])")
    box.press("Control+Enter")
    return done_ms(page)


def head_ms(page: Page, moves: int) -> list[float]:
    """From an arrow key on the Head slider to the repainted heatmap, one head after the other."""
    slider = page.get_by_role("slider", name="Head")
    slider.focus()
    times = []
    for _ in range(moves):
        page.evaluate("window.__start(['.attention'])")
        last = slider.input_value() == slider.get_attribute("max")
        page.keyboard.press("Home" if last else "ArrowRight")
        times.append(done_ms(page))
        page.wait_for_timeout(200)
    return times


def scale_ms(page: Page) -> list[float]:
    """From an arrow key among the colour scales to both pictures repainted."""
    page.get_by_role("radio", name="linear").focus()
    times = []
    for move in range(MOVES):
        page.evaluate("window.__start(['.attention', '.map'])")
        page.keyboard.press("ArrowLeft" if move % 2 else "ArrowRight")
        times.append(done_ms(page))
        page.wait_for_timeout(200)
    return times


def done_ms(page: Page) -> float:
    page.wait_for_function("window.__done !== null", timeout=60_000)
    page.wait_for_selector("[data-test-script-state='notRunning']", state="attached", timeout=60_000)
    return float(page.evaluate("window.__done"))


# -- BertViz -----------------------------------------------------------------------------------------------------------


def bertviz_figures(engine: TransformersEngine, ids: tuple[int, ...]) -> dict[str, float]:
    """The same text in both: size of the file, and time until Chromium has read it. BertViz also fetches d3 and jQuery

    from the internet, which is blocked here and left out of its time.
    """
    from playground.charts.attention_html import attention_html
    from playground.ui.components.attention import FILE_SCRIPT, FILE_STYLE

    attention = engine.attentions(ids)
    tokens = tuple(glyphs(piece) for piece in pieces(engine.codec, ids))
    ours = attention_html(attention, tokens, engine.info, script=FILE_SCRIPT, style=FILE_STYLE)
    theirs = bertviz_html(engine, ids, list(tokens))
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        times: dict[str, list[float]] = {"ours": [], "theirs": []}
        for name, text in (("ours", ours), ("theirs", theirs)):
            (Path(folder) / f"{name}.html").write_text(text, encoding="utf-8")
        for _ in range(ROUNDS):
            for name, ready in (("ours", ".heat canvas.base"), ("theirs", "body")):
                times[name].append(opening_ms(browser, (Path(folder) / f"{name}.html").as_uri(), ready))
    return {
        "standalone file of 128 tokens, bytes": float(len(ours.encode())),
        "BertViz head view, bytes": float(len(theirs.encode())),
        "BertViz / ours, size": len(theirs.encode()) / len(ours.encode()),
        "standalone file opens, ms": median(times["ours"]),
        "BertViz opens (without its downloads), ms": median(times["theirs"]),
        "BertViz / ours, opening": median(times["theirs"]) / median(times["ours"]),
    }


def bertviz_html(engine: TransformersEngine, ids: tuple[int, ...], tokens: list[str]) -> str:
    from bertviz import head_view

    attention = engine.attentions(ids)
    weights = [torch.from_numpy(layer.weights.copy())[None] for layer in attention.layers]  # (1, heads, T, T) each
    return str(head_view(weights, tokens, html_action="return").data)


def opening_ms(browser: Browser, url: str, ready: str) -> float:
    """From asking for the file to its load event and, where it draws, to the drawn picture."""
    page = new_page(browser)
    page.route("http*://**", lambda route: route.abort())
    started = time.perf_counter()
    page.goto(url, wait_until="load", timeout=120_000)
    page.locator(ready).first.wait_for(state="attached", timeout=120_000)
    elapsed = (time.perf_counter() - started) * 1000
    page.close()
    return elapsed


# -- memory ------------------------------------------------------------------------------------------------------------


def memory_figures() -> dict[str, float]:
    """Extra memory of a pass over 512 tokens, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_attention", "--memory"], capture_output=True, text=True, check=True
    )
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    assert isinstance(figures, dict)
    return figures


def measure_memory() -> dict[str, float]:
    """Resident memory before, at most while, and after letting go of, one pass over 512 tokens."""
    engine = _open()
    ids = text_ids(engine, LONG)
    engine.next_logits(ids)  # what any forward pass of this length leaves behind is not attention's
    trim_memory()
    process = psutil.Process()
    before = process.memory_info().rss
    most, finished = before, threading.Event()

    def watch() -> None:
        nonlocal most
        while not finished.wait(0.005):
            most = max(most, process.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    attention = engine.attentions(ids)
    held = attention.bytes
    finished.set()
    watcher.join()
    del attention
    left = process.memory_info().rss - before
    engine.attentions(ids)  # what is left is left once: it does not grow with further passes
    later = process.memory_info().rss - before
    engine.close()
    return {
        "512 tokens, extra memory at most, bytes": float(most - before),
        "512 tokens, weights held while looked at, bytes": float(held),
        "512 tokens, left after letting go, bytes": float(left),
        "512 tokens, left after letting go of a second pass, bytes": float(later),
    }


if __name__ == "__main__":
    if "--memory" in sys.argv:
        print(json.dumps(measure_memory()))
    else:
        for name, value in run().items():
            print(f"{name:55} {value:14,.2f}")
