"""The one line of a PeriodicBuild: what each column tells at 3 a.m., as a table of cases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.builders.attempts import a_run, an_app_server
from tests.builders.builds import a_build, a_spec

from periodicbuild.cli.summary import summary_table
from periodicbuild.core.facts import PeriodicBuild, Starting
from periodicbuild.core.reasons import Blocker
from periodicbuild.core.status import BuildStatus, Condition, LastFailure, LastSuccess, Run, Slots, Waiting

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
FIVE_MINUTES_AGO = datetime(2026, 11, 25, 2, 55, tzinfo=UTC)
IN_AN_HOUR = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
AT_TWO_TEXT = "2026-11-25T02:00:00Z"


FAILURE = LastFailure(
    run="20261125-025500",
    app_server="nightly-20261125-025500-1",
    at=FIVE_MINUTES_AGO,
    failure_class="Build",
    reason="NonZeroExit",
    message="container main ended with exit code 3",
)


def a_condition(type_: str, status: str, reason: str, message: str = "", generation: int = 1) -> Condition:
    """Give a condition that has been so for five minutes."""
    return Condition(
        type=type_,
        status=status,
        reason=reason,
        message=message,
        observed_generation=generation,
        changed_at=FIVE_MINUTES_AGO,
    )


READY = a_condition("Ready", "True", "Accepted", "the spec is understood")


HAS_FAILED = a_condition("LastRunSucceeded", "False", "Build", "run 20261125-025500: exit code 3")


def a_row(build: PeriodicBuild, *, wide: bool = False) -> dict[str, str]:
    """Give the line of one PeriodicBuild by its columns, without those that have nothing to say."""
    table = summary_table([build], NOW, with_namespace=False, wide=wide)
    ((*cells,),) = table.rows
    return {name: cell.text for name, cell in zip(table.columns, cells, strict=True) if cell.text != "-"}


A_RUN = Run(
    id="20261125-025500",
    trigger=an_app_server().trigger,
    slot=FIVE_MINUTES_AGO,
    started_at=FIVE_MINUTES_AGO,
    attempt=1,
    app_server="nightly-20261125-025500-1",
    uid="1",
)


@pytest.mark.parametrize(
    ("status", "cells"),
    [
        pytest.param(
            BuildStatus(),
            {"READY": "not looked at yet", "SCHEDULE": "every 24h", "LAST RUN": "none yet"},
            id="nobody has looked at it",
        ),
        pytest.param(
            BuildStatus(conditions=(a_condition("Ready", "True", "Accepted", generation=0),)),
            {"READY": "not looked at yet"},
            id="it was edited since",
        ),
        pytest.param(
            BuildStatus(conditions=(a_condition("Ready", "False", "InvalidSchedule", "say 24h"), HAS_FAILED)),
            {"READY": "False: InvalidSchedule", "MESSAGE": "say 24h"},
            id="a mistake in the spec goes before a failed run",
        ),
        pytest.param(BuildStatus(next_slot=IN_AN_HOUR), {"NEXT": "2026-11-25T04:00:00Z (in 1h)"}, id="a slot to come"),
        pytest.param(
            BuildStatus(next_slot=FIVE_MINUTES_AGO),
            {"NEXT": "2026-11-25T02:55:00Z (5m overdue: is the operator up?)"},
            id="a slot that nobody looks at",
        ),
        pytest.param(
            BuildStatus(
                waiting=Waiting(slot=FIVE_MINUTES_AGO, reason=Blocker.BUILD_IN_PROGRESS, since_at=FIVE_MINUTES_AGO)
            ),
            {"NEXT": "2026-11-25T02:55:00Z (due 5m ago)", "WAITING": "BuildInProgress"},
            id="a slot that waits",
        ),
        pytest.param(BuildStatus(runs=(A_RUN,)), {"RUNNING": "attempt 1 for 5m"}, id="an attempt runs"),
        pytest.param(
            BuildStatus(runs=(a_run(an_app_server(), next_attempt=IN_AN_HOUR), A_RUN)),
            {"RUNNING": "attempt 2 in 1h (and 1 more)"},
            id="the next attempt is to come, and another run goes on",
        ),
        pytest.param(
            BuildStatus(
                conditions=(READY, a_condition("LastRunSucceeded", "True", "Succeeded")),
                last_success=LastSuccess(run="r", app_server="a", at=FIVE_MINUTES_AGO),
                last_failure=FAILURE,
            ),
            {"READY": "True", "LAST RUN": "Succeeded 5m ago"},
            id="the last run succeeded",
        ),
        pytest.param(
            BuildStatus(conditions=(READY, HAS_FAILED), last_failure=FAILURE),
            {
                "LAST RUN": "Failed 5m ago",
                "MESSAGE": "Build/NonZeroExit: container main ended with exit code 3",
            },
            id="the last run failed",
        ),
        pytest.param(
            BuildStatus(conditions=(a_condition("LastRunSucceeded", "False", "NeverFinishes", "3 replaced"),)),
            {"LAST RUN": "Failed", "MESSAGE": "NeverFinishes: 3 replaced"},
            id="something else than a failure is wrong with the last run",
        ),
    ],
)
def test_a_line_tells_what_matters_now(status: BuildStatus, cells: dict[str, str]) -> None:
    row = a_row(a_build(status=status))

    assert {name: row.get(name) for name in cells} == cells
    assert ("MESSAGE" in row) is ("MESSAGE" in cells)


def test_a_line_tells_that_a_build_is_off_or_going() -> None:
    assert a_row(a_build(enabled=False))["ENABLED"] == "false"
    assert a_row(a_build(is_deleting=True))["READY"] == "being deleted"


def test_a_slot_is_not_overdue_before_its_spread_is_over() -> None:
    status, spec = BuildStatus(next_slot=FIVE_MINUTES_AGO), a_spec(starting=Starting(spread=timedelta(minutes=10)))

    row = a_row(a_build(spec=spec, status=status))

    assert row["NEXT"] == "2026-11-25T02:55:00Z (5m ago), starts within 10m"


def test_a_wide_line_has_the_counters() -> None:
    status = BuildStatus(slots=Slots(due=6, started=3, skipped=2, missed=1), consecutive_failures=4)

    row = a_row(a_build(status=status), wide=True)

    assert [row[name] for name in ("DUE", "STARTED", "SKIPPED", "MISSED", "FAILURES")] == ["6", "3", "2", "1", "4"]
