"""The first look at an object, and the look after its status was lost or edited (R2, R9, R43, R44)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.builders import (
    CREATED,
    SLOT,
    a_build,
    a_run,
    a_schedule,
    a_schedule_status,
    a_spec,
    an_app_server,
    an_entry,
    at,
)
from tests.builders.looks import PREVIOUS, REQUEST, a_look, a_status, a_wait, created, memory, told
from tests.builders.values import a_now

from periodicbuild.core.facts import AppServer, AppServerStatus
from periodicbuild.core.look import BuildFacts, Draft
from periodicbuild.core.plans import BuildPlan
from periodicbuild.core.policies import AfterManualRun
from periodicbuild.core.reasons import Fate, State, Trigger
from periodicbuild.core.status import BuildStatus, ScheduleStatus, Slots

A_MOMENT_LATER = "2026-11-20T00:00:01"
JUST_UNDER_A_DAY_OLD = "2026-11-20T23:59:59"
A_DAY_OLD = "2026-11-21T00:00:00"
NOW = "2026-11-25T12:00:00"
NOW_WITH_FRACTION = "2026-11-25T12:00:00.900000"
AN_HOUR_AHEAD = "2026-11-25T13:00:00"

SINCE = {
    "a new object counts from its creation": (A_MOMENT_LATER, CREATED),
    "one under a day old is still new": (JUST_UNDER_A_DAY_OLD, CREATED),
    "one a day old counts from now": (A_DAY_OLD, A_DAY_OLD),
    "an instant of ours is cut to a whole second": (NOW_WITH_FRACTION, NOW),
}


@pytest.mark.parametrize(("wall", "since"), SINCE.values(), ids=list(SINCE))
def test_the_first_look_begins_epoch_one_and_starts_nothing(wall: str, since: str) -> None:
    plan = a_look(a_build(), wall)
    assert memory(plan) == BuildStatus(schedule=a_schedule_status(since=since), slots=Slots())
    assert (plan.first, plan.events, plan.then, plan.ruled) == ((), (), (), ())


def test_the_look_after_the_first_starts_the_first_build_at_once() -> None:
    first = a_look(a_build(), A_MOMENT_LATER)
    second = a_look(a_build(status=first.status), A_MOMENT_LATER)
    assert created(second) == ("nightly-20261120-000000-1",)


def test_without_a_trusted_clock_there_is_no_first_look() -> None:
    """R9: it would write an instant that nobody can vouch for."""
    plan = a_look(a_build(), NOW, clock_is_trusted=False)
    assert (plan.first, plan.status, plan.events) == ((), None, ())
    assert plan.wake.steady == at("2026-11-25T12:00:10")


def test_without_a_trusted_clock_edited_counters_are_left_for_later() -> None:
    """R9, R44: no epoch begins."""
    status = replace(a_status(), slots=Slots(due=9))
    plan = a_look(a_build(status=status), NOW, clock_is_trusted=False)
    assert (memory(plan), plan.events) == (status, ())


def test_nothing_is_done_for_an_object_that_is_being_deleted() -> None:
    """R43."""
    build = a_build(is_deleting=True, status=a_status(waiting=a_wait()), run_now=REQUEST)
    assert a_look(build, NOW) == BuildPlan()


def lost(*, children: tuple[AppServer, ...], status: BuildStatus | None = None, every: str = "24h") -> BuildStatus:
    return memory(a_look(a_build(every=every, status=status), NOW, children=children))


def test_a_lost_status_begins_a_new_epoch_above_all_that_left_a_trace() -> None:
    """R44: anchor and cursor come from the AppServers, finished ones are history, the counters begin at 0."""
    older = an_app_server(slot=PREVIOUS, epoch=4, state=State.RUNNING)
    newer = an_app_server(slot=SLOT, epoch=3, state=State.RUNNING)
    assert lost(children=(newer, older)) == BuildStatus(
        schedule=a_schedule_status(epoch=5, since=NOW, cursor=SLOT, anchor=SLOT), slots=Slots()
    )


def test_a_lost_status_is_told_once_and_reports_no_old_news() -> None:
    """R44."""
    failed = an_app_server(state=State.ERROR)
    plan = a_look(a_build(), NOW, children=[failed])
    (event,) = plan.events
    assert (event.type, event.reason, event.action, event.key) == ("Warning", "LedgerReset", "BeginEpoch", "2")
    assert event.note == "The ledger was lost or edited; a new one begins with epoch 2, and what still runs is kept"
    assert (plan.ruled, plan.ended) == ((), ())


def test_after_a_clock_was_set_back_a_new_ledger_begins_where_the_counted_slots_end() -> None:
    """R9, R44."""
    ahead = an_app_server(slot=AN_HOUR_AHEAD, state=State.RUNNING)
    assert lost(children=(ahead,)).schedule == a_schedule_status(
        epoch=2, since=AN_HOUR_AHEAD, cursor=AN_HOUR_AHEAD, anchor=AN_HOUR_AHEAD
    )


def test_an_emptied_status_of_an_object_without_children_is_no_loss() -> None:
    """R44: removing the whole status is the documented way to reset."""
    assert told(a_look(a_build(), NOW)) == ()


WAITING_FOR_TURN = an_app_server(token=REQUEST, created=SLOT)
WITH_A_POD = an_app_server(
    token=REQUEST, created=SLOT, status=AppServerStatus(state=State.WAITING_FOR_SERVER, pod="nightly-m-1")
)
FIRST = an_app_server(attempt=1, state=State.ERROR, created=SLOT)
SECOND = an_app_server(attempt=2, state=State.CONFIGURING_SERVER, created="2026-11-24T02:40:00")

TAKEN_UP = {
    "a live attempt becomes a run": ([an_app_server(state=State.NEW)], [a_run(an_app_server())]),
    "a later attempt counts its run from the first": ([SECOND, FIRST], [a_run(SECOND, started=SLOT)]),
    "a manual run that has its pod goes on": ([WITH_A_POD], [a_run(WITH_A_POD)]),
    "a manual run without a pod waits for its turn": ([WAITING_FOR_TURN], []),
    "a finished attempt is history": ([FIRST], []),
    "a cancelled one is history": ([an_app_server(cancelled=True)], []),
    "one that is being deleted is history": ([an_app_server(is_deleting=True)], []),
    "one that was never completed is nobody's run": ([an_app_server(run=None)], []),
}


@pytest.mark.parametrize(("children", "runs"), TAKEN_UP.values(), ids=list(TAKEN_UP))
def test_what_is_alive_after_a_lost_status_becomes_a_run(children: list[AppServer], runs: list[object]) -> None:
    """R44."""
    assert list(lost(children=tuple(children)).runs) == runs


MANUAL = an_app_server(token=REQUEST, created="2026-11-24T12:00:00", state=State.RUNNING)
RETRY = an_app_server(attempt=2, created="2026-11-24T03:00:00", state=State.RUNNING)
SCHEDULED = an_app_server(created=SLOT, state=State.RUNNING)
RECOVERED = an_app_server(created="2026-11-24T12:00:00", trigger=Trigger.RECOVERY, state=State.RUNNING)

ANCHORS = {
    "the newest scheduled start": (AfterManualRun.KEEP, [SCHEDULED], SLOT),
    "a manual start, where it makes the interval start anew": (
        AfterManualRun.RESTART,
        [SCHEDULED, MANUAL],
        MANUAL.created_at,
    ),
    "no manual start where the interval is kept": (AfterManualRun.KEEP, [SCHEDULED, MANUAL], SLOT),
    "no retry: retries never move the interval": (AfterManualRun.RESTART, [SCHEDULED, RETRY], SLOT),
    "no recovery": (AfterManualRun.RESTART, [SCHEDULED, RECOVERED], SLOT),
    "none, where only a retry is left": (AfterManualRun.RESTART, [RETRY], None),
}


@pytest.mark.parametrize(("after_manual_run", "children", "anchor"), ANCHORS.values(), ids=list(ANCHORS))
def test_an_interval_is_counted_on_from_what_is_left(
    after_manual_run: AfterManualRun, children: list[AppServer], anchor: str | None
) -> None:
    """R44, R4, R5."""
    spec = a_spec(schedule=a_schedule(after_manual_run=after_manual_run))
    schedule = memory(a_look(a_build(spec=spec), NOW, children=children)).schedule
    assert schedule is not None
    assert schedule.anchor_at == (None if anchor is None else at(anchor))


def test_a_schedule_that_is_not_understood_is_counted_from_scheduled_starts_only() -> None:
    spec = a_spec(schedule_error="unreadable")
    schedule = memory(a_look(a_build(spec=spec), NOW, children=[SCHEDULED, MANUAL])).schedule
    assert schedule == ScheduleStatus(
        in_force=spec.schedule, epoch=2, since_at=at(NOW), cursor_at=at(SLOT), anchor_at=at(SLOT)
    )


def test_a_waiting_slot_left_without_its_schedule_closes_as_edited() -> None:
    """R44."""
    status = replace(a_status(waiting=a_wait()), schedule=None)
    after = memory(a_look(a_build(status=status), NOW))
    assert after.slots == Slots(due=2, started=1, skipped=1)
    assert after.waiting is None
    assert after.ledger[0] == an_entry(slot=SLOT, fate=Fate.SCHEDULE_EDITED, epoch=2, decided=NOW)


def test_a_waiting_slot_left_alone_is_counted_before_it_closes() -> None:
    """R44, R12: `due` is at least what is seen to be due."""
    after = memory(a_look(a_build(status=BuildStatus(waiting=a_wait())), NOW))
    assert after.slots == Slots(due=1, skipped=1)


EDITED = {
    "missing counters begin at what waits": (None, Slots(due=1, skipped=1)),
    "too little due is raised": (Slots(due=1, started=5), Slots(due=6, started=5, skipped=1)),
    "too much due was missed": (Slots(due=9, started=5), Slots(due=9, started=5, skipped=1, missed=3)),
    "every fate counts": (
        Slots(due=1, started=5, skipped=3, missed=2),
        Slots(due=11, started=5, skipped=4, missed=2),
    ),
}


@pytest.mark.parametrize(("slots", "repaired"), EDITED.values(), ids=list(EDITED))
def test_edited_counters_are_made_to_add_up_without_lowering_any(slots: Slots | None, repaired: Slots) -> None:
    """R12, R44."""
    plan = a_look(a_build(status=replace(a_status(waiting=a_wait()), slots=slots)), NOW)
    after = memory(plan)
    assert after.slots == repaired
    assert after.schedule == a_schedule_status(epoch=2, since=NOW, cursor=SLOT, due_at_since=repaired.due)
    assert set(told(plan)) == {"LedgerReset", "SlotSkipped"}


def test_edited_counters_leave_the_runs_as_they_are() -> None:
    """R44."""
    live = an_app_server(state=State.CONFIGURING_SERVER)
    other = an_app_server(slot=PREVIOUS, state=State.CONFIGURING_SERVER)
    status = replace(a_status(runs=[a_run(live, disruptions=2)]), slots=Slots(due=9))
    after = memory(a_look(a_build(status=status), NOW, children=[live, other]))
    assert after.runs == (a_run(live, disruptions=2), a_run(other))


def test_a_kept_ledger_bounds_the_new_epoch_and_its_cursor() -> None:
    """R44: also where no AppServer is left to say so."""
    merged = an_entry(slot=PREVIOUS, until=SLOT, count=2, fate=Fate.OPERATOR_DOWN, epoch=7)
    status = replace(a_status(ledger=[merged]), schedule=None)
    assert memory(a_look(a_build(status=status), NOW)).schedule == a_schedule_status(
        epoch=8, since=NOW, cursor=SLOT, due_at_since=2
    )


def test_a_draft_without_a_schedule_in_force_names_the_object() -> None:
    build = a_build()
    draft = Draft(facts=BuildFacts(build=build), now=a_now(NOW), status=build.status)
    with pytest.raises(ValueError, match="team-a/nightly has no schedule in force yet"):
        _ = draft.schedule
