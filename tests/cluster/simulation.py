"""Simulated nodes: kwok says what a kubelet would say, and nothing runs.

How a pod lives (how long, with which exit code) is written in simulated-lives.yaml and chosen by annotations.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.cluster.control_plane import READY_WITHIN_SECONDS
from tests.cluster.errors import ClusterError
from tests.cluster.site import READY_NODE, Site, check_alive
from tests.cluster.waiting import wait_for

SIMULATOR = "kwok"
LIVES = Path(__file__).parent / "simulated-lives.yaml"

NODE_ADDRESS = "198.18.255.1"
POD_NETWORK = "198.19.0.0/16"
"""Reserved for test networks by RFC 2544; nobody answers there."""

LEASE_SECONDS = 40
"""A kubelet's own."""


def start_simulation(site: Site) -> None:
    """Start kwok, register one node and wait until it takes pods."""
    site.start(
        SIMULATOR,
        f"--kubeconfig={site.write_kubeconfig(SIMULATOR, SIMULATOR, 'system:masters')}",
        f"--config={LIVES}",
        "--manage-all-nodes",
        f"--node-ip={NODE_ADDRESS}",
        f"--cidr={POD_NETWORK}",
        f"--node-lease-duration-seconds={LEASE_SECONDS}",
        # With a node port it would listen on every address of the machine.
        "--node-port=0",
    )
    name = site.state.name
    labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}
    if site.kubectl("create", "-f", "-", text=json.dumps(node)) is None:
        raise ClusterError(f"The simulated node {name} cannot be registered, see {site.state.audit_log}.")

    def is_ready() -> bool:
        check_alive(site.state, SIMULATOR)
        return site.kubectl("get", "node", name, f"-o=jsonpath={READY_NODE}") == "True"

    wait_for(
        is_ready, within_seconds=READY_WITHIN_SECONDS, what=f"the node is not ready, see {site.state.log(SIMULATOR)}"
    )
