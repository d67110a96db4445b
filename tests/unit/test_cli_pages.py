"""The ledger, manual runs, and the page of one PeriodicBuild."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.builders.attempts import a_result, a_run, an_app_server
from tests.builders.builds import a_build, an_entry
from tests.builders.looks import a_status
from tests.builders.serving import NEW, OLD, OLDEST, an_activation

from periodicbuild.cli.detail import detail_tables
from periodicbuild.cli.ledger_rows import ledger_table
from periodicbuild.cli.manual_runs import manual_runs_of, manual_runs_table, recoveries_of, recoveries_table
from periodicbuild.cli.tables import print_tables
from periodicbuild.core.facts import AppServerStatus
from periodicbuild.core.reasons import Fate, Outcome, OutcomeReason, State, Trigger
from periodicbuild.core.status import BuildStatus, Condition

NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
FIVE_MINUTES_AGO = datetime(2026, 11, 25, 2, 55, tzinfo=UTC)
IN_AN_HOUR = datetime(2026, 11, 25, 4, 0, tzinfo=UTC)
AT_TWO_TEXT = "2026-11-25T02:00:00Z"
READY = Condition(
    type="Ready",
    status="True",
    reason="Accepted",
    message="the spec is understood",
    observed_generation=1,
    changed_at=FIVE_MINUTES_AGO,
)


def test_the_ledger_shows_neighbours_as_one_and_failures_with_their_cause(capsys: pytest.CaptureFixture[str]) -> None:
    build = a_build()
    failed = an_app_server(
        build,
        slot=AT_TWO_TEXT,
        status=AppServerStatus(state=State.CONFIGURATION_FAILED, result=a_result(message="exit code 1")),
    )
    running = an_app_server(build, slot="2026-11-25T02:30:00Z", attempt=2)
    build = a_build(status=BuildStatus(runs=(a_run(running),)))
    entries = (
        an_entry(slot="2026-11-25T02:30:00Z"),
        an_entry(slot=AT_TWO_TEXT, outcome=Outcome.FAILED, outcome_reason=OutcomeReason.RETRIES_USED_UP),
        an_entry(slot="2026-11-23T02:00:00Z", until="2026-11-24T02:00:00Z", count=2, fate=Fate.DISABLED),
        replace(an_entry(slot="2026-11-22T12:00:00Z", fate=Fate.GATE_CLOSED), message="gate upgrade is closed"),
        an_entry(slot="2026-11-22T02:00:00Z", outcome=Outcome.SUCCEEDED),
    )

    print_tables(ledger_table(build, entries, [running, failed], title="Ledger:", wide=False))

    _, header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["SLOT", "COUNT", "DECISION", "REASON", "OUTCOME", "RUN", "MESSAGE"]
    assert [[word.strip() for word in line.split("  ") if word] for line in lines] == [
        ["2026-11-25T02:30:00Z", "1", "Started", "Due", "in progress (attempt 2)", "20261125-023000", "-"],
        [
            AT_TWO_TEXT,
            "1",
            "Started",
            "Due",
            "Failed/RetriesUsedUp",
            "20261125-020000",
            "Build/NonZeroExit: exit code 1",
        ],
        ["2026-11-23T02:00:00Z to 2026-11-24T02:00:00Z", "2", "Skipped", "Disabled", "-", "-", "-"],
        ["2026-11-22T12:00:00Z", "1", "Skipped", "GateClosed", "-", "-", "gate upgrade is closed"],
        ["2026-11-22T02:00:00Z", "1", "Started", "Due", "Succeeded", "20261122-020000", "-"],
    ]


def test_manual_runs_are_told_apart_from_the_schedules() -> None:
    manual = an_app_server(token="please", status=AppServerStatus(state=State.COMPLETED, finished_at=NOW))  # noqa: S106

    table = manual_runs_table(manual_runs_of([an_app_server(), manual]))

    assert [[cell.text for cell in row][:2] for row in table.rows] == [[manual.ref.name, "Completed"]]


def test_a_page_has_no_part_without_content() -> None:
    status = BuildStatus(conditions=(READY,), ledger=(an_entry(),))

    titles = [table.title for table in detail_tables(a_build(status=status), [], NOW)]

    assert titles == ["", "Conditions:", "Ledger, newest 1 of 1 entries:"]


def test_a_page_tells_why_an_attempt_failed_and_when_the_next_is_due() -> None:
    failed = an_app_server(
        status=AppServerStatus(state=State.ERROR, result=a_result(message="exit code 1")), uid="attempt"
    )
    status = BuildStatus(runs=(a_run(failed, next_attempt=IN_AN_HOUR),))

    runs = next(table for table in detail_tables(a_build(status=status), [failed], NOW) if "Runs" in table.title)

    assert [cell.text for cell in runs.rows[0][-2:]] == [
        "Error",
        "Build/NonZeroExit: exit code 1; attempt 2 is due 2026-11-25T04:00:00Z (in 1h)",
    ]


def test_a_page_tells_which_server_is_active_and_which_would_take_over() -> None:
    known = an_activation(NEW, previous=OLD, until="2026-11-26", rolled_back=OLDEST)
    status = replace(a_status(), activation=known)
    table = detail_tables(a_build(status=status), [], NOW)[0]
    shown = {label.text: value.text for label, value in table.rows}["Serves:"]
    assert f"AppServer {NEW.ref.name} since " in shown
    assert f"switched back from {OLDEST.ref.name}" in shown
    assert f"fallback {OLD.ref.name} until 2026-11-26T00:00:00Z" in shown
    bare = replace(status, activation=replace(known, previous=None, rolled_back=None))
    rows = detail_tables(a_build(status=bare), [], NOW)[0].rows
    assert [";" in value.text for label, value in rows if label.text == "Serves:"] == [False]


def test_recoveries_are_listed_apart() -> None:
    recovery = an_app_server(trigger=Trigger.RECOVERY)
    table = recoveries_table(recoveries_of([an_app_server(), recovery]))
    assert (table.title, len(table.rows)) == ("Recoveries on record:", 1)
