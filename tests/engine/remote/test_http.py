"""Every way a server fails is one sentence, a key goes nowhere else, and who does not wait any more is gone at once."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from playground.engine.api import CancelToken
from playground.engine.remote import http
from playground.engine.remote.http import ATTEMPTS, ServerClient
from playground.errors import Cancelled, ServerError
from playground.models.address import parse_address
from tests.engine.remote.standin import Asked, Reply, Route, StandIn, running

KEY = "sk-hunter2"


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_LONGEST_WAIT_S", 0.01)


def fixed(body: object, status: int = 200, **headers: str) -> Route:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda asked: Reply(body, status, named)


def ask(route: Route, *, key: str | None = KEY, limit: int = 1000) -> tuple[object, StandIn]:
    with running({"/page": route}) as server, closing(ServerClient(parse_address(server.base), key)) as client:
        return client.ask(client.address.root + "/page", {"a": 1}, limit=limit), server


def refused(route: Route, *, key: str | None = KEY, limit: int = 1000) -> str:
    with pytest.raises(ServerError) as error:
        ask(route, key=key, limit=limit)
    text = str(error.value)
    assert KEY not in text and text.endswith(".") and text.isprintable() and ": " in text
    return text


def test_a_request_and_its_answer() -> None:
    answer, server = ask(fixed({"b": [1, "é"]}))
    assert answer == {"b": [1, "é"]}
    (asked,) = server.asked
    assert (asked.method, asked.body, asked.headers["Authorization"]) == ("POST", {"a": 1}, f"Bearer {KEY}")


def test_without_a_key_none_is_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    _answer, server = ask(fixed({}), key=None)
    assert "Authorization" not in server.asked[0].headers


def test_connections_are_used_again() -> None:
    ports = set()

    def route(asked: Asked) -> Reply:
        ports.add(threading.get_ident())
        return Reply({})

    with running({"/page": route}) as server, closing(ServerClient(parse_address(server.base))) as client:
        for _ in range(3):
            client.ask(client.address.root + "/page")
    assert len(ports) == 1  # the server has a thread for each connection


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (400, "refuses the request (400: too long a prompt): change it"),
        (401, "asks for a key or refuses the one it was given (401): check PLAYGROUND_API_KEY"),
        (403, "(403): check PLAYGROUND_API_KEY"),
        (404, "does not know what it was asked for (404: too long a prompt): check the address"),
        (429, "has too many requests (429: too long a prompt): wait a little"),
        (500, "failed (500: too long a prompt): look at its own log"),
        (503, "cannot answer at present (503: too long a prompt): wait a little"),
    ],
)
def test_a_status_is_a_sentence(status: int, says: str) -> None:
    assert says in refused(fixed({"error": {"message": "too long\n a prompt."}}, status))


def test_what_a_server_says_is_short_and_without_the_key() -> None:
    said = refused(fixed({"error": f"{KEY} <b>\x1b[31m" + "x" * 5000}, 400))
    assert "[key] <b> [31mxxx" in said and len(said) < 400
    assert "(500)" in refused(fixed(b"\xff not json", 500))
    assert "set PLAYGROUND_API_KEY to one" in refused(fixed({}, 401), key=None)


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_may_pass_is_tried_again(status: int) -> None:
    left = [status, status, 200]
    answer, server = ask(lambda asked: Reply({"done": True}, left.pop(0), {"Retry-After": "1"}))
    assert answer == {"done": True} and len(server.asked) == 3


@pytest.mark.parametrize(("status", "tries"), [(503, ATTEMPTS), (500, 1), (401, 1), (404, 1)])
def test_tries_end(status: int, tries: int) -> None:
    count = 0

    def route(asked: Asked) -> Reply:
        nonlocal count
        count += 1
        return Reply({}, status)

    refused(route)
    assert count == tries


def test_a_redirect_is_not_followed() -> None:
    with running({"/page": fixed({})}) as other:
        elsewhere = other.base.replace("/v1", "/page")
        assert "sends on to another address" in refused(fixed({}, 307, Location=elsewhere))
    assert not other.asked


def test_what_is_no_json_is_said() -> None:
    assert "not JSON" in refused(fixed(b"<html>hello</html>"))
    assert "not JSON" in refused(fixed(b'{"a": [1, 2'))
    assert "not JSON" in refused(fixed(b"[" * 100_000, 200), limit=200_000)


def test_too_large_an_answer_is_not_read() -> None:
    assert "sends more than" in refused(fixed(b"{}", Content_Length=str(10**9)))
    sent = 0

    def endless(asked: Asked) -> Reply:
        def parts() -> Iterator[bytes]:
            nonlocal sent
            while True:
                sent += 65536
                yield b"x" * 65536

        return Reply(parts())

    assert "sends more than" in refused(endless)
    assert sent < 2**27  # what the socket's buffers hold


def test_a_packed_answer_is_not_unpacked() -> None:
    assert "not JSON" in refused(fixed(b"\x1f\x8b packed", Content_Encoding="gzip"))


def test_a_server_that_is_not_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = ServerClient(parse_address(f"http://127.0.0.1:{port}"))
    with pytest.raises(ServerError, match="There is no answer from .* start it"):
        client.ask(client.address.root + "/page")


def cut_off(asked: Asked) -> Reply:
    return Reply(iter([b"{}"]), headers={"Content-Length": "100"})


def test_a_server_that_goes_away_in_the_middle() -> None:
    assert "went away in the middle" in refused(cut_off)


def test_no_tls_where_it_was_asked_for() -> None:
    with running({}) as server:
        client = ServerClient(parse_address(server.base.replace("http", "https")))
        with pytest.raises(ServerError, match="No safe connection"):
            client.ask(client.address.root + "/page")


def test_silence_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "SILENCE_S", 0.1)
    over = threading.Event()
    try:
        assert "not gone on for too long" in refused(lambda asked: Reply({} if over.wait(20) else {}))
    finally:
        over.set()


@pytest.mark.parametrize("begun", [False, True])
def test_a_cancelled_request_ends_at_once_and_closes_the_connection(begun: bool) -> None:
    """Before the first byte of the answer, when the server still thinks, and in its middle."""
    cancel, asked_for, over = CancelToken(), threading.Event(), threading.Event()

    def route(asked: Asked) -> Reply:
        def parts() -> Iterator[bytes]:
            yield b"begin"
            while not over.wait(0.01):
                yield b"."

        if begun:
            return Reply(parts())
        asked_for.set()
        over.wait(20)
        return Reply(iter([b"x"] * 100_000))

    with running({"/page": route}) as server, closing(ServerClient(parse_address(server.base))) as client:
        started = time.perf_counter()

        def leave() -> None:
            asked_for.wait(0.2 if begun else 5)
            cancel.cancel()

        threading.Thread(target=leave).start()
        with pytest.raises(Cancelled):
            client.ask(client.address.root + "/page", cancel=cancel)
        assert time.perf_counter() - started < 3
        if not begun:
            over.set()
        assert server.cut.wait(5), "the server goes on"
        over.set()


def test_who_leaves_a_stream_closes_its_connection() -> None:
    def route(asked: Asked) -> Reply:
        return Reply(iter([b"part"] * 10_000_000))

    with running({"/page": route}) as server, closing(ServerClient(parse_address(server.base))) as client:
        stream = client.stream(client.address.root + "/page", limit=10**9)
        assert next(stream).startswith(b"part")
        stream.close()
        assert server.cut.wait(5)


def test_a_client_recovers_when_its_server_does() -> None:
    with running({"/page": fixed({"run": 1})}) as first, closing(ServerClient(parse_address(first.base))) as client:
        assert client.ask(client.address.root + "/page") == {"run": 1}
        first.routes["/page"] = cut_off
        with pytest.raises(ServerError):
            client.ask(client.address.root + "/page")
        first.routes["/page"] = fixed({"run": 2})
        assert client.ask(client.address.root + "/page") == {"run": 2}


def test_a_certificate_that_is_not_trusted() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("self_signed.pem"))
    with running({"/page": fixed({"secret": 1})}) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        client = ServerClient(
            parse_address(server.base.replace("http", "https").replace("127.0.0.1", "localhost")), KEY
        )
        with pytest.raises(ServerError, match="its certificate is not trusted here") as refused:
            client.ask(client.address.root + "/page")
        assert KEY not in str(refused.value) and not server.asked
