"""Builds on calendars and cron, and what became of their slots."""

from __future__ import annotations

from dataclasses import replace

from tests.builders import a_build, a_cron, a_schedule, a_schedule_status, a_spec
from tests.builders.looks import a_status
from tests.builders.values import a_calendar

from periodicbuild.core.facts import PeriodicBuild, Starting
from periodicbuild.core.schedules import Schedule
from periodicbuild.core.status import LedgerEntry, Waiting

HOURLY = a_schedule(timing=a_cron("0 * * * *"))
NIGHTLY = a_schedule(timing=a_calendar("02:30", zone="Europe/Berlin"))
"""02:30 CET = 01:30 UTC in November."""

ONE, TWO, THREE, FOUR, FIVE = (f"2026-11-24T{hour:02}:00:00" for hour in range(1, 6))
JUST_AFTER_TWO = "2026-11-24T02:00:00.5"
JUST_AFTER_FIVE = "2026-11-24T05:00:01"


def a_pattern_build(
    schedule: Schedule = HOURLY,
    *,
    cursor: str = ONE,
    since: str = "2026-11-20T00:00:00",
    waiting: Waiting | None = None,
    starting: Starting | None = None,
) -> PeriodicBuild:
    """Give a build that has been going well until the cursor."""
    status = a_status(
        schedule=a_schedule_status(in_force=schedule, since=since, cursor=waiting.slot if waiting else cursor),
        waiting=waiting,
    )
    spec = a_spec(schedule=schedule)
    return a_build(spec=replace(spec, starting=starting or Starting()), status=status)


def fates_of(ledger: tuple[LedgerEntry, ...]) -> list[tuple[str, str | None, int, str]]:
    """Show what was decided since the cursor, oldest first."""
    return [
        (f"{entry.slot:%H:%M}", f"{entry.until_slot:%H:%M}" if entry.until_slot else None, entry.count, entry.reason)
        for entry in reversed(ledger[:-1])
    ]
