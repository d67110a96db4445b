"""How far an attempt is, and that it has succeeded: the states of design 2.2 that are no failure, in real pods."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from tests.e2e.stage import Builds, Stage, see
from tests.e2e.templates import (
    PORT,
    SUCCEED,
    WORK_FOR_EVER,
    WORK_UNTIL_TOLD,
    Spec,
    a_build_spec,
    a_container,
    a_server_spec,
    a_template,
)

pytestmark = pytest.mark.real_node


class Case(NamedTuple):
    """A build and the state it comes to."""

    spec: Spec
    state: str
    status: str
    message: str


CASES = {
    "a pod that no node will take": Case(
        a_build_spec(pod={"nodeSelector": {"no-such": "node"}}),
        state="WaitingForServer",
        status="Unknown",
        message="0/1 nodes are available",
    ),
    "a pod whose image is not there yet": Case(
        a_build_spec(container={"image": "localhost/no/such:image"}),
        state="WaitingForServer",
        status="Unknown",
        message="container main: ",
    ),
    "a build at work": Case(
        a_build_spec(WORK_FOR_EVER),
        state="ConfiguringServer",
        status="Unknown",
        message="waits until the containers have completed",
    ),
    "an init container at work": Case(
        a_build_spec(pod={"initContainers": [a_container("prepare", WORK_FOR_EVER)]}),
        state="ConfiguringServer",
        status="Unknown",
        message="waits until the containers have completed",
    ),
    "one of two containers done": Case(
        a_build_spec(pod={"containers": [a_container("quick", SUCCEED), a_container("slow", WORK_FOR_EVER)]}),
        state="ConfiguringServer",
        status="Unknown",
        message="waits until the containers have completed",
    ),
    "a server that is not up yet": Case(
        a_server_spec(WORK_FOR_EVER),
        state="ConfiguringServer",
        status="Unknown",
        message="waits until the pod is Ready",
    ),
    "a server that is up": Case(a_server_spec(), state="Running", status="True", message="the server is up"),
    "a build that is done": Case(a_build_spec(), state="Completed", status="True", message="the build has completed"),
    "a build of two containers": Case(
        a_build_spec(pod={"containers": [a_container("quick", SUCCEED), a_container("slow", "sleep 2")]}),
        state="Completed",
        status="True",
        message="the build has completed",
    ),
    "a sidecar that fails and is restarted": Case(
        a_build_spec(
            "sleep 4", pod={"initContainers": [a_container("proxy", "sleep 2; false", restartPolicy="Always")]}
        ),
        state="Completed",
        status="True",
        message="the build has completed",
    ),
}


SPECS = {name: case.spec for name, case in CASES.items()} | {
    "a server whose readiness ends": a_server_spec(
        f"httpd -f -p {PORT} -h /tmp & {WORK_UNTIL_TOLD}; kill $!; {WORK_FOR_EVER}"
    ),
    "a build before a manual one": a_build_spec(WORK_UNTIL_TOLD),
}


@pytest.mark.parametrize("name", CASES)
def test_an_attempt_is_in_the_state_that_its_pod_is_in(shared_stage: Stage, builds: Builds, name: str) -> None:
    case = CASES[name]

    app_server = shared_stage.attempt(builds[name], 1, case.state)

    see(app_server, lambda one: case.message in one.condition("Succeeded").message, f"it says {case.message!r}")
    succeeded = app_server.condition("Succeeded")
    assert (succeeded.status, succeeded.reason) == (case.status, case.state)
    assert app_server.result == {}


def test_the_exit_of_a_restartable_sidecar_is_seen_by_nobody_but_the_pod(shared_stage: Stage, builds: Builds) -> None:
    app_server = shared_stage.attempt(builds["a sidecar that fails and is restarted"], 1, "Completed")

    (proxy,) = shared_stage.pod(app_server).obj["status"]["initContainerStatuses"]

    ended = proxy["state"].get("terminated") or proxy["lastState"]["terminated"]
    assert ended["exitCode"] != 0


def test_a_person_reads_where_it_ran_and_from_which_image(shared_stage: Stage, builds: Builds) -> None:
    app_server = shared_stage.attempt(builds["a server that is up"], 1, "Running")

    pod = shared_stage.pod(app_server)
    assert app_server.read("status.pod") == app_server.name
    assert app_server.read("status.node") == pod.obj["spec"]["nodeName"]
    assert app_server.read("status.imageDigests") == [pod.obj["status"]["containerStatuses"][0]["imageID"]]
    assert app_server.instant("status.finishTime") >= app_server.instant("status.startTime")


def test_a_server_stays_running_while_its_readiness_comes_and_goes(shared_stage: Stage, builds: Builds) -> None:
    build = builds["a server whose readiness ends"]
    server = shared_stage.attempt(build, 1, "Running")
    assert server.condition("Ready")[:2] == ("True", "PodReady")

    shared_stage.tell(server)

    see(server, lambda one: one.condition("Ready")[:2] == ("False", "PodNotReady"), "the server is not ready any more")
    assert server.state == "Running"
    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "its run is over all the same")


def test_r26_a_manual_run_is_new_while_it_waits_for_its_turn(shared_stage: Stage, builds: Builds) -> None:
    build = builds["a build before a manual one"]
    first = shared_stage.attempt(build, 1, "ConfiguringServer")
    manual = shared_stage.create_by_hand(build, "by-hand", template=a_template())

    see(manual, lambda one: one.state == "New", "the manual run waits")
    assert "waits for its turn" in manual.condition("Succeeded").message
    assert manual.read("status.pod") is None

    shared_stage.tell(first)
    see(manual, lambda one: one.state == "Completed", "it has had its turn")


def test_an_app_server_of_a_periodic_build_to_come_is_new_and_says_what_is_missing(stage: Stage) -> None:
    spec = {"periodicBuildRef": {"name": "site"}}
    early = stage.create_app_server("early", spec)

    see(early, lambda one: one.state == "New", "it waits for its PeriodicBuild")
    assert "PeriodicBuild site does not exist" in early.condition("Succeeded").message

    build = stage.create("site", a_build_spec(enabled=False))
    see(early, lambda one: one.state == "Completed", "it was built once its PeriodicBuild was there")
    assert early.controller_uid == build.uid
