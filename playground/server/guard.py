"""An ASGI middleware that refuses strangers' requests and tells browsers what a page of ours may do.

Three dangers, all of a server that listens on a reader's own machine: a foreign page that shows ours in a frame or opens a
websocket to it (Origin, frame-ancestors), a foreign name that is made to point here (Host, "DNS rebinding"), and what the
server tells of itself (Streamlit's metrics). Must not know streamlit.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocketDisconnected

HOSTS_VARIABLE = "PLAYGROUND_HOSTS"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
ANY_HOST = "*"
PRIVATE_PATHS = ("/_stcore/metrics",)
ANY_HOST_PATHS = frozenset({"/healthz", "/readyz", "/metrics"})  # of status.py, which looks itself at who asks


def allowed_hosts(environment: Mapping[str, str]) -> frozenset[str]:
    """The host names this server answers to: those of the loopback, and PLAYGROUND_HOSTS (commas between; ``*``: any)."""
    added = (name.strip().lower().rstrip(".") for name in environment.get(HOSTS_VARIABLE, "").split(","))
    return LOOPBACK | {name for name in added if name}


def host_name(authority: str) -> str | None:
    """The name in a ``Host`` header, without its port, in lower case. None where it is no host: ``[::1]:8501`` -> ``::1``."""
    try:
        parts = urlsplit(f"//{authority}")
        _ = parts.port  # raises on a port that is no number
    except ValueError:
        return None
    if parts.netloc != authority or "@" in authority or parts.hostname is None:
        return None
    return parts.hostname.rstrip(".")


def content_policy(page: str) -> str:
    """The Content-Security-Policy for Streamlit's page, of which ``page`` is the HTML.

    Its inline scripts are allowed by their hashes (CSP level 3). ``blob:`` is how components v2 load a script that Python has
    sent; inline styles are how emotion, plotly and those components style.
    """
    inline = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline]
    scripts = " ".join(["'self'", "blob:", *(f"'sha256-{digest}'" for digest in hashes)])
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


class Guard:
    """Checks Host, Origin and path of each request and websocket, and puts the security headers on each answer."""

    def __init__(self, app: ASGIApp, *, hosts: frozenset[str], policy: str) -> None:
        self._app = app
        self._hosts = hosts
        self._headers = {
            "Content-Security-Policy": policy,
            "X-Frame-Options": "DENY",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",  # a link carries the reader's prompt
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers.setdefault("Cache-Control", "no-store")  # what says nothing of it may be one reader's own
            await send(message)

        refused = self._refused(str(scope["path"]), Headers(scope=scope))
        with suppress(WebSocketDisconnected):  # Streamlit closes a connection once more that it has closed
            await (refused or self._app)(scope, receive, send_guarded)

    def _refused(self, path: str, headers: Headers) -> PlainTextResponse | None:
        """The answer to a request that is not let through: 400 a foreign Host, 403 a foreign Origin, 404 a private path."""
        if path in ANY_HOST_PATHS:
            return None
        host, origin = headers.get("host", ""), headers.get("origin")
        name = host_name(host)
        if name is None or not (name in self._hosts or ANY_HOST in self._hosts):
            return PlainTextResponse(
                f"This server does not answer to that host name: name it in {HOSTS_VARIABLE}.", 400
            )
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return PlainTextResponse("Another site's page may not use this server: open its own address.", 403)
        if path.rstrip("/").endswith(PRIVATE_PATHS):
            return PlainTextResponse("Not Found", 404)
        return None
