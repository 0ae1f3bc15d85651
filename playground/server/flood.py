"""An ASGI middleware that bounds what one client asks of a shared server, before any page runs.

A visitor and an address have a rate of requests and of new connections, and so many connections open at a time; what is over
is refused with 429 and a sentence. A connection that sends faster than hands do is read no faster than a bound, so that it
waits for itself, and ended where it goes on. An address may be a whole room behind one router: its bounds are wide. Comes
after ``Visitor``, which says who asks. Must not know streamlit beyond the paths of its uploads.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from limits import RateLimitItem, RateLimitItemPerMinute, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

UPLOADS = "/_stcore/upload_file/"  # and then the session's id
_PAUSE_S = 0.05
MOST_PAUSED_S = (
    3.0  # in the life of a connection: what it has sent meanwhile lies in buffers and has to be read to its end
)


@dataclass(frozen=True, slots=True)
class Rates:
    """``messages``: of one connection. A browser asks for 111 files with its first page, then for few."""

    visitor_requests: RateLimitItem = RateLimitItemPerMinute(1_200)
    address_requests: RateLimitItem = RateLimitItemPerMinute(9_000)
    visitor_connections: RateLimitItem = RateLimitItemPerMinute(60)
    address_connections: RateLimitItem = RateLimitItemPerMinute(900)
    messages: RateLimitItem = RateLimitItemPerSecond(120)


class QuietRefusals(logging.Filter):
    """For uvicorn's log, which takes a connection that was refused with an answer for one without: a line each."""

    def filter(self, record: logging.LogRecord) -> bool:
        return "without completing handshake" not in record.getMessage()


class Flood:
    """``visitor_tabs(visitor)`` and ``address_tabs()``: connections open at a time. ``may_upload(session)``: are files taken."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        visitor_tabs: Callable[[str], int],
        address_tabs: Callable[[], int],
        may_upload: Callable[[str], bool],
        rates: Rates | None = None,
    ) -> None:
        self._app = app
        self._visitor_tabs, self._address_tabs, self._may_upload = visitor_tabs, address_tabs, may_upload
        self._rates = rates or Rates()
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._open: Counter[str] = Counter()
        self._numbers = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await (await self._refused_request(scope) or self._app)(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._connect(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    # -- requests ------------------------------------------------------------------------------------------------------

    async def _refused_request(self, scope: Scope) -> PlainTextResponse | None:
        _, uploads, rest = str(scope["path"]).partition(UPLOADS)
        if (
            uploads
            and scope["method"] == "PUT"
            and not await run_in_threadpool(self._may_upload, rest.partition("/")[0])
        ):
            return PlainTextResponse("This shared server takes no files.", 403)
        rates = self._rates
        return self._over(scope, rates.visitor_requests, rates.address_requests, "requests")

    def _over(
        self, scope: Scope, visitor: RateLimitItem, address: RateLimitItem, what: str
    ) -> PlainTextResponse | None:
        for rate, who, name in ((address, "address", address_of(scope)), (visitor, "visitor", scope["visitor"])):
            if not self._limiter.hit(rate, what, who, name):
                return _too_many(f"{rate.amount:,} {what} a minute of one {who}: wait a moment")
        return None

    # -- connections ---------------------------------------------------------------------------------------------------

    async def _connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        rates, visitor = self._rates, str(scope["visitor"])
        tabs = await run_in_threadpool(self._visitor_tabs, visitor)  # who leads, the store may have to say
        refused = self._over(scope, rates.visitor_connections, rates.address_connections, "connections")
        names = {
            f"visitor {visitor}": tabs,
            f"address {address_of(scope)}": self._address_tabs(),
        }
        for name, most in names.items():
            if refused is None and self._open[name] >= most:
                refused = _too_many(f"{most:,} connections of one {name.partition(' ')[0]}: close a tab")
        if refused is not None:
            await refused(scope, receive, send)
            return
        self._numbers += 1
        paced = _Paced(receive, send, partial(self._limiter.hit, rates.messages, str(self._numbers)))
        self._open.update(names.keys())
        try:
            await self._app(scope, paced.receive, paced.send)
        finally:
            self._open.subtract(names.keys())
            self._open += Counter()  # without those that have none left


class _Paced:
    """A connection that is read at a pace, and ended where it goes on sending faster. After its end nothing is sent."""

    def __init__(self, receive: Receive, send: Send, in_time: Callable[[], bool]) -> None:
        self._receive, self._send, self._in_time = receive, send, in_time
        self._paused, self._over = 0, False

    async def receive(self) -> Message:
        while not self._in_time():
            self._paused += 1
            if self._paused * _PAUSE_S > MOST_PAUSED_S:
                await self.send({"type": "websocket.close", "code": 1008, "reason": "Too many messages."})
                return {"type": "websocket.disconnect", "code": 1008}
            await asyncio.sleep(_PAUSE_S)
        message = await self._receive()
        self._over = self._over or message["type"] == "websocket.disconnect"
        return message

    async def send(self, message: Message) -> None:
        if not self._over:
            self._over = message["type"] == "websocket.close"
            await self._send(message)


def address_of(scope: Scope) -> str:
    """Where the client is, by its network of version 6, of which each house has many addresses."""
    host = str((scope.get("client") or ("unknown", 0))[0])
    try:
        parsed = ipaddress.ip_address(host)
    except ValueError:
        return host
    return host if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))


def _too_many(bound: str) -> PlainTextResponse:
    return PlainTextResponse(
        f"This shared server takes at most {bound}, then load the page again.", 429, {"Retry-After": "20"}
    )
