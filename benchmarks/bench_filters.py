"""Filters: documents a second on one core beside datatrove, memory of 100 MB, and a dial over 10,000 documents.

``python -m benchmarks.bench_filters`` prints ``run()``. Both sides split the same texts anew: datatrove remembers the last five.
"""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from benchmarks.browser import (
    CLOCK,
    chromium,
    median,
    new_page,
    open_clocked,
    press,
    server,
    slider_times_in_turns,
)
from playground.corpus.measuring import measure_text
from playground.corpus.rules import RULES, USUAL, rules_of
from playground.corpus.sample import open_documents
from playground.corpus.verdicts import judge

COMPARED = ("c4", "gopher-quality", "gopher-repetition", "fineweb")
DOCUMENTS, PARAGRAPHS = 400, 6
ROUNDS, MOVES = 3, 6
DIALS = "Words with a letter", "Stop words"  # each of whose moves removes or keeps some of the documents
MEMORY = """
import re, sys
from pathlib import Path
from playground.corpus.documents import Documents
from playground.corpus.measuring import measure
from playground.engine.pieces import finish
def peak_kb():  # of this process alone: getrusage tells a child of its parent's
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])

before = peak_kb()
with open(sys.argv[1], "rb") as file:
    documents = Documents(file, sys.argv[1])
    count = len(finish(measure(documents, groups=("c4", "gopher-quality", "duplicates"))))
print((peak_kb() - before) / 1024)
"""


def texts(count: int, seed: int = 0, paragraphs: int = PARAGRAPHS) -> list[str]:
    """Documents of about 3 kB: paragraphs of the sample, drawn at random, with some numbers behind."""
    draw = random.Random(seed)
    with open_documents() as shipped:
        sample = [each.text for each in shipped if each.tags["language"] == "en"]
    return ["\n".join(draw.sample(sample, paragraphs)) + " 7" * draw.randint(0, 60) for _ in range(count)]


def run() -> dict[str, float]:
    """Documents a second, MB, milliseconds and ratios."""
    return {**speed(), **memory(), **dials()}


def speed() -> dict[str, float]:
    """In processor time, in turns."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from datatrove.data import Document
        from datatrove.pipeline import filters

    theirs = (
        filters.C4QualityFilter(),
        filters.GopherQualityFilter(),
        filters.GopherRepetitionFilter(),
        filters.FineWebQualityFilter(),
    )
    spent: dict[str, list[float]] = {"ours": [], "datatrove": []}
    for round_ in range(ROUNDS + 1):  # the first warms up
        given = texts(DOCUMENTS, round_)
        started = time.process_time()
        for text in given:
            measure_text(text, COMPARED)
        middle = time.process_time()
        for text in given:
            for each in theirs:
                each.filter(Document(text, "1"))
        if round_:
            spent["ours"].append(middle - started)
            spent["datatrove"].append(time.process_time() - middle)
    ours, other = (DOCUMENTS / statistics.median(each) for each in spent.values())
    return {
        "documents a second, every value (C4, Gopher, FineWeb; 3 kB each, one core)": ours,
        "the same by datatrove, which stops at the first rule that fails": other,
        "ratio, documents a second": ours / other,
    }


def memory() -> dict[str, float]:
    """MB of memory that reading 100 MB adds, in a process of its own."""
    figures = dict[str, float]()
    with tempfile.TemporaryDirectory() as folder:
        line = ("The road went over the hill and down to the sea. " * 20 + "\n").encode()
        plain, rows, one = Path(folder, "one.txt"), Path(folder, "many.jsonl"), Path(folder, "line.jsonl")
        plain.write_bytes(line * (100_000_000 // len(line)))
        with rows.open("w", encoding="utf-8") as file:
            for number in range(30_000):
                file.write(json.dumps({"text": f"Number {number}. " + "The road went over the hill. " * 115}) + "\n")
        one.write_text(json.dumps({"text": "word " * 20_000_000}), encoding="utf-8")
        for name, path in (("one text", plain), ("one JSON line", one), ("30,000 documents", rows)):
            done = subprocess.run([sys.executable, "-c", MEMORY, str(path)], capture_output=True, text=True, check=True)
            figures[f"100 MB as {name}, more memory, MB"] = float(done.stdout)
    return figures


def dials() -> dict[str, float]:
    """A dial over 10,000 documents: the verdicts alone, and from key to picture in a browser against the plain page."""
    values = np.random.default_rng(0).random((10_000, len(RULES)))
    thresholds = {name: RULES[name].threshold for name in rules_of(USUAL)}
    spent = list[float]()
    for _ in range(50):
        started = time.perf_counter()
        verdicts = judge(values, thresholds)
        _ = verdicts.kept.sum(), verdicts.removed_by, verdicts.only_by
        spent.append((time.perf_counter() - started) * 1000)
    figures = {"verdicts of 10,000 documents, ms": statistics.median(spent)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "documents.jsonl")
        rows = (json.dumps({"id": number, "text": text}) for number, text in enumerate(texts(10_000, 9, 1)))
        path.write_text("\n".join(rows), encoding="utf-8")
        with server("benchmarks/plain_page.py") as plain_url, server("app.py") as app_url, chromium() as browser:
            plain = open_clocked(browser, plain_url)
            page = new_page(browser)
            page.goto(f"{app_url}/data_training")
            page.get_by_text("of 51 documents are kept").wait_for(timeout=120_000)
            page.get_by_role("button", name="A file").click()
            page.locator("input[type=file]").set_input_files(path)
            page.get_by_role("button", name="Filter it").click()
            page.get_by_text("of 10,000 documents are kept").wait_for(timeout=300_000)
            page.keyboard.press("Escape")
            page.get_by_role("slider", name=DIALS[0]).focus()
            page.evaluate(CLOCK)
            times = slider_times_in_turns({"plain": plain, "page": page}, ROUNDS, MOVES)
            first = list[float]()
            for move in range(ROUNDS * MOVES):  # another dial each time: the server's own run draws its first move
                page.get_by_role("slider", name=DIALS[(move + 1) % len(DIALS)]).focus()
                page.evaluate("window.__times = []")
                press(page, move // len(DIALS))
                page.wait_for_function("window.__times.length > 0", timeout=30_000)
                page.wait_for_timeout(400)
                first += [float(value) for value in page.evaluate("window.__times")]
    plain_ms = median(times["plain"])
    figures["dial to paint over 10,000 documents, ms"] = median(times["page"])
    figures["ratio to the plain page"] = median(times["page"]) / plain_ms
    figures["another dial's first move to paint, ms"] = median(first)
    figures["ratio of the first move to the plain page"] = median(first) / plain_ms
    return figures


if __name__ == "__main__":
    for name, value in run().items():
        print(f"{name}: {value:,.3g}")
