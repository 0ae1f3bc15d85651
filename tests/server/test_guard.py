"""The guard on a small Starlette app, through Starlette's own test client."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import tomllib
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from playground.server.guard import LOOPBACK, Guard, allowed_hosts, content_policy, host_name

POLICY = content_policy("<script>let a = 1</script><script type=module src=x></script>")
HEADERS = (
    "content-security-policy",
    "x-frame-options",
    "x-content-type-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "permissions-policy",
)


async def hello(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


def client(hosts: frozenset[str] = LOOPBACK) -> TestClient:
    routes = [Route("/", hello), Route("/_stcore/metrics", hello), WebSocketRoute("/stream", stream)]
    app = Starlette(routes=routes, middleware=[Middleware(Guard, hosts=hosts, policy=POLICY)])
    return TestClient(app, base_url="http://localhost:8501")


def test_unless_it_is_told_otherwise_a_server_is_for_this_machine_alone() -> None:
    root = Path(__file__).resolve().parents[2]
    server = tomllib.loads((root / ".streamlit/config.toml").read_text(encoding="utf-8"))["server"]
    assert (server["address"], server["enableCORS"], server["enableXsrfProtection"]) == ("localhost", True, True)
    assert "--server.address" not in (root / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("host", ["localhost:8501", "LOCALHOST", "localhost.", "127.0.0.1:1", "[::1]:8501", "[::1]"])
def test_the_loopback_by_any_of_its_names_is_served(host: str) -> None:
    assert client().get("/", headers={"host": host}).text == "hello"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8501",
        "localhost.evil.example",
        "evil.example@localhost",
        "localhost:x",
        "",
        "[::1",
        "a/b",
    ],
)
def test_a_foreign_or_broken_host_is_refused(host: str) -> None:
    answer = client().get("/", headers={"host": host})
    assert answer.status_code == 400
    assert "PLAYGROUND_HOSTS" in answer.text


def test_hosts_are_added_by_the_environment() -> None:
    hosts = allowed_hosts({"PLAYGROUND_HOSTS": "Room.example, 192.0.2.7 ,"})
    assert hosts == LOOPBACK | {"room.example", "192.0.2.7"}
    assert allowed_hosts({}) == LOOPBACK
    for name in ("room.example:80", "192.0.2.7", "localhost"):
        assert client(hosts).get("/", headers={"host": name}).status_code == 200
    assert client(hosts).get("/", headers={"host": "evil.example"}).status_code == 400
    assert client(allowed_hosts({"PLAYGROUND_HOSTS": "*"})).get("/", headers={"host": "x.example"}).status_code == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://localhost:3000", "http://localhost", "nonsense"]
)
def test_a_foreign_origin_is_refused(origin: str) -> None:
    headers = {"host": "localhost:8501", "origin": origin}
    assert client().get("/", headers=headers).status_code == 403
    with pytest.raises(WebSocketDenialResponse) as refused, client().websocket_connect("/stream", headers=headers):
        pass
    assert refused.value.status_code == 403


def test_its_own_pages_and_tools_without_an_origin_get_their_websocket() -> None:
    for headers in ({}, {"origin": "http://localhost:8501"}, {"origin": "https://localhost:8501"}):
        with client().websocket_connect("/stream", headers={"host": "localhost:8501", **headers}) as socket:
            assert socket.receive_text() == "hello"


@pytest.mark.parametrize("path", ["/_stcore/metrics", "/_stcore/metrics/", "/base/_stcore/metrics"])
def test_metrics_are_not_there(path: str) -> None:
    assert client().get(path).status_code == 404


def test_every_answer_has_the_headers() -> None:
    answers = [
        client().get("/"),
        client().get("/nothing"),
        client().get("/_stcore/metrics"),
        client().get("/", headers={"host": "evil.example"}),
        client().get("/", headers={"origin": "null"}),
    ]
    assert [answer.status_code for answer in answers] == [200, 404, 404, 400, 403]
    for answer in answers:
        assert all(answer.headers.get_list(name) and len(answer.headers.get_list(name)) == 1 for name in HEADERS)
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_policy_allows_the_page_s_inline_script_by_its_hash_alone() -> None:
    digest = base64.b64encode(hashlib.sha256(b"let a = 1").digest()).decode()
    scripts = next(part for part in POLICY.split("; ") if part.startswith("script-src "))
    assert scripts.split() == ["script-src", "'self'", "blob:", f"'sha256-{digest}'"]
    assert "frame-ancestors 'none'" in POLICY and "unsafe-eval" not in POLICY


@pytest.mark.parametrize(
    ("authority", "name"),
    [("A.example:80", "a.example"), ("[::1]:8501", "::1"), ("", None), ("a:99999", None), ("a?b", None)],
)
def test_host_name(authority: str, name: str | None) -> None:
    assert host_name(authority) == name


def test_a_connection_that_is_closed_twice_is_no_failure() -> None:
    async def closes_twice(scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        await socket.accept()
        await socket.close()
        await socket.close()

    sent: list[Message] = []

    async def connect() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {"type": "websocket", "path": "/stream", "headers": [(b"host", b"localhost:8501")]}
    asyncio.run(Guard(closes_twice, hosts=LOOPBACK, policy=POLICY)(scope, connect, send))
    assert [message["type"] for message in sent] == ["websocket.accept", "websocket.close"]
