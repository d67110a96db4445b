"""The status of a PeriodicBuild, from what is stored to what is remembered (design 2.1).

Must not know how it came to be or what follows from it.

The one idea a newcomer would miss: a status may have been written by a newer operator or edited by a person.  Each
section is read by itself; one that cannot be read counts as never written, and a word that is not known is read as the
one that does the least harm:

| unknown | read as | because |
|---|---|---|
| `waiting.reason` | ApiError | something outside the schedule holds the slot back, and it is asked again at once |
| `runs[].trigger` | Schedule if there is a slot, else Manual | only the schedule's runs have slots |
| `ledger[].decision` | the entry is left out | there are exactly three, the equation says so |
| `ledger[].outcome` | Cancelled | it has ended, and nobody is blamed |
| `inForce.interval.afterManualRun` | Restart | the default; an edit of the spec brings it right |
| `mail.pending[]`, its kind or all of its sinks | the entry is left out | nobody here could tell it |
| `inForce.calendar.days` | the others | likewise: what is in force is then no longer what the spec says |
"""

from __future__ import annotations

from datetime import time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import msgspec

from periodicbuild.core.calendars import Calendar, Weekday
from periodicbuild.core.crons import Cron
from periodicbuild.core.mail import MailStatus
from periodicbuild.core.policies import AfterManualRun
from periodicbuild.core.reasons import Blocker, Decision, Outcome, Trigger
from periodicbuild.core.schedules import Interval, Schedule, Timing
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
from periodicbuild.kube.parse_changes import read_changes, read_recorded_inputs
from periodicbuild.kube.parse_mail import read_mail
from periodicbuild.kube.parse_salvage import read_list, read_object
from periodicbuild.kube.parse_values import instant_of, known, member, text_of, utc
from periodicbuild.kube.wire_parts import if_any
from periodicbuild.kube.wire_status import BuildStatusWire, ConditionWire, LedgerEntryWire

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.kube import wire_status as wire

_STATUS: Final = msgspec.json.Decoder(BuildStatusWire)
_LEDGER: Final = msgspec.json.Decoder(tuple[LedgerEntryWire, ...])


def read_status(raw: msgspec.Raw | bytes) -> tuple[BuildStatus, bytes]:
    """Give the status without its ledger, and the ledger as it was stored."""
    stored = read_object(_STATUS, raw) or BuildStatusWire()
    return _status(stored), bytes(stored.ledger)


def read_ledger(text: bytes) -> tuple[LedgerEntry, ...]:
    """Read the stored ledger, newest first; entries that cannot be read are left out."""
    entries = map(_ledger_entry, read_list(_LEDGER, text))
    return tuple(entry for entry in entries if entry is not None)


def condition(stored: ConditionWire) -> Condition:
    """Read one condition, of either kind of object."""
    return Condition(
        type=stored.type,
        status=stored.status,
        reason=stored.reason,
        message=stored.message,
        observed_generation=stored.observed_generation,
        changed_at=utc(stored.last_transition_time),
    )


def _status(stored: BuildStatusWire) -> BuildStatus:
    shown = stored.schedule
    return BuildStatus(
        observed_generation=stored.observed_generation or 0,
        lease_transitions=stored.lease_transitions or 0,
        schedule=if_any(_schedule, shown),
        slots=if_any(_slots, stored.slots),
        waiting=if_any(_waiting, stored.waiting),
        runs=tuple(map(_run, stored.runs or ())),
        manual=if_any(_manual, stored.manual),
        last_scheduled=if_any(_last_scheduled, stored.last_scheduled),
        last_success=if_any(_last_success, stored.last_success),
        last_failure=if_any(_last_failure, stored.last_failure),
        changes=if_any(read_changes, stored.changes),
        consecutive_failures=stored.consecutive_failures or 0,
        breaker=if_any(_breaker, stored.breaker),
        mail=if_any(read_mail, stored.mail) or MailStatus(),
        activation=if_any(_activation, stored.activation),
        asked_activation=if_any(_asked_activation, stored.asked_activation),
        recovered=if_any(_recovered, stored.recovered),
        durations=stored.durations_seconds or (),
        next_slot=instant_of(shown.next_slot_time) if shown else None,
        upcoming=_instants(shown.upcoming) if shown else (),
        schedule_text=(text_of(shown.text) if shown else None) or "",
        conditions=tuple(map(condition, stored.conditions or ())),
    )


def _instants(value: object) -> tuple[datetime, ...]:
    instants = map(instant_of, value if isinstance(value, list) else ())
    return tuple(instant for instant in instants if instant is not None)


def _schedule(stored: wire.ScheduleWire) -> ScheduleStatus:
    return ScheduleStatus(
        in_force=_in_force(stored.in_force),
        epoch=stored.epoch,
        since_at=utc(stored.since_time),
        cursor_at=if_any(utc, stored.cursor_time),
        anchor_at=if_any(utc, stored.anchor_time),
        due_at_since=stored.due_at_since,
        used_date=stored.used_date,
    )


def _in_force(stored: wire.InForceWire) -> Schedule:
    timing: Timing | None = None
    if stored.interval is not None:
        timing = _interval(stored.interval.seconds, stored.interval.after_manual_run)
    elif stored.calendar is not None:
        timing = _calendar(stored.calendar.days, stored.calendar.time, stored.calendar.time_zone)
    elif stored.cron is not None:
        timing = _cron(stored.cron.expression, stored.cron.time_zone)
    return _shared(enabled=stored.enabled, timing=timing, not_before=if_any(utc, stored.not_before_time))


@lru_cache(maxsize=4_096)
def _interval(seconds: int, after_manual_run: str) -> Interval:
    then = known(AfterManualRun, after_manual_run, otherwise=AfterManualRun.RESTART)
    return Interval(every=timedelta(seconds=seconds), after_manual_run=then)


@lru_cache(maxsize=4_096)
def _calendar(days: tuple[str, ...], clock: str, time_zone: str) -> Calendar | None:
    known_days = frozenset(day for day in (member(Weekday, day) for day in days) if day is not None)
    try:
        return Calendar(days=known_days, time=time.fromisoformat(clock), time_zone=time_zone)
    except ValueError:
        return None


@lru_cache(maxsize=4_096)
def _cron(expression: str, time_zone: str) -> Cron:
    return Cron(expression=expression, time_zone=time_zone)


@lru_cache(maxsize=4_096)
def _shared(*, enabled: bool, timing: Timing | None, not_before: datetime | None) -> Schedule:
    return Schedule(enabled=enabled, timing=timing, not_before=not_before)


def _slots(stored: wire.SlotsWire) -> Slots:
    return Slots(due=stored.due, started=stored.started, skipped=stored.skipped, missed=stored.missed)


def _waiting(stored: wire.WaitingSlotWire) -> Waiting:
    return Waiting(
        slot=utc(stored.slot_time),
        reason=known(Blocker, stored.reason, otherwise=Blocker.API_ERROR),
        since_at=utc(stored.since_time),
        message=text_of(stored.message) or "",
    )


def _ledger_entry(stored: LedgerEntryWire) -> LedgerEntry | None:
    decision = member(Decision, stored.decision)
    if decision is None:
        return None
    outcome = None if stored.outcome is None else known(Outcome, stored.outcome, otherwise=Outcome.CANCELLED)
    return LedgerEntry(
        slot=utc(stored.slot_time),
        epoch=stored.epoch,
        decision=decision,
        reason=stored.reason,
        decided_at=utc(stored.time),
        until_slot=if_any(utc, stored.until_slot_time),
        count=stored.count,
        run=stored.run,
        outcome=outcome,
        outcome_reason=stored.outcome_reason,
        inputs=stored.inputs,
        message=text_of(stored.message) or "",
    )


def _run(stored: wire.RunWire) -> Run:
    return Run(
        id=stored.id,
        trigger=known(Trigger, stored.trigger, otherwise=Trigger.SCHEDULE if stored.slot_time else Trigger.MANUAL),
        slot=if_any(utc, stored.slot_time),
        started_at=utc(stored.start_time),
        attempt=stored.attempt,
        app_server=stored.app_server,
        uid=stored.uid,
        disruptions=stored.disruptions,
        next_attempt_at=if_any(utc, stored.next_attempt_time),
        replaced_by=if_any(utc, stored.replaced_by_slot_time),
    )


def _manual(stored: wire.ManualWire) -> Manual:
    return Manual(token=stored.token, run=stored.run or "")


def _last_scheduled(stored: wire.LastScheduledWire) -> LastScheduled:
    return LastScheduled(slot=utc(stored.slot_time), started_at=utc(stored.start_time), run=stored.run)


def _last_success(stored: wire.LastSuccessWire) -> LastSuccess:
    return LastSuccess(
        run=stored.run,
        app_server=stored.app_server or "",
        at=utc(stored.time),
        inputs=read_recorded_inputs(stored.inputs),
        input_digest=stored.input_digest or None,
        output_digest=stored.output_digest or None,
    )


def _last_failure(stored: wire.LastFailureWire) -> LastFailure:
    return LastFailure(
        run=stored.run,
        app_server=stored.app_server or "",
        at=utc(stored.time),
        failure_class=stored.failure_class or "",
        reason=stored.reason or "",
        message=stored.message or "",
    )


def _breaker(stored: wire.BreakerWire) -> OpenBreaker:
    return OpenBreaker(
        opened_at=utc(stored.opened_time), next_probe_at=utc(stored.next_probe_time), digest=stored.digest
    )


def _activation(stored: wire.ActivationWire) -> Activation:
    return Activation(
        app_server=stored.app_server,
        at=utc(stored.time),
        service_uid=stored.service_uid,
        epoch=stored.epoch,
        slot=utc(stored.slot_time),
        previous=stored.previous or None,
        fallback_until=if_any(utc, stored.fallback_until_time),
        rolled_back=stored.rolled_back or None,
    )


def _asked_activation(stored: wire.AskedActivationWire) -> AskedActivation:
    return AskedActivation(request=stored.request, answer=stored.answer, message=stored.message or "")


def _recovered(stored: wire.RecoveredLossWire) -> RecoveredLoss:
    return RecoveredLoss(app_server=stored.app_server, uid=stored.uid, run=stored.run)
