"""A real server and a real browser. The server runs the bundled model; the browser is Debian's chromium."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, FloatRect, Locator, Page, expect, sync_playwright

from tests.ports import free_port as free_port

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
PATIENCE_S = 180.0  # with a machine ten times slower than the one the tests were written on, and busy
TEST_S = 1_200
ENDS_WITHIN_S = 90.0
SERVED = {"HF_HUB_OFFLINE": "1", "PLAYGROUND_END_S": "60"}  # a busy machine is slow at ending, too
SHORT_MS = 3_000  # for what the browser does without the server, where it is tried again
expect.set_options(timeout=1000 * PATIENCE_S)


def until(read: Callable[[], T], wanted: Callable[[T], object], patience_s: float = PATIENCE_S) -> T:
    """The first reading that is wanted: for what ``expect`` cannot await. Fails with the last reading."""
    deadline = time.monotonic() + patience_s
    while not wanted(current := read()):
        assert time.monotonic() < deadline, f"after {patience_s:g} s it still is {current!r}"
        time.sleep(0.05)  # what another process shows or stores has no event to wait for
    return current


def point_until(point: Callable[[], object], check: Callable[[], object]) -> None:
    """Point at something until a check holds, whose patience is ``SHORT_MS``: a page drawn anew below the pointer forgets it."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        point()
        try:
            check()
            return
        except (AssertionError, Error):
            if time.monotonic() > deadline:
                raise


def hover_until(target: Locator, shown: Locator, text: str | re.Pattern[str]) -> None:
    """Hover over ``target`` until ``shown`` says so."""

    def point() -> None:
        target.page.mouse.move(0, 0)
        target.hover()

    point_until(point, lambda: expect(shown).to_contain_text(text, timeout=SHORT_MS))


def box(shown: Locator) -> FloatRect:
    """Where it stands, once it does."""
    rectangle = until(shown.bounding_box, bool)
    assert rectangle is not None
    return rectangle


def run_apart(work: Coroutine[Any, Any, T]) -> T:
    """Run it on a thread of its own: Playwright's loop may be running on this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


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
    written = _log(f"server-{port}.log")
    with written.open("wb") as log:
        process = subprocess.Popen(
            [*command, "--server.address", "127.0.0.1"],
            cwd=ROOT,
            env=os.environ | SERVED | environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_healthy(process, port)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            try:
                ended = process.wait(ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                ended = process.wait()
    _logs.remove(written)
    assert ended in (0, -signal.SIGTERM), f"{script} ended with status {ended}"  # killed: it did not end by itself
    said = written.read_text(encoding="utf-8", errors="replace")
    for sign in ("Traceback", "terminate called"):
        assert sign not in said, f"{script}: {sign!r} in {written}:\n{said[-6000:]}"


_logs: list[Path] = []  # of the servers that run


def _log(name: str) -> Path:
    """A server's file among the artifacts, whose end is shown with a test that fails."""
    ARTIFACTS.mkdir(exist_ok=True)
    _logs.append(ARTIFACTS / name)
    return ARTIFACTS / name


def wait_healthy(process: subprocess.Popen[bytes], port: int, patience_s: float = PATIENCE_S) -> None:
    """Until a server says that it is ready. Raises RuntimeError when it ends instead, or takes too long."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}; see {ARTIFACTS}")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=10) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)  # polling a port has no event to wait for
    raise RuntimeError(f"the server did not become healthy within {patience_s:g} s")


@pytest.fixture(scope="session")
def app_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of what the server of ``app_url`` keeps."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def app_url(app_data: Path) -> Iterator[str]:
    """One server for all tests that do not need a fresh one. What it keeps goes into a folder of its own."""
    with serve(PLAYGROUND_DATA=str(app_data)) as url:
        yield url


class RoomServer:
    """``python -m playground room`` on a free port of the loopback; may be killed and started again on the same store."""

    def __init__(self, data: Path, *arguments: str, **environment: str) -> None:
        self.port = free_port()
        self._arguments = ["--host", "127.0.0.1", "--port", str(self.port), *arguments, "--json"]
        self._environment = SERVED | {"PLAYGROUND_DATA": str(data)} | environment
        self._log = _log(f"room-{self.port}.log")
        self._process: subprocess.Popen[bytes] | None = None
        self.address, self.code, self.join_link, self.leader_link = "", "", "", ""

    def start(self, *more: str) -> None:
        """Until it is healthy; what it printed is in the attributes."""
        command = [sys.executable, "-m", "playground", "room", *self._arguments, *more]
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=os.environ | self._environment, stdout=subprocess.PIPE, stderr=log
            )
        self._process = process
        assert process.stdout is not None
        printed = json.loads(process.stdout.readline() or b"{}")
        wait_healthy(process, self.port)
        self.address, self.code = printed["address"], printed["code"]
        self.join_link, self.leader_link = printed["join_link"], printed["leader_link"]

    def kill(self) -> None:
        """As the machine's power supply would."""
        assert self._process is not None
        self._process.kill()
        self._process.communicate()

    def close(self) -> None:
        assert self._process is not None
        self._process.terminate()
        try:
            rest, _nothing = self._process.communicate(timeout=ENDS_WITHIN_S)
        finally:
            self._process.kill()
        _logs.remove(self._log)
        assert rest == b"", "one JSON object on stdout and nothing else"
        said = self._log.read_text(encoding="utf-8", errors="replace")
        assert "Traceback" not in said, said[-6_000:]


@pytest.fixture
def room_server(tmp_path: Path) -> Iterator[RoomServer]:
    """A server with a room of its own."""
    server = RoomServer(tmp_path)
    server.start()
    yield server
    server.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = os.environ.get("PLAYGROUND_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield opened
        opened.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All that stands in this folder needs a browser, and runs when those tests are asked for."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(TEST_S))


OpenPage = Callable[..., Page]
PAGES = pytest.StashKey[list[Page]]()  # of a test: what it has opened
SAID = pytest.StashKey[list[str]]()  # and what their consoles said


@pytest.fixture
def open_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[OpenPage]:
    """Open an address in a browser of its own; of a test that fails the pages are shown (see ``_evidence``)."""
    contexts = []
    pages = request.node.stash.setdefault(PAGES, [])
    said = request.node.stash.setdefault(SAID, [])

    def listen(message: ConsoleMessage) -> None:
        said.append(f"{message.type}: {message.text} ({message.page.url if message.page else ''})")

    def open_at(url: str, *, width: int = 1280, height: int = 900, dark: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
        )
        context.set_default_timeout(1000 * PATIENCE_S)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        page = context.new_page()
        pages.append(page)
        page.on("console", listen)
        page.on("pageerror", lambda error: said.append(f"uncaught: {error}"))
        page.goto(url)
        return page

    yield open_at
    for context in contexts:
        context.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.when == "call" and report.failed:
        report.sections += _evidence(item)
    return report


def _evidence(item: pytest.Item) -> list[tuple[str, str]]:
    """What a failed test's pages show and said and its servers wrote: printed with it. Screenshots go to the artifacts."""
    sections = [("browser consoles", "\n".join(item.stash.get(SAID, [""])[-40:]))]
    pages: list[Page] = item.stash.get(PAGES, [])
    for number, page in enumerate(pages):
        with suppress(Error):  # closed by the test
            page.screenshot(path=ARTIFACTS / f"{item.name}-{number}.png", full_page=True, timeout=20_000)
            shown = page.locator("body").aria_snapshot(timeout=20_000)
            sections.append((f"page {number}, {page.url}", shown[:8_000]))
    for log in _logs:
        sections.append((log.name, log.read_text(encoding="utf-8", errors="replace")[-3_000:] if log.exists() else ""))
    return sections


def settled(page: Page) -> None:
    """Wait until Streamlit has nothing left to run."""
    expect(page.locator("[data-testid='stApp'][data-test-script-state='notRunning']")).to_be_attached()


def bars_ready(page: Page) -> None:
    """Wait for the Sampling page's chart."""
    expect(page.get_by_text("others (", exact=False).first).to_be_visible()
    settled(page)


def in_frame(page: Page, title: str) -> None:
    """The whole frame: the page's title, every page of this server in the sidebar, the model card."""
    from pages import PAGES

    expect(page.get_by_role("heading", name=title, exact=True)).to_be_visible()
    sidebar = page.get_by_test_id("stSidebar")
    for entry in PAGES.values():
        link = sidebar.get_by_role("link", name=re.compile(f"{re.escape(entry.title)}$"))
        expect(link).to_have_count(int(entry.listed()))  # the Room page only where there is a room
    expect(sidebar.locator(".st-key-model_card")).to_be_visible()


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
