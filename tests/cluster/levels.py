"""The three levels of the local cluster: what each is for and which programs it needs."""

from __future__ import annotations

from enum import StrEnum

CONTROL_PLANE_PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager", "kubectl")
"""What every level runs, and the client that everybody uses."""


class Level(StrEnum):
    """Each level has all that the control plane has."""

    CONTROL_PLANE = "control-plane"
    """An API that behaves: garbage collection, namespaces, service accounts, RBAC. Pods stay pending. No root."""

    SIMULATED = "simulated"
    """Pods are scheduled, become ready and complete, but nothing runs in them. No root."""

    NODE = "node"
    """A real kubelet runs real containers in a network namespace of their own. Root on Debian."""

    @property
    def programs(self) -> tuple[str, ...]:
        """Name the programs that must be built for this level."""
        extra = {
            Level.CONTROL_PLANE: (),
            Level.SIMULATED: ("kube-scheduler", "kwok"),
            Level.NODE: ("kube-scheduler", "kubelet", "kube-proxy"),
        }
        return CONTROL_PLANE_PROGRAMS + extra[self]
