"""Connections of Streamlit's listening socket send small messages without waiting for an acknowledgement."""

from __future__ import annotations

import socket

from streamlit.web.server.starlette.starlette_server import _bind_socket

from playground.server.sending import send_at_once


def test_accepted_connections_have_no_delay() -> None:
    with _bind_socket("127.0.0.1", 0, backlog=1) as listening:
        listening.listen()
        send_at_once()
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            assert accepted.proto == 0, "asyncio sets it itself now: send_at_once has become needless"
