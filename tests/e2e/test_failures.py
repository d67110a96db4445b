"""Why an attempt failed, from what happened in a real pod to what a person reads in `status.result` (R19, R20, R24)."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from tests.e2e.stage import Builds, Stage, eventually, see, see_gone
from tests.e2e.templates import (
    SUCCEED,
    WORK_FOR_EVER,
    Spec,
    a_build_spec,
    a_container,
    a_server_spec,
)

pytestmark = pytest.mark.real_node

SEES_ITSELF = {"shareProcessNamespace": True}
"""Nobody can kill the first process of a process namespace from within: here the pod's own process is the first."""
ITSELF = "$$$$"
"""The shell's own process id: in a container's command the kubelet reads `$$` as `$`."""
MISSING = "localhost/no/such:image"
HELD = "example.com/held"
"""Keeps an object that is being deleted where it can still be read."""


class Case(NamedTuple):
    """A build that fails, and what is said about it."""

    spec: Spec
    state: str
    result: dict[str, Any]


def by_exit(code: int, reason: str = "NonZeroExit", container: str = "main", **more: Any) -> dict[str, Any]:
    """Give the result of a container that ended."""
    stage = {"failureClass": "Build", "stage": "Configuring", "reason": reason}
    return stage | {"container": container, "exitCode": code} | more


def in_stage(stage: str, failure_class: str, reason: str) -> dict[str, Any]:
    """Give the result of an attempt that no container ended."""
    return {"failureClass": failure_class, "stage": stage, "reason": reason}


CASES = {
    "an exit code": Case(a_build_spec("exit 42"), "ConfigurationFailed", by_exit(42)),
    "a server that fails": Case(a_server_spec("exit 7"), "ConfigurationFailed", by_exit(7)),
    "a server that ends too early": Case(a_server_spec(SUCCEED), "ConfigurationFailed", by_exit(0, "ExitedEarly")),
    "a build that would be restarted": Case(
        a_build_spec("exit 5", pod={"restartPolicy": "OnFailure"}), "ConfigurationFailed", by_exit(5)
    ),
    "an init container": Case(
        a_build_spec(pod={"initContainers": [a_container("prepare", "exit 3")]}),
        "ConfigurationFailed",
        by_exit(3, container="prepare"),
    ),
    "one of two containers": Case(
        a_build_spec(pod={"containers": [a_container("good", WORK_FOR_EVER), a_container("bad", "exit 4")]}),
        "ConfigurationFailed",
        by_exit(4, container="bad"),
    ),
    "killed": Case(
        a_build_spec(f"kill -KILL {ITSELF}", pod=SEES_ITSELF), "ConfigurationFailed", by_exit(137, signal=9)
    ),
    "terminated": Case(
        a_build_spec(f"kill -TERM {ITSELF}", pod=SEES_ITSELF), "ConfigurationFailed", by_exit(143, signal=15)
    ),
    "out of memory": Case(
        a_build_spec("exec tail /dev/zero", container={"resources": {"limits": {"memory": "16Mi"}}}),
        "ConfigurationFailed",
        by_exit(137, "OOMKilled", signal=9),
    ),
    "a server that is never ready": Case(
        a_server_spec(WORK_FOR_EVER, timeouts={"configuring": "4s"}),
        "ConfigurationFailed",
        in_stage("Configuring", "Timeout", "NotReady"),
    ),
    "a build that never ends": Case(
        a_build_spec(WORK_FOR_EVER, timeouts={"configuring": "4s"}),
        "ConfigurationFailed",
        in_stage("Configuring", "Timeout", "NotCompleted"),
    ),
    "a deadline of the pod": Case(
        a_build_spec(WORK_FOR_EVER, pod={"activeDeadlineSeconds": 15}),
        "ConfigurationFailed",
        in_stage("Configuring", "Timeout", "DeadlineExceeded"),
    ),
    "a run that takes too long": Case(
        a_build_spec(WORK_FOR_EVER, timeouts={"run": "15s"}, retries={"limit": 2}),
        "ConfigurationFailed",
        in_stage("Configuring", "Timeout", "RunBudget"),
    ),
    "no node in time": Case(
        a_build_spec(pod={"nodeSelector": {"no-such": "node"}}, timeouts={"waiting": "4s"}),
        "Error",
        in_stage("Waiting", "Timeout", "Unschedulable"),
    ),
    "an image that is never pulled": Case(
        a_build_spec(container={"image": MISSING, "imagePullPolicy": "Never"}),
        "Error",
        in_stage("Waiting", "Infrastructure", "ErrImageNeverPull") | {"container": "main"},
    ),
    "an image that has no name": Case(
        a_build_spec(container={"image": "No//Name"}),
        "Error",
        in_stage("Waiting", "Infrastructure", "InvalidImageName") | {"container": "main"},
    ),
}


SPECS = {name: case.spec for name, case in CASES.items()} | {
    "an image that cannot be pulled": a_build_spec(container={"image": MISSING}, timeouts={"waiting": "20s"}),
    "a pod that goes in order": a_build_spec(WORK_FOR_EVER),
    "a pod that goes by force": a_build_spec(WORK_FOR_EVER),
}


@pytest.mark.parametrize("name", CASES)
def test_what_ended_an_attempt_arrives_in_its_result(shared_stage: Stage, builds: Builds, name: str) -> None:
    case = CASES[name]

    app_server = shared_stage.attempt(builds[name], 1, case.state)

    assert app_server.result == case.result
    assert app_server.condition("Succeeded").status == "False"
    assert app_server.read("status.result.message") == app_server.condition("Succeeded").message


@pytest.mark.parametrize("name", CASES)
def test_r23_a_failed_attempt_ends_the_run_is_told_of_and_leaves_no_pod(
    shared_stage: Stage, builds: Builds, name: str
) -> None:
    build = builds[name]
    outcome = "TimedOut" if CASES[name].result["reason"] == "RunBudget" else "RetriesUsedUp"

    see(build, lambda one: one.fates == [f"Started/Due: Failed/{outcome}"], "the ledger tells of the failure")

    (app_server,) = shared_stage.app_servers(build)
    assert build.condition("LastRunSucceeded")[:2] == ("False", CASES[name].result["failureClass"])
    assert build.read("status.lastFailure.reason") == CASES[name].result["reason"]
    eventually(lambda: shared_stage.events(app_server) == ["AttemptFailed"], "an Event tells of the attempt")
    eventually(lambda: shared_stage.events(build) == ["BuildStarted", "BuildFailed"], "Events tell of the run")
    eventually(lambda: not shared_stage.pods(build), "the failed pod is gone")


def test_r24_the_record_says_where_it_ran_and_from_which_image_after_the_pod_is_gone(
    shared_stage: Stage, builds: Builds
) -> None:
    app_server = shared_stage.attempt(builds["an exit code"], 1, "ConfigurationFailed")

    assert app_server.read("status.node") == shared_stage.node
    (digest,) = app_server.read("status.imageDigests")
    assert "sha256:" in digest


def test_r20_an_image_that_cannot_be_pulled_is_an_error_once_the_time_to_wait_is_over(
    shared_stage: Stage, builds: Builds
) -> None:
    app_server = shared_stage.attempt(builds["an image that cannot be pulled"], 1, "Error")

    assert app_server.result["reason"] in {"ErrImagePull", "ImagePullBackOff"}
    assert app_server.result | {"reason": ""} == in_stage("Waiting", "Timeout", "")
    assert MISSING in app_server.read("status.result.message")


def test_r19_a_pod_that_its_node_refuses_is_an_error_of_the_infrastructure(shared_stage: Stage) -> None:
    too_much = {"resources": {"requests": {"cpu": "1000"}}}
    spec = a_build_spec(container=too_much, pod={"nodeName": shared_stage.node})
    build = shared_stage.create("too-much", spec)

    app_server = shared_stage.attempt(build, 1, "Error")

    assert app_server.result == in_stage("Waiting", "Infrastructure", "OutOfcpu")


@pytest.mark.parametrize("how", ["in order", "by force"])
def test_r19_a_pod_that_is_gone_in_mid_build_is_an_error_of_the_infrastructure(
    shared_stage: Stage, builds: Builds, how: str
) -> None:
    build = builds[f"a pod that goes {how}"]
    app_server = shared_stage.attempt(build, 1, "ConfiguringServer")

    force = ["--grace-period=0", "--force"] if how == "by force" else []
    shared_stage.kubectl("delete", "pod", app_server.name, *force)

    app_server = shared_stage.attempt(build, 1, "Error")
    assert app_server.result == in_stage("Configuring", "Infrastructure", "PodGone")
    see(build, lambda one: one.fates == ["Started/Due: Failed/RetriesUsedUp"], "the run is over")


def test_r43_nobody_is_charged_for_pods_that_go_with_their_namespace(stage: Stage) -> None:
    build = stage.create("site", a_build_spec(WORK_FOR_EVER), finalizers=[HELD])
    app_server = stage.attempt(build, 1, "ConfiguringServer")
    app_server.patch({"metadata": {"finalizers": [HELD]}})
    pod = stage.pod(app_server)

    stage.clear()

    see_gone(pod)
    for one in (build, app_server):
        see(one, lambda one: one.read("metadata.deletionTimestamp"), "it goes as well")
    stage.outlast()
    for one in (build, app_server):
        one.patch({"metadata": {"finalizers": None}})
    assert app_server.state == "ConfiguringServer"
    assert app_server.result == {}
    assert build.fates == ["Started/Due"]
    see_gone(build, app_server)
