"""What is left of a failed attempt: the end of its log is read before its pod goes (R24)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.builders import SLOT, a_container, a_pod, an_app_server, at
from tests.builders.looks import a_refusal, an_attempt_look

from periodicbuild.core.facts import Container, Pod
from periodicbuild.core.plans import AppServerPlan, DeletePod, ReadLog, Refused
from periodicbuild.core.reasons import State

SERVER = an_app_server()
NAME = SERVER.ref.name
FAILED = a_container(exit_code=3)
INIT = a_container("fetch", is_init=True, exit_code=0)
FIVE_HOURS_LATER = "2026-11-24T07:30:00"

READ = {
    "of the container that failed": ([INIT, FAILED], "main"),
    "of an init container that failed": ([a_container("fetch", is_init=True, exit_code=1)], "fetch"),
    "of the one that failed, not of the last": ([FAILED, a_container("proxy")], "main"),
}


@pytest.mark.parametrize(("containers", "container"), READ.values(), ids=list(READ))
def test_the_log_is_read_first(containers: list[Container], container: str) -> None:
    plan = an_attempt_look(SERVER, SLOT, pod=a_pod(containers=containers), log=None)
    assert plan == AppServerPlan(first=(ReadLog(pod=NAME, container=container),))


def test_of_a_pod_that_failed_as_a_whole_the_last_container_that_has_run_is_asked() -> None:
    waits = a_container("later", waiting_reason="PodInitializing")
    pod = a_pod(phase="Failed", reason="DeadlineExceeded", containers=[INIT, a_container(), waits])
    plan = an_attempt_look(SERVER, SLOT, pod=pod, log=None)
    assert plan.first == (ReadLog(pod=NAME, container="main"),)


NOTHING_TO_READ = {
    "nothing has run": a_pod(phase="Pending", containers=[a_container(waiting_reason="ErrImageNeverPull")]),
    "the pod is gone": a_pod(containers=[FAILED], is_gone=True),
    "it has no containers": a_pod(phase="Failed", reason="OutOfcpu", containers=[]),
}


@pytest.mark.parametrize("pod", NOTHING_TO_READ.values(), ids=list(NOTHING_TO_READ))
def test_nothing_is_read_if(pod: Pod) -> None:
    plan = an_attempt_look(SERVER, SLOT, pod=pod, log=None, namespace_is_terminating=False)
    assert plan.status is not None
    assert (plan.first, plan.status.log_tail) == ((), "")


def test_nothing_is_read_of_an_attempt_that_never_had_a_pod() -> None:
    plan = an_attempt_look(SERVER, SLOT, refusal=a_refusal(NAME, Refused.FORBIDDEN, retry=SLOT), log=None)
    assert plan.status is not None
    assert plan.first == ()


def test_a_time_out_is_told_with_the_log_too() -> None:
    """R20."""
    configuring = replace(SERVER.status, state=State.CONFIGURING_SERVER, pod=NAME, configuring_at=at(SLOT))
    server = replace(SERVER, status=configuring, has_status=True)
    plan = an_attempt_look(server, FIVE_HOURS_LATER, pod=a_pod(), log=None)
    assert plan.first == (ReadLog(pod=NAME, container="main"),)


def test_the_end_of_the_log_is_written_with_the_failure_and_then_the_pod_goes() -> None:
    log = "\n".join(f"line {number}" for number in range(100))
    plan = an_attempt_look(SERVER, SLOT, pod=a_pod(containers=[FAILED]), log=log)
    assert plan.status is not None
    assert plan.status.log_tail.split("\n") == [f"line {number}" for number in range(80, 100)]
    assert plan.then == (DeletePod(name=NAME, uid=f"pod-uid-{NAME}"),)


def test_of_long_lines_no_more_is_kept_than_fits() -> None:
    plan = an_attempt_look(SERVER, SLOT, pod=a_pod(containers=[FAILED]), log="x" * 10_000)
    assert plan.status is not None
    assert plan.status.log_tail == "x" * 4_096
