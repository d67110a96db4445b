"""Where things lie outside the tree: a state folder per cluster and one cache of built programs for all."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.errors import ClusterError

LONGEST_SOCKET_PATH = 107
"""Bytes that Linux allows for the path of a Unix socket (sun_path is 108 with its closing zero)."""

LONGEST_SOCKET_IN_STATE = "containerd/containerd.sock.ttrpc"
"""The longest name that any program of ours gives to a socket in the state folder."""

NAME_PATTERN = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
"""A cluster's name is also a folder, a node's name and a context in kubeconfig."""


def clusters_folder() -> Path:
    """Return the folder that holds one state folder per cluster (XDG: state survives a restart, unlike run)."""
    return _xdg("XDG_STATE_HOME", ".local/state") / "periodicbuild" / "clusters"


def cache_folder() -> Path:
    """Return the folder of what is expensive to make and cheap to lose."""
    return _xdg("XDG_CACHE_HOME", ".cache") / "periodicbuild"


def _xdg(variable: str, default: str) -> Path:
    value = os.environ.get(variable, "")
    # The XDG specification says that relative values are to be ignored.
    return Path(value) if value.startswith("/") else Path.home() / default


@dataclass(frozen=True, slots=True)
class StateFolder:
    """Everything that one cluster writes, by name; also what recognises its processes and mounts."""

    root: Path

    @classmethod
    def of(cls, name: str) -> StateFolder:
        """Return the folder of the cluster called name; raise ClusterError where no cluster can be called so."""
        if not NAME_PATTERN.fullmatch(name):
            raise ClusterError(
                f"{name!r} cannot name a cluster: use 1 to 40 lowercase letters, digits and dashes, "
                "with a letter or digit at both ends."
            )
        state = cls(clusters_folder() / name)
        if len(os.fsencode(state.root / LONGEST_SOCKET_IN_STATE)) > LONGEST_SOCKET_PATH:
            raise ClusterError(
                f"{state.root} is too long for Unix sockets inside it (Linux allows {LONGEST_SOCKET_PATH} bytes): "
                "set XDG_STATE_HOME to a shorter folder or give the cluster a shorter name."
            )
        return state

    @property
    def name(self) -> str:
        """Return the cluster's name."""
        return self.root.name

    @property
    def record(self) -> Path:
        """Return what `up` remembers about the cluster."""
        return self.root / "cluster.json"

    @property
    def lock(self) -> Path:
        """Return the lock of `up` and `down`; beside the folder, because `down` removes the folder."""
        return self.root.with_name(f".{self.name}.lock")

    @property
    def pki(self) -> Path:
        """Return the folder of certificates and keys."""
        return self.root / "pki"

    @property
    def kubeconfigs(self) -> Path:
        """Return the folder of kubeconfigs, one per identity."""
        return self.root / "kubeconfigs"

    @property
    def admin_kubeconfig(self) -> Path:
        """Return the kubeconfig of a member of system:masters."""
        return self.kubeconfigs / "admin.yaml"

    @property
    def audit_log(self) -> Path:
        """Return the API server's audit log: JSON lines, one per request."""
        return self.root / "audit.log"

    @property
    def etcd_socket(self) -> Path:
        """Return where etcd listens: a socket in a folder only its owner can enter, so it needs no port."""
        return self.root / "etcd.sock"

    def log(self, component: str) -> Path:
        """Return the file that has a component's output."""
        return self.root / "logs" / f"{component}.log"
