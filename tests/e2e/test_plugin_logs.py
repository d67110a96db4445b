"""What a person reads of a build with the plug-in while it runs and after it failed, and how they end it (R24, R25)."""

from __future__ import annotations

import pytest
from tests.e2e.objects import PeriodicBuild
from tests.e2e.stage import Builds, Stage, eventually, see
from tests.e2e.templates import FAIL, SIGN, WORK_FOR_EVER, a_build_spec, a_container
from tests.integration.test_cli_plugin import Plugin, plugin_on

pytestmark = pytest.mark.real_node

TALKS = f"echo begins; until test -f {SIGN}; do sleep 0.2; done; echo ends"
RETRIED = {"limit": 2, "delay": "5m"}
SPECS = {
    "talks": a_build_spec(TALKS),
    "fails": a_build_spec("echo no disk left; exit 3"),
    "fails silently": a_build_spec(FAIL),
    "cannot begin": a_build_spec(pod={"nodeSelector": {"is": "nowhere"}}),
    "has two": a_build_spec(WORK_FOR_EVER, pod={"initContainers": [a_container("prepare", "echo prepared")]}),
    "works": a_build_spec(WORK_FOR_EVER, retries=RETRIED),
    "waits for its retry": a_build_spec(FAIL, retries=RETRIED),
    "off": a_build_spec(enabled=False),
}


@pytest.fixture(scope="module")
def builds(shared_stage: Stage) -> Builds:
    """Give builds that come to what their names say, side by side."""
    return shared_stage.create_all(SPECS)


@pytest.fixture(scope="module")
def plugin(shared_stage: Stage) -> Plugin:
    """Give the plug-in as the administrator has it."""
    return plugin_on(shared_stage)


def test_the_log_of_a_build_that_runs_is_printed_and_followed_to_its_end(
    shared_stage: Stage, builds: Builds, plugin: Plugin
) -> None:
    app_server = shared_stage.attempt(builds["talks"], 1, "ConfiguringServer")
    assert plugin.here("logs", "talks").out == "begins\n"

    with plugin.started("logs", "talks", "-f") as following:
        assert following.stdout is not None
        assert following.stdout.readline() == "begins\n"
        shared_stage.tell(app_server)
        out, err = following.communicate(timeout=60)

    assert (following.returncode, out, err) == (0, "ends\n", "")
    assert plugin.here("logs", "talks", "--run", app_server.read("spec.run")).out == "begins\nends\n"


def test_of_several_containers_the_last_that_ran_is_shown_unless_one_is_named(
    shared_stage: Stage, builds: Builds, plugin: Plugin
) -> None:
    shared_stage.attempt(builds["has two"], 1, "ConfiguringServer")
    assert plugin.here("logs", "has-two", "-c", "prepare").out == "prepared\n"
    assert plugin.here("logs", "has-two").out == ""
    refused = plugin.here("logs", "has-two", "-c", "other")
    assert refused.code == 3
    assert "container other is not valid" in refused.err


def test_after_the_pod_is_gone_the_last_lines_are_printed(shared_stage: Stage, builds: Builds, plugin: Plugin) -> None:
    app_server = shared_stage.attempt(builds["fails"], 1, "ConfigurationFailed")
    eventually(lambda: not shared_stage.pods(builds["fails"]), "the pod is gone")
    answer = plugin.here("logs", "fails")
    assert (answer.code, answer.out) == (0, "no disk left\n")
    assert answer.err == f"The pod of AppServer {app_server.name} is gone; the last lines of what failed were kept:\n"


def test_where_there_is_nothing_to_print_it_says_so(shared_stage: Stage, builds: Builds, plugin: Plugin) -> None:
    silent = shared_stage.attempt(builds["fails silently"], 1, "ConfigurationFailed")
    eventually(lambda: not shared_stage.pods(builds["fails silently"]), "the pod is gone")
    waiting = shared_stage.attempt(builds["cannot begin"], 1, "WaitingForServer")
    sentences = {
        "fails-silently": f"error: the pod of AppServer {silent.name} is gone, and nothing it printed was kept",
        "cannot-begin": f"error: nothing has run in pod {waiting.name} yet: Unschedulable: ",
        "off": "error: no attempt of PeriodicBuild off is on record: see kubectl periodicbuild history off",
    }
    for name, sentence in sentences.items():
        answer = plugin.here("logs", name)
        assert (answer.code, answer.out) == (1, "")
        assert answer.err.startswith(sentence)
    assert "no attempt of run 1999 of PeriodicBuild talks" in plugin.here("logs", "talks", "--run", "1999").err


CANCELLED = {"works": "ConfiguringServer", "waits for its retry": "ConfigurationFailed"}


@pytest.mark.parametrize(("name", "state"), CANCELLED.items())
def test_r25_a_cancelled_run_ends_is_not_retried_and_counts_for_nothing(
    shared_stage: Stage, builds: Builds, plugin: Plugin, name: str, state: str
) -> None:
    build: PeriodicBuild = builds[name]
    app_server = shared_stage.attempt(build, 1, state)
    see(build, lambda one: state == "ConfiguringServer" or one.runs[0].get("nextAttemptTime"), "it waits")

    answer = plugin.here("cancel", build.name)

    assert (answer.code, answer.out) == (0, f"appserver.periodicbuild.dev/{app_server.name} cancelled\n")
    see(build, lambda one: one.fates == ["Started/Due: Cancelled/ByUser"], "the run has ended")
    eventually(lambda: not shared_stage.pods(build), "the pod is gone")
    assert [one.name for one in shared_stage.app_servers(build)] == [app_server.name]
    assert build.read("status.consecutiveFailures") in {0, None}
    again = plugin.here("cancel", build.name)
    assert (again.code, again.out) == (1, "")
    assert again.err.startswith(f"error: no run of PeriodicBuild {build.name} is in progress")


def test_only_the_run_that_is_named_is_cancelled(shared_stage: Stage, builds: Builds, plugin: Plugin) -> None:
    shared_stage.attempt(builds["cannot begin"], 1, "WaitingForServer")
    answer = plugin.here("cancel", "cannot-begin", "--run", "1999")
    assert answer.err.startswith("error: no run 1999 of PeriodicBuild cannot-begin is in progress")
    (run,) = see(builds["cannot begin"], lambda one: one.runs, "it is in progress").runs
    assert plugin.here("cancel", "cannot-begin", "--run", run["id"], "-o", "name").code == 0
    shared_stage.attempt(builds["cannot begin"], 1, "Cancelled")
