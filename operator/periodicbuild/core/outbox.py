"""The outbox: what people are owed, what is due to be sent, and what became of it (R38, R39).

Must not know addresses beyond whether there are any, nor what a mail says.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from periodicbuild.core.mail import DeliveryProblem, FailingSince, PendingNotice
from periodicbuild.core.messages import cut_message
from periodicbuild.core.notices import EventType
from periodicbuild.core.reasons import ConditionReason, EventReason, NoticeKind
from periodicbuild.core.recipients import domains_of, sinks_for
from periodicbuild.core.schedules import whole_second_down

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.look import Draft
    from periodicbuild.core.mail import Delivery, MailStatus
    from periodicbuild.core.reasons import OutcomeReason, SinkName
    from periodicbuild.core.status import Run

MOST_PENDING: Final = 10
"""As the CRD bounds them; beyond, the oldest is given up and the newest says so."""
PAUSES: Final = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), *[timedelta(hours=1)] * 24)
"""Before each further try; after the last one it is given up, since the next failure, or reminder, says the same.

Tries are counted, and not the time since the fact: an operator that was down for a day has tried nothing.
"""


def note_failing(draft: Draft, run: Run, at: datetime) -> None:
    """Begin a thread, unless one has begun since the last success."""
    if draft.status.mail.failing_since is None:
        _set(draft, replace(draft.status.mail, failing_since=FailingSince(run=run.id, at=at)))


def owe_failure(draft: Draft, run: Run, reason: OutcomeReason | None) -> None:
    """Owe that a run has failed for good."""
    _owe(draft, NoticeKind.RUN_FAILED, run.id, app_server=run.app_server, reason=reason or "")


def owe_failed_attempt(draft: Draft, run: Run) -> None:
    """Owe that an attempt has failed and another one follows."""
    _owe(draft, NoticeKind.ATTEMPT_FAILED, run.id, app_server=run.app_server, detail=str(run.attempt))


def owe_recovery(draft: Draft, run: Run) -> None:
    """Owe that a run has succeeded if one had failed since the success before; the thread ends with it."""
    if draft.status.mail.failing_since is not None:
        _owe(draft, NoticeKind.RUN_RECOVERED, run.id, app_server=run.app_server)
        _set(draft, replace(draft.status.mail, failing_since=None, last_reminder_at=None))


def remind(draft: Draft) -> None:
    """Owe a reminder if nothing has happened for long since a failure was told.

    A run in progress is about to tell, and whoever has turned the schedule off knows.
    """
    failing, last = draft.status.mail.failing_since, draft.status.last_failure
    wanted = draft.build.spec.notifications
    if failing is None or last is None or draft.status.runs or not draft.build.spec.schedule.enabled:
        return
    if not sinks_for(NoticeKind.STILL_FAILING, wanted, draft.facts.telling):
        return
    due = max(last.at, draft.status.mail.last_reminder_at or last.at) + wanted.remind_every
    if draft.now.steady >= due:
        _owe(
            draft,
            NoticeKind.STILL_FAILING,
            last.run,
            app_server=last.app_server,
            detail=f"{draft.now.steady:%Y%m%d-%H%M%S}",
        )
        _set(draft, replace(draft.status.mail, last_reminder_at=whole_second_down(draft.now.steady)))
        due = draft.now.steady + wanted.remind_every
    draft.wake_at(steady=due)


def settle_deliveries(draft: Draft) -> None:
    """Write down what became of the tries, and give up what has been tried for a day."""
    for notice in draft.status.mail.pending:
        delivery = draft.facts.deliveries.get(notice.key)
        if delivery is not None and delivery.tries == notice.tries:
            _settle(draft, notice, delivery)


def due_notices(draft: Draft) -> tuple[PendingNotice, ...]:
    """Return what is to be sent now, oldest first, and ask to look again when the next one is."""
    due = []
    for notice in draft.status.mail.pending:
        if notice.next_at is None or draft.now.steady >= notice.next_at:
            due.append(notice)
        else:
            draft.wake_at(steady=notice.next_at)
    return tuple(due)


def _owe(  # noqa: PLR0913 - keywords that all go into the one value
    draft: Draft, kind: NoticeKind, run_id: str, *, app_server: str, reason: str = "", detail: str = ""
) -> None:
    sinks = sinks_for(kind, draft.build.spec.notifications, draft.facts.telling)
    if not sinks:
        return
    pending = draft.status.mail.pending
    dropped = pending[: max(0, len(pending) + 1 - MOST_PENDING)]
    notice = PendingNotice(
        key="/".join(part for part in (run_id, kind, detail) if part),
        since_at=whole_second_down(draft.now.steady),
        sinks=sinks,
        app_server=app_server,
        reason=reason,
        failing_since=draft.status.mail.failing_since,
        failures=draft.status.consecutive_failures,
        left_out=sum(1 + one.left_out for one in dropped),
    )
    others = tuple(one for one in pending[len(dropped) :] if one.key != notice.key)
    _set(draft, replace(draft.status.mail, pending=(*others, notice)))
    for one in dropped:
        _give_up(draft, one, f"more than {MOST_PENDING} facts waited to be told, and this was the oldest")


def _settle(draft: Draft, notice: PendingNotice, delivery: Delivery) -> None:
    _note_result(draft, notice, delivery)
    left = tuple(sink for sink in notice.sinks if sink not in delivery.delivered | delivery.given_up)
    has_been_tried_enough = notice.tries >= len(PAUSES)
    kept = (_later(draft, notice, left),) if left and not has_been_tried_enough else ()
    pending = draft.status.mail.pending
    place = pending.index(notice)
    _set(draft, replace(draft.status.mail, pending=(*pending[:place], *kept, *pending[place + 1 :])))
    if (left and has_been_tried_enough) or (delivery.given_up and not delivery.refused):
        _give_up(draft, notice, delivery.problem)


def _later(draft: Draft, notice: PendingNotice, sinks: tuple[SinkName, ...]) -> PendingNotice:
    next_at = whole_second_down(draft.now.steady) + PAUSES[notice.tries]
    return replace(notice, sinks=sinks, tries=notice.tries + 1, next_at=next_at)


def _note_result(draft: Draft, notice: PendingNotice, delivery: Delivery) -> None:
    """Note what a person should know of the last delivery; one without a blemish takes back what was noted."""
    mail = draft.status.mail
    sent_at = whole_second_down(draft.now.steady) if delivery.delivered else mail.last_sent_at
    _set(draft, replace(mail, last_sent_at=sent_at, problem=None))
    if delivery.refused:
        message = f"{delivery.problem} (at {domains_of(delivery.refused)})"
        _note_problem(draft, ConditionReason.RECIPIENT_REFUSED, message)
        draft.tell(EventType.WARNING, EventReason.NOTIFICATION_FAILED, f"{notice.key}: {message}", key=notice.key)
    elif delivery.problem:
        known = mail.problem.reason if mail.problem is not None else ConditionReason.RETRYING
        _note_problem(draft, known, delivery.problem)


def _give_up(draft: Draft, notice: PendingNotice, why: str) -> None:
    _note_problem(draft, ConditionReason.DELIVERY_FAILED, why)
    note = f"{notice.key} was not told and will not be: {why}"
    draft.tell(EventType.WARNING, EventReason.NOTIFICATION_FAILED, note, key=notice.key)


def _note_problem(draft: Draft, reason: str, message: str) -> None:
    problem = DeliveryProblem(reason=reason, message=cut_message(message), at=whole_second_down(draft.now.steady))
    _set(draft, replace(draft.status.mail, problem=problem))


def _set(draft: Draft, mail: MailStatus) -> None:
    draft.status = replace(draft.status, mail=mail)
