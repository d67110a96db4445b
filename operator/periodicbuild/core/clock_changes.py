"""Words about the next change of a zone's clock, told ahead if it touches a schedule (design 2.1, R6, R7).

A change touches a schedule if one of its times falls into the hour that is skipped, or into the one that comes twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from periodicbuild.core.local_days import DAY, Follows, LocalDay, Pattern, date_of, local_day
from periodicbuild.core.zones import in_zone

if TYPE_CHECKING:
    from collections.abc import Iterator

TOLD_AHEAD: Final = timedelta(days=14)
HOURS: Final = 24


def clock_changes(pattern: Pattern, now: datetime) -> Iterator[str]:
    """Give a sentence about each change in the next 14 days that touches the pattern."""
    day, last = date_of(now, pattern.zone), date_of(now + TOLD_AHEAD, pattern.zone)
    while day <= last:
        for change in _changes_of(local_day(pattern.zone, day)):
            times = _times_touched(pattern, change)
            if times and now < change.at <= now + TOLD_AHEAD:
                yield _gap_text(pattern, change, times) if change.is_gap else _repeat_text(pattern, change, times)
        day += DAY


@dataclass(frozen=True, slots=True)
class _Change:
    at: datetime
    before: timedelta
    after: timedelta

    @property
    def is_gap(self) -> bool:
        return self.after > self.before

    @property
    def begin(self) -> datetime:
        """The first local time that is skipped or comes twice, written as if it were UTC."""
        return self.at + min(self.before, self.after)

    @property
    def end(self) -> datetime:
        return self.at + max(self.before, self.after)


def _changes_of(local: LocalDay) -> Iterator[_Change]:
    at, before = local.begin, local.before
    for stretch in local.stretches:
        if stretch.offset != before:
            yield _Change(at, before, stretch.offset)
        at, before = stretch.end, stretch.offset


def _times_touched(pattern: Pattern, change: _Change) -> list[datetime]:
    """Return the local times that the change skips or repeats; one that comes every hour anyway is not touched."""
    if pattern.follows == Follows.ELAPSED and len({time // 60 for time in pattern.times}) == HOURS:
        return []
    days = sorted({change.begin.date(), change.end.date()})
    midnights = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in days if pattern.has(day))
    times = (midnight + timedelta(minutes=time) for midnight in midnights for time in pattern.times)
    return [time for time in times if change.begin <= time < change.end]


def _gap_text(pattern: Pattern, change: _Change, times: list[datetime]) -> str:
    what = f"on {times[0]:%a %d %b %Y} the clock of {pattern.zone.key} skips {_shown(times)}"
    is_next_day = (change.at + change.after).date() != times[0].date()
    if pattern.follows == Follows.ELAPSED or (pattern.follows == Follows.DATE and is_next_day):
        return f"{what}: no slot then"
    return f"{what}: due {in_zone(change.at, pattern.zone)} instead"


def _repeat_text(pattern: Pattern, change: _Change, times: list[datetime]) -> str:
    what = f"on {times[0]:%a %d %b %Y} the clock of {pattern.zone.key} shows {_shown(times)} twice"
    if pattern.follows == Follows.ELAPSED:
        return f"{what}: due both times"
    return f"{what}: due once, {in_zone(times[0] - change.before, pattern.zone)}"


def _shown(times: list[datetime]) -> str:
    return f"{times[0]:%H:%M}" if len(times) == 1 else f"{times[0]:%H:%M} to {times[-1]:%H:%M}"
