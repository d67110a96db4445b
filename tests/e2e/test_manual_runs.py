"""A person asks for a build: when it runs, and what it does to the schedule (R5, R26, R27)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.e2e.objects import PeriodicBuild
from tests.e2e.stage import Builds, Stage, eventually, see
from tests.e2e.templates import FAIL, SUCCEED, WORK_FOR_EVER, a_build_spec, a_template, every

pytestmark = pytest.mark.real_node

DAY = timedelta(days=1)
ACCURACY = timedelta(seconds=1)
"""Of times in the API, which are whole seconds."""
SPECS = {
    "restart asked for": a_build_spec(),
    "restart made by hand": a_build_spec(),
    "keep asked for": a_build_spec(schedule=every("24h", afterManualRun="Keep")),
    "keep made by hand": a_build_spec(schedule=every("24h", afterManualRun="Keep")),
    "disabled": a_build_spec(enabled=False),
    "fails": a_build_spec(FAIL, enabled=False, retries={"limit": 2, "delay": "1s"}),
    "own template": a_build_spec(FAIL, enabled=False),
    "same token": a_build_spec(enabled=False),
    "waiting slot": a_build_spec(WORK_FOR_EVER, schedule=every("4s")),
}


@pytest.mark.parametrize("how", ["asked for", "made by hand"])
def test_r5_the_interval_starts_anew_when_a_manual_run_starts(shared_stage: Stage, builds: Builds, how: str) -> None:
    build = builds[f"restart {how}"]
    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "the slot is built")
    before = build.instant("status.schedule.nextSlotTime")

    spawn(shared_stage, build, how)

    see(build, lambda one: one.instant("status.schedule.nextSlotTime") > before, "the next slot has moved")
    manual = shared_stage.attempt(build, 2, "Completed")
    started = build.instant("status.schedule.nextSlotTime") - DAY
    assert manual.instant("metadata.creationTimestamp") <= started <= manual.instant("status.finishTime") + ACCURACY
    assert build.fates == ["Started/Due: Succeeded"]
    assert build.slots == {"due": 1, "started": 1}
    eventually(lambda: "ManualSpawnObserved" in shared_stage.events(build), "an Event tells of it")


@pytest.mark.parametrize("how", ["asked for", "made by hand"])
def test_r5_the_interval_goes_on_after_a_manual_run_where_that_is_wanted(
    shared_stage: Stage, builds: Builds, how: str
) -> None:
    build = builds[f"keep {how}"]
    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "the slot is built")
    before = build.instant("status.schedule.nextSlotTime")

    spawn(shared_stage, build, how)

    manual = shared_stage.attempt(build, 2, "Completed")
    see(build, lambda one: one.read("status.lastSuccess.appServer") == manual.name, "the manual run is over")
    assert build.instant("status.schedule.nextSlotTime") == before
    assert "ManualSpawnObserved" not in shared_stage.events(build)


def test_r26_a_manual_run_needs_no_enabled_schedule_and_is_in_no_ledger(shared_stage: Stage, builds: Builds) -> None:
    build = builds["disabled"]

    build.run_now("now")

    manual = shared_stage.attempt(build, 1, "Completed")
    see(build, lambda one: one.read("status.lastSuccess.appServer") == manual.name, "the run is over")
    assert manual.read("spec.trigger") == "Manual"
    assert manual.read("spec.slotTime") is None
    assert build.read("status.manual") == {"token": "now", "run": manual.read("spec.run")}
    assert manual.name == f"{build.name}-{manual.read('spec.run')}-1"
    assert build.slots == {}
    assert build.fates == []
    assert build.condition("LastRunSucceeded").status == "True"
    assert build.condition("Scheduled")[:2] == ("False", "Disabled")


def test_r26_a_manual_run_has_one_attempt_and_its_failure_counts_for_nothing(
    shared_stage: Stage, builds: Builds
) -> None:
    build = builds["fails"]

    build.run_now("now")

    manual = shared_stage.attempt(build, 1, "ConfigurationFailed")
    see(build, lambda one: one.read("status.lastFailure.appServer") == manual.name, "the run is over")
    assert build.runs == []
    assert build.condition("LastRunSucceeded")[:2] == ("False", "Build")
    assert build.read("status.consecutiveFailures") == 0
    eventually(lambda: "BuildFailed" in shared_stage.events(build), "an Event tells of it")
    shared_stage.outlast()
    assert len(shared_stage.app_servers(build)) == 1


def test_r27_a_manual_run_of_its_own_template_says_nothing_about_the_periodic_build(
    shared_stage: Stage, builds: Builds
) -> None:
    build = builds["own template"]

    manual = shared_stage.create_by_hand(build, "try-it", template=a_template(SUCCEED))

    see(manual, lambda one: one.state == "Completed", "the own template is built")
    see(build, lambda one: one.condition("LastRunSucceeded").reason == "NoRunYet" and not one.runs, "the run is over")
    eventually(lambda: "BuildSucceeded" in shared_stage.events(build), "an Event tells of it all the same")
    assert build.read("status.lastSuccess") is None
    assert manual.controller_uid == build.uid
    assert manual.read("spec.run") == "try-it"
    assert [pod.name for pod in shared_stage.pods(build)] == ["try-it"]


def test_r26_a_token_is_one_run_however_often_it_is_written(shared_stage: Stage, builds: Builds) -> None:
    build = builds["same token"]
    build.run_now("once")
    first = shared_stage.attempt(build, 1, "Completed")

    build.run_now("once")
    build.patch({"metadata": {"annotations": {"periodicbuild.dev/run-now": None}}})
    build.run_now("once")
    shared_stage.outlast()
    assert [one.name for one in shared_stage.app_servers(build)] == [first.name]

    build.run_now("again")
    second = shared_stage.attempt(build, 2, "Completed")
    assert second.read("spec.run") != first.read("spec.run")


def test_r5_a_slot_that_waits_is_skipped_for_the_manual_run_that_comes_first(
    shared_stage: Stage, builds: Builds
) -> None:
    build = builds["waiting slot"]
    first = shared_stage.attempt(build, 1, "ConfiguringServer")
    see(build, lambda one: one.read("status.waiting.reason") == "BuildInProgress", "the second slot waits")
    manual = shared_stage.create_by_hand(build, "by-hand", template=a_template("sleep 2"))
    see(manual, lambda one: one.state == "New", "the manual run waits, too")

    first.cancel()

    see(manual, lambda one: one.state == "Completed", "the manual run has had its turn")
    see(build, lambda one: len(one.fates) > 1, "the slot has its fate")
    build.disable()
    assert build.fates[::-1][:2] == ["Started/Due: Cancelled/ByUser", "Skipped/ManualSpawn"]
    eventually(lambda: "SlotSkipped" in shared_stage.events(build), "an Event tells of it")
    for one in shared_stage.app_servers(build):
        one.cancel()


def spawn(stage: Stage, build: PeriodicBuild, how: str) -> None:
    """Ask for a run in one of the two ways that need no plug-in."""
    if how == "asked for":
        build.run_now("now")
    else:
        stage.create_by_hand(build, f"{build.name}-by-hand")
