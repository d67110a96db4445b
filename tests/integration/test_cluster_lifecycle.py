"""Clusters come, go, stand side by side, and are cleaned up after whoever was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from tests.cluster import lifecycle, processes
from tests.cluster.cluster import Cluster, LocalCluster
from tests.cluster.control_plane import API_SERVER, ETCD
from tests.cluster.errors import ClusterError
from tests.cluster.external import ExternalCluster
from tests.cluster.levels import Level
from tests.cluster.lifecycle import Wish, down, find, up
from tests.cluster.paths import StateFolder
from tests.cluster.traces import Traces, listening
from tests.cluster.waiting import wait_for

pytestmark = pytest.mark.control_plane

LOOPBACK = {IPv4Address("127.0.0.1")}


@pytest.fixture
def name() -> Iterator[str]:
    """Give the name of a cluster that is certainly gone afterwards."""
    name = f"life-{os.getpid()}-own"
    yield name
    down(name)


def command_line(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.cluster", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def control_plane_named(name: str) -> LocalCluster:
    return up(Wish(name=name, level=Level.CONTROL_PLANE, ends_with_this_process=True))


def test_down_leaves_nothing(name: str) -> None:
    state = StateFolder.of(name)
    before = Traces.of(state.root)
    control_plane_named(name)
    assert Traces.of(state.root).processes

    down(name)

    assert Traces.of(state.root) == before
    assert not list(state.root.parent.glob(f"*{name}*"))


def test_only_loopback_is_listened_on(control_plane: Cluster) -> None:
    assert listening(control_plane.folder) == LOOPBACK


def test_two_clusters_started_at_once_do_not_meet(name: str) -> None:
    other = f"{name}-other"
    try:
        with ThreadPoolExecutor() as pool:
            first, second = pool.map(control_plane_named, [name, other])
        first.kubectl("create", "configmap", "only-in-the-first")

        assert first.server != second.server
        assert "only-in-the-first" not in second.kubectl("get", "configmaps", "-o", "name")
        with pytest.raises(ClusterError, match=r"certificate|Unauthorized|logged in"):
            second.kubectl("get", "pods", f"--server={first.server}")
    finally:
        down(other)


def test_two_runs_that_want_the_same_cluster_get_the_same_one(name: str) -> None:
    runs = [command_line("up", "--name", name) for _ in range(2)]
    outputs = [run.communicate()[1] for run in runs]

    assert [run.returncode for run in runs] == [0, 0], outputs
    running = [component for component in processes.running(StateFolder.of(name).root).values()]
    assert sorted(running) == ["etcd", "kube-apiserver", "kube-controller-manager"]


def test_a_second_up_gives_the_running_cluster(control_plane: Cluster) -> None:
    before = processes.running(control_plane.folder)

    again = control_plane_named(control_plane.folder.name)

    assert (again.server, processes.running(again.folder)) == (control_plane.server, before)


def test_up_heals_a_cluster_that_lost_a_component(name: str) -> None:
    processes.stop(control_plane_named(name).state.root, [ETCD])

    healed = control_plane_named(name)

    assert healed.missing_components() == []
    assert healed.kubectl("get", "--raw", "/readyz") == "ok"


def test_an_up_that_was_killed_half_way_is_cleaned_by_the_next(name: str) -> None:
    state = StateFolder.of(name)
    run = command_line("up", "--name", name)
    wait_for(lambda: API_SERVER in processes.running(state.root).values(), within_seconds=60, what="it never started")
    run.send_signal(signal.SIGKILL)
    run.communicate()
    left = set(processes.running(state.root))
    assert left

    cluster = control_plane_named(name)

    assert cluster.missing_components() == []
    assert not left & set(processes.running(state.root))


SESSION = """
import os, signal, sys
from tests.cluster.lifecycle import Wish, up
from tests.cluster.levels import Level
up(Wish(name=sys.argv[1], level=Level(sys.argv[2]), ends_with_this_process=True))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_cluster_of_a_killed_session_is_removed_by_the_next_up_of_any_name(name: str) -> None:
    abandoned = StateFolder.of(f"{name}-killed")
    subprocess.run([sys.executable, "-c", SESSION, abandoned.name, Level.CONTROL_PLANE], check=False)
    left = Traces.of(abandoned.root)
    assert left.processes

    control_plane_named(name)

    assert not Traces.of(abandoned.root).processes
    assert not abandoned.root.exists()
    assert abandoned.name not in lifecycle.names()


def test_the_cluster_of_a_living_session_is_left_alone(name: str, control_plane: Cluster) -> None:
    control_plane_named(name)

    assert control_plane.kubectl("get", "--raw", "/readyz") == "ok"


def test_a_stopped_api_server_comes_back_at_its_address(name: str) -> None:
    cluster = control_plane_named(name)

    cluster.stop_api_server()

    with pytest.raises(ClusterError, match="refused"):
        cluster.kubectl("get", "pods")
    cluster.start_api_server()
    assert cluster.kubectl("get", "namespace", "default", "-o", "name") == "namespace/default\n"


def test_without_an_audit_log_it_says_that_there_is_none(name: str) -> None:
    cluster = up(Wish(name=name, level=Level.CONTROL_PLANE, has_audit_log=False, ends_with_this_process=True))

    with pytest.raises(ClusterError, match="was started without an audit log"):
        _ = cluster.audit_log


def test_a_component_that_cannot_start_is_named_with_the_end_of_its_log(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, control_plane: Cluster
) -> None:
    del control_plane  # the programs must be built before one is replaced
    (tmp_path / "etcd").write_text("#!/bin/sh\necho no space left on device\nexit 1\n")
    (tmp_path / "etcd").chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))

    with pytest.raises(ClusterError, match=r"etcd ended by itself(.|\n)*no space left on device"):
        control_plane_named(name)

    assert not processes.running(StateFolder.of(name).root)


def test_the_command_line_tells_about_a_cluster_and_forgets_it(name: str) -> None:
    control_plane_named(name)

    path, _ = command_line("kubeconfig", "--name", name).communicate()
    status, _ = command_line("status").communicate()
    gone = command_line("down", "--name", name)
    gone.communicate()

    assert path.strip() == str(StateFolder.of(name).admin_kubeconfig)
    assert f"{name}\tcontrol-plane\t" in status
    assert gone.returncode == 0
    assert find(name) is None


def test_the_kubeconfig_of_no_cluster_is_an_error_with_the_remedy(name: str) -> None:
    run = command_line("kubeconfig", "--name", name)
    output, error = run.communicate()

    assert (run.returncode, output) == (1, "")
    assert f"python -m tests.cluster up --name {name}" in " ".join(error.split())


def test_tests_can_use_the_cluster_of_a_kubeconfig_but_not_stop_it(control_plane: Cluster, tmp_path: Path) -> None:
    external = ExternalCluster.of(control_plane.kubeconfig, Level.CONTROL_PLANE, tmp_path)

    someone = external.kubeconfig_for("someone", ["some"])

    assert "someone" in external.kubectl("auth", "whoami", kubeconfig=someone)
    with pytest.raises(ClusterError, match="cannot be stopped by tests: unset PERIODICBUILD_TEST_KUBECONFIG"):
        external.stop_api_server()


def test_a_cluster_without_nodes_is_not_taken_for_one_with_nodes(control_plane: Cluster, tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="has no ready node"):
        ExternalCluster.of(control_plane.kubeconfig, Level.NODE, tmp_path)
