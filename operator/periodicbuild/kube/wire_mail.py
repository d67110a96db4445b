"""The outbox as it is stored, in the status of a PeriodicBuild (R39)."""

from __future__ import annotations

from periodicbuild.kube.wire_parts import Count, Instant, StatusItem, StatusObject


class FailingSinceWire(StatusObject, frozen=True, kw_only=True):
    """`mail.failingSince`."""

    run: str
    time: Instant


class PendingNoticeWire(StatusItem, frozen=True, kw_only=True):
    """One item of `mail.pending`."""

    key: str
    since_time: Instant
    sinks: tuple[str, ...] = ()
    app_server: str | None = None
    reason: str | None = None
    thread: str | None = None
    failing_since_time: Instant | None = None
    failures: Count = 0
    tries: Count = 0
    next_time: Instant | None = None
    left_out: Count = 0


class DeliveryProblemWire(StatusObject, frozen=True, kw_only=True):
    """`mail.problem`."""

    reason: str
    message: str | None = None
    time: Instant


class MailWire(StatusObject, frozen=True, kw_only=True):
    """`mail`."""

    failing_since: FailingSinceWire | None = None
    pending: tuple[PendingNoticeWire, ...] | None = None
    last_sent_time: Instant | None = None
    last_reminder_time: Instant | None = None
    problem: DeliveryProblemWire | None = None
