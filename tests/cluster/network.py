"""Join a node's network namespace to the machine by one link; nothing else leads in or out.

The namespace belongs to the node's processes and ends with the last of them, and the link with it.
"""

from __future__ import annotations

import json
import subprocess
from ipaddress import IPv4Network
from pathlib import Path

from tests.cluster.addresses import Addresses, choose_addresses, link_of
from tests.cluster.errors import ClusterError
from tests.cluster.locks import locked

MACHINE_LOCK = Path("/run/lock/periodicbuild-network.lock")
"""Held while addresses are chosen and taken: they are the machine's, whoever's state folder the cluster is in."""

NODE_LINK = "eth0"
"""The node's end of the link."""


def join(state: Path, holder: int) -> Addresses:
    """Connect the network namespace of the process holder with the machine; return the addresses it got."""
    link = link_of(state)
    with locked(MACHINE_LOCK):
        addresses = choose_addresses(state, used_networks())
        _ip("link", "add", link, "type", "veth", "peer", "name", NODE_LINK, "netns", str(holder))
        _ip("address", "add", f"{addresses.machine}/{addresses.link.prefixlen}", "dev", link)
        _ip("link", "set", link, "up")
    inside = ("nsenter", f"--net=/proc/{holder}/ns/net")
    _run(*inside, "ip", "link", "set", "lo", "up")
    _run(*inside, "ip", "address", "add", f"{addresses.node}/{addresses.link.prefixlen}", "dev", NODE_LINK)
    _run(*inside, "ip", "link", "set", NODE_LINK, "up")
    _ip("route", "add", str(addresses.pods), "via", str(addresses.node), "dev", link)
    return addresses


def part(state: Path) -> None:
    """Remove the link, if it is there; at once, and not when the kernel gets to it."""
    link = link_of(state)
    if Path("/sys/class/net", link).exists():
        # The kernel removes it as well, when the namespace ends: then it is gone between the look and the call.
        subprocess.run(["ip", "link", "delete", link], capture_output=True, check=False)
    if Path("/sys/class/net", link).exists():
        raise ClusterError(f"The network link {link} cannot be removed: ip link delete {link} says why.")


def used_networks() -> list[IPv4Network]:
    """Return every network the machine has a route to, but the default ones."""
    routes = json.loads(_ip("-json", "-4", "route", "show", "table", "all"))
    # A type (local, broadcast) stands before the destination in some answers and is a field of its own.
    destinations = [str(route["dst"]) for route in routes if route["dst"] not in {"default", "0.0.0.0/0"}]
    return [IPv4Network(destination, strict=False) for destination in destinations]


def _ip(*arguments: str) -> str:
    return _run("ip", *arguments)


def _run(*command: str) -> str:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    if answer.returncode:
        raise ClusterError(f"{' '.join(command)} failed: {answer.stderr.strip()}")
    return answer.stdout
