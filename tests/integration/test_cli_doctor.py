"""The doctor on real API servers: one that is in order, and ones on which something is missing, old or forbidden."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.cluster.cluster import Cluster
from tests.cluster.levels import Level
from tests.cluster.lifecycle import Wish, down, up
from tests.cluster.ports import free_loopback_port
from tests.cluster.waiting import wait_for
from tests.e2e.stage import Stage, eventually, see
from tests.integration.simulated_specs import a_build_spec
from tests.integration.test_cli_plugin import Answer, Plugin, plugin_on
from tests.mail.running import RunningMailServer
from tests.operator_process import ROOT, OperatorProcess, install

pytestmark = pytest.mark.simulated_nodes

CHECKS = [
    "CRD periodicbuilds",
    "CRD appservers",
    "CRD buildgates",
    "policy appserver-rights",
    "policy appserver-template",
    "policy periodicbuild-activation",
    "policy periodicbuild-rights",
    "policy periodicbuild-warnings",
    "your rights",
    "operator's rights",
    "operator",
    "leader",
    "time zones",
]
WITHIN_SECONDS = 60


@pytest.fixture(scope="module")
def plugin(shared_stage: Stage) -> Plugin:
    """Give the plug-in as the administrator has it, where one PeriodicBuild has been looked at."""
    spec = a_build_spec(enabled=False, schedule={"calendar": {"time": "02:30", "timeZone": "Europe/Berlin"}})
    build = shared_stage.create("nightly", spec)
    see(build, lambda one: one.read("status.observedGeneration"), "the operator has looked at it")
    return plugin_on(shared_stage)


@pytest.fixture(scope="module")
def bare() -> Iterator[Cluster]:
    """Give an API server of its own, without our kinds."""
    name = f"doctor-{os.getpid()}"
    try:
        yield up(Wish(name=name, level=Level.CONTROL_PLANE, ends_with_this_process=True))
    finally:
        down(name)


def states(answer: Answer) -> dict[str, str]:
    """Give what the checklist says of each check."""
    return answer.column("STATE")


def told(answer: Answer, check: str) -> str:
    """Give the sentence of one check."""
    return answer.column("WHAT WAS SEEN, AND WHAT HELPS")[check]


def test_where_everything_is_in_order_it_says_so_and_ends_with_0(plugin: Plugin, operator: OperatorProcess) -> None:
    url = f"http://127.0.0.1:{operator.port}/"

    answer = eventually(
        lambda: found if (found := plugin.here("doctor", "--operator-url", url)).code == 0 else None,
        "what other tests left is gone, and all is in order",
    )

    assert list(states(answer)) == [*CHECKS[:11], "operator's probe", *CHECKS[11:]]
    assert set(states(answer).values()) == {"ok"}
    assert answer.err == ""
    assert told(answer, "operator's probe") == f"http://127.0.0.1:{operator.port}/readyz says that it is ready"
    assert "it last wrote " in told(answer, "operator")
    assert told(answer, "leader").startswith(f"{operator.identity} leads, and renewed the Lease ")


def test_programs_get_the_same_findings(plugin: Plugin) -> None:
    found: list[dict[str, Any]] = json.loads(plugin.here("doctor", "-o", "json").out)

    assert [one["check"] for one in found] == CHECKS
    assert all(one.keys() == {"check", "state", "saw", "remedy"} for one in found)


def test_an_unknown_zone_is_named_with_who_uses_it(shared_stage: Stage, plugin: Plugin) -> None:
    schedule = {"cron": {"expression": "0 2 * * *", "timeZone": "Europe/Berlni"}}
    build = shared_stage.create("lost", a_build_spec(enabled=False, schedule=schedule))
    try:
        answer = plugin.here("doctor")
    finally:
        build.delete()

    assert answer.code == 1
    assert states(answer)["time zones"] == "FAILED"
    assert f"does not know 'Europe/Berlni' of {plugin.namespace}/lost: " in told(answer, "time zones")
    assert "time zones" in answer.err


def test_a_probe_that_does_not_answer_or_is_not_ready_has_failed(plugin: Plugin) -> None:
    port = free_loopback_port()

    answer = plugin.here("doctor", "--operator-url", f"http://127.0.0.1:{port}")

    assert (answer.code, states(answer)["operator's probe"]) == (1, "FAILED")
    assert f"http://127.0.0.1:{port}/readyz does not answer (" in told(answer, "operator's probe")


def test_who_may_do_nothing_is_told_what_he_may_not(shared_stage: Stage, plugin: Plugin) -> None:
    stranger = plugin.by(shared_stage.cluster.kubeconfig_for("stranger"))

    answer = stranger.here("doctor")

    assert answer.code == 1
    assert states(answer) == {
        "CRD periodicbuilds": "ok",
        "CRD appservers": "ok",
        "CRD buildgates": "ok",
        "policy appserver-rights": "warning",
        "policy appserver-template": "warning",
        "policy periodicbuild-activation": "warning",
        "policy periodicbuild-rights": "warning",
        "policy periodicbuild-warnings": "warning",
        "your rights": "FAILED",
        "operator's rights": "warning",
        "operator": "warning",
        "leader": "warning",
        "time zones": "ok",
    }
    assert "you may not get periodicbuilds and list periodicbuilds (any command); " in told(answer, "your rights")
    assert "you may not get validatingadmissionpolicies" in told(answer, "policy appserver-template")
    assert "--as-operator" in told(answer, "operator's rights")


def test_who_may_only_read_one_namespace_is_warned_and_judged_by_that(shared_stage: Stage, plugin: Plugin) -> None:
    shared_stage.kubectl("create", "role", "watcher", "--verb=get,list", "--resource=periodicbuilds,appservers")
    shared_stage.kubectl("create", "rolebinding", "watcher", "--role=watcher", "--user=watcher")

    answer = plugin.by(shared_stage.cluster.kubeconfig_for("watcher")).here("doctor")

    assert (answer.code, states(answer)["your rights"], states(answer)["operator"]) == (0, "warning", "ok")
    assert "patch periodicbuilds (run, enable, disable, reschedule)" in told(answer, "your rights")
    assert f"of namespace {plugin.namespace}" in told(answer, "operator")


def test_an_operator_without_rights_is_told_from_one_with_them(shared_stage: Stage, plugin: Plugin) -> None:
    other = f"{plugin.namespace}/default"
    own = shared_stage.cluster.kubeconfig_for_service_account("periodicbuild-system", "periodicbuild")

    denied = plugin.here("doctor", "--operator-account", other)
    itself = plugin.by(own).here("doctor", "--as-operator")

    assert (denied.code, states(denied)["operator's rights"]) == (1, "FAILED")
    assert f"service account {other} may not list periodicbuilds, " in told(denied, "operator's rights")
    assert told(itself, "operator's rights").startswith("you may do all ")
    assert (itself.code, "your rights" in states(itself)) == (0, False), "it uses no commands"


def test_an_operator_of_one_namespace_is_told_to_stay_there(shared_stage: Stage, plugin: Plugin) -> None:
    kubectl = shared_stage.kubectl
    kubectl("create", "serviceaccount", "local")
    account = f"--serviceaccount={plugin.namespace}:local"
    kubectl("create", "rolebinding", "local", "--clusterrole=periodicbuild-operator", account)

    answer = plugin.here("doctor", "--operator-account", f"{plugin.namespace}/local")

    assert states(answer)["operator's rights"] == "warning"
    assert told(answer, "operator's rights").endswith(f"right if the operator runs with --namespace {plugin.namespace}")


@pytest.mark.parametrize(
    ("spec", "state", "sentence"),
    [
        ({}, "FAILED", "nobody holds the Lease: "),
        (
            {"holderIdentity": "one", "leaseDurationSeconds": 15, "renewTime": "2026-01-01T00:00:00.000000Z"},
            "FAILED",
            "one leads, and renewed the Lease ",
        ),
        (
            {"holderIdentity": "one", "leaseDurationSeconds": 15, "renewTime": "2999-01-01T00:00:00.000000Z"},
            "ok",
            "one leads, and renewed the Lease in ",
        ),
    ],
    ids=["nobody", "long ago", "in time"],
)
def test_a_lease_tells_who_leads(
    shared_stage: Stage, plugin: Plugin, spec: dict[str, object], state: str, sentence: str
) -> None:
    lease = {
        "apiVersion": "coordination.k8s.io/v1",
        "kind": "Lease",
        "metadata": {"name": "periodicbuild"},
        "spec": spec,
    }
    namespace = f"--namespace={plugin.namespace}"
    shared_stage.cluster.kubectl("apply", namespace, "--server-side", "-f", "-", input=json.dumps(lease))
    try:
        answer = plugin.here("doctor", "--operator-account", f"{plugin.namespace}/periodicbuild")
    finally:
        shared_stage.kubectl("delete", "lease", "periodicbuild")

    assert states(answer)["leader"] == state
    assert told(answer, "leader").startswith(sentence)


def test_a_cluster_is_told_what_is_missing_until_nothing_is(bare: Cluster, tmp_path: Path) -> None:
    """One story: nothing is installed, then an older definition, then everything but an operator."""
    plugin = Plugin(bare.kubeconfig, "default")

    nothing = plugin.here("doctor")

    assert nothing.code == 1
    kinds, policies = ["FAILED", "FAILED", "warning"], ["FAILED"] * 4
    assert list(states(nothing).values()) == [*kinds, *policies, "warning", "ok", "FAILED", "warning", "warning", "ok"]
    assert told(nothing, "CRD buildgates").startswith("BuildGate v1alpha1 is not served, so nothing holds builds back")
    assert told(nothing, "CRD appservers") == "AppServer v1alpha1 is not served: kubectl apply -f crds/"
    assert told(nothing, "policy appserver-template").startswith("its policy and binding are missing, so ")
    assert "7 of 13 checks have failed: CRD periodicbuilds, CRD appservers, policy appserver-rights, " in nothing.err

    apply_older_definition(bare, tmp_path)
    older = wait_for(
        lambda: found if states(found := plugin.here("doctor"))["CRD appservers"] == "ok" else None,
        within_seconds=WITHIN_SECONDS,
        what="the definitions are served",
    )

    assert told(older, "CRD periodicbuilds") == (
        "it is older than this plug-in and lacks spec.breaker, status.breaker: kubectl apply -f crds/"
    )

    install(bare)
    complete = wait_for(
        lambda: found if (found := plugin.here("doctor")).code == 0 else None,
        within_seconds=WITHIN_SECONDS,
        what="everything is served",
    )

    assert [check for check, state in states(complete).items() if state != "ok"] == ["operator", "leader"]
    assert told(complete, "operator").startswith("no PeriodicBuild in all namespaces to judge by: create one, or ")


def apply_older_definition(cluster: Cluster, folder: Path) -> None:
    """Apply the definitions as they were before there was a breaker."""
    definition = yaml.safe_load((ROOT / "crds" / "periodicbuilds.yaml").read_text())
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for part in ("spec", "status"):
        del schema["properties"][part]["properties"]["breaker"]
    older = folder / "older.yaml"
    older.write_text(yaml.safe_dump(definition))
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(older))
    cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", str(ROOT / "crds" / "appservers.yaml"))


def test_an_api_server_that_is_away_is_one_sentence_and_no_checklist(plugin: Plugin, tmp_path: Path) -> None:
    content = yaml.safe_load(plugin.kubeconfig.read_text())
    content["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{free_loopback_port()}"
    path = tmp_path / "kubeconfig.yaml"
    path.write_text(yaml.safe_dump(content))

    answer = plugin.by(path).here("doctor")

    assert (answer.code, answer.out) == (3, "")
    assert answer.err.startswith("error: no API server answers at https://127.0.0.1:")


def test_a_mail_server_is_tried_as_far_as_a_letter_would_come(plugin: Plugin, mail: RunningMailServer) -> None:
    flags = [flag for flag in mail.flags if flag.startswith("--smtp")]
    taken = len(mail.read())
    answer = plugin.here("doctor", *flags)
    assert states(answer)["mail server"] == "ok"
    assert told(answer, "mail server") == (
        f"127.0.0.1:{mail.server.port} answers with StartTLS and a certificate that is trusted and takes the log-in"
    )
    without_authority = [flag for flag in flags if not flag.startswith("--smtp-ca-file")]
    refused = plugin.here("doctor", *without_authority)
    assert (refused.code, states(refused)["mail server"]) == (1, "FAILED")
    assert "certificate" in told(refused, "mail server")
    assert len(mail.read()) == taken


def test_a_mail_server_that_cannot_work_is_a_sentence(plugin: Plugin) -> None:
    answer = plugin.here("doctor", "--smtp-host=127.0.0.1", "--smtp-username-file=/nowhere")
    assert answer.code == 2
    assert "a username and a password go together" in answer.err
