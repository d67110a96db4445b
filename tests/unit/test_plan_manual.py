"""Manual runs: the token that asks for one, its turn, and what its start does to the interval (R5, R26)."""

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
from tests.builders.looks import PREVIOUS, REQUEST, a_look, a_refusal, a_status, a_wait, created, memory, told

from periodicbuild.core.facts import AppServer, AppServerStatus
from periodicbuild.core.plans import CreateAppServer, Refusal, Refused
from periodicbuild.core.policies import AfterManualRun
from periodicbuild.core.reasons import Blocker, Fate, State, Trigger
from periodicbuild.core.schedules import Schedule
from periodicbuild.core.status import BuildStatus, Manual, Waiting

RUN = "m-56ccc4dc"
"""`m-` and the first 8 of the SHA-256 of `REQUEST`."""
NAME = f"nightly-{RUN}-1"
BEFORE_DUE = "2026-11-24T01:00:00"
BEFORE_DUE_WITH_FRACTION = "2026-11-24T01:00:00.800000"
LATER = "2026-11-24T03:00:00"
HANDLED = Manual(token=REQUEST, run=RUN)
REQUESTED = an_app_server(token=REQUEST, created=BEFORE_DUE)
KEEP = a_schedule(after_manual_run=AfterManualRun.KEEP)
OFF = a_schedule(enabled=False)


def test_a_new_token_creates_the_app_server_of_a_manual_run() -> None:
    """R26: whether the schedule is on or not."""
    spec = a_spec(schedule=OFF)
    status = a_status(schedule=a_schedule_status(in_force=OFF, epoch=3))
    plan = a_look(a_build(spec=spec, run_now=REQUEST, status=status), LATER)
    assert plan.first == (
        CreateAppServer(
            name=NAME,
            run=RUN,
            attempt=1,
            trigger=Trigger.MANUAL,
            slot=None,
            epoch=3,
            succeed_when=spec.succeed_when,
            timeouts=spec.timeouts,
            template=spec.template,
            token=REQUEST,
        ),
    )


def test_a_request_does_not_wait_for_its_turn_to_be_taken_up() -> None:
    """R26: it waits in New behind what runs."""
    build = a_build(run_now=REQUEST, status=a_status())
    assert created(a_look(build, BEFORE_DUE, has_stray_pods=True, may_start=False)) == (NAME,)


def test_a_request_goes_before_a_slot_that_could_start_in_the_same_look() -> None:
    """R26: before a waiting slot."""
    build = a_build(run_now=REQUEST, status=a_status(waiting=a_wait()))
    assert created(a_look(build, LATER)) == (NAME,)


def test_the_token_of_an_app_server_that_exists_is_handled() -> None:
    """R26: exactly once across restarts, and there is nothing to complain of."""
    build = a_build(run_now=REQUEST, status=a_status())
    plan = a_look(build, BEFORE_DUE, children=[REQUESTED], may_start=False)
    assert (memory(plan), plan.first, plan.events) == (a_status(manual=HANDLED), (), ())


HANDLED_ALREADY = {
    "no token": (None, None),
    "the last one handled": (REQUEST, HANDLED),
}


@pytest.mark.parametrize(("token", "manual"), HANDLED_ALREADY.values(), ids=list(HANDLED_ALREADY))
def test_nothing_is_asked_for_by(token: str | None, manual: Manual | None) -> None:
    """R26."""
    plan = a_look(a_build(run_now=token, status=a_status(manual=manual)), BEFORE_DUE)
    assert (plan.first, memory(plan).manual) == ((), manual)


def test_the_app_server_of_an_older_token_answers_nothing() -> None:
    """R26."""
    older = an_app_server(token="older", created=BEFORE_DUE)  # noqa: S106 - an opaque run-now token
    plan = a_look(a_build(run_now=REQUEST, status=a_status()), BEFORE_DUE, children=[older])
    assert created(plan) == (NAME,)


TAKEN = {
    "by an AppServer of ours for another token": ([replace(REQUESTED, token=f"not {REQUEST}")], []),
    "by an object of someone else": ([], [a_refusal(NAME, Refused.NAME_COLLISION, retry=LATER)]),
}


@pytest.mark.parametrize(("children", "refusals"), TAKEN.values(), ids=list(TAKEN))
def test_a_request_is_dropped_when_its_name_is_taken(children: list[AppServer], refusals: list[Refusal]) -> None:
    """R26, design 2.4: it is told, and handled."""
    build = a_build(run_now=REQUEST, status=a_status())
    finished = [replace(child, status=AppServerStatus(state=State.ERROR)) for child in children]
    plan = a_look(build, BEFORE_DUE, children=finished, refusals=refusals)
    assert (memory(plan).manual, plan.first) == (HANDLED, ())
    note = f"The requested run was not started: the name {NAME} is taken; ask again with another token"
    assert [(event.type, event.reason, event.key, event.note) for event in plan.events] == [
        ("Warning", "NameCollision", RUN, note)
    ]


def test_a_refused_request_is_tried_again_after_its_back_off() -> None:
    build = a_build(run_now=REQUEST, status=a_status())
    refusal = a_refusal(NAME, retry=LATER)
    before = a_look(build, BEFORE_DUE, refusals=[refusal])
    assert (before.first, before.wake.steady) == ((), at(LATER))
    assert created(a_look(build, LATER, refusals=[refusal])) == (NAME,)


def test_a_manual_run_starts_when_nothing_is_in_progress() -> None:
    """R26, R5: the interval starts anew, from a whole second."""
    build = a_build(status=a_status(manual=HANDLED))
    plan = a_look(build, BEFORE_DUE_WITH_FRACTION, children=[REQUESTED])
    assert memory(plan) == a_status(
        manual=HANDLED,
        runs=[a_run(REQUESTED, started=BEFORE_DUE_WITH_FRACTION)],
        schedule=a_schedule_status(anchor=BEFORE_DUE, cursor=PREVIOUS),
    )
    assert [(event.type, event.reason, event.key, event.note) for event in plan.events] == [
        ("Normal", "BuildStarted", RUN, f"Build {RUN} was asked for by hand and has started as AppServer {NAME}"),
        ("Normal", "ManualSpawnObserved", RUN, f"The interval starts anew from the manual run {RUN}"),
    ]
    assert plan.has_started


RESTARTS = {
    "the interval starts anew": (a_schedule(), BEFORE_DUE),
    "the interval is kept": (KEEP, PREVIOUS),
    "the interval of a schedule that is off starts anew": (OFF, BEFORE_DUE),
}


@pytest.mark.parametrize(("schedule", "anchor"), RESTARTS.values(), ids=list(RESTARTS))
def test_when_a_manual_run_starts(schedule: Schedule, anchor: str) -> None:
    """R5."""
    before = a_schedule_status(in_force=schedule, anchor=PREVIOUS, cursor=PREVIOUS)
    build = a_build(spec=a_spec(schedule=schedule), status=a_status(schedule=before))
    plan = a_look(build, BEFORE_DUE, children=[REQUESTED])
    assert memory(plan).schedule == replace(before, anchor_at=at(anchor))
    assert memory(plan).ledger == build.status.ledger
    assert ("ManualSpawnObserved" in told(plan)) == (anchor == BEFORE_DUE)


def test_a_schedule_that_is_not_understood_has_no_interval_to_restart() -> None:
    spec = a_spec(schedule_error="unreadable")
    schedule = a_schedule_status(in_force=spec.schedule, anchor=PREVIOUS, cursor=PREVIOUS)
    plan = a_look(a_build(spec=spec, status=a_status(schedule=schedule)), BEFORE_DUE, children=[REQUESTED])
    assert memory(plan).schedule == schedule
    assert told(plan) == ("BuildStarted",)


OPEN = {
    "a slot that waits": a_wait(),
    "a slot not seen before": None,
}


@pytest.mark.parametrize("waiting", OPEN.values(), ids=list(OPEN))
def test_a_manual_start_skips(waiting: Waiting | None) -> None:
    """R5: and the interval counts from the start, not from the slot."""
    plan = a_look(a_build(status=a_status(waiting=waiting)), LATER, children=[REQUESTED])
    after = memory(plan)
    assert after.ledger[0] == an_entry(fate=Fate.MANUAL_SPAWN, decided=LATER)
    assert after.schedule == a_schedule_status(anchor=LATER, cursor=SLOT)
    assert (after.waiting, plan.first) == (None, ())
    assert told(plan) == ("BuildStarted", "SlotSkipped", "ManualSpawnObserved")
    assert {event.type for event in plan.events} == {"Normal"}
    assert plan.wake.wall == at("2026-11-25T03:00:00")


def test_a_manual_start_lets_the_slot_of_a_kept_interval_wait() -> None:
    """R5, R16."""
    status = a_status(schedule=a_schedule_status(in_force=KEEP, anchor=PREVIOUS, cursor=PREVIOUS))
    plan = a_look(a_build(spec=a_spec(schedule=KEEP), status=status), LATER, children=[REQUESTED])
    assert memory(plan).waiting == a_wait(since=LATER)
    assert (plan.first, plan.start_by is not None) == ((), False)


def test_the_first_start_of_all_may_be_a_manual_one() -> None:
    """R5: without an anchor."""
    status = a_status(schedule=a_schedule_status(since=LATER), ledger=[])
    plan = a_look(a_build(status=status), BEFORE_DUE, children=[REQUESTED])
    assert memory(plan).schedule == a_schedule_status(since=LATER, anchor=BEFORE_DUE)


def test_a_manual_start_never_moves_the_anchor_back() -> None:
    """R4, R5: after a step of the clock."""
    status = a_status(schedule=a_schedule_status(anchor=LATER, cursor=PREVIOUS))
    plan = a_look(a_build(status=status), BEFORE_DUE, children=[REQUESTED])
    assert memory(plan).schedule == status.schedule


OLDER = an_app_server(token="older", created=CREATED)  # noqa: S106 - an opaque run-now token
SAME_AGE = an_app_server(slot=None, run="aaa", name="aaa", created=BEFORE_DUE)
LIVE = an_app_server(slot=PREVIOUS, state=State.CONFIGURING_SERVER)


def test_the_oldest_request_goes_first() -> None:
    """R26."""
    runs = memory(a_look(a_build(status=a_status()), BEFORE_DUE, children=[REQUESTED, OLDER])).runs
    assert [run.id for run in runs] == [OLDER.run]


def test_of_requests_of_one_second_the_first_by_name_goes_first() -> None:
    runs = memory(a_look(a_build(status=a_status()), BEFORE_DUE, children=[REQUESTED, SAME_AGE])).runs
    assert [run.id for run in runs] == ["aaa"]


NOT_ITS_TURN = {
    "a run in progress": (a_status(runs=[a_run(LIVE)]), [LIVE]),
    "a manual run in progress": (a_status(runs=[a_run(OLDER)]), [OLDER]),
}


@pytest.mark.parametrize(("status", "children"), NOT_ITS_TURN.values(), ids=list(NOT_ITS_TURN))
def test_a_manual_run_waits_behind(status: BuildStatus, children: list[AppServer]) -> None:
    """R26, R17."""
    plan = a_look(a_build(status=status), BEFORE_DUE, children=[*children, REQUESTED])
    assert (memory(plan).runs, plan.has_started) == (status.runs, False)


def test_a_manual_run_that_waits_for_its_turn_does_not_hold_back_another() -> None:
    """R17: it is not in progress, even with the retry of a run to come first."""
    failed = an_app_server(slot=PREVIOUS, state=State.ERROR)
    status = a_status(runs=[a_run(failed, next_attempt=BEFORE_DUE)])
    plan = a_look(a_build(status=status), BEFORE_DUE, children=[failed, REQUESTED])
    assert created(plan) == ("nightly-20261123-023000-2",)


def test_a_manual_run_starts_between_the_attempts_of_another() -> None:
    """R17, R21: it does not displace the run."""
    failed = an_app_server(slot=PREVIOUS, state=State.ERROR)
    waiting = a_run(failed, next_attempt=LATER)
    plan = a_look(a_build(status=a_status(runs=[waiting])), BEFORE_DUE, children=[failed, REQUESTED])
    assert memory(plan).runs == (waiting, a_run(REQUESTED))


def test_a_manual_run_is_admitted_once_whatever_its_status_says() -> None:
    """R26: here edited to be between attempts, which no manual run is."""
    edited = a_run(REQUESTED, next_attempt=LATER)
    plan = a_look(a_build(status=a_status(runs=[edited])), BEFORE_DUE, children=[REQUESTED])
    assert (memory(plan).runs, plan.has_started) == ((edited,), False)


NO_CANDIDATES = {
    "has ended": replace(REQUESTED, status=AppServerStatus(state=State.ERROR)),
    "is cancelled": replace(REQUESTED, cancelled=True),
    "is being deleted": replace(REQUESTED, is_deleting=True, status=AppServerStatus(state=State.ERROR)),
    "is not complete": replace(REQUESTED, run=None),
    "is a retry of a scheduled run": an_app_server(attempt=2, slot=PREVIOUS, state=State.CONFIGURING_SERVER),
}


@pytest.mark.parametrize("child", NO_CANDIDATES.values(), ids=list(NO_CANDIDATES))
def test_no_manual_run_starts_from_one_that(child: AppServer) -> None:
    """R26."""
    plan = a_look(a_build(status=a_status()), BEFORE_DUE, children=[child])
    assert (memory(plan).runs, plan.has_started) == ((), False)


def test_a_manual_run_waits_for_a_place_too() -> None:
    """R15, R26."""
    plan = a_look(a_build(status=a_status()), BEFORE_DUE, children=[REQUESTED], has_place=False)
    assert (memory(plan).runs, plan.start_by, plan.has_started) == ((), at(BEFORE_DUE), False)


def test_a_manual_run_goes_through_the_start_rate_before_a_waiting_slot() -> None:
    """R15, R26: it decides the place in the line, and the slot says what it waits for."""
    plan = a_look(a_build(status=a_status()), SLOT, children=[REQUESTED], may_start=False)
    assert memory(plan) == a_status()
    assert plan.unwritten == a_wait(reason=Blocker.START_RATE)
    assert (plan.start_by, plan.has_started) == (at(SLOT), False)
