"""A client that floods is refused with 429 and a sentence; others are not disturbed."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

import pytest
from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from playground.server.flood import Flood, Rates, address_of
from playground.server.visitor import COOKIE, Visitor, VisitorCookies

COOKIES = VisitorCookies("s" * 32)
MANY = RateLimitItemPerMinute(10_000)


async def page(_request: Request) -> HTMLResponse:
    return HTMLResponse("page")


async def upload(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("taken")


async def stream(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_text(await socket.receive_text())
    except WebSocketDisconnect:
        pass


class Server:
    """The middleware before a small app. ``as_visitor``, ``at``: who asks, and from where."""

    def __init__(self, tabs: int = 100, address_tabs: int = 100, **rates: RateLimitItem) -> None:
        every: dict[str, Any] = dict.fromkeys(
            ("visitor_requests", "address_requests", "visitor_connections", "address_connections"), MANY
        )
        routes = [
            Route("/", page),
            Route("/_stcore/upload_file/{session}/{file}", upload, methods=["PUT", "DELETE"]),
            WebSocketRoute("/stream", stream),
        ]
        flood = Middleware(
            Flood,
            visitor_tabs=lambda visitor: tabs,
            address_tabs=lambda: address_tabs,
            may_upload=lambda session: session == "leader",
            rates=Rates(**(every | rates)),
        )
        self.app = Starlette(routes=routes, middleware=[Middleware(Visitor, cookies=lambda: COOKIES), flood])

    def browser(self, visitor: str = "", at: str = "192.0.2.1") -> TestClient:
        headers = {"cookie": f"{COOKIE}={COOKIES.make(visitor)}"} if visitor else {}
        return TestClient(self.app, client=(at, 1), headers=headers)


def test_requests_of_one_visitor_are_bounded_and_another_is_served() -> None:
    server = Server(visitor_requests=RateLimitItemPerMinute(3))
    flooding = server.browser("one")
    answers = [flooding.get("/") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 2
    assert answers[-1].text.startswith("This shared server takes at most 3 requests a minute of one visitor: wait")
    assert answers[-1].headers["retry-after"]
    assert server.browser("another").get("/").status_code == 200


def test_requests_without_a_cookie_are_bounded_by_their_address() -> None:
    server = Server(address_requests=RateLimitItemPerMinute(3))
    codes = [server.browser().get("/").status_code for _ in range(5)]
    assert codes == [200] * 3 + [429] * 2
    assert server.browser(at="192.0.2.2").get("/").status_code == 200


def test_connections_open_at_once_are_bounded_for_a_visitor_and_an_address() -> None:
    server = Server(tabs=2, address_tabs=3)
    with ExitStack() as opened:
        one, two = server.browser("one"), server.browser("two")
        sockets = [opened.enter_context(one.websocket_connect("/stream")) for _ in range(2)]
        with pytest.raises(WebSocketDenialResponse) as refused, one.websocket_connect("/stream"):
            pass
        assert refused.value.status_code == 429 and "2 connections of one visitor" in refused.value.text
        sockets.append(opened.enter_context(two.websocket_connect("/stream")))
        with pytest.raises(WebSocketDenialResponse) as refused, two.websocket_connect("/stream"):
            pass
        assert "3 connections of one address" in refused.value.text
        with server.browser("two", at="192.0.2.2").websocket_connect("/stream") as elsewhere:
            elsewhere.send_text("hello")
            assert elsewhere.receive_text() == "hello"
        sockets[0].close()
        with one.websocket_connect("/stream") as again:
            again.send_text("back")
            assert again.receive_text() == "back"


def test_new_connections_have_a_rate() -> None:
    server = Server(visitor_connections=RateLimitItemPerMinute(2))
    browser = server.browser("one")
    for _ in range(2):
        with browser.websocket_connect("/stream"):
            pass
    with pytest.raises(WebSocketDenialResponse) as refused, browser.websocket_connect("/stream"):
        pass
    assert "2 connections a minute of one visitor" in refused.value.text


def test_a_connection_that_sends_too_fast_waits_for_itself_and_loses_nothing() -> None:
    server = Server(messages=RateLimitItemPerSecond(20))
    with server.browser("one").websocket_connect("/stream") as fast:
        began = time.perf_counter()
        for number in range(50):
            fast.send_text(str(number))
        assert [fast.receive_text() for _ in range(50)] == [str(number) for number in range(50)]
        assert time.perf_counter() - began > 1.0


def test_a_connection_that_goes_on_sending_too_fast_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.server.flood.MOST_PAUSED_S", 0.2)
    server = Server(messages=RateLimitItemPerSecond(5))
    with server.browser("one").websocket_connect("/stream") as fast:
        for number in range(50):
            fast.send_text(str(number))
        with pytest.raises(WebSocketDisconnect) as ended:
            for _ in range(50):
                fast.receive_text()
        assert ended.value.code == 1008
    with server.browser("one").websocket_connect("/stream") as again:
        again.send_text("slowly")
        assert again.receive_text() == "slowly"


def test_files_are_taken_of_who_may_alone() -> None:
    browser = Server().browser("one")
    refused = browser.put("/_stcore/upload_file/guest/1", content=b"x")
    assert (refused.status_code, refused.text) == (403, "This shared server takes no files.")
    assert browser.put("/_stcore/upload_file/leader/1", content=b"x").text == "taken"
    assert browser.delete("/_stcore/upload_file/guest/1").text == "taken"


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_of_version_6_counts_by_its_network(host: str, counted: str) -> None:
    assert address_of({"client": (host, 1)}) == counted
    assert address_of({}) == "unknown"
