"""What a cluster shows on the machine: the tests compare it before, during and after.

Only what belongs to one cluster is looked at, and what no other local cluster changes: others may run at the same time,
and what is theirs comes and goes while we look.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path

from tests.cluster import processes
from tests.cluster.addresses import mark_of
from tests.cluster.cgroups import ROOT, cgroup_of

LISTENING = "0A"
"""The state in /proc/net/tcp; a UDP socket has none, so all of them count."""

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Traces:
    """One look at the machine."""

    processes: frozenset[tuple[int, int]]
    """Id and start of those that carry the cluster's mark or name its state folder in their command."""
    mounts: frozenset[str]
    """All of the machine: no cluster adds any."""
    links: frozenset[str]
    """Network devices, without those of other clusters."""
    cgroups: frozenset[str]
    """Of the cluster."""

    @classmethod
    def of(cls, state: Path) -> Traces:
        """Look for what the cluster in state shows now."""
        mark = mark_of(state)
        named = {pid for pid in processes.all_pids() if os.fsencode(f"{state}/") in _read(f"/proc/{pid}/cmdline")}
        links = {
            link for link in os.listdir("/sys/class/net") if mark in link or not re.fullmatch("pb[0-9a-f]{8}", link)
        }
        return cls(
            processes=frozenset(processes.identities(named | set(processes.running(state))).items()),
            mounts=frozenset(Path("/proc/self/mounts").read_text().splitlines()),
            links=frozenset(links),
            cgroups=frozenset(folder for folder in _cgroups() if mark in os.path.basename(folder)),
        )


def processes_in_pods(state: Path) -> dict[int, int]:
    """Map to its start each process in a pod of the cluster; none of them carries the mark."""
    cgroup = os.fsencode(f"/{cgroup_of(state)}/")
    return processes.identities(pid for pid in processes.all_pids() if cgroup in _read(f"/proc/{pid}/cgroup"))


def processes_of(state: Path) -> dict[int, int]:
    """Map to its start each process of the cluster, those in its pods too."""
    return processes.identities(processes.running(state)) | processes_in_pods(state)


def _cgroups() -> Iterator[str]:
    """Give every cgroup of the machine; those of another cluster may vanish on the way, which `os.walk` bears."""
    yield from (folder for folder, _, _ in os.walk(ROOT))


def listening(state: Path) -> set[Address]:
    """Return the addresses of the machine itself on which a process of the cluster listens."""
    inodes = {inode for pid in processes.running(state) for inode in _socket_inodes(pid)}
    return {address for protocol in ("tcp", "tcp6", "udp", "udp6") for address in _listeners(protocol, inodes)}


def _socket_inodes(pid: int) -> Iterator[str]:
    try:
        targets = [os.readlink(path) for path in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return
    yield from (target[len("socket:[") : -1] for target in targets if target.startswith("socket:["))


def _listeners(protocol: str, inodes: set[str]) -> Iterator[Address]:
    for line in Path(f"/proc/self/net/{protocol}").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[9] in inodes and (protocol.startswith("udp") or fields[3] == LISTENING):
            yield _address(fields[1].partition(":")[0])


def _address(hexadecimal: str) -> Address:
    """Read an address as the kernel prints it: words of four bytes, each back to front."""
    words = [bytes.fromhex(hexadecimal[start : start + 8])[::-1] for start in range(0, len(hexadecimal), 8)]
    return IPv4Address(words[0]) if len(words) == 1 else IPv6Address(b"".join(words))


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:
        return b""
