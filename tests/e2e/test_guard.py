"""The guard in a real browser: every page works under its policy, and a foreign page can neither show nor use one."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, expect

from pages import PAGES
from tests.e2e.conftest import OpenPage, settled

pytestmark = pytest.mark.e2e


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder, and the address of another site that serves it."""
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_no_page_breaks_the_policy(app_url: str, open_page: OpenPage) -> None:
    page = open_page("about:blank")
    said: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            said.append(f"{page.url}: {message.text}")

    page.on("console", listen)
    for name, spec in PAGES.items():
        page.goto(f"{app_url}/{name}")
        title = spec.title if spec.listed() else "Room"
        expect(page.get_by_role("heading", level=1, name=title, exact=True)).to_be_visible()
        settled(page)
        expect(page.locator(".stBidiComponent, .stPlotlyChart, .stDataFrame, .stMarkdown").first).to_be_attached()
    assert not said


def test_a_foreign_page_can_neither_frame_nor_read_nor_open_a_socket(
    app_url: str, open_page: OpenPage, foreign: tuple[Path, str]
) -> None:
    folder, url = foreign
    (folder / "index.html").write_text(
        f"""<iframe src="{app_url}/sampling?model=gpt2"></iframe><script>
        const tried = (start) => new Promise(start)
        window.results = Promise.all([
          tried((end) => {{ const socket = new WebSocket("{app_url.replace("http", "ws")}/_stcore/stream", ["streamlit"])
            socket.onopen = () => end("open"); socket.onerror = () => end("refused") }}),
          fetch("{app_url}/_stcore/health").then(() => "read", () => "refused"),
        ])</script>""",
        encoding="utf-8",
    )
    page = open_page("about:blank")
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    page.goto(url)
    assert page.evaluate("window.results") == ["refused", "refused"]
    framed = page.frames[1]
    assert framed.evaluate("document.querySelector('#root') === null"), "the page stands in a foreign frame"
    assert len(sockets) == 1, "only the foreign page's own try, none from the frame"
