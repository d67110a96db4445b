"""Every zone of the database at every change of its offset from 2020 to 2040, against the clock read minute by minute.

Times of day are samples near the change: the same in every run, or others, one for every hundred that
`PERIODICBUILD_PROPERTY_EXAMPLES` asks for.  Zones that change alike share what was read from the clock, never what the
code under test says.
"""

from __future__ import annotations

import os
import struct
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from importlib.resources import files
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING, Final

import tzdata
from tests.property.conftest import EXAMPLES

from periodicbuild.core.calendars import EVERY_DAY, Calendar
from periodicbuild.core.crons import Cron
from periodicbuild.core.local_days import DAY, Pattern, date_of, local_day
from periodicbuild.core.zones import zone_named, zone_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from zoneinfo import ZoneInfo

BEGIN: Final = datetime(2020, 1, 1, tzinfo=UTC)
END: Final = datetime(2041, 1, 1, tzinfo=UTC)
STEP: Final = timedelta(days=10)
"""Changes by rule are months apart; those nearer to each other (Gaza, six days) are listed in the files."""
AROUND: Final = timedelta(hours=1)
"""How long the clock is read before and after a change, beside the length of what is skipped or comes twice."""
MINUTE: Final = timedelta(minutes=1)
SECOND: Final = timedelta(seconds=1)
SAMPLES: Final = max(1, int(os.environ.get(EXAMPLES, "100")) // 100)
"""Times of day per change; there are thousands of changes."""
LOSE_A_DATE: Final = {"America/Godthab", "America/Nuuk", "America/Scoresbysund"}
"""Their Saturday before summer time ends at 23:00: no instant of it is at or after a time later than that."""


@dataclass(frozen=True, slots=True)
class Change:
    """The first second of another offset; equal in zones whose clocks show the same around it."""

    zone: ZoneInfo = field(compare=False)
    at: datetime
    before: timedelta
    after: timedelta

    @property
    def last_date(self) -> date:
        """The date shown just before the change."""
        return (self.at + self.before - SECOND).date()

    @property
    def skips_the_end_of_a_date(self) -> bool:
        """Whether the clock jumps to midnight."""
        return self.after > self.before and (self.at + self.after).time() == time()

    @property
    def begin(self) -> datetime:
        """The minute at which the reading of the clock begins."""
        return self.at - AROUND - abs(self.after - self.before)

    @property
    def end(self) -> datetime:
        """The last minute at which it is read."""
        return self.at + AROUND + abs(self.after - self.before)


def the_zone(name: str) -> ZoneInfo:
    zone = zone_named(name)
    assert zone is not None
    return zone


def offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    found = instant.astimezone(zone).utcoffset()
    assert found is not None
    return found


def listed(data: bytes) -> Iterator[datetime]:
    """Give the instants that a TZif file lists (RFC 9636), of all times; the rule at its end is not read."""
    isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt = struct.unpack_from(">6l", data, 20)
    second = 44 + 5 * timecnt + 6 * typecnt + charcnt + 8 * leapcnt + isstdcnt + isutcnt
    (times,) = struct.unpack_from(">l", data, second + 32)
    for seconds in struct.unpack_from(f">{times}q", data, second + 44):
        if BEGIN.timestamp() < seconds < END.timestamp():
            yield datetime.fromtimestamp(seconds, UTC)


@cache
def changes_in(data: bytes, name: str) -> tuple[datetime, ...]:
    """Find all changes of a zone: those its file lists, and those seen from one step to the next."""
    zone = the_zone(name)
    found = {instant for instant in listed(data) if offset(instant, zone) != offset(instant - SECOND, zone)}
    steps = [BEGIN + n * STEP for n in range((END - BEGIN) // STEP + 1)]
    for (early, was), (late, becomes) in pairwise([(step, offset(step, zone)) for step in steps]):
        if was != becomes and not any(early < one <= late for one in found):
            seconds = range((late - early) // SECOND + 1)
            found.add(early + bisect_left(seconds, 1, key=lambda n: offset(early + n * SECOND, zone) != was) * SECOND)
    return tuple(sorted(found))


@cache
def changes() -> dict[str, tuple[Change, ...]]:
    """Give the changes of every zone."""
    alike: dict[bytes, str] = {}
    found = {}
    for name in sorted(zone_names()):
        data = files(tzdata).joinpath("zoneinfo", *name.split("/")).read_bytes()
        zone = the_zone(name)
        instants = changes_in(data, alike.setdefault(data, name))
        found[name] = tuple(Change(zone, at, offset(at - SECOND, zone), offset(at, zone)) for at in instants)
    return found


def every_change() -> list[Change]:
    return [change for of_zone in changes().values() for change in of_zone]


@cache
def clock(change: Change) -> Sequence[datetime]:
    """Read the clock in every minute around a change; what it shows is written as if it were UTC."""
    minutes = (change.end - change.begin) // MINUTE + 1
    return [(change.begin + n * MINUTE).astimezone(change.zone).replace(tzinfo=UTC) for n in range(minutes)]


@cache
def samples(change: Change) -> tuple[int, ...]:
    """Give times of day in minutes, most of them in or at the ends of what is skipped or comes twice."""
    random = Random(None if EXAMPLES in os.environ else repr((change.at, change.before, change.after)))  # noqa: S311
    size = abs(change.after - change.before) // MINUTE
    begin = change.at + min(change.before, change.after)
    near = [-1, 0, 1, size // 2, size - 1, size, random.randrange(size), random.randrange(-60, size + 60)]
    return tuple((60 * begin.hour + begin.minute + random.choice(near)) % 1_440 for _ in range(SAMPLES))


def midnights(change: Change) -> list[datetime]:
    """Give the begins of all dates that the clock shows, and of the one before."""
    dates = {local.date() for local in clock(change)}
    return [datetime(one.year, one.month, one.day, tzinfo=UTC) for one in sorted(dates | {min(dates) - DAY})]


def first_shown(change: Change, since: datetime, until: datetime) -> int:
    """Find the first minute at which the clock shows at least `since` but not `until`; 0 if not, or before."""
    return next((minute for minute, local in enumerate(clock(change)) if since <= local < until), 0)


@cache
def once_per_date(change: Change, minutes: int) -> list[datetime]:
    """Read off what R6 says: the first instant of a date at or after a time, in (begin, end]."""
    found = [first_shown(change, midnight + minutes * MINUTE, midnight + DAY) for midnight in midnights(change)]
    return [change.begin + minute * MINUTE for minute in sorted(found) if minute]


@cache
def once_per_time(change: Change, times: tuple[int, ...]) -> list[datetime]:
    """Read off what R7 says of fixed times: the first instant at which a time is shown or over, in (begin, end]."""
    wanted = [midnight + minutes * MINUTE for midnight in midnights(change) for minutes in times]
    found = {first_shown(change, local, local + 2 * DAY) for local in wanted}
    return [change.begin + minute * MINUTE for minute in sorted(found) if minute]


@cache
def whenever_shown(change: Change, times: tuple[int, ...]) -> list[datetime]:
    """Read off what R7 says of wildcards: every minute at which a time is shown, in (begin, end]."""
    shown = list(enumerate(clock(change)))[1:]
    return [change.begin + minute * MINUTE for minute, at in shown if 60 * at.hour + at.minute in times]


def slots(pattern: Pattern, after: datetime, until: datetime) -> list[datetime]:
    """Walk from slot to slot in (after, until]."""
    found = []
    slot = pattern.first_after(after)
    while slot is not None and slot <= until:
        found.append(slot)
        slot = pattern.first_after(slot)
    return found


def slots_of_days(pattern: Pattern, change: Change) -> list[datetime]:
    """Take the slots in (begin, end] from the days; that walking gives the same is a law of its own."""
    days = [pattern.day(change.last_date + n * DAY) for n in (-1, 0, 1)]
    found = [day.slot(index) for day in days for index in range(len(day.seconds))]
    return [slot for slot in found if change.begin < slot <= change.end]


def cron(expression: str, change: Change) -> Pattern:
    """Read an expression once, for all zones."""
    pattern = Cron(expression=expression, time_zone="UTC").pattern()
    assert pattern is not None
    return replace(pattern, zone=change.zone)


def calendar(minutes: int, zone: ZoneInfo) -> Pattern:
    local = time(minutes // 60, minutes % 60)
    pattern = Calendar(days=EVERY_DAY, time=local, time_zone=zone.key).pattern()
    assert pattern is not None
    return pattern


def begin_of(change: Change, days: int) -> datetime:
    return local_day(change.zone, change.last_date + days * DAY).begin


def test_no_zone_changes_its_offset_twice_within_two_days() -> None:
    """`local_day` relies on once a day, and the clock is read around one change at a time."""
    assert len(every_change()) > 8_000
    for name, found in changes().items():
        for change, following in pairwise(found):
            assert following.at - change.at > 2 * DAY, (name, change.at)


def test_days_tile_time_and_hold_what_the_clock_shows() -> None:
    for change in every_change():
        zone = change.zone
        dates = [change.last_date + n * DAY for n in (-1, 0, 1, 2)]
        days = [local_day(zone, that) for that in dates]
        for day, following in pairwise(days):
            assert day.stretches[-1].end == following.begin, (zone, change.at)
        for that, day in zip(dates, days, strict=True):
            last = day.stretches[-1].end - SECOND
            assert (day.begin - SECOND).astimezone(zone).date() < that == day.begin.astimezone(zone).date()
            assert date_of(day.begin, zone) == date_of(last, zone) == that
            assert [stretch.offset for stretch in day.stretches] == [
                offset(stretch.end - SECOND, zone) for stretch in day.stretches
            ], (zone, change.at)


def test_a_calendar_is_due_once_per_date_at_the_first_instant_that_is_late_enough() -> None:
    """R6: none but the named zones lose a date."""
    for change in every_change():
        for minutes in samples(change):
            case = (change, minutes)
            found = slots(calendar(minutes, change.zone), begin_of(change, -1) - SECOND, begin_of(change, 2) - SECOND)
            assert [slot for slot in found if change.begin < slot <= change.end] == once_per_date(change, minutes), case
            dates = [slot.astimezone(change.zone).date() for slot in found]
            wanted = [change.last_date + n * DAY for n in (-1, 0, 1)]
            is_lost = change.skips_the_end_of_a_date and minutes >= 23 * 60
            assert not is_lost or change.zone.key in LOSE_A_DATE, case
            assert dates == (wanted[::2] if is_lost else wanted), case


def test_only_these_zones_lose_a_date() -> None:
    losing = set()
    for change in every_change():
        found = slots(calendar(23 * 60 + 30, change.zone), begin_of(change, 0) - SECOND, begin_of(change, 1) - SECOND)
        losing |= {change.zone.key} if not found else set()
    assert losing == LOSE_A_DATE


def test_a_fixed_time_is_due_once_per_date_and_equal_instants_are_one_slot() -> None:
    """R7: a time that is skipped moves to the first instant after the gap, if need be on the next date."""
    for change in every_change():
        for minutes in samples(change):
            hour, minute = divmod(minutes, 60)
            single = cron(f"{minute} {hour} * * *", change)
            assert single.count(after=begin_of(change, -1) - SECOND, until=begin_of(change, 2) - SECOND) == 3
            other = (minute + 30) % 60
            several = cron(f"{minute},{other} {hour},{(hour + 1) % 24} * * *", change)
            assert slots_of_days(several, change) == once_per_time(change, several.times), (change, minutes)


def test_a_wildcard_is_due_whenever_the_clock_shows_it() -> None:
    """R7: it follows elapsed time."""
    for change in every_change():
        for hour, minute in (divmod(minutes, 60) for minutes in samples(change)):
            expression = f"{minute} * * * *" if minute % 2 else f"*/20 {hour},{(hour + 1) % 24} * * *"
            wild = cron(expression, change)
            assert slots_of_days(wild, change) == whenever_shown(change, wild.times), (change, expression)
