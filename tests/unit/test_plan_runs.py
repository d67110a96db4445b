"""How runs end, and what is noted of it (R10, R22, R23, R25, R27)."""

from __future__ import annotations

from dataclasses import replace

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
)
from tests.builders.looks import PREVIOUS, REQUEST, a_look, a_status, memory, told

from periodicbuild.core.facts import AppServer, AppServerStatus, PeriodicBuild, Result, Retries
from periodicbuild.core.mail import FailingSince, MailStatus
from periodicbuild.core.plans import ConfirmAbsence, EndedRun
from periodicbuild.core.reasons import Outcome, State, Trigger
from periodicbuild.core.runs import DURATIONS
from periodicbuild.core.status import LastFailure, LastSuccess, Run

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


def test_a_success_ends_the_run() -> None:
    """R10, R23: with the outcome in the ledger, when, and how long it took."""
    child = ended(State.RUNNING)
    plan = a_look(in_progress(a_run(child)), NOW, children=[child])
    assert memory(plan) == replace(
        a_status(),
        last_success=LastSuccess(run=RUN, app_server=child.ref.name, at=at(ENDED)),
        durations=(300,),
    )
    assert [(event.type, event.reason, event.action, event.key, event.note) for event in plan.events] == [
        ("Normal", "BuildSucceeded", "EndRun", RUN, f"Build {RUN} has succeeded")
    ]
    assert plan.ended == (EndedRun(trigger=Trigger.SCHEDULE, outcome=Outcome.SUCCEEDED),)


@pytest.mark.parametrize("state", [State.RUNNING, State.COMPLETED, State.TERMINATED])
def test_a_run_has_succeeded_whatever_became_of_its_server(state: State) -> None:
    """Design 2.2."""
    child = ended(state)
    after = memory(a_look(in_progress(a_run(child)), NOW, children=[child]))
    assert (after.runs, after.ledger[0].outcome) == ((), Outcome.SUCCEEDED)


@pytest.mark.parametrize("state", [State.NEW, State.WAITING_FOR_SERVER, State.CONFIGURING_SERVER])
def test_a_run_goes_on_while_its_attempt_is(state: State) -> None:
    """R17."""
    child = ended(state)
    build = in_progress(a_run(child))
    assert memory(a_look(build, NOW, children=[child])) == build.status


def test_a_success_after_failures_is_told_as_a_recovery() -> None:
    """R23, R27."""
    child = ended(State.COMPLETED)
    plan = a_look(in_progress(a_run(child), failures=3), NOW, children=[child])
    assert memory(plan).consecutive_failures == 0
    assert told(plan) == ("BuildSucceeded", "BuildRecovered")
    assert (plan.events[1].type, plan.events[1].key) == ("Normal", RUN)
    assert plan.events[1].note == f"Build {RUN} has succeeded after 3 failed in a row"


def test_the_durations_of_the_last_successes_are_kept_newest_first() -> None:
    """Design 2.1: of 20."""
    child = ended(State.COMPLETED)
    build = in_progress(a_run(child))
    full = replace(build, status=replace(build.status, durations=tuple(range(DURATIONS))))
    assert memory(a_look(full, NOW, children=[child])).durations == (300, *range(19))


def test_a_success_before_its_start_by_the_clock_took_no_time() -> None:
    """R9: both are of a clock that may have been set anew in between."""
    child = ended(State.COMPLETED)
    assert memory(a_look(in_progress(a_run(child, started=NOW)), NOW, children=[child])).durations == (0,)


def test_a_success_without_a_time_counts_from_now() -> None:
    child = an_app_server(slot=PREVIOUS, state=State.RUNNING)
    after = memory(a_look(in_progress(a_run(child)), "2026-11-24T00:00:00", steady=NOW, children=[child]))
    assert after.last_success == LastSuccess(run=RUN, app_server=child.ref.name, at=at(NOW))


def test_a_failed_run_notes_why_and_counts() -> None:
    """R23, R27."""
    child = failed(a_result(message="container main ended with exit code 1"))
    plan = a_look(in_progress(a_run(child), failures=1), NOW, children=[child])
    assert memory(plan) == replace(
        a_status(
            ledger=[an_entry(slot=PREVIOUS, outcome=Outcome.FAILED, outcome_reason="RetriesUsedUp")],
            consecutive_failures=2,
        ),
        last_failure=LastFailure(
            run=RUN,
            app_server=child.ref.name,
            at=at(ENDED),
            failure_class="Build",
            reason="NonZeroExit",
            message="container main ended with exit code 1",
        ),
        mail=MailStatus(failing_since=FailingSince(run=RUN, at=at(ENDED))),
    )
    (event,) = plan.events
    assert (event.type, event.reason, event.key) == ("Warning", "BuildFailed", RUN)
    assert event.note == (
        f"Build {RUN} has failed (RetriesUsedUp) in attempt 1: NonZeroExit: container main ended with exit code 1"
    )


def test_a_failure_without_a_message_is_told_by_its_reason() -> None:
    """R23."""
    child = failed(a_result(message=""))
    (event,) = a_look(in_progress(a_run(child)), NOW, children=[child]).events
    assert event.note == f"Build {RUN} has failed (RetriesUsedUp) in attempt 1: NonZeroExit"


NOTED = {
    "a scheduled one": (failed(), True, 1),
    "a manual one: noted, not counted": (failed(token=REQUEST), True, 0),
    "one from a template of its own: neither": (replace(failed(token=REQUEST), has_own_template=True), False, 0),
}


@pytest.mark.parametrize(("child", "is_noted", "failures"), NOTED.values(), ids=list(NOTED))
def test_the_failure_of(child: AppServer, is_noted: bool, failures: int) -> None:  # noqa: FBT001 - a column
    """R27."""
    after = memory(a_look(in_progress(a_run(child)), NOW, children=[child]))
    assert ((after.last_failure is not None), after.consecutive_failures) == (is_noted, failures)


def test_a_manual_success_from_the_own_template_is_the_last_success() -> None:
    """R27: and ends the series of failures."""
    child = ended(State.RUNNING, token=REQUEST)
    plan = a_look(in_progress(a_run(child), failures=2), NOW, children=[child])
    after = memory(plan)
    assert after.last_success == LastSuccess(run=child.run or "", app_server=child.ref.name, at=at(ENDED))
    assert (after.consecutive_failures, told(plan)) == (0, ("BuildSucceeded", "BuildRecovered"))


def test_a_manual_success_from_a_template_of_its_own_says_nothing_about_the_build() -> None:
    """R27."""
    child = replace(ended(State.RUNNING, token=REQUEST), has_own_template=True)
    plan = a_look(in_progress(a_run(child), failures=2), NOW, children=[child])
    after = memory(plan)
    assert (after.last_success, after.durations, after.consecutive_failures) == (None, (), 2)
    assert told(plan) == ("BuildSucceeded",)


CANCELLED_ENDS = {
    "once its attempt is Cancelled": (ended(State.CANCELLED), None, True),
    "at once between attempts": (failed(), "2026-11-23T02:36:00", True),
    "not before its attempt has ended": (ended(State.CONFIGURING_SERVER), None, False),
}


@pytest.mark.parametrize(("child", "next_attempt", "ends"), CANCELLED_ENDS.values(), ids=list(CANCELLED_ENDS))
def test_a_cancelled_run_ends(child: AppServer, next_attempt: str | None, ends: bool) -> None:  # noqa: FBT001 - a column
    """R25: no retry, and the counters of failures stay."""
    build = in_progress(a_run(child, next_attempt=next_attempt), retries=ONE_MORE, failures=2)
    plan = a_look(build, NOW, children=[replace(child, cancelled=True)])
    after = memory(plan)
    assert after.consecutive_failures == 2
    assert after.last_failure is None
    if ends:
        assert (after.runs, after.ledger[0].outcome, after.ledger[0].outcome_reason) == ((), "Cancelled", "ByUser")
        assert [(event.type, event.reason, event.key, event.note) for event in plan.events] == [
            ("Normal", "BuildCancelled", RUN, f"Build {RUN} was cancelled: ByUser")
        ]
    else:
        assert (after.runs, after.ledger[0].outcome) == (build.status.runs, None)


def test_a_success_before_the_cancel_was_written_stays_a_success() -> None:
    """Life cycle of a run."""
    child = replace(ended(State.RUNNING), cancelled=True)
    assert memory(a_look(in_progress(a_run(child)), NOW, children=[child])).ledger[0].outcome == Outcome.SUCCEEDED


ABSENT = {"during an attempt": None, "between attempts": "2026-11-23T02:36:00"}


@pytest.mark.parametrize("next_attempt", ABSENT.values(), ids=list(ABSENT))
def test_a_deleted_app_server_ends_its_run(next_attempt: str | None) -> None:
    """R25: as cancelled; counters stay."""
    child = failed()
    build = in_progress(a_run(child, next_attempt=next_attempt), failures=2)
    plan = a_look(build, NOW, gone=[child.ref.uid])
    after = memory(plan)
    assert (after.runs, after.ledger[0].outcome, after.ledger[0].outcome_reason) == ((), "Cancelled", "Deleted")
    assert (after.consecutive_failures, told(plan)) == (2, ("BuildCancelled",))


@pytest.mark.parametrize("next_attempt", ABSENT.values(), ids=list(ABSENT))
def test_absence_is_a_fact_only_after_it_was_confirmed(next_attempt: str | None) -> None:
    """R22: a list that lags proves nothing."""
    child = failed()
    plan = a_look(in_progress(a_run(child, next_attempt=next_attempt)), NOW)
    assert plan.first == (ConfirmAbsence(kind="AppServer", name=child.ref.name, uid=child.ref.uid),)
    assert (plan.status, plan.events) == (None, ())


def test_of_two_runs_of_one_slot_only_the_one_that_is_gone_ends() -> None:
    """R9: a clock was set back over the slot, and it came again."""
    first = an_app_server(slot=PREVIOUS, uid="first", epoch=1)
    second = an_app_server(slot=PREVIOUS, uid="second", epoch=2, state=State.CONFIGURING_SERVER)
    entries = [an_entry(slot=PREVIOUS, epoch=2), an_entry(slot=PREVIOUS, epoch=1)]
    build = a_build(status=a_status(runs=[a_run(first), a_run(second)], ledger=entries))
    after = memory(a_look(build, NOW, children=[second], gone=["first"]))
    assert after.runs == (a_run(second),)
    assert [entry.outcome_reason for entry in after.ledger] == [None, "Deleted"]
