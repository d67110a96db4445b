"""What follows when a pod that serves is lost in a real cluster (R30)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.e2e.stage import Stage, see
from tests.integration.serving import (
    a_manifest,
    a_served_build,
    active_server,
    apply,
    look_again,
    switched_over,
)
from tests.integration.simulated_specs import a_server_spec

pytestmark = pytest.mark.simulated_nodes


def test_a_lost_server_is_replaced_by_its_fallback(stage: Stage) -> None:
    """R30."""
    build, first, second = switched_over(stage)

    stage.kubectl("delete", "pod", second.name, "--grace-period=0", "--force")

    see(build, lambda one: one.read("status.activation.appServer") == first.name, "the fallback serves")
    stage.outlast()
    assert len(stage.app_servers(build)) == 2


@pytest.mark.parametrize("activates", [True, False], ids=["with activation", "without activation"])
def test_a_lost_server_without_a_fallback_is_built_anew_once(stage: Stage, *, activates: bool) -> None:
    """R30."""
    apply(stage, a_manifest())
    build = a_served_build(stage, enabled=True) if activates else stage.create("nightly", a_server_spec())
    lost = active_server(stage, build, 1) if activates else stage.attempt(build, 1, "Running")
    due = build.slots

    stage.kubectl("delete", "pod", lost.name, "--grace-period=0", "--force")

    new = active_server(stage, build, 2) if activates else stage.attempt(build, 2, "Running")
    lost.reload()
    assert (lost.state, new.read("spec.trigger")) == ("Terminated", "Recovery")
    second_after = lost.instant("spec.slotTime") + timedelta(seconds=1)  # that of a manual run is rounded up
    assert new.instant("spec.slotTime") == max(lost.instant("status.terminationTime"), second_after)
    see(build, lambda one: not one.runs and one.read("status.recovered.appServer") == lost.name, "it is on record")
    assert build.slots | due == build.slots  # no slot of the schedule
    assert build.condition("LastRunSucceeded").status == "True"


def test_a_failed_recovery_is_not_repeated(stage: Stage) -> None:
    build = stage.create("nightly", a_server_spec())
    lost = stage.attempt(build, 1, "Running")
    build.patch({"spec": {"timeouts": {"configuring": "1s", "waiting": "1s"}, "history": {"failedLimit": 0}}})
    node = {"spec": {"template": {"spec": {"nodeSelector": {"no": "where"}}}}}
    build.patch(node)
    see(build, lambda one: one.read("status.observedGeneration") == one.read("metadata.generation"), "it is seen")

    stage.kubectl("delete", "pod", lost.name, "--grace-period=0", "--force")

    stage.attempt(build, 2, "Error")
    see(build, lambda one: not one.runs, "its run has ended")
    look_again(build)
    stage.outlast()
    assert len(stage.app_servers(build)) == 2
    assert build.read("status.consecutiveFailures") in {0, None}
    assert build.condition("LastRunSucceeded").status == "False"


def test_nothing_is_built_anew_where_that_is_not_wanted(stage: Stage) -> None:
    build = stage.create("nightly", a_server_spec(recovery="Never"))
    lost = stage.attempt(build, 1, "Running")

    stage.kubectl("delete", "pod", lost.name, "--grace-period=0", "--force")

    see(lost, lambda one: one.state == "Terminated", "it is noticed")
    stage.outlast()
    assert len(stage.app_servers(build)) == 1
