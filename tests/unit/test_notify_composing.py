"""From what is owed to what there is to say (R39, R40)."""

from __future__ import annotations

from dataclasses import replace

from tests.builders import a_build, a_result, a_run, an_app_server, an_entry, at
from tests.builders.looks import PREVIOUS, a_status, a_wait

from periodicbuild.core.facts import AppServerStatus
from periodicbuild.core.inputs import Comparison, Input, Verdict
from periodicbuild.core.mail import FailingSince, PendingNotice
from periodicbuild.core.reasons import Blocker, Fate, SinkName, State
from periodicbuild.core.status import LastFailure, LastSuccess
from periodicbuild.notify.composing import compose
from periodicbuild.notify.notice import Failure

RUN = "20261123-023000"
NOW = at("2026-11-23T03:00:00")
SINCE = FailingSince(run="20261122-023000", at=at("2026-11-22T02:40:00"))
ATTEMPT = an_app_server(
    slot=PREVIOUS,
    attempt=2,
    status=AppServerStatus(
        state=State.CONFIGURATION_FAILED,
        result=a_result(message="container main ended with exit code 1", container="main", exit_code=1),
        node="node-1",
        image_digests=("debian@sha256:1234",),
        log_tail="the end",
    ),
)
OWED = PendingNotice(
    key=f"{RUN}/RunFailed",
    since_at=NOW,
    sinks=(SinkName.EMAIL,),
    app_server=ATTEMPT.ref.name,
    reason="RetriesUsedUp",
    failing_since=SINCE,
    failures=2,
    left_out=3,
)
STATUS = replace(
    a_status(),
    last_success=LastSuccess(run="20261121-023000", app_server="x", at=at("2026-11-21T02:50:00")),
    last_failure=LastFailure(
        run=RUN, app_server="x", at=NOW, failure_class="Build", reason="NonZeroExit", message="as status has it"
    ),
    next_slot=at("2026-11-24T02:30:00"),
    schedule_text="every 24h",
)
BUILD = a_build(status=STATUS)


def test_a_failure_carries_the_capsule_and_the_longer_log() -> None:
    notice = compose(BUILD, OWED, ATTEMPT, "the middle\nthe end")
    assert notice.failure == Failure(
        failure_class="Build",
        reason="NonZeroExit",
        message="container main ended with exit code 1",
        stage="Configuring",
        container="main",
        exit_code=1,
        node="node-1",
        image_digests=("debian@sha256:1234",),
        log="the middle\nthe end",
    )
    assert (notice.run, notice.attempt, notice.trigger, notice.slot) == (RUN, 2, "Schedule", at(PREVIOUS))
    assert (notice.thread, notice.failing_since, notice.failures_in_a_row) == (SINCE.run, SINCE.at, 2)
    assert (notice.outcome_reason, notice.left_out, notice.owed_at) == ("RetriesUsedUp", 3, NOW)
    assert (notice.last_success_run, notice.last_success_at) == ("20261121-023000", at("2026-11-21T02:50:00"))
    assert (notice.next_slot, notice.schedule_text) == (at("2026-11-24T02:30:00"), "every 24h")


def test_after_a_restart_the_log_is_what_status_has_kept() -> None:
    failure = compose(BUILD, OWED, ATTEMPT, None).failure
    assert failure is not None
    assert failure.log == "the end"


def test_of_an_attempt_that_is_gone_what_status_has_kept_is_told() -> None:
    notice = compose(BUILD, OWED, None, None)
    assert notice.failure == Failure(failure_class="Build", reason="NonZeroExit", message="as status has it")
    assert (notice.attempt, notice.trigger, notice.slot) == (0, "", None)


def test_of_a_run_that_nobody_remembers_only_its_name_is_told() -> None:
    notice = compose(BUILD, replace(OWED, key="other/RunFailed"), None, None)
    assert (notice.failure, notice.run) == (None, "other")


def test_a_recovery_has_no_failure() -> None:
    notice = compose(BUILD, replace(OWED, key=f"{RUN}/RunRecovered"), ATTEMPT, None)
    assert (notice.failure, notice.thread) == (None, SINCE.run)


def test_between_attempts_the_next_one_is_announced() -> None:
    run = replace(a_run(ATTEMPT), next_attempt_at=at("2026-11-23T03:05:00"))
    build = a_build(status=replace(STATUS, runs=(run,)))
    owed = replace(OWED, key=f"{RUN}/AttemptFailed/1", failing_since=None)
    notice = compose(build, owed, ATTEMPT, None)
    assert (notice.next_attempt_at, notice.thread) == (at("2026-11-23T03:05:00"), RUN)


def test_gates_are_named_that_hold_the_next_slot_back_or_did_not_hold_this_one() -> None:
    """R32."""
    passed = replace(an_entry(slot=PREVIOUS, fate=Fate.GATE_OVERRIDDEN), message="in spite of gate rollout")
    held = a_wait(reason=Blocker.GATE_CLOSED, message="gate upgrade (me: new disks) is closed")
    busy = a_wait(reason=Blocker.BUILD_IN_PROGRESS)
    notices = [
        compose(a_build(status=replace(STATUS, ledger=(passed,), waiting=waiting)), OWED, ATTEMPT, None)
        for waiting in (held, busy)
    ]
    assert [(notice.start_note, notice.held_back) for notice in notices] == [
        ("in spite of gate rollout", held),
        ("in spite of gate rollout", None),
    ]


def test_what_has_changed_since_the_last_success_is_told_as_it_was_compared() -> None:
    """R31."""
    inputs = (Input("code", "2" * 40, "1" * 40), Input("base", problem="example.com is down"))
    attempt = replace(ATTEMPT, comparison=Comparison(Verdict.CHANGED, inputs))
    assert compose(BUILD, OWED, attempt, None).changed == (
        "code (111111111111 to 222222222222)",
        "base, not known: example.com is down",
    )
    assert compose(BUILD, OWED, ATTEMPT, None).changed == ()
    assert compose(BUILD, OWED, None, None).changed == ()
