"""This machine in its network: its own address, and whether a server may listen there. Sends nothing to anybody."""

from __future__ import annotations

import errno
import ipaddress
import socket

import psutil

from playground.errors import BadInput

ANYWHERE = "0.0.0.0"
_NOBODY = "192.0.2.1"  # kept free for documentation (RFC 5737)


def own_address() -> str | None:
    """The IPv4 address by which the network knows this machine, None where it is in none.

    The one from which a packet would leave: connecting a UDP socket chooses it, and sends nothing. Without a way out, that of
    the first interface that has one.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_NOBODY, 9))
            address = str(probe.getsockname()[0])
        except OSError:
            address = ANYWHERE
    candidates = [address, *(each.address for all_of in psutil.net_if_addrs().values() for each in all_of)]
    return next((each for each in candidates if _reaches_others(each)), None)


def _reaches_others(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # of a network card
        return False
    return parsed.version == 4 and not (parsed.is_loopback or parsed.is_unspecified or parsed.is_link_local)


def check_listening(host: str, port: int) -> str:
    """The address that ``host`` (a name or an address) stands for, if a server may listen there. Raises BadInput."""
    try:
        family, _kind, _protocol, _name, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise BadInput(f"--host {host[:80]}: this machine knows no such name; give its own address.", "host") from None
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # as the server does: connections that end do not count
        try:
            probe.bind(place)
            probe.listen()
        except OSError as error:
            raise _refusal(error, host, port) from None
    return str(place[0])


def _refusal(error: OSError, host: str, port: int) -> BadInput:
    if error.errno == errno.EADDRINUSE:
        return BadInput(f"--port {port}: something listens there already; end it, or choose another port.", "port")
    if error.errno == errno.EADDRNOTAVAIL:
        return BadInput(
            f"--host {host[:80]}: this is not an address of this machine; leave it out to have it found.", "host"
        )
    if error.errno == errno.EACCES:
        return BadInput(f"--port {port}: this port may not be used; choose one from 1024 on.", "port")
    return BadInput(f"--host {host[:80]}: a server cannot listen there ({error.strerror}); leave it out.", "host")


def address_of(host: str, port: int) -> str:
    """As it is typed into a browser.

    >>> address_of("fd00::1", 8501)
    'http://[fd00::1]:8501'
    """
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
