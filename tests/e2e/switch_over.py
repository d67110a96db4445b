"""One switch-over under traffic, and a failed build after it: for the test that shows it and the bench that counts.

The one idea a newcomer would miss: the bad build answers requests, too, and says who it is.  If a single request went
to it, the report would know.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.e2e.objects import AppServer, PeriodicBuild
from tests.e2e.stage import Stage, eventually, see
from tests.e2e.templates import PORT, a_server_spec, a_template, every
from tests.e2e.traffic import Report, Traffic, ready_addresses

SERVICE = "front"
LABEL = "periodicbuild.dev/activated-by"
SIGN = "/tmp/www/ready"  # noqa: S108 - inside a container
ENOUGH = 50
"""Requests that a server must have answered before the scene goes on."""

_PAGE = "mkdir /tmp/www; hostname > /tmp/www/index.html"
GOOD = f"{_PAGE}; touch {SIGN}; exec httpd -f -p {PORT} -h /tmp/www"
BAD = f"{_PAGE}; exec httpd -f -p {PORT} -h /tmp/www"
"""It serves, and is never ready."""
_PROBE = {"httpGet": {"path": "/ready", "port": PORT}, "periodSeconds": 1, "failureThreshold": 1}


@dataclass(frozen=True, slots=True)
class SwitchOver:
    """What was seen."""

    report: Report
    first: str
    second: str
    bad: str


def a_template_of(script: str) -> dict[str, Any]:
    """Give the template of a server whose readiness is a file."""
    return a_template(script, container={"readinessProbe": _PROBE})


def declare_service(stage: Stage, build: str) -> None:
    """Create the Service as it is in Git: with its consent, and without a selector."""
    body = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": SERVICE, "labels": {LABEL: build}},
        "spec": {"ports": [{"port": 80, "targetPort": PORT}]},
    }
    stage.cluster.kubectl(f"--namespace={stage.namespace}", "apply", "--filename=-", input=json.dumps(body))


def a_served_build(stage: Stage, name: str = "nightly", **fields: Any) -> PeriodicBuild:
    """Create the Service and the PeriodicBuild whose servers it is pointed at."""
    declare_service(stage, name)
    activation = {"activation": {"serviceName": SERVICE}, "template": a_template_of(GOOD)}
    return stage.create(name, a_server_spec(**(activation | {"timeouts": {"configuring": "6s"}} | fields)))


def see_serving(stage: Stage, build: PeriodicBuild, server: AppServer) -> None:
    """Wait until the Service points at a server and has its address."""
    see(build, lambda one: one.read("status.activation.appServer") == server.name, f"{server.name} is activated")
    pod = stage.pod(server)
    address = [pod.obj["status"]["podIP"]]
    eventually(lambda: ready_addresses(stage.api, stage.namespace, SERVICE) == address, "its address is in the slices")


def build_another(stage: Stage, build: PeriodicBuild, script: str = GOOD) -> AppServer:
    """Let the schedule start one more build."""
    before = {one.name for one in stage.app_servers(build)}
    fields = {"enabled": True, "schedule": every("5s"), "template": a_template_of(script)}
    build.patch({"spec": fields})

    def new() -> AppServer | None:
        return next((one for one in stage.app_servers(build) if one.name not in before), None)

    server = eventually(new, "one more build has started")
    build.disable()
    return server


def switch_over(stage: Stage) -> SwitchOver:
    """Send requests while a second server takes over and a third build fails."""
    build = a_served_build(stage)
    first = stage.attempt(build, 1, "Running")
    see_serving(stage, build, first)
    with Traffic(stage, SERVICE, PORT) as traffic:
        answers = traffic.report.answers
        eventually(lambda: answers[first.name] >= ENOUGH, "the first server answers")
        second = build_another(stage, build)
        see(second, lambda one: one.state == "Running", "the second server is up")
        see_serving(stage, build, second)
        eventually(lambda: answers[second.name] >= ENOUGH, "the second server answers")
        bad = build_another(stage, build, BAD)
        see(bad, lambda one: one.state == "ConfigurationFailed", "the third build has failed")
        so_far = answers[second.name]
        eventually(lambda: answers[second.name] >= so_far + ENOUGH, "the second server goes on answering")
    return SwitchOver(traffic.report, first.name, second.name, bad.name)
