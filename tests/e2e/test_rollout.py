"""A rollout from its announcement to its end, with real builds: what is held back, when it is safe, what follows."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

import pytest
from tests.e2e.gates import Gates, gates_of
from tests.e2e.stage import Stage, eventually, see
from tests.e2e.templates import WORK_UNTIL_TOLD, a_build_spec, every
from tests.integration.simulated_specs import MINUTELY, in_seconds, text_of
from tests.operator_process import OperatorProcess

pytestmark = pytest.mark.real_node

ANNOUNCED_FOR_SECONDS: Final = 20
STILL_SECONDS: Final = 3
"""Whoever is answered too soon is answered by then."""
LASTS: Final = timedelta(seconds=25)


@pytest.fixture
def gates(stage: Stage) -> Iterator[Gates]:
    """Give one test its gates."""
    yield from gates_of(stage)


@contextmanager
def waiting_until_safe(stage: Stage, gate: str) -> Iterator[subprocess.Popen[bytes]]:
    """Wait as a person does who rolls something out."""
    kubectl = [str(stage.cluster.kubectl_path), f"--kubeconfig={stage.cluster.kubeconfig}"]
    process = subprocess.Popen(
        [*kubectl, "wait", "--for=condition=Safe", f"bgate/{gate}", "--timeout=120s"], stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def window(begins: datetime, ends: datetime) -> dict[str, object]:
    """Give a window that comes once."""
    return {"name": "upgrade", "once": {"startTime": text_of(begins), "endTime": text_of(ends)}}


def test_a_rollout_waits_for_what_is_built_and_holds_back_what_is_not(stage: Stage, gates: Gates) -> None:
    assert stage.namespace
    begins = in_seconds(ANNOUNCED_FOR_SECONDS)
    gate = gates.apply("upgrade", reason="database upgrade", windows=[window(begins, begins + LASTS)])
    gates.sees(gate, "Open", "True", "Open")

    long = stage.create("long", a_build_spec(schedule=every("5s"), estimatedDuration="1h"))
    short = stage.create("short", a_build_spec(WORK_UNTIL_TOLD, estimatedDuration="1s"))
    see(long, lambda one: one.read("status.waiting.reason") == "RolloutImminent", "the long build is held back")
    assert "database upgrade" in long.read("status.waiting.message")
    at_work = stage.attempt(short, 1, "ConfiguringServer")

    gates.sees(gate, "Safe", "False", "BuildsInProgress")
    with waiting_until_safe(stage, gate) as safe:
        assert [one["name"] for one in gates.read(gate)["blockingBuilds"]] == ["short"]
        time.sleep(STILL_SECONDS)
        assert safe.poll() is None, "a build is at work"
        stage.tell(at_work)
        stage.attempt(short, 1, "Completed")
        assert safe.wait(timeout=60) == 0
    assert stage.pods(long) == []
    gates.apply("upgrade", reason="database upgrade", closed=True, windows=[window(begins, begins + LASTS)])
    gates.sees(gate, "Safe", "True", "NothingInProgress")
    see(long, lambda one: one.read("status.waiting.reason") == "GateClosed", "and now it is closed for it")

    gates.apply("upgrade", reason="database upgrade", closed=False)
    see(long, lambda one: one.slots.get("started"), "the newest slot starts")
    long.disable()
    eventually(lambda: not stage.pods(long) or stage.app_servers(long)[-1].state == "Completed", "it is built")


@pytest.fixture
def _one_start_a_second(operator: OperatorProcess) -> Iterator[None]:
    """Let the operator start builds so slowly that the API's whole seconds tell them apart."""
    usual = operator.arguments
    operator.stop()
    operator.arguments = [*usual, "--starts-per-second=1"]
    operator.start()
    yield
    operator.stop()
    operator.arguments = usual
    operator.start()


@pytest.mark.usefixtures("_one_start_a_second")
def test_what_a_freeze_held_back_is_on_record_and_only_the_newest_slots_start_one_by_one(
    stage: Stage, gates: Gates
) -> None:
    gate = gates.apply("freeze", reason="freeze", closed=True)
    gates.sees(gate, "Safe", "True", "NothingInProgress")
    builds = [stage.create(f"build-{number}", a_build_spec(schedule=MINUTELY)) for number in range(5)]
    for build in builds:
        see(build, lambda one: one.fates == ["Skipped/GateClosed"], "a slot gave way to the next", within_seconds=150)
        assert build.read("status.ledger")[0]["message"] == f"gate {gate} (me: freeze) is closed"
    newest = {build.name: build.read("status.waiting.slotTime") for build in builds}
    assert stage.kubectl("get", "pods", "--output=name") == ""

    gates.delete(gate)

    for build in builds:
        stage.attempt(build, 1, "Completed")
        build.disable()
    started = [build.read("status.lastScheduled") for build in builds]
    assert {build.name: one["slotTime"] for build, one in zip(builds, started, strict=True)} == newest
    times = sorted(datetime.fromisoformat(one["startTime"]) for one in started)
    assert (times[-1] - times[0]).total_seconds() >= len(builds) - 2, "a second apart, in whole seconds"
