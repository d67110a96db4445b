"""Edits of calendars and cron: what becomes of their slots, and of a date that has had its build (R2, R6, R9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from tests.builders import a_cron, a_schedule, a_schedule_status, a_spec, an_app_server, an_entry, at
from tests.builders.looks import a_look, a_wait, created, memory, told
from tests.builders.patterns import (
    FIVE,
    JUST_AFTER_TWO,
    NIGHTLY,
    ONE,
    TWO,
    a_pattern_build,
    fates_of,
)
from tests.builders.values import a_calendar

from periodicbuild.core.calendars import Calendar
from periodicbuild.core.plans import BuildPlan
from periodicbuild.core.reasons import State
from periodicbuild.core.schedules import Schedule
from periodicbuild.core.status import Waiting

EDITS = {
    "it waited": (TWO, JUST_AFTER_TWO, a_wait(TWO), [("02:00", None, 1, "ScheduleEdited")]),
    "it waited and a newer one was due": (
        TWO,
        "2026-11-24T03:00:30",
        a_wait(TWO),
        [("02:00", "03:00", 2, "ScheduleEdited")],
    ),
    "it had just fallen due": (ONE, "2026-11-24T02:01:00", None, [("02:00", None, 1, "ScheduleEdited")]),
    "the operator had been down": (ONE, "2026-11-24T04:02:00", None, [("02:00", "04:00", 3, "OperatorDown")]),
    "it had been down and was just back": (
        ONE,
        "2026-11-24T04:00:30",
        None,
        [("02:00", "03:00", 2, "OperatorDown"), ("04:00", None, 1, "ScheduleEdited")],
    ),
    "nothing was due": (ONE, "2026-11-24T01:30:00", None, []),
}


@pytest.mark.parametrize(("cursor", "now", "waiting", "expected"), EDITS.values(), ids=list(EDITS))
def test_an_edit_closes_every_slot_of_the_schedule_that_was_in_force(
    cursor: str, now: str, waiting: Waiting | None, expected: list[object]
) -> None:
    """R2."""
    before = a_pattern_build(cursor=cursor, waiting=waiting)
    edited = replace(before, generation=2, spec=a_spec(schedule=NIGHTLY))
    plan = a_look(edited, now)
    assert fates_of(memory(plan).ledger) == expected
    schedule = memory(plan).schedule
    assert schedule is not None
    assert (schedule.in_force, schedule.epoch) == (NIGHTLY, before.status.schedule.epoch + 1)  # type: ignore[union-attr]  # a_status gives one
    assert schedule.since_at == at(now).replace(microsecond=0)


def test_after_a_clock_was_set_back_an_epoch_begins_where_the_counted_slots_end() -> None:
    """R9: so that the recount knows."""
    before = a_pattern_build(cursor=FIVE)
    plan = a_look(replace(before, generation=2, spec=a_spec(schedule=NIGHTLY)), "2026-11-24T03:30:00")
    assert memory(plan).schedule is not None
    assert memory(plan).schedule.since_at == at(FIVE)  # type: ignore[union-attr]  # asserted above


USED_DATES: dict[str, tuple[Schedule, str | None]] = {
    "a calendar, on the date of the last start": (a_schedule(timing=a_calendar("20:00")), "2026-11-24"),
    "by the zone now in force": (a_schedule(timing=a_calendar("20:00", zone="America/Los_Angeles")), None),
    "a date that is over by the zone now in force": (
        a_schedule(timing=a_calendar("20:00", zone="Pacific/Kiritimati")),
        None,
    ),
    "cron": (a_schedule(timing=a_cron("0 20 * * *")), None),
    "an unknown zone": (a_schedule(timing=a_calendar("20:00", zone="Mars/Phobos")), None),
}


@pytest.mark.parametrize(("schedule", "used"), USED_DATES.values(), ids=list(USED_DATES))
def test_a_date_that_has_had_its_build_gets_no_other_by_an_edit(schedule: Schedule, used: str | None) -> None:
    """R6: once per day, whatever time and zone do."""
    before = a_pattern_build(NIGHTLY, cursor="2026-11-24T01:30:00")
    child = an_app_server(before, slot="2026-11-24T01:30:00")
    started = a_look(
        replace(before, status=replace(before.status, schedule=None)), "2026-11-24T09:00:00", children=[child]
    )
    assert used_date(started) == "2026-11-24"
    edited = replace(before, generation=2, spec=a_spec(schedule=schedule), status=memory(started))
    assert used_date(a_look(edited, "2026-11-24T12:00:00", children=[child])) == used


SET_BACK = {
    "one that had started today": ("2026-11-24T01:30:00", "2026-11-24T09:00:00", "2026-11-24"),
    "one that starts this very second": ("2026-11-24T01:30:00", "2026-11-24T01:30:00", "2026-11-24"),
    "one that started by the clock that was ahead": ("2026-11-24T01:30:00", "2026-11-24T00:10:00", None),
}


@pytest.mark.parametrize(("slot", "now", "used"), SET_BACK.values(), ids=list(SET_BACK))
def test_after_a_clock_was_far_ahead_the_date_is_used_by(slot: str, now: str, used: str | None) -> None:
    """R6, R9: the schedule counts from now, and a date has one build, whatever the clock does."""
    before = a_pattern_build(NIGHTLY, cursor="2026-11-26T01:30:00")
    child = an_app_server(before, slot=slot, state=State.RUNNING)
    plan = a_look(before, now, children=[child])
    assert (told(plan), used_date(plan)) == (("ClockStepped",), used)
    in_the_ledger = replace(before.status, ledger=(an_entry(slot=slot),))
    assert used_date(a_look(replace(before, status=in_the_ledger), now)) == used


def test_a_clock_set_back_by_an_hour_gives_the_date_no_second_build() -> None:
    """R6, R9: the slot that has started lies in the future now."""
    before = a_pattern_build(NIGHTLY, cursor="2026-11-24T01:30:00")
    child = an_app_server(before, slot="2026-11-24T01:30:00", state=State.RUNNING)
    later = a_schedule(timing=a_calendar("04:00", zone="Europe/Berlin"))
    edited = replace(before, generation=2, spec=a_spec(schedule=later))
    assert used_date(a_look(edited, "2026-11-24T00:40:00", children=[child])) == "2026-11-24"


def used_date(plan: BuildPlan) -> str | None:
    """Give the date that the schedule in force passes over."""
    in_force = memory(plan).schedule
    assert in_force is not None
    return str(in_force.used_date) if in_force.used_date else None


PASSED_OVER = {
    "in UTC": (a_calendar("20:00"), "2026-11-24T12:00:00", "2026-11-24T20:00:01", "2026-11-25T20:00:01"),
    "by its zone, whatever the date in UTC": (
        a_calendar("09:00", zone="Pacific/Auckland"),
        "2026-11-23T12:00:00",
        "2026-11-23T20:00:01",
        "2026-11-24T20:00:01",
    ),
}


@pytest.mark.parametrize(("calendar", "since", "on_it", "on_the_next"), PASSED_OVER.values(), ids=list(PASSED_OVER))
def test_the_used_date_is_passed_over(calendar: Calendar, since: str, on_it: str, on_the_next: str) -> None:
    """R6."""
    schedule = a_schedule(timing=calendar)
    in_force = replace(a_schedule_status(in_force=schedule, since=since), used_date=date(2026, 11, 24))
    before = a_pattern_build(schedule)
    used = replace(before, status=replace(before.status, schedule=in_force))
    assert not created(a_look(used, on_it))
    assert created(a_look(used, on_the_next)) == (f"nightly-{at(on_the_next):%Y%m%d}-200000-1",)
