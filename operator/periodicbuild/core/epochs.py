"""When a schedule comes into force: the first look, a lost status, an edit, a clock that stepped (R2, R9, R44).

A look that begins an epoch starts nothing; the next one does.  So "new" and "lost" can always be told apart.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.calendars import Calendar
from periodicbuild.core.lateness import miss_unseen_slots, start_offset
from periodicbuild.core.ledger import Ruling, equation_holds
from periodicbuild.core.notices import EventType
from periodicbuild.core.policies import AfterManualRun
from periodicbuild.core.reasons import Decision, EventReason, Fate, Trigger
from periodicbuild.core.runs import is_in_progress
from periodicbuild.core.schedules import SECOND, due_slots, whole_second_down
from periodicbuild.core.status import Run, ScheduleStatus, Slots

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from periodicbuild.core.facts import AppServer
    from periodicbuild.core.look import Draft
    from periodicbuild.core.schedules import Schedule
    from periodicbuild.core.status import BuildStatus

YOUNG = timedelta(hours=24)
"""An object without status that is younger counts from its creation: it is new, its status was not lost (R2)."""
STEP = timedelta(hours=25)
"""A cursor or anchor further ahead than this comes from a clock that was wrong, not from a zone or a drift (R9)."""
IN_TIME = timedelta(seconds=60)
"""A first look this soon after a slot is in time (R10)."""


def begin_first_epoch(draft: Draft) -> bool:
    """Write the first status of a new object, or begin anew above what a lost status left behind (R2, R44)."""
    status = draft.status
    if status.schedule is not None and status.slots is not None and equation_holds(status):
        return False
    children = draft.facts.children
    is_lost = bool(children) or status.slots is not None or status.schedule is not None
    epoch = 1 + max(_epochs(status, children), default=0)
    age = draft.now.wall - draft.build.created_at
    cursor = max(_decided_slots(status, children), default=None)
    since = _since(draft.now.wall, cursor) if is_lost or age >= YOUNG else draft.build.created_at
    schedule = ScheduleStatus(
        in_force=draft.build.spec.schedule,
        epoch=epoch,
        since_at=since,
        anchor_at=_newest_start(children, draft.build.spec.schedule),
        cursor_at=cursor,
        used_date=_used_date(draft.build.spec.schedule, since, _newest_started_slot(status, children)),
    )
    slots = _repaired(status.slots, is_waiting=status.waiting is not None)
    draft.status = replace(
        status,
        schedule=replace(schedule, due_at_since=slots.due),
        slots=slots,
        runs=(*status.runs, *_live_runs(draft)),
    )
    draft.unwritten = None  # it was no slot of this epoch, and is counted nowhere
    if status.waiting is not None:
        draft.rule(Ruling(slot=status.waiting.slot, fate=Fate.SCHEDULE_EDITED, at=draft.now.wall))
    if is_lost:
        note = f"The ledger was lost or edited; a new one begins with epoch {epoch}, and what still runs is kept"
        draft.tell(EventType.WARNING, EventReason.LEDGER_RESET, note, key=str(epoch))
    return True


def begin_next_epoch(draft: Draft) -> bool:
    """Close the schedule in force if the spec has another one or the clock has stepped back (R2, R9)."""
    old, desired = draft.schedule, draft.build.spec.schedule
    has_stepped = any(
        mark is not None and mark > draft.now.wall + STEP for mark in (old.cursor_at, old.anchor_at, old.since_at)
    )
    if old.in_force == desired and not has_stepped:
        return False
    _close_open_slots(draft, Fate.SCHEDULE_EDITED if desired.enabled else Fate.DISABLED)
    cursor = None if has_stepped else draft.schedule.cursor_at
    since = _since(draft.now.wall, cursor)
    started = _newest_started_slot(draft.status, draft.facts.children, until=draft.now.wall if has_stepped else None)
    draft.change_schedule(
        ScheduleStatus(
            in_force=desired,
            epoch=old.epoch + 1,
            since_at=since,
            cursor_at=cursor,
            anchor_at=None if has_stepped else draft.schedule.anchor_at,
            due_at_since=(draft.status.slots or Slots()).due,
            used_date=_used_date(desired, since, started),
        )
    )
    if has_stepped:
        note = "The clock was far ahead and has been set back; the schedule counts from now"
        draft.tell(EventType.WARNING, EventReason.CLOCK_STEPPED, note, key=str(old.epoch + 1))
    return True


def _close_open_slots(draft: Draft, fate: Fate) -> None:
    """Give the slot that waits, and those that fell due unseen, their fate under the schedule that is being closed."""
    wall = draft.now.wall
    if draft.waiting is not None:
        draft.rule(Ruling(slot=draft.waiting.slot, fate=fate, at=wall))
        if draft.schedule.in_force.interval is not None:
            return
    due = due_slots(draft.schedule, wall)
    if due is None:
        return
    if wall - due.newest - start_offset(draft) > IN_TIME:
        miss_unseen_slots(draft, until=wall)
        return
    miss_unseen_slots(draft, until=due.newest - SECOND)
    draft.rule(Ruling(slot=due.newest, fate=fate, at=wall))


def _since(wall: datetime, cursor: datetime | None) -> datetime:
    """Return the begin of an epoch: after a clock was set back, its slots begin where the counted ones end (R9)."""
    return max(whole_second_down(wall), cursor or whole_second_down(wall))


def _used_date(schedule: Schedule, since: datetime, started: datetime | None) -> date | None:
    """Return the date that has had its build when the epoch begins, in the zone now in force (R6)."""
    pattern = schedule.pattern if isinstance(schedule.timing, Calendar) else None
    if pattern is None or started is None:
        return None
    used = started.astimezone(pattern.zone).date()
    return used if used == since.astimezone(pattern.zone).date() else None


def _epochs(status: BuildStatus, children: Iterable[AppServer]) -> Iterable[int]:
    """Give every epoch that has left a trace: the new one must lie above all of them."""
    yield from (child.epoch for child in children)
    yield from (entry.epoch for entry in status.ledger)
    if status.schedule is not None:
        yield status.schedule.epoch


def _decided_slots(status: BuildStatus, children: Iterable[AppServer]) -> Iterable[datetime]:
    """Give the slots that have started or been judged, as far as they have left a trace."""
    yield from (child.slot for child in children if child.slot is not None and child.trigger == Trigger.SCHEDULE)
    yield from (entry.last_slot for entry in status.ledger)
    if status.waiting is not None:
        yield status.waiting.slot


def _newest_started_slot(
    status: BuildStatus, children: Iterable[AppServer], until: datetime | None = None
) -> datetime | None:
    """Return the newest slot, up to an instant, that is known to have started, however its record was lost."""
    slots = [child.slot for child in children if child.slot is not None and child.trigger == Trigger.SCHEDULE]
    slots += [entry.slot for entry in status.ledger if entry.decision == Decision.STARTED]
    if status.last_scheduled is not None:
        slots.append(status.last_scheduled.slot)
    return max((slot for slot in slots if until is None or slot <= until), default=None)


def _newest_start(children: Iterable[AppServer], schedule: Schedule) -> datetime | None:
    """Return what an interval may still be counted from when its anchor was lost."""
    restarts = schedule.interval is not None and schedule.interval.after_manual_run == AfterManualRun.RESTART
    counts = {Trigger.SCHEDULE, Trigger.MANUAL} if restarts else {Trigger.SCHEDULE}
    return max(
        (child.created_at for child in children if child.attempt == 1 and child.run and child.trigger in counts),
        default=None,
    )


def _live_runs(draft: Draft) -> Iterable[Run]:
    """Take up the attempts that are under way, or the newest that was about to begin if none is (R16, R44)."""
    known = {run.id for run in draft.status.runs}
    live = [
        child
        for child in sorted(draft.facts.children, key=lambda child: (child.created_at, child.attempt))
        if child.run is not None
        and child.run not in known
        and not (child.state.is_finished or child.cancelled or child.is_deleting)
    ]
    under_way = [child for child in live if draft.facts.has_begun(child)]
    if not under_way and not is_in_progress(draft):
        under_way = [child for child in live if _may_begin(draft.status, child)][-1:]
    return (_taken_up(draft, child, child.run or child.ref.name) for child in under_way)


def _may_begin(status: BuildStatus, child: AppServer) -> bool:
    """Tell whether nothing that is left speaks against an attempt; one that is no slot's waits for its turn anyway."""
    slot = child.slot
    if child.trigger != Trigger.SCHEDULE or slot is None:
        return False
    return all(one.run == child.run or not one.covers(slot) for one in status.ledger)


def _taken_up(draft: Draft, child: AppServer, run: str) -> Run:
    return Run(
        id=run,
        trigger=child.trigger,
        slot=child.slot,
        started_at=min(one.created_at for one in draft.facts.children if one.run == run),
        attempt=child.attempt,
        app_server=child.ref.name,
        uid=child.ref.uid,
    )


def _repaired(slots: Slots | None, *, is_waiting: bool) -> Slots:
    """Make edited counters add up without lowering any: what nobody can explain was missed."""
    if slots is None:
        return Slots(due=int(is_waiting))
    decided = slots.started + slots.skipped + slots.missed + is_waiting
    return replace(slots, due=max(slots.due, decided), missed=slots.missed + max(0, slots.due - decided))
