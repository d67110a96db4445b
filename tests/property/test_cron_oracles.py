"""Generated schedules against what wrote them and a clock read minute by minute, and against each other.

The grammar knows what it means by each field it writes; everything else is read off the clock.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from tests.builders import at
from tests.property.cron_cases import CHANGES, COMPARED, MINUTE, SCHEDULES, Clock, a_writer, cases, clock, ours, walk

from periodicbuild.core.calendars import Calendar, Weekday
from periodicbuild.core.local_days import DAY, Pattern
from periodicbuild.core.zones import zone_names

if TYPE_CHECKING:
    from tests.property.cron_writer import Written

MICROSECOND = timedelta(microseconds=1)

minutes = st.sampled_from(["0", "30", "*/20", "15,45", "59", "*/7"])
hours = st.sampled_from(["*", "2", "0,23", "*/6", "1-3", "12"])
dates = st.sampled_from(["* * *", "* * SUN", "1 * *", "L * *", "*/2 * MON-FRI", "29 2 *"])
years = st.datetimes(datetime(2020, 1, 1), datetime(2040, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001  `timezones`
spans = st.timedeltas(timedelta(), timedelta(days=3))


@st.composite
def starts(draw: st.DrawFn) -> tuple[str, datetime]:
    """Draw a zone and an instant, every other time just before the clock of the zone jumps."""
    if draw(st.booleans()):
        zone, change = draw(st.sampled_from(CHANGES))
        return zone, at(change) - draw(spans) / 2
    return draw(st.sampled_from(sorted(zone_names()))), draw(years)


@st.composite
def patterns(draw: st.DrawFn, zone: str) -> Pattern:
    """Draw a calendar or an expression."""
    if draw(st.booleans()):
        return ours(f"{draw(minutes)} {draw(hours)} {draw(dates)}", zone)
    days = draw(st.frozensets(st.sampled_from(Weekday), min_size=1))
    local = draw(st.times()).replace(second=0, microsecond=0)
    pattern = Calendar(days=days, time=local, time_zone=zone).pattern()
    assert pattern is not None
    return pattern


@given(starts(), spans, spans, st.data())
def test_walking_counting_and_looking_back_agree(
    start: tuple[str, datetime], first: timedelta, second: timedelta, data: st.DataObject
) -> None:
    zone, after = start
    pattern = data.draw(patterns(zone))
    middle, until = after + first, after + first + second
    slots = list(walk(pattern, after, until))
    assert slots == sorted(set(slots))
    assert all(after < slot <= until for slot in slots)
    assert pattern.count(after=after, until=until) == len(slots)
    assert pattern.count(after=after, until=middle) + pattern.count(after=middle, until=until) == len(slots)
    assert pattern.count(after=until, until=after) == 0
    assert pattern.last_before(until + MICROSECOND, after=after) == (slots[-1] if slots else None)
    assert all(pattern.last_before(slot + MICROSECOND, after=after) == slot for slot in slots)
    assert all(slot < pattern.end_of_day(slot) <= slot + 2 * DAY for slot in slots)


def due(written: Written, clock: Clock) -> list[datetime]:
    """Read the slots of an expression off a clock (R7)."""
    dates = {one.date(): written.has(one.date()) for one in clock.midnights()}
    if written.is_wild:
        return clock.instants(
            n for n, at in enumerate(clock.shown) if dates[at.date()] and 60 * at.hour + at.minute in written.times
        )
    return clock.instants(
        clock.first(midnight + minutes * MINUTE)
        for midnight in clock.midnights()
        if dates[midnight.date()]
        for minutes in written.times
    )


def test_an_expression_is_due_as_its_writer_and_the_clock_say() -> None:
    for written, around, after in cases("for the clock"):
        case = (written.text, around.zone, after)
        pattern = ours(written.text, around.zone.key)
        wanted = due(written, around)
        assert pattern.count(after=around.begin, until=around.end) == len(wanted), case
        following = [slot for slot in wanted if slot > after][:COMPARED]
        assert list(islice(walk(pattern, after, around.end), COMPARED)) == following, case
        assert pattern.last_before(around.end, after=around.begin) == max(
            (slot for slot in wanted if slot < around.end), default=None
        ), case


def test_a_date_has_slots_as_its_writer_says() -> None:
    writer = a_writer("dates")
    for _ in range(SCHEDULES // 5):
        written = writer.expression()
        pattern, begin = ours(written.text, "UTC"), date(writer.randrange(2020, 2041), 1, 1)
        days = [begin + n * DAY for n in range(366)]
        assert [pattern.has(day) for day in days] == [written.has(day) for day in days], written.text


def test_a_calendar_is_due_as_a_clock_says() -> None:
    writer = a_writer("calendars")
    for _ in range(SCHEDULES):
        around, minutes = clock(*writer.choice(CHANGES)), writer.randrange(24 * 60)
        days = frozenset(writer.sample(list(Weekday), writer.randint(1, 7)))
        calendar = Calendar(days=days, time=time(minutes // 60, minutes % 60), time_zone=around.zone.key)
        firsts = [
            (midnight, around.first(midnight + minutes * MINUTE))
            for midnight in around.midnights()
            if f"{midnight:%a}" in days
        ]
        wanted = around.instants(n for midnight, n in firsts if around.date_at(n) == midnight.date())
        pattern = calendar.pattern()
        assert pattern is not None
        assert list(walk(pattern, around.begin, around.end)) == wanted, calendar
