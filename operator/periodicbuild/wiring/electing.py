"""What an administrator may choose about replicas that take turns, under the names of Kubernetes' own flags.

Must not know how a leader is found.
"""

from __future__ import annotations

import socket
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Final

from periodicbuild.kube.election import ElectionSettings
from periodicbuild.kube.lease import LEASE_NAME
from periodicbuild.wiring.arguments import dns_subdomain, identity, namespace, true_or_false, whole_seconds

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

OWN_NAMESPACE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
"""Where a pod finds the name of its namespace."""
NAMESPACE_OUTSIDE: Final = "periodicbuild-system"
"""For an operator that does not run in the cluster."""
SHORTEST_SECONDS: Final = 3
"""A third of it is the time between two renewals; a Lease holds whole seconds."""


def add_election_arguments(run: ArgumentParser) -> None:
    """Add the flags."""
    group = run.add_argument_group("replicas: one at a time acts")
    group.add_argument(
        "--leader-elect", type=true_or_false, default=True, help="false = this is the only replica (default true)"
    )
    group.add_argument(
        "--leader-elect-lease-duration",
        type=whole_seconds(at_least=SHORTEST_SECONDS),
        default=15,
        help="how long a standby waits for a leader that is silent (default 15s)",
    )
    group.add_argument(
        "--leader-elect-resource-name",
        type=dns_subdomain,
        default=LEASE_NAME,
        help=f"of the Lease (default {LEASE_NAME})",
    )
    group.add_argument(
        "--leader-elect-resource-namespace",
        type=namespace,
        help=f"of the Lease; default: the pod's own, or {NAMESPACE_OUTSIDE} outside a cluster",
    )
    group.add_argument(
        "--leader-elect-identity",
        type=identity,
        help="name of this replica, as the pod's; one restarted under it leads again at once, so no two may have it "
        "(default: one made up at each start)",
    )


def election_settings(chosen: Namespace) -> ElectionSettings | None:
    """Put the choices together; None = there is nobody to share with."""
    if not chosen.leader_elect:
        return None
    return ElectionSettings(
        namespace=chosen.leader_elect_resource_namespace or _own_namespace(),
        name=chosen.leader_elect_resource_name,
        identity=chosen.leader_elect_identity or f"{socket.gethostname()}_{uuid.uuid4().hex[:12]}",
        duration_seconds=chosen.leader_elect_lease_duration,
    )


def _own_namespace() -> str:
    try:
        return OWN_NAMESPACE.read_text().strip()
    except OSError:
        return NAMESPACE_OUTSIDE
