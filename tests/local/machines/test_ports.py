"""Who listens on all addresses."""

from __future__ import annotations

import os
import socket

import pytest

from tyrell.local.machines.ports import Listener, wildcard_listeners


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")])
def test_a_listener_on_all_addresses_is_found_with_its_process(family: socket.AddressFamily, address: str) -> None:
    with socket.create_server((address, 0), family=family) as server:
        port = server.getsockname()[1]

        (listener,) = wildcard_listeners([port])

    assert (listener.port, listener.pid) == (port, os.getpid())
    assert str(listener) == f"port {port} is taken on all addresses by {listener.command} (pid {os.getpid()})"


def test_a_listener_on_one_address_is_in_nobodys_way() -> None:
    with socket.create_server(("127.34.128.1", 0)) as server:
        assert wildcard_listeners([server.getsockname()[1]]) == []


def test_only_the_ports_asked_for_are_told() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:
        assert wildcard_listeners([server.getsockname()[1] ^ 1]) == []


def test_a_listener_of_somebody_else_is_told_without_its_name() -> None:
    assert str(Listener(3001, None, None)) == "port 3001 is taken on all addresses by a process of another user"
