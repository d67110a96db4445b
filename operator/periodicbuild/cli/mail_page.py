"""What people are told of a PeriodicBuild: who, of what, what is owed, and the mail itself before it is sent.

Must not know where the page is printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from periodicbuild.cli.errors import AnswerIsNoError
from periodicbuild.cli.tables import Cell, Mood, Table
from periodicbuild.cli.times import NOTHING, both
from periodicbuild.core.durations import format_duration
from periodicbuild.core.mail import FailingSince, PendingNotice
from periodicbuild.core.reasons import ConditionType, NoticeKind, SinkName
from periodicbuild.notify.composing import compose
from periodicbuild.notify.letters import letter

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime
    from email.message import EmailMessage

    from periodicbuild.core.facts import AppServer, PeriodicBuild

UNKNOWN_SENDER = "periodicbuild@localhost"
"""Only the operator knows its own; the preview has no other use for it."""


def mail_tables(build: PeriodicBuild, now: datetime) -> tuple[Table, ...]:
    """Give the page: who is told of what, how the last delivery went, and what is owed."""
    rows = tuple((Cell(f"{label}:"), value) for label, value in _fields(build, now))
    pending = Table(
        title="Not delivered yet:",
        columns=("WHAT", "SINCE", "BY", "TRIES", "NEXT TRY"),
        rows=tuple(_owed(notice, now) for notice in build.status.mail.pending),
    )
    tables = (Table(columns=("", ""), rows=rows), pending)
    return tuple(table for table in tables if table.rows)


def preview(build: PeriodicBuild, attempts: Sequence[AppServer], kind: NoticeKind, now: datetime) -> EmailMessage:
    """Give the mail that would tell of the last failure, or of the last success as a recovery."""
    owed = _as_owed(build, attempts, kind, now)
    attempt = next((one for one in attempts if one.ref.name == owed.app_server), None)
    to = build.spec.notifications.to
    return letter(compose(build, owed, attempt, None), sender=UNKNOWN_SENDER, to=to, domain="localhost")


def _fields(build: PeriodicBuild, now: datetime) -> Iterator[tuple[str, Cell]]:
    wanted, mail = build.spec.notifications, build.status.mail
    yield "PeriodicBuild", Cell(f"{build.ref.namespace}/{build.ref.name}")
    yield "To", Cell(f"{', '.join(wanted.to) or NOTHING} (and whom the operator tells of every PeriodicBuild)")
    yield "Events", Cell(", ".join(kind for kind in NoticeKind if kind in wanted.events))
    yield "Reminds every", Cell(format_duration(wanted.remind_every))
    notified = build.status.condition(ConditionType.NOTIFIED)
    if notified is None:
        yield "Notified", Cell("not looked at yet", Mood.UNSURE)
    else:
        mood = Mood.BAD if notified.status == "False" else Mood.PLAIN
        yield "Notified", Cell(f"{notified.status}: {notified.reason}: {notified.message}", mood)
    yield "Failing since", Cell(NOTHING if mail.failing_since is None else both(mail.failing_since.at, now))
    yield "Last delivery", Cell(both(mail.last_sent_at, now))


def _owed(notice: PendingNotice, now: datetime) -> tuple[Cell, ...]:
    return (
        Cell(notice.key),
        Cell(both(notice.since_at, now)),
        Cell(", ".join(notice.sinks)),
        Cell(str(notice.tries), Mood.BAD if notice.tries else Mood.PLAIN),
        Cell("at once" if notice.next_at is None else both(notice.next_at, now)),
    )


def _as_owed(build: PeriodicBuild, attempts: Sequence[AppServer], kind: NoticeKind, now: datetime) -> PendingNotice:
    """Give what would be owed; raises AnswerIsNoError if there is nothing that it could tell."""
    status = build.status
    last = status.last_success if kind == NoticeKind.RUN_RECOVERED else status.last_failure
    if last is None:
        what = "succeeded" if kind == NoticeKind.RUN_RECOVERED else "failed"
        raise AnswerIsNoError(f"no run of PeriodicBuild {build.ref.name} has {what} yet, so there is nothing to tell")
    since = status.mail.failing_since or FailingSince(run=last.run, at=last.at)
    entry = next((one for one in status.ledger if one.run == last.run), None)
    known = any(one.ref.name == last.app_server for one in attempts)
    return PendingNotice(
        key=f"{last.run}/{kind}",
        since_at=now if kind == NoticeKind.STILL_FAILING else last.at,
        sinks=(SinkName.EMAIL,),
        app_server=last.app_server if known else "",
        reason=(entry.outcome_reason or "") if entry is not None else "",
        failing_since=since,
        failures=status.consecutive_failures,
    )
