"""The three time-outs of an attempt: waiting, configuring, and the budget of its run (R20)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.builders import (
    SLOT,
    a_build,
    a_container,
    a_pod,
    a_result,
    a_run,
    an_app_server,
    at,
    some_timeouts,
)
from tests.builders.looks import a_refusal, a_status, an_attempt_look

from periodicbuild.core.facts import AppServer, AppServerStatus, Pod, Result
from periodicbuild.core.plans import DeletePod, Refused
from periodicbuild.core.policies import SucceedWhen
from periodicbuild.core.reasons import FailureClass, Stage, State

JUST_BEFORE_AN_HOUR = "2026-11-24T03:29:59"
AN_HOUR_LATER = "2026-11-24T03:30:00"
JUST_BEFORE_CONFIGURING_ENDS = "2026-11-24T04:59:59"
CONFIGURING_ENDS = "2026-11-24T05:00:00"
SERVER = an_app_server()
NAME = SERVER.ref.name
UP = a_pod(is_ready=True, image_digests=["sha256:1"])
FAILED = a_pod(containers=[a_container(exit_code=3)])
OF_A_POD = AppServerStatus(pod=NAME, pod_requested_at=at(SLOT), node="node-1")
REMOVAL = (DeletePod(name=NAME, uid=f"pod-uid-{NAME}"),)


def infrastructure(reason: str, message: str, stage: Stage) -> Result:
    return a_result(
        failure_class=FailureClass.INFRASTRUCTURE,
        reason=reason,
        stage=stage,
        message=message,
        container=None,
        exit_code=None,
    )


def timeout(reason: str, message: str, stage: Stage) -> Result:
    return replace(infrastructure(reason, message, stage), failure_class=FailureClass.TIMEOUT)


PENDING = a_pod(phase="Pending", unschedulable="no node")
RUNS = a_pod()
CONFIGURING = replace(
    SERVER,
    status=replace(OF_A_POD, state=State.CONFIGURING_SERVER, configuring_at=at(SLOT)),
    has_status=True,
)
ASKED_EARLIER = replace(SERVER, status=AppServerStatus(pod_requested_at=at("2026-11-24T02:20:00")), has_status=True)
WAITING_PASSED = "timeouts.waiting (1h) has passed: no node"
NOT_READY = "timeouts.configuring (2h30m) has passed: waits until the pod is Ready"
NOT_COMPLETED = "timeouts.configuring (2h30m) has passed: waits until the containers have completed"

TIMEOUTS = {
    "waiting, from the creation of the pod": (
        SERVER,
        PENDING,
        JUST_BEFORE_AN_HOUR,
        AN_HOUR_LATER,
        timeout("Unschedulable", WAITING_PASSED, Stage.WAITING),
    ),
    "waiting, from the first try to create the pod": (
        ASKED_EARLIER,
        PENDING,
        "2026-11-24T03:19:59",
        "2026-11-24T03:20:00",
        timeout("Unschedulable", WAITING_PASSED, Stage.WAITING),
    ),
    "configuring a server, from the first container": (
        CONFIGURING,
        RUNS,
        JUST_BEFORE_CONFIGURING_ENDS,
        CONFIGURING_ENDS,
        timeout("NotReady", NOT_READY, Stage.CONFIGURING),
    ),
    "configuring a build, from the first container": (
        replace(CONFIGURING, succeed_when=SucceedWhen.COMPLETED),
        RUNS,
        JUST_BEFORE_CONFIGURING_ENDS,
        CONFIGURING_ENDS,
        timeout("NotCompleted", NOT_COMPLETED, Stage.CONFIGURING),
    ),
}


@pytest.mark.parametrize(("app_server", "pod", "before", "then", "result"), TIMEOUTS.values(), ids=list(TIMEOUTS))
def test_an_attempt_takes_too_long(app_server: AppServer, pod: Pod, before: str, then: str, result: Result) -> None:
    """R20: with the stage, and the cause as its reason."""
    not_yet = an_attempt_look(app_server, before, pod=pod)
    assert not_yet.status is None or not_yet.status.result is None
    plan = an_attempt_look(app_server, then, pod=pod)
    assert plan.status is not None
    assert (plan.status.result, plan.then) == (result, REMOVAL)
    is_configuring = result.stage == Stage.CONFIGURING
    assert plan.status.state == (State.CONFIGURATION_FAILED if is_configuring else State.ERROR)


def test_configuring_counts_from_when_it_was_seen_even_if_it_was_not_written() -> None:
    """R20, R41."""
    seen = (State.CONFIGURING_SERVER, SLOT)
    plan = an_attempt_look(SERVER, CONFIGURING_ENDS, pod=RUNS, seen=seen)
    assert plan.status is not None
    assert plan.status.state == State.CONFIGURATION_FAILED


@pytest.mark.parametrize(
    ("app_server", "pod"), [(SERVER, PENDING), (CONFIGURING, RUNS)], ids=["waiting", "configuring"]
)
def test_no_stage_of_a_pod_that_is_being_deleted_takes_too_long(app_server: AppServer, pod: Pod) -> None:
    """R19: what it is will be known when it is gone."""
    plan = an_attempt_look(app_server, "2026-11-25T00:00:00", pod=replace(pod, is_deleting=True))
    assert plan.status is None or plan.status.result is None
    assert plan.then == ()
    assert plan.wake.steady is None or plan.wake.steady > at("2026-11-25T00:00:00")


def test_a_passing_refusal_takes_too_long() -> None:
    """R20: from the first try, whether it was written or not."""
    refusal = a_refusal(NAME, Refused.QUOTA_EXCEEDED, retry=SLOT, message="exceeded quota")
    assert an_attempt_look(SERVER, JUST_BEFORE_AN_HOUR, refusal=refusal).status is None
    plan = an_attempt_look(SERVER, AN_HOUR_LATER, refusal=refusal)
    assert plan.status is not None
    assert (plan.status.state, plan.status.result) == (
        State.ERROR,
        timeout("QuotaExceeded", "exceeded quota", Stage.WAITING),
    )
    sooner = an_attempt_look(ASKED_EARLIER, "2026-11-24T03:20:00", refusal=refusal)
    assert sooner.status is not None
    assert sooner.status.state == State.ERROR


HALF_AN_HOUR = some_timeouts(run="30m")
JUST_BEFORE_HALF_AN_HOUR = "2026-11-24T02:59:59"
HALF_AN_HOUR_LATER = "2026-11-24T03:00:00"
BUDGET = "timeouts.run (30m) has passed since the run began"

BUDGETS = {
    "before it has a pod": (replace(SERVER, timeouts=HALF_AN_HOUR), None, State.ERROR, Stage.WAITING),
    "while its pod waits": (replace(SERVER, timeouts=HALF_AN_HOUR), PENDING, State.ERROR, Stage.WAITING),
    "while its pod is configured": (
        replace(CONFIGURING, timeouts=HALF_AN_HOUR),
        RUNS,
        State.CONFIGURATION_FAILED,
        Stage.CONFIGURING,
    ),
    "after its pod was lost from sight": (
        replace(CONFIGURING, timeouts=HALF_AN_HOUR),
        None,
        State.CONFIGURATION_FAILED,
        Stage.CONFIGURING,
    ),
}


@pytest.mark.parametrize(("app_server", "pod", "state", "stage"), BUDGETS.values(), ids=list(BUDGETS))
def test_the_budget_of_the_run_ends_an_attempt(
    app_server: AppServer, pod: Pod | None, state: State, stage: Stage
) -> None:
    """R20: in the state of the stage it was in, whichever attempt it is."""
    second = replace(app_server, attempt=2, created_at=at(JUST_BEFORE_HALF_AN_HOUR))
    parent = a_build(status=a_status(runs=[a_run(second, started=SLOT)]))
    before = an_attempt_look(second, JUST_BEFORE_HALF_AN_HOUR, parent=parent, pod=pod)
    assert before.status is None or before.status.result is None
    plan = an_attempt_look(second, HALF_AN_HOUR_LATER, parent=parent, pod=pod)
    assert plan.status is not None
    assert (plan.status.state, plan.status.result) == (state, timeout("RunBudget", BUDGET, stage))


OVER_BUDGET = {
    "a success": (UP, State.RUNNING, None),
    "a failure": (FAILED, State.CONFIGURATION_FAILED, "NonZeroExit"),
}


@pytest.mark.parametrize(("pod", "state", "reason"), OVER_BUDGET.values(), ids=list(OVER_BUDGET))
def test_what_a_pod_has_come_to_counts_before_the_budget(pod: Pod, state: State, reason: str | None) -> None:
    """R20: an operator that was down meanwhile turns no success into a time-out."""
    plan = an_attempt_look(replace(SERVER, timeouts=HALF_AN_HOUR), HALF_AN_HOUR_LATER, pod=pod)
    assert plan.status is not None
    assert plan.status.state == state
    assert (plan.status.result.reason if plan.status.result else None) == reason
