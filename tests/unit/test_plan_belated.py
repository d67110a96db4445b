"""A create that a former leader had sent arrives late: it waits for its turn, or never runs (R16, R22)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.builders import SLOT, a_build, a_pod, a_run, a_schedule_status, an_app_server, an_entry
from tests.builders.looks import PREVIOUS, REQUEST, a_look, a_status, a_wait, cancelled, created, memory

from periodicbuild.core.facts import AppServer, Pod
from periodicbuild.core.plans import CancelAppServer
from periodicbuild.core.reasons import Blocker, Fate, State, Trigger
from periodicbuild.core.status import BuildStatus

NEXT = "2026-11-25T02:30:00"
BEFORE_DUE = "2026-11-24T01:00:00"
LATE = an_app_server(slot=PREVIOUS, created=BEFORE_DUE)
SKIPPED = replace(
    a_status(ledger=[an_entry(slot=PREVIOUS, fate=Fate.SUPERSEDED)]), schedule=a_schedule_status(cursor=PREVIOUS)
)


def test_one_whose_slot_has_another_fate_is_cancelled() -> None:
    """Nothing is written in this look: what is cancelled must be seen to end."""
    plan = a_look(a_build(status=SKIPPED), BEFORE_DUE, children=[LATE])
    assert plan.first == (CancelAppServer(name=LATE.ref.name, uid=LATE.ref.uid),)
    assert plan.status is None


NEVER_RUN = {
    "of an epoch that is over": an_app_server(epoch=0, created=BEFORE_DUE),
    "a retry of a run that has ended": an_app_server(slot=PREVIOUS, attempt=2, created=BEFORE_DUE),
    "without a slot": replace(LATE, slot=None),
}


@pytest.mark.parametrize("child", NEVER_RUN.values(), ids=list(NEVER_RUN))
def test_what_no_run_will_ever_take_is_cancelled(child: AppServer) -> None:
    assert cancelled(a_look(a_build(status=SKIPPED), BEFORE_DUE, children=[child])) == (child.ref.name,)


LEFT_ALONE = {
    "is under way": replace(LATE, status=replace(LATE.status, state=State.WAITING_FOR_SERVER)),
    "is cancelled already": replace(LATE, cancelled=True),
    "is being deleted": replace(LATE, is_deleting=True),
    "has ended": replace(LATE, status=replace(LATE.status, state=State.ERROR)),
    "was asked for by hand": an_app_server(token=REQUEST, created=BEFORE_DUE),
    "is not complete": replace(LATE, run=None, trigger=Trigger.MANUAL),
}


@pytest.mark.parametrize("child", LEFT_ALONE.values(), ids=list(LEFT_ALONE))
def test_it_is_left_alone_if_it(child: AppServer) -> None:
    assert cancelled(a_look(a_build(status=SKIPPED), BEFORE_DUE, children=[child])) == ()


def test_one_with_a_pod_is_left_alone() -> None:
    plan = a_look(a_build(status=SKIPPED), BEFORE_DUE, children=[LATE], pods=[a_pod(LATE)])
    assert cancelled(plan) == ()


def test_one_that_was_seen_to_be_gone_is_not_cancelled_again() -> None:
    """The watch that still shows it lags behind."""
    plan = a_look(a_build(status=SKIPPED), BEFORE_DUE, children=[LATE], gone=[LATE.ref.uid])
    assert cancelled(plan) == ()


@pytest.mark.parametrize("is_newest_first", [True, False])
def test_of_two_new_slots_the_newest_has_started(*, is_newest_first: bool) -> None:
    """R13: the other never runs; once it is cancelled, the start of the newest is written."""
    older, newer = an_app_server(created=NEXT), an_app_server(slot=NEXT, created=NEXT)
    build = a_build(status=a_status())
    children = sorted([older, newer], key=lambda one: one.ref.name, reverse=is_newest_first)
    assert cancelled(a_look(build, NEXT, children=children)) == (older.ref.name,)
    after = memory(a_look(build, NEXT, children=[newer, replace(older, cancelled=True)]))
    assert after.runs == (a_run(newer),)
    assert after.ledger[0] == an_entry(slot=NEXT, decided=NEXT)
    assert older.run not in {entry.run for entry in after.ledger}


LIVE = an_app_server(token=REQUEST, state=State.CONFIGURING_SERVER)
BUSY = {
    "a run is live": (a_status(runs=[a_run(LIVE)]), [LIVE], []),
    "a run is live that was not seen yet": (a_status(runs=[a_run(LIVE)]), [], []),
    "the pod of another is still there": (a_status(), [LIVE], [a_pod(LIVE)]),
}


@pytest.mark.parametrize(("status", "others", "pods"), BUSY.values(), ids=list(BUSY))
def test_it_is_neither_recorded_nor_cancelled_while(
    status: BuildStatus, others: list[AppServer], pods: list[Pod]
) -> None:
    """R16: one build at a time."""
    late = an_app_server(created=SLOT)
    plan = a_look(a_build(status=status), SLOT, children=[*others, late], pods=pods)
    assert (cancelled(plan), created(plan)) == ((), ())


def test_one_that_has_its_pod_already_has_started() -> None:
    """R44: its run was in a status that was edited since."""
    begun = an_app_server(created=SLOT)
    after = memory(a_look(a_build(status=a_status()), SLOT, children=[begun], pods=[a_pod(begun)]))
    assert (after.runs, after.ledger[0]) == ((a_run(begun),), an_entry(slot=SLOT))


def test_the_slot_waits_meanwhile_and_finds_its_app_server_when_its_turn_comes() -> None:
    late = an_app_server(created=SLOT)
    busy = a_look(a_build(status=a_status(runs=[a_run(LIVE)])), SLOT, children=[LIVE, late])
    assert memory(busy).waiting == a_wait(reason=Blocker.BUILD_IN_PROGRESS)
    over = replace(LIVE, status=replace(LIVE.status, state=State.RUNNING))
    after = memory(a_look(a_build(status=a_status(runs=[a_run(LIVE)])), SLOT, children=[over, late]))
    assert after.runs == (a_run(late),)
    assert after.ledger[0] == an_entry(slot=SLOT)


LOST = BuildStatus()


def test_after_a_lost_status_the_newest_that_was_about_to_begin_goes_on_alone() -> None:
    """R16, R44."""
    older, newer = an_app_server(created=NEXT), an_app_server(slot=NEXT, created=f"{NEXT[:-2]}01")
    assert memory(a_look(a_build(status=LOST), NEXT, children=[newer, older])).runs == (a_run(newer),)


def test_after_a_lost_status_nothing_begins_beside_what_is_under_way() -> None:
    """R16, R44."""
    begun = an_app_server(state=State.CONFIGURING_SERVER)
    late = an_app_server(slot=NEXT, created=NEXT)
    assert memory(a_look(a_build(status=LOST), NEXT, children=[begun, late])).runs == (a_run(begun),)
    assert memory(a_look(a_build(status=LOST), NEXT, children=[late], has_stray_pods=True)).runs == ()


def test_after_a_lost_schedule_what_the_ledger_says_has_started_goes_on() -> None:
    """R44."""
    status = replace(a_status(ledger=[an_entry(slot=PREVIOUS)]), schedule=None)
    assert memory(a_look(a_build(status=status), NEXT, children=[LATE])).runs == (a_run(LATE),)


def test_after_a_lost_schedule_nothing_begins_that_the_ledger_says_was_skipped() -> None:
    """R44."""
    status = replace(SKIPPED, schedule=None)
    assert memory(a_look(a_build(status=status), NEXT, children=[LATE])).runs == ()


def test_a_later_attempt_from_before_the_clock_was_set_back_is_none_of_the_new_run() -> None:
    """R9: the slot has come a second time, and the run has the same name."""
    now = an_app_server(created=SLOT, epoch=2, state=State.CONFIGURING_SERVER)
    then = an_app_server(attempt=2, epoch=1, created=NEXT, state=State.COMPLETED)
    schedule = a_schedule_status(epoch=2, anchor=SLOT, cursor=SLOT)
    build = a_build(status=a_status(schedule=schedule, ledger=[an_entry(epoch=2)], runs=[a_run(now)]))
    assert memory(a_look(build, "2026-11-24T02:31:00", children=[now, then])).runs == (a_run(now),)
