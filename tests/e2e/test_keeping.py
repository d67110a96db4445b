"""Which servers stay up, and which records of runs are kept (R29)."""

from __future__ import annotations

import pytest
from tests.e2e.objects import PeriodicBuild
from tests.e2e.stage import Builds, Stage, eventually, see
from tests.e2e.templates import FAIL, a_build_spec, a_server_spec, a_template, every

pytestmark = pytest.mark.real_node

SPECS = {
    "replaced": a_server_spec(schedule=every("8s")),
    "removed by hand": a_server_spec(),
    "lost by force": a_server_spec(),
    "beside a manual one": a_server_spec(enabled=False, schedule=every("24h", afterManualRun="Keep")),
    "builds": a_build_spec(schedule=every("2s"), history={"successfulLimit": 2}),
    "failures": a_build_spec(
        FAIL, schedule=every("3s"), history={"failedLimit": 1}, retries={"limit": 1, "delay": "1s"}
    ),
    "nothing to keep": a_build_spec(enabled=False, history={"successfulLimit": 0, "failedLimit": 0}),
    "manual servers": a_server_spec(enabled=False, history={"successfulLimit": 1}),
}


def test_a_server_is_terminated_when_a_newer_one_has_taken_over(shared_stage: Stage, builds: Builds) -> None:
    build = builds["replaced"]

    newer = shared_stage.attempt(build, 2, "Running")

    build.disable()
    older = shared_stage.attempt(build, 1, "Terminated")
    assert older.condition("Succeeded").status == "True"
    assert older.condition("Ready")[:2] == ("False", "NoPod")
    eventually(lambda: older.name not in [pod.name for pod in shared_stage.pods(build)], "its pod goes")
    assert newer.name in [pod.name for pod in shared_stage.pods(build)]
    assert set(build.fates) == {"Started/Due: Succeeded"}


@pytest.mark.parametrize("how", ["removed by hand", "lost by force"])
def test_a_server_is_terminated_when_its_pod_is_deleted(shared_stage: Stage, builds: Builds, how: str) -> None:
    build = builds[how]
    server = shared_stage.attempt(build, 1, "Running")

    force = ["--grace-period=0", "--force"] if how == "lost by force" else []
    shared_stage.kubectl("delete", "pod", server.name, *force)

    server = shared_stage.attempt(build, 1, "Terminated")
    assert server.condition("Succeeded").status == "True"
    assert server.result == {}
    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "its run has succeeded all the same")
    assert build.condition("LastRunSucceeded").status == "True"


def test_a_manual_server_and_a_scheduled_one_leave_each_other_alone(shared_stage: Stage, builds: Builds) -> None:
    build = builds["beside a manual one"]
    manual = shared_stage.create_by_hand(build, "by-hand")
    see(manual, lambda one: one.state == "Running", "the manual server is up")

    build.patch({"spec": {"enabled": True}})

    shared_stage.attempt(build, 2, "Running")
    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "the scheduled server is up")
    shared_stage.outlast()
    assert [one.state for one in shared_stage.app_servers(build)] == ["Running", "Running"]
    assert len(shared_stage.pods(build)) == 2


def test_only_the_newest_successes_are_kept_with_their_pods_and_the_ledger_knows_of_all(
    shared_stage: Stage, builds: Builds
) -> None:
    build = builds["builds"]
    see(build, lambda one: one.slots.get("started", 0) >= 4, "some slots are built")

    kept = [f"{build.name}-{run}-1" for run in stop(build)[1::-1]]

    eventually(lambda: [one.name for one in shared_stage.app_servers(build)] == kept, "the newest two are kept")
    eventually(lambda: [pod.name for pod in shared_stage.pods(build)] == kept, "and their pods")
    assert build.fates.count("Started/Due: Succeeded") >= min(build.slots["started"], 19)


def test_the_attempts_of_a_failed_run_are_kept_or_go_together(shared_stage: Stage, builds: Builds) -> None:
    build = builds["failures"]
    see(build, lambda one: (one.read("status.consecutiveFailures") or 0) >= 2, "some runs have failed")

    newest = stop(build)[0]

    kept = [f"{build.name}-{newest}-{attempt}" for attempt in (1, 2)]
    eventually(lambda: [one.name for one in shared_stage.app_servers(build)] == kept, "the newest run is kept")


def test_the_newest_success_and_the_newest_failure_are_always_kept(shared_stage: Stage, builds: Builds) -> None:
    build = builds["nothing to keep"]
    for name, script in (("bad-1", FAIL), ("good-1", "true"), ("bad-2", FAIL), ("good-2", "true")):
        made = shared_stage.create_by_hand(build, name, template=a_template(script))
        see(made, lambda one: one.read("status.finishTime"), f"{name} has ended")

    eventually(
        lambda: [one.name for one in shared_stage.app_servers(build)] == ["bad-2", "good-2"], "the newest are kept"
    )


def test_a_manual_server_stays_up_although_it_is_beyond_the_limit(shared_stage: Stage, builds: Builds) -> None:
    build = builds["manual servers"]
    first = shared_stage.create_by_hand(build, "first")
    see(first, lambda one: one.state == "Running", "the first is up")

    second = shared_stage.create_by_hand(build, "second")

    see(second, lambda one: one.state == "Running", "the second is up")
    see(build, lambda one: one.read("status.lastSuccess.appServer") == "second" and not one.runs, "its run is over")
    shared_stage.outlast()
    assert [one.state for one in shared_stage.app_servers(build)] == ["Running", "Running"]


def stop(build: PeriodicBuild) -> list[str]:
    """Turn the schedule off, wait for the end of what it has started, and give its runs, newest first."""
    build.disable()
    see(
        build, lambda one: one.condition("Scheduled").reason == "Disabled" and not one.runs, "nothing is built any more"
    )
    return [entry["run"] for entry in build.read("status.ledger") if entry["decision"] == "Started"]
