"""Requests to one server: their time, size and number bounded, every failure one sentence, a cancelled one cut off at once.

Knows no engine and no meaning of an answer. Redirects are not followed: what is allowed is one address. Neither proxies nor
passwords are taken from the surroundings (netrc), so a key goes to its server and nowhere else.
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import weakref
from collections.abc import Generator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx2
import orjson
import tenacity

from playground.engine.api import CancelToken
from playground.engine.remote.refusals import TemporaryError, failure_sentence, refusal, too_large
from playground.errors import ModelError, ServerError
from playground.json_reading import read_json
from playground.models.address import ServerAddress

CONNECT_S = 5.0
SILENCE_S = 120.0  # the longest pause in an answer: a long prompt is read in it
ANSWER_BYTES = 8 * 1024 * 1024
ATTEMPTS = 4
_POLL_S = 0.03  # how soon a cancelled request is noticed
_LONGEST_WAIT_S = 8.0
_REFUSAL_BYTES = 64 * 1024

Json = Mapping[str, object] | list[object]


class _Line:
    """One connection, used by one request at a time, that another thread can cut."""

    def __init__(self, context: ssl.SSLContext) -> None:
        timeout = httpx2.Timeout(SILENCE_S, connect=CONNECT_S)
        self.client = httpx2.Client(verify=context, timeout=timeout, trust_env=False, follow_redirects=False)
        self._stream: Any = None  # httpcore's network stream, which has no public type
        self._lock = threading.Lock()
        self._users = 0
        self.is_cut = False

    def taken(self) -> _Line:
        """Itself, for who reads the answer and who waits for it."""
        with self._lock:
            self._users = 2
        return self

    def leave(self) -> None:
        """One of the two is done with it; a connection that was cut is closed by the last."""
        with self._lock:
            self._users -= 1
            over = self.is_cut and self._users == 0
        if over:
            self.client.close()

    def note(self, event: str, facts: Mapping[str, Any]) -> None:
        """Remember the socket; a callback of httpcore. The one under TLS replaces the plain one."""
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            with self._lock:
                self._stream = facts["return_value"]
            if self.is_cut:
                self.cut()

    def cut(self) -> None:
        """End the connection, whatever is being waited for on it. From any thread."""
        with self._lock:
            self.is_cut = True
            stream = self._stream
        connection = stream.get_extra_info("socket") if stream is not None else None
        if connection is not None:
            with suppress(OSError):  # it has ended by itself
                connection.shutdown(socket.SHUT_RDWR)


@dataclass
class _Exchange:
    """One request on its way, and the parts of its answer as they come; the last is None or what went wrong."""

    line: _Line
    parts: queue.SimpleQueue[bytes | BaseException | None] = field(default_factory=queue.SimpleQueue)


class ServerClient:
    """Asks one server. Safe to call from any thread; each request has a connection of its own, kept for later ones."""

    def __init__(self, address: ServerAddress, key: str | None = None) -> None:
        """``key``: checked before (``address.key_for``)."""
        self.address = address
        self._key = key
        self._context = httpx2.create_ssl_context(trust_env=False)
        self._idle: list[_Line] = []
        self._lock = threading.Lock()
        self._closed = False
        weakref.finalize(self, _close_all, self._idle)  # a command ends without a word

    def ask(
        self, url: str, body: Json | None = None, *, cancel: CancelToken | None = None, limit: int = ANSWER_BYTES
    ) -> object:
        """The JSON that ``url`` answers: to a POST of ``body``, or to a GET. ``limit`` in bytes. Raises ServerError, Cancelled.

        What it says is a stranger's: ``reading.py`` looks at it.
        """
        with closing(self.stream(url, body, cancel=cancel, limit=limit)) as parts:
            return self.parse(b"".join(parts))

    def parse(self, data: bytes) -> object:
        """``data`` as JSON. NaN and infinities, which JSON does not have, are read: who needs a number refuses them."""
        with suppress(ValueError):
            return orjson.loads(data)
        try:
            return read_json(data)
        except ValueError:
            raise ServerError(
                f"The server at {self.address.base} answers something that is not JSON: check that the address is that of a "
                "model server."
            ) from None

    def stream(
        self, url: str, body: Json | None = None, *, cancel: CancelToken | None = None, limit: int = ANSWER_BYTES
    ) -> Generator[bytes, None, None]:
        """The same as bytes, while they come. Tried again where that may help, until the first byte is there."""
        token = cancel or CancelToken()
        parts, first = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(TemporaryError),
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=_pause,
            sleep=token.wait,
            reraise=True,
        )(self._begun, url, body, token, limit)
        with closing(parts):
            yield first
            yield from parts

    def _begun(
        self, url: str, body: Json | None, cancel: CancelToken, limit: int
    ) -> tuple[Generator[bytes, None, None], bytes]:
        parts = self._parts(url, body, cancel, limit)
        return parts, next(parts, b"")

    def _parts(self, url: str, body: Json | None, cancel: CancelToken, limit: int) -> Generator[bytes, None, None]:
        """One try. The answer is read on a thread of its own, so that a cancelled one need not wait for the server."""
        cancel.check()
        exchange = _Exchange(self._take_line())
        threading.Thread(
            target=self._read, args=(exchange, url, body, limit), name="server-answer", daemon=True
        ).start()
        ended = False
        try:
            while not ended:
                try:
                    part = exchange.parts.get(timeout=_POLL_S)
                except queue.Empty:
                    cancel.check()
                    continue
                ended = not isinstance(part, bytes)
                if isinstance(part, BaseException):
                    raise part
                cancel.check()
                if part is not None:
                    yield part
        finally:
            if ended:
                self._put_back(exchange.line)
            else:
                exchange.line.cut()
                exchange.line.leave()

    def _take_line(self) -> _Line:
        with self._lock:
            if self._closed:
                raise ModelError("The model was released: choose it again.")
            line = self._idle.pop() if self._idle else _Line(self._context)
        return line.taken()

    def _put_back(self, line: _Line) -> None:
        with self._lock:
            self._idle.append(line)
            if self._closed:
                _close_all(self._idle)

    def _read(self, exchange: _Exchange, url: str, body: Json | None, limit: int) -> None:
        """Put the answer's parts into the exchange; on a thread of its own, which must not end without a word."""
        ending: BaseException | None = None
        try:
            self._read_answer(exchange, url, body, limit)
        except ServerError as error:
            ending = error
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as error:
            ending = failure_sentence(error, self.address)
        except BaseException as error:
            ending = ServerError(f"The request to {self.address.base} ended in {type(error).__name__}: try again.")
        exchange.line.leave()
        exchange.parts.put(ending)

    def _read_answer(self, exchange: _Exchange, url: str, body: Json | None, limit: int) -> None:
        headers = {"Accept-Encoding": "identity", "Accept": "application/json, text/event-stream"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        if body is not None:
            headers["Content-Type"] = "application/json"
        with exchange.line.client.stream(
            "GET" if body is None else "POST",
            url,
            content=None if body is None else orjson.dumps(body),
            headers=headers,
            extensions={"trace": exchange.line.note},
        ) as response:
            if response.status_code != httpx2.codes.OK:
                error_body = b"".join(_bounded(response, _REFUSAL_BYTES, cut=True))
                raise refusal(response, error_body, self.address, self._key)
            announced = response.headers.get("Content-Length", "")
            if announced.isdigit() and int(announced) > limit:
                raise too_large(self.address, limit)
            for part in _bounded(response, limit, cut=False, address=self.address):
                exchange.parts.put(part)

    def close(self) -> None:
        """Close the connections; what is under way ends first, and nothing more can be asked."""
        with self._lock:
            self._closed = True
            _close_all(self._idle)


def _close_all(lines: list[_Line]) -> None:
    while lines:
        lines.pop().client.close()


def _bounded(
    response: httpx2.Response, limit: int, *, cut: bool, address: ServerAddress | None = None
) -> Generator[bytes, None, None]:
    """The body as sent, no more than ``limit`` bytes: what is beyond is left out, or refused unless ``cut``."""
    read = 0
    for part in response.iter_raw():
        read += len(part)
        if read > limit:
            if cut or address is None:
                return
            raise too_large(address, limit)
        yield part


def _pause(state: tenacity.RetryCallState) -> float:
    """Seconds before the next try: 0.3, 0.6, 1.2, with a little chance in it; or what the server asks for, within bounds."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after_s if isinstance(error, TemporaryError) else 0.0
    backoff: float = tenacity.wait_exponential_jitter(multiplier=0.3, max=_LONGEST_WAIT_S, jitter=0.2)(state)
    return min(max(backoff, asked), _LONGEST_WAIT_S)
