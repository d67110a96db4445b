"""Slots of calendars and cron that could not start in time (R10, R11, R13, R41)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.builders import a_cron, a_schedule, a_schedule_status, an_app_server, an_entry, at
from tests.builders.looks import a_look, a_refusal, a_wait, created, memory
from tests.builders.patterns import (
    FIVE,
    FOUR,
    HOURLY,
    JUST_AFTER_FIVE,
    JUST_AFTER_TWO,
    NIGHTLY,
    ONE,
    THREE,
    TWO,
    a_pattern_build,
    fates_of,
)
from tests.builders.values import a_calendar

from periodicbuild.core.facts import Starting
from periodicbuild.core.lateness import spread_offset
from periodicbuild.core.plans import Refused
from periodicbuild.core.reasons import Blocker, Fate
from periodicbuild.core.schedules import Schedule, next_slot
from periodicbuild.core.status import Slots, Waiting


def test_a_slot_that_is_due_starts_under_its_name() -> None:
    assert created(a_look(a_pattern_build(), JUST_AFTER_TWO)) == ("nightly-20261124-020000-1",)


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
    assert a_look(a_pattern_build(), "2026-11-24T01:20:00").wake.wall == at(TWO)


def test_after_downtime_the_newest_starts_and_the_others_are_missed() -> None:
    """R13: never a burst."""
    late = a_pattern_build()
    assert created(a_look(late, JUST_AFTER_FIVE)) == ("nightly-20261124-050000-1",)

    child = an_app_server(late, slot=FIVE, created=JUST_AFTER_FIVE)
    plan = a_look(late, JUST_AFTER_FIVE, children=[child])

    assert fates_of(memory(plan).ledger) == [
        ("02:00", "04:00", 3, "OperatorDown"),
        ("05:00", None, 1, "Due"),
    ]
    assert memory(plan).slots == Slots(due=5, started=2, missed=3)
    assert [event.note for event in plan.events][:1] == [
        "3 builds due from 2026-11-24T02:00:00Z to 2026-11-24T04:00:00Z were missed: OperatorDown"
    ]


def test_a_single_slot_that_was_missed_is_counted_once() -> None:
    """R11."""
    plan = a_look(a_pattern_build(), "2026-11-24T03:00:01", may_start=False)
    assert fates_of(memory(plan).ledger) == [("02:00", None, 1, "OperatorDown")]


def test_a_year_of_minutes_is_counted_exactly_into_one_entry() -> None:
    """R11."""
    minutely = a_pattern_build(
        a_schedule(timing=a_cron("* * * * *")), cursor="2025-11-24T00:00:00", since="2025-11-24T00:00:00"
    )
    plan = a_look(minutely, "2026-11-24T00:00:30", may_start=False)
    assert plan.unwritten is not None
    assert plan.unwritten.slot == at("2026-11-24T00:00:00")
    entry = memory(plan).ledger[0]
    assert (entry.slot, entry.until_slot) == (at("2025-11-24T00:01:00"), at("2026-11-23T23:59:00"))
    assert (entry.count, entry.reason) == (365 * 1440 - 1, "OperatorDown")


def test_missed_slots_join_the_entry_of_those_before() -> None:
    """R11: also across looks."""
    missed = an_entry(slot=TWO, fate=Fate.OPERATOR_DOWN, run=None)
    before = a_pattern_build(cursor=TWO)
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
    waiting = a_pattern_build(waiting=wait) if is_written else a_pattern_build()
    plan = a_look(
        waiting, "2026-11-24T03:00:01", has_stray_pods=True, unwritten=None if is_written else wait, written=TWO
    )
    assert memory(plan).ledger[0] == an_entry(slot=TWO, fate=Fate(fate), decided="2026-11-24T03:00:01")
    assert memory(plan).waiting == a_wait(THREE, since="2026-11-24T03:00:01")
    assert memory(plan).slots == Slots(due=3, started=1, **{_decision(fate): 1})


def _decision(fate: str) -> str:
    return Fate(fate).decision.lower()


def test_of_several_slots_since_one_began_to_wait_only_that_was_seen() -> None:
    """R13."""
    plan = a_look(a_pattern_build(waiting=a_wait(TWO)), JUST_AFTER_FIVE, has_stray_pods=True)
    assert fates_of(memory(plan).ledger) == [("02:00", None, 1, "Superseded"), ("03:00", "04:00", 2, "OperatorDown")]
    assert memory(plan).waiting == a_wait(FIVE, since=JUST_AFTER_FIVE)


def test_while_a_slot_waits_a_look_is_asked_for_when_the_next_is_due() -> None:
    plan = a_look(a_pattern_build(waiting=a_wait(TWO)), "2026-11-24T02:20:00", has_stray_pods=True)
    assert plan.wake.wall == at(THREE)
    assert memory(plan).waiting == a_wait(TWO)


def test_a_wait_that_was_seen_and_closed_meanwhile_is_forgotten() -> None:
    plan = a_look(a_pattern_build(cursor=TWO), "2026-11-24T02:20:00", unwritten=a_wait(TWO, reason=Blocker.START_RATE))
    assert plan.status is None or plan.status.ledger == a_pattern_build(cursor=TWO).status.ledger


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
    waiting = a_pattern_build(schedule, waiting=a_wait(slot), starting=starting)
    at_last = a_look(waiting, deadline, has_stray_pods=True)
    assert memory(at_last).waiting == a_wait(slot)
    assert at_last.wake.wall == at(deadline) + timedelta(seconds=1)

    after = a_look(waiting, at(deadline) + timedelta(seconds=1), has_stray_pods=True)
    assert memory(after).waiting is None
    assert [entry.reason for entry in memory(after).ledger[:-1]] == ["DeadlinePassed"]


def test_cron_has_no_deadline_of_its_own() -> None:
    weekly = a_schedule(timing=a_cron("0 2 * * 2"))
    plan = a_look(a_pattern_build(weekly, waiting=a_wait(TWO)), "2026-11-30T23:00:00", has_stray_pods=True)
    assert memory(plan).waiting == a_wait(TWO)


PAST_DEADLINE = {
    "it was seen in time": (a_wait("2026-11-24T01:30:00"), "DeadlinePassed"),
    "it was refused": (a_wait("2026-11-24T01:30:00", reason=Blocker.FORBIDDEN), "Forbidden"),
    "nobody looked in time": (None, "OperatorDown"),
    "its first look came at the last moment": (
        a_wait("2026-11-24T01:30:00", since="2026-11-24T23:00:00"),
        "DeadlinePassed",
    ),
    "its first look came too late": (a_wait("2026-11-24T01:30:00", since="2026-11-24T23:00:05"), "OperatorDown"),
}


@pytest.mark.parametrize(("waiting", "fate"), PAST_DEADLINE.values(), ids=list(PAST_DEADLINE))
def test_past_its_deadline_a_slot_is_closed_by_what_it_waited_for(waiting: Waiting | None, fate: str) -> None:
    """R13."""
    late = a_pattern_build(NIGHTLY, cursor="2026-11-23T01:30:00", waiting=waiting)
    plan = a_look(late, "2026-11-24T23:00:10")
    assert not created(plan)
    assert memory(plan).ledger[:-1] == (
        an_entry(slot="2026-11-24T01:30:00", fate=Fate(fate), decided="2026-11-24T23:00:10"),
    )
    assert plan.wake.wall == at("2026-11-25T01:30:00")


def test_a_longer_deadline_rescues_the_slot_that_waits() -> None:
    """R2: an edit of a deadline is no edit of the schedule."""
    waiting = a_pattern_build(
        NIGHTLY, waiting=a_wait("2026-11-24T01:30:00"), starting=Starting(deadline=timedelta(hours=30))
    )
    assert created(a_look(waiting, "2026-11-25T01:00:00")) == ("nightly-20261124-013000-1",)


FORGOTTEN = {
    "the clock was set back": (HOURLY, "2026-11-24T01:59:58"),
    "the spread was made longer": (HOURLY, "2026-11-24T02:00:00"),
}


@pytest.mark.parametrize(("schedule", "now"), FORGOTTEN.values(), ids=list(FORGOTTEN))
def test_an_unwritten_wait_is_forgotten_when_its_slot_is_not_due_any_more(schedule: Schedule, now: str) -> None:
    """R41: it was counted nowhere, and will be looked at again."""
    unwritten = a_wait(TWO, reason=Blocker.START_RATE)
    spread = Starting(spread=timedelta(minutes=30))
    plan = a_look(a_pattern_build(schedule, starting=spread), now, unwritten=unwritten)
    assert plan.unwritten is None
    assert plan.wake.wall == at(TWO) + spread_offset(a_pattern_build().ref, timedelta(minutes=30))


def test_an_unwritten_wait_of_a_lost_status_is_forgotten() -> None:
    """R44."""
    lost = replace(a_pattern_build(), status=replace(a_pattern_build().status, schedule=None))
    plan = a_look(lost, JUST_AFTER_TWO, unwritten=a_wait(TWO, reason=Blocker.START_RATE))
    assert plan.status is not None
    assert plan.unwritten is None


def test_a_name_that_is_taken_costs_the_slot_only() -> None:
    """Design 2.4."""
    refusal = a_refusal("nightly-20261124-020000-1", Refused.NAME_COLLISION, retry=TWO)
    plan = a_look(a_pattern_build(), JUST_AFTER_TWO, refusals=[refusal])
    assert fates_of(memory(plan).ledger) == [("02:00", None, 1, "NameCollision")]
    assert plan.wake.wall == at(THREE)
