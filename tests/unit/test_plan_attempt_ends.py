"""How an attempt ends, and what is left to do after it (design 2.2, R19, R22, R25, R43, decision 4)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.builders import (
    SLOT,
    a_build,
    a_container,
    a_pod,
    a_result,
    an_app_server,
    at,
)
from tests.builders.looks import a_refusal, a_status, an_attempt_look, told

from periodicbuild.core.facts import AppServer, AppServerStatus, Pod, Result
from periodicbuild.core.plans import AppServerPlan, CheckNamespace, ConfirmAbsence, DeletePod, Refused
from periodicbuild.core.policies import SucceedWhen
from periodicbuild.core.reasons import FailureClass, Stage, State

FIVE_MINUTES_LATER = "2026-11-24T02:35:00"
WITH_FRACTION = "2026-11-24T02:35:00.900000"
AN_HOUR_LATER = "2026-11-24T03:30:00"
SERVER = an_app_server()
BUILD = replace(SERVER, succeed_when=SucceedWhen.COMPLETED)
NAME = SERVER.ref.name
NOTHING = AppServerPlan()
DONE = a_pod(phase="Succeeded", containers=[a_container(exit_code=0)], image_digests=["sha256:1"])
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


SUCCESSES = {
    "a server that is Ready is Running": (SERVER, UP, State.RUNNING, "the server is up", True),
    "a build that has completed is Completed": (BUILD, DONE, State.COMPLETED, "the build has completed", None),
}


@pytest.mark.parametrize(("app_server", "pod", "state", "message", "is_ready"), SUCCESSES.values(), ids=list(SUCCESSES))
def test_success(app_server: AppServer, pod: Pod, state: State, message: str, is_ready: bool | None) -> None:  # noqa: FBT001 - a column
    """Design 2.2: written at once, and the pod stays."""
    assert an_attempt_look(app_server, WITH_FRACTION, pod=pod) == AppServerPlan(
        status=replace(
            OF_A_POD,
            state=state,
            message=message,
            is_ready=is_ready,
            finished_at=at(FIVE_MINUTES_LATER),
            image_digests=("sha256:1",),
        )
    )


def test_a_failure_is_written_at_once_and_its_pod_goes() -> None:
    """R19, R23: after the write."""
    plan = an_attempt_look(SERVER, WITH_FRACTION, pod=FAILED)
    message = "container main ended with exit code 3"
    assert replace(plan, events=()) == AppServerPlan(
        status=replace(
            OF_A_POD,
            state=State.CONFIGURATION_FAILED,
            message=message,
            finished_at=at(FIVE_MINUTES_LATER),
            result=a_result(message=message, exit_code=3),
        ),
        then=REMOVAL,
    )
    (event,) = plan.events
    assert (event.regarding, event.type, event.reason, event.action, event.key) == (
        SERVER.ref,
        "Warning",
        "AttemptFailed",
        "EndAttempt",
        "1",
    )
    assert event.note == f"Attempt 1 has failed (Build, NonZeroExit): {message}"


def test_a_failure_without_a_message_shows_its_reason() -> None:
    plan = an_attempt_look(SERVER, SLOT, pod=a_pod(phase="Failed", reason="OutOfcpu", containers=[]))
    assert plan.status is not None
    assert (plan.status.message, plan.status.state) == ("OutOfcpu", State.ERROR)


NEVER_PULLED = a_pod(phase="Pending", containers=[a_container(waiting_reason="ErrImageNeverPull")])
DEADLINE = a_pod(phase="Failed", reason="DeadlineExceeded", containers=[])
DEADLINE_LATER = a_pod(phase="Failed", reason="DeadlineExceeded", containers=[a_container(exit_code=137)])

STATES = {
    "a non-zero exit": (FAILED, State.CONFIGURATION_FAILED, "Build", "NonZeroExit", "Configuring"),
    "an early exit": (DONE, State.CONFIGURATION_FAILED, "Build", "ExitedEarly", "Configuring"),
    "a deadline while it configures": (
        DEADLINE_LATER,
        State.CONFIGURATION_FAILED,
        "Timeout",
        "DeadlineExceeded",
        "Configuring",
    ),
    "a deadline while it waits": (DEADLINE, State.ERROR, "Timeout", "DeadlineExceeded", "Waiting"),
    "no image": (NEVER_PULLED, State.ERROR, "Infrastructure", "ErrImageNeverPull", "Waiting"),
    "a disruption": (a_pod(disruption="Drained"), State.ERROR, "Disruption", "Drained", "Configuring"),
}


@pytest.mark.parametrize(("pod", "state", "failure_class", "reason", "stage"), STATES.values(), ids=list(STATES))
def test_the_state_says_whether_the_build_or_the_server_failed(
    pod: Pod, state: State, failure_class: str, reason: str, stage: str
) -> None:
    """Design 2.2, R19."""
    status = an_attempt_look(SERVER, SLOT, pod=pod).status
    assert status is not None
    assert status.result is not None
    result = status.result
    assert (status.state, result.failure_class, result.reason, result.stage) == (state, failure_class, reason, stage)


FINAL = {Refused.FORBIDDEN: "Forbidden", Refused.INVALID: "Invalid", Refused.NAME_COLLISION: "NameCollision"}


@pytest.mark.parametrize(("kind", "reason"), FINAL.items())
def test_a_pod_refused_for_good_fails_the_attempt_at_once(kind: Refused, reason: str) -> None:
    """R19, design 2.4."""
    refusal = a_refusal(NAME, kind, retry=AN_HOUR_LATER, message="not allowed")
    plan = an_attempt_look(SERVER, SLOT, refusal=refusal)
    assert plan.status == AppServerStatus(
        state=State.ERROR,
        message="not allowed",
        finished_at=at(SLOT),
        result=infrastructure(reason, "not allowed", Stage.WAITING),
    )
    assert (told(plan), plan.then) == (("AttemptFailed",), ())


RUNS = a_pod()
CONFIGURING = replace(
    SERVER,
    status=replace(OF_A_POD, state=State.CONFIGURING_SERVER, configuring_at=at(SLOT)),
    has_status=True,
)
CANCELLED = {
    "before it has a pod": (SERVER, None, ()),
    "with its pod": (CONFIGURING, RUNS, REMOVAL),
    "with a pod that is being deleted": (CONFIGURING, replace(RUNS, is_deleting=True), ()),
    "with a pod that is gone": (CONFIGURING, replace(RUNS, is_gone=True), ()),
    "with a pod that has just succeeded": (CONFIGURING, UP, REMOVAL),
}


@pytest.mark.parametrize(("app_server", "pod", "then"), CANCELLED.values(), ids=list(CANCELLED))
def test_a_cancelled_attempt_ends(app_server: AppServer, pod: Pod | None, then: tuple[DeletePod, ...]) -> None:
    """R25: no Event of a failure, no result; while it waits for its turn, too."""
    cancelled = replace(app_server, cancelled=True)
    expected = AppServerPlan(
        status=replace(
            cancelled.status, state=State.CANCELLED, message="cancelled by spec.cancelled", finished_at=at(SLOT)
        ),
        then=then,
    )
    assert an_attempt_look(cancelled, SLOT, pod=pod) == expected
    assert an_attempt_look(cancelled, SLOT, pod=pod, parent=a_build(status=a_status())) == expected


GONE = replace(RUNS, is_gone=True)
SAW_IT_GO = f"pod {NAME} was deleted before the build had ended"
DID_NOT_SEE = f"pod {NAME} is gone, and nobody saw how"

VANISHED = {
    "seen to be deleted": (GONE, False, SAW_IT_GO),
    "not found": (None, True, DID_NOT_SEE),
}


@pytest.mark.parametrize(("pod", "is_absent", "message"), VANISHED.values(), ids=list(VANISHED))
def test_a_vanished_pod_is_charged_unless_its_namespace_goes(
    pod: Pod | None,
    is_absent: bool,  # noqa: FBT001 - a column
    message: str,
) -> None:
    """R43."""
    asked = an_attempt_look(CONFIGURING, SLOT, pod=pod, pod_is_absent=is_absent)
    assert asked == AppServerPlan(first=(CheckNamespace(),))
    spared = an_attempt_look(CONFIGURING, SLOT, pod=pod, pod_is_absent=is_absent, namespace_is_terminating=True)
    assert spared == NOTHING
    charged = an_attempt_look(CONFIGURING, SLOT, pod=pod, pod_is_absent=is_absent, namespace_is_terminating=False)
    assert charged.status is not None
    assert charged.status.result == infrastructure("PodGone", message, Stage.CONFIGURING)
    assert (charged.status.state, told(charged), charged.then) == (State.ERROR, ("AttemptFailed",), ())


def test_a_pod_that_vanished_while_it_waited_is_charged_to_that_stage() -> None:
    """R20."""
    waiting = replace(SERVER, status=replace(OF_A_POD, state=State.WAITING_FOR_SERVER), has_status=True)
    plan = an_attempt_look(waiting, SLOT, pod_is_absent=True, namespace_is_terminating=False)
    assert plan.status is not None
    assert plan.status.result == infrastructure("PodGone", DID_NOT_SEE, Stage.WAITING)


@pytest.mark.parametrize("state", [State.CONFIGURATION_FAILED, State.ERROR, State.CANCELLED])
def test_no_transition_leaves_a_failed_or_cancelled_state(state: State) -> None:
    """Design 2.2: only the pod that is left is removed."""
    ended = an_app_server(state=state)
    assert an_attempt_look(ended, pod=replace(UP, is_ready=True)) == AppServerPlan(then=REMOVAL)
    assert an_attempt_look(ended) == NOTHING
    assert an_attempt_look(replace(ended, cancelled=True)) == NOTHING


@pytest.mark.parametrize("state", [State.COMPLETED, State.TERMINATED])
def test_a_build_that_completed_and_a_server_that_was_terminated_stay_so(state: State) -> None:
    """Decision 4: also without their pods; what is left of a lost one is removed."""
    left = REMOVAL if state == State.TERMINATED else ()
    assert an_attempt_look(an_app_server(state=state), pod=UP) == AppServerPlan(then=left)
    assert an_attempt_look(an_app_server(state=state), pod_is_absent=True, namespace_is_terminating=False) == NOTHING


RUNNING = replace(SERVER, status=replace(OF_A_POD, state=State.RUNNING, is_ready=True), has_status=True)

READINESS = {
    "lost": (a_pod(is_ready=False), replace(RUNNING.status, is_ready=False)),
    "as it was": (a_pod(is_ready=True), None),
}


@pytest.mark.parametrize(("pod", "status"), READINESS.values(), ids=list(READINESS))
def test_the_readiness_of_a_server_is_mirrored(pod: Pod, status: AppServerStatus | None) -> None:
    """Design 2.2: a server that is not Ready any more had succeeded all the same."""
    assert an_attempt_look(RUNNING, pod=pod) == AppServerPlan(status=status)


LOST = {
    "seen to be deleted": (GONE, False, ""),
    "not found": (None, True, ""),
    "on its way out": (a_pod(is_deleting=True, is_ready=True), False, ""),
    "evicted": (a_pod(phase="Failed", reason="Evicted", message="low on memory"), False, " (Evicted: low on memory)"),
    "ended": (a_pod(phase="Succeeded", reason="Completed"), False, " (Completed)"),
}


@pytest.mark.parametrize(("pod", "is_absent", "why"), LOST.values(), ids=list(LOST))
def test_a_server_whose_pod_was_lost_is_terminated_unless_its_namespace_goes(
    pod: Pod | None,
    is_absent: bool,  # noqa: FBT001 - a column
    why: str,
) -> None:
    """Design 2.2, R30, R43."""
    asked = an_attempt_look(RUNNING, pod=pod, pod_is_absent=is_absent)
    assert asked == AppServerPlan(first=(CheckNamespace(),))
    spared = an_attempt_look(RUNNING, pod=pod, pod_is_absent=is_absent, namespace_is_terminating=True)
    assert spared == NOTHING
    lost = an_attempt_look(RUNNING, pod=pod, pod_is_absent=is_absent, namespace_is_terminating=False)
    assert lost == AppServerPlan(
        status=replace(
            RUNNING.status,
            state=State.TERMINATED,
            message=f"the server had succeeded; its pod was removed or lost since{why}",
            is_ready=None,
            terminated_at=at(SLOT),
        )
    )


def test_the_pod_of_a_server_is_looked_for_before_it_is_missed() -> None:
    """R22."""
    assert an_attempt_look(RUNNING) == AppServerPlan(first=(ConfirmAbsence(kind="Pod", name=NAME, uid=""),))
