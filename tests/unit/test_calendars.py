"""Days of the week at a local time: how they read, and the one slot of every local date (R6, R7)."""

from __future__ import annotations

from datetime import time

import pytest
from tests.builders import at

from periodicbuild.core.calendars import EVERY_DAY, Calendar, Weekday, days_text
from periodicbuild.core.local_days import Pattern

WORKDAYS = "Mon,Tue,Wed,Thu,Fri"
DAILY = "Mon,Tue,Wed,Thu,Fri,Sat,Sun"

READS = {
    "Mon-Fri 02:30 Europe/Berlin": (WORKDAYS, "02:30", "Europe/Berlin"),
    "daily 02:30 Europe/Berlin": (DAILY, "02:30", "Europe/Berlin"),
    "Mon,Wed,Fri 00:00 Etc/UTC": ("Mon,Wed,Fri", "00:00", "Etc/UTC"),
    "Sun 23:59 Mars/Olympus": ("Sun", "23:59", "Mars/Olympus"),
}

DAYS = {
    "Mon": "Mon",
    "Mon,Tue": "Tue,Mon",
    "Mon-Wed": "Wed,Mon,Tue",
    "Mon,Wed": "Mon,Wed",
    "Mon,Wed-Fri,Sun": "Mon,Wed,Thu,Fri,Sun",
    "Mon,Tue,Thu,Fri": "Mon,Tue,Thu,Fri",
    "Mon-Wed,Fri-Sun": "Mon,Tue,Wed,Fri,Sat,Sun",
    "Mon,Sat,Sun": "Mon,Sat,Sun",
    "Tue-Sun": "Tue,Wed,Thu,Fri,Sat,Sun",
    "daily": DAILY,
}

ONE_PER_DATE = {
    # days, time, zone, after, slots
    "in winter, from a slot on, over the week-end": (
        (WORKDAYS, "02:30", "Europe/Berlin", "2026-11-19T01:30"),
        ["2026-11-20T01:30", "2026-11-23T01:30", "2026-11-24T01:30"],
    ),
    "a time after midnight lies on the evening before in UTC": (
        ("Mon", "00:30", "Asia/Kathmandu", "2026-11-20T00:00"),
        ["2026-11-22T18:45", "2026-11-29T18:45"],
    ),
    "a time before midnight lies on the next day in UTC": (
        ("Sun", "23:30", "America/Los_Angeles", "2026-11-20T00:00"),
        ["2026-11-23T07:30", "2026-11-30T07:30"],
    ),
    "Berlin, spring: 02:30 moves to 03:00, the first instant after the gap": (
        (DAILY, "02:30", "Europe/Berlin", "2026-03-28T00:00"),
        ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"],
    ),
    "Berlin, spring: 02:00 does too": (
        (DAILY, "02:00", "Europe/Berlin", "2026-03-28T00:00"),
        ["2026-03-28T01:00", "2026-03-29T01:00", "2026-03-30T00:00"],
    ),
    "Berlin, spring: 03:00 is where it is": (
        (DAILY, "03:00", "Europe/Berlin", "2026-03-28T00:00"),
        ["2026-03-28T02:00", "2026-03-29T01:00", "2026-03-30T01:00"],
    ),
    "Berlin, autumn: the first of two 02:30": (
        (DAILY, "02:30", "Europe/Berlin", "2026-10-24T00:00"),
        ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"],
    ),
    "Berlin, autumn: 03:00 comes once, after both": (
        (DAILY, "03:00", "Europe/Berlin", "2026-10-24T02:00"),
        ["2026-10-25T02:00", "2026-10-26T02:00"],
    ),
    "Troll, spring: two hours are gone": (
        (DAILY, "01:30", "Antarctica/Troll", "2026-03-28T00:00"),
        ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-29T23:30"],
    ),
    "Santiago, spring: a day that begins at 01:00": (
        (DAILY, "00:00", "America/Santiago", "2026-09-05T00:00"),
        ["2026-09-05T04:00", "2026-09-06T04:00", "2026-09-07T03:00"],
    ),
    "Nuuk, spring: a Saturday that ends at 23:00 has no 23:30": (
        (DAILY, "23:30", "America/Nuuk", "2026-03-27T00:00"),
        ["2026-03-27T01:30", "2026-03-28T01:30", "2026-03-30T00:30"],
    ),
    "Nuuk, spring: Saturdays only": (
        ("Sat", "23:30", "America/Nuuk", "2026-03-21T00:00"),
        ["2026-03-22T01:30", "2026-04-05T00:30"],
    ),
    "Nuuk, spring: 22:59 is the last of that Saturday": (
        ("Sat", "22:59", "America/Nuuk", "2026-03-28T00:00"),
        ["2026-03-29T00:59", "2026-04-04T23:59"],
    ),
    "Nuuk, autumn: the first of two 23:30 on a Saturday of 25 hours": (
        (DAILY, "23:30", "America/Nuuk", "2026-10-24T00:00"),
        ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"],
    ),
    "Lord Howe, spring: 02:15 moves to 02:30, for the gap is half an hour": (
        (DAILY, "02:15", "Australia/Lord_Howe", "2026-10-02T00:00"),
        ["2026-10-02T15:45", "2026-10-03T15:30", "2026-10-04T15:15"],
    ),
    "Lord Howe, autumn: the first of two 01:45": (
        (DAILY, "01:45", "Australia/Lord_Howe", "2026-04-03T00:00"),
        ["2026-04-03T14:45", "2026-04-04T14:45", "2026-04-05T15:15"],
    ),
    "Chatham, spring: 03:00 moves to 03:45": (
        (DAILY, "03:00", "Pacific/Chatham", "2026-09-25T00:00"),
        ["2026-09-25T14:15", "2026-09-26T14:00", "2026-09-27T13:15"],
    ),
    "Chatham, autumn: the first of two 03:00": (
        (DAILY, "03:00", "Pacific/Chatham", "2026-04-03T00:00"),
        ["2026-04-03T13:15", "2026-04-04T13:15", "2026-04-05T14:15"],
    ),
    "Apia: 30 December 2011 never was": (
        (DAILY, "09:00", "Pacific/Apia", "2011-12-28T00:00"),
        ["2011-12-28T19:00", "2011-12-29T19:00", "2011-12-30T19:00", "2011-12-31T19:00"],
    ),
    "Apia: nor was that Friday": (
        ("Fri", "09:00", "Pacific/Apia", "2011-12-23T00:00"),
        ["2011-12-23T19:00", "2012-01-05T19:00"],
    ),
    "St John's, autumn 2006: a minute after midnight the clock goes back to the day before": (
        (DAILY, "00:00", "America/St_Johns", "2006-10-28T00:00"),
        ["2006-10-28T02:30", "2006-10-29T02:30", "2006-10-30T03:30"],
    ),
    "St John's, autumn 2006: and 23:30 of that day is not due again": (
        (DAILY, "23:30", "America/St_Johns", "2006-10-28T00:00"),
        ["2006-10-28T02:00", "2006-10-29T02:00", "2006-10-30T03:00"],
    ),
}

SLOTS_OF_2026 = {
    "every date has one": ("02:30", "Europe/Berlin", "2025-12-31T23:00", "2026-12-31T23:00", 365),
    "a gap takes none in Lord Howe": ("02:15", "Australia/Lord_Howe", "2025-12-31T13:00", "2026-12-31T13:00", 365),
    "but one in Nuuk": ("23:30", "America/Nuuk", "2026-01-01T02:00", "2027-01-01T02:00", 364),
}


def calendar(days: str, local: str, zone: str) -> Calendar:
    return Calendar(days=frozenset(map(Weekday, days.split(","))), time=time.fromisoformat(local), time_zone=zone)


def pattern(days: str, local: str, zone: str) -> Pattern:
    found = calendar(days, local, zone).pattern()
    assert found is not None
    return found


@pytest.mark.parametrize(("text", "case"), READS.items())
def test_a_calendar_reads_well(text: str, case: tuple[str, str, str]) -> None:
    assert calendar(*case).text() == text


@pytest.mark.parametrize(("text", "days"), DAYS.items())
def test_days_read_in_the_order_of_the_week(text: str, days: str) -> None:
    assert days_text(frozenset(map(Weekday, days.split(",")))) == text


def test_every_day_is_the_seven() -> None:
    assert ",".join(Weekday) == DAILY
    assert len(EVERY_DAY) == 7


def test_in_an_unknown_zone_there_is_no_slot() -> None:
    assert calendar(DAILY, "02:30", "Mars/Olympus").pattern() is None


@pytest.mark.parametrize(("case", "slots"), ONE_PER_DATE.values(), ids=list(ONE_PER_DATE))
def test_a_date_has_one_slot(case: tuple[str, str, str, str], slots: list[str]) -> None:
    days, local, zone, instant = case
    found = pattern(days, local, zone)
    after = at(instant)
    for slot in slots:
        assert found.first_after(after) == at(slot)
        assert found.last_before(at(slot), after=at(instant)) == (after if after > at(instant) else None)
        after = at(slot)
    assert found.count(after=at(instant), until=after) == len(slots)


@pytest.mark.parametrize(("local", "zone", "after", "until", "number"), SLOTS_OF_2026.values(), ids=list(SLOTS_OF_2026))
def test_a_year_of_dates_is_counted(local: str, zone: str, after: str, until: str, number: int) -> None:
    assert pattern(DAILY, local, zone).count(after=at(after), until=at(until)) == number
