"""Slots that follow a wall clock: from local times to instants, through every change of offset (R6, R7).

The one idea a newcomer would miss: a day is the stretch of instants from the first one of its date to the first one of
the next.  So days tile time without gap or overlap, whatever a zone does at midnight, and every slot lies in one day.
A day on which the offset never changes is arithmetic; only the few others are resolved time by time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import Enum, auto
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from zoneinfo import ZoneInfo

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
HORIZON_YEARS = 50
"""A pattern without a slot for so long has none: 29 February on a given weekday comes at least every 40 years."""


class Follows(Enum):
    """What a pattern does where the wall clock jumps."""

    DATE = auto()
    """Once per date: at the first instant at or after the time, if that is still the same date (R6)."""
    CLOCK = auto()
    """Once per time: in a gap at the first instant after it, of a repeated time the first (R7)."""
    ELAPSED = auto()
    """Whenever the clock shows the time: never in a gap, twice in a repeated hour (R7)."""


@dataclass(frozen=True, slots=True)
class Day:
    """The slots of one day."""

    begin: datetime
    """UTC; the first instant of the date."""
    seconds: tuple[int, ...]
    """Slots in seconds after `begin`, strictly ascending."""

    def slot(self, index: int) -> datetime:
        """Return one of the slots."""
        return self.begin + self.seconds[index] * SECOND

    def count_until(self, instant: datetime) -> int:
        """Count the slots at or before an instant."""
        return bisect_right(self.seconds, (instant - self.begin) // SECOND)

    def count_before(self, instant: datetime) -> int:
        """Count the slots before an instant."""
        return bisect_left(self.seconds, (instant - self.begin) / SECOND)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """Times of day on some dates of one zone."""

    zone: ZoneInfo
    times: tuple[int, ...]
    """Minutes after midnight by the wall clock, ascending."""
    months: frozenset[int]
    """Months that have slots at all; the others are skipped in one step."""
    is_on: Callable[[date], bool]
    """Whether a date of these months has slots."""
    follows: Follows

    def first_after(self, instant: datetime) -> datetime | None:
        """Return the first slot strictly later, None if there is none within 50 years."""
        first = date_of(instant, self.zone)
        horizon = first.replace(year=min(first.year + HORIZON_YEARS, date.max.year - 1), day=1)
        for _, day in self._days(first, horizon):
            index = day.count_until(instant)
            if index < len(day.seconds):
                return day.slot(index)
        return None

    def last_before(self, instant: datetime, *, after: datetime) -> datetime | None:
        """Return the last slot strictly earlier, None if it is not strictly later than `after`."""
        day, first = date_of(instant, self.zone), date_of(after, self.zone)
        while day >= first:
            slots = self.day(day)
            index = slots.count_before(instant)
            if index:
                slot = slots.slot(index - 1)
                return slot if slot > after else None
            day -= DAY
        return None

    def count(self, *, after: datetime, until: datetime) -> int:
        """Count the slots in (after, until], day by day and so exactly, at any length (R11); 0 if until is earlier."""
        last = date_of(until, self.zone)
        counts = (
            (slots.count_until(until) if day == last else len(slots.seconds)) - slots.count_until(after)
            for day, slots in self._days(date_of(after, self.zone), last)
        )
        return max(0, sum(counts))

    def day(self, day: date) -> Day:
        """Return the slots of one day."""
        local = local_day(self.zone, day)
        if local.is_regular:
            return Day(local.begin, _in_seconds(self.times) if self.has(day) else ())
        return Day(local.begin, tuple(sorted({(slot - local.begin) // SECOND for slot in self._resolved(day, local)})))

    def end_of_day(self, instant: datetime) -> datetime:
        """Return the first instant of the next day."""
        return local_day(self.zone, date_of(instant, self.zone)).stretches[-1].end

    def has(self, day: date) -> bool:
        """Tell whether the pattern has times on a date, whatever the clock does on it."""
        return day.month in self.months and self.is_on(day)

    def _days(self, first: date, last: date) -> Iterator[tuple[date, Day]]:
        """Give the days that may have slots, of their own or, from a gap, of the day before."""
        day = first
        while day <= last:
            if day.month in self.months or day.day == 1:
                if self.has(day) or self.has(day - DAY):
                    yield day, self.day(day)
                day += DAY
            else:
                day = (day.replace(day=1) + 32 * DAY).replace(day=1)

    def _resolved(self, day: date, local: LocalDay) -> Iterable[datetime]:
        """Resolve the times of a day whose offset changes, and those of the date before that a gap puts into it."""
        for of in (day,) if self.follows == Follows.DATE else (day - DAY, day):
            for time in self.times if self.has(of) else ():
                naive = datetime(of.year, of.month, of.day, tzinfo=UTC) + timedelta(minutes=time)
                yield from local.showing(naive) if self.follows == Follows.ELAPSED else local.first_from(naive)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Instants from the end of the one before to `end`, with one offset."""

    end: datetime
    offset: timedelta


@dataclass(frozen=True, slots=True)
class LocalDay:
    """One day of a zone."""

    begin: datetime
    before: timedelta
    """The offset until `begin`."""
    stretches: tuple[Stretch, ...]
    """One, or two if the offset changes on this day."""

    @property
    def is_regular(self) -> bool:
        """Whether no offset changes, at its begin and end either."""
        return self.stretches == (Stretch(self.begin + DAY, self.before),)

    def showing(self, naive: datetime) -> Iterable[datetime]:
        """Give the instants of this day at which the clock shows a time, written as if it were UTC."""
        begin = self.begin
        for stretch in self.stretches:
            if begin <= naive - stretch.offset < stretch.end:
                yield naive - stretch.offset
            begin = stretch.end

    def first_from(self, naive: datetime) -> Iterable[datetime]:
        """Give the first instant at which the clock shows a time or has jumped over it, if it lies in this day."""
        if naive - self.before < self.begin:
            return
        begin = self.begin
        for stretch in self.stretches:
            if naive - stretch.offset < stretch.end:
                yield max(begin, naive - stretch.offset)
                return
            begin = stretch.end


@lru_cache(maxsize=65_536)
def local_day(zone: ZoneInfo, day: date) -> LocalDay:
    """Return the stretch of instants that a date is, with its offsets; no zone changes its offset twice in one.

    A date that a zone has skipped is an empty stretch with the offset of before.
    """
    begin, end = _first_instant(zone, day), _first_instant(zone, day + DAY)
    before, first, last = (_offset(instant, zone) for instant in (begin - SECOND, begin, end - SECOND))
    if first == last or begin == end:
        return LocalDay(begin, before, (Stretch(end, last),))
    change = _change(zone, begin, end - SECOND)
    return LocalDay(begin, before, (Stretch(change, first), Stretch(end, last)))


def date_of(instant: datetime, zone: ZoneInfo) -> date:
    """Return the date of the day that holds an instant; where a clock goes back over midnight it shows another."""
    day = instant.astimezone(zone).date()
    return day if instant < local_day(zone, day).stretches[-1].end else day + DAY


def _first_instant(zone: ZoneInfo, day: date) -> datetime:
    """Return the first instant whose local date is that one or, where a zone has skipped it, a later one."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
    if midnight.astimezone(zone).replace(tzinfo=None) == datetime(day.year, day.month, day.day):  # noqa: DTZ001  local
        return midnight
    # Midnight lies in a gap: its instant by the old offset is after the change, by at most the length of the gap.
    return _change(zone, midnight - DAY, midnight)


def _change(zone: ZoneInfo, early: datetime, late: datetime) -> datetime:
    """Return the first second with the offset of `late`, between two instants that have different ones."""
    offset = _offset(late, zone)
    while late - early > SECOND:
        middle = early + (late - early) // (2 * SECOND) * SECOND
        early, late = (early, middle) if _offset(middle, zone) == offset else (middle, late)
    return late


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    offset = instant.astimezone(zone).utcoffset()
    return timedelta() if offset is None else offset


@lru_cache(maxsize=1_024)
def _in_seconds(times: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(60 * time for time in times)
