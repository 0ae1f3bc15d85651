"""The visitor's cookie on a small Starlette app, through Starlette's own test client."""

from __future__ import annotations

import multiprocessing
import re
import stat
from pathlib import Path

import pytest
from itsdangerous import Signer
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket

from playground.errors import BadInput
from playground.server.visitor import (
    COOKIE,
    SECRET_FILE,
    Visitor,
    VisitorCookies,
    given_secret,
    new_visitor,
    stored_secret,
)

COOKIES = VisitorCookies("s" * 32)


def visitor_fields(connection: HTTPConnection) -> dict[str, str]:
    """What whoever comes after the middleware reads of the request."""
    return {
        "named": connection.scope["visitor"],
        "read": COOKIES.read(connection.cookies[COOKIE]),
        "other": connection.cookies.get("other", ""),
    }


async def page(request: Request) -> Response:
    return HTMLResponse("<p>page</p>", headers={"Cache-Control": "no-cache"})


async def data(request: Request) -> Response:
    return JSONResponse(visitor_fields(request), headers={"Cache-Control": "public, max-age=31536000"})


async def stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_json(visitor_fields(socket))
    await socket.close()


def client(address: str = "http://localhost") -> TestClient:
    routes = [Route("/", page), Route("/data", data), WebSocketRoute("/stream", stream)]
    app = Starlette(routes=routes, middleware=[Middleware(Visitor, cookies=lambda: COOKIES)])
    return TestClient(app, base_url=address)


def test_a_browser_keeps_the_identity_it_got_with_the_page() -> None:
    browser = client()
    cookie = browser.get("/").headers["set-cookie"]
    assert re.fullmatch(rf"{COOKIE}=[0-9a-f]{{32}}\.[\w-]+; Path=/; Max-Age=\d+; HttpOnly; SameSite=Lax", cookie)
    visitor = COOKIES.read(browser.cookies[COOKIE])
    assert browser.get("/data").json() == {"named": visitor, "read": visitor, "other": ""}
    assert "set-cookie" not in browser.get("/").headers
    with browser.websocket_connect("/stream", headers={"cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}) as socket:
        assert socket.receive_json()["read"] == visitor


def test_the_cookie_is_what_another_implementation_signs() -> None:
    """Flask's and Django's way: HMAC with SHA-256 under a key derived from secret and salt."""
    import base64
    import hashlib
    import hmac

    key = hashlib.sha256(b"playground-visitor" + b"signer" + b"s" * 32).digest()
    right = base64.urlsafe_b64encode(hmac.new(key, b"abc", hashlib.sha256).digest()).rstrip(b"=").decode()
    assert COOKIES.make("abc") == f"abc.{right}"


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "x",
        "a" * 10_000,
        new_visitor(),
        COOKIES.make("victim")[:-1] + "!",
        COOKIES.make("victim").replace("victim", "VICTIM"),
        VisitorCookies("t" * 32).make("victim"),
        Signer("s" * 32).sign("victim").decode(),
        "\u00e9.\u00e9",
    ],
    ids=range(9),
)
def test_a_cookie_that_is_not_ours_is_replaced(cookie: str) -> None:
    browser = client()
    sent = {b"cookie": f"other=1; {COOKIE}={cookie}".encode("latin-1")}
    got = browser.get("/data", headers=sent).json()
    assert got["named"] == got["read"] and re.fullmatch("[0-9a-f]{32}", got["read"])
    assert got["other"] == "1"
    assert COOKIE in browser.get("/", headers=sent).headers["set-cookie"]


def test_two_browsers_are_two_visitors() -> None:
    first, second = client(), client()
    first.get("/"), second.get("/")
    assert first.cookies[COOKIE] != second.cookies[COOKIE]


def test_nothing_that_a_proxy_keeps_for_others_carries_an_identity() -> None:
    assert "set-cookie" not in client().get("/data").headers
    assert client().get("/").headers["cache-control"] == "no-store"


def test_a_websocket_without_a_cookie_has_an_identity_and_hands_it_over() -> None:
    browser = client()
    with browser.websocket_connect("/stream") as socket:
        got = socket.receive_json()
        headers: dict[bytes, bytes] = dict(socket.extra_headers or ())
    assert got["named"] == got["read"]
    assert COOKIES.read(headers[b"set-cookie"].decode().split(";")[0].partition("=")[2]) == got["read"]


@pytest.mark.parametrize(
    ("address", "headers"),
    [("https://room.example", {}), ("http://room.example", {"x-forwarded-proto": "https"})],
)
def test_by_https_the_cookie_stays_there(address: str, headers: dict[str, str]) -> None:
    assert client(address).get("/", headers=headers).headers["set-cookie"].endswith("; Secure")


def test_the_secret_is_its_owners_alone_and_stays(tmp_path: Path) -> None:
    secret = stored_secret(tmp_path / "data")
    assert len(secret) == 64 and stored_secret(tmp_path / "data") == secret
    assert [path.name for path in (tmp_path / "data").iterdir()] == [SECRET_FILE]
    assert stat.S_IMODE((tmp_path / "data" / SECRET_FILE).stat().st_mode) == 0o600


def test_processes_that_start_at_once_agree_on_the_secret(tmp_path: Path) -> None:
    with multiprocessing.get_context("fork").Pool(4) as pool:
        assert len(set(pool.map(stored_secret, [tmp_path] * 16))) == 1


def test_without_a_place_for_it_or_with_an_empty_file_the_secret_is_of_chance(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert stored_secret(tmp_path / "file") != stored_secret(tmp_path / "file")
    (tmp_path / SECRET_FILE).write_text("")
    assert len(stored_secret(tmp_path)) == 64


def test_a_secret_that_can_be_guessed_is_refused() -> None:
    assert given_secret({}) == "" and given_secret({"PLAYGROUND_SECRET": "x" * 32}) == "x" * 32
    with pytest.raises(BadInput, match="PLAYGROUND_SECRET is too short"):
        given_secret({"PLAYGROUND_SECRET": "room"})
