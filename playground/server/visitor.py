"""Who a browser is: an ASGI middleware that gives each a signed cookie, and the secret that signs it.

A visitor is a browser, not a person: nothing is asked, and the name says nothing of who it is. The cookie is signed, so
nobody makes up another's name; one that is not ours (tampered with, or signed with a secret that is gone) is replaced by a new
identity. Whatever comes after finds a valid cookie in the request's headers, of a new browser too. Must not know streamlit.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from itsdangerous import BadSignature, Signer
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from playground.errors import BadInput

COOKIE = "playground_visitor"
SECRET_VARIABLE = "PLAYGROUND_SECRET"
SECRET_FILE = "visitor-secret"
KEPT_S = 400 * 24 * 3600  # browsers keep no cookie longer
_SECRET_BYTES = 32


class VisitorCookies:
    """Makes and reads the cookie: 32 hexadecimal digits of chance, a dot, and their HMAC-SHA-256."""

    def __init__(self, secret: str) -> None:
        self._signer = Signer(secret, salt="playground-visitor", digest_method=hashlib.sha256)

    def make(self, visitor: str) -> str:
        return self._signer.sign(visitor).decode()

    def read(self, cookie: str) -> str:
        """The visitor a cookie names; "" where it is not signed by this secret."""
        try:
            return self._signer.unsign(cookie).decode()
        except (BadSignature, UnicodeError):
            return ""


def new_visitor() -> str:
    return secrets.token_hex(16)


def given_secret(environment: Mapping[str, str]) -> str:
    """PLAYGROUND_SECRET, which replicas share; "" where none is given. Raises BadInput on one that can be guessed."""
    given = environment.get(SECRET_VARIABLE, "")
    if given and len(given) < _SECRET_BYTES:
        raise BadInput(f"{SECRET_VARIABLE} is too short to keep: give at least {_SECRET_BYTES} characters of chance.")
    return given


def stored_secret(folder: Path) -> str:
    """The secret in ``folder``, which only its owner may read (0600); made by the first process that asks.

    Where nothing can be stored a new one: then visitors are known until this process ends. Several that start at once agree:
    a file gets its name when it is whole, and the first one stays.
    """
    path = folder / SECRET_FILE
    with suppress(OSError):
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{SECRET_FILE}")  # 0600
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(secrets.token_hex(_SECRET_BYTES))
            with suppress(FileExistsError):
                os.link(temporary, path)
            os.unlink(temporary)
        secret = path.read_text(encoding="ascii", errors="replace").strip()
        if len(secret) >= _SECRET_BYTES:  # an empty file would let anyone sign
            return secret
    return secrets.token_hex(_SECRET_BYTES)


class Visitor:
    """Puts a valid cookie on each request and websocket; a browser gets it with the page, or with the websocket's handshake.

    Never with a script or a picture: those may be cached by a proxy and given to others. ``scope["visitor"]`` is the name.
    """

    def __init__(self, app: ASGIApp, *, cookies: Callable[[], VisitorCookies]) -> None:
        self._app = app
        self._cookies = cookies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        cookies = self._cookies()
        visitor = cookies.read(HTTPConnection(scope).cookies.get(COOKIE, ""))
        if visitor:
            await self._app({**scope, "visitor": visitor}, receive, send)
            return
        visitor = new_visitor()
        cookie = cookies.make(visitor)
        header = f"{COOKIE}={cookie}; Path=/; Max-Age={KEPT_S}; HttpOnly; SameSite=Lax{'; Secure' if _by_https(scope) else ''}"

        async def send_cookie(message: Message) -> None:
            if _may_carry(message):
                headers = MutableHeaders(scope=message)
                headers.append("Set-Cookie", header)
                headers["Cache-Control"] = "no-store"
            await send(message)

        await self._app({**_with_cookie(scope, cookie), "visitor": visitor}, receive, send_cookie)


def _may_carry(message: Message) -> bool:
    if message["type"] == "websocket.accept":
        message.setdefault("headers", [])
        return True
    return message["type"] == "http.response.start" and Headers(raw=message["headers"]).get(
        "content-type", ""
    ).startswith("text/html")


def _by_https(scope: Scope) -> bool:
    """Whether the browser speaks TLS, here or to the proxy before. Who only says so harms nobody but itself."""
    return scope["scheme"] in ("https", "wss") or Headers(scope=scope).get("x-forwarded-proto") == "https"


def _with_cookie(scope: Scope, cookie: str) -> Scope:
    """The request as if the browser had sent the new cookie; a foreign one of the same name is gone."""
    sent = "; ".join(Headers(scope=scope).getlist("cookie")).split(";")
    others = [pair.strip() for pair in sent if pair.strip() and pair.partition("=")[0].strip() != COOKIE]
    value = "; ".join([*others, f"{COOKIE}={cookie}"]).encode("latin-1")
    headers = [(name, text) for name, text in scope["headers"] if name != b"cookie"]
    return {**scope, "headers": [*headers, (b"cookie", value)]}
