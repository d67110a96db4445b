"""Every example file, applied by kubectl as a reader would, keeps the promise of its first lines.

Nothing of a file is changed but its image, as this node can pull none.  All are at work at the same time.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

import pykube
import pytest
import yaml
from tests.cluster.cluster import TEST_IMAGE
from tests.demo.examples import FOLDER, as_list, read_example, with_image
from tests.e2e.objects import AppServer, PeriodicBuild
from tests.e2e.stage import Stage, eventually, see

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.real_node

BY_HAND: Final = "by-hand.yaml"
ACTIVATE: Final = "periodicbuild.dev/activate"
PLAYS_ON_SECONDS: Final = 120
"""The second server is due 45 seconds after the first, beside everything else."""


@pytest.fixture(scope="module")
def examples(shared_stage: Stage) -> Stage:
    """Apply all files at once; what belongs to another object comes after it."""
    files = sorted((path.name for path in FOLDER.glob("*.yaml")), key=BY_HAND.__eq__)
    for manifest in (read_example(file) for file in files):
        text = as_list([with_image(manifest, TEST_IMAGE)])
        shared_stage.cluster.kubectl("apply", f"--namespace={shared_stage.namespace}", "--filename=-", input=text)
    return shared_stage


def build_of(stage: Stage, file: str) -> PeriodicBuild:
    """Give the object of a file as it is in the cluster."""
    found: PeriodicBuild = PeriodicBuild.objects(stage.api, namespace=stage.namespace).get(
        name=read_example(file)["metadata"]["name"]
    )
    return found


def the_server_is_replaced_by_one_from_scratch(stage: Stage) -> None:
    build = build_of(stage, "server.yaml")
    eventually(
        lambda: [one.state for one in stage.app_servers(build)][-2:] == ["Terminated", "Running"],
        "another server has taken the place of the first",
        within_seconds=PLAYS_ON_SECONDS,
    )

    eventually(lambda: len(stage.pods(build)) == 1, "only one of them is there")


def the_build_completes(stage: Stage) -> None:
    build = build_of(stage, "build.yaml")
    first = stage.attempt(build, 1, "Completed")

    assert "done" in stage.pod(first).logs()


def the_run_by_hand_leaves_a_trace(stage: Stage) -> None:
    one: AppServer = AppServer.objects(stage.api, namespace=stage.namespace).get(
        name=read_example(BY_HAND)["metadata"]["name"]
    )
    see(one, lambda it: it.state == "Completed", "it completes", within_seconds=PLAYS_ON_SECONDS)

    assert "+ echo compiling" in stage.pod(one).logs()
    assert one.read("spec.trigger") == "Manual"


def the_third_attempt_succeeds(stage: Stage) -> None:
    build = build_of(stage, "retries.yaml")
    stage.attempt(build, 3, "Completed")

    first, second, *_ = stage.app_servers(build)
    assert [one.result["exitCode"] for one in (first, second)] == [4, 4]
    assert "the package mirror does not answer" in first.read("status.logTail")


def the_failure_leaves_its_reason(stage: Stage) -> None:
    build = build_of(stage, "failing.yaml")
    see(build, lambda it: "Started/Due: Failed/RetriesUsedUp" in it.fates, "the ledger tells of the failure")

    assert build.read("status.lastFailure.failureClass") == "Build"
    assert {one.result.get("exitCode") for one in stage.app_servers(build) if one.result} == {7}


def what_is_off_starts_by_hand_only(stage: Stage) -> None:
    build = build_of(stage, "disabled.yaml")
    build.run_now("once")
    stage.attempt(build, 1, "Completed")

    build.reload()
    assert build.condition("Scheduled")[:2] == ("False", "Disabled")
    assert build.slots == {}


def the_cron_expression_is_followed(stage: Stage) -> None:
    build = build_of(stage, "cron.yaml")
    build.run_now("once")
    stage.attempt(build, 1, "Completed")

    build.reload()
    assert {instant[14:16] for instant in build.read("status.schedule.upcoming")} == {"17"}


def the_service_points_at_the_server(stage: Stage) -> None:
    in_comment = "\n".join(re.findall(r"^#   (.+)$", (FOLDER / "served.yaml").read_text(), re.MULTILINE))
    service = pykube.Service(stage.api, yaml.safe_load(in_comment))
    service.obj["metadata"]["namespace"] = stage.namespace
    service.create()
    build = build_of(stage, "served.yaml")
    build.run_now("once")
    server = stage.attempt(build, 1, "Running")
    build.patch({"metadata": {"annotations": {ACTIVATE: f"{server.name}/1"}}})
    see(build, lambda it: it.condition("Activated")[:2] == ("True", "Activated"), "it is switched to")

    service.reload()
    assert service.obj["spec"]["selector"] == {"periodicbuild.dev/app-server": server.name}


def the_nightly_build_waits_for_its_first_night_and_its_volume(stage: Stage) -> None:
    build = build_of(stage, "nightly.yaml")
    see(build, lambda it: it.condition("Ready").status == "True", "the template is accepted")
    assert build.instant("status.schedule.nextSlotTime").isoformat() == "2027-01-04T01:30:00+00:00"

    build.run_now("once")
    server = stage.attempt(build, 1, "WaitingForServer")
    see(server, lambda it: "handbook" in it.condition("Succeeded").message, "it says that the claim is missing")
    server.cancel()
    stage.attempt(build, 1, "Cancelled")


def the_gate_is_understood_and_about_what_bears_its_label(stage: Stage) -> None:
    name = f"bgate/{read_example('gate.yaml')['metadata']['name']}"
    patience = ("--for=condition=Valid", "--timeout=60s")
    stage.cluster.kubectl("wait", *patience, name)
    gate = json.loads(stage.cluster.kubectl("get", name, "--output=json"))
    stage.cluster.kubectl("delete", name)  # it is of the whole cluster

    (valid,) = (one for one in gate["status"]["conditions"] if one["type"] == "Valid")
    assert valid["reason"] == "NothingInScope", "no other example bears its label"
    assert gate["status"]["nextWindow"]["name"] == "weekend"


def what_cannot_be_looked_up_here_builds_and_says_so(stage: Stage) -> None:
    build = build_of(stage, "only-if-changed.yaml")
    made = stage.attempt(build, 1, "Completed")
    assert made.read("status.outputDigest").startswith("sha256:")

    build.reload()
    compared = {one["name"]: one for one in build.read("status.changes.inputs")}
    assert list(compared) == ["template", "code", "base"]
    assert all("revision" in one or one["problem"] for one in compared.values()), "known, or said why not"
    assert build.read("status.ledger")[0].get("inputs", "NeverSucceeded") in {"NeverSucceeded", "Unreachable"}


PROMISES: Final[dict[str, Callable[[Stage], None]]] = {
    "build.yaml": the_build_completes,
    BY_HAND: the_run_by_hand_leaves_a_trace,
    "cron.yaml": the_cron_expression_is_followed,
    "disabled.yaml": what_is_off_starts_by_hand_only,
    "failing.yaml": the_failure_leaves_its_reason,
    "gate.yaml": the_gate_is_understood_and_about_what_bears_its_label,
    "nightly.yaml": the_nightly_build_waits_for_its_first_night_and_its_volume,
    "only-if-changed.yaml": what_cannot_be_looked_up_here_builds_and_says_so,
    "retries.yaml": the_third_attempt_succeeds,
    "served.yaml": the_service_points_at_the_server,
    "server.yaml": the_server_is_replaced_by_one_from_scratch,
}


@pytest.mark.parametrize("file", sorted(path.name for path in FOLDER.glob("*.yaml")))
def test_an_example_keeps_its_promise(examples: Stage, file: str) -> None:
    PROMISES[file](examples)
