"""The end of an attempt and of a run: success, another attempt, or the end (R18, R19, R21, R25, R27).

What follows a failed attempt is decided once, by the spec of that moment, and written down; nobody asks again.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from periodicbuild.core.breaker import note_counted_failure
from periodicbuild.core.changes import built_from, note_reproduction
from periodicbuild.core.conditions import with_condition
from periodicbuild.core.inputs import input_digest, recorded_inputs
from periodicbuild.core.ledger import record_outcome
from periodicbuild.core.notices import EventType
from periodicbuild.core.outbox import note_failing, owe_failed_attempt, owe_failure, owe_recovery
from periodicbuild.core.plans import ConfirmAbsence, EndedRun
from periodicbuild.core.reasons import (
    ConditionReason,
    ConditionType,
    EventReason,
    FailureClass,
    FailureReason,
    Outcome,
    OutcomeReason,
    State,
    Trigger,
)
from periodicbuild.core.status import LastFailure, LastSuccess

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from periodicbuild.core.facts import AppServer, Result, Retries
    from periodicbuild.core.look import Draft
    from periodicbuild.core.status import Run

DURATIONS = 20
"""Durations of successes kept for estimates."""
NEVER_FINISHES = 3
"""So many runs replaced in a row are told of (R16)."""
DOUBLINGS = 20
"""As many as there can be attempts: 10 retries and 10 disruptions; a status edited by hand may tell of more."""
JITTER = 0.1
"""Part of a back-off that spreads retries; a function of run and attempt, so that it survives a restart."""
NEVER_RETRIED = frozenset({FailureReason.FORBIDDEN, FailureReason.INVALID})
"""The API refused the pod: the same template would be refused again (R19)."""


def settle_runs(draft: Draft) -> None:
    """Judge every run in progress by the state of its newest attempt."""
    children = {child.ref.uid: child for child in draft.facts.children}
    for run in draft.status.runs:
        child = children.get(run.uid)
        if child is None:
            _settle_absent(draft, run)
        elif child.cancelled and (run.next_attempt_at is not None or child.state == State.CANCELLED):
            reason = OutcomeReason.BY_USER if run.replaced_by is None else OutcomeReason.REPLACED
            end_run(draft, run, Outcome.CANCELLED, reason)
        elif run.next_attempt_at is not None:
            _keep_between_attempts(draft, run, child)
        elif child.state.has_succeeded:
            end_run(draft, run, Outcome.SUCCEEDED, None)
        elif child.state.has_failed:
            _settle_failed(draft, run, child)


def is_in_progress(draft: Draft, *, besides: str | None = None) -> bool:
    """Tell whether an attempt is live, or has ended and its pod is still there (R17); not so between attempts."""
    facts = draft.facts
    ended = facts.gone | {child.ref.uid for child in facts.children if child.state.is_finished}
    is_live = any(run.next_attempt_at is None and run.uid not in ended for run in draft.status.runs)
    if facts.has_stray_pods or is_live:
        return True
    return any(
        not child.state.has_succeeded
        and child.ref.uid != besides
        and (child.ref.uid in facts.pods or (child.is_deleting and not child.state.is_finished))
        for child in facts.children
    )


def end_run(draft: Draft, run: Run, outcome: Outcome, reason: OutcomeReason | None) -> None:
    """Take a run out of `runs`, note its outcome, and owe the Events about it."""
    child = next((one for one in draft.facts.children if one.ref.uid == run.uid), None)
    status = replace(draft.status, runs=tuple(one for one in draft.status.runs if one.uid != run.uid))
    draft.status = record_outcome(status, run.id, outcome, reason)
    draft.ended.append(EndedRun(trigger=run.trigger, outcome=outcome))
    if outcome == Outcome.SUCCEEDED:
        _note_success(draft, run, child)
    elif outcome == Outcome.FAILED:
        _note_failure(draft, run, reason, child)
    else:
        note = f"Build {run.id} was cancelled: {reason}"
        draft.tell(EventType.NORMAL, EventReason.BUILD_CANCELLED, note, key=run.id)
        _note_never_finishes(draft, run)


def _note_never_finishes(draft: Draft, run: Run) -> None:
    """Say so when one run after the other is replaced before it could end (R16)."""
    outcomes = [entry.outcome_reason for entry in draft.status.ledger if entry.outcome is not None][:NEVER_FINISHES]
    if outcomes != [OutcomeReason.REPLACED] * NEVER_FINISHES:
        return
    note = f"{NEVER_FINISHES} runs in a row were replaced before they had ended: the builds take longer than the period"
    draft.tell(EventType.WARNING, EventReason.NEVER_FINISHES, note, key=run.id)
    verdict = ("False", ConditionReason.NEVER_FINISHES, note)
    draft.status = with_condition(draft.status, draft, ConditionType.LAST_RUN_SUCCEEDED, verdict)


def back_off(retries: Retries, run_id: str, attempt: int) -> timedelta:
    """Return the wait after a failed attempt: doubling from `delay` to `maxDelay`, up to 10 % more (R18)."""
    doubled = min(retries.max_delay, retries.delay * (1 << min(attempt - 1, DOUBLINGS)))
    digest = hashlib.sha256(f"{run_id}/{attempt}".encode()).digest()
    return doubled * (1 + JITTER * digest[0] / 255)


def _settle_absent(draft: Draft, run: Run) -> None:
    if run.uid in draft.facts.gone:
        end_run(draft, run, Outcome.CANCELLED, OutcomeReason.DELETED)
    else:
        draft.first.append(ConfirmAbsence(kind="AppServer", name=run.app_server, uid=run.uid))


def _keep_between_attempts(draft: Draft, run: Run, child: AppServer) -> None:
    limit = child.timeouts.run
    if limit is not None and draft.now.steady >= run.started_at + limit:
        end_run(draft, run, Outcome.FAILED, OutcomeReason.TIMED_OUT)
        return
    draft.wake_at(steady=None if limit is None else run.started_at + limit)


def _settle_failed(draft: Draft, run: Run, child: AppServer) -> None:
    result = child.status.result
    retries = draft.build.spec.retries
    is_disruption = result is not None and result.failure_class == FailureClass.DISRUPTION
    reason = _why_not_again(run, result, retries)
    failed_at = child.status.finished_at or draft.now.steady
    next_at = failed_at + back_off(retries, run.id, run.attempt)
    if reason is None and child.timeouts.run is not None and next_at >= run.started_at + child.timeouts.run:
        reason = OutcomeReason.TIMED_OUT
    if reason is not None:
        end_run(draft, run, Outcome.FAILED, reason)
        return
    waiting = replace(run, next_attempt_at=next_at, disruptions=run.disruptions + is_disruption)
    runs = tuple(waiting if one.uid == run.uid else one for one in draft.status.runs)
    draft.status = replace(draft.status, runs=runs)
    owe_failed_attempt(draft, run)


def _why_not_again(run: Run, result: Result | None, retries: Retries) -> OutcomeReason | None:
    """Return why there is no further attempt, None if there is one (R18, R19)."""
    if result is not None and result.reason == FailureReason.RUN_BUDGET:
        return OutcomeReason.TIMED_OUT
    if run.trigger == Trigger.MANUAL:
        return OutcomeReason.RETRIES_USED_UP
    if result is None or result.reason in NEVER_RETRIED:
        return OutcomeReason.NOT_RETRIED
    if result.failure_class == FailureClass.DISRUPTION:
        return None if run.disruptions < retries.disruption_limit else OutcomeReason.RETRIES_USED_UP
    if result.failure_class not in retries.retry_on:
        return OutcomeReason.NOT_RETRIED
    return None if run.attempt - run.disruptions <= retries.limit else OutcomeReason.RETRIES_USED_UP


def _note_success(draft: Draft, run: Run, child: AppServer | None) -> None:
    draft.tell(EventType.NORMAL, EventReason.BUILD_SUCCEEDED, f"Build {run.id} has succeeded", key=run.id)
    if child is not None and child.has_own_template:
        return
    finished_at = _finished_at(draft, child)
    if draft.status.consecutive_failures:
        note = f"Build {run.id} has succeeded after {draft.status.consecutive_failures} failed in a row"
        draft.tell(EventType.NORMAL, EventReason.BUILD_RECOVERED, note, key=run.id)
    owe_recovery(draft, run)
    seconds = max(0, round((finished_at - run.started_at).total_seconds()))
    success = _success(draft, run, child, finished_at)
    note_reproduction(draft, draft.status.last_success, success)
    draft.status = with_condition(
        replace(
            draft.status,
            consecutive_failures=0,
            breaker=None,
            last_success=success,
            durations=(seconds, *draft.status.durations)[:DURATIONS],
        ),
        draft,
        ConditionType.LAST_RUN_SUCCEEDED,
        ("True", ConditionReason.SUCCEEDED, f"run {run.id}"),
    )


def _success(draft: Draft, run: Run, child: AppServer | None, at: datetime) -> LastSuccess:
    inputs = built_from(draft, child)
    return LastSuccess(
        run=run.id,
        app_server=run.app_server,
        at=at,
        inputs=recorded_inputs(inputs),
        input_digest=input_digest(inputs),
        output_digest=None if child is None else child.status.output_digest,
    )


def _note_failure(draft: Draft, run: Run, reason: OutcomeReason | None, child: AppServer | None) -> None:
    result = child.status.result if child is not None else None
    cause = "no attempt left a result" if result is None else f"{result.reason}: {result.message}".rstrip(": ")
    note = f"Build {run.id} has failed ({reason}) in attempt {run.attempt}: {cause}"
    draft.tell(EventType.WARNING, EventReason.BUILD_FAILED, note, key=run.id)
    if child is not None and child.has_own_template:
        owe_failure(draft, run, reason)
        return
    failure_class = result.failure_class if result is not None else FailureClass.INFRASTRUCTURE
    failure = LastFailure(
        run=run.id,
        app_server=run.app_server,
        at=_finished_at(draft, child),
        failure_class=failure_class,
        reason=result.reason if result is not None else "",
        message=result.message if result is not None else "",
    )
    counts = run.trigger == Trigger.SCHEDULE
    draft.status = with_condition(
        replace(
            draft.status,
            last_failure=failure,
            consecutive_failures=draft.status.consecutive_failures + counts,
        ),
        draft,
        ConditionType.LAST_RUN_SUCCEEDED,
        ("False", failure_class, f"run {run.id}, attempt {run.attempt}: {cause}"),
    )
    if counts:
        note_counted_failure(draft, failure.at)
    note_failing(draft, run, failure.at)
    owe_failure(draft, run, reason)


def _finished_at(draft: Draft, child: AppServer | None) -> datetime:
    if child is None or child.status.finished_at is None:
        return draft.now.steady
    return child.status.finished_at
