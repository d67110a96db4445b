"""Slots of calendars and cron that could not start in time (R2, R8, R10, R11, R13)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from tests.builders import a_build, a_cron, a_ref, a_schedule, a_schedule_status, a_spec, an_app_server, an_entry, at
from tests.builders.looks import a_look, a_refusal, a_status, a_wait, created, memory
from tests.builders.values import a_calendar

from periodicbuild.core.facts import PeriodicBuild, Starting
from periodicbuild.core.lateness import spread_offset
from periodicbuild.core.plans import Refused
from periodicbuild.core.reasons import Blocker, Fate
from periodicbuild.core.schedules import Schedule, next_slot
from periodicbuild.core.status import LedgerEntry, Slots, Waiting

HOURLY = a_schedule(timing=a_cron("0 * * * *"))
NIGHTLY = a_schedule(timing=a_calendar("02:30", zone="Europe/Berlin"))
"""02:30 CET = 01:30 UTC in November."""

ONE, TWO, THREE, FOUR, FIVE = (f"2026-11-24T{hour:02}:00:00" for hour in range(1, 6))
JUST_AFTER_TWO = "2026-11-24T02:00:00.5"
JUST_AFTER_FIVE = "2026-11-24T05:00:01"


def build(
    schedule: Schedule = HOURLY,
    *,
    cursor: str = ONE,
    since: str = "2026-11-20T00:00:00",
    waiting: Waiting | None = None,
    starting: Starting | None = None,
) -> PeriodicBuild:
    """Give a build that has been going well until the cursor."""
    status = a_status(
        schedule=a_schedule_status(in_force=schedule, since=since, cursor=waiting.slot if waiting else cursor),
        waiting=waiting,
    )
    spec = a_spec(schedule=schedule)
    return a_build(spec=replace(spec, starting=starting or Starting()), status=status)


def fates(plan_ledger: tuple[LedgerEntry, ...]) -> list[tuple[str, str | None, int, str]]:
    """Show what was decided since the cursor, oldest first."""
    return [
        (f"{entry.slot:%H:%M}", f"{entry.until_slot:%H:%M}" if entry.until_slot else None, entry.count, entry.reason)
        for entry in reversed(plan_ledger[:-1])
    ]


def test_a_slot_that_is_due_starts_under_its_name() -> None:
    assert created(a_look(build(), JUST_AFTER_TWO)) == ("nightly-20261124-020000-1",)


FIRST_SLOTS = {
    "after the cursor": ({"cursor": THREE}, FOUR),
    "after the begin of the epoch": ({"cursor": ONE, "since": "2026-11-24T02:30:00"}, THREE),
    "on `notBefore` itself": ({"cursor": ONE, "not_before": FIVE}, FIVE),
    "after `notBefore`": ({"cursor": ONE, "not_before": "2026-11-24T03:00:01"}, FOUR),
}


@pytest.mark.parametrize(("given", "slot"), FIRST_SLOTS.values(), ids=list(FIRST_SLOTS))
def test_the_next_slot_lies(given: dict[str, str], slot: str) -> None:
    """R2, R8."""
    in_force = replace(HOURLY, not_before=at(given["not_before"]) if "not_before" in given else None)
    since = given.get("since", "2026-11-20T00:00:00")
    assert next_slot(a_schedule_status(in_force=in_force, since=since, cursor=given["cursor"])) == at(slot)


def test_a_look_is_asked_for_when_the_next_slot_is_due() -> None:
    assert a_look(build(), "2026-11-24T01:20:00").wake.wall == at(TWO)


def test_after_downtime_the_newest_starts_and_the_others_are_missed() -> None:
    """R13: never a burst."""
    late = build()
    assert created(a_look(late, JUST_AFTER_FIVE)) == ("nightly-20261124-050000-1",)

    child = an_app_server(late, slot=FIVE, created=JUST_AFTER_FIVE)
    plan = a_look(late, JUST_AFTER_FIVE, children=[child])

    assert fates(memory(plan).ledger) == [
        ("02:00", "04:00", 3, "OperatorDown"),
        ("05:00", None, 1, "Due"),
    ]
    assert memory(plan).slots == Slots(due=5, started=2, missed=3)
    assert [event.note for event in plan.events][:1] == [
        "3 builds due from 2026-11-24T02:00:00Z to 2026-11-24T04:00:00Z were missed: OperatorDown"
    ]


def test_a_year_of_minutes_is_counted_exactly_into_one_entry() -> None:
    """R11."""
    minutely = build(a_schedule(timing=a_cron("* * * * *")), cursor="2025-11-24T00:00:00", since="2025-11-24T00:00:00")
    plan = a_look(minutely, "2026-11-24T00:00:30", may_start=False)
    assert plan.unwritten is not None
    assert plan.unwritten.slot == at("2026-11-24T00:00:00")
    entry = memory(plan).ledger[0]
    assert (entry.slot, entry.until_slot) == (at("2025-11-24T00:01:00"), at("2026-11-23T23:59:00"))
    assert (entry.count, entry.reason) == (365 * 1440 - 1, "OperatorDown")


def test_missed_slots_join_the_entry_of_those_before() -> None:
    """R11: also across looks."""
    missed = an_entry(slot=TWO, fate=Fate.OPERATOR_DOWN, run=None)
    before = build(cursor=TWO)
    before = replace(before, status=replace(before.status, ledger=(missed,), slots=Slots(due=1, missed=1)))
    plan = a_look(before, "2026-11-24T06:00:01", may_start=False)
    (entry,) = memory(plan).ledger
    assert (entry.slot, entry.until_slot, entry.count) == (at(TWO), at(FIVE), 4)


WAITED = {
    "for a build in progress": (Blocker.BUILD_IN_PROGRESS, "Superseded"),
    "for the pool": (Blocker.POOL_FULL, "Superseded"),
    "for the start rate": (Blocker.START_RATE, "Superseded"),
    "for an API that did not answer": (Blocker.API_ERROR, "Superseded"),
    "for a permission": (Blocker.FORBIDDEN, "Forbidden"),
    "for a spec the API takes": (Blocker.INVALID, "Forbidden"),
}


@pytest.mark.parametrize(("reason", "fate"), WAITED.values(), ids=list(WAITED))
@pytest.mark.parametrize("is_written", [True, False], ids=["written", "unwritten"])
def test_a_slot_that_waited_until_the_next_is_closed_by_what_it_waited(
    reason: Blocker, fate: str, *, is_written: bool
) -> None:
    """R13, R41."""
    wait = a_wait(TWO, reason=reason)
    waiting = build(waiting=wait) if is_written else build()
    plan = a_look(
        waiting, "2026-11-24T03:00:01", has_stray_pods=True, unwritten=None if is_written else wait, written=TWO
    )
    assert fates(memory(plan).ledger) == [("02:00", None, 1, fate)]
    assert memory(plan).waiting == a_wait(THREE, since="2026-11-24T03:00:01")
    assert memory(plan).slots == Slots(due=3, started=1, **{_decision(fate): 1})


def _decision(fate: str) -> str:
    return Fate(fate).decision.lower()


def test_of_several_slots_since_one_began_to_wait_only_that_was_seen() -> None:
    """R13."""
    plan = a_look(build(waiting=a_wait(TWO)), JUST_AFTER_FIVE, has_stray_pods=True)
    assert fates(memory(plan).ledger) == [("02:00", None, 1, "Superseded"), ("03:00", "04:00", 2, "OperatorDown")]
    assert memory(plan).waiting == a_wait(FIVE, since=JUST_AFTER_FIVE)


def test_while_a_slot_waits_a_look_is_asked_for_when_the_next_is_due() -> None:
    plan = a_look(build(waiting=a_wait(TWO)), "2026-11-24T02:20:00", has_stray_pods=True)
    assert plan.wake.wall == at(THREE)
    assert memory(plan).waiting == a_wait(TWO)


def test_a_wait_that_was_seen_and_closed_meanwhile_is_forgotten() -> None:
    plan = a_look(build(cursor=TWO), "2026-11-24T02:20:00", unwritten=a_wait(TWO, reason=Blocker.START_RATE))
    assert plan.status is None or plan.status.ledger == build(cursor=TWO).status.ledger


DEADLINES: dict[str, tuple[Schedule, Starting, str, str]] = {
    "its own": (HOURLY, Starting(deadline=timedelta(minutes=20)), TWO, "2026-11-24T02:20:00"),
    "the end of the local date": (NIGHTLY, Starting(), "2026-11-24T01:30:00", "2026-11-24T23:00:00"),
    "two hours, late in the day": (
        a_schedule(timing=a_calendar("23:30", zone="Europe/Berlin")),
        Starting(),
        "2026-11-24T22:30:00",
        "2026-11-25T00:30:00",
    ),
    "the shorter one that was asked for": (
        NIGHTLY,
        Starting(deadline=timedelta(hours=6)),
        "2026-11-24T01:30:00",
        "2026-11-24T07:30:00",
    ),
}


@pytest.mark.parametrize(("schedule", "starting", "slot", "deadline"), DEADLINES.values(), ids=list(DEADLINES))
def test_a_slot_waits_until_its_deadline_and_not_longer(
    schedule: Schedule, starting: Starting, slot: str, deadline: str
) -> None:
    """R13."""
    waiting = build(schedule, waiting=a_wait(slot), starting=starting)
    at_last = a_look(waiting, deadline, has_stray_pods=True)
    assert memory(at_last).waiting == a_wait(slot)
    assert at_last.wake.wall == at(deadline) + timedelta(seconds=1)

    after = a_look(waiting, at(deadline) + timedelta(seconds=1), has_stray_pods=True)
    assert memory(after).waiting is None
    assert [entry.reason for entry in memory(after).ledger[:-1]] == ["DeadlinePassed"]


def test_cron_has_no_deadline_of_its_own() -> None:
    weekly = a_schedule(timing=a_cron("0 2 * * 2"))
    plan = a_look(build(weekly, waiting=a_wait(TWO)), "2026-11-30T23:00:00", has_stray_pods=True)
    assert memory(plan).waiting == a_wait(TWO)


PAST_DEADLINE = {
    "it was seen in time": (a_wait("2026-11-24T01:30:00"), "DeadlinePassed"),
    "it was refused": (a_wait("2026-11-24T01:30:00", reason=Blocker.FORBIDDEN), "Forbidden"),
    "nobody looked in time": (None, "OperatorDown"),
    "its first look came too late": (a_wait("2026-11-24T01:30:00", since="2026-11-24T23:00:05"), "OperatorDown"),
}


@pytest.mark.parametrize(("waiting", "fate"), PAST_DEADLINE.values(), ids=list(PAST_DEADLINE))
def test_past_its_deadline_a_slot_is_closed_by_what_it_waited_for(waiting: Waiting | None, fate: str) -> None:
    """R13."""
    late = build(NIGHTLY, cursor="2026-11-23T01:30:00", waiting=waiting)
    plan = a_look(late, "2026-11-24T23:00:10")
    assert not created(plan)
    assert [entry.reason for entry in memory(plan).ledger[:-1]] == [fate]
    assert plan.wake.wall == at("2026-11-25T01:30:00")


def test_a_longer_deadline_rescues_the_slot_that_waits() -> None:
    """R2: an edit of a deadline is no edit of the schedule."""
    waiting = build(NIGHTLY, waiting=a_wait("2026-11-24T01:30:00"), starting=Starting(deadline=timedelta(hours=30)))
    assert created(a_look(waiting, "2026-11-25T01:00:00")) == ("nightly-20261124-013000-1",)


def test_a_spread_delays_the_start_and_not_the_slot() -> None:
    """R8."""
    spread = build(starting=Starting(spread=timedelta(minutes=10)))
    offset = spread_offset(spread.ref, timedelta(minutes=10))
    assert timedelta() < offset < timedelta(minutes=10)

    early = a_look(spread, at(TWO) + offset - timedelta(seconds=1))
    assert not created(early)
    assert early.wake.wall == at(TWO) + offset
    assert created(a_look(spread, at(TWO) + offset)) == ("nightly-20261124-020000-1",)


def test_a_start_after_its_spread_is_in_time() -> None:
    """R10: caught up is what was looked at late."""
    spread = build(starting=Starting(spread=timedelta(minutes=10)))
    begin = at(TWO) + spread_offset(spread.ref, timedelta(minutes=10))
    child = an_app_server(spread, slot=TWO, created=begin + timedelta(seconds=60))
    plan = a_look(spread, begin + timedelta(seconds=60), children=[child])
    assert fates(memory(plan).ledger) == [("02:00", None, 1, "Due")]


def test_a_deadline_counts_from_the_end_of_the_spread() -> None:
    """R13."""
    starting = Starting(deadline=timedelta(minutes=5), spread=timedelta(minutes=10))
    waiting = build(waiting=a_wait(TWO), starting=starting)
    deadline = at(TWO) + spread_offset(waiting.ref, timedelta(minutes=10)) + timedelta(minutes=5)
    assert memory(a_look(waiting, deadline, has_stray_pods=True)).waiting == a_wait(TWO)


def test_a_spread_is_stable_and_differs_between_objects() -> None:
    """R8."""
    hour = timedelta(hours=1)
    offsets = [spread_offset(a_ref("PeriodicBuild", f"build-{number}"), hour) for number in range(100)]
    assert offsets == [spread_offset(a_ref("PeriodicBuild", f"build-{number}"), hour) for number in range(100)]
    assert min(offsets) >= timedelta()
    assert max(offsets) < hour
    assert len(set(offsets)) > 90


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
    before = build(cursor=cursor, waiting=waiting)
    edited = replace(before, generation=2, spec=a_spec(schedule=NIGHTLY))
    plan = a_look(edited, now)
    assert fates(memory(plan).ledger) == expected
    schedule = memory(plan).schedule
    assert schedule is not None
    assert (schedule.in_force, schedule.epoch) == (NIGHTLY, before.status.schedule.epoch + 1)  # type: ignore[union-attr]  # a_status gives one
    assert schedule.since_at == at(now).replace(microsecond=0)


def test_after_a_clock_was_set_back_an_epoch_begins_where_the_counted_slots_end() -> None:
    """R9: so that the recount knows."""
    before = build(cursor=FIVE)
    plan = a_look(replace(before, generation=2, spec=a_spec(schedule=NIGHTLY)), "2026-11-24T03:30:00")
    assert memory(plan).schedule is not None
    assert memory(plan).schedule.since_at == at(FIVE)  # type: ignore[union-attr]  # asserted above


USED_DATES: dict[str, tuple[Schedule, str | None]] = {
    "a calendar, on the date of the last start": (a_schedule(timing=a_calendar("20:00")), "2026-11-24"),
    "by the zone now in force": (a_schedule(timing=a_calendar("20:00", zone="America/Los_Angeles")), None),
    "cron": (a_schedule(timing=a_cron("0 20 * * *")), None),
    "an unknown zone": (a_schedule(timing=a_calendar("20:00", zone="Mars/Phobos")), None),
}


@pytest.mark.parametrize(("schedule", "used"), USED_DATES.values(), ids=list(USED_DATES))
def test_a_date_that_has_had_its_build_gets_no_other_by_an_edit(schedule: Schedule, used: str | None) -> None:
    """R6: once per day, whatever time and zone do."""
    before = build(NIGHTLY, cursor="2026-11-24T01:30:00")
    child = an_app_server(before, slot="2026-11-24T01:30:00")
    started = a_look(
        replace(before, status=replace(before.status, schedule=None)), "2026-11-24T09:00:00", children=[child]
    )
    assert started.status is not None
    edited = replace(before, generation=2, spec=a_spec(schedule=schedule), status=started.status)

    plan = a_look(edited, "2026-11-24T12:00:00", children=[child])

    in_force = memory(plan).schedule
    assert in_force is not None
    assert (str(in_force.used_date) if in_force.used_date else None) == used


def test_the_used_date_is_passed_over() -> None:
    """R6."""
    in_force = replace(
        a_schedule_status(in_force=a_schedule(timing=a_calendar("20:00")), since="2026-11-24T12:00:00"),
        used_date=datetime.fromisoformat("2026-11-24").date(),
    )
    before = build(a_schedule(timing=a_calendar("20:00")))
    used = replace(before, status=replace(before.status, schedule=in_force))
    assert not created(a_look(used, "2026-11-24T20:00:01"))
    assert created(a_look(used, "2026-11-25T20:00:01")) == ("nightly-20261125-200000-1",)


FORGOTTEN = {
    "the clock was set back": (HOURLY, "2026-11-24T01:59:58"),
    "the spread was made longer": (HOURLY, "2026-11-24T02:00:00"),
}


@pytest.mark.parametrize(("schedule", "now"), FORGOTTEN.values(), ids=list(FORGOTTEN))
def test_an_unwritten_wait_is_forgotten_when_its_slot_is_not_due_any_more(schedule: Schedule, now: str) -> None:
    """R41: it was counted nowhere, and will be looked at again."""
    unwritten = a_wait(TWO, reason=Blocker.START_RATE)
    spread = Starting(spread=timedelta(minutes=30))
    plan = a_look(build(schedule, starting=spread), now, unwritten=unwritten)
    assert plan.unwritten is None
    assert plan.wake.wall == at(TWO) + spread_offset(build().ref, timedelta(minutes=30))


def test_an_unwritten_wait_of_a_lost_status_is_forgotten() -> None:
    """R44."""
    lost = replace(build(), status=replace(build().status, schedule=None))
    plan = a_look(lost, JUST_AFTER_TWO, unwritten=a_wait(TWO, reason=Blocker.START_RATE))
    assert plan.status is not None
    assert plan.unwritten is None


def test_a_name_that_is_taken_costs_the_slot_only() -> None:
    """Design 2.4."""
    refusal = a_refusal("nightly-20261124-020000-1", Refused.NAME_COLLISION, retry=TWO)
    plan = a_look(build(), JUST_AFTER_TWO, refusals=[refusal])
    assert fates(memory(plan).ledger) == [("02:00", None, 1, "NameCollision")]
    assert plan.wake.wall == at(THREE)
