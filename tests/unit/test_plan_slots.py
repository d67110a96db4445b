"""When an interval is due, and what each fate makes of its anchor (R1, R4, R8, R10)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.builders import (
    CREATED,
    SLOT,
    a_build,
    a_calendar,
    a_cron,
    a_schedule,
    a_schedule_status,
    a_spec,
    an_app_server,
    at,
)
from tests.builders.looks import PREVIOUS, a_look, a_refusal, a_status, a_wait, created, memory

from periodicbuild.core.facts import PeriodicBuild
from periodicbuild.core.plans import CreateAppServer, Refused
from periodicbuild.core.policies import AfterManualRun
from periodicbuild.core.reasons import Fate, State, Trigger
from periodicbuild.core.schedules import Interval, next_slot, upcoming_slots
from periodicbuild.core.status import ScheduleStatus, Slots, Waiting

JUST_BEFORE_DUE = "2026-11-24T02:29:59.999999"
A_SECOND_AFTER_SLOT = "2026-11-24T02:30:01"
NEXT = "2026-11-25T02:30:00"
AFTER_NEXT = "2026-11-26T02:30:00"
LATER = "2026-11-24T07:00:00"


def build(schedule: ScheduleStatus | None = None) -> PeriodicBuild:
    status = a_status(schedule=schedule)
    assert status.schedule is not None
    return a_build(spec=a_spec(schedule=status.schedule.in_force), status=status)


def test_a_build_is_started_when_its_slot_is_due() -> None:
    """R4: complete from the start, under the name of the slot, through the start rate."""
    spec = build().spec
    plan = a_look(build(), SLOT)
    assert plan.first == (
        CreateAppServer(
            name="nightly-20261124-023000-1",
            run="20261124-023000",
            attempt=1,
            trigger=Trigger.SCHEDULE,
            slot=at(SLOT),
            epoch=1,
            succeed_when=spec.succeed_when,
            timeouts=spec.timeouts,
            template=spec.template,
            is_start=True,
        ),
    )
    assert plan.status is None


def test_before_its_slot_a_build_is_slept_for() -> None:
    plan = a_look(build(), JUST_BEFORE_DUE)
    assert (plan.first, plan.wake.wall, plan.wake.steady) == ((), at(SLOT), None)


def test_a_schedule_that_is_off_spawns_nothing_and_wakes_nobody() -> None:
    """R1."""
    plan = a_look(build(a_schedule_status(in_force=a_schedule(enabled=False))), LATER)
    assert (plan.first, plan.wake.wall) == ((), None)
    assert memory(plan).slots == a_status().slots


NEXT_SLOTS = {
    "without an anchor it is due at once": (a_schedule_status(), CREATED),
    "one interval after the anchor": (a_schedule_status(anchor=PREVIOUS, cursor=PREVIOUS), SLOT),
    "not before the epoch began": (a_schedule_status(since=LATER, anchor=PREVIOUS, cursor=PREVIOUS), LATER),
    "not before `notBefore`": (a_schedule_status(in_force=a_schedule(not_before=LATER), anchor=PREVIOUS), LATER),
    "`notBefore` that has passed says nothing": (
        a_schedule_status(in_force=a_schedule(not_before=CREATED), anchor=PREVIOUS),
        SLOT,
    ),
    "after the cursor": (a_schedule_status(anchor=PREVIOUS, cursor=SLOT), A_SECOND_AFTER_SLOT),
    "on a whole second, never earlier than asked": (
        a_schedule_status(anchor="2026-11-23T02:30:00.000001"),
        A_SECOND_AFTER_SLOT,
    ),
    "never, when it is off": (a_schedule_status(in_force=a_schedule(enabled=False)), None),
    "never, when it is not understood": (a_schedule_status(in_force=a_schedule(every=None)), None),
}


@pytest.mark.parametrize(("schedule", "slot"), NEXT_SLOTS.values(), ids=list(NEXT_SLOTS))
def test_the_next_slot_is(schedule: ScheduleStatus, slot: str | None) -> None:
    """R4, R8."""
    assert next_slot(schedule) == (None if slot is None else at(slot))


NIGHTLY = a_schedule_status(in_force=a_schedule(timing=a_calendar("02:30")), cursor=PREVIOUS)
LAST_OF_CRON = a_schedule_status(in_force=a_schedule(timing=a_cron("30 2 1 12 *")), since="9997-06-01T00:00:00")

UPCOMING = {
    "three of an interval": (a_schedule_status(anchor=PREVIOUS), None, [SLOT, NEXT, AFTER_NEXT]),
    "two of an interval, when time ends": (
        a_schedule_status(since="9999-12-30T12:00:00"),
        None,
        ["9999-12-30T12:00:00", "9999-12-31T12:00:00"],
    ),
    "three of a calendar": (NIGHTLY, None, [SLOT, NEXT, AFTER_NEXT]),
    "three of a calendar after the slot that waits": (NIGHTLY, a_wait(), [NEXT, AFTER_NEXT, "2026-11-27T02:30:00"]),
    "two of cron, when time ends": (LAST_OF_CRON, None, ["9997-12-01T02:30:00", "9998-12-01T02:30:00"]),
}


@pytest.mark.parametrize(("schedule", "waiting", "slots"), UPCOMING.values(), ids=list(UPCOMING))
def test_the_next_slots_are_shown(schedule: ScheduleStatus, waiting: Waiting | None, slots: list[str]) -> None:
    assert upcoming_slots(schedule, waiting) == tuple(at(slot) for slot in slots)


def test_while_a_slot_waits_there_is_no_next_one_to_show() -> None:
    """R4: one slot is open at a time."""
    assert upcoming_slots(a_schedule_status(anchor=PREVIOUS), a_wait()) == ()


def test_a_schedule_that_is_off_shows_no_slots() -> None:
    assert upcoming_slots(a_schedule_status(in_force=a_schedule(enabled=False)), None) == ()


TOLERATED = {
    "a second at least": (timedelta(seconds=10), timedelta(seconds=1)),
    "1 % of the interval": (timedelta(minutes=10), timedelta(seconds=6)),
    "a minute at most": (timedelta(days=1), timedelta(seconds=60)),
}


@pytest.mark.parametrize(("every", "late"), TOLERATED.values(), ids=list(TOLERATED))
def test_a_start_may_be_late_without_moving_the_interval_by(every: timedelta, late: timedelta) -> None:
    """R4: so there is no drift."""
    assert Interval(every=every).tolerated_lateness() == late


STARTED = {
    "in time: the slot": (SLOT, SLOT, SLOT),
    "a minute late: the slot": ("2026-11-24T02:31:00", "2026-11-24T02:31:00", SLOT),
    "later: its start": ("2026-11-24T02:31:01", "2026-11-24T02:31:05", "2026-11-24T02:31:01"),
    "created ahead of our clock: not after now": ("2026-11-24T02:35:00", "2026-11-24T02:32:00", "2026-11-24T02:32:00"),
    "created before the slot by the API server's clock: the slot": ("2026-11-24T02:29:50", SLOT, SLOT),
}


@pytest.mark.parametrize(("started", "wall", "anchor"), STARTED.values(), ids=list(STARTED))
def test_a_start_moves_the_anchor_to(started: str, wall: str, anchor: str) -> None:
    """R4 and decision 1."""
    after = memory(a_look(build(), wall, children=[an_app_server(created=started)])).schedule
    assert after == a_schedule_status(cursor=SLOT, anchor=anchor)


def test_the_anchor_moves_only_forward() -> None:
    """R4."""
    ahead = a_schedule_status(cursor=PREVIOUS, anchor=LATER)
    after = memory(a_look(build(ahead), LATER, children=[an_app_server(created=SLOT)])).schedule
    assert after == replace(ahead, cursor_at=at(SLOT))


def test_a_slot_that_was_missed_moves_the_anchor_to_the_slot() -> None:
    """R4: any other fate."""
    taken = a_refusal("nightly-20261124-023000-1", Refused.NAME_COLLISION, retry=SLOT)
    plan = a_look(build(), LATER, refusals=[taken])
    assert memory(plan).schedule == a_schedule_status(cursor=SLOT, anchor=SLOT)
    assert plan.wake.wall == at(NEXT)


def test_a_retry_does_not_move_the_anchor() -> None:
    """R4."""
    retry = an_app_server(slot=PREVIOUS, attempt=2, created=LATER, state=State.CONFIGURING_SERVER)
    after = memory(a_look(build(), JUST_BEFORE_DUE, children=[retry])).schedule
    assert after == a_schedule_status(cursor=PREVIOUS, anchor=PREVIOUS)


def test_a_start_of_a_schedule_no_longer_understood_leaves_the_anchor() -> None:
    unreadable = a_schedule_status(in_force=a_schedule(every=None), cursor=PREVIOUS, anchor=PREVIOUS)
    after = memory(a_look(build(unreadable), LATER, children=[an_app_server(created=SLOT)])).schedule
    assert after == replace(unreadable, cursor_at=at(SLOT))


def test_an_interval_that_waited_through_a_whole_period_is_due_once() -> None:
    """R4: it never supersedes itself and has no deadline."""
    waiting = a_wait(since=SLOT)
    plan = a_look(a_build(status=a_status(waiting=waiting)), "2026-11-29T00:00:00")
    assert created(plan) == ("nightly-20261124-023000-1",)


def test_a_seven_day_outage_of_an_interval_is_one_late_slot() -> None:
    """R4, R11: `due` grows by one."""
    child = an_app_server(created="2026-12-01T00:00:00")
    after = memory(a_look(build(), "2026-12-01T00:00:00", children=[child]))
    assert after.slots == Slots(due=2, started=2)
    assert after.ledger[0].reason == Fate.CAUGHT_UP


def test_an_interval_reads_well() -> None:
    assert a_schedule(every="1 12:00:00").text() == "every 36h"
    assert a_schedule(every=None).text() == "not understood"
    assert a_schedule(after_manual_run=AfterManualRun.KEEP).text() == "every 24h"
