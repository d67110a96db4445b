"""A schedule whose builds keep failing stops trying, until somebody mends the template (R36)."""

from __future__ import annotations

import pytest
from tests.e2e.objects import PeriodicBuild
from tests.e2e.stage import Stage, see
from tests.integration.simulated_specs import a_build_spec, a_template, every
from tests.integration.test_cli_plugin import plugin_on

pytestmark = pytest.mark.simulated_nodes

BREAKER = {"failures": 2, "probeAfter": "1h"}


@pytest.fixture(scope="module")
def build(shared_stage: Stage) -> PeriodicBuild:
    """Give one whose breaker has opened, and whose next slot waits for it."""
    spec = a_build_spec(exit_code=3, schedule=every("2s"), breaker=BREAKER)
    build = shared_stage.create("keeps-failing", spec)
    return see(build, lambda one: one.read("status.waiting.reason") == "BreakerOpen", "the next slot waits for a probe")


def test_after_so_many_failures_nothing_starts(shared_stage: Stage, build: PeriodicBuild) -> None:
    assert build.read("status.consecutiveFailures") == 2
    assert build.slots["started"] == len(shared_stage.app_servers(build)) + 1 == 2  # of the failed ones one is kept
    scheduled = build.condition("Scheduled")
    assert (scheduled.status, scheduled.reason) == ("False", "BreakerOpen")
    probe = build.read("status.breaker.nextProbeTime")
    assert scheduled.message.startswith(
        f"2 runs in a row have failed: the next starts after {probe}, or with the first"
    )
    assert build.condition("Ready").status == "True"


def test_a_person_is_told_why(shared_stage: Stage, build: PeriodicBuild) -> None:
    plugin = plugin_on(shared_stage)
    answer = plugin.here("why", build.name)
    assert "waits: BreakerOpen: too many runs in a row have failed, and the next probe is not due yet" in answer.out
    first = plugin.document("why", build.name)["waiting"]["checks"][0]
    assert (first["check"], first["reason"], first["blocks"]) == ("breaker", "BreakerOpen", True)


def test_a_run_by_hand_goes_past_it_and_a_failure_of_one_changes_nothing(
    shared_stage: Stage, build: PeriodicBuild
) -> None:
    opened = build.read("status.breaker")
    answer = plugin_on(shared_stage).here("run", build.name, "--wait")
    assert answer.code == 1
    see(build, lambda one: one.read("status.lastFailure.run").startswith("m-"), "the manual run is on record")
    assert (build.read("status.breaker"), build.read("status.consecutiveFailures")) == (opened, 2)


def test_whoever_mends_the_template_sees_at_once_whether_it_helped(build: PeriodicBuild) -> None:
    build.patch({"spec": {"template": a_template(exit_code=0)}})

    see(build, lambda one: any(fate.endswith(": Succeeded") for fate in one.fates), "a run has succeeded")
    see(build, lambda one: one.read("status.breaker") is None, "the breaker is closed")
    assert build.read("status.consecutiveFailures") in {0, None}
    assert build.condition("Scheduled").status == "True"
