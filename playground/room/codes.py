"""What opens a room: a short code to join it, a secret to lead it, and how often a stranger may try either.

The code is read from a wall and typed by thumb: six of eighteen letters and digits, none of which looks like another, and no
vowels, so that no word comes out. That is 25 bits, which would be little without the limit of ``Attempts``. The leader's
secret has 128 bits. It is not stored: it is made of the server's own secret and the room's id, so the link holds after a restart.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from base64 import urlsafe_b64encode

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from playground.errors import LimitReached

ALPHABET = "CDFHJKMNPRTWX34679"
CODE_LENGTH = 6
_SECRET_BYTES = 16


def new_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH))


def read_code(typed: str) -> str:
    """A code as typed, without case, width, spaces and dashes; "" for what cannot be one.

    >>> read_code(" cdf-347 ")
    'CDF347'
    """
    if len(typed) > 100:
        return ""
    plain = unicodedata.normalize("NFKC", typed).upper()
    code = "".join(letter for letter in plain if not letter.isspace() and letter not in "-–_.·")
    return code if len(code) == CODE_LENGTH and set(code) <= set(ALPHABET) else ""


def shown_code(code: str) -> str:
    """In two halves, as it is read aloud: ``CDF 347``."""
    return f"{code[: CODE_LENGTH // 2]} {code[CODE_LENGTH // 2 :]}"


def is_same(given: str, right: str) -> bool:
    """In a time that tells nothing of how far they agree. What is no ASCII is never right."""
    return given.isascii() and right != "" and hmac.compare_digest(given.encode(), right.encode())


def leader_secret(server_secret: str, room: str) -> str:
    """What the leader's link of a room carries: 128 bits in 22 letters."""
    digest = hmac.new(server_secret.encode(), f"leads room {room}".encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest[:_SECRET_BYTES]).rstrip(b"=").decode()


class Attempts:
    """What may be tried so often a minute, by visitor and by address: cookies cost nothing, and thirty may share an address."""

    def __init__(self, refusal: str, *, of_visitor: int, of_address: int) -> None:
        """``refusal``: the sentence for who tries too often."""
        self._limiter, self._refusal = MovingWindowRateLimiter(MemoryStorage()), refusal
        self._bounds = (RateLimitItemPerMinute(of_visitor), RateLimitItemPerMinute(of_address))

    def check(self, visitor: str, address: str) -> None:
        """Raises LimitReached for who has tried too often of late; what is right does not help then."""
        if not all(self._limiter.test(bound, *who) for bound, who in self._parties(visitor, address)):
            raise LimitReached(self._refusal)

    def note(self, visitor: str, address: str) -> None:
        """One of those that count."""
        for bound, who in self._parties(visitor, address):
            self._limiter.hit(bound, *who)

    def _parties(self, visitor: str, address: str) -> list[tuple[RateLimitItemPerMinute, tuple[str, str]]]:
        visitors, addresses = self._bounds
        return [(visitors, ("visitor", visitor)), (addresses, ("address", address))]


def wrong_codes(*, of_visitor: int = 6, of_address: int = 40) -> Attempts:
    """Those that are wrong count."""
    refusal = "Too many wrong codes from here: wait a minute, then type the code from the wall."
    return Attempts(refusal, of_visitor=of_visitor, of_address=of_address)


def changes_of_place(*, of_visitor: int = 30, of_address: int = 600) -> Attempts:
    """Joining and renaming: all count, since each is told to the wall."""
    refusal = "Too many changes from here: wait a minute, then try again."
    return Attempts(refusal, of_visitor=of_visitor, of_address=of_address)
