"""Simulated nodes: pods live as their annotations say."""

from __future__ import annotations

import json
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
from tests.cluster.cluster import Cluster
from tests.cluster.traces import listening

pytestmark = pytest.mark.control_plane

LIFE = "simulation.periodicbuild.dev"


def create_pod(cluster: Cluster, name: str, restart_policy: str, **life: str) -> None:
    annotations = {f"{LIFE}/{key.replace('_', '-')}": value for key, value in life.items()}
    spec = {"restartPolicy": restart_policy, "containers": [{"name": "main", "image": cluster.test_image}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "annotations": annotations}, "spec": spec}
    cluster.kubectl("create", "-f", "-", input=json.dumps(pod))


def wait_for_phase(cluster: Cluster, name: str, phase: str) -> Any:
    cluster.kubectl("wait", f"pod/{name}", f"--for=jsonpath={{.status.phase}}={phase}", "--timeout=60s")
    return json.loads(cluster.kubectl("get", "pod", name, "-o", "json"))["status"]


def test_a_pod_that_may_end_completes(simulated_nodes: Cluster) -> None:
    create_pod(simulated_nodes, "completes", "Never")

    status = wait_for_phase(simulated_nodes, "completes", "Succeeded")

    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 0


def test_a_pod_fails_with_the_exit_code_it_names(simulated_nodes: Cluster) -> None:
    create_pod(simulated_nodes, "fails", "Never", exit_code="3", runs_for="100ms")

    status = wait_for_phase(simulated_nodes, "fails", "Failed")

    assert status["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 3


def test_a_pod_whose_name_ends_as_it_says_does_not_fail(simulated_nodes: Cluster) -> None:
    for name in ("heals-2", "heals-3"):
        create_pod(simulated_nodes, name, "Never", exit_code="3", exit_code_0_for="-3", runs_for="100ms")

    wait_for_phase(simulated_nodes, "heals-2", "Failed")
    wait_for_phase(simulated_nodes, "heals-3", "Succeeded")


def test_a_server_is_ready_with_an_address_and_goes_when_it_is_deleted(simulated_nodes: Cluster) -> None:
    create_pod(simulated_nodes, "serves", "Always")

    simulated_nodes.kubectl("wait", "pod/serves", "--for=condition=Ready", "--timeout=60s")

    assert simulated_nodes.kubectl("get", "pod", "serves", "-o", "jsonpath={.status.podIP}").startswith("198.19.")
    simulated_nodes.kubectl("delete", "pod", "serves", "--timeout=60s")


def test_a_pod_that_runs_for_long_is_ready_meanwhile(simulated_nodes: Cluster) -> None:
    create_pod(simulated_nodes, "long", "Never", runs_for="1h")

    simulated_nodes.kubectl("wait", "pod/long", "--for=condition=Ready", "--timeout=60s")


def test_the_simulation_listens_on_nothing(simulated_nodes: Cluster) -> None:
    assert listening(Path(simulated_nodes.folder)) <= {IPv4Address("127.0.0.1")}
