"""The recount on demand: what adds up, what does not, and what is not judged (R12)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.builders import a_build, a_cron, a_schedule, a_schedule_status, a_spec

from periodicbuild.cli.auditing import (
    Finding,
    State,
    audit_summary,
    findings_document,
    findings_table,
    recounted,
)
from periodicbuild.core.facts import PeriodicBuild, Starting
from periodicbuild.core.reasons import Blocker
from periodicbuild.core.schedules import Schedule
from periodicbuild.core.status import BuildStatus, ScheduleStatus, Slots, Waiting

NOW = datetime(2026, 11, 24, 2, 0, 10, tzinfo=UTC)
TWO = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
HOURLY = a_schedule(timing=a_cron("0 * * * *"))
MIDNIGHT = "2026-11-24T00:00:00"


def counted(  # noqa: PLR0913 - keywords, each with a default
    due: int,
    *,
    schedule: Schedule = HOURLY,
    cursor: str | None = "2026-11-24T02:00:00",
    due_at_since: int = 0,
    is_waiting: bool = False,
    started: int | None = None,
    spread: timedelta = timedelta(),
) -> PeriodicBuild:
    """Give a PeriodicBuild whose epoch began at midnight: an hourly one has had two slots."""
    status = a_schedule_status(
        in_force=schedule, since=MIDNIGHT, cursor=cursor, due_at_since=due_at_since, epoch=3, anchor=cursor
    )
    wait = Waiting(slot=TWO, reason=Blocker.BUILD_IN_PROGRESS, since_at=TWO) if is_waiting else None
    slots = Slots(due=due, started=due - is_waiting if started is None else started)
    return a_build(
        spec=a_spec(schedule=schedule, starting=Starting(spread=spread)),
        status=BuildStatus(schedule=status, slots=slots, waiting=wait),
    )


@pytest.mark.parametrize(
    ("build", "state", "difference"),
    [
        pytest.param(counted(2), State.JUDGED, 0, id="all counted"),
        pytest.param(counted(2, is_waiting=True), State.JUDGED, 0, id="one of them waits"),
        pytest.param(counted(42, due_at_since=40), State.JUDGED, 0, id="what was counted before the epoch is left out"),
        pytest.param(counted(1), State.JUDGED, -1, id="one is missing"),
        pytest.param(counted(2, due_at_since=1), State.JUDGED, -1, id="the begin of the epoch was edited"),
        pytest.param(counted(3), State.JUDGED, 1, id="one too many"),
        pytest.param(counted(1, cursor="2026-11-24T01:00:00"), State.JUDGED, 0, id="one of ten seconds ago"),
        pytest.param(counted(0, cursor=None), State.JUDGED, -1, id="nobody looks"),
        pytest.param(
            counted(0, cursor=None, spread=timedelta(minutes=59)), State.JUDGED, 0, id="one that may start until now"
        ),
        pytest.param(
            counted(1, schedule=a_schedule(every="1h"), cursor="2026-11-24T00:30:00"),
            State.JUDGED,
            -1,
            id="an interval's slot that nobody looks at",
        ),
        pytest.param(
            counted(2, schedule=a_schedule(every="1h"), cursor="2026-11-24T00:30:00", is_waiting=True),
            State.JUDGED,
            0,
            id="an interval's slot that waits",
        ),
        pytest.param(
            counted(1, schedule=a_schedule(every="1h"), due_at_since=2), State.JUDGED, -1, id="an impossible interval"
        ),
        pytest.param(counted(0, schedule=a_schedule(enabled=False)), State.DISABLED, 0, id="disabled"),
        pytest.param(
            counted(0, schedule=a_schedule(timing=a_cron(zone="Mars/Phobos"))), State.FROZEN, 0, id="an unknown zone"
        ),
        pytest.param(counted(0, schedule=a_schedule(every=None)), State.FROZEN, 0, id="not understood"),
        pytest.param(
            counted(0, schedule=a_schedule(timing=a_cron("30 2 31 2 *")), cursor=None), State.JUDGED, 0, id="never due"
        ),
        pytest.param(a_build(), State.NOT_SEEN, 0, id="nobody has looked at it"),
        pytest.param(replace(counted(0), is_deleting=True), State.DELETED, 0, id="being deleted"),
    ],
)
def test_an_object_is_judged_as_far_as_it_can_be(build: PeriodicBuild, state: State, difference: int) -> None:
    finding = recounted(build, NOW)

    assert (finding.state, finding.difference) == (state, difference)
    assert finding.adds_up is (difference == 0)


def test_the_equation_is_checked_whatever_the_state() -> None:
    finding = recounted(counted(2, schedule=a_schedule(enabled=False), started=1), NOW)

    assert not finding.adds_up
    assert finding.sentence() == "team-a/nightly: due is not started + skipped + missed + waiting"


def test_slots_after_the_grace_are_not_judged_unless_they_are_counted() -> None:
    before, after = recounted(counted(1, cursor="2026-11-24T01:00:00"), NOW), recounted(counted(2), NOW)

    assert before.until_at == datetime(2026, 11, 24, 1, 58, 10, tzinfo=UTC)
    assert after.until_at == TWO


def test_an_edited_begin_is_a_difference() -> None:
    build = counted(2)
    earlier: ScheduleStatus = a_schedule_status(
        in_force=HOURLY, since="2026-11-23T00:00:00", cursor="2026-11-24T02:00:00"
    )

    finding = recounted(replace(build, status=replace(build.status, schedule=earlier)), NOW)

    assert finding.sentence() == "team-a/nightly: 24 slots missing from its counters"


def test_programs_get_everything() -> None:
    assert findings_document([recounted(counted(3), NOW), recounted(a_build(), NOW)]) == [
        {
            "namespace": "team-a",
            "name": "nightly",
            "state": "judged",
            "epoch": 3,
            "sinceTime": "2026-11-24T00:00:00Z",
            "untilTime": "2026-11-24T02:00:00Z",
            "expected": 2,
            "counted": 3,
            "waiting": 0,
            "difference": 1,
            "equationHolds": True,
        },
        {
            "namespace": "team-a",
            "name": "nightly",
            "state": "not looked at yet",
            "epoch": None,
            "sinceTime": None,
            "untilTime": None,
            "expected": None,
            "counted": None,
            "waiting": 0,
            "difference": 0,
            "equationHolds": True,
        },
    ]


def test_people_get_a_row_each_and_a_sentence() -> None:
    findings = [recounted(one, NOW) for one in (counted(1), counted(2), a_build())]

    rows = [[cell.text for cell in row] for row in findings_table(findings, with_namespace=True).rows]

    assert [row[-3:] for row in rows] == [["0", "-1", "holds"], ["0", "0", "holds"], ["0", "-", "holds"]]
    assert findings[0].sentence() == "team-a/nightly: 1 slot missing from its counters"
    assert audit_summary(findings).startswith("1 of 2 judged add up, 1 is not judged. Judged until UNTIL")


def test_a_difference_is_never_hidden_by_what_cannot_be_judged() -> None:
    nothing = Finding(namespace="a", name="b", state=State.FROZEN, counted=4)

    assert (nothing.difference, nothing.adds_up) == (0, True)
