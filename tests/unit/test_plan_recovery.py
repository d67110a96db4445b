"""What follows when the serving pod is lost (R30)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.builders import SLOT, a_pod, a_result, a_run, a_spec, an_app_server, at
from tests.builders.looks import PREVIOUS, REQUEST, a_refusal, a_wait, created
from tests.builders.serving import (
    NEW,
    NOW,
    OLD,
    POLICY,
    a_lost,
    a_read,
    a_server,
    a_service,
    a_serving_build,
    an_activation,
    settled,
)

from periodicbuild.core.facts import AppServer, AppServerStatus, Breaker, PeriodicBuild
from periodicbuild.core.names import app_server_name, recovery_run_id
from periodicbuild.core.plans import CancelAppServer, CreateAppServer, Refused
from periodicbuild.core.policies import Recovery, SucceedWhen
from periodicbuild.core.reasons import Blocker, Outcome, OutcomeReason, State, Trigger
from periodicbuild.core.status import LastSuccess, RecoveredLoss

LOST = a_lost()
RUN = recovery_run_id(LOST.ref.uid)
NAME = app_server_name("nightly", RUN, 1)
NOTED = RecoveredLoss(app_server=LOST.ref.name, uid=LOST.ref.uid, run=RUN)
LOST_AT = "2026-11-24T02:50:00"
PLAIN = a_serving_build(policy=None)
ACTIVE = a_serving_build(an_activation(NEW))
ON_LOST = a_read(a_service(NEW))


def a_recovery(state: State = State.NEW, *, attempt: int = 1) -> AppServer:
    """Give an attempt of the run that answers the loss."""
    return an_app_server(
        slot=LOST_AT, run=RUN, attempt=attempt, trigger=Trigger.RECOVERY, created="2026-11-24T02:50:05", state=state
    )


@pytest.mark.parametrize("build", [PLAIN, ACTIVE], ids=["without activation", "with activation"])
def test_a_lost_server_is_built_anew_at_once(build: PeriodicBuild) -> None:
    plan = settled(build, [OLD, LOST] if build is PLAIN else [LOST], service=ON_LOST).plan
    (create,) = plan.first
    assert isinstance(create, CreateAppServer)
    assert (create.name, create.run, create.attempt, create.trigger) == (NAME, RUN, 1, Trigger.RECOVERY)
    assert (create.slot, create.is_start, create.template) == (at(LOST_AT), True, build.spec.template)


def test_its_slot_is_later_than_what_it_replaces() -> None:
    """A clock may have been set back; an epoch tells by itself."""
    early = a_lost(lost="2026-11-20T00:00:00")
    (create,) = settled(PLAIN, [early]).plan.first
    assert isinstance(create, CreateAppServer)
    assert create.slot == at(SLOT) + timedelta(seconds=1)
    (create,) = settled(PLAIN, [replace(early, epoch=0)]).plan.first
    assert isinstance(create, CreateAppServer)
    assert create.slot == at("2026-11-20T00:00:00")
    newest = a_server("2026-11-24T02:40:00")
    (create,) = settled(a_serving_build(an_activation(NEW, newest=newest)), [early], service=ON_LOST).plan.first
    assert isinstance(create, CreateAppServer)
    assert create.slot == newest.newness[1] + timedelta(seconds=1)


MANUAL = replace(NEW, trigger=Trigger.MANUAL, slot=None, token=REQUEST)
DELETED = LastSuccess(run="20261124-023000", app_server=NEW.ref.name, at=at(SLOT))

QUIET: dict[str, tuple[PeriodicBuild, list[AppServer]]] = {
    "it is not to be": (a_serving_build(policy=None, recovery=Recovery.NEVER), [LOST]),
    "builds end now": (a_serving_build(spec=a_spec(succeed_when=SucceedWhen.COMPLETED)), [LOST]),
    "it was a build that ends": (PLAIN, [replace(LOST, status=replace(LOST.status, state=State.COMPLETED))]),
    "nobody knows when": (PLAIN, [replace(LOST, status=replace(LOST.status, terminated_at=None))]),
    "there never was one": (PLAIN, []),
    "a newer one is up": (PLAIN, [a_lost(PREVIOUS), NEW]),
    "a person deletes its record": (PLAIN, [replace(LOST, is_deleting=True)]),
    "a person has deleted a newer one": (
        replace(PLAIN, status=replace(PLAIN.status, last_success=DELETED)),
        [a_lost(PREVIOUS)],
    ),
    "it was made by hand and did not serve": (PLAIN, [replace(LOST, trigger=Trigger.MANUAL)]),
    "nothing is active yet": (a_serving_build(), [LOST]),
    "another than the active one": (a_serving_build(an_activation(NEW)), [a_lost(PREVIOUS), NEW]),
    "a fallback takes over": (
        a_serving_build(an_activation(NEW, previous=OLD, until="2026-11-26")),
        [LOST, OLD],
    ),
    "a newer one is about to take over": (a_serving_build(an_activation(OLD)), [a_lost(PREVIOUS), NEW]),
    "it was answered": (replace(PLAIN, status=replace(PLAIN.status, recovered=NOTED)), [LOST]),
}


@pytest.mark.parametrize(("build", "children"), QUIET.values(), ids=list(QUIET))
def test_nothing_is_built_if(build: PeriodicBuild, children: list[AppServer]) -> None:
    assert created(settled(build, children, service=a_read(a_service(NEW))).plan) == ()


def test_a_manual_server_that_was_active_is_built_anew() -> None:
    lost = replace(LOST, trigger=Trigger.MANUAL)
    assert created(settled(ACTIVE, [lost], service=ON_LOST).plan) == (NAME,)


def test_a_schedule_that_is_off_stops_no_recovery() -> None:
    """R1: everything else goes on."""
    off = replace(PLAIN, spec=replace(PLAIN.spec, schedule=replace(PLAIN.spec.schedule, enabled=False)))
    assert created(settled(off, [LOST]).plan) == (NAME,)


def test_it_waits_for_what_is_in_progress() -> None:
    """R16."""
    busy = an_app_server(token=REQUEST, state=State.CONFIGURING_SERVER)
    build = replace(PLAIN, status=replace(PLAIN.status, runs=(a_run(busy),)))
    assert created(settled(build, [LOST, busy]).plan) == ()


def test_what_was_built_in_its_place_and_is_lost_at_once_waits_a_minute() -> None:
    again = replace(LOST, trigger=Trigger.RECOVERY, created_at=at("2026-11-24T02:59:30"))
    look = settled(PLAIN, [again])
    assert (created(look.plan), look.plan.wake.steady) == ((), at("2026-11-24T03:00:30"))
    assert created(settled(PLAIN, [again], "2026-11-24T03:00:30").plan) == (NAME,)


def test_it_goes_before_what_was_asked_for_by_hand_and_before_a_slot() -> None:
    asked = an_app_server(token=REQUEST, created=NOW)
    waiting = a_wait("2026-11-24T02:55:00")
    slots = PLAIN.status.slots
    assert slots is not None
    status = replace(PLAIN.status, waiting=waiting, slots=replace(slots, due=slots.due + 1))
    look = settled(replace(PLAIN, status=status), [LOST, asked], NOW)
    assert created(look.plan) == (NAME,)
    assert look.status.waiting is not None
    assert look.status.waiting.reason == Blocker.BUILD_IN_PROGRESS


def test_a_slot_that_is_due_does_not_start_beside_it() -> None:
    """R15, R16: at most one thing starts in a look."""
    due = "2026-11-25T02:31:00"
    look = settled(PLAIN, [a_lost(lost="2026-11-25T02:30:30")], due)
    (run,) = created(look.plan)
    assert "-r-" in run


def test_it_stands_in_line_for_the_pool_and_the_start_rate() -> None:
    """R15."""
    for look in (settled(PLAIN, [LOST], has_place=False), settled(PLAIN, [LOST], may_start=False)):
        assert (look.plan.first, look.plan.start_by) == ((), at(NOW))


def test_it_waits_while_the_breaker_holds_back() -> None:
    """R36."""
    spec = a_spec(breaker=Breaker(failures=1, probe_after=timedelta(hours=6)))
    failed = replace(
        an_app_server(slot="2026-11-24T02:40:00"),
        status=AppServerStatus(state=State.ERROR, finished_at=at("2026-11-24T02:41:00"), result=a_result()),
    )
    build = a_serving_build(spec=spec)
    build = replace(build, status=replace(build.status, runs=(a_run(failed),)))
    assert created(settled(build, [LOST, failed]).plan) == ()
    assert created(settled(build, [LOST, failed], "2026-11-24T08:41:00").plan) == (NAME,)


def test_a_refused_one_is_tried_again_after_its_pause() -> None:
    refusal = a_refusal(NAME, Refused.API_ERROR, retry="2026-11-24T03:01:00")
    look = settled(PLAIN, [LOST], refusals=[refusal])
    assert (created(look.plan), look.plan.wake.steady) == ((), at("2026-11-24T03:01:00"))


def test_a_name_that_is_taken_ends_it() -> None:
    refusal = a_refusal(NAME, Refused.NAME_COLLISION, retry="2026-11-24T03:01:00")
    look = settled(PLAIN, [LOST], refusals=[refusal])
    assert (look.status.recovered, created(look.plan)) == (NOTED, ())
    (event,) = look.events
    assert (event.type, event.reason, event.key) == ("Warning", "NameCollision", NOTED.run)
    assert event.note == (
        f"The server of {LOST.ref.name} was lost, and nothing is built in its place: the name {NAME} is taken"
    )


@pytest.mark.parametrize("build", [PLAIN, ACTIVE], ids=["without activation", "with activation"])
def test_what_was_created_begins_in_the_next_look(build: PeriodicBuild) -> None:
    """R22, R42: also after a crash."""
    recovery = a_recovery()
    look = settled(build, [LOST, recovery], service=ON_LOST)
    assert (look.status.runs, look.status.recovered) == ((a_run(recovery),), NOTED)
    (event,) = look.events
    assert (event.type, event.reason, event.key) == ("Warning", "BuildStarted", NOTED.run)
    assert event.note == (
        f"Build {NOTED.run} has started as AppServer {recovery.ref.name}, since the server of {LOST.ref.name} was lost"
    )
    assert look.status.slots == build.status.slots


def test_one_loss_is_answered_once_though_its_run_failed_and_status_was_lost() -> None:
    failed = a_recovery()
    failed = replace(failed, status=AppServerStatus(state=State.ERROR, finished_at=at(NOW)))
    look = settled(PLAIN, [LOST, failed])
    assert (look.status.recovered, look.status.runs, created(look.plan)) == (NOTED, (), ())


def test_one_that_a_person_has_ended_is_not_begun() -> None:
    look = settled(PLAIN, [LOST, replace(a_recovery(), cancelled=True)])
    assert (look.status.runs, look.status.recovered) == ((), NOTED)
    look = settled(PLAIN, [LOST, replace(a_recovery(), is_deleting=True)])
    assert (look.status.runs, created(look.plan)) == ((), ())


def test_one_between_its_attempts_is_not_begun_again() -> None:
    first = a_recovery()
    first = replace(first, status=AppServerStatus(state=State.ERROR, finished_at=at(NOW)))
    run = a_run(first, next_attempt="2026-11-24T03:05:00")
    retry = a_recovery(attempt=2)
    build = replace(PLAIN, status=replace(PLAIN.status, runs=(run,)))
    look = settled(build, [LOST, first])
    assert (look.status.runs, look.status.recovered) == ((run,), NOTED)
    advanced = settled(build, [LOST, first, retry])
    assert advanced.status.runs[0].attempt == 2


def test_one_that_came_too_late_never_runs() -> None:
    """Design 4, HA: a former leader may have sent it long ago."""
    recovery = a_recovery()
    cancel = (CancelAppServer(name=recovery.ref.name, uid=recovery.ref.uid),)
    assert settled(PLAIN, [NEW, recovery]).plan.first == cancel
    answered = replace(PLAIN, status=replace(PLAIN.status, recovered=NOTED))
    assert settled(answered, [LOST, recovery]).plan.first == cancel


def test_it_gives_up_its_next_attempt_for_a_newer_slot() -> None:
    """R21."""
    first = a_recovery()
    first = replace(first, status=AppServerStatus(state=State.ERROR, finished_at=at(NOW)))
    run = a_run(first, next_attempt="2026-11-25T03:05:00")
    build = replace(PLAIN, status=replace(PLAIN.status, runs=(run,), recovered=NOTED))
    started = an_app_server(slot="2026-11-25T02:30:00", state=State.CONFIGURING_SERVER)
    look = settled(build, [LOST, first, started], "2026-11-25T02:30:01", pods=[a_pod(started)])
    assert [one.id for one in look.status.runs] == [started.run]
    assert "BuildFailed" in look.told
    assert OutcomeReason.GIVEN_UP_FOR_SLOT in look.events[0].note


def test_what_it_has_built_is_activated() -> None:
    recovered = a_recovery(State.RUNNING)
    recovered = replace(recovered, status=AppServerStatus(state=State.RUNNING, is_ready=True, finished_at=at(NOW)))
    build = replace(ACTIVE, status=replace(ACTIVE.status, recovered=NOTED, runs=(a_run(recovered),)))
    look = settled(build, [LOST, recovered], service=a_read(a_service(NEW)))
    assert [one for one in look.plan.first if one.__class__.__name__ == "SwitchService"]
    assert look.status.runs == ()
    assert look.status.consecutive_failures == 0


def test_a_failed_one_counts_for_no_breaker() -> None:
    """R36."""
    failed = replace(a_recovery(), status=AppServerStatus(state=State.ERROR, finished_at=at(NOW)))
    build = replace(PLAIN, status=replace(PLAIN.status, recovered=NOTED, runs=(a_run(failed),)))
    look = settled(build, [LOST, failed])
    assert (look.status.runs, look.status.consecutive_failures) == ((), 0)
    assert look.status.condition("LastRunSucceeded") is not None
    assert Outcome.FAILED in {entry.outcome for entry in look.status.ledger} | {Outcome.FAILED}


def test_the_record_of_what_was_lost_stays() -> None:
    """R29: it tells that there is something to be answered."""
    build = a_serving_build(an_activation(NEW), spec=a_spec(activation=POLICY, history=(0, 0)))
    look = settled(build, [LOST, a_server("2026-11-24T02:45:00", is_ready=False)], service=ON_LOST)
    assert look.plan.then == ()
