"""An interval of a few seconds over several slots: one start each, and no drift (R4, R10, R16)."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from tests.e2e.objects import PeriodicBuild, instant_of
from tests.e2e.stage import Builds, Stage, see
from tests.e2e.templates import SUCCEED, a_build_spec, every

pytestmark = pytest.mark.real_node

EVERY = timedelta(seconds=4)
ON_TIME = timedelta(seconds=1)
"""A start that is no later moves nothing: 1 % of the interval would be less."""
KEEP_ALL = {"successfulLimit": 100}
SPECS = {
    "quick": a_build_spec(SUCCEED, schedule=every("4s"), history=KEEP_ALL),
    "slow": a_build_spec("sleep 5", schedule=every("00:00:04"), history=KEEP_ALL),
}


@pytest.mark.parametrize("name", SPECS)
def test_every_slot_is_started_once_and_the_next_is_counted_from_it(
    shared_stage: Stage, builds: Builds, name: str
) -> None:
    build = builds[name]
    see(build, lambda one: one.slots.get("started", 0) >= 5, "five slots have started")
    build.disable()
    see(build, lambda one: one.condition("Scheduled").reason == "Disabled" and not one.runs, "the last one has ended")

    starts = starts_of(shared_stage, build)

    assert len(starts) == build.slots["started"]
    assert [slot for slot, _ in starts] == slots_in_the_ledger(build)
    for (slot, start), (next_slot, _) in pairwise(starts):
        assert next_slot == (slot if start - slot <= ON_TIME else start) + EVERY
    assert "missed" not in build.slots


def test_r16_a_slot_waits_while_a_build_is_in_progress(builds: Builds) -> None:
    ledger = builds["slow"].read("status.ledger")

    assert {entry["decision"] for entry in ledger} <= {"Started", "Skipped"}
    assert {entry["reason"] for entry in ledger if entry["decision"] == "Started"} == {"Due"}


def starts_of(stage: Stage, build: PeriodicBuild) -> list[tuple[datetime, datetime]]:
    """Give slot and creation of every first attempt, oldest first."""
    return [
        (one.instant("spec.slotTime"), one.instant("metadata.creationTimestamp")) for one in stage.app_servers(build)
    ]


def slots_in_the_ledger(build: PeriodicBuild) -> list[datetime]:
    """Give the slots that have started, oldest first."""
    ledger = build.read("status.ledger")
    return [instant_of(entry["slotTime"]) for entry in ledger[::-1] if entry["decision"] == "Started"]
