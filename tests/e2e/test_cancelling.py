"""A person ends a build: it is cancelled, which is no failure, and nothing follows (R25)."""

from __future__ import annotations

import pytest
from tests.e2e.stage import Builds, Stage, eventually, see, see_gone
from tests.e2e.templates import FAIL, WORK_FOR_EVER, a_build_spec

pytestmark = pytest.mark.real_node

AGAIN_IN_AN_HOUR = {"limit": 2, "delay": "1h", "maxDelay": "1h"}
SPECS = {
    "at work and cancelled": a_build_spec(WORK_FOR_EVER, retries={"limit": 2}),
    "at work and deleted": a_build_spec(WORK_FOR_EVER, retries={"limit": 2}),
    "between attempts and cancelled": a_build_spec(FAIL, retries=AGAIN_IN_AN_HOUR),
    "between attempts and deleted": a_build_spec(FAIL, retries=AGAIN_IN_AN_HOUR),
    "before a manual one": a_build_spec(WORK_FOR_EVER, history={"failedLimit": 2}),
}


def test_an_attempt_ends_when_its_app_server_is_cancelled(shared_stage: Stage, builds: Builds) -> None:
    build = builds["at work and cancelled"]
    app_server = shared_stage.attempt(build, 1, "ConfiguringServer")
    pod = shared_stage.pod(app_server)

    app_server.cancel()

    see(build, lambda one: one.fates == ["Started/Due: Cancelled/ByUser"], "the run is over")
    see_gone(pod)
    (app_server,) = shared_stage.app_servers(build)
    assert app_server.state == "Cancelled"
    assert app_server.result == {}
    assert app_server.condition("Succeeded").status == "False"
    assert build.condition("LastRunSucceeded")[:2] == ("Unknown", "NoRunYet")
    assert build.read("status.consecutiveFailures") == 0
    assert build.runs == []
    eventually(lambda: shared_stage.events(build) == ["BuildStarted", "BuildCancelled"], "Events tell of it")
    assert shared_stage.events(app_server) == []


def test_an_attempt_ends_when_its_app_server_is_deleted(shared_stage: Stage, builds: Builds) -> None:
    build = builds["at work and deleted"]
    app_server = shared_stage.attempt(build, 1, "ConfiguringServer")
    pod = shared_stage.pod(app_server)

    shared_stage.kubectl("delete", "appserver", app_server.name)

    see(build, lambda one: one.fates == ["Started/Due: Cancelled/Deleted"], "the run is over")
    see_gone(pod)
    assert build.runs == []
    assert shared_stage.app_servers(build) == []
    assert build.read("status.consecutiveFailures") == 0
    eventually(lambda: shared_stage.events(build) == ["BuildStarted", "BuildCancelled"], "Events tell of it")


def test_a_run_between_attempts_ends_when_its_last_attempt_is_cancelled(shared_stage: Stage, builds: Builds) -> None:
    build = builds["between attempts and cancelled"]
    app_server = shared_stage.attempt(build, 1, "ConfigurationFailed")
    see(build, lambda one: one.runs and "nextAttemptTime" in one.runs[0], "the run waits for its next attempt")

    app_server.cancel()

    see(build, lambda one: one.fates == ["Started/Due: Cancelled/ByUser"], "the run is over")
    app_server.reload()
    assert app_server.state == "ConfigurationFailed"
    assert build.read("status.consecutiveFailures") == 0


def test_a_run_between_attempts_ends_when_its_last_attempt_is_deleted(shared_stage: Stage, builds: Builds) -> None:
    build = builds["between attempts and deleted"]
    app_server = shared_stage.attempt(build, 1, "ConfigurationFailed")
    see(build, lambda one: one.runs and "nextAttemptTime" in one.runs[0], "the run waits for its next attempt")

    app_server.delete()

    see(build, lambda one: one.fates == ["Started/Due: Cancelled/Deleted"], "the run is over")
    assert build.runs == []


def test_a_manual_run_that_waits_for_its_turn_never_gets_a_pod_once_it_is_cancelled(
    shared_stage: Stage, builds: Builds
) -> None:
    build = builds["before a manual one"]
    first = shared_stage.attempt(build, 1, "ConfiguringServer")
    manual = shared_stage.create_by_hand(build, "by-hand")
    see(manual, lambda one: one.state == "New", "the manual run waits")

    manual.cancel()
    see(manual, lambda one: one.state == "Cancelled", "it is cancelled")
    first.cancel()

    see(build, lambda one: one.fates == ["Started/Due: Cancelled/ByUser"], "the other run is over, too")
    eventually(lambda: not shared_stage.pods(build), "no pod is left")
    manual.reload()
    assert manual.read("status.pod") is None
