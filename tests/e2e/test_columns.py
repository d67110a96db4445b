"""What `kubectl get` prints: a person sees at a glance what is due, what runs, and what failed."""

from __future__ import annotations

import re

import pytest
from tests.e2e.stage import Builds, Stage, see
from tests.e2e.templates import FAIL, WORK_FOR_EVER, a_build_spec, a_server_spec, every

pytestmark = pytest.mark.real_node

SPECS = {
    "fails": a_build_spec(FAIL, retries={"limit": 1, "delay": "1s"}),
    "serves": a_server_spec(schedule=every("1 00:00:00")),
    "off": a_build_spec(enabled=False),
    "waits": a_build_spec(WORK_FOR_EVER, schedule=every("4s")),
}


def test_a_row_tells_of_a_failed_build_and_of_the_next_one(shared_stage: Stage, builds: Builds) -> None:
    build = see(builds["fails"], lambda one: one.fates == ["Started/Due: Failed/RetriesUsedUp"], "the run is over")

    row = table(shared_stage, "pb")["fails"]

    ages = [row.pop("LAST"), row.pop("AGE")]
    assert all(re.fullmatch("[0-9]+(s|m|m[0-9]+s)", age) for age in ages)
    assert row == {
        "READY": "True",
        "ENABLED": "true",
        "SCHEDULE": "every 24h",
        "NEXT": build.read("status.schedule.nextSlotTime"),
        "WAITING": "",
        "SUCCEEDED": "False",
    }


def test_a_row_tells_of_a_schedule_that_is_off(shared_stage: Stage, builds: Builds) -> None:
    see(builds["off"], lambda one: one.condition("Ready").status == "True", "it is understood")

    row = table(shared_stage, "pb")["off"]

    assert (row["READY"], row["ENABLED"], row["NEXT"], row["LAST"], row["SUCCEEDED"]) == (
        "True",
        "false",
        "",
        "",
        "Unknown",
    )


def test_a_row_tells_of_a_slot_that_waits(shared_stage: Stage, builds: Builds) -> None:
    see(builds["waits"], lambda one: one.read("status.waiting"), "a slot waits")

    row = table(shared_stage, "pb", "--output=wide")["waits"]

    assert table(shared_stage, "pb")["waits"]["WAITING"] == "BuildInProgress"
    assert (row["WAITING"], row["DUE"], row["STARTED"], row["NEXT"]) == ("BuildInProgress", "2", "1", "")


def test_rows_tell_of_the_attempts_of_a_run(shared_stage: Stage, builds: Builds) -> None:
    first, second = (shared_stage.attempt(builds["fails"], number, "ConfigurationFailed").name for number in (1, 2))

    rows = table(shared_stage, "appsrv", "--output=wide")

    assert [(rows[name]["STATE"], rows[name]["ATTEMPT"]) for name in (first, second)] == [
        ("ConfigurationFailed", "1"),
        ("ConfigurationFailed", "2"),
    ]
    assert (rows[first]["CLASS"], rows[first]["REASON"], rows[first]["NODE"]) == (
        "Build",
        "NonZeroExit",
        shared_stage.node,
    )
    assert (rows[first]["PERIODICBUILD"], rows[first]["TRIGGER"]) == ("fails", "Schedule")


def test_a_row_tells_of_a_server_that_is_up(shared_stage: Stage, builds: Builds) -> None:
    server = shared_stage.attempt(builds["serves"], 1, "Running")

    row = table(shared_stage, "appsrv", "--output=wide")[str(server.name)]

    assert (row["STATE"], row["READY"], row["CLASS"], row["REASON"]) == ("Running", "True", "", "")


def table(stage: Stage, kind: str, *options: str) -> dict[str, dict[str, str]]:
    """Give what kubectl prints, by row and column; an empty cell is an empty text."""
    header, *lines = stage.kubectl("get", kind, *options).splitlines()
    starts = [match.start() for match in re.finditer(r"\S+", header)]
    ends = [*starts[1:], None]
    names = header.split()
    rows = [[line[start:end].strip() for start, end in zip(starts, ends, strict=True)] for line in lines]
    return {row[0]: dict(zip(names[1:], row[1:], strict=True)) for row in rows}
