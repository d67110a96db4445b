"""The operator dies or is stopped in the middle of everything, and goes on where it was (R22, R42)."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.e2e.objects import AppServer, PeriodicBuild, instant_of
from tests.e2e.stage import Builds, Stage, eventually, see
from tests.e2e.templates import (
    FAIL,
    SUCCEED,
    WORK_FOR_EVER,
    WORK_UNTIL_TOLD,
    a_build_spec,
    a_server_spec,
    a_template,
    every,
    in_attempt,
)
from tests.operator_process import ACCOUNT, NAMESPACE, OperatorProcess

pytestmark = pytest.mark.real_node

THEN_FAIL = f"{WORK_UNTIL_TOLD}; exit 9"
SECOND_WORKS = in_attempt(2, WORK_UNTIL_TOLD, otherwise=FAIL)
SECOND_SUCCEEDS = in_attempt(2, SUCCEED, otherwise=FAIL)
RETRIES = {"limit": 2, "delay": "1s"}
SPECS = {
    "second attempt at work": a_build_spec(SECOND_WORKS, retries=RETRIES),
    "succeeds unseen": a_build_spec(SECOND_WORKS, retries=RETRIES),
    "fails unseen": a_build_spec(in_attempt(1, THEN_FAIL, otherwise=SUCCEED), retries=RETRIES),
    "removed unseen": a_build_spec(in_attempt(1, WORK_UNTIL_TOLD, otherwise=SUCCEED), retries=RETRIES),
    "deleted unseen": a_build_spec(WORK_UNTIL_TOLD, retries=RETRIES),
    "asked for unseen": a_build_spec(enabled=False),
    "asked for before": a_build_spec(enabled=False),
    "before a manual one": a_build_spec(WORK_UNTIL_TOLD),
    "serving": a_server_spec(),
}


@pytest.fixture(scope="module")
def killed(shared_stage: Stage, builds: Builds, operator: OperatorProcess) -> Builds:
    """Kill the operator while everything is under way, let things happen unseen, and start it again."""
    stage = shared_stage
    stage.attempt(builds["second attempt at work"], 2, "ConfiguringServer")
    succeeding = stage.attempt(builds["succeeds unseen"], 2, "ConfiguringServer")
    failing = stage.attempt(builds["fails unseen"], 1, "ConfiguringServer")
    removed = stage.attempt(builds["removed unseen"], 1, "ConfiguringServer")
    deleted = stage.attempt(builds["deleted unseen"], 1, "ConfiguringServer")
    builds["asked for before"].run_now("before")
    stage.attempt(builds["asked for before"], 1, "Completed")
    stage.attempt(builds["before a manual one"], 1, "ConfiguringServer")
    manual = stage.create_by_hand(builds["before a manual one"], "by-hand", template=a_template(WORK_FOR_EVER))
    see(manual, lambda one: one.state == "New", "a manual run waits for its turn")
    stage.attempt(builds["serving"], 1, "Running")
    between = stage.create("between-attempts", a_build_spec(SECOND_SUCCEEDS, retries=RETRIES | {"delay": "12s"}))
    see(between, has_planned_next, "a run is between attempts")

    operator.stop(signal.SIGKILL)
    try:
        builds["asked for unseen"].run_now("unseen")
        deleted.delete()
        for one in (succeeding, failing):
            stage.tell(one)
        stage.pod(removed).delete()
        eventually(lambda: phase(stage, succeeding) == "Succeeded", "a pod has succeeded")
        eventually(lambda: phase(stage, failing) == "Failed", "a pod has failed")
    finally:
        operator.start()
    return {**builds, "between attempts": between}


def test_a_run_goes_on_in_the_attempt_that_was_at_work(shared_stage: Stage, killed: Builds) -> None:
    build = killed["second attempt at work"]
    second = shared_stage.attempt(build, 2, "ConfiguringServer")

    shared_stage.tell(second)

    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "the run has succeeded")
    assert states(shared_stage, build) == ["ConfigurationFailed", "Completed"]
    assert attempts(shared_stage, build) == [1, 2]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("succeeds unseen", ["ConfigurationFailed", "Completed"]),
        ("fails unseen", ["ConfigurationFailed", "Completed"]),
        ("removed unseen", ["Error", "Completed"]),
        ("between attempts", ["ConfigurationFailed", "Completed"]),
    ],
)
def test_a_run_goes_on_from_what_happened_unseen(
    shared_stage: Stage, killed: Builds, name: str, expected: list[str]
) -> None:
    build = killed[name]

    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "the run has succeeded")

    assert states(shared_stage, build) == expected
    assert attempts(shared_stage, build) == [1, 2]
    assert build.slots == {"due": 1, "started": 1}


def test_a_retry_keeps_the_time_it_was_planned_for(shared_stage: Stage, killed: Builds) -> None:
    first = shared_stage.attempt(killed["between attempts"], 1, "ConfigurationFailed")
    second = shared_stage.attempt(killed["between attempts"], 2, "Completed")

    pause = second.instant("metadata.creationTimestamp") - first.instant("status.finishTime")
    assert pause >= timedelta(seconds=11)


def test_an_exit_that_nobody_saw_arrives_in_the_result(shared_stage: Stage, killed: Builds) -> None:
    first = shared_stage.attempt(killed["fails unseen"], 1, "ConfigurationFailed")

    assert first.result["exitCode"] == 9


def test_a_run_whose_app_server_was_deleted_unseen_is_cancelled(killed: Builds) -> None:
    see(killed["deleted unseen"], lambda one: one.fates == ["Started/Due: Cancelled/Deleted"], "the run is over")


def test_a_run_asked_for_unseen_is_run_and_one_that_was_run_is_not_run_again(
    shared_stage: Stage, killed: Builds
) -> None:
    shared_stage.attempt(killed["asked for unseen"], 1, "Completed")

    shared_stage.outlast()
    assert states(shared_stage, killed["asked for before"]) == ["Completed"]


def test_a_manual_run_still_waits_for_its_turn(shared_stage: Stage, killed: Builds) -> None:
    build = killed["before a manual one"]
    first = shared_stage.attempt(build, 1, "ConfiguringServer")
    assert states(shared_stage, build) == ["ConfiguringServer", "New"]

    shared_stage.tell(first)

    shared_stage.attempt(build, 2, "ConfiguringServer")
    assert states(shared_stage, build)[0] == "Completed"


def test_a_server_stays_up(shared_stage: Stage, killed: Builds) -> None:
    shared_stage.outlast()

    assert states(shared_stage, killed["serving"]) == ["Running"]
    (pod,) = shared_stage.pods(killed["serving"])
    assert pod.obj["status"]["containerStatuses"][0]["restartCount"] == 0


def test_an_app_server_created_right_before_the_crash_is_adopted_and_not_created_again(
    stage: Stage, operator: OperatorProcess
) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=8)
    build = stage.create("site", a_build_spec(schedule=every("24h") | {"notBefore": f"{soon:%Y-%m-%dT%H:%M:%SZ}"}))
    see(build, lambda one: one.read("status.schedule.nextSlotTime"), "the operator knows of the slot")
    with status_is_forbidden(stage):
        eventually(lambda: stage.app_servers(build), "the AppServer is created")
        build.reload()
        assert build.fates == []
        operator.stop(signal.SIGKILL)
    operator.start()

    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "the ledger tells of it")
    assert attempts(stage, build) == [1]
    assert len(stage.pods(build)) == 1
    assert build.slots == {"due": 1, "started": 1}


def test_sigterm_ends_the_operator_in_two_seconds_and_no_slot_is_lost(stage: Stage, operator: OperatorProcess) -> None:
    slow = stage.create("slow", a_build_spec(WORK_UNTIL_TOLD))
    quick = stage.create("quick", a_build_spec(schedule=every("3s")))
    at_work = stage.attempt(slow, 1, "ConfiguringServer")
    see(quick, lambda one: one.slots.get("started"), "the interval runs")

    took = operator.stop()
    try:
        quick.reload()
        slot = quick.read("status.schedule.nextSlotTime") or quick.read("status.waiting.slotTime")
        eventually(lambda: datetime.now(UTC) > instant_of(slot), "a slot falls due while nobody looks")
    finally:
        operator.start()

    assert took < 2
    see(quick, lambda one: slot in started_slots(one), "the slot was started")
    quick.disable()
    stage.tell(at_work)
    see(slow, lambda one: one.fates == ["Started/Due: Succeeded"], "the build under way has succeeded")
    assert "missed" not in quick.slots


@contextmanager
def status_is_forbidden(stage: Stage) -> Iterator[None]:
    """Take the operator's right to write the status of a PeriodicBuild, and give it back."""
    role = json.loads(stage.kubectl("get", "clusterrole", ROLE, "--output=json"))
    without = [{**rule, "resources": [one for one in rule["resources"] if one != STATUS]} for rule in role["rules"]]
    grant(stage, without)
    try:
        eventually(lambda: not may_write_status(stage), "the right is gone")
        yield
    finally:
        grant(stage, role["rules"])
        eventually(lambda: may_write_status(stage), "the right is back")


ROLE = "periodicbuild-operator"
STATUS = "periodicbuilds/status"


def grant(stage: Stage, rules: list[dict[str, Any]]) -> None:
    """Give the operator exactly these rights."""
    stage.kubectl("patch", "clusterrole", ROLE, "--type=merge", f"--patch={json.dumps({'rules': rules})}")


def may_write_status(stage: Stage) -> bool:
    """Ask the API server."""
    resource, _, subresource = STATUS.partition("/")
    what = {"group": "periodicbuild.dev", "resource": resource, "subresource": subresource, "verb": "patch"}
    spec = {"user": f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}", "resourceAttributes": what}
    answer = stage.api.post(url="subjectaccessreviews", version="authorization.k8s.io/v1", json={"spec": spec})
    answer.raise_for_status()
    return bool(answer.json()["status"]["allowed"])


def has_planned_next(build: PeriodicBuild) -> bool:
    """Tell whether a run of it waits for its next attempt."""
    return any("nextAttemptTime" in run for run in build.runs)


def phase(stage: Stage, app_server: AppServer) -> str:
    """Give the phase of a pod."""
    return str(stage.pod(app_server).obj["status"]["phase"])


def states(stage: Stage, build: PeriodicBuild) -> list[str]:
    """Give the states of its AppServers, oldest first."""
    return [one.state for one in stage.app_servers(build)]


def attempts(stage: Stage, build: PeriodicBuild) -> list[int]:
    """Give the numbers of the attempts of its one run."""
    found = stage.app_servers(build)
    assert len({one.read("spec.run") for one in found}) == 1
    return [one.read("spec.attempt") for one in found]


def started_slots(build: PeriodicBuild) -> list[str]:
    """Give the slots that became a build, newest first."""
    return [entry["slotTime"] for entry in build.read("status.ledger") if entry["decision"] == "Started"]
