"""What comes next, and what is special about it (R2, R4, R8, R13)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.builders import a_build, a_calendar, a_cron, a_schedule, a_schedule_status, a_spec

from periodicbuild.cli.upcoming import coming_starts, notes_ahead, starts_document, starts_table
from periodicbuild.core.facts import PeriodicBuild, Starting
from periodicbuild.core.reasons import Blocker
from periodicbuild.core.schedules import Schedule
from periodicbuild.core.status import BuildStatus, Waiting

NOW = datetime(2026, 11, 24, 2, 0, 10, tzinfo=UTC)
TWO = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
TEN_MINUTES = timedelta(minutes=10)

NIGHTLY = a_schedule(timing=a_calendar("02:30", zone="Europe/Berlin"))
HOURLY = a_schedule(timing=a_cron("0 * * * *"))


def in_force(  # noqa: PLR0913 - keywords, each with a default
    schedule: Schedule,
    *,
    since: str = "2026-11-20T00:00:00",
    cursor: str | None = "2026-11-24T02:00:00",
    anchor: str | None = None,
    waiting: Waiting | None = None,
    spread: timedelta = timedelta(),
) -> PeriodicBuild:
    """Give a PeriodicBuild with a schedule in force, all of whose slots up to two o'clock are counted."""
    status = a_schedule_status(in_force=schedule, since=since, cursor=cursor, anchor=anchor)
    spec = a_spec(schedule=schedule, starting=Starting(spread=spread))
    return a_build(spec=spec, status=BuildStatus(schedule=status, waiting=waiting))


def waiting(slot: datetime = TWO) -> Waiting:
    return Waiting(slot=slot, reason=Blocker.BUILD_IN_PROGRESS, since_at=slot)


def slots(build: PeriodicBuild, count: int = 3) -> list[str]:
    return [f"{one.slot:%d %H:%M}" for one in coming_starts(build, NOW, count)]


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        pytest.param(in_force(HOURLY), ["24 03:00", "24 04:00", "24 05:00"], id="cron"),
        pytest.param(in_force(NIGHTLY), ["25 01:30", "26 01:30", "27 01:30"], id="a calendar keeps its local time"),
        pytest.param(
            in_force(a_schedule(every="1h"), anchor="2026-11-24T02:00:00"),
            ["24 03:00", "24 04:00", "24 05:00"],
            id="an interval, start to start",
        ),
        pytest.param(
            in_force(a_schedule(every="1h"), anchor="2026-11-24T01:00:00", waiting=waiting()),
            [],
            id="an interval has no other slot while one waits",
        ),
        pytest.param(
            in_force(HOURLY, waiting=waiting()), ["24 03:00", "24 04:00", "24 05:00"], id="a slot of cron that waits"
        ),
        pytest.param(
            in_force(HOURLY, cursor="2026-11-23T02:00:00"),
            ["24 02:00", "24 03:00", "24 04:00"],
            id="of slots that nobody has looked at only the newest can start",
        ),
        pytest.param(in_force(a_schedule(enabled=False)), [], id="disabled"),
        pytest.param(in_force(a_schedule(timing=a_cron("30 2 31 2 *")), cursor=None), [], id="never due"),
        pytest.param(a_build(), [], id="nobody has looked at it"),
        pytest.param(a_build(is_deleting=True, status=in_force(HOURLY).status), [], id="being deleted"),
    ],
)
def test_the_next_slots_are_the_operators_own(build: PeriodicBuild, expected: list[str]) -> None:
    assert slots(build) == expected


def test_so_many_are_given_as_are_asked_for_and_none_beyond_time() -> None:
    far = a_schedule(every="366d", not_before="9899-01-01T00:00:00")

    assert len(slots(in_force(HOURLY), 1_000)) == 1_000
    assert len(slots(in_force(far), 1_000)) == 101


def test_a_spread_slot_starts_later_by_an_offset_that_is_always_the_same() -> None:
    first, second = coming_starts(in_force(HOURLY, spread=TEN_MINUTES), NOW, 2)

    assert timedelta() < first.starts_at - first.slot < TEN_MINUTES
    assert second.starts_at - second.slot == first.starts_at - first.slot


def test_programs_get_slot_and_start() -> None:
    assert starts_document(coming_starts(in_force(HOURLY), NOW, 1)) == [
        {"slotTime": "2026-11-24T03:00:00Z", "startTime": "2026-11-24T03:00:00Z"}
    ]


@pytest.mark.parametrize(
    ("build", "columns", "row"),
    [
        (
            in_force(NIGHTLY),
            ("SLOT", "BY ITS CLOCK", "WHEN"),
            ["2026-11-25T01:30:00Z", "Wed 25 Nov 02:30 CET = 01:30 UTC", "in 23h29m"],
        ),
        (
            in_force(HOURLY),
            ("SLOT", "BY ITS CLOCK", "WHEN"),
            ["2026-11-24T03:00:00Z", "Tue 24 Nov 03:00 UTC", "in 59m50s"],
        ),
        (
            in_force(a_schedule(every="1h"), anchor="2026-11-24T02:00:00"),
            ("SLOT", "WHEN"),
            ["2026-11-24T03:00:00Z", "in 59m50s"],
        ),
        (
            in_force(NIGHTLY, spread=TEN_MINUTES),
            ("SLOT", "BY ITS CLOCK", "STARTS", "WHEN"),
            ["2026-11-25T01:30:00Z", "Wed 25 Nov 02:30 CET = 01:30 UTC", "2026-11-25T01:39:33Z", "in 23h39m"],
        ),
    ],
    ids=["a zone", "UTC is not said twice", "an interval follows no clock", "spread"],
)
def test_a_row_has_what_there_is_to_say(build: PeriodicBuild, columns: tuple[str, ...], row: list[str]) -> None:
    table = starts_table(build, coming_starts(build, NOW, 1), NOW)

    assert table.columns == columns
    assert [cell.text for cell in table.rows[0]] == row


@pytest.mark.parametrize(
    ("build", "notes"),
    [
        pytest.param(in_force(HOURLY), [], id="nothing special"),
        pytest.param(a_build(), ["nobody has looked at it yet, so no schedule is in force"], id="new"),
        pytest.param(a_build(is_deleting=True), ["it is being deleted"], id="being deleted"),
        pytest.param(
            in_force(a_schedule(enabled=False)), ["it is disabled, so nothing is due: kubectl"], id="disabled"
        ),
        pytest.param(
            in_force(a_schedule(timing=a_cron("30 2 31 2 *")), cursor=None),
            ["30 2 31 2 * Etc/UTC never comes: no slot lies in the next 50 years"],
            id="never due",
        ),
        pytest.param(
            in_force(a_schedule(every="1h"), waiting=waiting()),
            ["the slot 2026-11-24T02:00:00Z (10s ago) waits for 10s: BuildInProgress; the next one follows from its"],
            id="a slot that waits",
        ),
        pytest.param(
            in_force(HOURLY, cursor="2026-11-23T02:00:00"),
            ["24 slots are due since 2026-11-23T03:00:00Z (Mon 23 Nov 03:00 UTC, 23h ago) and nobody has looked"],
            id="slots that nobody looks at",
        ),
        pytest.param(in_force(HOURLY, cursor="2026-11-24T01:00:00"), [], id="a slot of seconds ago is not overdue"),
        pytest.param(
            a_build(spec=a_spec(schedule=NIGHTLY), status=in_force(HOURLY).status),
            ["the spec has another schedule (daily 02:30 Europe/Berlin), which the operator has not taken up yet"],
            id="an edit that was not taken up",
        ),
        pytest.param(
            a_build(spec=a_spec(schedule_error="say 24h"), status=in_force(a_schedule(every=None)).status),
            ["the schedule is not understood, so nothing is due: say 24h"],
            id="a mistake",
        ),
    ],
)
def test_what_is_special_is_said_ahead(build: PeriodicBuild, notes: list[str]) -> None:
    said = list(notes_ahead(build, NOW))

    assert len(said) == len(notes)
    assert all(one.startswith(note) for one, note in zip(said, notes, strict=True)), said


def test_a_change_of_the_clock_is_told_ahead() -> None:
    """R7."""
    build = in_force(NIGHTLY, cursor="2027-03-20T01:30:00")

    (said,) = notes_ahead(build, datetime(2027, 3, 20, 1, 30, tzinfo=UTC))

    assert said.startswith("on Sun 28 Mar 2027 the clock of Europe/Berlin skips 02:30: due")
