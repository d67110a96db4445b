"""What happens to a schedule while no operator runs, or one that knows fewer zones (R2, R6; decision 7)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import tzdata
from tests.e2e.objects import PeriodicBuild
from tests.e2e.stage import Stage, see
from tests.integration.simulated_specs import a_build_spec
from tests.operator_process import OperatorProcess

pytestmark = pytest.mark.simulated_nodes

TROLL = "Antarctica/Troll"


@pytest.fixture
def down(operator: OperatorProcess) -> Iterator[OperatorProcess]:
    """Give the operator to a test that stops and starts it; it runs afterwards, whatever the test has come to."""
    yield operator
    operator.stop()
    operator.environment = {}
    operator.start()


@pytest.fixture
def tzdata_without_troll(tmp_path: Path) -> str:
    """Give a PYTHONPATH on which a zone database comes first that has dropped a zone."""
    database = tmp_path / "tzdata"
    shutil.copytree(Path(tzdata.__file__).parent, database)
    (database / "zoneinfo" / TROLL).unlink()
    zones = (database / "zones").read_text().split()
    (database / "zones").write_text("\n".join(zone for zone in zones if zone != TROLL))
    return f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"


def a_calendar(hours_away: int, zone: str = "Asia/Kathmandu") -> dict[str, Any]:
    """Give a calendar that is not due for hours."""
    local = datetime.now(UTC).astimezone(ZoneInfo(zone)) + timedelta(hours=hours_away)
    return {"interval": None, "cron": None, "calendar": {"time": f"{local:%H:%M}", "timeZone": zone}}


def seen(stage: Stage, schedule: dict[str, Any]) -> PeriodicBuild:
    """Create a PeriodicBuild and wait until its schedule is in force."""
    arms = {arm: value for arm, value in schedule.items() if value is not None}
    build = stage.create("nightly", a_build_spec(schedule=arms))
    return see(build, lambda one: one.read("status.schedule.nextSlotTime"), "its schedule is in force")


def test_of_edits_while_nobody_looks_the_last_one_counts(stage: Stage, down: OperatorProcess) -> None:
    build = seen(stage, a_calendar(6))
    down.stop()

    build.patch({"spec": {"enabled": False}})
    build.patch({"spec": {"schedule": {"interval": None, "calendar": None, "cron": {"expression": "* * * * *"}}}})
    build.patch({"spec": {"enabled": True, "schedule": a_calendar(5, zone="Etc/UTC")}})
    build.patch({"spec": {"schedule": a_calendar(4, zone="America/Nuuk")}})
    down.start()

    see(build, lambda one: one.read("status.schedule.epoch") == 2, "the last edit is in force")
    assert build.read("status.schedule.text").endswith("America/Nuuk")
    assert timedelta(hours=3) < build.instant("status.schedule.nextSlotTime") - datetime.now(UTC) <= timedelta(hours=4)
    assert (build.slots, build.fates) == ({}, [])


def test_an_edit_and_back_while_nobody_looks_is_none(stage: Stage, down: OperatorProcess) -> None:
    schedule = a_calendar(6)
    build = seen(stage, schedule)
    before = build.read("status.schedule")
    down.stop()

    build.patch({"spec": {"schedule": a_calendar(5)}})
    build.patch({"spec": {"schedule": schedule}})
    down.start()

    generation = build.read("metadata.generation")
    see(build, lambda one: one.read("status.observedGeneration") == generation, "it was looked at")
    assert build.read("status.schedule") == before


def test_a_zone_that_a_newer_database_has_dropped_freezes_the_schedule_and_closes_nothing(
    stage: Stage, down: OperatorProcess, tzdata_without_troll: str
) -> None:
    build = seen(stage, a_calendar(6, zone=TROLL))
    before = build.read("status.schedule")
    down.stop()
    down.environment = {"PYTHONPATH": tzdata_without_troll}
    down.start()

    see(build, lambda one: one.condition("Ready").reason == "InvalidSchedule", "the condition says so")
    assert f"'{TROLL}' is not a time zone of tzdata" in build.condition("Ready").message
    assert build.condition("Scheduled").reason == "InvalidSchedule"
    assert (build.read("status.schedule.epoch"), build.read("status.schedule.nextSlotTime")) == (1, None)

    down.stop()
    down.environment = {}
    down.start()

    see(build, lambda one: one.condition("Ready").status == "True", "the zone is known again")
    assert build.read("status.schedule") == before
