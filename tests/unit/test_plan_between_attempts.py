"""A run between two attempts: what it waits for, and when it is given up (R15, R18, R20, R21)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.builders import (
    SLOT,
    a_build,
    a_pod,
    a_result,
    a_run,
    a_schedule,
    a_schedule_status,
    a_spec,
    an_app_server,
    an_entry,
    at,
    some_timeouts,
)
from tests.builders.looks import PREVIOUS, REQUEST, a_look, a_refusal, a_status, a_wait, created, memory, slots_of, told

from periodicbuild.core.facts import AppServer, AppServerStatus, TemplateJson
from periodicbuild.core.plans import CreateAppServer, Refusal, Refused
from periodicbuild.core.policies import SucceedWhen
from periodicbuild.core.reasons import Blocker, Outcome, State, Trigger
from periodicbuild.core.status import LastFailure

ENDED = "2026-11-23T02:35:00"
NOW = "2026-11-23T02:35:02"
RUN = "20261123-023000"
SECOND_NAME = f"nightly-{RUN}-2"


def failed(*, token: str | None = None) -> AppServer:
    """Give the first attempt of the run of `PREVIOUS`, or of a manual one, that failed at `ENDED`."""
    status = AppServerStatus(state=State.ERROR, finished_at=at(ENDED), result=a_result())
    return an_app_server(slot=PREVIOUS, token=token, created=PREVIOUS, status=status)


NEXT_ATTEMPT = "2026-11-23T02:36:00"
JUST_BEFORE_NEXT_ATTEMPT = "2026-11-23T02:35:59"
ITS_TEMPLATE = TemplateJson(b'{"of":"attempt 1"}')
FIRST = replace(failed(), template=ITS_TEMPLATE, epoch=1, timeouts=some_timeouts(run="12h"))
PATIENT = replace(FIRST, timeouts=some_timeouts())
WAITING = a_run(FIRST, next_attempt=NEXT_ATTEMPT, disruptions=1)


def test_the_next_attempt_waits_for_a_place_and_the_run_waits_with_it() -> None:
    """R15: a limit that retries could pass would be none."""
    build = a_build(status=a_status(runs=[WAITING]))
    plan = a_look(build, NEXT_ATTEMPT, children=[FIRST], has_place=False)
    assert (created(plan), memory(plan).runs, plan.start_by) == ((), (WAITING,), at(NEXT_ATTEMPT))


def test_the_next_attempt_begins_when_its_back_off_is_over() -> None:
    """R18: from the template of attempt 1, even while the schedule is off and the start rate used up."""
    off = a_schedule(enabled=False)
    edited = a_spec(
        schedule=off,
        template=b'{"edited":true}',
        timeouts=some_timeouts(waiting="5m"),
        succeed_when=SucceedWhen.COMPLETED,
    )
    build = a_build(spec=edited, status=a_status(schedule=a_schedule_status(in_force=off, epoch=4), runs=[WAITING]))
    plan = a_look(build, NEXT_ATTEMPT, children=[FIRST], may_start=False)
    assert plan.first == (
        CreateAppServer(
            name=SECOND_NAME,
            run=RUN,
            attempt=2,
            trigger=Trigger.SCHEDULE,
            slot=at(PREVIOUS),
            epoch=FIRST.epoch,
            succeed_when=SucceedWhen.READY,
            timeouts=FIRST.timeouts,
            template=ITS_TEMPLATE,
        ),
    )


def test_the_next_attempt_is_slept_for() -> None:
    """R18: by the steady clock."""
    plan = a_look(a_build(status=a_status(runs=[WAITING])), JUST_BEFORE_NEXT_ATTEMPT, children=[FIRST])
    assert (plan.first, plan.wake.steady, plan.wake.wall) == ((), at(NEXT_ATTEMPT), at(SLOT))


def test_the_next_attempt_waits_until_the_pod_of_the_last_is_gone() -> None:
    """R18."""
    build = a_build(status=a_status(runs=[WAITING]))
    plan = a_look(build, NEXT_ATTEMPT, children=[FIRST], pods=[a_pod(FIRST, is_deleting=True)])
    assert (plan.first, memory(plan).runs) == ((), (WAITING,))


def test_the_next_attempt_goes_before_the_slot() -> None:
    """R21: if both could start in one look."""
    build = a_build(status=a_status(runs=[WAITING]))
    assert created(a_look(build, SLOT, children=[PATIENT])) == (SECOND_NAME,)


def test_of_two_due_attempts_the_earlier_begins() -> None:
    """R18: at most one thing starts in a look."""
    other = an_app_server(slot=None, run="other", name="other-1", status=FIRST.status)
    earlier = a_run(other, next_attempt=JUST_BEFORE_NEXT_ATTEMPT)
    build = a_build(status=a_status(runs=[WAITING, earlier]))
    assert created(a_look(build, NEXT_ATTEMPT, children=[FIRST, other])) == ("nightly-other-2",)


def test_a_refused_attempt_is_tried_again_after_its_back_off() -> None:
    """R18."""
    refusal = a_refusal(SECOND_NAME, retry="2026-11-23T02:37:00")
    plan = a_look(a_build(status=a_status(runs=[WAITING])), NEXT_ATTEMPT, children=[FIRST], refusals=[refusal])
    assert (plan.first, memory(plan).runs, plan.wake.steady) == ((), (WAITING,), refusal.retry_at)


IN_VAIN = {
    "was refused": a_refusal(SECOND_NAME, retry="2026-11-24T03:00:00"),
    "has a name that is taken": a_refusal(SECOND_NAME, Refused.NAME_COLLISION, retry=SLOT),
}


@pytest.mark.parametrize("refusal", IN_VAIN.values(), ids=list(IN_VAIN))
def test_the_slot_is_not_held_back_by_a_next_attempt_that(refusal: Refusal) -> None:
    """R18, R21."""
    build = a_build(status=a_status(runs=[WAITING]))
    assert created(a_look(build, SLOT, children=[PATIENT], refusals=[refusal])) == ("nightly-20261124-023000-1",)


def test_beside_a_next_attempt_without_a_place_the_slot_says_that_it_waits_for_one_too() -> None:
    """R14, R15: no build is in progress."""
    plan = a_look(a_build(status=a_status(runs=[WAITING])), SLOT, children=[PATIENT], has_place=False)
    assert (plan.first, plan.unwritten) == ((), a_wait(reason=Blocker.POOL_FULL))


def test_an_attempt_whose_name_is_taken_ends_the_run() -> None:
    """Life cycle of a run: a foreign name cannot heal."""
    refusal = a_refusal(SECOND_NAME, Refused.NAME_COLLISION, retry=NEXT_ATTEMPT)
    build = a_build(status=a_status(ledger=[an_entry(slot=PREVIOUS)], runs=[WAITING]))
    after = memory(a_look(build, NEXT_ATTEMPT, children=[FIRST], refusals=[refusal]))
    assert (after.runs, after.ledger[0].outcome_reason, after.consecutive_failures) == ((), "NotRetried", 1)


BUDGETS = {
    "no budget": (None, "2026-11-24T00:00:00", None),
    "the budget lasts": ("12h", "2026-11-23T14:29:59", "2026-11-23T14:30:00"),
}


@pytest.mark.parametrize(("limit", "steady", "wake"), BUDGETS.values(), ids=list(BUDGETS))
def test_a_run_between_attempts_waits(limit: str | None, steady: str, wake: str | None) -> None:
    """R20: here for the pod of its last attempt."""
    child = replace(failed(), timeouts=some_timeouts(run=limit))
    waiting = a_run(child, next_attempt=NEXT_ATTEMPT)
    plan = a_look(a_build(status=a_status(runs=[waiting])), NOW, steady=steady, children=[child], has_stray_pods=True)
    assert (memory(plan).runs, plan.wake.steady) == ((waiting,), None if wake is None else at(wake))


def test_a_run_between_attempts_ends_with_its_budget() -> None:
    """R20: its last failure says why."""
    build = a_build(status=a_status(ledger=[an_entry(slot=PREVIOUS)], runs=[WAITING]))
    after = memory(a_look(build, NOW, steady="2026-11-23T14:30:00", children=[FIRST]))
    assert (after.runs, after.ledger[0].outcome_reason) == ((), "TimedOut")
    assert after.last_failure is not None
    assert after.last_failure.reason == "NonZeroExit"


def test_a_run_between_attempts_is_given_up_in_the_look_that_records_a_newer_start() -> None:
    """R21: with the counters and Events of any failure."""
    build = a_build(status=a_status(ledger=[an_entry(slot=PREVIOUS)], runs=[a_run(FIRST, next_attempt=SLOT)]))
    newer = an_app_server(created=SLOT)
    plan = a_look(build, SLOT, children=[FIRST, newer])
    after = memory(plan)
    gave_up = an_entry(slot=PREVIOUS, outcome=Outcome.FAILED, outcome_reason="GivenUpForSlot")
    assert (after.runs, after.ledger) == ((a_run(newer),), (an_entry(), gave_up))
    assert (after.slots, after.consecutive_failures) == (slots_of(after.ledger), 1)
    assert told(plan) == ("BuildFailed", "BuildStarted")
    assert plan.events[0].note == f"Build {RUN} has failed (GivenUpForSlot) in attempt 1: NonZeroExit"
    assert after.last_failure == LastFailure(
        run=RUN, app_server=FIRST.ref.name, at=at(ENDED), failure_class="Build", reason="NonZeroExit", message=""
    )


def test_a_run_whose_last_attempt_is_gone_can_still_be_given_up() -> None:
    """R21: what failed it is no longer known."""
    build = a_build(status=a_status(ledger=[an_entry(slot=PREVIOUS)], runs=[a_run(FIRST, next_attempt=SLOT)]))
    after = memory(a_look(build, SLOT, children=[an_app_server(created=SLOT)], gone=[FIRST.ref.uid]))
    assert after.last_failure == LastFailure(
        run=RUN, app_server=FIRST.ref.name, at=at(SLOT), failure_class="Infrastructure", reason="", message=""
    )


def test_a_manual_run_is_not_given_up_for_a_newer_start() -> None:
    """R21: a status of before manual runs had one attempt."""
    manual = failed(token=REQUEST)
    waiting = a_run(manual, next_attempt="2026-11-25T00:00:00")
    newer = an_app_server(created=SLOT)
    after = memory(a_look(a_build(status=a_status(runs=[waiting])), SLOT, children=[manual, newer]))
    assert after.runs == (waiting, a_run(newer))
