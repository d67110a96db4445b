"""Children first: what exists is recorded before anything else is judged (R22, R42, decision 1)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.builders import SLOT, a_build, a_result, a_run, a_schedule_status, an_app_server, an_entry, at
from tests.builders.looks import PREVIOUS, a_look, a_status, a_wait, memory, told

from periodicbuild.core.facts import AppServer, AppServerStatus
from periodicbuild.core.reasons import Outcome, State, Trigger
from periodicbuild.core.status import BuildStatus, LastScheduled, Run, Slots

A_SECOND_LATE = "2026-11-24T02:30:01"
BEFORE_DUE = "2026-11-24T01:00:00"
CHILD = an_app_server(created=A_SECOND_LATE)


def test_an_app_server_of_the_slot_is_recorded_as_its_start() -> None:
    """R22: after a crash as in calm."""
    plan = a_look(a_build(status=a_status()), A_SECOND_LATE, children=[CHILD])
    assert memory(plan) == replace(
        a_status(
            ledger=[an_entry(decided=A_SECOND_LATE), *a_status().ledger],
            schedule=a_schedule_status(anchor=SLOT, cursor=SLOT),
            runs=[a_run(CHILD)],
        ),
        last_scheduled=LastScheduled(slot=at(SLOT), started_at=at(A_SECOND_LATE), run="20261124-023000"),
    )
    (event,) = plan.events
    assert (event.type, event.reason, event.action, event.key) == (
        "Normal",
        "BuildStarted",
        "StartRun",
        "20261124-023000",
    )
    assert event.note == (
        "Build 20261124-023000, due at 2026-11-24T02:30:00Z, has started as AppServer nightly-20261124-023000-1"
    )
    assert (plan.first, plan.wake.wall) == ((), at("2026-11-25T02:30:00"))


RECORDED = {
    "of the slot that waits": (a_status(waiting=a_wait()), CHILD),
    "of a slot after the cursor": (a_status(), CHILD),
    "of the first slot of an epoch": (a_status(schedule=a_schedule_status(), ledger=[]), CHILD),
    "that is well under way": (a_status(), replace(CHILD, status=AppServerStatus(state=State.CONFIGURING_SERVER))),
}


@pytest.mark.parametrize(("status", "child"), RECORDED.values(), ids=list(RECORDED))
def test_a_start_is_recorded(status: BuildStatus, child: AppServer) -> None:
    """R22: the slot is decided once."""
    before = status.slots or Slots()
    after = memory(a_look(a_build(status=status), A_SECOND_LATE, children=[child]))
    assert (after.waiting, after.runs) == (None, (a_run(child),))
    assert after.slots == replace(before, due=before.started + 1, started=before.started + 1)


NOT_RECORDED = {
    "of a slot that was decided": an_app_server(slot=PREVIOUS, state=State.CONFIGURING_SERVER),
    "of another epoch": an_app_server(epoch=2, state=State.CONFIGURING_SERVER),
    "that is a later attempt": an_app_server(attempt=2, state=State.CONFIGURING_SERVER),
    "that is manual": replace(CHILD, trigger=Trigger.MANUAL, cancelled=True),
    "that is a recovery": replace(an_app_server(state=State.CONFIGURING_SERVER), trigger=Trigger.RECOVERY),
    "without a slot": replace(an_app_server(state=State.CONFIGURING_SERVER), slot=None),
    "that is not complete": replace(CHILD, run=None),
}


@pytest.mark.parametrize("child", NOT_RECORDED.values(), ids=list(NOT_RECORDED))
def test_no_start_is_recorded_for_one(child: AppServer) -> None:
    """R22."""
    status = a_status()
    plan = a_look(a_build(status=status), BEFORE_DUE, children=[child])
    assert (memory(plan), plan.events) == (status, ())


def test_one_that_is_not_complete_keeps_no_other_from_being_recorded() -> None:
    """R22: though it is older."""
    incomplete = an_app_server(slot=None, run=None, created=BEFORE_DUE)
    plan = a_look(a_build(status=a_status()), A_SECOND_LATE, children=[incomplete, CHILD])
    assert memory(plan).runs == (a_run(CHILD),)


def test_a_build_that_was_started_and_ended_unseen_is_recorded_in_one_look() -> None:
    """R22, R42: start and outcome."""
    ended = replace(
        CHILD, status=AppServerStatus(state=State.ERROR, finished_at=at("2026-11-24T02:40:00"), result=a_result())
    )
    plan = a_look(a_build(status=a_status()), "2026-11-24T03:00:00", children=[ended])
    after = memory(plan)
    assert after.ledger[0] == an_entry(
        decided="2026-11-24T03:00:00", outcome=Outcome.FAILED, outcome_reason="RetriesUsedUp"
    )
    assert (after.runs, after.slots) == ((), Slots(due=2, started=2))
    assert told(plan) == ("BuildStarted", "BuildFailed")


def test_of_a_run_that_was_started_and_retried_unseen_the_newest_attempt_counts() -> None:
    """R22: an attempt number above the recorded one advances the run."""
    first = an_app_server(attempt=1, created=SLOT, state=State.ERROR)
    second = an_app_server(attempt=2, created=A_SECOND_LATE)
    after = memory(a_look(a_build(status=a_status()), A_SECOND_LATE, children=[second, first]))
    assert after.runs == (a_run(second, started=SLOT),)


FIRST = an_app_server(slot=PREVIOUS, attempt=1, state=State.ERROR)
SECOND = an_app_server(slot=PREVIOUS, attempt=2)

KNOWN = {
    "a later one is taken up, and the wait for it ends": a_run(FIRST, next_attempt=BEFORE_DUE),
    "an earlier one is left alone": a_run(SECOND, started=PREVIOUS),
}


@pytest.mark.parametrize("run", KNOWN.values(), ids=list(KNOWN))
def test_of_the_attempts_of_a_run_in_progress(run: Run) -> None:
    """R22."""
    after = memory(a_look(a_build(status=a_status(runs=[run])), BEFORE_DUE, children=[FIRST, SECOND]))
    assert after.runs == (a_run(SECOND, started=PREVIOUS),)


def test_the_next_attempt_of_one_run_is_none_of_another() -> None:
    """R22."""
    other = an_app_server(slot=PREVIOUS, state=State.ERROR)
    run = a_run(other, next_attempt="2026-11-25T00:00:00")
    after = memory(a_look(a_build(status=a_status(runs=[run])), A_SECOND_LATE, children=[other, CHILD]))
    assert after.runs == (a_run(CHILD),)


def test_children_of_one_second_are_recorded_in_the_order_of_their_names() -> None:
    """R22: whatever the order of the list."""
    one = an_app_server(slot=None, run="aaa", name="aaa", created=SLOT, token="1")  # noqa: S106 - an opaque run-now token
    build = a_build(status=a_status())
    assert a_look(build, A_SECOND_LATE, children=[CHILD, one]) == a_look(build, A_SECOND_LATE, children=[one, CHILD])


def test_what_was_recorded_leaves_nothing_to_say() -> None:
    """It settles: applied to its own outcome the planner has nothing left to do."""
    status = a_look(a_build(status=a_status()), A_SECOND_LATE, children=[CHILD]).status
    plan = a_look(a_build(status=status), A_SECOND_LATE, children=[CHILD])
    assert (plan.first, plan.status, plan.events, plan.then) == ((), None, (), ())
