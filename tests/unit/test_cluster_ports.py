"""Ports on loopback."""

from __future__ import annotations

import random
import socket

from tests.cluster.ports import PORTS, free_loopback_port


def test_a_port_in_use_is_not_chosen() -> None:
    first = free_loopback_port(random.Random(1))  # noqa: S311 - the same choices twice
    with socket.socket() as server:
        server.bind(("127.0.0.1", first))
        server.listen()

        second = free_loopback_port(random.Random(1))  # noqa: S311 - the same choices twice

    assert second != first
    assert {first, second} <= set(PORTS)


def test_ports_are_out_of_reach_of_outgoing_connections() -> None:
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        lowest = int(file.read().split()[0])

    assert max(PORTS) < lowest
