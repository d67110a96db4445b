"""The status of our two kinds as it is stored: the same types are read and written, so no name can differ.

Must not know what a field means.  No enums: what a newer operator wrote is read as text, and judged when it is parsed.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec

from periodicbuild.kube.wire import ABSENT
from periodicbuild.kube.wire_mail import MailWire
from periodicbuild.kube.wire_parts import Count, Instant, Seconds, StatusItem, StatusObject


class IntervalWire(StatusObject, frozen=True, kw_only=True):
    """`schedule.inForce.interval`."""

    seconds: Seconds
    after_manual_run: str


class CalendarWire(StatusObject, frozen=True, kw_only=True):
    """`schedule.inForce.calendar`."""

    days: tuple[str, ...]
    time: str
    time_zone: str


class CronWire(StatusObject, frozen=True, kw_only=True):
    """`schedule.inForce.cron`."""

    expression: str
    time_zone: str


class InForceWire(StatusObject, frozen=True, kw_only=True):
    """`schedule.inForce`."""

    enabled: bool
    interval: IntervalWire | None = None
    calendar: CalendarWire | None = None
    cron: CronWire | None = None
    not_before_time: Instant | None = None


class ScheduleWire(StatusObject, frozen=True, kw_only=True):
    """`schedule`; what is only shown is `Any`, as a slip there must not lose the rest."""

    in_force: InForceWire
    epoch: Count
    since_time: Instant
    cursor_time: Instant | None = None
    anchor_time: Instant | None = None
    due_at_since: Count = 0
    used_date: date | None = None
    text: Any = None
    next_slot_time: Any = None
    upcoming: Any = None


class SlotsWire(StatusObject, frozen=True, kw_only=True):
    """`slots`."""

    due: Count
    started: Count
    skipped: Count
    missed: Count


class WaitingSlotWire(StatusObject, frozen=True, kw_only=True):
    """`waiting`."""

    slot_time: Instant
    reason: str
    since_time: Instant
    message: Any = None


class LedgerEntryWire(StatusItem, frozen=True, kw_only=True):
    """One item of `ledger`."""

    slot_time: Instant
    until_slot_time: Instant | None = None
    count: Count = 1
    epoch: Count
    decision: str
    reason: str
    time: Instant
    run: str | None = None
    outcome: str | None = None
    outcome_reason: str | None = None
    inputs: str | None = None
    message: Any = None


class RecordedInputWire(StatusItem, frozen=True, kw_only=True):
    """One item of `lastSuccess.inputs`."""

    name: str
    revision: str | None = None


class InputWire(RecordedInputWire, frozen=True, kw_only=True):
    """One item of `changes.inputs`."""

    previous: str | None = None
    problem: str | None = None


class ComparisonWire(StatusItem, frozen=True, kw_only=True):
    """The annotation of an AppServer."""

    verdict: str
    inputs: tuple[InputWire, ...] = ()


class ChangesWire(StatusObject, frozen=True, kw_only=True):
    """`changes`."""

    slot_time: Instant
    time: Instant
    verdict: str
    inputs: tuple[InputWire, ...] | None = None


class RunWire(StatusItem, frozen=True, kw_only=True):
    """One item of `runs`."""

    id: str
    trigger: str
    slot_time: Instant | None = None
    start_time: Instant
    attempt: Count
    disruptions: Count = 0
    app_server: str = ""
    uid: str = ""
    next_attempt_time: Instant | None = None
    replaced_by_slot_time: Instant | None = None


class ManualWire(StatusObject, frozen=True, kw_only=True):
    """`manual`."""

    token: str
    run: str | None = None


class LastScheduledWire(StatusObject, frozen=True, kw_only=True):
    """`lastScheduled`."""

    slot_time: Instant
    start_time: Instant
    run: str


class LastSuccessWire(StatusObject, frozen=True, kw_only=True):
    """`lastSuccess`."""

    run: str
    app_server: str | None = None
    time: Instant
    inputs: tuple[RecordedInputWire, ...] | None = None
    input_digest: str | None = None
    output_digest: str | None = None


class LastFailureWire(StatusObject, frozen=True, kw_only=True):
    """`lastFailure`."""

    run: str
    app_server: str | None = None
    time: Instant
    failure_class: str | None = None
    reason: str | None = None
    message: str | None = None


class BreakerWire(StatusObject, frozen=True, kw_only=True):
    """`breaker`."""

    opened_time: Instant
    next_probe_time: Instant
    digest: str


class ActivationWire(StatusObject, frozen=True, kw_only=True):
    """`activation`."""

    app_server: str
    time: Instant
    service_uid: str = msgspec.field(name="serviceUID")
    epoch: Count
    slot_time: Instant
    previous: str | None = None
    fallback_until_time: Instant | None = None
    rolled_back: str | None = None


class AskedActivationWire(StatusObject, frozen=True, kw_only=True):
    """`askedActivation`."""

    request: str
    answer: str
    message: str | None = None


class RecoveredLossWire(StatusObject, frozen=True, kw_only=True):
    """`recovered`."""

    app_server: str
    uid: str
    run: str


class ConditionWire(StatusItem, frozen=True, kw_only=True):
    """One item of `conditions`."""

    type: str
    status: str
    observed_generation: Count = 0
    last_transition_time: Instant
    reason: str
    message: str


class BuildStatusWire(StatusObject, frozen=True, kw_only=True):
    """The status of a PeriodicBuild."""

    observed_generation: Count | None = None
    lease_transitions: Count | None = None
    schedule: ScheduleWire | None = None
    slots: SlotsWire | None = None
    waiting: WaitingSlotWire | None = None
    ledger: msgspec.Raw = ABSENT
    runs: tuple[RunWire, ...] | None = None
    manual: ManualWire | None = None
    last_scheduled: LastScheduledWire | None = None
    last_success: LastSuccessWire | None = None
    last_failure: LastFailureWire | None = None
    changes: ChangesWire | None = None
    consecutive_failures: Count | None = None
    breaker: BreakerWire | None = None
    mail: MailWire | None = None
    activation: ActivationWire | None = None
    asked_activation: AskedActivationWire | None = None
    recovered: RecoveredLossWire | None = None
    durations_seconds: tuple[Count, ...] | None = None
    conditions: tuple[ConditionWire, ...] | None = None


class ResultWire(StatusObject, frozen=True, kw_only=True):
    """`result`."""

    failure_class: str
    reason: str
    stage: str | None = None
    container: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    message: str | None = None


class AppServerStatusWire(StatusObject, frozen=True, kw_only=True):
    """The status of an AppServer; what it does not name a write leaves alone."""

    conditions: tuple[ConditionWire, ...] | None = None
    pod: str | None = None
    start_time: Instant | None = None
    pod_request_time: Instant | None = None
    configuring_time: Instant | None = None
    finish_time: Instant | None = None
    result: ResultWire | None = None
    log_tail: str | None = None
    termination_time: Instant | None = None
    node: str | None = None
    image_digests: tuple[str, ...] | None = None
    output_digest: str | None = None
