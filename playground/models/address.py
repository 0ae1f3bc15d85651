"""A model behind an address: ``http(s)://host:port/v1#name``, read and checked. Asks no network and knows no engine.

Who may use which address is decided here too. A visitor of a server app must not make it call an address of his own
choice: so what a link or the model picker names has to be allowed, and the key goes to addresses that the operator named.
"""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from playground.errors import BadInput, ModelRefused
from playground.models.wording import shown

SERVERS_VARIABLE = "PLAYGROUND_SERVERS"
KEY_VARIABLE = "PLAYGROUND_API_KEY"
API_PATH = "/v1"

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?")
_PATH = re.compile(r"(?:/[A-Za-z0-9._~-]+)*")
_LONGEST_NAME = 200
_FORM = "write it as http://host:port/v1, with #name for one model of several"


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """Where a server is and which of its models is meant. ``host`` in lower case, ``path`` without a slash at the end.

    ``model`` None: the one it serves, or the first it lists.
    """

    scheme: str
    host: str
    port: int
    path: str = API_PATH
    model: str | None = None

    @property
    def origin(self) -> str:
        """``http://host:port``, the port left out where it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")

    @property
    def base(self) -> str:
        """What OpenAI's clients call the base URL."""
        return self.origin + self.path

    @property
    def root(self) -> str:
        """The base without ``/v1``, where servers have their own paths (``/props``, ``/version``)."""
        return self.origin + self.path.removesuffix(API_PATH)

    @property
    def text(self) -> str:
        """The address as it is compared, shown and put into links."""
        return self.base + (f"#{self.model}" if self.model else "")

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine, by a literal address or as ``localhost``: other names may resolve to anything."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


@dataclass(frozen=True, slots=True)
class ServerAccess:
    """With what right servers are asked. ``anywhere``: who asks may name any address (the command line).

    ``key`` is in no representation, so in no log.
    """

    key: str | None = field(default=None, repr=False)
    anywhere: bool = False


def is_address(spec: str) -> bool:
    """Whether ``spec`` means a server and neither a name nor a path."""
    return spec.lower().startswith(("http://", "https://"))


def parse_address(spec: str) -> ServerAddress:
    """``spec`` checked and normalised: ``HTTP://Box:8080/v1/`` is ``http://box:8080/v1``; no path is ``/v1``.

    Raises BadInput for credentials, a query, and whatever is no plain address.
    """
    place = spec.partition("#")[0]
    if "@" in place:  # never repeated in the message: it may be shown, logged or shared
        raise BadInput(f"The address has a user name or password in it: leave it out and set {KEY_VARIABLE}.", "model")
    if any(character.isspace() or not character.isprintable() for character in place):
        raise BadInput(f"{shown(spec)} has blanks in its address: {_FORM}.", field="model")
    try:
        parts = urlsplit(spec)
        port = parts.port
    except ValueError:
        raise BadInput(f"{shown(spec)} is no address of a server: {_FORM}.", field="model") from None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or parts.query or "?" in place or port == 0:
        raise BadInput(f"{shown(spec)} is no address of a server: {_FORM}.", field="model")
    path = parts.path.rstrip("/") or API_PATH
    if not _PATH.fullmatch(path) or any(part in (".", "..") for part in path.split("/")):
        raise BadInput(f"{shown(spec)} has a path that no server has: {_FORM}.", field="model")
    name = parts.fragment.strip()
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadInput(f"The model's name after # can have {_LONGEST_NAME} printable characters.", field="model")
    return ServerAddress(scheme, _host(parts, spec), port or _PORTS[scheme], path, name or None)


def _host(parts: SplitResult, spec: str) -> str:
    host = (parts.hostname or "").rstrip(".")
    if ":" in host:  # version 6, which urlsplit has checked for brackets
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            host = ""
    if not _HOST.fullmatch(host) or ".." in host:
        raise BadInput(f"{shown(spec)} names no host: {_FORM}.", field="model")
    return host


def same_server(spec: str | None, first: str | None) -> bool:
    """Whether a key meant for ``first`` may be shown to ``spec``: both are one server, or ``first`` is none."""
    if not is_address(spec or "") or not is_address(first or ""):
        return True
    return parse_address(str(spec)).base == parse_address(str(first)).base


def named_servers() -> tuple[ServerAddress, ...] | None:
    """What PLAYGROUND_SERVERS lists, with commas between; None where it is not set. Raises BadInput."""
    listed = os.environ.get(SERVERS_VARIABLE)
    if listed is None:
        return None
    return tuple(parse_address(one.strip()) for one in listed.split(",") if one.strip())


def key_for(address: ServerAddress, access: ServerAccess, *, default: str | None) -> str | None:
    """The key to show to ``address``, after a look whether it may be asked at all. ``default``: the environment's model.

    Allowed are: any address for ``access.anywhere``; the one of the environment's model; those that PLAYGROUND_SERVERS
    lists, whatever their models; and where that variable is not set, servers on this machine, which are shown no key.
    Raises ModelRefused for all others, and BadInput for a key that is none.
    """
    own = parse_address(default) if default and is_address(default) else None
    listed = named_servers()
    named = [one.base for one in (*(listed or ()), *([own] if own else []))]
    if access.anywhere or address.base in named:
        return checked_key(access.key)
    if listed is None and address.is_loopback:
        return None
    raise ModelRefused(
        f"{shown(address.base)} is not among the servers that may be asked from here: choose another model, or have "
        f"the address added to {SERVERS_VARIABLE} where the playground was started."
    )


def checked_key(key: str | None) -> str | None:
    """``key`` if it can stand in a header, None for an empty one. Raises BadInput, which does not repeat it."""
    if not key:
        return None
    if not key.isascii() or not key.isprintable() or " " in key:
        raise BadInput(
            f"The key in {KEY_VARIABLE} has a line break, a blank or another character that no key has: set it anew.",
            field="key",
        )
    return key
