"""A real server and a real browser. The server runs the bundled model; the browser is Debian's chromium."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "tests" / "e2e" / "artifacts"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
]
expect.set_options(timeout=30_000)


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """Run it on a thread of its own: Playwright's loop may be running on this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serve(script: str = "app.py", **environment: str) -> Iterator[str]:
    """Start a script on a free port, wait until it is healthy, give its address, stop it and see that it ended cleanly."""
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        script,
        "--server.port",
        str(port),
        "--server.headless",
        "true",
    ]
    ARTIFACTS.mkdir(exist_ok=True)
    written = ARTIFACTS / f"server-{port}.log"
    with written.open("wb") as log:
        process = subprocess.Popen(
            [*command, "--server.address", "127.0.0.1"],
            cwd=ROOT,
            env=os.environ | {"HF_HUB_OFFLINE": "1"} | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_healthy(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                ended = process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                ended = process.wait()
    assert ended in (0, -signal.SIGTERM), f"{script} ended with status {ended}"  # killed: it did not end by itself
    said = written.read_text(encoding="utf-8", errors="replace")
    for sign in ("Traceback", "terminate called"):
        assert sign not in said, f"{script}: {sign!r} in {written}:\n{said[-2000:]}"


def wait_healthy(process: subprocess.Popen[bytes], port: int, patience_s: float = 90) -> None:
    """Until a server says that it is ready. Raises RuntimeError when it ends instead, or takes too long."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}; see {ARTIFACTS}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)  # polling a port has no event to wait for
    raise RuntimeError(f"the server did not become healthy within {patience_s:g} s")


@pytest.fixture(scope="session")
def app_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for all tests that do not need a fresh one. What it keeps goes into a folder of its own."""
    with serve(PLAYGROUND_DATA=str(tmp_path_factory.mktemp("data"))) as url:
        yield url


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = os.environ.get("PLAYGROUND_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield opened
        opened.close()


OpenPage = Callable[..., Page]
FAILED = pytest.StashKey[bool]()  # of a test: whether it failed


@pytest.fixture
def open_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[OpenPage]:
    """Open an address in a browser of its own; a test that fails leaves a screenshot among the artifacts."""
    contexts = []

    def open_at(url: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        page = context.new_page()
        page.goto(url)
        return page

    yield open_at
    for number, context in enumerate(contexts):
        for page in context.pages:
            if request.node.stash.get(FAILED, False):
                page.screenshot(path=ARTIFACTS / f"{request.node.name}-{number}.png", full_page=True)
        context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" and report.failed:
        item.stash[FAILED] = True
    return report


def settled(page: Page) -> None:
    """Wait until Streamlit has nothing left to run."""
    expect(page.locator("[data-testid='stApp'][data-test-script-state='notRunning']")).to_be_attached()


def bars_ready(page: Page) -> None:
    """Wait for the Sampling page's chart."""
    expect(page.get_by_text("others (", exact=False).first).to_be_visible(timeout=120_000)
    settled(page)


def sent_bytes(page: Page, act: Callable[[], object]) -> int:
    """Bytes of the WebSocket frames the server sends while ``act`` runs."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    total = 0

    def count(event: dict[str, Any]) -> None:
        nonlocal total
        response = event["response"]
        data = response["payloadData"]
        total += len(base64.b64decode(data)) if response["opcode"] == 2 else len(data)

    session.on("Network.webSocketFrameReceived", count)
    act()
    session.detach()
    return total
