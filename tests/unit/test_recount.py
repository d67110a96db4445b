"""The recount of calendars and cron, against literal numbers (R12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.builders import a_calendar, a_cron, a_schedule, a_schedule_status, at
from tests.builders.looks import a_wait

from periodicbuild.core.calendars import Calendar
from periodicbuild.core.crons import Cron
from periodicbuild.core.reasons import Blocker
from periodicbuild.core.recount import expected_slots, unaccounted_slots
from periodicbuild.core.schedules import Schedule
from periodicbuild.core.status import BuildStatus, Slots, Waiting

BERLIN = "Europe/Berlin"
YEAR = ("2026-01-01T00:00:00", "2027-01-01T00:00:00")
SPRING = ("2026-03-28T12:00:00", "2026-03-29T12:00:00")
UNTIL_THE_GAP = ("2026-03-29T00:59:59", "2026-03-29T12:00:00")
SINCE_THE_GAP = ("2026-03-29T01:00:00", "2026-03-29T12:00:00")
AUTUMN = ("2026-10-24T12:00:00", "2026-10-25T12:00:00")
NUUK = ("2027-03-27T12:00:00", "2027-03-28T12:00:00")

EXPECTED = {
    "every minute of a year": (a_cron("* * * * *"), YEAR, 525_600),
    "workdays of a year": (a_calendar("02:30", days="Mon Tue Wed Thu Fri", zone=BERLIN), YEAR, 261),
    "29 February": (a_cron("0 0 29 2 *"), YEAR, 0),
    "the second of the month is no begin": (a_cron("0 0 1 * *"), YEAR, 12),
    "a calendar in the gap": (a_calendar("02:30", zone=BERLIN), SPRING, 1),
    "a calendar in the hour that comes twice": (a_calendar("02:30", zone=BERLIN), AUTUMN, 1),
    "a calendar's hour at the end of a date is skipped": (a_calendar("23:30", zone="America/Nuuk"), NUUK, 0),
    "cron makes up for that": (a_cron("30 23 * * *", zone="America/Nuuk"), NUUK, 1),
    "cron's times in the gap are one slot": (a_cron("0,20,40 2 * * *", zone=BERLIN), SPRING, 1),
    "and none, if one is due then anyway": (a_cron("0 2,3 * * *", zone=BERLIN), SPRING, 1),
    "but one of a minute later is another": (a_cron("1 2,3 * * *", zone=BERLIN), SPRING, 2),
    "what makes up for the gap is due at its end": (a_cron("30 2 * * *", zone=BERLIN), UNTIL_THE_GAP, 1),
    "and not later": (a_cron("30 2 * * *", zone=BERLIN), SINCE_THE_GAP, 0),
    "cron in the hour that comes twice": (a_cron("0,20,40 2 * * *", zone=BERLIN), AUTUMN, 3),
    "a wildcard in the gap": (a_cron("*/20 2 * * *", zone=BERLIN), SPRING, 0),
    "a wildcard on the days around the gap": (
        a_cron("*/20 2 * * *", zone=BERLIN),
        ("2026-03-27T12:00:00", "2026-03-30T12:00:00"),
        6,
    ),
    "a wildcard in the hour that comes twice": (a_cron("*/20 2 * * *", zone=BERLIN), AUTUMN, 6),
    "half an hour comes twice": (
        a_cron("*/10 1 * * *", zone="Australia/Lord_Howe"),
        ("2026-04-04T00:00:00", "2026-04-05T00:00:00"),
        9,
    ),
    "an unknown zone": (a_calendar("02:30", zone="Mars/Phobos"), YEAR, 0),
    "an expression that is never due": (a_cron("30 2 31 2 *"), YEAR, 0),
}


@pytest.mark.parametrize(("timing", "span", "count"), EXPECTED.values(), ids=list(EXPECTED))
def test_there_should_be(timing: Calendar | Cron, span: tuple[str, str], count: int) -> None:
    """Begin excluded, end included."""
    assert expected(timing, *span) == count


def expected(timing: Calendar | Cron, since: str, until: str, *, not_before: str | None = None) -> int:
    in_force = a_schedule(timing=timing, not_before=not_before)
    return expected_slots(a_schedule_status(in_force=in_force, since=since), timing, at(until))


def test_the_begin_of_an_epoch_is_excluded_and_the_end_of_the_count_included() -> None:
    timing = a_calendar("02:30")
    assert expected(timing, "2026-11-24T02:30:00", "2026-11-25T02:30:00") == 1
    assert expected(timing, "2026-11-24T02:29:59", "2026-11-25T02:29:59") == 1
    assert expected(timing, "2026-11-24T02:30:00", "2026-11-24T02:30:00") == 0


def test_what_lies_before_not_before_is_not_due() -> None:
    """R8: a slot on it is."""
    assert expected(a_calendar("02:30"), *YEAR, not_before="2026-12-31T02:30:00") == 1
    assert expected(a_calendar("02:30"), *YEAR, not_before="2026-12-31T02:30:01") == 0


EVENING = a_calendar("20:00")
USED_AT_NOON = "2026-11-24T12:00:00"

USED = {
    "it is the date": (EVENING, USED_AT_NOON, "2026-11-24T21:00:00", 0),
    "it was the date before": (EVENING, USED_AT_NOON, "2026-11-25T12:00:00", 0),
    "the next date has its slot": (EVENING, USED_AT_NOON, "2026-11-25T20:00:00", 1),
    "its slot lies in a gap": (a_calendar("02:30", zone=BERLIN), "2026-03-29T00:30:00", "2026-03-29T12:00:00", 0),
}


@pytest.mark.parametrize(("timing", "since", "until", "count"), USED.values(), ids=list(USED))
def test_the_used_date_has_no_slot_when(timing: Calendar, since: str, until: str, count: int) -> None:
    """R6."""
    schedule = a_schedule_status(in_force=a_schedule(timing=timing), since=since)
    used = replace(schedule, used_date=at(since).date())
    assert expected_slots(used, timing, at(until)) == count


HOURLY = a_schedule(timing=a_cron("0 * * * *"))
NOW = "2026-11-24T05:02:00"
"""The slots of 02:00 to 05:00 should be there."""

ACCOUNTS: dict[str, tuple[Schedule, Slots, Waiting | None, timedelta, int]] = {
    "all are counted": (HOURLY, Slots(due=14), None, timedelta(), 0),
    "one is not": (HOURLY, Slots(due=13), None, timedelta(), 1),
    "all are not": (HOURLY, Slots(due=10), None, timedelta(), 4),
    "more than all: a clock was set back": (HOURLY, Slots(due=17), None, timedelta(), 0),
    "the last waits unwritten": (
        HOURLY,
        Slots(due=13),
        a_wait("2026-11-24T05:00:00", reason=Blocker.START_RATE, since="2026-11-24T05:00:30"),
        timedelta(),
        0,
    ),
    "it should have been written": (
        HOURLY,
        Slots(due=13),
        a_wait("2026-11-24T05:00:00", reason=Blocker.START_RATE, since="2026-11-24T05:00:00"),
        timedelta(),
        1,
    ),
    "the last may start within its spread": (HOURLY, Slots(due=13), None, timedelta(minutes=1), 0),
    "off": (replace(HOURLY, enabled=False), Slots(due=10), None, timedelta(), 0),
}


@pytest.mark.parametrize(("in_force", "slots", "unwritten", "spread", "count"), ACCOUNTS.values(), ids=list(ACCOUNTS))
def test_unaccounted_is_what_should_be_there_and_is_not(
    in_force: Schedule, slots: Slots, unwritten: Waiting | None, spread: timedelta, count: int
) -> None:
    schedule = a_schedule_status(in_force=in_force, since="2026-11-24T01:00:00", due_at_since=10)
    status = BuildStatus(schedule=schedule, slots=slots)
    assert unaccounted_slots(status, at(NOW), unwritten, spread) == count


def test_a_status_without_counters_has_counted_nothing() -> None:
    schedule = a_schedule_status(in_force=HOURLY, since="2026-11-24T01:00:00")
    assert unaccounted_slots(BuildStatus(schedule=schedule), at(NOW)) == 4
