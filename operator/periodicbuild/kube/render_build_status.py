"""The status of a PeriodicBuild, from what is remembered to what is stored; the mirror image of `parse_status`.

Must not decide what a status says.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from periodicbuild.core.calendars import Calendar, Weekday
from periodicbuild.core.crons import Cron
from periodicbuild.core.mail import MailStatus
from periodicbuild.core.messages import cut_message
from periodicbuild.core.schedules import Interval
from periodicbuild.kube import wire_status as wire
from periodicbuild.kube.render_changes import recorded_inputs, stored_changes
from periodicbuild.kube.render_mail import stored_mail
from periodicbuild.kube.render_values import reason_text, stored_instant
from periodicbuild.kube.wire_parts import if_any

if TYPE_CHECKING:
    from periodicbuild.core.schedules import Schedule
    from periodicbuild.core.status import (
        Activation,
        AskedActivation,
        BuildStatus,
        Condition,
        LastFailure,
        LastScheduled,
        LastSuccess,
        LedgerEntry,
        Manual,
        OpenBreaker,
        RecoveredLoss,
        Run,
        ScheduleStatus,
        Slots,
        Waiting,
    )


def stored_build_status(status: BuildStatus) -> wire.BuildStatusWire:
    """Give every field, None for what is to disappear."""
    return wire.BuildStatusWire(
        observed_generation=status.observed_generation,
        lease_transitions=status.lease_transitions or None,
        schedule=if_any(lambda schedule: _schedule(schedule, status), status.schedule),
        slots=if_any(_slots, status.slots),
        waiting=if_any(_waiting, status.waiting),
        ledger=msgspec.Raw(msgspec.json.encode([_ledger_entry(entry) for entry in status.ledger] or None)),
        runs=tuple(map(_run, status.runs)) or None,
        manual=if_any(_manual, status.manual),
        last_scheduled=if_any(_last_scheduled, status.last_scheduled),
        last_success=if_any(_last_success, status.last_success),
        last_failure=if_any(_last_failure, status.last_failure),
        changes=if_any(stored_changes, status.changes),
        consecutive_failures=status.consecutive_failures,
        breaker=if_any(_breaker, status.breaker),
        mail=None if status.mail == MailStatus() else stored_mail(status.mail),
        activation=if_any(_activation, status.activation),
        asked_activation=if_any(_asked_activation, status.asked_activation),
        recovered=if_any(_recovered, status.recovered),
        durations_seconds=status.durations or None,
        conditions=tuple(map(stored_condition, status.conditions)) or None,
    )


def _schedule(schedule: ScheduleStatus, status: BuildStatus) -> wire.ScheduleWire:
    return wire.ScheduleWire(
        in_force=_in_force(schedule.in_force),
        epoch=schedule.epoch,
        since_time=stored_instant(schedule.since_at),
        cursor_time=if_any(stored_instant, schedule.cursor_at),
        anchor_time=if_any(stored_instant, schedule.anchor_at),
        due_at_since=schedule.due_at_since,
        used_date=schedule.used_date,
        text=status.schedule_text or None,
        next_slot_time=if_any(stored_instant, status.next_slot),
        upcoming=tuple(map(stored_instant, status.upcoming)) or None,
    )


def _in_force(schedule: Schedule) -> wire.InForceWire:
    return wire.InForceWire(
        enabled=schedule.enabled,
        interval=_interval(schedule.timing) if isinstance(schedule.timing, Interval) else None,
        calendar=_calendar(schedule.timing) if isinstance(schedule.timing, Calendar) else None,
        cron=_cron(schedule.timing) if isinstance(schedule.timing, Cron) else None,
        not_before_time=if_any(stored_instant, schedule.not_before),
    )


def _interval(interval: Interval) -> wire.IntervalWire:
    return wire.IntervalWire(seconds=interval.every // timedelta(seconds=1), after_manual_run=interval.after_manual_run)


def _calendar(calendar: Calendar) -> wire.CalendarWire:
    days = tuple(day for day in Weekday if day in calendar.days)
    return wire.CalendarWire(days=days, time=f"{calendar.time:%H:%M}", time_zone=calendar.time_zone)


def _cron(cron: Cron) -> wire.CronWire:
    return wire.CronWire(expression=cron.expression, time_zone=cron.time_zone)


def _slots(slots: Slots) -> wire.SlotsWire:
    return wire.SlotsWire(due=slots.due, started=slots.started, skipped=slots.skipped, missed=slots.missed)


def _waiting(waiting: Waiting) -> wire.WaitingSlotWire:
    return wire.WaitingSlotWire(
        slot_time=stored_instant(waiting.slot),
        reason=waiting.reason,
        since_time=stored_instant(waiting.since_at),
        message=cut_message(waiting.message) or None,
    )


def _ledger_entry(entry: LedgerEntry) -> wire.LedgerEntryWire:
    return wire.LedgerEntryWire(
        slot_time=stored_instant(entry.slot),
        until_slot_time=if_any(stored_instant, entry.until_slot),
        count=entry.count,
        epoch=entry.epoch,
        decision=entry.decision,
        reason=entry.reason,
        time=stored_instant(entry.decided_at),
        run=entry.run,
        outcome=entry.outcome,
        outcome_reason=entry.outcome_reason,
        inputs=reason_text(entry.inputs) if entry.inputs else None,
        message=cut_message(entry.message) or None,
    )


def _run(run: Run) -> wire.RunWire:
    return wire.RunWire(
        id=run.id,
        trigger=run.trigger,
        slot_time=if_any(stored_instant, run.slot),
        start_time=stored_instant(run.started_at),
        attempt=run.attempt,
        disruptions=run.disruptions,
        app_server=run.app_server,
        uid=run.uid,
        next_attempt_time=if_any(stored_instant, run.next_attempt_at),
        replaced_by_slot_time=if_any(stored_instant, run.replaced_by),
    )


def _manual(manual: Manual) -> wire.ManualWire:
    return wire.ManualWire(token=manual.token, run=manual.run or None)


def _last_scheduled(last: LastScheduled) -> wire.LastScheduledWire:
    return wire.LastScheduledWire(
        slot_time=stored_instant(last.slot), start_time=stored_instant(last.started_at), run=last.run
    )


def _last_success(last: LastSuccess) -> wire.LastSuccessWire:
    return wire.LastSuccessWire(
        run=last.run,
        app_server=last.app_server or None,
        time=stored_instant(last.at),
        inputs=recorded_inputs(last.inputs) or None,
        input_digest=last.input_digest,
        output_digest=last.output_digest,
    )


def _last_failure(last: LastFailure) -> wire.LastFailureWire:
    return wire.LastFailureWire(
        run=last.run,
        app_server=last.app_server or None,
        time=stored_instant(last.at),
        failure_class=reason_text(last.failure_class) if last.failure_class else None,
        reason=reason_text(last.reason) if last.reason else None,
        message=cut_message(last.message) or None,
    )


def _breaker(breaker: OpenBreaker) -> wire.BreakerWire:
    return wire.BreakerWire(
        opened_time=stored_instant(breaker.opened_at),
        next_probe_time=stored_instant(breaker.next_probe_at),
        digest=breaker.digest,
    )


def _activation(activation: Activation) -> wire.ActivationWire:
    return wire.ActivationWire(
        app_server=activation.app_server,
        time=stored_instant(activation.at),
        service_uid=activation.service_uid,
        epoch=activation.epoch,
        slot_time=stored_instant(activation.slot),
        previous=activation.previous,
        fallback_until_time=if_any(stored_instant, activation.fallback_until),
        rolled_back=activation.rolled_back,
    )


def _asked_activation(asked: AskedActivation) -> wire.AskedActivationWire:
    return wire.AskedActivationWire(
        request=asked.request, answer=reason_text(asked.answer), message=cut_message(asked.message) or None
    )


def _recovered(loss: RecoveredLoss) -> wire.RecoveredLossWire:
    return wire.RecoveredLossWire(app_server=loss.app_server, uid=loss.uid, run=loss.run)


def stored_condition(condition: Condition) -> wire.ConditionWire:
    """Give one condition, of either kind that has them as values."""
    return wire.ConditionWire(
        type=condition.type,
        status=condition.status,
        observed_generation=condition.observed_generation,
        last_transition_time=stored_instant(condition.changed_at),
        reason=reason_text(condition.reason),
        message=cut_message(condition.message),
    )
