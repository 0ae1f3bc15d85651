"""A small server that answers what a test wants, and notes what it was asked. The standard library's, on a free port."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """``body``: bytes at once, parts one after the other, or what becomes JSON."""

    body: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Route = Callable[[Asked], Reply]


class StandIn(ThreadingHTTPServer):
    """``routes`` by path; anything else is 404. ``cut`` is set once a client has left in the middle of an answer."""

    daemon_threads = True

    def __init__(self, routes: Mapping[str, Route]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.routes = dict(routes)
        self.asked: list[Asked] = []
        self.cut = threading.Event()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is what some tests are about."""
        self.cut.set()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the second small write waits 40 ms for the first to be acknowledged
    server: StandIn

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: dict[str, Any]) -> None:
        asked = Asked(self.command, self.path, dict(self.headers), body)
        self.server.asked.append(asked)
        route = self.server.routes.get(self.path)
        reply = Reply({"error": {"message": "no such page"}}, 404) if route is None else route(asked)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if isinstance(reply.body, Iterator):
            self._send_parts(reply.body)
            return
        data = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        if "Content-Length" not in reply.headers:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _send_parts(self, parts: Iterable[bytes]) -> None:
        self.send_header("Connection", "close")
        self.close_connection = True
        self.end_headers()
        for part in parts:
            self.wfile.write(part)
            self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


@contextmanager
def running(routes: Mapping[str, Route]) -> Iterator[StandIn]:
    """The server, answering until the block ends."""
    server = StandIn(routes)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
