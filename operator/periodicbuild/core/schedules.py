"""Schedules and their slots.

A schedule is a value: equal values are one schedule, so `24h` and `1 00:00:00` are no edit of each other (R2).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.durations import format_duration
from periodicbuild.core.reasons import AfterManualRun

if TYPE_CHECKING:
    from periodicbuild.core.status import ScheduleStatus

SECOND = timedelta(seconds=1)
"""Slots lie on whole seconds: names and ledger know no fractions."""
UPCOMING = 3
"""Instants shown in `status.schedule.upcoming`."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """What decides when builds are due: the part of the spec whose change begins a new epoch (R2)."""

    enabled: bool
    interval: Interval | None
    """None only where the spec's schedule cannot be understood."""
    not_before: datetime | None = None

    @property
    def spawns(self) -> bool:
        """Whether it has slots at all (R1)."""
        return self.enabled and self.interval is not None

    def text(self) -> str:
        """Render for the column `Schedule`."""
        return "not understood" if self.interval is None else self.interval.text()


def next_slot(schedule: ScheduleStatus) -> datetime | None:
    """Return the one slot that has no fate yet: due if it lies at or before now, else in the future (R4).

    None when the schedule is off.  While a slot waits, the caller must not ask: an interval has one open slot.
    """
    if not schedule.in_force.spawns or schedule.in_force.interval is None:
        return None
    terms = [schedule.since_at]
    if schedule.anchor_at is not None:
        terms.append(schedule.anchor_at + schedule.in_force.interval.every)
    if schedule.in_force.not_before is not None:
        terms.append(schedule.in_force.not_before)
    if schedule.cursor_at is not None:
        terms.append(schedule.cursor_at + SECOND)
    return whole_second_up(max(terms))


def upcoming_slots(schedule: ScheduleStatus, *, is_waiting: bool) -> tuple[datetime, ...]:
    """Return the next instants if nothing intervenes; empty while a slot is open or the schedule is off."""
    first = None if is_waiting else next_slot(schedule)
    if first is None or schedule.in_force.interval is None:
        return ()
    return tuple(first + n * schedule.in_force.interval.every for n in range(UPCOMING))


def whole_second_up(instant: datetime) -> datetime:
    """Round up to a whole second: never earlier than asked."""
    return instant if not instant.microsecond else instant.replace(microsecond=0) + SECOND


def whole_second_down(instant: datetime) -> datetime:
    """Cut fractions off: what the API stores."""
    return instant.replace(microsecond=0)
