"""What follows a failed attempt: the next one after a back-off, or the end of the run (R17, R18, R19, R20, R26)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from tests.builders import (
    a_build,
    a_result,
    a_run,
    a_spec,
    an_app_server,
    an_entry,
    at,
    some_retries,
    some_timeouts,
)
from tests.builders.looks import PREVIOUS, REQUEST, a_look, a_status, memory, told

from periodicbuild.core.facts import AppServer, AppServerStatus, PeriodicBuild, Result, Retries
from periodicbuild.core.reasons import FailureClass, FailureReason, Outcome, OutcomeReason, State, Trigger
from periodicbuild.core.runs import back_off
from periodicbuild.core.status import Run

STARTED = PREVIOUS
ENDED = "2026-11-23T02:35:00"
NOW = "2026-11-23T02:35:02"
RUN = "20261123-023000"
ONE_MORE = some_retries(limit=1)
"""Back-off of 10 s after the first attempt, with up to a second more."""


def ended(state: State, *, result: Result | None = None, attempt: int = 1, token: str | None = None) -> AppServer:
    """Give an attempt of the run of `PREVIOUS`, or of a manual one, that ended at `ENDED`."""
    return an_app_server(
        slot=PREVIOUS,
        token=token,
        attempt=attempt,
        created=STARTED,
        status=AppServerStatus(state=state, finished_at=at(ENDED), result=result),
    )


def failed(result: Result | None = None, *, attempt: int = 1, token: str | None = None) -> AppServer:
    return ended(State.ERROR, result=result or a_result(), attempt=attempt, token=token)


def in_progress(run: Run, *, retries: Retries | None = None, failures: int = 0) -> PeriodicBuild:
    """Give a build whose only run is in progress."""
    status = a_status(ledger=[an_entry(slot=PREVIOUS)], runs=[run], consecutive_failures=failures)
    return a_build(spec=a_spec(retries=retries or some_retries()), status=status)


OF_THE_BUILD = a_result()
NO_SERVER = a_result(failure_class=FailureClass.INFRASTRUCTURE, reason=FailureReason.POD_GONE)
TOO_LONG = a_result(failure_class=FailureClass.TIMEOUT, reason=FailureReason.NOT_READY)
DISRUPTED = a_result(failure_class=FailureClass.DISRUPTION, reason="Evicted")
REFUSED = a_result(failure_class=FailureClass.INFRASTRUCTURE, reason=FailureReason.FORBIDDEN)
INVALID = a_result(failure_class=FailureClass.INFRASTRUCTURE, reason=FailureReason.INVALID)
OVER_BUDGET = a_result(failure_class=FailureClass.TIMEOUT, reason=FailureReason.RUN_BUDGET)
ONLY_THE_BUILD = some_retries(limit=1, retry_on=[FailureClass.BUILD])
NO_DISRUPTION = some_retries(limit=1, disruption_limit=0)
USED_UP, NOT_RETRIED, TIMED_OUT = OutcomeReason.RETRIES_USED_UP, OutcomeReason.NOT_RETRIED, OutcomeReason.TIMED_OUT

AFTER_A_FAILURE = {
    "the build failed, no retries": (OF_THE_BUILD, 1, 0, some_retries(), USED_UP),
    "the build failed, one retry left": (OF_THE_BUILD, 1, 0, ONE_MORE, None),
    "the build failed, the retry was the last": (OF_THE_BUILD, 2, 0, ONE_MORE, USED_UP),
    "no server could be had, one retry left": (NO_SERVER, 1, 0, ONE_MORE, None),
    "it took too long, one retry left": (TOO_LONG, 1, 0, ONE_MORE, None),
    "a class that is not listed": (NO_SERVER, 1, 0, ONLY_THE_BUILD, NOT_RETRIED),
    "a disruption is retried without being listed": (DISRUPTED, 1, 0, ONLY_THE_BUILD, None),
    "a disruption is retried without a limit": (DISRUPTED, 1, 0, some_retries(), None),
    "the last disruption within its bound": (DISRUPTED, 3, 2, some_retries(), None),
    "a disruption past its bound": (DISRUPTED, 4, 3, some_retries(), USED_UP),
    "no disruption is borne": (DISRUPTED, 1, 0, NO_DISRUPTION, USED_UP),
    "disruptions do not use up the limit": (OF_THE_BUILD, 3, 2, ONE_MORE, None),
    "but failures beside them do": (OF_THE_BUILD, 4, 2, ONE_MORE, USED_UP),
    "a pod that was forbidden": (REFUSED, 1, 0, ONE_MORE, NOT_RETRIED),
    "a pod that was invalid": (INVALID, 1, 0, ONE_MORE, NOT_RETRIED),
    "the budget of the run is over": (OVER_BUDGET, 1, 0, ONE_MORE, TIMED_OUT),
    "a failure that left no result": (None, 1, 0, ONE_MORE, NOT_RETRIED),
}


@pytest.mark.parametrize(
    ("result", "attempt", "disruptions", "retries", "reason"), AFTER_A_FAILURE.values(), ids=list(AFTER_A_FAILURE)
)
def test_what_follows_a_failed_attempt(
    result: Result | None, attempt: int, disruptions: int, retries: Retries, reason: OutcomeReason | None
) -> None:
    """R18, R19: decided once, by the spec of that moment."""
    child = ended(State.CONFIGURATION_FAILED, result=result, attempt=attempt)
    plan = a_look(in_progress(a_run(child, disruptions=disruptions), retries=retries), NOW, children=[child])
    after = memory(plan)
    if reason is None:
        assert after.runs[0].next_attempt_at is not None
        assert (after.ledger[0].outcome, told(plan), plan.ended) == (None, (), ())
        assert after.runs[0].disruptions == disruptions + (result == DISRUPTED)
    else:
        assert (after.runs, after.ledger[0].outcome, after.ledger[0].outcome_reason) == ((), "Failed", reason)
        assert (told(plan), plan.ended[0].outcome) == (("BuildFailed",), Outcome.FAILED)


def test_a_manual_run_has_one_attempt() -> None:
    """R26."""
    child = failed(token=REQUEST)
    plan = a_look(in_progress(a_run(child), retries=ONE_MORE), NOW, children=[child])
    assert (memory(plan).runs, plan.ended[0].trigger) == ((), Trigger.MANUAL)
    assert "RetriesUsedUp" in plan.events[0].note


UNTIL_THE_NEXT = timedelta(minutes=5) + back_off(ONE_MORE, RUN, 1)
"""5 minutes have passed, and a back-off of 10 to 11 s is to come."""
MOMENT = timedelta(microseconds=1)

ENDS_OF_THE_BUDGET = {
    "the next attempt would begin before its end": (UNTIL_THE_NEXT + MOMENT, None),
    "the next attempt would begin at its end": (UNTIL_THE_NEXT, TIMED_OUT),
    "the next attempt would begin after it": (UNTIL_THE_NEXT - MOMENT, TIMED_OUT),
}


@pytest.mark.parametrize(("limit", "reason"), ENDS_OF_THE_BUDGET.values(), ids=list(ENDS_OF_THE_BUDGET))
def test_a_run_ends_at_once_if_its_budget_leaves_no_room(limit: timedelta, reason: OutcomeReason | None) -> None:
    """R20."""
    child = replace(failed(), timeouts=replace(some_timeouts(), run=limit))
    after = memory(a_look(in_progress(a_run(child), retries=ONE_MORE), NOW, children=[child]))
    assert (len(after.runs), after.ledger[0].outcome_reason) == (0 if reason else 1, reason)


def test_a_failed_attempt_says_nothing_about_another_run() -> None:
    """R17, R18: here one that waits for its next attempt."""
    child, other = failed(), an_app_server(token=REQUEST, status=failed().status)
    waiting = a_run(other, next_attempt="2026-11-23T03:00:00")
    status = a_status(ledger=[an_entry(slot=PREVIOUS)], runs=[waiting, a_run(child)])
    build = a_build(spec=a_spec(retries=ONE_MORE), status=status)
    after = memory(a_look(build, NOW, children=[other, child]))
    assert after.runs == (waiting, replace(a_run(child), next_attempt_at=at(ENDED) + back_off(ONE_MORE, RUN, 1)))


def test_the_limit_is_read_at_the_failure_and_never_again() -> None:
    """R18: neither an edit of the retries nor one of the template changes what was decided."""
    child = failed()
    waiting = a_run(child, next_attempt="2026-11-23T02:36:00")
    build = in_progress(waiting, retries=some_retries())
    assert memory(a_look(build, NOW, children=[child])).runs == (waiting,)


def test_a_failed_attempt_whose_run_is_over_is_history() -> None:
    """R17: whatever the spec says now."""
    build = a_build(spec=a_spec(retries=ONE_MORE), status=a_status())
    plan = a_look(build, NOW, children=[failed()])
    assert (memory(plan), plan.first) == (a_status(), ())


def test_of_two_runs_of_one_slot_only_the_one_that_failed_waits_for_its_retry() -> None:
    """R9, R18: the slot came a second time, after the clock was set back."""
    other = an_app_server(slot=PREVIOUS, epoch=2, uid="other", state=State.CONFIGURING_SERVER)
    both = [a_run(other), a_run(failed())]
    build = a_build(spec=a_spec(retries=ONE_MORE), status=a_status(runs=both))
    runs = memory(a_look(build, NOW, children=[failed(), other])).runs
    assert [(run.uid, run.next_attempt_at is None) for run in runs] == [("other", True), (failed().ref.uid, False)]


def test_a_back_off_is_bounded_whatever_an_edited_status_says() -> None:
    """R18."""
    longest = some_retries(delay="366d", max_delay="366d")
    assert back_off(longest, "20261124-023000", 10_000) <= timedelta(days=366 * 1.1)


BACK_OFFS = {1: "10s", 2: "20s", 3: "40s", 7: "640s", 8: "1000s", 99: "1000s"}


@pytest.mark.parametrize(("attempt", "shortest"), BACK_OFFS.items())
def test_the_back_off_doubles_up_to_its_bound(attempt: int, shortest: str) -> None:
    """R18: with up to 10 % more, the same after a restart."""
    retries = some_retries(delay="10s", max_delay="1000s")
    seconds = back_off(retries, RUN, attempt).total_seconds()
    assert float(shortest[:-1]) <= seconds <= 1.1 * float(shortest[:-1])
    assert seconds == back_off(retries, RUN, attempt).total_seconds()


def test_the_back_off_spreads_runs_and_attempts() -> None:
    """R18: the jitter is a function of both."""
    retries = some_retries(max_delay="10s")
    waits = {back_off(retries, f"run-{n}", attempt) for n in range(20) for attempt in (1, 2)}
    assert len(waits) > 20
    assert max(waits) - min(waits) > timedelta(seconds=0.5)


def test_the_back_off_counts_from_the_end_of_the_attempt() -> None:
    """R18: not from the look that found it."""
    child = failed()
    after = memory(a_look(in_progress(a_run(child), retries=ONE_MORE), NOW, children=[child]))
    assert after.runs == (replace(a_run(child), next_attempt_at=at(ENDED) + back_off(ONE_MORE, RUN, 1)),)


def test_a_failure_without_a_time_counts_from_now() -> None:
    child = an_app_server(slot=PREVIOUS, status=AppServerStatus(state=State.ERROR, result=a_result()))
    after = memory(a_look(in_progress(a_run(child), retries=ONE_MORE), NOW, children=[child]))
    assert after.runs[0].next_attempt_at == at(NOW) + back_off(ONE_MORE, RUN, 1)
