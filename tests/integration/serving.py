"""What the tests of activation share: Services as people write them, and servers one after the other."""

from __future__ import annotations

import json
from typing import Any

import pykube
from tests.cluster.cluster import KubectlError
from tests.e2e.objects import AppServer, PeriodicBuild
from tests.e2e.stage import Stage, eventually, see
from tests.integration.simulated_specs import a_server_spec, every
from tests.operator_process import OperatorProcess

SERVICE = "front"
LABEL = "periodicbuild.dev/activated-by"
SERVER = "periodicbuild.dev/app-server"
ACTIVATE = "periodicbuild.dev/activate"
OTHER = {"app": "openedx"}
"""A selector that selects every build, failed and half-built ones included."""


def a_manifest(
    build: str = "nightly", *, selector: dict[str, str] | None = None, opted_in: bool = True, **spec: Any
) -> dict[str, Any]:
    """Give the Service as it is in Git."""
    ports = [{"port": 80, "targetPort": 8080}]
    body: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": SERVICE, "labels": {"app": "openedx"} | ({LABEL: build} if opted_in else {})},
        "spec": {"ports": ports} | spec,
    }
    if selector is not None:
        body["spec"]["selector"] = selector
    return body


def apply(stage: Stage, manifest: dict[str, Any], *how: str) -> str:
    """Apply it as a person or a GitOps tool does; give the refusal, if it is one."""
    try:
        stage.cluster.kubectl(
            f"--namespace={stage.namespace}", "apply", *how, "--filename=-", input=json.dumps(manifest)
        )
    except KubectlError as error:
        return str(error)
    return ""


def the_service(stage: Stage) -> pykube.Service:
    """Give the Service as it is now."""
    return pykube.Service.objects(stage.api, namespace=stage.namespace).get(name=SERVICE)


def selector_of(stage: Stage) -> dict[str, str] | None:
    """Give its selector."""
    selector: dict[str, str] | None = the_service(stage).obj["spec"].get("selector")
    return selector


def a_served_build(stage: Stage, name: str = "nightly", **fields: Any) -> PeriodicBuild:
    """Create a PeriodicBuild of servers whose first one is built at once and stays the only one."""
    activation = {"activation": {"serviceName": SERVICE}}
    return stage.create(name, a_server_spec(**(activation | fields)))


def active_server(stage: Stage, build: PeriodicBuild, number: int) -> AppServer:
    """Wait until a server, counted from the oldest = 1, is what the Service points at."""
    return now_active(stage, build, stage.attempt(build, number, "Running"))


def now_active(stage: Stage, build: PeriodicBuild, server: AppServer) -> AppServer:
    """Wait until a certain server is what the Service points at."""
    see(
        build,
        lambda one: (
            one.read("status.activation.appServer") == server.name
            and one.condition("Activated")[:2] == ("True", "Activated")
        ),
        f"{server.name} is activated",
    )
    assert selector_of(stage) == {SERVER: server.name}
    return server


def another_server(stage: Stage, build: PeriodicBuild) -> AppServer:
    """Let the schedule build one more server, and wait until it is up."""
    before = {one.name for one in stage.app_servers(build)}
    build.patch({"spec": {"enabled": True, "schedule": every("5s")}})

    def new() -> list[AppServer]:
        return [one for one in stage.app_servers(build) if one.name not in before]

    eventually(lambda: new() or None, "one more server is begun")
    build.disable()
    eventually(lambda: new()[0].state == "Running", "one more server is up")
    return new()[0]


def look_again(build: PeriodicBuild) -> None:
    """Let the operator look, and so read the Service if something is wrong with it."""
    looks = int(build.annotations.get("looked", "0"))
    build.patch({"metadata": {"annotations": {"looked": str(looks + 1)}}})


def read_anew(operator: OperatorProcess) -> None:
    """Let the operator read every Service before its five minutes are over: one that has just started knows none."""
    operator.stop()
    operator.start()


def see_activated(build: PeriodicBuild, status: str, reason: str) -> str:
    """Wait until condition Activated is so, and give its message."""

    def holds(one: PeriodicBuild) -> bool:
        if one.condition("Activated")[:2] == (status, reason):
            return True
        look_again(one)
        return False

    return see(build, holds, f"Activated is {status}/{reason}").condition("Activated").message


def make_unready(stage: Stage, server: AppServer) -> None:
    """Let the pod of a server lose its readiness, as a failing probe does."""
    conditions = [{"type": kind, "status": "False"} for kind in ("Ready", "ContainersReady")]
    patch = json.dumps({"status": {"conditions": conditions}})
    stage.kubectl("patch", "pod", server.name, "--subresource=status", "--type=strategic", f"--patch={patch}")


def ask_for(build: PeriodicBuild, server: str, token: str = "1") -> None:  # noqa: S107 - no secret
    """Ask for a server to be activated, as the plug-in does."""
    build.patch({"metadata": {"annotations": {ACTIVATE: f"{server}/{token}"}}})


def switched_over(stage: Stage, **fields: Any) -> tuple[PeriodicBuild, AppServer, AppServer]:
    """Give a PeriodicBuild whose second server has just taken over from its first."""
    apply(stage, a_manifest())
    build = a_served_build(stage, **fields)
    first = active_server(stage, build, 1)
    another_server(stage, build)
    return build, first, active_server(stage, build, 2)
