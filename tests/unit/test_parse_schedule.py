"""The schedule of a spec: every arm, what surrounds it, and a sentence for every mistake (design 2.1, R6-R8)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from tests.builders import a_calendar, a_cron, a_schedule, at
from tests.unit.test_parse_build import parsed_spec

from periodicbuild.core.facts import Starting


def calendar(time: Any = "02:30", **fields: Any) -> dict[str, Any]:
    return {"time": time} | fields


SCHEDULE_ERRORS = {
    "spec.schedule.interval.every: '15:30' is ambiguous": {"interval": {"every": "15:30"}},
    "spec.schedule.interval.every: None is not a text": {"interval": {}},
    "spec.schedule.interval.every: ['24h'] is not a text": {"interval": {"every": ["24h"]}},
    "spec.schedule.interval.every: '90' has no unit": {"interval": {"every": 90}},
    "spec.schedule.interval: '24h' has no fields": {"interval": "24h"},
    "spec.schedule: 'daily' has no fields": "daily",
    "spec.schedule.interval.afterManualRun: 'Rest' is not known: write Restart or Keep": {
        "interval": {"every": "24h", "afterManualRun": "Rest"}
    },
    "spec.schedule.notBefore: 'tomorrow' is no instant": {"notBefore": "tomorrow"},
    "spec.schedule.notBefore: '2026-12-01T00:00:00' is no instant": {"notBefore": "2026-12-01T00:00:00"},
    "spec.schedule.lunar is not known to this version of the operator: update": {"lunar": {"phase": "new"}},
    "spec.schedule: interval and cron are both set: keep one, and set the other to null": {
        "interval": {"every": "24h"},
        "cron": {"expression": "@daily"},
    },
    "spec.schedule.calendar: '02:30' has no fields": {"calendar": "02:30"},
    "spec.schedule.calendar.days: [] has no day selected, so it would never be built": {"calendar": calendar(days=[])},
    "spec.schedule.calendar.days: 'Mon' has no day selected": {"calendar": calendar(days="Mon")},
    "spec.schedule.calendar.days: 'Monday' is not a day: write some of Mon": {"calendar": calendar(days=["Monday"])},
    "spec.schedule.calendar.time: None is not a time of day": {"calendar": {"days": ["Mon"]}},
    "spec.schedule.calendar.time: '24:00' is not a time of day: write two digits each": {"calendar": calendar("24:00")},
    "spec.schedule.calendar.time: '2:3' is not": {"calendar": calendar("2:3")},
    "spec.schedule.calendar.time: '02:60' is not": {"calendar": calendar("02:60")},
    "spec.schedule.calendar.time: 230 is not": {"calendar": calendar(230)},
    "spec.schedule.calendar.timeZone: 1 is not a text": {"calendar": calendar(timeZone=1)},
    "spec.schedule.calendar.startingDeadline: ['6h'] is not a text": {"calendar": calendar(startingDeadline=["6h"])},
    "spec.schedule.calendar.spread: '1 day' is not": {"calendar": calendar(spread="1 day")},
    "spec.schedule.calendar.spread: 24h is not shorter than 23h30m, the shortest time between two": {
        "calendar": calendar(timeZone="Europe/Berlin", spread="24h")
    },
    "spec.schedule.cron.expression: None is not a text": {"cron": {}},
    "spec.schedule.cron.expression: '* * * *' has 4 fields, the fifth": {"cron": {"expression": "* * * *"}},
    "spec.schedule.cron.timeZone: 1 is not a text": {"cron": {"expression": "@daily", "timeZone": 1}},
    "spec.schedule.cron.spread: 5m is not shorter than 1m, the shortest time between two slots of */1 * * * *": {
        "cron": {"expression": "*/1 * * * *", "spread": "5m"}
    },
}


@pytest.mark.parametrize(("sentence", "schedule"), SCHEDULE_ERRORS.items(), ids=SCHEDULE_ERRORS.keys())
def test_a_schedule_that_cannot_be_understood_spawns_nothing_and_says_why(sentence: str, schedule: Any) -> None:
    spec = parsed_spec(enabled=True, schedule=schedule)
    assert spec.schedule_error is not None
    assert spec.schedule_error.startswith(sentence)
    assert spec.schedule == a_schedule(every=None)


def test_a_fraction_of_a_second_in_not_before_is_rounded_up_so_that_status_can_hold_it() -> None:
    schedule = parsed_spec(schedule={"notBefore": "2026-12-01T00:00:00.25Z"}).schedule
    assert schedule.not_before == at("2026-12-01T00:00:01")


def test_an_instant_near_the_end_of_the_calendar_leaves_room_to_calculate() -> None:
    schedule = parsed_spec(schedule={"notBefore": "9999-12-31T23:59:59-23:59"}).schedule
    assert schedule.not_before == at("9900-01-01")


ARMS = {
    "a calendar of every day, by UTC": ({"calendar": calendar()}, a_calendar("02:30")),
    "some days in a zone, whatever their order": (
        {"calendar": calendar("23:05", days=["Fri", "Mon"], timeZone="Europe/Berlin")},
        a_calendar("23:05", days="Mon Fri", zone="Europe/Berlin"),
    ),
    "cron, by UTC": ({"cron": {"expression": "30 2 * * 1-5"}}, a_cron("30 2 * * 1-5")),
    "cron in a zone, normalised": (
        {"cron": {"expression": " 30  2 * * mon-fri", "timeZone": "Asia/Tokyo"}},
        a_cron("30 2 * * MON-FRI", zone="Asia/Tokyo"),
    ),
    "a nickname is what it stands for": ({"cron": {"expression": "@daily"}}, a_cron("0 0 * * *")),
    "an arm that is null is none": ({"interval": None, "cron": {"expression": "@hourly"}}, a_cron("0 * * * *")),
}


@pytest.mark.parametrize(("schedule", "timing"), ARMS.values(), ids=ARMS.keys())
def test_an_arm_is_read_as(schedule: Any, timing: Any) -> None:
    spec = parsed_spec(enabled=True, schedule=schedule)
    assert (spec.schedule, spec.schedule_error) == (a_schedule(timing=timing), None)


def test_deadline_and_spread_stand_beside_the_schedule_so_that_their_edits_are_none_of_it() -> None:
    """R2, R8, R13."""
    spec = parsed_spec(schedule={"calendar": calendar(startingDeadline="6h", spread="10m")})
    assert spec.starting == Starting(deadline=timedelta(hours=6), spread=timedelta(minutes=10))
    assert spec.schedule == parsed_spec(schedule={"calendar": calendar()}).schedule


def test_a_schedule_that_is_never_due_is_readable_and_may_have_any_spread() -> None:
    spec = parsed_spec(schedule={"cron": {"expression": "30 2 31 2 *", "spread": "10m"}})
    assert spec.schedule_error is None


ZONES = {
    "Mars/Phobos": "spec.schedule.cron.timeZone: 'Mars/Phobos' is not a time zone of tzdata",
    "Europe/Berlin ": "spec.schedule.cron.timeZone: 'Europe/Berlin ' is not a time zone of tzdata",
}


@pytest.mark.parametrize(("zone", "sentence"), ZONES.items(), ids=ZONES.keys())
def test_a_zone_that_is_unknown_leaves_the_schedule_what_it_is_without_slots(zone: str, sentence: str) -> None:
    """So a zone that a newer tzdata drops is no edit of the schedule (R2)."""
    spec = parsed_spec(enabled=True, schedule={"cron": {"expression": "@daily", "timeZone": zone}})
    assert spec.schedule == a_schedule(timing=a_cron("0 0 * * *", zone=zone))
    assert not spec.schedule.spawns
    assert spec.schedule_error is not None
    assert spec.schedule_error.startswith(sentence)
