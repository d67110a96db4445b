"""Schedules and their slots.

A schedule is a value: equal values are one schedule, so `24h` and `1 00:00:00` are no edit of each other (R2).

The one idea a newcomer would miss: an interval has one slot at a time, which depends on when the last one started;
calendars and cron have theirs from the beginning, so what became due while nobody looked can be counted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.calendars import Calendar
from periodicbuild.core.crons import Cron
from periodicbuild.core.durations import format_duration
from periodicbuild.core.policies import AfterManualRun

if TYPE_CHECKING:
    from periodicbuild.core.local_days import Pattern
    from periodicbuild.core.status import ScheduleStatus, Waiting

SECOND = timedelta(seconds=1)
"""Slots lie on whole seconds: names and ledger know no fractions."""
UPCOMING = 3
"""Instants shown in `status.schedule.upcoming`."""
LAST_INSTANT = datetime.max.replace(tzinfo=UTC)
"""Nothing can be counted beyond it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Start to start, from the last start that counted (R4)."""

    every: timedelta
    after_manual_run: AfterManualRun = AfterManualRun.RESTART

    def text(self) -> str:
        """Render for people, as in `every 24h`."""
        return f"every {format_duration(self.every)}"

    def tolerated_lateness(self) -> timedelta:
        """How late a start may be and still count as on time, so that lateness does not add up to drift (R4)."""
        return max(SECOND, min(timedelta(seconds=60), self.every / 100))


DEFAULT_INTERVAL = Interval(every=timedelta(days=1))
"""What `schedule` without an arm means; bound late, shown in status, never a schema default."""

Timing = Interval | Calendar | Cron
"""One arm of `spec.schedule`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What decides when builds are due: the part of the spec whose change begins a new epoch (R2)."""

    enabled: bool
    timing: Timing | None
    """None only where the spec's schedule cannot be understood."""
    not_before: datetime | None = None

    @property
    def spawns(self) -> bool:
        """Whether it has slots at all (R1)."""
        return self.enabled and (self.interval is not None or self.pattern is not None)

    @property
    def interval(self) -> Interval | None:
        """The interval, if it is one."""
        return self.timing if isinstance(self.timing, Interval) else None

    @property
    def pattern(self) -> Pattern | None:
        """The slots of a calendar or a cron expression; None also where this version knows its zone no longer."""
        return self.timing.pattern() if isinstance(self.timing, Calendar | Cron) else None

    def end_of_date(self, slot: datetime) -> datetime | None:
        """Return the end of the local date a calendar's slot lies on; None for the other kinds."""
        pattern = self.pattern if isinstance(self.timing, Calendar) else None
        return None if pattern is None else pattern.end_of_day(slot)

    def text(self) -> str:
        """Render for the column `Schedule`."""
        return "not understood" if self.timing is None else self.timing.text()


@dataclass(frozen=True, slots=True, kw_only=True)
class DueSlots:
    """Slots that are due and have no fate yet: all but the newest fell due while nobody looked."""

    newest: datetime
    first: datetime
    """The newest itself if it is the only one."""
    count: int = 1
    """Exact, at any length (R11)."""


def due_slots(schedule: ScheduleStatus, until: datetime) -> DueSlots | None:
    """Find the slots after the cursor and not after `until` (R13); None = there is none.

    While an interval's slot waits the caller must not ask: an interval has one open slot (R4).
    """
    first = next_slot(schedule)
    if first is None or first > until:
        return None
    pattern = schedule.in_force.pattern
    if pattern is None:
        return DueSlots(newest=first, first=first)
    before = first - SECOND
    newest = pattern.last_before(whole_second_down(until) + SECOND, after=before) or first
    count = 1 if newest == first else pattern.count(after=before, until=newest)
    return DueSlots(newest=newest, first=first, count=count)


def next_slot(schedule: ScheduleStatus) -> datetime | None:
    """Return the first slot after the cursor that has no fate yet: due if it lies at or before now (R4, R6, R8).

    None when the schedule has none.  While an interval's slot waits, the caller must not ask.
    """
    if not schedule.in_force.spawns:
        return None
    if schedule.in_force.interval is not None:
        return _next_of_interval(schedule, schedule.in_force.interval)
    not_before = schedule.in_force.not_before
    marks = (schedule.since_at, schedule.cursor_at, None if not_before is None else not_before - SECOND)
    return _next_of_pattern(schedule, max(mark for mark in marks if mark is not None))


def slot_after(schedule: ScheduleStatus, waiting: Waiting | None) -> datetime | None:
    """Return the slot after the one that waits; an interval has none while one is open (R4)."""
    if waiting is None:
        return next_slot(schedule)
    return None if schedule.in_force.interval is not None else next_slot(replace(schedule, cursor_at=waiting.slot))


def upcoming_slots(schedule: ScheduleStatus, waiting: Waiting | None, *, count: int = UPCOMING) -> tuple[datetime, ...]:
    """Return the next instants if nothing intervenes, at most `count`; none while an interval's slot is open."""
    first = slot_after(schedule, waiting)
    if first is None:
        return ()
    if schedule.in_force.interval is not None:
        room = (LAST_INSTANT - first) // schedule.in_force.interval.every
        return tuple(first + n * schedule.in_force.interval.every for n in range(min(count, room + 1)))
    slots = [first]
    while len(slots) < count and (slot := _next_of_pattern(schedule, slots[-1])) is not None:
        slots.append(slot)
    return tuple(slots)


def _next_of_interval(schedule: ScheduleStatus, interval: Interval) -> datetime:
    terms = [schedule.since_at]
    if schedule.anchor_at is not None:
        terms.append(schedule.anchor_at + interval.every)
    if schedule.in_force.not_before is not None:
        terms.append(schedule.in_force.not_before)
    if schedule.cursor_at is not None:
        terms.append(schedule.cursor_at + SECOND)
    return whole_second_up(max(terms))


def _next_of_pattern(schedule: ScheduleStatus, after: datetime) -> datetime | None:
    """Return the first slot strictly later; the date on which the epoch found a build started has none (R6)."""
    pattern = schedule.in_force.pattern
    slot = pattern.first_after(after) if pattern is not None else None
    if pattern is not None and slot is not None and schedule.used_date == slot.astimezone(pattern.zone).date():
        return pattern.first_after(slot)
    return slot


def whole_second_up(instant: datetime) -> datetime:
    """Round up to a whole second: never earlier than asked."""
    return instant if not instant.microsecond else instant.replace(microsecond=0) + SECOND


def whole_second_down(instant: datetime) -> datetime:
    """Cut fractions off: what the API stores."""
    return instant.replace(microsecond=0)
