"""The machine's own address, and the refusals of a host or port where no server can listen."""

from __future__ import annotations

import ipaddress
import socket

import psutil
import pytest

from playground.errors import BadInput
from playground.server.network import address_of, check_listening, own_address


def test_a_port_that_is_taken_is_refused_by_its_flag() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match=f"--port {port}: something listens there") as refused:
            check_listening("127.0.0.1", port)
        assert refused.value.field == "port"
    assert check_listening("127.0.0.1", port) == "127.0.0.1"
    assert check_listening("localhost", port) in ("127.0.0.1", "::1")


@pytest.mark.parametrize(
    "host", ["192.0.2.77", "198.51.100.1", "no-such-name.invalid", "", "a b", "x" * 300, "é\ud800"]
)
def test_a_host_that_is_not_this_machine_is_refused_by_its_flag(host: str) -> None:
    with pytest.raises(BadInput, match=r"^--host [^\n]*\.$") as refused:
        check_listening(host or "::ffff:192.0.2.77", 0)
    assert refused.value.field == "host"


def test_the_own_address_is_one_that_a_server_may_listen_on() -> None:
    address = own_address()
    if address is not None:
        assert not ipaddress.ip_address(address).is_loopback and check_listening(address, 0) == address


def test_without_a_way_out_an_interfaces_address_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away(socket.socket):
        def connect(self, address: object) -> None:
            raise OSError("Network is unreachable")

    monkeypatch.setattr(socket, "socket", Away)
    card = type("Address", (), {})

    def interfaces(*addresses: str) -> dict[str, list[object]]:
        cards = []
        for address in addresses:
            cards.append(card())
            cards[-1].address = address
        return {"eth0": cards}

    cards = interfaces("02:42:ac:11:00:02", "127.0.0.1", "169.254.1.1", "fe80::1%eth0", "198.51.100.7")
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: cards)
    assert own_address() == "198.51.100.7"
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: interfaces("127.0.0.1"))
    assert own_address() is None


def test_addresses_are_written_as_browsers_take_them() -> None:
    assert address_of("example.org", 80) == "http://example.org:80"
    assert address_of("::1", 8501) == "http://[::1]:8501"
