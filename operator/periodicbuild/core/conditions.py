"""Conditions of a PeriodicBuild: normal-true, present from the first write, stable unless something changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.clock_changes import clock_changes
from periodicbuild.core.durations import format_duration
from periodicbuild.core.messages import cut_message
from periodicbuild.core.plans import Refusal, Refused
from periodicbuild.core.reasons import ConditionReason, ConditionType, SinkName
from periodicbuild.core.recipients import domains_of, not_allowed
from periodicbuild.core.schedules import next_slot
from periodicbuild.core.status import Condition

if TYPE_CHECKING:
    from periodicbuild.core.look import Draft
    from periodicbuild.core.status import BuildStatus, OpenBreaker

SHORT = timedelta(hours=3)
"""Below this an interval is warned about: a build that takes longer makes slots wait."""

Verdict = tuple[str, str, str]
"""Status, reason and message of a condition."""


def set_conditions(draft: Draft) -> None:
    """Bring all conditions up to date; `LastRunSucceeded` stays as the last run has left it."""
    status = with_condition(draft.status, draft, ConditionType.READY, _ready(draft))
    status = with_condition(status, draft, ConditionType.SCHEDULED, _scheduled(draft))
    known = status.condition(ConditionType.LAST_RUN_SUCCEEDED)
    verdict = ("Unknown", ConditionReason.NO_RUN_YET, "") if known is None else _as_it_is(known)
    status = with_condition(status, draft, ConditionType.LAST_RUN_SUCCEEDED, verdict)
    status = with_condition(status, draft, ConditionType.ACTIVATED, _activated(draft))
    draft.status = with_condition(status, draft, ConditionType.NOTIFIED, _notified(draft))


def with_condition(status: BuildStatus, draft: Draft, type_: ConditionType, verdict: Verdict) -> BuildStatus:
    """Return the status with one condition set; `lastTransitionTime` moves only with the condition's status."""
    old = status.condition(type_)
    condition = Condition(
        type=type_,
        status=verdict[0],
        reason=verdict[1],
        message=cut_message(verdict[2]),
        observed_generation=draft.build.generation,
        changed_at=old.changed_at if old is not None and old.status == verdict[0] else draft.now.wall,
    )
    if old is None:
        return replace(status, conditions=(*status.conditions, condition))
    return replace(status, conditions=tuple(condition if one.type == type_ else one for one in status.conditions))


def _activated(draft: Draft) -> Verdict:
    """Say what was found out about the Service, else what was known of it."""
    if draft.activated is not None:
        return draft.activated
    known = draft.status.condition(ConditionType.ACTIVATED)
    if draft.build.spec.activation is None:
        return "Unknown", ConditionReason.NOT_CONFIGURED, ""
    if known is None or known.reason == ConditionReason.NOT_CONFIGURED:
        return "Unknown", ConditionReason.NOT_CHECKED, "the Service has not been read yet"
    return _as_it_is(known)


def _as_it_is(condition: Condition) -> Verdict:
    return condition.status, condition.reason, condition.message


def _ready(draft: Draft) -> Verdict:
    """Say whether spec and pod are understood and accepted; never False because a build failed."""
    if draft.build.spec.schedule_error is not None:
        return "False", ConditionReason.INVALID_SCHEDULE, draft.build.spec.schedule_error
    dry_run = draft.facts.dry_run
    # Without a dry run of this generation it stands accepted already: otherwise the planner would have asked first.
    is_known = dry_run is not None and dry_run.generation == draft.build.generation
    refusal = dry_run.refusal if dry_run is not None and is_known else None
    match refusal:
        case Refusal(kind=Refused.INVALID, message=message):
            return "False", ConditionReason.INVALID_TEMPLATE, message
        case Refusal(kind=Refused.FORBIDDEN, message=message):
            return "False", ConditionReason.FORBIDDEN, message
        case Refusal(kind=Refused.API_ERROR | Refused.NAMESPACE_TERMINATING, message=message):
            return "Unknown", ConditionReason.NOT_CHECKED, message
        case _:
            return "True", ConditionReason.ACCEPTED, "the spec is understood and its pod would be accepted"


def _scheduled(draft: Draft) -> Verdict:
    """Say whether a next slot exists."""
    if draft.build.spec.schedule_error is not None:
        return "False", ConditionReason.INVALID_SCHEDULE, draft.build.spec.schedule_error
    schedule = draft.build.spec.schedule
    if not schedule.enabled:
        return "False", ConditionReason.DISABLED, "spec.enabled is false: the schedule starts nothing until it is true"
    if draft.waiting is None and next_slot(draft.schedule) is None:
        return "False", ConditionReason.NEVER_DUE, f"{schedule.text()} never comes: no slot lies in the next 50 years"
    breaker = draft.status.breaker
    if breaker is not None and draft.now.steady < breaker.next_probe_at:
        return "False", ConditionReason.BREAKER_OPEN, _breaker_text(draft.status.consecutive_failures, breaker)
    sentences = [schedule.text()]
    if schedule.interval is not None and schedule.interval.every < SHORT:
        sentences.append(f"under {format_duration(SHORT)}: a build that takes longer makes slots wait")
    if schedule.pattern is not None:
        sentences.extend(clock_changes(schedule.pattern, draft.now.wall))
    return "True", ConditionReason.SCHEDULED, "; ".join(sentences)


def _breaker_text(failures: int, breaker: OpenBreaker) -> str:
    return (
        f"{failures} runs in a row have failed: the next starts after {breaker.next_probe_at:%Y-%m-%dT%H:%M:%SZ},"
        " or with the first slot after spec.template or spec.breaker was changed"
    )


def _notified(draft: Draft) -> Verdict:
    """Say whether people hear of this build: what the settings forbid comes first, then the last delivery."""
    wanted, telling = draft.build.spec.notifications, draft.facts.telling
    if (wanted.to or telling.to) and SinkName.EMAIL not in telling.sinks:
        message = "nobody gets mail: the operator was started without --smtp-host"
        return "False", ConditionReason.DELIVERY_FAILED, message
    refused = not_allowed(wanted, telling)
    if refused:
        message = f"the operator may not send mail to {domains_of(refused)}: ask its administrator for"
        return "False", ConditionReason.RECIPIENT_REFUSED, f"{message} --mail-allowed-domains"
    if not telling.sinks or not (wanted.to or telling.to or telling.sinks - {SinkName.EMAIL}):
        return "Unknown", ConditionReason.NOT_CONFIGURED, "nobody is named in spec.notifications or by the operator"
    problem, pending = draft.status.mail.problem, draft.status.mail.pending
    if problem is not None:
        return ("Unknown" if problem.reason == ConditionReason.RETRYING else "False"), problem.reason, problem.message
    if pending:
        return "True", ConditionReason.PENDING, f"{pending[0].key} is about to be told"
    return "True", ConditionReason.NOTHING_PENDING, "everybody has been told everything"
