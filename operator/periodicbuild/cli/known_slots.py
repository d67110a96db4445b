"""The slots that a status knows: those listed in its ledger, the one that waits, and those of the schedule in force.

Must not know who asks, or words for people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from periodicbuild.core.schedules import SECOND, next_slot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from periodicbuild.core.local_days import Pattern
    from periodicbuild.core.status import BuildStatus, LedgerEntry, ScheduleStatus


def entry_at(status: BuildStatus, slot: datetime) -> LedgerEntry | None:
    """Give the ledger entry that covers a slot."""
    return next((one for one in status.ledger if one.covers(slot)), None)


def slot_in_entry(status: BuildStatus, entry: LedgerEntry, instant: datetime) -> datetime:
    """Give the slot of an entry that an instant belongs to: of several the schedule in force may know which."""
    if entry.until_slot is None or instant >= entry.until_slot:
        return entry.last_slot
    schedule = status.schedule
    pattern = schedule.in_force.pattern if schedule is not None and schedule.epoch == entry.epoch else None
    slot = pattern.last_before(instant + SECOND, after=entry.slot - SECOND) if pattern is not None else None
    return slot or entry.slot


def newest_due_by(schedule: ScheduleStatus, instant: datetime, *, is_open: bool) -> datetime | None:
    """Give the newest slot of the schedule in force at or before the instant; an open interval has no other."""
    if not schedule.in_force.spawns:
        return None
    pattern = schedule.in_force.pattern
    if pattern is None:
        slot = None if is_open else next_slot(schedule)
        return slot if slot is not None and slot <= instant else None
    after = _begin(schedule)
    slot = pattern.last_before(instant + SECOND, after=after)
    if slot is not None and _is_on_used_date(schedule, pattern, slot):
        return pattern.last_before(slot, after=after)
    return slot


def _begin(schedule: ScheduleStatus) -> datetime:
    """Give the instant after which the schedule in force has slots."""
    not_before = schedule.in_force.not_before
    return schedule.since_at if not_before is None else max(schedule.since_at, not_before - SECOND)


def _is_on_used_date(schedule: ScheduleStatus, pattern: Pattern, slot: datetime) -> bool:
    """Tell whether its date had its build before the epoch began (R6)."""
    return schedule.used_date == slot.astimezone(pattern.zone).date()


def slots_around(status: BuildStatus, instant: datetime) -> Iterator[datetime]:
    """Give every slot that may be a neighbour of an instant, in no order."""
    for entry in status.ledger:
        yield entry.slot
        yield entry.last_slot
        if entry.slot <= instant:
            yield slot_in_entry(status, entry, instant)
    if status.waiting is not None:
        yield status.waiting.slot
    schedule = status.schedule
    if schedule is not None and schedule.in_force.spawns:
        yield from _slots_in_force(schedule, instant, is_open=status.waiting is not None)


def _slots_in_force(schedule: ScheduleStatus, instant: datetime, *, is_open: bool) -> Iterator[datetime]:
    """Give the two before and the one after an instant; an interval knows only its next, and none while one is open."""
    pattern = schedule.in_force.pattern
    if pattern is None:
        following = None if is_open else next_slot(schedule)
    else:
        following = pattern.first_after(max(instant, _begin(schedule)))
        if following is not None and _is_on_used_date(schedule, pattern, following):
            following = pattern.first_after(following)
    current = newest_due_by(schedule, instant, is_open=is_open)
    before = None if current is None else newest_due_by(schedule, current - SECOND, is_open=is_open)
    yield from (slot for slot in (before, current, following) if slot is not None)


def listed_since(status: BuildStatus) -> datetime | None:
    """Give the oldest slot that is listed without a gap; runs in progress may have older entries beyond one."""
    listed = sum(entry.count for entry in status.ledger) + (status.waiting is not None)
    if status.slots is None or listed >= status.slots.due:
        return None
    in_progress = {run.id for run in status.runs}
    slots = [entry.slot for entry in status.ledger if entry.run is None or entry.run not in in_progress]
    if status.waiting is not None:
        slots.append(status.waiting.slot)
    slots = slots or [entry.slot for entry in status.ledger]
    return min(slots, default=status.schedule.since_at if status.schedule is not None else None)
