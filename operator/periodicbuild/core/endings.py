"""How an attempt ends, and what is left to do after it (R19, R20, R29, R43).

No transition leaves a failed or cancelled state; a server that had succeeded can only be Terminated.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from periodicbuild.core.active import active_state
from periodicbuild.core.attempt import AppServerFacts, attempt_event, with_pod_facts, write_if_news
from periodicbuild.core.facts import Result
from periodicbuild.core.notices import EventType
from periodicbuild.core.plans import AppServerPlan, CheckNamespace, ConfirmAbsence, DeletePod, ReadLog
from periodicbuild.core.policies import SucceedWhen
from periodicbuild.core.reasons import EventReason, FailureClass, Stage, State
from periodicbuild.core.redaction import tail_of
from periodicbuild.core.schedules import whole_second_down
from periodicbuild.core.verdicts import container_with_log

if TYPE_CHECKING:
    from periodicbuild.core.facts import AppServerStatus, Now, Pod
    from periodicbuild.core.reasons import ActiveState

LOG_LINES, LOG_CHARACTERS = 20, 4_096
"""Of a log in status, as the CRD bounds it."""


def succeed(facts: AppServerFacts, pod: Pod, now: Now) -> AppServerPlan:
    """Write the success."""
    is_server = facts.app_server.succeed_when == SucceedWhen.READY
    status = replace(
        with_pod_facts(facts, pod),
        state=State.RUNNING if is_server else State.COMPLETED,
        message="the server is up" if is_server else "the build has completed",
        is_ready=pod.is_ready if is_server else None,
        finished_at=whole_second_down(now.steady),
        active=active_state(facts, State.RUNNING) if is_server else None,
    )
    return write_if_news(facts, status)


def charge(facts: AppServerFacts, result: Result, now: Now) -> AppServerPlan:
    """Fail the attempt, unless its pod went because the whole namespace goes (R43)."""
    is_gone = facts.pod is None or facts.pod.is_gone
    if is_gone and facts.namespace_is_terminating is None:
        return AppServerPlan(first=(CheckNamespace(),))
    if is_gone and facts.namespace_is_terminating:
        return AppServerPlan()
    return fail(facts, now, result)


def fail(facts: AppServerFacts, now: Now, result: Result) -> AppServerPlan:
    """Write the failure with what is left of it (R24), and owe its Event; the pod goes after it."""
    container = container_with_log(facts.pod, result) if facts.pod is not None and not facts.pod.is_gone else None
    if container is not None and facts.pod is not None and facts.log is None:
        return AppServerPlan(first=(ReadLog(pod=facts.pod.ref.name, container=container),))
    took_too_long = result.stage == Stage.CONFIGURING and result.failure_class == FailureClass.TIMEOUT
    is_build = took_too_long or result.failure_class == FailureClass.BUILD
    base = facts.app_server.status if facts.pod is None else with_pod_facts(facts, facts.pod)
    status = replace(
        base,
        state=State.CONFIGURATION_FAILED if is_build else State.ERROR,
        message=result.message or result.reason,
        result=result,
        log_tail=tail_of(facts.log or "", lines=LOG_LINES, characters=LOG_CHARACTERS),
    )
    note = f"Attempt {facts.app_server.attempt} has failed ({result.failure_class}, {result.reason}): {result.message}"
    event = attempt_event(facts, EventType.WARNING, EventReason.ATTEMPT_FAILED, note, key=str(facts.app_server.attempt))
    return replace(end_attempt(facts, now, status), events=(event,))


def end_attempt(facts: AppServerFacts, now: Now, status: AppServerStatus) -> AppServerPlan:
    """Write the outcome; the pod goes after it."""
    plan = write_if_news(facts, replace(status, finished_at=whole_second_down(now.steady)))
    return replace(plan, then=pod_removal(facts))


def after_the_end(facts: AppServerFacts, now: Now) -> AppServerPlan:
    """Keep the outcome; mirror the readiness of a server until its pod is gone, or is on its way out."""
    status = facts.app_server.status
    if status.state == State.COMPLETED:
        return AppServerPlan()
    if status.state == State.TERMINATED:
        return replace(write_if_news(facts, replace(status, active=_still(facts))), then=pod_removal(facts))
    if status.state != State.RUNNING:
        return AppServerPlan(then=pod_removal(facts))
    if facts.pod is not None and not _is_lost(facts.pod):
        return write_if_news(facts, replace(status, is_ready=facts.pod.is_ready, active=_still(facts)))
    if facts.pod is None and not facts.pod_is_absent:
        return AppServerPlan(first=(ConfirmAbsence(kind="Pod", name=facts.app_server.ref.name, uid=""),))
    if facts.namespace_is_terminating is None:
        return AppServerPlan(first=(CheckNamespace(),))
    if facts.namespace_is_terminating:
        return AppServerPlan()
    return write_if_news(
        facts,
        replace(
            status,
            state=State.TERMINATED,
            message=_why_terminated(facts.pod),
            is_ready=None,
            terminated_at=whole_second_down(now.steady),
            active=active_state(facts, State.TERMINATED),
        ),
    )


def _still(facts: AppServerFacts) -> ActiveState | None:
    return active_state(facts, facts.app_server.state)


def _is_lost(pod: Pod) -> bool:
    """Tell whether a server's pod serves no more: on a node that died it is being deleted for ever (R30)."""
    return pod.is_gone or pod.is_deleting or pod.has_ended


def _why_terminated(pod: Pod | None) -> str:
    message = "the server had succeeded; its pod was removed or lost since"
    if pod is None or not pod.reason:
        return message
    return f"{message} ({pod.reason}: {pod.message})".replace(": )", ")")


def pod_removal(facts: AppServerFacts) -> tuple[DeletePod, ...]:
    """Remove what is left of the pod; its grace period is kept."""
    pod = facts.pod
    if pod is None or pod.is_gone or pod.is_deleting:
        return ()
    return (DeletePod(name=pod.ref.name, uid=pod.ref.uid),)


def timed_out(stage: Stage, cause: str, message: str) -> Result:
    """Return the result of an attempt that took too long (R20)."""
    return Result(failure_class=FailureClass.TIMEOUT, reason=cause, stage=stage, message=message)


def infrastructure_failure(stage: Stage, cause: str, message: str) -> Result:
    """Return the result of an attempt that could not be had (R19)."""
    return Result(failure_class=FailureClass.INFRASTRUCTURE, reason=cause, stage=stage, message=message)
