"""A PeriodicBuild is deleted: what goes with it, what stays, and what a new one of the same name makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pykube
import pytest
from tests.e2e.objects import AppServer, PeriodicBuild
from tests.e2e.stage import Builds, Stage, eventually, see, see_gone
from tests.e2e.templates import (
    FAIL,
    SERVE,
    SUCCEED,
    WORK_UNTIL_TOLD,
    a_build_spec,
    a_server_spec,
    every,
    in_attempt,
)

pytestmark = pytest.mark.real_node

MODES = ("background", "foreground", "orphan")
HELD = "example.com/held"
"""Keeps an object that is being deleted."""
HEALS = a_server_spec(in_attempt(2, SERVE, otherwise=FAIL), retries={"limit": 1, "delay": "1s"})
SPECS = {
    "deleted background": HEALS,
    "deleted foreground": HEALS,
    "deleted alone": a_build_spec(WORK_UNTIL_TOLD),
    "renewed background": a_build_spec(WORK_UNTIL_TOLD),
    "renewed foreground": a_build_spec(WORK_UNTIL_TOLD),
    "renewed orphan": a_build_spec(WORK_UNTIL_TOLD),
    "pod in the way": a_build_spec(WORK_UNTIL_TOLD),
    "name in use": a_build_spec(enabled=False),
}


@dataclass(frozen=True)
class Renewal:
    """A PeriodicBuild that was deleted, and another one of its name."""

    old: AppServer
    old_pod: pykube.Pod
    new: PeriodicBuild


@pytest.fixture(scope="module", autouse=True)
def name_in_use(shared_stage: Stage, builds: Builds) -> Renewal:
    """Begin at once: it takes half a minute until a wait of this kind is written down (R41)."""
    old = builds["name in use"]
    slot = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=8)
    held = shared_stage.create_by_hand(old, f"{old.name}-{slot:%Y%m%d-%H%M%S}-1")
    see(held, lambda one: one.state == "Completed", "the old one has an AppServer of that name")
    pod = shared_stage.pod(held)
    held.patch({"metadata": {"finalizers": [HELD]}})
    old.delete()
    see(held, lambda one: one.read("metadata.deletionTimestamp"), "it goes, but is still there")
    spec = a_build_spec(schedule=every("24h") | {"notBefore": f"{slot:%Y-%m-%dT%H:%M:%SZ}"})
    return Renewal(held, pod, shared_stage.create(str(old.name), spec))


@pytest.mark.parametrize("mode", MODES[:2])
def test_deleting_a_periodic_build_removes_its_app_servers_and_pods(
    shared_stage: Stage, builds: Builds, mode: str
) -> None:
    build = builds[f"deleted {mode}"]
    failed = shared_stage.attempt(build, 1, "ConfigurationFailed")
    serving = shared_stage.attempt(build, 2, "Running")
    pod = shared_stage.pod(serving)

    shared_stage.kubectl("delete", "pb", build.name, f"--cascade={mode}")

    see_gone(build, failed, serving, pod)


def test_deleting_a_periodic_build_alone_leaves_its_app_servers_and_pods_to_nobody(
    shared_stage: Stage, builds: Builds
) -> None:
    build = builds["deleted alone"]
    left = shared_stage.attempt(build, 1, "ConfiguringServer")

    shared_stage.kubectl("delete", "pb", build.name, "--cascade=orphan")

    see(left, lambda one: one.controller_uid is None, "the AppServer has no controller any more")
    eventually(lambda: shared_stage.events(left) == ["Orphaned"], "one Event says so")
    shared_stage.tell(left)
    pod = shared_stage.pod(left)
    eventually(lambda: has_succeeded(pod), "its pod goes on to its end")
    shared_stage.outlast()
    left.reload()
    assert left.state == "ConfiguringServer"
    assert shared_stage.events(left) == ["Orphaned"]
    assert pod.exists()


@pytest.fixture(scope="module")
def renewals(shared_stage: Stage, builds: Builds) -> dict[str, Renewal]:
    """Delete and create anew in all three ways."""
    return {mode: renew(shared_stage, builds[f"renewed {mode}"], mode) for mode in MODES}


@pytest.mark.parametrize("mode", MODES)
def test_a_periodic_build_of_the_same_name_builds_its_own_and_adopts_nothing(
    shared_stage: Stage, renewals: dict[str, Renewal], mode: str
) -> None:
    renewal = renewals[mode]

    see(renewal.new, lambda one: one.fates == ["Started/Due: Succeeded"], "the new one has built")

    (own,) = shared_stage.app_servers(renewal.new)
    assert own.state == "Completed"
    assert own.uid != renewal.old.uid
    assert renewal.new.slots == {"due": 1, "started": 1}
    assert shared_stage.pod(own).obj["metadata"]["ownerReferences"][0]["uid"] == own.uid


@pytest.mark.parametrize("mode", MODES[:2])
def test_what_the_old_one_had_begun_is_removed(renewals: dict[str, Renewal], mode: str) -> None:
    see_gone(renewals[mode].old, renewals[mode].old_pod)


def test_what_the_old_one_had_begun_stays_as_it_is_if_it_was_left_to_nobody(
    shared_stage: Stage, renewals: dict[str, Renewal]
) -> None:
    renewal = renewals["orphan"]
    see(renewal.new, lambda one: one.fates == ["Started/Due: Succeeded"], "the new one has built")

    renewal.old.reload()
    renewal.old_pod.reload()
    assert renewal.old.controller_uid is None
    assert renewal.old.state == "ConfiguringServer"
    assert renewal.old_pod.obj["status"]["phase"] == "Running"
    eventually(lambda: shared_stage.events(renewal.old) == ["Orphaned"], "one Event says so")


def test_r17_a_new_one_waits_until_the_pods_of_the_old_one_are_gone(shared_stage: Stage, builds: Builds) -> None:
    old = shared_stage.attempt(builds["pod in the way"], 1, "ConfiguringServer")
    pod = shared_stage.pod(old)
    pod.patch({"metadata": {"finalizers": [HELD]}})
    new = renew(shared_stage, builds["pod in the way"], "background").new

    see(new, lambda one: one.read("status.waiting.reason") == "BuildInProgress", "the slot waits")
    see_gone(old)
    assert shared_stage.app_servers(new) == []

    pod.patch({"metadata": {"finalizers": None}})
    see(new, lambda one: one.fates == ["Started/Due: Succeeded"], "the slot has started")


def test_a_slot_waits_while_the_name_it_needs_is_still_in_use(shared_stage: Stage, name_in_use: Renewal) -> None:
    old, new = name_in_use.old, name_in_use.new
    see(new, lambda one: one.read("status.waiting.reason") == "NameStillInUse", "the slot waits for its name")
    assert new.slots == {"due": 1}

    old.patch({"metadata": {"finalizers": None}})

    see(new, lambda one: one.fates == ["Started/Due: Succeeded"], "the slot has started")
    assert [one.name for one in shared_stage.app_servers(new)] == [old.name]


def renew(stage: Stage, build: PeriodicBuild, mode: str) -> Renewal:
    """Delete a PeriodicBuild in mid-run, and at once create one of its name that succeeds."""
    old = stage.attempt(build, 1, "ConfiguringServer")
    pod = stage.pod(old)
    stage.kubectl("delete", "pb", str(build.name), f"--cascade={mode}")
    return Renewal(old, pod, stage.create(str(build.name), a_build_spec(SUCCEED)))


def has_succeeded(pod: pykube.Pod) -> bool:
    """Tell whether a pod has come to its end."""
    pod.reload()
    return bool(pod.obj["status"]["phase"] == "Succeeded")
