"""The outbox, from what is remembered to what is stored; the mirror image of `parse_mail`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from periodicbuild.core.messages import cut_message
from periodicbuild.kube import wire_mail as wire
from periodicbuild.kube.render_values import reason_text, stored_instant
from periodicbuild.kube.wire_parts import if_any

if TYPE_CHECKING:
    from periodicbuild.core.mail import DeliveryProblem, FailingSince, MailStatus, PendingNotice


def stored_mail(mail: MailStatus) -> wire.MailWire:
    """Give every field, None for what is to disappear."""
    return wire.MailWire(
        failing_since=if_any(_failing_since, mail.failing_since),
        pending=tuple(map(_pending, mail.pending)) or None,
        last_sent_time=if_any(stored_instant, mail.last_sent_at),
        last_reminder_time=if_any(stored_instant, mail.last_reminder_at),
        problem=if_any(_problem, mail.problem),
    )


def _failing_since(since: FailingSince) -> wire.FailingSinceWire:
    return wire.FailingSinceWire(run=since.run, time=stored_instant(since.at))


def _pending(notice: PendingNotice) -> wire.PendingNoticeWire:
    since = notice.failing_since
    return wire.PendingNoticeWire(
        key=notice.key,
        since_time=stored_instant(notice.since_at),
        sinks=notice.sinks,
        app_server=notice.app_server or None,
        reason=reason_text(notice.reason) if notice.reason else None,
        thread=None if since is None else since.run,
        failing_since_time=None if since is None else stored_instant(since.at),
        failures=notice.failures,
        tries=notice.tries,
        next_time=if_any(stored_instant, notice.next_at),
        left_out=notice.left_out,
    )


def _problem(problem: DeliveryProblem) -> wire.DeliveryProblemWire:
    return wire.DeliveryProblemWire(
        reason=reason_text(problem.reason),
        message=cut_message(problem.message) or None,
        time=stored_instant(problem.at),
    )
