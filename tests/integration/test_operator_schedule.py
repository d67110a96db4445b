"""What becomes of slots in a real cluster: edits, requests and a time without operator (R1, R2, R4, R5, R8, R10)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.e2e.objects import PeriodicBuild, instant_of
from tests.e2e.stage import Stage, eventually, see
from tests.integration.simulated_specs import FOR_EVER, a_build_spec, a_server_spec, every, in_seconds, text_of
from tests.operator_process import OperatorProcess

pytestmark = pytest.mark.simulated_nodes

IN_TIME = timedelta(seconds=61)
"""After it, a first look at a slot is late (R10)."""


def a_build_whose_next_slot_waits(stage: Stage, runs_for: str = FOR_EVER) -> PeriodicBuild:
    """Create a PeriodicBuild that is busy when its second slot falls due."""
    build = stage.create("nightly", a_build_spec(runs_for, schedule=every("2s")))
    return see(build, lambda one: one.read("status.waiting.reason") == "BuildInProgress", "the second slot waits")


def test_the_first_build_of_a_new_object_is_due_at_its_creation(stage: Stage) -> None:
    build = stage.create("nightly", a_build_spec())

    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "it was started and has succeeded")

    created = build.read("metadata.creationTimestamp")
    assert build.read("status.ledger")[0]["slotTime"] == created
    assert build.instant("status.schedule.nextSlotTime") == instant_of(created) + timedelta(days=1)


def test_a_server_of_a_new_object_stays_up_and_the_one_before_it_goes(stage: Stage) -> None:
    build = stage.create("server", a_server_spec(schedule=every("3s")))

    see(build, lambda one: one.slots.get("started") == 2, "two servers were started")
    build.disable()

    first, second = stage.attempt(build, 1, "Terminated"), stage.attempt(build, 2, "Running")
    eventually(lambda: [pod.name for pod in stage.pods(build)] == [second.name], "only the newest is up (R29)")
    assert first.condition("Succeeded").status == "True"


def test_of_finished_runs_the_old_ones_go_and_the_newest_stays(stage: Stage) -> None:
    """R29: also when nothing else happens any more."""
    history = {"successfulLimit": 9, "maxAge": "4s"}
    build = stage.create("nightly", a_build_spec(schedule=every("1s"), history=history))
    see(build, lambda one: one.slots.get("started", 0) >= 3, "some builds were started")
    build.disable()

    eventually(lambda: len(stage.app_servers(build)) == 1, "only the newest is kept")
    build.reload()
    assert [one.name for one in stage.app_servers(build)] == [build.read("status.lastSuccess.appServer")]


def test_an_edit_of_the_interval_skips_the_slot_that_waits(stage: Stage) -> None:
    build = a_build_whose_next_slot_waits(stage)
    anchor = build.instant("status.schedule.anchorTime")

    build.patch({"spec": {"schedule": every("1h")}})

    see(build, lambda one: one.fates == ["Skipped/ScheduleEdited", "Started/Due"], "the slot has its fate")
    assert build.read("status.schedule.epoch") == 2
    assert build.instant("status.schedule.nextSlotTime") == anchor + timedelta(hours=1)


def test_disabling_skips_the_slot_that_waits_and_enabling_counts_on_from_the_last_start(stage: Stage) -> None:
    build = a_build_whose_next_slot_waits(stage)
    anchor = build.instant("status.schedule.anchorTime")

    build.disable()
    see(build, lambda one: one.fates == ["Skipped/Disabled", "Started/Due"], "the slot has its fate")
    assert build.condition("Scheduled").reason == "Disabled"
    assert build.read("status.schedule.nextSlotTime") is None
    build.patch({"spec": {"enabled": True, "schedule": every("1h")}})

    see(build, lambda one: one.condition("Scheduled").status == "True", "it is on again")
    assert build.instant("status.schedule.nextSlotTime") == anchor + timedelta(hours=1)
    assert build.slots == {"due": 2, "started": 1, "skipped": 1}


def test_no_slot_lies_before_not_before(stage: Stage) -> None:
    start = in_seconds(3)
    build = stage.create("nightly", a_build_spec(schedule=every("1h", notBefore=text_of(start))))
    see(build, lambda one: one.read("status.schedule.nextSlotTime") == text_of(start), "the next slot is that instant")
    assert build.slots == {}

    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "then it starts")

    assert build.read("status.ledger")[0]["slotTime"] == text_of(start)


def test_a_manual_run_takes_the_place_of_the_slot_that_waits_and_the_interval_starts_anew(stage: Stage) -> None:
    build = a_build_whose_next_slot_waits(stage, runs_for="5s")

    build.run_now("please")

    see(build, lambda one: "Skipped/ManualSpawn" in one.fates, "the waiting slot is skipped when the manual run starts")
    (manual,) = [one for one in stage.app_servers(build) if one.read("spec.trigger") == "Manual"]
    build.patch({"spec": {"schedule": every("1h")}})
    see(build, lambda one: one.read("status.schedule.epoch") == 2, "the edit is in force")
    assert build.fates[-2:] == ["Skipped/ManualSpawn", "Started/Due: Succeeded"]
    assert "ManualSpawnObserved" in stage.events(build)
    assert build.read("status.lastScheduled.run") != manual.read("spec.run")


def test_another_spelling_of_the_same_interval_is_no_edit(stage: Stage) -> None:
    build = stage.create("nightly", a_build_spec())
    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "the first has succeeded")
    next_slot = build.read("status.schedule.nextSlotTime")

    build.patch({"spec": {"schedule": every("1 00:00:00")}})

    see(build, lambda one: one.read("status.observedGeneration") == 2, "the new spelling was looked at")
    assert build.read("status.schedule.epoch") == 1
    assert build.read("status.schedule.nextSlotTime") == next_slot
    assert build.slots == {"due": 1, "started": 1}


@pytest.fixture(scope="module")
def unattended(shared_stage: Stage, operator: OperatorProcess) -> dict[str, PeriodicBuild]:
    """Give builds whose first slot fell due more than a minute before an operator ran again; one was edited then."""
    slot = in_seconds(3)
    spec = a_build_spec(schedule=every("24h", notBefore=text_of(slot)))
    builds = {name: shared_stage.create(name, spec) for name in ("left-alone", "edited")}
    for build in builds.values():
        see(build, lambda one: one.read("status.schedule.nextSlotTime") == text_of(slot), "it is due soon")
    operator.stop()
    try:
        late = slot + IN_TIME
        eventually(lambda: datetime.now(UTC) > late, "it is more than late", within_seconds=90)
        builds["edited"].patch({"spec": {"schedule": every("7d", notBefore=None)}})
    finally:
        operator.start()
    return builds


def test_a_slot_that_fell_due_without_an_operator_is_caught_up(unattended: dict[str, PeriodicBuild]) -> None:
    build = unattended["left-alone"]

    see(build, lambda one: one.fates == ["Started/CaughtUp: Succeeded"], "it runs, late")

    started = build.instant("status.lastScheduled.startTime")
    assert build.instant("status.schedule.nextSlotTime") == started + timedelta(days=1)


def test_a_slot_that_nobody_looked_at_before_the_schedule_was_edited_is_missed(
    shared_stage: Stage, unattended: dict[str, PeriodicBuild]
) -> None:
    build = unattended["edited"]

    see(build, lambda one: one.fates == ["Missed/OperatorDown"], "its fate is told")

    assert build.slots == {"due": 1, "missed": 1}
    eventually(lambda: "SlotMissed" in shared_stage.events(build), "an Event says so")
