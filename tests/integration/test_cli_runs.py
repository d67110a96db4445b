"""A person works with the plug-in: looks, asks for runs, follows them, reads what became of them."""

from __future__ import annotations

import json
import re

import pytest
import yaml
from tests.cluster.cluster import KubectlError
from tests.e2e.objects import AppServer, PeriodicBuild
from tests.e2e.stage import Stage, eventually, see
from tests.integration.simulated_specs import FOR_EVER, a_build_spec, every
from tests.integration.test_cli_plugin import Plugin, plugin_on

pytestmark = pytest.mark.simulated_nodes

SPECS = {
    "succeeds": a_build_spec(),
    "fails": a_build_spec(exit_code=3),
    "waits": a_build_spec(FOR_EVER, schedule=every("3s")),
    "off": a_build_spec(enabled=False),
}


@pytest.fixture(scope="module")
def plugin(shared_stage: Stage) -> Plugin:
    """Give the plug-in as the administrator has it."""
    return plugin_on(shared_stage)


@pytest.fixture(scope="module")
def builds(shared_stage: Stage) -> dict[str, PeriodicBuild]:
    """Give builds that have come to what their names say."""
    builds = dict(shared_stage.create_all(SPECS))
    see(builds["succeeds"], lambda one: one.fates == ["Started/Due: Succeeded"], "it has succeeded")
    see(builds["fails"], lambda one: one.fates == ["Started/Due: Failed/RetriesUsedUp"], "it has failed")
    see(builds["waits"], lambda one: one.read("status.waiting.reason") == "BuildInProgress", "its second slot waits")
    see(builds["off"], lambda one: one.read("status.observedGeneration"), "the operator has looked at it")
    return builds


def test_a_line_tells_how_each_build_is(plugin: Plugin, builds: dict[str, PeriodicBuild]) -> None:
    answer = plugin.here("status")

    assert answer.column("READY") == dict.fromkeys(sorted(SPECS), "True")
    assert answer.column("ENABLED")["off"] == "false"
    assert answer.column("SCHEDULE")["waits"] == "every 3s"
    next_slot = builds["fails"].read("status.schedule.nextSlotTime")
    assert re.fullmatch(rf"{next_slot} \(in 23h5\dm\)", answer.column("NEXT")["fails"])
    assert answer.column("WAITING")["waits"] == "BuildInProgress"
    assert answer.column("RUNNING")["waits"].startswith("attempt 1 for ")
    assert answer.column("LAST RUN")["fails"].startswith("Failed ")
    assert answer.column("LAST RUN")["succeeds"].startswith("Succeeded ")
    assert answer.column("MESSAGE")["fails"] == "Build/NonZeroExit: container main ended with exit code 3"


def test_a_page_tells_all_about_one_build(plugin: Plugin, builds: dict[str, PeriodicBuild]) -> None:
    answer = plugin.here("status", "waits")

    parts = answer.out.split("\n\n")
    assert [part.splitlines()[0] for part in parts[1:3]] == ["Conditions:", "Runs in progress:"]
    assert "Slots:              2 due = 1 started + 0 skipped + 0 missed + 1 waiting" in parts[0]
    assert re.search(r"Waiting: +BuildInProgress for \d+s", parts[0])
    assert builds["waits"].runs[0]["appServer"] in parts[2]
    assert "in progress (attempt 1)" in parts[3]


@pytest.mark.usefixtures("builds")
def test_programs_get_the_objects_as_the_api_has_them(plugin: Plugin) -> None:
    one, several = plugin.document("status", "fails"), plugin.document("status", "fails", "off")
    in_yaml = yaml.safe_load(plugin.here("status", "fails", "-o", "yaml").out)

    assert (one["kind"], one["metadata"]["name"], one["status"]["slots"]["due"]) == ("PeriodicBuild", "fails", 1)
    assert "managedFields" not in one["metadata"]
    assert [item["metadata"]["name"] for item in several["items"]] == ["fails", "off"]
    assert in_yaml == one


@pytest.mark.usefixtures("builds")
def test_a_run_that_succeeds_is_followed_and_named(plugin: Plugin) -> None:
    answer = plugin.here("run", "off", "--wait")

    assert answer.code == 0
    name = re.fullmatch(r"appserver\.periodicbuild\.dev/(off-m-[0-9a-f]{8}-1) Completed\n", answer.out)
    assert name is not None
    assert f"{name[1]} is Completed: the build has completed\n" in answer.err
    history = plugin.document("history", "off")
    assert history["ledger"] == []
    assert [run["appServer"] for run in history["manualRuns"]] == [name[1]]


def test_a_run_that_fails_ends_with_1_and_the_cause(plugin: Plugin, builds: dict[str, PeriodicBuild]) -> None:
    answer = plugin.here("run", "fails", "--wait", "--timeout", "60s")

    assert (answer.code, answer.out) == (1, "")
    last = answer.err.splitlines()[-1]
    assert re.fullmatch(
        r"error: AppServer fails-m-[0-9a-f]{8}-1 has failed \(ConfigurationFailed\): "
        r"Build/NonZeroExit: container main ended with exit code 3",
        last,
    )
    shown = plugin.here("history", "fails").out
    assert shown.startswith("Ledger, 1 due = 1 started + 0 skipped + 0 missed + 0 waiting:\n")
    assert builds["fails"].read("status.ledger")[0]["slotTime"] in shown
    assert "Manual runs on record:\n" in shown


def test_a_run_behind_another_is_not_waited_for_longer_than_asked_and_ends_if_it_is_deleted(
    shared_stage: Stage, plugin: Plugin, builds: dict[str, PeriodicBuild]
) -> None:
    answer = plugin.here("run", "waits", "--wait", "--timeout", "2s")
    name = re.findall(r"waits-m-\S+-1", answer.err)[0]
    see(builds["waits"], lambda one: f"waits-{one.read('status.manual.run')}-1" == name, "the request is taken up")
    with plugin.started("run", "waits", "--wait") as patient:
        eventually(lambda: len(manual_runs(shared_stage, builds["waits"])) == 2, "the other request is taken up, too")
        for one in manual_runs(shared_stage, builds["waits"]):
            one.delete()
        _, said = patient.communicate(timeout=60)

    assert answer.code == 1
    assert f"error: AppServer {name} has not ended within 2s, and goes on: " in answer.err
    assert "waits for its turn" in answer.err
    assert patient.returncode == 1
    assert " was deleted" in said or " was ended" in said


@pytest.fixture
def refused(shared_stage: Stage) -> PeriodicBuild:
    """Give a build in a namespace where the operator cannot take a request up: there is no room for its AppServer."""
    namespace = shared_stage.new_namespace()
    shared_stage.cluster.kubectl(
        "create", "quota", "none", "--hard=count/appservers.periodicbuild.dev=0", f"--namespace={namespace}"
    )
    see_in_force(shared_stage, namespace)
    build = shared_stage.create("refused", a_build_spec(enabled=False), namespace=namespace)
    return see(build, lambda one: one.read("status.observedGeneration"), "the operator has looked at it")


def test_a_request_that_is_not_taken_up_yet_does_for_who_asks_next_and_is_missed_when_it_is_replaced(
    plugin: Plugin, refused: PeriodicBuild
) -> None:
    there = plugin._replace(namespace=refused.namespace)

    first = there.document("run", "refused")
    second = there.here("run", "refused", "-o", "name")
    with there.started("run", "refused", "--wait") as patient:
        eventually(lambda: patient.stderr and "is not there yet" in patient.stderr.readline(), "it has joined, too")
        refused.run_now("another")
        out, err = patient.communicate(timeout=60)

    assert second.out == f"appserver.periodicbuild.dev/{first['appServer']}\n"
    assert second.err == "A run was asked for already and has not begun; it will do for both.\n"
    assert (patient.returncode, out) == (1, "")
    replaced = f"error: the request for {first['appServer']} was replaced by another one before it was taken up"
    assert err.splitlines()[-1] == replaced


def see_in_force(stage: Stage, namespace: str) -> None:
    """Wait until a quota is known to the server's admission, which reads it from a watch."""
    manifest = {
        "apiVersion": AppServer.version,
        "kind": "AppServer",
        "metadata": {"name": "one-too-many", "namespace": namespace},
        "spec": {"periodicBuildRef": {"name": "refused"}},
    }

    def is_in_force() -> bool:
        try:
            stage.cluster.kubectl("create", "--dry-run=server", "-f", "-", input=json.dumps(manifest))
        except KubectlError as error:
            return "exceeded quota" in str(error)
        return False

    # In a young cluster the controller of quotas has yet to find out about our kinds, which it looks for now and then.
    eventually(is_in_force, "the quota is in force", within_seconds=150)


def manual_runs(stage: Stage, build: PeriodicBuild) -> list[AppServer]:
    """Give the AppServers of runs that people asked for."""
    return [one for one in stage.app_servers(build) if one.read("spec.trigger") == "Manual"]


@pytest.mark.usefixtures("builds")
def test_the_manifest_of_a_dry_run_can_be_created_and_runs(shared_stage: Stage, plugin: Plugin) -> None:
    printed = plugin.here("run", "off", "--dry-run", "-o", "yaml")

    manifest = yaml.safe_load(printed.out)
    assert manifest["spec"] == {"periodicBuildRef": {"name": "off"}, "template": SPECS["off"]["template"]}
    assert json.loads(plugin.here("run", "off", "--dry-run", "-o", "json").out) == manifest
    shared_stage.cluster.kubectl("create", "-f", "-", input=printed.out)
    eventually(
        lambda: any(
            run["appServer"].startswith("off-") and not run["appServer"].startswith("off-m-")
            for run in plugin.document("history", "off")["manualRuns"]
            if run["state"] == "Completed"
        ),
        "it has run",
    )


def test_a_schedule_is_turned_on_and_off_and_nothing_done_twice(
    plugin: Plugin, builds: dict[str, PeriodicBuild]
) -> None:
    said = [plugin.here(command, "off").out for command in ("enable", "enable", "disable", "disable")]

    resource = "periodicbuild.periodicbuild.dev/off"
    assert said == [
        f"{resource} enabled\n",
        f"{resource} unchanged: it was enabled already\n",
        f"{resource} disabled\n",
        f"{resource} unchanged: it was disabled already\n",
    ]
    builds["off"].reload()
    assert builds["off"].read("spec.enabled") is False
