"""Another schedule in the spec, or a clock that was far ahead, begins the next epoch (R1, R2, R9, R41)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.builders import (
    SLOT,
    a_build,
    a_pod,
    a_run,
    a_schedule,
    a_schedule_status,
    a_spec,
    an_app_server,
    an_entry,
    at,
)
from tests.builders.looks import PREVIOUS, a_look, a_status, a_wait, created, memory, slots_of, told

from periodicbuild.core.facts import PeriodicBuild
from periodicbuild.core.reasons import Blocker, Fate, State
from periodicbuild.core.schedules import Schedule
from periodicbuild.core.status import BuildStatus, ScheduleStatus, Slots, Waiting

JUST_BEFORE_DUE = "2026-11-24T02:29:59"
A_MINUTE_AFTER_DUE = "2026-11-24T02:31:00"
OVER_A_MINUTE_AFTER_DUE = "2026-11-24T02:31:01"
WITH_FRACTION = "2026-11-24T02:29:59.700000"
EDITED = a_schedule(every="6h")
OFF = a_schedule(enabled=False)
NOT_UNDERSTOOD = a_schedule(every=None)


def edited(schedule: Schedule = EDITED, *, status: BuildStatus | None = None) -> PeriodicBuild:
    return a_build(spec=a_spec(schedule=schedule), generation=2, status=status or a_status())


WAITS = a_wait()
UNWRITTEN = a_wait(reason=Blocker.API_ERROR)

CLOSED = {
    "a slot that waits is skipped": (EDITED, WAITS, None, OVER_A_MINUTE_AFTER_DUE, Fate.SCHEDULE_EDITED),
    "a slot that waits is skipped, turned off": (OFF, WAITS, None, OVER_A_MINUTE_AFTER_DUE, Fate.DISABLED),
    "a slot that waits is skipped when the edit cannot be understood": (
        NOT_UNDERSTOOD,
        WAITS,
        None,
        OVER_A_MINUTE_AFTER_DUE,
        Fate.SCHEDULE_EDITED,
    ),
    "a wait that was not worth a write is known": (
        EDITED,
        None,
        UNWRITTEN,
        OVER_A_MINUTE_AFTER_DUE,
        Fate.SCHEDULE_EDITED,
    ),
    "a wait that was not worth a write is known, turned off": (
        OFF,
        None,
        UNWRITTEN,
        OVER_A_MINUTE_AFTER_DUE,
        Fate.DISABLED,
    ),
    "a slot that falls due with the edit is seen in time": (EDITED, None, None, SLOT, Fate.SCHEDULE_EDITED),
    "a slot due a minute ago is seen in time": (OFF, None, None, A_MINUTE_AFTER_DUE, Fate.DISABLED),
    "a slot due earlier was missed": (EDITED, None, None, OVER_A_MINUTE_AFTER_DUE, Fate.OPERATOR_DOWN),
    "a slot due earlier was missed, turned off": (OFF, None, None, OVER_A_MINUTE_AFTER_DUE, Fate.OPERATOR_DOWN),
}


@pytest.mark.parametrize(("spec", "waiting", "unwritten", "wall", "fate"), CLOSED.values(), ids=list(CLOSED))
def test_an_edit_gives_the_open_slot_its_fate_under_the_old_schedule(
    spec: Schedule, waiting: Waiting | None, unwritten: Waiting | None, wall: str, fate: Fate
) -> None:
    """R2, R41 and decision 2: one look, which starts nothing."""
    plan = a_look(edited(spec, status=a_status(waiting=waiting)), wall, unwritten=unwritten)
    after = memory(plan)
    assert after.ledger[0] == an_entry(slot=SLOT, fate=fate, decided=wall)
    assert (after.waiting, plan.unwritten, plan.first) == (None, None, ())
    is_missed = fate == Fate.OPERATOR_DOWN
    assert after.schedule == a_schedule_status(
        in_force=spec, epoch=2, since=wall, cursor=SLOT, anchor=SLOT if is_missed else PREVIOUS, due_at_since=2
    )
    assert told(plan) == ("SlotMissed" if is_missed else "SlotSkipped",)


NOTHING_OPEN = {
    "before a slot is due": (EDITED, a_status(), JUST_BEFORE_DUE),
    "an instant of ours is cut to a whole second": (EDITED, a_status(), WITH_FRACTION),
    "of a schedule that was off": (EDITED, a_status(schedule=a_schedule_status(in_force=OFF)), OVER_A_MINUTE_AFTER_DUE),
}


@pytest.mark.parametrize(("spec", "status", "wall"), NOTHING_OPEN.values(), ids=list(NOTHING_OPEN))
def test_an_edit_counts_no_slot_that_was_not_due(spec: Schedule, status: BuildStatus, wall: str) -> None:
    """R1, R2."""
    plan = a_look(edited(spec, status=status), wall)
    after = memory(plan)
    before = status.schedule
    assert before is not None
    assert after.slots == status.slots
    assert after.schedule == replace(
        before, in_force=spec, epoch=2, since_at=at(wall).replace(microsecond=0), due_at_since=1
    )
    assert (plan.events, plan.first) == ((), ())


SAME = {
    "the same interval in another notation": a_schedule(every="1 00:00:00"),
    "the same schedule": a_schedule(),
}


@pytest.mark.parametrize("schedule", SAME.values(), ids=list(SAME))
def test_an_equal_schedule_is_no_edit(schedule: Schedule) -> None:
    """R2."""
    plan = a_look(edited(schedule, status=a_status(waiting=WAITS)), SLOT)
    assert created(plan) == ("nightly-20261124-023000-1",)


def test_an_edit_of_the_template_leaves_the_slot_waiting() -> None:
    """R2: it is judged by the new values."""
    build = a_build(spec=a_spec(template=b"{}"), generation=2, status=a_status(waiting=WAITS))
    busy = a_pod()
    after = memory(
        a_look(
            build, SLOT, children=[an_app_server(slot=PREVIOUS, state=State.ERROR)], has_stray_pods=True, pods=[busy]
        )
    )
    assert (after.waiting, after.schedule) == (WAITS, a_status(waiting=WAITS).schedule)


def test_an_edit_adopts_children_before_it_closes_anything() -> None:
    """R2, R22: the slot of the old schedule has started."""
    child = an_app_server(created=SLOT)
    after = memory(a_look(edited(), SLOT, children=[child]))
    assert after.ledger[0] == an_entry(slot=SLOT)
    assert after.runs == (a_run(child),)
    assert after.schedule == a_schedule_status(
        in_force=EDITED, epoch=2, since=SLOT, cursor=SLOT, anchor=SLOT, due_at_since=2
    )


def test_an_edit_closes_no_slot_that_has_just_started_after_a_wait_of_this_process() -> None:
    """R10: one fate, whichever look finds the edit."""
    child = an_app_server(created=SLOT)
    after = memory(a_look(edited(), A_MINUTE_AFTER_DUE, children=[child], unwritten=UNWRITTEN))
    assert after.ledger[0] == an_entry(slot=SLOT, decided=A_MINUTE_AFTER_DUE)
    assert after.slots == slots_of(after.ledger) == Slots(due=2, started=2)


def test_an_edit_leaves_a_run_in_progress_alone() -> None:
    """R1."""
    child = an_app_server(slot=PREVIOUS, state=State.CONFIGURING_SERVER)
    after = memory(a_look(edited(OFF, status=a_status(runs=[a_run(child)])), JUST_BEFORE_DUE, children=[child]))
    assert after.runs == (a_run(child),)


def test_an_edit_waits_for_facts_that_are_asked_for() -> None:
    """R22: the status is planned anew once the answer is known; the wait of this process is not forgotten."""
    run = a_run(an_app_server(slot=PREVIOUS), next_attempt=OVER_A_MINUTE_AFTER_DUE)
    plan = a_look(edited(status=a_status(runs=[run])), A_MINUTE_AFTER_DUE, unwritten=UNWRITTEN)
    assert (plan.status, plan.unwritten) == (None, UNWRITTEN)


FAR_AHEAD = "2026-11-25T03:30:01"
JUST_NOT_FAR_AHEAD = "2026-11-25T03:30:00"

STEPPED = {
    "the cursor": a_schedule_status(cursor=FAR_AHEAD, anchor=PREVIOUS),
    "the anchor": a_schedule_status(cursor=PREVIOUS, anchor=FAR_AHEAD),
    "the beginning of the epoch": a_schedule_status(since=FAR_AHEAD, cursor=PREVIOUS, anchor=PREVIOUS),
}


@pytest.mark.parametrize("schedule", STEPPED.values(), ids=list(STEPPED))
def test_a_mark_more_than_25_hours_ahead_begins_an_epoch_that_counts_from_now(schedule: ScheduleStatus) -> None:
    """R9."""
    plan = a_look(a_build(status=a_status(schedule=schedule)), SLOT)
    assert memory(plan).schedule == a_schedule_status(epoch=2, since=SLOT, due_at_since=1)
    (event,) = plan.events
    assert (event.type, event.reason, event.action, event.key) == ("Warning", "ClockStepped", "BeginEpoch", "2")
    assert event.note == "The clock was far ahead and has been set back; the schedule counts from now"
    assert plan.first == ()


def test_a_slot_that_waits_far_ahead_is_closed_as_edited() -> None:
    """R9."""
    plan = a_look(a_build(status=a_status(waiting=a_wait(FAR_AHEAD))), SLOT)
    after = memory(plan)
    assert after.ledger[0] == an_entry(slot=FAR_AHEAD, fate=Fate.SCHEDULE_EDITED, decided=SLOT)
    assert after.schedule == a_schedule_status(epoch=2, since=SLOT, due_at_since=2)
    assert told(plan) == ("SlotSkipped", "ClockStepped")


LESS_AHEAD = {
    "the cursor": a_schedule_status(cursor=JUST_NOT_FAR_AHEAD, anchor=PREVIOUS),
    "the anchor": a_schedule_status(cursor=PREVIOUS, anchor=JUST_NOT_FAR_AHEAD),
    "the beginning of the epoch": a_schedule_status(since=JUST_NOT_FAR_AHEAD),
}


@pytest.mark.parametrize("schedule", LESS_AHEAD.values(), ids=list(LESS_AHEAD))
def test_a_mark_less_far_ahead_is_waited_for(schedule: ScheduleStatus) -> None:
    """R9: nothing is due until it is passed, and nothing begins anew."""
    plan = a_look(a_build(status=a_status(schedule=schedule)), SLOT)
    assert (memory(plan).schedule, plan.first, plan.events) == (schedule, (), ())


def test_a_waiting_slot_ahead_by_less_stays_and_starts_once() -> None:
    """R9: it was due already."""
    plan = a_look(a_build(status=a_status(waiting=a_wait())), JUST_BEFORE_DUE)
    assert created(plan) == ("nightly-20261124-023000-1",)


def test_without_a_trusted_clock_no_slot_is_judged_and_no_epoch_begins() -> None:
    """R9: neither the edit nor the slot that waits; the wait of this process is not forgotten."""
    plan = a_look(edited(status=a_status()), SLOT, clock_is_trusted=False, unwritten=UNWRITTEN)
    after = memory(plan)
    assert after == a_status()
    assert (plan.first, plan.events, plan.unwritten) == ((), (), UNWRITTEN)
    assert plan.wake.steady == at("2026-11-24T02:30:10")


def test_without_a_trusted_clock_a_run_in_progress_still_ends() -> None:
    """R9: what has begun is carried on."""
    child = an_app_server(slot=PREVIOUS, state=State.RUNNING)
    build = a_build(status=a_status(runs=[a_run(child)]))
    assert memory(a_look(build, SLOT, children=[child], clock_is_trusted=False)).runs == ()
