"""What goes wrong with a server, as one sentence with a next step. A key never stands in one."""

from __future__ import annotations

import ssl

import httpx2
import orjson

from playground.errors import ServerError
from playground.models.address import KEY_VARIABLE, ServerAddress

_TEMPORARY = {429, 502, 503, 504}
_SHOWN = 160


class TemporaryError(ServerError):
    """One that may be gone at the next try. ``retry_after_s``: how long the server asks to wait, 0 where it does not."""

    def __init__(self, message: str, status: int | None = None, retry_after_s: float = 0.0) -> None:
        super().__init__(message, status)
        self.retry_after_s = retry_after_s


def refusal(response: httpx2.Response, body: bytes, address: ServerAddress, key: str | None) -> ServerError:
    """The error for an answer that is not 200. ``body``: the beginning of its body."""
    status, at = response.status_code, f"The server at {address.base}"
    message = server_message(body, key)
    quoted = f": {message}" if message else ""
    if 300 <= status < 400:
        return ServerError(f"{at} sends on to another address, which is not followed: give the final address.", status)
    if status in (401, 403):  # what it says may repeat the key
        advice = f"set {KEY_VARIABLE} to one that it takes" if key is None else f"check {KEY_VARIABLE}"
        return ServerError(f"{at} asks for a key or refuses the one it was given ({status}): {advice}.", status)
    if status == 404:
        return ServerError(
            f"{at} does not know what it was asked for (404{quoted}): check the address, which mostly ends in /v1, and the "
            "model's name after #.",
            status,
        )
    if status in _TEMPORARY:
        asked = response.headers.get("Retry-After", "")
        wait = float(asked) if asked.isdigit() and len(asked) < 6 else 0.0
        busy = "has too many requests" if status == 429 else "cannot answer at present"
        return TemporaryError(f"{at} {busy} ({status}{quoted}): wait a little and try again.", status, wait)
    if status < 500:
        return ServerError(f"{at} refuses the request ({status}{quoted}): change it, or choose another model.", status)
    return ServerError(f"{at} failed ({status}{quoted}): look at its own log, or choose another model.", status)


def server_message(body: bytes, key: str | None) -> str:
    """What the server says of its refusal, printable, short and without the key; "" where that cannot be read."""
    try:
        parsed = orjson.loads(body)
    except ValueError:
        return ""
    for name in ("error", "message", "detail"):
        if isinstance(parsed, dict) and name in parsed:
            parsed = parsed[name]
    if isinstance(parsed, dict):
        parsed = parsed.get("message", "")
    text = parsed if isinstance(parsed, str) else ""
    text = text.replace(key, "[key]") if key else text
    line = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(line.split()).rstrip(".")
    return line if len(line) <= _SHOWN else line[: _SHOWN - 1] + "…"


def failure_sentence(error: Exception, address: ServerAddress) -> ServerError:
    """The error for a request that got no (whole) answer."""
    at = f"the server at {address.base}"
    if _caused_by(error, ssl.SSLError):
        return ServerError(
            f"No safe connection to {at}: its certificate is not trusted here, or it speaks no TLS. Use the name in its "
            "certificate, or http:// in a network of your own."
        )
    if isinstance(error, httpx2.ConnectTimeout | httpx2.ConnectError):
        return TemporaryError(f"There is no answer from {at}: start it, or check host and port.")
    if isinstance(error, httpx2.TimeoutException):
        return ServerError(f"{at[0].upper()}{at[1:]} has not gone on for too long: try again, or ask for less.")
    return TemporaryError(f"{at[0].upper()}{at[1:]} went away in the middle of an answer: try again once it is there.")


def too_large(address: ServerAddress, limit: int) -> ServerError:
    return ServerError(
        f"The server at {address.base} sends more than the {limit / 2**20:,.0f} MiB that such an answer can have: it is not "
        "read; choose another model."
    )


def gave_up(address: ServerAddress) -> ServerError:
    return ServerError(f"The server at {address.base} gave up in the middle of a text: try again, or ask for less.")


def ended_silently(address: ServerAddress) -> ServerError:
    return ServerError(f"The server at {address.base} ended a text without saying so: try again once it is there.")


def unusable(address: ServerAddress, what: str) -> ServerError:
    """The error for an answer that came whole and cannot be used. ``what`` goes on after "The server at …"."""
    return ServerError(f"The server at {address.base} {what}: choose another model, or another version of the server.")


def _caused_by(error: BaseException | None, kind: type[BaseException]) -> bool:
    while error is not None:
        if isinstance(error, kind):
            return True
        error = error.__cause__ or error.__context__
    return False
