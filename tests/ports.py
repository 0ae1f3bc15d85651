"""Ports for servers of the tests."""

from __future__ import annotations

import itertools
import os
import socket
from contextlib import suppress

_ports = itertools.count(11_000 + os.getpid() * 40 % 20_000)  # browsers refuse 10080


def free_port() -> int:
    """Below those that the system gives to connections, one of which could take it before the server does."""
    for port in _ports:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no end to counting")
