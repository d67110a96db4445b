"""Plan one look at an AppServer: one attempt, from New to its outcome (design 2.2, R18-R20, R25, R43).

Whether it may begin is not decided here: its run stands in the `runs` of its PeriodicBuild, or it waits in New.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from periodicbuild.core.attempt import (
    AppServerFacts,
    attempt_event,
    current_stage,
    seen_since,
    with_pod_facts,
    write_if_news,
    write_once_settled,
)
from periodicbuild.core.durations import format_duration
from periodicbuild.core.endings import (
    after_the_end,
    charge,
    end_attempt,
    fail,
    infrastructure_failure,
    succeed,
    timed_out,
)
from periodicbuild.core.holds import ask_gates
from periodicbuild.core.notices import EventType
from periodicbuild.core.plans import WORTH_A_WRITE, AppServerPlan, ConfirmAbsence, CreatePod, Refused, Wake
from periodicbuild.core.policies import SucceedWhen
from periodicbuild.core.reasons import EventReason, FailureReason, Stage, State, Trigger
from periodicbuild.core.schedules import whole_second_down
from periodicbuild.core.verdicts import failure_of, has_succeeded, stage_of, waiting_cause

if TYPE_CHECKING:
    from periodicbuild.core.facts import Now, PeriodicBuild, Pod
    from periodicbuild.core.plans import Refusal
    from periodicbuild.core.status import Run

__all__ = ["AppServerFacts", "plan_app_server"]


def plan_app_server(facts: AppServerFacts, now: Now) -> AppServerPlan:
    """Return what to do for one AppServer at one instant."""
    app_server = facts.app_server
    if app_server.is_deleting:
        return AppServerPlan()
    if app_server.controller_uid is None:
        return _without_controller(facts)
    if facts.parent is None or facts.parent.is_deleting:
        return AppServerPlan()
    if app_server.state.is_finished:
        return after_the_end(facts, now)
    if app_server.cancelled:
        status = replace(app_server.status, state=State.CANCELLED, message="cancelled by spec.cancelled")
        return end_attempt(facts, now, status)
    run = next((run for run in facts.parent.status.runs if run.uid == app_server.ref.uid), None)
    if run is None:
        return _waits_for_turn(facts, facts.parent, now)
    return _attempt(facts, run, now)


def _without_controller(facts: AppServerFacts) -> AppServerPlan:
    """Say why nobody runs it: its PeriodicBuild does not exist yet, or it is an orphan and is left alone."""
    app_server = facts.app_server
    name = app_server.build_name
    if app_server.run is not None:
        note = f"This AppServer has no controller, so nobody runs it; PeriodicBuild {name} will not adopt it"
        return AppServerPlan(events=(attempt_event(facts, EventType.WARNING, EventReason.ORPHANED, note, key=""),))
    if facts.parent is not None:
        return AppServerPlan()
    message = f"PeriodicBuild {name} does not exist in this namespace; create it, or delete this AppServer"
    return write_if_news(facts, replace(app_server.status, state=State.NEW, message=message))


def _waits_for_turn(facts: AppServerFacts, parent: PeriodicBuild, now: Now) -> AppServerPlan:
    if facts.app_server.trigger != Trigger.MANUAL:
        return AppServerPlan()
    hold = ask_gates(facts.gates, parent, now.wall).hold
    why = "another build of this PeriodicBuild is in progress" if hold is None else hold.text
    message = f"waits for its turn: {why}"
    status = replace(facts.app_server.status, state=State.NEW, message=message)
    plan = write_once_settled(facts, now, status, now.steady)
    return replace(plan, wake=plan.wake.earlier(Wake(wall=None if hold is None else hold.until)))


def _attempt(facts: AppServerFacts, run: Run, now: Now) -> AppServerPlan:
    pod = facts.pod
    if pod is not None and has_succeeded(pod, facts.app_server.succeed_when):
        return succeed(facts, pod, now)
    if pod is not None and (result := failure_of(pod, facts.app_server.succeed_when)) is not None:
        return charge(facts, result, now)
    limit = facts.app_server.timeouts.run
    if limit is not None and now.steady >= run.started_at + limit:
        message = f"timeouts.run ({format_duration(limit)}) has passed since the run began"
        return fail(facts, now, timed_out(current_stage(facts), FailureReason.RUN_BUDGET, message))
    plan = _without_pod(facts, now) if pod is None else _with_pod(facts, pod, now)
    return replace(plan, wake=plan.wake.earlier(Wake(steady=None if limit is None else run.started_at + limit)))


def _without_pod(facts: AppServerFacts, now: Now) -> AppServerPlan:
    app_server = facts.app_server
    if app_server.status.pod is not None:
        if not facts.pod_is_absent:
            return AppServerPlan(first=(ConfirmAbsence(kind="Pod", name=app_server.ref.name, uid=""),))
        message = f"pod {app_server.status.pod} is gone, and nobody saw how"
        return charge(facts, infrastructure_failure(current_stage(facts), FailureReason.POD_GONE, message), now)
    refusal = facts.refusal
    is_terminating = refusal is not None and refusal.kind == Refused.NAMESPACE_TERMINATING
    if refusal is None or (is_terminating and now.steady >= refusal.retry_at):
        return AppServerPlan(first=(CreatePod(app_server=app_server),))
    if is_terminating:
        return AppServerPlan(wake=Wake(steady=refusal.retry_at))  # silent, and no verdict (R43)
    if refusal.kind in _FINAL:
        return fail(facts, now, infrastructure_failure(Stage.WAITING, _FINAL[refusal.kind], refusal.message))
    return _wait_for_permission(facts, refusal, now)


_FINAL = {
    Refused.FORBIDDEN: FailureReason.FORBIDDEN,
    Refused.INVALID: FailureReason.INVALID,
    Refused.NAME_COLLISION: FailureReason.NAME_COLLISION,
}


def _wait_for_permission(facts: AppServerFacts, refusal: Refusal, now: Now) -> AppServerPlan:
    """Try again until `timeouts.waiting`: an exceeded quota, a name still in use, an API in trouble (R19)."""
    status = facts.app_server.status
    since = status.pod_requested_at or refusal.since_at
    limit = since + facts.app_server.timeouts.waiting
    if now.steady >= limit:
        if refusal.kind == Refused.API_ERROR and not facts.pod_is_absent:  # an answer may have been lost
            return AppServerPlan(first=(ConfirmAbsence(kind="Pod", name=facts.app_server.ref.name, uid=""),))
        return fail(facts, now, timed_out(Stage.WAITING, refusal.kind, refusal.message))
    if now.steady >= refusal.retry_at:
        return AppServerPlan(first=(CreatePod(app_server=facts.app_server),))
    wake = Wake(steady=min(limit, refusal.retry_at))
    if now.steady - since < WORTH_A_WRITE:
        return AppServerPlan(wake=wake.earlier(Wake(steady=since + WORTH_A_WRITE)))
    message = f"the pod is refused for now ({refusal.kind}): {refusal.message}"
    return replace(
        write_if_news(facts, replace(status, message=message, pod_requested_at=whole_second_down(since))), wake=wake
    )


def _with_pod(facts: AppServerFacts, pod: Pod, now: Now) -> AppServerPlan:
    """Note the stage of a pod under way, and end the attempt when the stage has lasted too long (R20)."""
    timeouts = facts.app_server.timeouts
    stage = stage_of(pod)
    status = with_pod_facts(facts, pod)
    if stage == Stage.WAITING:
        cause, message = waiting_cause(pod)
        limit = (status.pod_requested_at or pod.created_at) + timeouts.waiting
        status = replace(status, state=State.WAITING_FOR_SERVER, message=message)
        since = now.steady
    else:
        since = status.configuring_at or seen_since(facts, State.CONFIGURING_SERVER) or now.steady
        waits_for_ready = facts.app_server.succeed_when == SucceedWhen.READY
        cause = FailureReason.NOT_READY if waits_for_ready else FailureReason.NOT_COMPLETED
        message = "waits until the pod is Ready" if waits_for_ready else "waits until the containers have completed"
        limit = since + timeouts.configuring
        status = replace(
            status, state=State.CONFIGURING_SERVER, message=message, configuring_at=whole_second_down(since)
        )
    if now.steady >= limit and not pod.is_deleting:
        which = "waiting" if stage == Stage.WAITING else "configuring"
        note = f"timeouts.{which} ({format_duration(getattr(timeouts, which))}) has passed: {message}"
        return fail(facts, now, timed_out(stage, cause, note))
    plan = write_once_settled(facts, now, status, since)
    return replace(plan, wake=plan.wake.earlier(Wake(steady=None if pod.is_deleting else limit)))
