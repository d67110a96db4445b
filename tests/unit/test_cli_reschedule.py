"""Moving the next run: what comes next then, and what is refused (R2, R4, R6, R8)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tests.builders import a_build, a_calendar, a_cron, a_schedule, a_schedule_status, a_spec, at

from periodicbuild.cli.errors import AnswerIsNoError
from periodicbuild.cli.rescheduling import check_reschedule
from periodicbuild.core.facts import PeriodicBuild
from periodicbuild.core.reasons import Blocker, Trigger
from periodicbuild.core.schedules import Schedule
from periodicbuild.core.status import BuildStatus, LastScheduled, Run, Slots, Waiting

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
NIGHTLY = a_schedule(timing=a_calendar("02:30", zone="Europe/Berlin"))
BERLIN_HALF_PAST_TWO = "2026-11-24T01:30:00"

RUN = Run(id="r", trigger=Trigger.SCHEDULE, slot=None, started_at=NOW, attempt=1, app_server="a", uid="1")


def known(
    schedule: Schedule,
    *,
    cursor: str = "2026-11-24T01:30:00",
    waiting: Waiting | None = None,
    is_deleting: bool = False,
) -> PeriodicBuild:
    """Give a PeriodicBuild whose newest slot was half an hour ago, and whose build is still at work."""
    last = LastScheduled(slot=at(cursor), started_at=at(cursor), run="r")
    status = BuildStatus(
        schedule=a_schedule_status(in_force=schedule, cursor=cursor, anchor=cursor),
        slots=Slots(due=1 + (waiting is not None), started=1),
        waiting=waiting,
        runs=(RUN,),
        last_scheduled=last,
    )
    return a_build(spec=a_spec(schedule=schedule), status=status, is_deleting=is_deleting, run_now="please")


DAILY = a_schedule(every="24h")
WAITING = Waiting(slot=at("2026-11-24T01:59:00"), reason=Blocker.BUILD_IN_PROGRESS, since_at=NOW)


@pytest.mark.parametrize(
    ("build", "time", "slot"),
    [
        pytest.param(known(DAILY), "2026-11-30T00:00:00", "2026-11-30T00:00:00", id="an interval: that very instant"),
        pytest.param(known(DAILY), "2026-11-25T01:30:00", "2026-11-25T01:30:00", id="an interval: its own next slot"),
        pytest.param(
            known(a_schedule(every="24h", not_before="2026-12-24T00:00:00")),
            "2026-11-30T00:00:00",
            "2026-11-30T00:00:00",
            id="what was delayed can be brought forward again",
        ),
        pytest.param(known(NIGHTLY), "2026-11-26T01:30:00", "2026-11-26T01:30:00", id="a calendar: a slot itself"),
        pytest.param(known(NIGHTLY), "2026-11-26T01:30:01", "2026-11-27T01:30:00", id="a calendar: the next after it"),
        pytest.param(
            known(a_schedule(timing=a_calendar("23:30", zone="Etc/UTC")), cursor=BERLIN_HALF_PAST_TWO),
            "2026-11-24T03:00:00",
            "2026-11-25T23:30:00",
            id="a calendar whose date has had its build",
        ),
        pytest.param(
            known(a_schedule(timing=a_cron("0 * * * *"))), "2026-11-24T05:00:00", "2026-11-24T05:00:00", id="cron"
        ),
        pytest.param(
            known(a_schedule(every="24h", enabled=False)),
            "2026-11-30T00:00:00",
            "2026-11-30T00:00:00",
            id="a disabled one, once it is enabled",
        ),
        pytest.param(a_build(), "2026-11-30T00:00:00", "2026-11-30T00:00:00", id="one that nobody has looked at"),
    ],
)
def test_the_next_slot_is_what_the_planner_would_write(build: PeriodicBuild, time: str, slot: str) -> None:
    assert check_reschedule(build, at(time), NOW, may_skip_waiting=False) == at(slot)


def test_the_same_time_again_changes_nothing() -> None:
    schedule = a_schedule(every="24h", not_before="2026-11-30T00:00:00")

    assert check_reschedule(known(schedule), at("2026-11-30T00:00:00"), NOW, may_skip_waiting=False) == at(
        "2026-11-30T00:00:00"
    )


def test_a_slot_that_waits_is_skipped_only_if_that_is_said() -> None:
    time = at("2026-11-30T00:00:00")

    assert check_reschedule(known(DAILY, waiting=WAITING), time, NOW, may_skip_waiting=True) == time


@pytest.mark.parametrize(
    ("build", "time", "sentence"),
    [
        (known(DAILY), "2026-11-24T02:00:00", "2026-11-24T02:00:00Z has passed, and nothing can be moved there: for a"),
        (
            known(DAILY),
            "2026-11-25T00:00:00",
            "the next slot of 'nightly' is 2026-11-25T01:30:00Z (in 23h30m), after 2026-11-25T00:00:00Z: notBefore can"
            " only delay it; for a run now, use kubectl periodicbuild run nightly",
        ),
        (
            known(DAILY, waiting=WAITING),
            "2026-11-30T00:00:00",
            "the slot 2026-11-24T01:59:00Z (1m ago) of 'nightly' waits (BuildInProgress) and would be skipped as"
            " ScheduleEdited: add --skip-waiting if that is meant",
        ),
        (
            known(a_schedule(timing=a_cron("30 2 31 2 *"))),
            "2026-11-30T00:00:00",
            "30 2 31 2 * Etc/UTC has no slot at or after 2026-11-30T00:00:00Z: nothing was changed",
        ),
        (
            a_build(spec=a_spec(schedule_error="say 24h")),
            "2026-11-30T00:00:00",
            "the schedule of 'nightly' is not understood: say 24h",
        ),
        (known(DAILY, is_deleting=True), "2026-11-30T00:00:00", "PeriodicBuild 'nightly' is being deleted: no run of"),
    ],
    ids=["the past", "an interval's past", "a slot waits", "never due", "not understood", "being deleted"],
)
def test_what_would_not_be_what_was_asked_for_is_refused(build: PeriodicBuild, time: str, sentence: str) -> None:
    with pytest.raises(AnswerIsNoError) as refused:
        check_reschedule(build, at(time), NOW, may_skip_waiting=False)

    assert str(refused.value).startswith(sentence)
