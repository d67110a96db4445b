"""From what is owed to what there is to say: the notice, put together from what is on record now.

Must not know how it is sent.

The one idea a newcomer would miss: status keeps neither addresses nor text, so a notice is put together anew for every
try.  What has been removed from the cluster meanwhile is left out, and the rest still says what failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from periodicbuild.core.changes import change_lines
from periodicbuild.core.holds import is_gated
from periodicbuild.core.reasons import NoticeKind
from periodicbuild.notify.notice import Failure, Notice

if TYPE_CHECKING:
    from periodicbuild.core.facts import AppServer, PeriodicBuild
    from periodicbuild.core.mail import PendingNotice
    from periodicbuild.core.status import LastFailure


def compose(build: PeriodicBuild, owed: PendingNotice, attempt: AppServer | None, log: str | None) -> Notice:
    """Put a notice together; `attempt` is what it is about, if on record, and `log` a longer end of what that wrote."""
    status = build.status
    run = next((one for one in status.runs if one.id == owed.run), None)
    success, since = status.last_success, owed.failing_since
    return Notice(
        kind=owed.kind,
        key=owed.key,
        uid=build.ref.uid,
        namespace=build.ref.namespace,
        name=build.ref.name,
        thread=owed.run if since is None else since.run,
        run=owed.run,
        trigger="" if attempt is None else attempt.trigger,
        attempt=0 if attempt is None else attempt.attempt,
        app_server=owed.app_server,
        slot=None if attempt is None else attempt.slot,
        owed_at=owed.since_at,
        failure=None if owed.kind == NoticeKind.RUN_RECOVERED else _failure(build, owed, attempt, log),
        outcome_reason=owed.reason,
        failing_since=None if since is None else since.at,
        failures_in_a_row=owed.failures,
        last_success_run=None if success is None else success.run,
        last_success_at=None if success is None else success.at,
        next_attempt_at=None if run is None else run.next_attempt_at,
        next_slot=status.next_slot,
        schedule_text=status.schedule_text,
        changed=change_lines(None if attempt is None else attempt.comparison),
        start_note=next((entry.message for entry in status.ledger if entry.run == owed.run), ""),
        held_back=status.waiting if is_gated(status.waiting) else None,
        left_out=owed.left_out,
    )


def _failure(build: PeriodicBuild, owed: PendingNotice, attempt: AppServer | None, log: str | None) -> Failure | None:
    if attempt is None or attempt.status.result is None:
        last = build.status.last_failure
        return _what_is_left(last) if last is not None and last.run == owed.run else None
    result, status = attempt.status.result, attempt.status
    return Failure(
        failure_class=result.failure_class,
        reason=result.reason,
        message=result.message,
        stage=result.stage,
        container=result.container,
        exit_code=result.exit_code,
        signal=result.signal,
        node=status.node,
        image_digests=status.image_digests,
        log=log or status.log_tail,
    )


def _what_is_left(last: LastFailure) -> Failure:
    return Failure(failure_class=last.failure_class, reason=last.reason, message=last.message)
