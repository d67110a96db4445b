"""Days of a zone and the slots on them: boundaries, fractions of a second, and the ends of time."""

from __future__ import annotations

from datetime import UTC, date
from typing import TYPE_CHECKING

import pytest
from tests.builders import at, at_if_any

from periodicbuild.core.crons import Cron
from periodicbuild.core.local_days import Follows, Pattern, date_of, local_day
from periodicbuild.core.zones import zone_named

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

BERLIN = "Europe/Berlin"
NUUK = "America/Nuuk"
APIA = "Pacific/Apia"
ST_JOHNS = "America/St_Johns"

STRETCHES = {
    # zone, date, begin, ends of the stretches
    "an ordinary day": (BERLIN, "2026-11-24", "2026-11-23T23:00", ["2026-11-24T23:00"]),
    "23 hours in spring": (BERLIN, "2026-03-29", "2026-03-28T23:00", ["2026-03-29T01:00", "2026-03-29T22:00"]),
    "25 hours in autumn": (BERLIN, "2026-10-25", "2026-10-24T22:00", ["2026-10-25T01:00", "2026-10-25T23:00"]),
    "half an hour more": (
        "Australia/Lord_Howe",
        "2026-04-05",
        "2026-04-04T13:00",
        ["2026-04-04T15:00", "2026-04-05T13:30"],
    ),
    "the begin in a gap": ("America/Santiago", "2026-09-06", "2026-09-06T04:00", ["2026-09-07T03:00"]),
    "the begin within a gap": ("America/Toronto", "1919-03-31", "1919-03-31T04:30", ["1919-04-01T04:00"]),
    "the end in a gap": (NUUK, "2026-03-28", "2026-03-28T02:00", ["2026-03-29T01:00"]),
    "after a gap at the end of the day before": (NUUK, "2026-03-29", "2026-03-29T01:00", ["2026-03-30T01:00"]),
    "an hour before midnight comes again": (
        NUUK,
        "2026-10-24",
        "2026-10-24T01:00",
        ["2026-10-25T01:00", "2026-10-25T02:00"],
    ),
    "the clock goes back over its midnight": (
        ST_JOHNS,
        "2006-10-29",
        "2006-10-29T02:30",
        ["2006-10-29T02:31", "2006-10-30T03:30"],
    ),
    "a date that was skipped is empty": (APIA, "2011-12-30", "2011-12-30T10:00", ["2011-12-30T10:00"]),
    "the date after it": (APIA, "2011-12-31", "2011-12-30T10:00", ["2011-12-31T10:00"]),
    "the last year but one": (BERLIN, "9998-12-31", "9998-12-30T23:00", ["9998-12-31T23:00"]),
}

DATES = {
    "the first instant of a date": ("2026-11-23T23:00", BERLIN, "2026-11-24"),
    "the last of the date before": ("2026-11-23T22:59:59.999999", BERLIN, "2026-11-23"),
    "before a gap at midnight": ("2026-03-29T00:59:59", NUUK, "2026-03-28"),
    "after it": ("2026-03-29T01:00", NUUK, "2026-03-29"),
    "in the hour that comes again": ("2026-10-25T01:30", NUUK, "2026-10-24"),
    "in the first minute of a date": ("2006-10-29T02:30:30", ST_JOHNS, "2006-10-29"),
    "where the clock shows the date before once more": ("2006-10-29T02:45", ST_JOHNS, "2006-10-29"),
    "before a date that was skipped": ("2011-12-30T09:59:59", APIA, "2011-12-29"),
    "after it ": ("2011-12-30T10:00", APIA, "2011-12-31"),
}

ENDS = {
    "an ordinary date": ("2026-11-24T01:30", BERLIN, "2026-11-24T23:00"),
    "a date that begins with the slot": ("2026-11-23T23:00", BERLIN, "2026-11-24T23:00"),
    "a date of 25 hours": ("2026-10-25T00:30", BERLIN, "2026-10-25T23:00"),
    "a date whose last hour is skipped": ("2026-03-28T12:00", NUUK, "2026-03-29T01:00"),
    "a date before a skipped one": ("2011-12-29T19:00", APIA, "2011-12-30T10:00"),
    "a date of which the clock shows the one before": ("2006-10-29T02:45", ST_JOHNS, "2006-10-30T03:30"),
}

FIRST_AFTER = {
    "just before a slot": ("2026-11-24T01:29:59.999999", "2026-11-24T01:30"),
    "on a slot: the next": ("2026-11-24T01:30", "2026-11-24T13:45"),
    "just after a slot": ("2026-11-24T13:45:00.000001", "2026-11-26T01:30"),
    "in a month without slots": ("2026-12-24T01:30", "2027-11-02T01:30"),
    "on the last day of such a month": ("2027-10-31T22:59:59", "2027-11-02T01:30"),
}

LAST_BEFORE = {
    "on a slot: the one before": ("2026-11-24T13:45", "2026-11-24T01:30"),
    "just after a slot": ("2026-11-24T13:45:00.000001", "2026-11-24T13:45"),
    "just before a slot": ("2026-11-24T13:44:59.999999", "2026-11-24T01:30"),
    "on a day without slots": ("2026-11-25T23:00", "2026-11-24T13:45"),
    "over a month without slots": ("2027-11-02T01:30", "2026-11-30T13:45"),
}

COUNTS = {
    "a slot at the begin is not counted, one at the end is": ("2026-11-24T01:30", "2026-11-24T13:45", 1),
    "nor what is a little later than the end": ("2026-11-24T01:30", "2026-11-24T13:44:59.999999", 0),
    "what is a little later than the begin is": ("2026-11-24T01:29:59.999999", "2026-11-24T01:30", 1),
    "over days with and without slots": ("2026-11-24T01:30", "2026-11-28T01:30", 4),
    "over months without slots": ("2026-11-28T01:30", "2027-11-02T01:30", 4),
    "the other way round": ("2026-11-24T23:00", "2026-11-24T01:00", 0),
}

AT_THE_END = {
    "a date of the last year but one": ("30 2 * * *", BERLIN, "9997-12-31T01:30", "9998-01-01T01:30"),
    "a minute of it": ("*/5 * * * *", "Pacific/Kiritimati", "9997-12-31T09:56", "9997-12-31T10:00"),
    "a date west of it": ("30 2 * * *", "Etc/GMT+12", "9997-12-31T14:30", "9998-01-01T14:30"),
    "no leap year is left": ("0 0 29 2 *", NUUK, "9996-12-31T00:00", None),
    "never due anyway": ("30 2 31 2 *", BERLIN, "9998-06-15T00:00", None),
    "not even fifty days are left": ("30 2 31 2 *", "Etc/GMT+12", "9998-12-31T06:00", None),
    "what comes later is left out": ("0 0 * 1 *", "UTC", "9998-12-31T06:00", None),
    "nor one in the east": ("30 2 31 2 *", "Pacific/Kiritimati", "9998-12-31T06:00", None),
}


def zone(name: str) -> ZoneInfo:
    found = zone_named(name)
    assert found is not None
    return found


EVEN_DAYS_OF_NOVEMBER = Pattern(
    zone=zone(BERLIN),
    times=(2 * 60 + 30, 14 * 60 + 45),
    months=frozenset({11}),
    is_on=lambda day: day.day % 2 == 0,
    follows=Follows.DATE,
)


@pytest.mark.parametrize(("name", "day", "begin", "ends"), STRETCHES.values(), ids=list(STRETCHES))
def test_a_day_is_the_stretch_to_the_first_instant_of_the_next(
    name: str, day: str, begin: str, ends: list[str]
) -> None:
    local = local_day(zone(name), date.fromisoformat(day))
    assert local.begin == at(begin)
    assert local.begin.tzinfo is UTC  # and not, by chance, the zone of the host
    assert [stretch.end for stretch in local.stretches] == [at(end) for end in ends]


def test_a_day_is_regular_if_no_offset_changes_within_it_or_at_its_ends() -> None:
    days = [date(2026, 3, 27), date(2026, 3, 28), date(2026, 3, 29), date(2026, 3, 30)]
    assert [local_day(zone(NUUK), day).is_regular for day in days] == [True, False, False, True]
    assert [local_day(zone(BERLIN), day).is_regular for day in days] == [True, True, False, True]


@pytest.mark.parametrize(("instant", "name", "day"), DATES.values(), ids=list(DATES))
def test_an_instant_lies_in_one_day(instant: str, name: str, day: str) -> None:
    assert date_of(at(instant), zone(name)) == date.fromisoformat(day)


@pytest.mark.parametrize(("instant", "name", "end"), ENDS.values(), ids=list(ENDS))
def test_a_day_ends_with(instant: str, name: str, end: str) -> None:
    pattern = Cron(expression="* * * * *", time_zone=name).pattern()
    assert pattern is not None
    assert pattern.end_of_day(at(instant)) == at(end)


@pytest.mark.parametrize(("instant", "slot"), FIRST_AFTER.values(), ids=list(FIRST_AFTER))
def test_the_first_slot_is_strictly_later(instant: str, slot: str) -> None:
    assert EVEN_DAYS_OF_NOVEMBER.first_after(at(instant)) == at(slot)


@pytest.mark.parametrize(("instant", "slot"), LAST_BEFORE.values(), ids=list(LAST_BEFORE))
def test_the_last_slot_is_strictly_earlier(instant: str, slot: str) -> None:
    assert EVEN_DAYS_OF_NOVEMBER.last_before(at(instant), after=at("2026-11-01T00:00")) == at(slot)


@pytest.mark.parametrize(
    "after", ["2026-11-24T13:45", "2026-11-24T13:45:00.000001", "2026-11-25T12:00", "2026-11-27T00:00"]
)
def test_the_last_slot_is_also_strictly_later_than_where_the_search_ends(after: str) -> None:
    assert EVEN_DAYS_OF_NOVEMBER.last_before(at("2026-11-26T01:30"), after=at(after)) is None


@pytest.mark.parametrize(("after", "until", "number"), COUNTS.values(), ids=list(COUNTS))
def test_slots_are_counted_after_the_begin_and_until_the_end(after: str, until: str, number: int) -> None:
    assert EVEN_DAYS_OF_NOVEMBER.count(after=at(after), until=at(until)) == number


def test_a_day_knows_its_slots() -> None:
    day = EVEN_DAYS_OF_NOVEMBER.day(date(2026, 11, 24))
    assert day.begin == at("2026-11-23T23:00")
    assert [day.slot(index) for index in range(2)] == [at("2026-11-24T01:30"), at("2026-11-24T13:45")]
    assert EVEN_DAYS_OF_NOVEMBER.day(date(2026, 11, 25)).seconds == ()
    assert EVEN_DAYS_OF_NOVEMBER.day(date(2026, 12, 24)).seconds == ()


def test_after_fifty_years_without_a_slot_there_is_none() -> None:
    once = Pattern(
        zone=zone("UTC"),
        times=(0,),
        months=frozenset({11}),
        is_on=lambda day: day == date(2076, 11, 1),
        follows=Follows.DATE,
    )
    assert once.first_after(at("2026-11-24T02:30")) == at("2076-11-01T00:00")
    assert once.first_after(at("2026-10-24T02:30")) is None


@pytest.mark.parametrize(("expression", "name", "instant", "slot"), AT_THE_END.values(), ids=list(AT_THE_END))
def test_the_end_of_the_calendar_is_no_error(expression: str, name: str, instant: str, slot: str | None) -> None:
    pattern = Cron(expression=expression, time_zone=name).pattern()
    assert pattern is not None
    assert pattern.first_after(at(instant)) == at_if_any(slot)
    assert pattern.count(after=at(instant), until=at("9998-12-31T09:59")) == pattern.count(
        after=at(instant), until=at("9998-12-30T00:00")
    ) + pattern.count(after=at("9998-12-30T00:00"), until=at("9998-12-31T09:59"))
