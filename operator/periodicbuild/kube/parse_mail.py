"""The outbox in the status of a PeriodicBuild, from what is stored to what is remembered (R39).

Must not know what is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from periodicbuild.core.mail import DeliveryProblem, FailingSince, MailStatus, PendingNotice
from periodicbuild.core.reasons import NoticeKind, SinkName
from periodicbuild.kube.parse_values import member, utc
from periodicbuild.kube.wire_parts import if_any

if TYPE_CHECKING:
    from periodicbuild.kube import wire_mail as wire


def read_mail(stored: wire.MailWire) -> MailStatus:
    """Read `status.mail`; what was owed by a newer operator and cannot be told here is left out."""
    pending = map(_pending, stored.pending or ())
    return MailStatus(
        failing_since=if_any(_failing_since, stored.failing_since),
        pending=tuple(notice for notice in pending if notice is not None),
        last_sent_at=if_any(utc, stored.last_sent_time),
        last_reminder_at=if_any(utc, stored.last_reminder_time),
        problem=if_any(_problem, stored.problem),
    )


def _failing_since(stored: wire.FailingSinceWire) -> FailingSince:
    return FailingSince(run=stored.run, at=utc(stored.time))


def _pending(stored: wire.PendingNoticeWire) -> PendingNotice | None:
    run, _, rest = stored.key.partition("/")
    sinks = tuple(sink for sink in (member(SinkName, name) for name in stored.sinks) if sink is not None)
    if not run or member(NoticeKind, rest.partition("/")[0]) is None or not sinks:
        return None
    is_of_thread = stored.thread is not None and stored.failing_since_time is not None
    return PendingNotice(
        key=stored.key,
        since_at=utc(stored.since_time),
        sinks=sinks,
        app_server=stored.app_server or "",
        reason=stored.reason or "",
        failing_since=FailingSince(run=stored.thread or "", at=utc(stored.failing_since_time or stored.since_time))
        if is_of_thread
        else None,
        failures=stored.failures,
        tries=stored.tries,
        next_at=if_any(utc, stored.next_time),
        left_out=stored.left_out,
    )


def _problem(stored: wire.DeliveryProblemWire) -> DeliveryProblem:
    return DeliveryProblem(reason=stored.reason, message=stored.message or "", at=utc(stored.time))
