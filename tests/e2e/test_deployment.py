"""``deploy/try.sh``: a reader behind nginx loses the app process that serves her in mid-generation, and goes on at the other."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import subprocess
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from playground.store.database import RunDatabase
from playground.store.tables import NoteRow
from tests.e2e.conftest import ARTIFACTS, PATIENCE_S, ROOT, OpenPage, free_port, until

pytestmark = [pytest.mark.e2e, pytest.mark.model]

TOKENS = 700
WRITTEN = ".token.step"
ENDED = "the maximum number of tokens was reached"


@dataclass(frozen=True, slots=True)
class Shape:
    """What ``try.sh`` says it has started. ``apps``: each app process and its own address."""

    url: str
    apps: dict[int, str]
    store: str


@contextmanager
def started() -> Iterator[Shape]:
    ARTIFACTS.mkdir(exist_ok=True)
    with (
        (ARTIFACTS / "try.log").open("wb") as log,
        subprocess.Popen(
            ["deploy/try.sh", str(free_port())],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=os.environ | {"PLAYGROUND_LIMITS": f"new_tokens={TOKENS}"},
        ) as script,
    ):
        try:
            yield _read(script)
        finally:
            script.terminate()


def _read(script: subprocess.Popen[str]) -> Shape:
    apps, said, store = dict[int, str](), list[str](), ""
    assert script.stdout is not None
    for line in script.stdout:
        said.append(line)
        if match := re.match(r"app \d: process (\d+), (http://\S+),", line):
            apps[int(match[1])] = match[2]
        if match := re.match(r"store: (\S+)", line):
            store = match[1]
        if match := re.match(r"ready: (http://\S+)", line):
            return Shape(match[1], apps, store)
    raise AssertionError(f"try.sh ended: {said}; see {ARTIFACTS}")


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=PATIENCE_S) as answer:
        return str(answer.read().decode())


def count(address: str, name: str) -> float:
    """One of the process's own counts."""
    match = re.search(rf"^playground_{name} (\S+)$", get(f"{address}/metrics"), re.MULTILINE)
    assert match is not None
    return float(match[1])


def stored(store: RunDatabase) -> int:
    """Tokens of the one text under way that another process would find."""
    with store.session() as session:
        note = session.scalar(select(NoteRow.text))
    if note is None:
        return 0
    snapshot = json.loads(zlib.decompress(base64.b64decode(note)))
    return len(json.loads(snapshot["run"])["branches"][0]["steps"])


def texts(page: Page) -> list[str]:
    return page.locator(WRITTEN).all_text_contents()


def test_a_reader_goes_on_at_the_other_process_from_what_was_stored(open_page: OpenPage) -> None:
    with started() as shape:
        for address in shape.apps.values():
            assert get(f"{address}/readyz") == '{"model":true,"store":true}'
        for hidden in ("metrics", "readyz", "_stcore/metrics"):
            with pytest.raises(urllib.error.HTTPError, match="404"):
                get(f"{shape.url}/{hidden}")
        query = urlencode({"prompt": "Once upon a time", "new": TOKENS, "ignore_eos": 1, "seed": 3})
        page = open_page(f"{shape.url}/generate?{query}")
        expect(page.locator(WRITTEN).nth(20)).to_be_visible()
        (lost,) = until(
            lambda: [process for process, address in shape.apps.items() if count(address, "sessions")],
            lambda serving: len(serving) == 1,
        )
        (other,) = (address for process, address in shape.apps.items() if process != lost)
        assert not count(other, "tokens_total"), "a reader stays with one process"
        store = RunDatabase(shape.store)
        least = until(lambda: stored(store), lambda tokens: tokens >= 20)
        store.close()
        before = until(lambda: texts(page), lambda shown: len(shown) >= least)  # the store may be ahead of the screen
        assert len(before) < TOKENS, "the text is still under way"
        os.kill(lost, signal.SIGKILL)
        expect(page.get_by_text("another one goes on from what it had stored")).to_be_visible()
        expect(page.get_by_text(ENDED)).to_be_visible(timeout=600_000)
        after = until(lambda: texts(page), lambda shown: len(shown) == TOKENS)
        new = count(other, "tokens_total")
        assert 0 < new < TOKENS, "what was stored is not written again"
        kept = TOKENS - int(new)
        assert least <= kept and after[:least] == before[:least]
        until(lambda: count(other, "sessions"), lambda sessions: sessions == 1)
        assert get(f"{shape.url}/healthz") == '{"alive":true}', "nginx knows that one process is gone"
