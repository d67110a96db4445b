"""What a pod says about its attempt: success, failure with its class, or what it waits for (R19, R20)."""

from __future__ import annotations

import pytest
from tests.builders import a_container, a_pod, a_result

from periodicbuild.core.facts import Container, Pod, Result
from periodicbuild.core.policies import SucceedWhen
from periodicbuild.core.reasons import FailureClass, FailureReason, Stage
from periodicbuild.core.verdicts import DISRUPTIONS, NEVER_STARTS, failure_of, has_succeeded, stage_of, waiting_cause

READY, COMPLETED = SucceedWhen.READY, SucceedWhen.COMPLETED
DONE = a_container(exit_code=0)
DONE_TOO = a_container("other", exit_code=0)
FAILED = a_container(exit_code=1, exit_reason="Error")
STILL_RUNS = a_container("other")
INIT_DONE = a_container("init", is_init=True, exit_code=0)
SIDECAR_RUNS = a_container("sidecar", is_sidecar=True)
RESTARTED = a_container(exit_code=0, is_terminated=False)
PULLS = a_container(waiting_reason="ContainerCreating")

SUCCESSES = {
    "a server that is Ready": (READY, a_pod(is_ready=True), True),
    "a server that is not Ready": (READY, a_pod(), False),
    "a server that is Ready and being deleted": (READY, a_pod(is_ready=True, is_deleting=True), False),
    "a server that was Ready and is gone": (READY, a_pod(is_ready=True, is_gone=True), False),
    "a server whose container has completed": (READY, a_pod(containers=[DONE]), False),
    "a build whose container has completed": (COMPLETED, a_pod(containers=[DONE]), True),
    "a build whose containers have all completed": (COMPLETED, a_pod(containers=[INIT_DONE, DONE, DONE_TOO]), True),
    "a build that waits for one more container": (COMPLETED, a_pod(containers=[DONE, STILL_RUNS]), False),
    "a build of which one container failed": (COMPLETED, a_pod(containers=[DONE_TOO, FAILED]), False),
    "a build whose sidecar still runs": (COMPLETED, a_pod(containers=[SIDECAR_RUNS, DONE]), True),
    "a build whose container is started anew": (COMPLETED, a_pod(containers=[RESTARTED]), False),
    "a build of which only init containers are known": (COMPLETED, a_pod(containers=[INIT_DONE]), False),
    "a build of which nothing is known": (COMPLETED, a_pod(containers=[]), False),
    "a build that is Ready": (COMPLETED, a_pod(is_ready=True), False),
    "a build that completed before its pod went": (COMPLETED, a_pod(containers=[DONE], is_gone=True), True),
}


@pytest.mark.parametrize(("succeed_when", "pod", "succeeded"), SUCCESSES.values(), ids=list(SUCCESSES))
def test_success_is(succeed_when: SucceedWhen, pod: Pod, succeeded: bool) -> None:  # noqa: FBT001 - a column
    """Design 2.2."""
    assert has_succeeded(pod, succeed_when) is succeeded


KILLED = a_container(exit_code=137, exit_reason="Error", signal=9)
TERMINATED = a_container(exit_code=143, exit_reason="Error", signal=15)
OUT_OF_MEMORY = a_container(exit_code=137, exit_reason="OOMKilled")
WITHOUT_REASON = a_container(exit_code=2)
WITH_EMPTY_REASON = a_container(exit_code=2, exit_reason="")
CRASH_LOOP = a_container(exit_code=1, exit_reason="Error", waiting_reason="CrashLoopBackOff")
INIT_FAILED = a_container("init", is_init=True, exit_code=3, exit_reason="Error")
SIDECAR_FAILED = a_container("sidecar", is_sidecar=True, exit_code=1, exit_reason="Error")


def build_failure(container: Container, message: str, reason: str = FailureReason.NON_ZERO_EXIT) -> Result:
    """Say which container failed the build, and how."""
    return a_result(
        reason=reason,
        message=message,
        container=container.name,
        exit_code=container.exit_code,
        signal=container.signal,
    )


EXITS = {
    "a non-zero exit": (READY, FAILED, build_failure(FAILED, "container main ended with exit code 1")),
    "a kill": (READY, KILLED, build_failure(KILLED, "container main ended with signal 9")),
    "a termination": (COMPLETED, TERMINATED, build_failure(TERMINATED, "container main ended with signal 15")),
    "out of memory, in Kubernetes' own word": (
        READY,
        OUT_OF_MEMORY,
        build_failure(OUT_OF_MEMORY, "container main ended with exit code 137 (OOMKilled)", "OOMKilled"),
    ),
    "no reason given": (
        COMPLETED,
        WITHOUT_REASON,
        build_failure(WITHOUT_REASON, "container main ended with exit code 2"),
    ),
    "an empty reason given": (
        COMPLETED,
        WITH_EMPTY_REASON,
        build_failure(WITH_EMPTY_REASON, "container main ended with exit code 2"),
    ),
    "an exit that the restart policy would heal": (
        READY,
        CRASH_LOOP,
        build_failure(CRASH_LOOP, "container main ended with exit code 1"),
    ),
    "an init container's exit": (
        COMPLETED,
        INIT_FAILED,
        build_failure(INIT_FAILED, "container init ended with exit code 3"),
    ),
    "a server that ended before it was ready": (
        READY,
        DONE,
        build_failure(DONE, "container main ended with exit code 0 before the server was ready", "ExitedEarly"),
    ),
    "a sidecar's exit: no failure": (READY, SIDECAR_FAILED, None),
    "an init container's good end: no failure": (READY, INIT_DONE, None),
    "a container that has completed: no failure of a build": (COMPLETED, DONE, None),
    "a container that runs: no failure": (READY, STILL_RUNS, None),
    "a container that is about to run: no failure": (READY, PULLS, None),
}


@pytest.mark.parametrize(("succeed_when", "container", "result"), EXITS.values(), ids=list(EXITS))
def test_the_verdict_of_a_container_is(succeed_when: SucceedWhen, container: Container, result: Result | None) -> None:
    """R19: class Build, at once, whatever the restart policy."""
    assert failure_of(a_pod(containers=[container]), succeed_when) == result


def test_the_first_container_that_failed_is_named() -> None:
    """R19."""
    second = a_container("second", exit_code=7)
    result = failure_of(a_pod(containers=[SIDECAR_FAILED, STILL_RUNS, FAILED, second]), COMPLETED)
    assert result == build_failure(FAILED, "container main ended with exit code 1")


def of_pod(failure_class: FailureClass, reason: str, message: str = "", stage: Stage = Stage.CONFIGURING) -> Result:
    return a_result(
        failure_class=failure_class, reason=reason, message=message, stage=stage, container=None, exit_code=None
    )


DISRUPTION, INFRASTRUCTURE, TIMEOUT = FailureClass.DISRUPTION, FailureClass.INFRASTRUCTURE, FailureClass.TIMEOUT
GONE_MESSAGE = "pod nightly-20261124-023000-1 was deleted before the build had ended"

OF_THE_POD = {
    "a disruption, by its condition": (
        a_pod(disruption="EvictionByEvictionAPI", message="drained"),
        of_pod(DISRUPTION, "EvictionByEvictionAPI", "drained"),
    ),
    "a disruption, while the pod is being deleted": (
        a_pod(disruption="PreemptionByScheduler", is_deleting=True),
        of_pod(DISRUPTION, "PreemptionByScheduler"),
    ),
    "a disruption that took the pod": (
        a_pod(disruption="DeletionByTaintManager", is_gone=True),
        of_pod(DISRUPTION, "DeletionByTaintManager"),
    ),
    "a disruption that ended a container": (
        a_pod(phase="Failed", reason="Evicted", containers=[KILLED]),
        of_pod(DISRUPTION, "Evicted"),
    ),
    "a disruption before anything ran": (
        a_pod(phase="Failed", reason="Evicted", containers=[]),
        of_pod(DISRUPTION, "Evicted", stage=Stage.WAITING),
    ),
    "a word for disruption in a pod that goes on: none": (a_pod(phase="Running", reason="Evicted"), None),
    "a pod that is being deleted: none yet": (a_pod(is_deleting=True, containers=[TERMINATED]), None),
    "a pod that is gone": (a_pod(is_gone=True, is_deleting=True), of_pod(INFRASTRUCTURE, "PodGone", GONE_MESSAGE)),
    "a pod that is gone, whatever its containers said": (
        a_pod(is_gone=True, containers=[TERMINATED]),
        of_pod(INFRASTRUCTURE, "PodGone", GONE_MESSAGE),
    ),
    "a pod that the node would not take": (
        a_pod(phase="Failed", reason="OutOfcpu", message="no room", containers=[]),
        of_pod(INFRASTRUCTURE, "OutOfcpu", "no room", Stage.WAITING),
    ),
    "a pod that failed without a word": (
        a_pod(phase="Failed", containers=[]),
        of_pod(INFRASTRUCTURE, "PodFailed", stage=Stage.WAITING),
    ),
    "a deadline of the template's own": (
        a_pod(phase="Failed", reason="DeadlineExceeded", message="too long", containers=[KILLED]),
        of_pod(TIMEOUT, "DeadlineExceeded", "too long"),
    ),
    "a failed pod without a reason is its container's failure": (
        a_pod(phase="Failed", containers=[FAILED]),
        build_failure(FAILED, "container main ended with exit code 1"),
    ),
    "a pod that waits: none": (a_pod(phase="Pending"), None),
}


@pytest.mark.parametrize(("pod", "result"), OF_THE_POD.values(), ids=list(OF_THE_POD))
def test_the_verdict_of_a_pod_is(pod: Pod, result: Result | None) -> None:
    """R19."""
    assert failure_of(pod, COMPLETED) == result


@pytest.mark.parametrize("reason", sorted(DISRUPTIONS))
def test_what_the_node_or_the_cluster_did_is_a_disruption(reason: str) -> None:
    """R19."""
    assert failure_of(a_pod(phase="Failed", reason=reason), READY) == of_pod(DISRUPTION, reason)


IMAGES = {
    "InvalidImageName": ("bad name", "container main: bad name"),
    "ErrImageNeverPull": ("", "container main"),
}


@pytest.mark.parametrize(("reason", "texts"), IMAGES.items())
def test_an_image_that_can_never_be_had_fails_at_once(reason: str, texts: tuple[str, str]) -> None:
    """R19."""
    said, message = texts
    pod = a_pod(phase="Pending", containers=[a_container(waiting_reason=reason, waiting_message=said)])
    assert failure_of(pod, READY) == a_result(
        failure_class=INFRASTRUCTURE, reason=reason, stage=Stage.WAITING, message=message, exit_code=None
    )
    assert reason in NEVER_STARTS


def test_an_image_that_may_be_had_later_is_waited_for() -> None:
    """R20."""
    pod = a_pod(phase="Pending", containers=[a_container(waiting_reason="ImagePullBackOff")])
    assert failure_of(pod, READY) is None


STAGES = {
    "nothing has run": (a_pod(phase="Pending"), Stage.WAITING),
    "containers wait": (a_pod(containers=[PULLS]), Stage.WAITING),
    "an init container runs": (a_pod(containers=[a_container("init", is_init=True), PULLS]), Stage.CONFIGURING),
    "a container has run before": (a_pod(containers=[CRASH_LOOP]), Stage.CONFIGURING),
}


@pytest.mark.parametrize(("pod", "stage"), STAGES.values(), ids=list(STAGES))
def test_the_stage_is(pod: Pod, stage: Stage) -> None:
    """R20: configuring from the first container that runs."""
    assert stage_of(pod) == stage


CAUSES = {
    "no node": (
        a_pod(phase="Pending", unschedulable="0/3 nodes are available"),
        ("Unschedulable", "0/3 nodes are available"),
    ),
    "no image": (
        a_pod(containers=[PULLS, a_container("b", waiting_reason="ImagePullBackOff", waiting_message="not found")]),
        ("ImagePullBackOff", "container b: not found"),
    ),
    "no image, without a word": (
        a_pod(containers=[a_container(waiting_reason="ErrImagePull")]),
        ("ErrImagePull", "container main"),
    ),
    "about to start": (a_pod(containers=[PULLS]), ("NotStarted", "no container has started")),
    "init containers come first": (
        a_pod(containers=[a_container(waiting_reason="PodInitializing")]),
        ("NotStarted", "no container has started"),
    ),
    "nothing known": (a_pod(phase="Pending"), ("NotStarted", "no container has started")),
}


@pytest.mark.parametrize(("pod", "cause"), CAUSES.values(), ids=list(CAUSES))
def test_a_pending_pod_waits_for(pod: Pod, cause: tuple[str, str]) -> None:
    """R20: the cause becomes the reason of a time-out."""
    assert waiting_cause(pod) == cause
