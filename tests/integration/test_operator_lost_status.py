"""A status that someone edits or wipes: what runs is kept, nothing starts twice, and the ledger says so (R44)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.cluster.cluster import KubectlError
from tests.e2e.objects import AppServer, PeriodicBuild
from tests.e2e.stage import Stage, eventually, see
from tests.integration.simulated_specs import FOR_EVER, a_build_spec, every

pytestmark = pytest.mark.simulated_nodes


def write_status(stage: Stage, build: PeriodicBuild, status: Any) -> None:
    """Write a status as a person does, by a merge patch."""
    patch = json.dumps({"status": status})
    stage.cluster.kubectl(
        "patch",
        f"pb/{build.name}",
        f"--namespace={build.namespace}",
        "--subresource=status",
        "--type=merge",
        "--patch",
        patch,
    )


def a_running_build(stage: Stage, **fields: Any) -> tuple[PeriodicBuild, AppServer]:
    """Create a PeriodicBuild whose first attempt runs for ever."""
    build = stage.create("nightly", a_build_spec(FOR_EVER, **fields))
    see(build, lambda one: len(one.runs) == 1, "its run is in progress")
    (app_server,) = stage.app_servers(build)
    eventually(lambda: stage.pods(build), "its pod is there")
    return build, app_server


def end(stage: Stage, app_server: AppServer) -> None:
    """Let the pod of a build that runs for ever complete: it does once its time is over."""
    life = {"metadata": {"annotations": {"simulation.periodicbuild.dev/runs-for": "10ms"}}}
    stage.pod(app_server).patch(life)


def assert_it_ends_as_the_only_one(stage: Stage, build: PeriodicBuild, app_server: AppServer) -> None:
    """See the attempt that was under way come to its end, and no other beside it."""
    end(stage, app_server)
    see(app_server, lambda one: one.state == "Completed", "the attempt goes on and completes")
    see(build, lambda one: one.read("status.lastSuccess.appServer") == app_server.name, "its success is recorded")
    see(build, lambda one: one.runs == [], "its run has ended")
    assert [one.name for one in stage.app_servers(build)] == [app_server.name]


def test_counters_that_do_not_add_up_are_refused_and_nothing_has_happened(stage: Stage) -> None:
    build, app_server = a_running_build(stage)
    before = build.read("status.slots")

    with pytest.raises(KubectlError, match=r"status.slots must add up"):
        write_status(stage, build, {"slots": {**before, "missed": 7}})

    assert_it_ends_as_the_only_one(stage, build, app_server)
    assert build.fates == ["Started/Due: Succeeded"]
    assert "LedgerReset" not in stage.events(build)


def test_a_wiped_status_begins_a_new_epoch_with_what_still_runs(stage: Stage) -> None:
    build, app_server = a_running_build(stage)
    run = build.runs[0]["id"]

    write_status(stage, build, None)

    see(build, lambda one: one.read("status.schedule.epoch") == 2, "a new epoch begins")
    assert [one["id"] for one in build.runs] == [run]
    eventually(lambda: "LedgerReset" in stage.events(build), "an Event says so")
    assert_it_ends_as_the_only_one(stage, build, app_server)
    assert (build.slots, build.fates) == ({}, [])
    assert build.instant("status.schedule.nextSlotTime") > build.instant("status.schedule.sinceTime")


def test_a_status_wiped_while_a_slot_waits_starts_it_only_when_the_build_has_ended(stage: Stage) -> None:
    build, app_server = a_running_build(stage, schedule=every("2s"))
    see(build, lambda one: one.read("status.waiting.reason") == "BuildInProgress", "the next slot waits")

    write_status(stage, build, None)

    see(build, lambda one: one.read("status.schedule.epoch") == 2, "a new epoch begins")
    see(build, lambda one: one.read("status.waiting.reason") == "BuildInProgress", "and its first slot waits")
    build.disable()
    assert_it_ends_as_the_only_one(stage, build, app_server)
    assert build.fates == ["Skipped/Disabled"]


WIPED: dict[str, tuple[dict[str, Any], int]] = {
    "the schedule": ({"schedule": None}, 2),
    "the ledger": ({"ledger": None}, 1),
    "the runs": ({"runs": None}, 1),
    "runs and ledger": ({"runs": None, "ledger": None}, 1),
    "conditions and generation": ({"conditions": None, "observedGeneration": None}, 1),
    "schedule, runs and ledger": ({"schedule": None, "runs": None, "ledger": None}, 2),
    "a run of nobody": (
        {"runs": [{"id": "nobodys", "trigger": "Schedule", "attempt": 1, "appServer": "x", "uid": "0"}]},
        1,
    ),
}
"""What is wiped or written, and the epoch that is then in force."""


@pytest.mark.parametrize(("status", "epoch"), WIPED.values(), ids=WIPED)
def test_what_runs_outlives_an_edit_of_part_of_the_status(stage: Stage, status: dict[str, Any], epoch: int) -> None:
    build, app_server = a_running_build(stage)
    version = build.read("metadata.resourceVersion")

    write_status(stage, build, status)

    see(build, lambda one: one.read("metadata.resourceVersion") != version, "it was written")
    assert_it_ends_as_the_only_one(stage, build, app_server)
    assert build.read("status.schedule.epoch") == epoch
    assert build.slots == {"due": 1, "started": 1}
    assert build.condition("Ready").status == "True"
    assert ("LedgerReset" in stage.events(build)) == (epoch == 2)


def test_a_waiting_slot_that_was_taken_out_by_hand_is_not_judged_again(stage: Stage) -> None:
    build, app_server = a_running_build(stage, schedule=every("2s"))
    see(build, lambda one: one.read("status.waiting"), "the next slot waits")
    taken = build.read("status.waiting.slotTime")

    write_status(stage, build, {"waiting": None, "slots": {**build.read("status.slots"), "missed": 1}})

    see(build, lambda one: one.read("status.waiting.slotTime") not in {None, taken}, "the one after it waits")
    assert build.slots["due"] == 3
    build.disable()
    assert_it_ends_as_the_only_one(stage, build, app_server)


def test_a_schedule_in_force_that_is_nonsense_is_replaced_by_the_one_of_the_spec(stage: Stage) -> None:
    build, app_server = a_running_build(stage)

    write_status(stage, build, {"schedule": {"inForce": {"enabled": True, "interval": {"seconds": 7}}}})

    see(build, lambda one: one.read("status.schedule.inForce.interval.seconds") == 86_400, "the spec's is in force")
    assert build.read("status.schedule.epoch") > 1
    assert_it_ends_as_the_only_one(stage, build, app_server)
