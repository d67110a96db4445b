"""Specs for builds that are real and quick: shell scripts in the image that the node has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.cluster.cluster import TEST_IMAGE

Spec = dict[str, Any]

SUCCEED = "true"
FAIL = "exit 1"
WORK_FOR_EVER = "sleep 3600"
SIGN = "/tmp/go"  # noqa: S108 - inside a container
WORK_UNTIL_TOLD = f"until test -f {SIGN}; do sleep 0.2; done"
"""Goes on when the test says so: `Stage.tell`."""
PORT = 8080
SERVE = f"exec httpd -f -p {PORT} -h /tmp"
"""A server that is ready at once, and stays up."""


def in_attempt(number: int, script: str, otherwise: str) -> str:
    """Give a script that does one thing in one attempt, which it knows by its pod's name, and another in others."""
    return f"case $(hostname) in *-{number}) {script};; *) {otherwise};; esac"


def a_build_spec(
    script: str = SUCCEED,
    *,
    pod: Mapping[str, Any] | None = None,
    container: Mapping[str, Any] | None = None,
    **fields: Any,
) -> Spec:
    """Give the spec of a build that ends: due at once, then daily; `fields` add to it or replace."""
    spec: Spec = {
        "enabled": True,
        "schedule": every("24h"),
        "succeedWhen": "Completed",
        "template": a_template(script, pod=pod, container=container),
    }
    return spec | fields


def a_server_spec(script: str = SERVE, *, pod: Mapping[str, Any] | None = None, **fields: Any) -> Spec:
    """Give the spec of a server that is Ready as soon as its script listens on PORT."""
    probe = {"tcpSocket": {"port": PORT}, "periodSeconds": 1, "failureThreshold": 1}
    spec = a_build_spec(script, pod=pod, container={"readinessProbe": probe})
    return spec | {"succeedWhen": "Ready"} | fields


def a_template(
    script: str = SUCCEED, *, pod: Mapping[str, Any] | None = None, container: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Give a pod template with one container that runs a script and goes at once when told to."""
    containers = [a_container("main", script, **(container or {}))]
    return {"spec": {"terminationGracePeriodSeconds": 1, "containers": containers} | dict(pod or {})}


def a_container(name: str, script: str, **fields: Any) -> dict[str, Any]:
    """Give one container that runs a script."""
    return {"name": name, "image": TEST_IMAGE, "command": ["sh", "-c", script]} | fields


def every(interval: str, **more: Any) -> dict[str, Any]:
    """Give a schedule; `more` goes beside the interval's length."""
    return {"interval": {"every": interval} | more}
