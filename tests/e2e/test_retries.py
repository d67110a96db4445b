"""A failed attempt is followed by another one from scratch, as often as its PeriodicBuild says (R18, R19, R23)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.e2e.objects import AppServer
from tests.e2e.stage import Builds, Stage, eventually, see
from tests.e2e.templates import FAIL, SERVE, SUCCEED, WORK_FOR_EVER, a_build_spec, a_server_spec, a_template, in_attempt

pytestmark = pytest.mark.real_node

TWICE = {"limit": 2, "delay": "1s", "maxDelay": "8s"}
ONCE = TWICE | {"limit": 1}
SPECS = {
    "fails for ever": a_build_spec(FAIL, retries=TWICE | {"delay": "3s"}),
    "a build that heals": a_build_spec(in_attempt(3, SUCCEED, otherwise=FAIL), retries=TWICE),
    "a server that heals": a_server_spec(in_attempt(3, SERVE, otherwise=FAIL), retries=TWICE),
    "fails twice": a_build_spec(FAIL, retries=ONCE),
    "is edited": a_build_spec(FAIL, retries=ONCE | {"delay": "8s"}),
    "is not to be retried": a_build_spec(FAIL, retries=TWICE | {"retryOn": ["Infrastructure"]}),
    "has no time": a_build_spec(FAIL, retries={"limit": 10, "delay": "1h", "maxDelay": "1h"}, timeouts={"run": "30m"}),
    "recovers": a_build_spec(FAIL),
    "is evicted once": a_build_spec(
        in_attempt(2, SUCCEED, otherwise=WORK_FOR_EVER), retries={"limit": 0, "delay": "1s"}
    ),
    "is evicted always": a_build_spec(WORK_FOR_EVER, retries={"limit": 0, "delay": "1s", "disruptionLimit": 1}),
}


def test_three_attempts_of_one_run_fail_and_the_run_has_used_up_its_retries(
    shared_stage: Stage, builds: Builds
) -> None:
    build = builds["fails for ever"]

    see(build, lambda one: one.fates == ["Started/Due: Failed/RetriesUsedUp"], "the run is over")

    attempts = shared_stage.app_servers(build)
    run = build.read("status.ledger")[0]["run"]
    assert [(one.read("spec.run"), one.read("spec.attempt")) for one in attempts] == [(run, 1), (run, 2), (run, 3)]
    assert [one.name for one in attempts] == [f"{build.name}-{run}-{number}" for number in (1, 2, 3)]
    assert [one.state for one in attempts] == ["ConfigurationFailed"] * 3
    assert len({one.read("spec.slotTime") for one in attempts}) == 1
    assert pause(*attempts[:2]) >= timedelta(seconds=3) - ACCURACY
    assert pause(*attempts[1:]) >= timedelta(seconds=6) - ACCURACY
    assert build.read("status.consecutiveFailures") == 1
    assert build.read("status.lastFailure.appServer") == attempts[-1].name
    assert build.slots == {"due": 1, "started": 1}
    eventually(lambda: shared_stage.events(build) == ["BuildStarted", "BuildFailed"], "Events tell of the run, once")
    for one in attempts:
        eventually(lambda one=one: shared_stage.events(one) == ["AttemptFailed"], "an Event tells of each attempt")  # type: ignore[misc] # a loop's variable, bound


@pytest.mark.parametrize(("what", "success"), [("build", "Completed"), ("server", "Running")])
def test_a_run_that_fails_twice_and_succeeds_in_its_third_attempt_has_succeeded(
    shared_stage: Stage, builds: Builds, what: str, success: str
) -> None:
    build = builds[f"a {what} that heals"]

    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "the run has succeeded")

    attempts = shared_stage.app_servers(build)
    assert [one.state for one in attempts] == ["ConfigurationFailed", "ConfigurationFailed", success]
    assert build.condition("LastRunSucceeded")[:2] == ("True", "Succeeded")
    assert build.read("status.consecutiveFailures") == 0
    assert build.read("status.lastSuccess.appServer") == attempts[-1].name
    eventually(lambda: shared_stage.events(build) == ["BuildStarted", "BuildSucceeded"], "Events tell of the run")


def test_an_attempt_is_tried_again_in_a_new_pod_after_the_old_one_is_gone(shared_stage: Stage, builds: Builds) -> None:
    build = builds["fails twice"]
    first = shared_stage.attempt(build, 1, "ConfigurationFailed")

    second = shared_stage.attempt(build, 2, "ConfigurationFailed")

    assert second.read("spec.template") == first.read("spec.template")
    eventually(lambda: not shared_stage.pods(build), "no pod of a failed attempt is left")
    assert first.read("status.pod") != second.read("status.pod")


def test_retries_build_what_the_first_attempt_built_although_the_template_was_edited(
    shared_stage: Stage, builds: Builds
) -> None:
    build = builds["is edited"]
    shared_stage.attempt(build, 1, "ConfigurationFailed")

    build.patch({"spec": {"template": a_template(SUCCEED)}})

    see(build, lambda one: one.fates == ["Started/Due: Failed/RetriesUsedUp"], "the old template has failed again")


def test_a_class_of_failure_that_is_not_to_be_retried_ends_the_run(shared_stage: Stage, builds: Builds) -> None:
    build = builds["is not to be retried"]

    see(build, lambda one: one.fates == ["Started/Due: Failed/NotRetried"], "the run is over")

    assert len(shared_stage.app_servers(build)) == 1


def test_r20_the_time_for_the_whole_run_ends_its_retries(builds: Builds) -> None:
    build = builds["has no time"]

    see(build, lambda one: one.fates == ["Started/Due: Failed/TimedOut"], "there is no time for another attempt")


def test_r23_the_first_success_after_a_failed_run_is_told_as_a_recovery(shared_stage: Stage, builds: Builds) -> None:
    build = builds["recovers"]
    see(build, lambda one: one.fates == ["Started/Due: Failed/RetriesUsedUp"], "the run has failed")

    build.patch({"spec": {"template": a_template(SUCCEED)}})
    build.run_now("once more")

    shared_stage.attempt(build, 2, "Completed")
    see(build, lambda one: one.read("status.consecutiveFailures") == 0, "the failures are over")
    assert build.condition("LastRunSucceeded").status == "True"
    recovery = ["BuildSucceeded", "BuildRecovered"]
    eventually(lambda: set(shared_stage.events(build)) >= set(recovery), "an Event tells of the recovery")


def test_an_evicted_attempt_is_retried_although_no_retry_is_allowed(shared_stage: Stage, builds: Builds) -> None:
    build = builds["is evicted once"]
    first = shared_stage.attempt(build, 1, "ConfiguringServer")

    evict(shared_stage, first)

    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "the second attempt has succeeded")
    first, second = shared_stage.app_servers(build)
    assert first.state == "Error"
    assert first.result == {
        "failureClass": "Disruption",
        "reason": "EvictionByEvictionAPI",
        "stage": "Configuring",
    }
    assert second.state == "Completed"
    assert second.read("spec.run") == first.read("spec.run")


def test_disruptions_have_a_limit_of_their_own(shared_stage: Stage, builds: Builds) -> None:
    build = builds["is evicted always"]

    for number in (1, 2):
        evict(shared_stage, shared_stage.attempt(build, number, "ConfiguringServer"))

    see(build, lambda one: one.fates == ["Started/Due: Failed/RetriesUsedUp"], "the run is over")
    assert [one.result["failureClass"] for one in shared_stage.app_servers(build)] == ["Disruption"] * 2


ACCURACY = timedelta(seconds=1)
"""Of times in the API, which are whole seconds."""


def pause(earlier: AppServer, later: AppServer) -> timedelta:
    """Give the time from the end of an attempt to the creation of the next."""
    return later.instant("metadata.creationTimestamp") - earlier.instant("status.finishTime")


def evict(stage: Stage, app_server: AppServer) -> None:
    """Ask for the eviction of a pod, as a drain of its node does."""
    metadata = {"name": app_server.name, "namespace": app_server.namespace}
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": metadata}
    answer = stage.api.post(url=f"pods/{app_server.name}/eviction", namespace=app_server.namespace, json=body)
    answer.raise_for_status()
