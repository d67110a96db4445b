"""Which addresses and device names a cluster with a node uses: all derived from its state folder or one index.

The addresses come from 198.18.0.0/15, which RFC 2544 sets aside for test networks, so no real network is shadowed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from tests.cluster.errors import ClusterError

INDEXES = range(256)
"""One third byte each."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """The networks of one cluster."""

    index: int

    @property
    def link(self) -> IPv4Network:
        """Return the network of the two ends of the link to the machine."""
        return IPv4Network(f"198.18.{self.index}.0/30")

    @property
    def machine(self) -> IPv4Address:
        """Return the machine's own end of the link."""
        return self.link[1]

    @property
    def node(self) -> IPv4Address:
        """Return the node's end, where its API server and kubelet listen."""
        return self.link[2]

    @property
    def pods(self) -> IPv4Network:
        """Return the network that pods get their addresses from."""
        return IPv4Network(f"198.19.{self.index}.0/24")


def mark_of(state: Path) -> str:
    """Return the eight characters by which a cluster's link and cgroups are recognised."""
    return hashlib.sha256(str(state).encode()).hexdigest()[:8]


def link_of(state: Path) -> str:
    """Return the name of the machine's end of the link (a device's name has at most 15 characters)."""
    return f"pb{mark_of(state)}"


def choose_addresses(state: Path, used: Collection[IPv4Network]) -> Addresses:
    """Return addresses that overlap no network in use; the same again for the same cluster, if they are free."""
    first = int(mark_of(state), 16)
    candidates = (Addresses((first + step) % len(INDEXES)) for step in INDEXES)
    for addresses in candidates:
        if not any(own.overlaps(other) for own in (addresses.link, addresses.pods) for other in used):
            return addresses
    raise ClusterError("All 256 networks for local clusters (198.18.0.0/15) are in use: take some clusters down.")
