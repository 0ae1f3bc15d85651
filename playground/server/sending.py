"""Small messages leave at once.

A script run sends a dozen small messages. asyncio switches Nagle's algorithm off for sockets that it opens itself, but not
for one that was bound before (whose ``proto`` is 0), as Streamlit's is: then a message waits for the acknowledgement of the
one before, which the other side's kernel holds back for some 40 ms. Must not know what is sent.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

import psutil


def send_at_once() -> None:
    """Set TCP_NODELAY on the sockets this process listens on; the connections that they accept inherit it."""
    with suppress(psutil.Error, OSError):  # slower, and no reason not to serve
        for connection in psutil.Process().net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN:
                with socket.socket(fileno=os.dup(connection.fd)) as listening:
                    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
