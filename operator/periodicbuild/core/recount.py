"""An independent recount of the slots that should be in the ledger (R12).

It deliberately shares no code with `ledger`, `schedules` and `local_days`: a metric that is computed by the code it
watches proves nothing.  It reads what was persisted and asks whether a slot has gone by without a trace.

The one idea a newcomer would miss: where the planner goes date by date and asks which instants a date has, the recount
goes from change to change of the zone's offset and asks which local times lie in between.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from cronsim import CronSim, CronSimError

from periodicbuild.core.calendars import Calendar
from periodicbuild.core.crons import Cron
from periodicbuild.core.zones import zone_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from zoneinfo import ZoneInfo

    from periodicbuild.core.schedules import Interval
    from periodicbuild.core.status import BuildStatus, ScheduleStatus, Waiting

GRACE = timedelta(minutes=2)
"""A slot younger than this may still be on its way into the ledger."""


def unaccounted_slots(
    status: BuildStatus, now: datetime, unwritten: Waiting | None = None, spread: timedelta = timedelta()
) -> int:
    """Return how many slots older than two minutes have neither a fate nor a place to wait: 0 in a healthy system.

    `unwritten` is a wait that the process has seen and not written yet (R41); it counts for as long as that may last.
    A slot may start as late as its `spread` (R8), and is not looked at before.
    """
    schedule = status.schedule
    if schedule is None or not schedule.in_force.enabled:
        return 0
    remembered = unwritten is not None and unwritten.since_at > now - GRACE
    timing = schedule.in_force.timing
    if isinstance(timing, Calendar | Cron):
        expected = expected_slots(schedule, timing, now - GRACE - spread)
        counted = (status.slots.due if status.slots is not None else 0) - schedule.due_at_since
        return max(0, expected - counted - remembered)
    if timing is None or status.waiting is not None or remembered:
        return 0
    return int(_next_start(schedule, timing) < now - GRACE)


def expected_slots(schedule: ScheduleStatus, timing: Calendar | Cron, until: datetime) -> int:
    """Count the slots of a calendar or of cron from the begin of the epoch to an instant, inclusive."""
    after = schedule.since_at
    if schedule.in_force.not_before is not None:
        after = max(after, schedule.in_force.not_before - timedelta(seconds=1))
    clock = _clock(timing)
    if clock is None or until <= after:
        return 0
    # What lies before today is counted once a day, so that a scrape costs no more in a year than in a week.
    midnight = max(after, datetime.combine(until.date(), time(), tzinfo=UTC))
    used = schedule.used_date
    return _count(timing, used, after, midnight) + clock.count(midnight, until, used)


def _next_start(schedule: ScheduleStatus, interval: Interval) -> datetime:
    expected = schedule.since_at
    if schedule.anchor_at is not None and schedule.anchor_at + interval.every > expected:
        expected = schedule.anchor_at + interval.every
    if schedule.in_force.not_before is not None and schedule.in_force.not_before > expected:
        expected = schedule.in_force.not_before
    if schedule.cursor_at is not None and schedule.cursor_at >= expected:
        expected = schedule.cursor_at + timedelta(seconds=1)
    return expected


@lru_cache(maxsize=16_384)
def _count(timing: Calendar | Cron, used: date | None, after: datetime, until: datetime) -> int:
    clock = _clock(timing)
    return 0 if clock is None else clock.count(after, until, used)


@lru_cache(maxsize=4_096)
def _clock(timing: Calendar | Cron) -> _Clock | None:
    zone = zone_named(timing.time_zone)
    if zone is None:
        return None
    if isinstance(timing, Calendar):
        numbers = {("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun").index(day) for day in timing.days}
        return _Clock(zone, [timing.time], lambda day: day.weekday() in numbers, stays=True, elapses=False)
    try:
        cron = CronSim(timing.expression, datetime(2026, 1, 1, tzinfo=UTC))
    except CronSimError:
        return None  # never due, or not readable by this version
    times = [time(hour, minute) for hour in sorted(cron.hours) for minute in sorted(cron.minutes)]
    elapses = any(field.startswith("*") for field in timing.expression.split()[:2])
    return _Clock(
        zone, times, lambda day: day.month in cron.months and cron.match_day(day), stays=False, elapses=elapses
    )


class _Clock:
    """A clock on a wall, some times of which are slots."""

    def __init__(
        self, zone: ZoneInfo, times: list[time], rings: Callable[[date], bool], *, stays: bool, elapses: bool
    ) -> None:
        """`stays`: not beyond the date (R6). `elapses`: the clock is followed through its jumps (R7)."""
        self._zone = zone
        self._times = times
        self._rings = rings
        self._stays = stays
        self._elapses = elapses

    def count(self, after: datetime, until: datetime, used: date | None) -> int:
        """Count the slots in (after, until]."""
        second = timedelta(seconds=1)
        begin, end = after + second, until.replace(microsecond=0) + second
        total, shown_until = 0, None
        for since, to, offset in self._steady_stretches(begin - timedelta(days=2), end):
            low, high = since + offset, to + offset
            if shown_until is not None and not self._elapses:
                if low > shown_until and begin <= since < end:
                    total += self._jumped(shown_until, low, used)
                low = max(low, shown_until)
            total += self._shown(max(low, begin + offset), high, used)
            shown_until = high if shown_until is None else max(high, shown_until)
        return total

    def _steady_stretches(self, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
        """Cut time where the offset changes."""
        while begin < end:
            offset, to = self._offset(begin), begin
            while to < end and self._offset(min(to + timedelta(days=1), end)) == offset:
                to += timedelta(days=1)
            if to < end:
                steady, changed = to, min(to + timedelta(days=1), end)
                while changed - steady > timedelta(seconds=1):
                    middle = steady + (changed - steady) // timedelta(seconds=2) * timedelta(seconds=1)
                    steady, changed = (middle, changed) if self._offset(middle) == offset else (steady, middle)
                to = changed
            yield begin, min(to, end), offset
            begin = to

    def _offset(self, instant: datetime) -> timedelta:
        return instant.astimezone(self._zone).utcoffset() or timedelta()

    def _shown(self, low: datetime, high: datetime, used: date | None) -> int:
        """Count the local times in [low, high), written as if they were UTC."""
        total, day = 0, low.date()
        while day <= high.date():
            if day != used and self._rings(day):
                times = self._times
                if day in (low.date(), high.date()):
                    times = [one for one in times if low <= datetime.combine(day, one, tzinfo=UTC) < high]
                total += len(times)
            day += timedelta(days=1)
        return total

    def _jumped(self, low: datetime, high: datetime, used: date | None) -> int:
        """Tell whether a jump over [low, high) makes up for a slot: one for all, unless one is due then anyway."""
        if self._stays:
            low = max(low, datetime.combine(high.date(), time(), tzinfo=UTC))
        is_due_anyway = self._shown(high, high + timedelta(minutes=1), used) > 0
        return int(self._shown(low, high, used) > 0 and not is_due_anyway)
