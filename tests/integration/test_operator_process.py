"""The process: what it says when it cannot start, what its pages tell, and how it lives beside another one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from tests.cluster import lifecycle
from tests.cluster.cluster import Cluster
from tests.cluster.levels import Level
from tests.cluster.ports import free_loopback_port
from tests.e2e.stage import Stage, eventually, see
from tests.integration.audit_log import Request, length_of_log, requests_of_the_operator
from tests.integration.simulated_specs import a_build_spec, every
from tests.operator_process import ROOT, OperatorProcess

pytestmark = pytest.mark.simulated_nodes

METRICS = {
    "periodicbuild_build_info",
    "periodicbuild_schedule_lag_seconds",
    "periodicbuild_slots",
    "periodicbuild_notifications",
    "periodicbuild_notification_delay_seconds",
    "periodicbuild_notifications_pending",
    "periodicbuild_notification_oldest_pending_timestamp_seconds",
    "periodicbuild_runs_finished",
    "periodicbuild_unaccounted_slots",
    "periodicbuild_queue_depth",
    "periodicbuild_kube_requests",
    "periodicbuild_reconciles",
    "periodicbuild_source_lookups",
    "periodicbuild_clock_trusted",
    "periodicbuild_leader",
    "periodicbuild_objects",
    "periodicbuild_tasks",
    "process_resident_memory_bytes",
    "process_cpu_seconds",
}


def run_in_vain(kubeconfig: Path) -> str:
    """Run an operator that cannot start; give what it says."""
    command = [sys.executable, "-m", "periodicbuild", "run", f"--kubeconfig={kubeconfig}", "--listen=127.0.0.1:0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr.strip().splitlines()[-1]


def changed(kubeconfig: Path, target: Path, **fields: str) -> Path:
    """Write a kubeconfig with another server or token."""
    config = yaml.safe_load(kubeconfig.read_text())
    if "server" in fields:
        config["clusters"][0]["cluster"]["server"] = fields["server"]
    if "token" in fields:
        config["users"][0]["user"] = {"token": fields["token"]}
    target.write_text(yaml.safe_dump(config))
    return target


def test_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "none.yaml") in run_in_vain(tmp_path / "none.yaml")


def test_a_kubeconfig_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("just: [text")

    assert str(tmp_path / "config") in run_in_vain(tmp_path / "config")


def test_a_server_that_does_not_answer_is_named(simulated_nodes: Cluster, tmp_path: Path) -> None:
    nobody = f"https://127.0.0.1:{free_loopback_port()}"

    assert nobody.removeprefix("https://") in run_in_vain(
        changed(simulated_nodes.kubeconfig, tmp_path / "config", server=nobody)
    )


def test_a_token_that_is_worth_nothing_is_refused_and_not_repeated(simulated_nodes: Cluster, tmp_path: Path) -> None:
    said = run_in_vain(changed(simulated_nodes.kubeconfig, tmp_path / "config", token="not-a-token"))  # noqa: S106 - nor is it one

    assert "401" in said
    assert "not-a-token" not in said


def test_an_account_without_rights_is_told_which_one_it_lacks(simulated_nodes: Cluster) -> None:
    said = run_in_vain(simulated_nodes.kubeconfig_for("nobody-in-particular"))

    assert 'cannot list resource "periodicbuilds"' in said


@pytest.fixture(scope="module")
def bare() -> Iterator[Cluster]:
    """Give a cluster without our CRDs."""
    name = f"test-{os.getpid()}-bare"
    wish = lifecycle.Wish(name=name, level=Level.CONTROL_PLANE, ends_with_this_process=True)
    try:
        yield lifecycle.up(wish)
    finally:
        lifecycle.down(name)


def test_a_cluster_without_our_kinds_is_told_what_to_apply(bare: Cluster) -> None:
    assert "kubectl apply -f crds/" in run_in_vain(bare.kubeconfig)


def test_the_pages_tell_of_health_and_of_every_metric(operator: OperatorProcess) -> None:
    assert operator.ask("/healthz") == (200, "ok\n")
    assert operator.ask("/readyz") == (200, "ok\n")
    families = {family.name for family in text_string_to_metric_families(operator.ask("/metrics")[1])}
    assert families >= METRICS


def test_every_line_of_a_json_log_is_an_object(simulated_nodes: Cluster, tmp_path: Path) -> None:
    process = OperatorProcess.of(simulated_nodes, tmp_path / "log", ["--log-format=json", "--log-level=debug"])
    log = tmp_path / "log"
    process.start_unready()
    try:
        eventually(lambda: '"ready"' in log.read_text(), "it is ready")
    finally:
        process.stop()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in lines)


def test_two_operators_at_once_do_no_harm(stage: Stage, operator: OperatorProcess, tmp_path: Path) -> None:
    second = OperatorProcess.of(stage.cluster, tmp_path / "second.log", ["--leader-elect=false"]).start()
    try:
        build = stage.create("twice", a_build_spec(schedule=every("1s"), history={"successfulLimit": 20}))
        see(build, lambda one: one.slots.get("started", 0) >= 6, "several slots have started")
        build.disable()
        see(build, lambda one: not one.runs and one.condition("Scheduled").reason == "Disabled", "it has come to rest")
    finally:
        second.stop()
    ledger = build.read("status.ledger")
    assert len({entry["run"] for entry in ledger if entry["decision"] == "Started"}) == build.slots["started"]
    assert len(stage.app_servers(build)) == build.slots["started"]
    assert operator.is_ready()


def test_no_more_builds_run_at_once_than_there_are_places(
    stage: Stage, operator: OperatorProcess, tmp_path: Path
) -> None:
    operator.stop()
    few = OperatorProcess.of(stage.cluster, tmp_path / "few.log", ["--max-concurrent-builds=2"]).start()
    try:
        builds = [stage.create(f"one-of-four-{number}", a_build_spec("2s")) for number in range(4)]
        at_once = set()

        def have_all_ended() -> bool:
            for build in builds:
                build.reload()
            at_once.add(sum(len(build.runs) for build in builds))
            return all(build.fates == ["Started/Due: Succeeded"] for build in builds)

        eventually(have_all_ended, "all four have succeeded")
    finally:
        few.stop()
        operator.start()
    assert max(at_once) == 2


def test_namespaced_roles_are_enough_for_an_operator_of_one_namespace(
    stage: Stage, operator: OperatorProcess, tmp_path: Path
) -> None:
    elsewhere = stage.create("elsewhere", a_build_spec())
    namespace = stage.new_namespace()
    see(elsewhere, lambda one: one.runs == [] and one.slots, "the other operator has done its work")
    for body in namespaced_roles(namespace):
        stage.cluster.kubectl("create", "--filename=-", input=json.dumps(body))
    operator.stop()
    kubeconfig = stage.cluster.kubeconfig_for_service_account(namespace, "builder")
    arguments = [f"--namespace={namespace}", f"--leader-elect-resource-namespace={namespace}"]
    local = OperatorProcess(kubeconfig, tmp_path / "local.log", arguments).start()
    try:
        elsewhere.run_now("nobody looks")
        here = stage.create("here", a_build_spec(), namespace=namespace)
        see(here, lambda one: one.fates == ["Started/Due: Succeeded"], "it builds where it may")
        elsewhere.reload()
        assert elsewhere.read("status.manual") is None
    finally:
        local.stop()
        operator.start()
    see(elsewhere, lambda one: one.read("status.manual"), "the operator of everything takes the request up")


def namespaced_roles(namespace: str) -> list[dict[str, object]]:
    """Give account, role and binding that allow in one namespace what manifests/rbac.yaml allows everywhere."""
    shipped = yaml.safe_load_all((ROOT / "manifests" / "rbac.yaml").read_text())
    rules = [rule for one in shipped if one["kind"] in ("ClusterRole", "Role") for rule in one["rules"]]
    metadata = {"name": "builder", "namespace": namespace}
    rbac = "rbac.authorization.k8s.io"
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata},
        {"apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": metadata, "rules": rules},
        {
            "apiVersion": f"{rbac}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "builder"},
            "subjects": [{"kind": "ServiceAccount", **metadata}],
        },
    ]


def test_what_has_settled_is_left_alone_and_nothing_is_asked_for_that_is_forbidden(stage: Stage) -> None:
    done = stage.create("done", a_build_spec())
    failed = stage.create("failed", a_build_spec(exit_code=3))
    see(done, lambda one: one.fates == ["Started/Due: Succeeded"], "one has succeeded")
    see(failed, lambda one: one.fates == ["Started/Due: Failed/RetriesUsedUp"], "one has failed")
    eventually(lambda: not stage.pods(failed), "the failed pod is gone")
    stage.outlast()
    since = length_of_log(stage.cluster)
    version = [one.read("metadata.resourceVersion") for one in (done, failed)]

    stage.outlast()
    stage.outlast()

    written = [one for one in requests_of_the_operator(stage.cluster, since=since) if one.is_write]
    assert [one for one in written if one.name in {"done", "failed"}] == []
    assert [one.read("metadata.resourceVersion") for one in (done, failed)] == version
    assert never_permitted(requests_of_the_operator(stage.cluster)) == set()


def never_permitted(requests: Iterable[Request]) -> set[tuple[str, str]]:
    """Give verb and resource of what was always refused: an API server that has just started refuses everything."""
    asked = {((one.verb, one.resource), one.is_permitted) for one in requests}
    return {what for what, right in asked if not right} - {what for what, right in asked if right}
