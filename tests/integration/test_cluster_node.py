"""A real node: pods really run, and nothing of it is left afterwards."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cluster import processes
from tests.cluster.cluster import Cluster, KubectlError, LocalCluster
from tests.cluster.levels import Level
from tests.cluster.lifecycle import Wish, down, up
from tests.cluster.node import CONTAINERD, HOLDER, KUBELET
from tests.cluster.paths import StateFolder
from tests.cluster.traces import Traces, listening, processes_in_pods, processes_of
from tests.cluster.waiting import wait_for

pytestmark = pytest.mark.real_node

RESTRICTED = {
    "runAsNonRoot": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
REAPED_WITHIN_SECONDS = 10
SERVE = "mkdir /tmp/www; echo page >/tmp/www/index.html; exec httpd -f -p 8080 -h /tmp/www"


@pytest.fixture
def name(real_node: Cluster) -> Iterator[str]:
    """Give the name of a cluster that is certainly gone afterwards; the machine is known to be able to have it."""
    del real_node
    name = f"node-{os.getpid()}-own"
    yield name
    down(name)


def node_named(name: str) -> LocalCluster:
    return up(Wish(name=name, level=Level.NODE, ends_with_this_process=True))


def run_pod(cluster: Cluster, name: str, script: str, **container: object) -> None:
    main = {
        "name": "main",
        "image": cluster.test_image,
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", script],
        "securityContext": RESTRICTED,
    }
    spec = {"restartPolicy": "Never", "terminationGracePeriodSeconds": 1, "containers": [main | container]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
    cluster.kubectl("create", "-f", "-", input=json.dumps(pod))


def status_of(cluster: Cluster, name: str) -> Any:
    return json.loads(cluster.kubectl("get", "pod", name, "-o", "json"))["status"]


def test_a_restricted_pod_runs_and_its_log_can_be_read(real_node: Cluster) -> None:
    run_pod(real_node, "speaks", "id -u; grep Seccomp: /proc/self/status")

    real_node.kubectl("wait", "pod/speaks", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")

    assert real_node.kubectl("logs", "speaks").split() == ["65534", "Seccomp:", "2"]


def test_the_exit_code_of_a_container_arrives(real_node: Cluster) -> None:
    run_pod(real_node, "fails", "exit 42")

    real_node.kubectl("wait", "pod/fails", "--for=jsonpath={.status.phase}=Failed", "--timeout=60s")

    assert status_of(real_node, "fails")["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 42


def test_a_ready_server_is_reached_from_this_machine(real_node: Cluster) -> None:
    run_pod(real_node, "serves", SERVE, readinessProbe={"httpGet": {"port": 8080}, "periodSeconds": 1})

    real_node.kubectl("wait", "pod/serves", "--for=condition=Ready", "--timeout=60s")

    address = status_of(real_node, "serves")["podIP"]
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"http://{address}:8080/", timeout=10) as answer:
        assert answer.read() == b"page\n"


def test_a_command_can_be_run_in_a_pod(real_node: Cluster) -> None:
    run_pod(real_node, "waits", "sleep 1000")
    real_node.kubectl("wait", "pod/waits", "--for=condition=Ready", "--timeout=60s")

    assert real_node.kubectl("exec", "waits", "--", "cat", "/etc/group").startswith("root:x:0:")


def test_an_image_that_is_not_there_is_not_pulled(real_node: Cluster) -> None:
    run_pod(real_node, "lacks", "true", image="localhost/no/such:image")

    waiting = "{.status.containerStatuses[0].state.waiting.reason}"
    real_node.kubectl("wait", "pod/lacks", f"--for=jsonpath={waiting}=ErrImageNeverPull", "--timeout=60s")


def test_the_kubelet_serves_nobody_without_permission(real_node: Cluster) -> None:
    nobody = real_node.kubeconfig_for("nobody")

    with pytest.raises(KubectlError, match='User "nobody" cannot get resource'):
        real_node.kubectl("logs", "speaks", kubeconfig=nobody)


def test_nothing_listens_in_the_machines_own_network(real_node: Cluster) -> None:
    assert listening(Path(real_node.folder)) == set()


def test_the_machine_keeps_its_kernel_settings(name: str) -> None:
    settings = [
        Path("/proc/sys", setting) for setting in ("vm/overcommit_memory", "kernel/panic", "kernel/panic_on_oops")
    ]
    before = [setting.read_text() for setting in settings]

    node_named(name)

    assert [setting.read_text() for setting in settings] == before


def test_two_nodes_at_once_have_networks_of_their_own(real_node: Cluster, name: str) -> None:
    second = node_named(name)

    assert second.server != real_node.server
    assert real_node.kubectl("get", "--raw", "/readyz") == second.kubectl("get", "--raw", "/readyz") == "ok"


def test_down_leaves_no_process_mount_link_or_cgroup_of_a_node_with_running_pods(name: str) -> None:
    state = StateFolder.of(name)
    before = Traces.of(state.root)
    cluster = node_named(name)
    run_pod(cluster, "runs", "sleep 1000")
    cluster.kubectl("wait", "pod/runs", "--for=condition=Ready", "--timeout=60s")
    during = Traces.of(state.root)
    assert during.mounts == before.mounts
    assert all((during.processes, during.links - before.links, during.cgroups))
    assert processes_in_pods(state.root)
    inside = processes_of(state.root)

    down(name)

    assert Traces.of(state.root) == before
    expect_reaped(inside)
    assert not list(state.root.parent.glob(f"*{name}*"))


@pytest.mark.parametrize("component", [CONTAINERD, KUBELET, HOLDER])
def test_up_heals_a_node_that_lost_a_component(name: str, component: str) -> None:
    state = StateFolder.of(name)
    run_pod(node_named(name), "runs", "sleep 1000")
    inside = processes_of(state.root)
    processes.stop(state.root, [component])

    healed = node_named(name)

    assert healed.missing_components() == []
    expect_reaped(inside)
    run_pod(healed, "again", "true")
    healed.kubectl("wait", "pod/again", "--for=jsonpath={.status.phase}=Succeeded", "--timeout=60s")


SESSION = """
import os, signal, sys
from tests.cluster.lifecycle import Wish, up
from tests.cluster.levels import Level
cluster = up(Wish(name=sys.argv[1], level=Level.NODE, ends_with_this_process=True))
cluster.kubectl("run", "runs", "--image=" + cluster.test_image, "--image-pull-policy=Never", "--", "sleep", "1000")
cluster.kubectl("wait", "pod/runs", "--for=condition=Ready", "--timeout=60s")
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_node_of_a_killed_session_is_removed_by_the_next_up(name: str) -> None:
    abandoned = StateFolder.of(f"{name}-killed")
    before = Traces.of(abandoned.root)
    subprocess.run([sys.executable, "-c", SESSION, abandoned.name], check=False)
    inside = processes_of(abandoned.root)
    assert alive(inside)

    up(Wish(name=name, level=Level.CONTROL_PLANE, ends_with_this_process=True))

    assert Traces.of(abandoned.root) == before
    expect_reaped(inside)


def expect_reaped(seen: dict[int, int]) -> None:
    """Expect processes to be gone; what was killed in a pod is reaped by init, which may take a moment."""
    wait_for(lambda: alive(seen) == [], within_seconds=REAPED_WITHIN_SECONDS, what=f"one of {seen} is still there")


def alive(seen: dict[int, int]) -> list[int]:
    """Return those of the processes seen before that still run."""
    return [pid for pid, started_at in seen.items() if processes.started_at(pid) == started_at]
