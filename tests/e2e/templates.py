"""Specs for builds that are real and quick: shell scripts in the image that the node has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.cluster.cluster import TEST_IMAGE

Spec = dict[str, Any]

SUCCEED = "true"
WORK_FOR_EVER = "sleep 3600"
READY_MARK = "/tmp/ready"  # noqa: S108 - inside a container
SERVE = f"touch {READY_MARK}; sleep 3600"
"""A server that is ready at once, and stays up."""


def a_build_spec(script: str = SUCCEED, *, pod: Mapping[str, Any] | None = None, **fields: Any) -> Spec:
    """Give the spec of a build that ends: due at once, then daily; `fields` add to it or replace."""
    spec: Spec = {
        "enabled": True,
        "schedule": {"interval": {"every": "24h"}},
        "succeedWhen": "Completed",
        "template": a_template(script, pod=pod),
    }
    return spec | fields


def a_server_spec(script: str = SERVE, *, pod: Mapping[str, Any] | None = None, **fields: Any) -> Spec:
    """Give the spec of a server that is Ready as soon as its script has touched READY_MARK."""
    template = a_template(script, pod=pod)
    template["spec"]["containers"][0]["readinessProbe"] = {
        "exec": {"command": ["test", "-f", READY_MARK]},
        "periodSeconds": 1,
    }
    return a_build_spec(**({"succeedWhen": "Ready", "template": template} | fields))


def a_template(script: str, *, pod: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Give a pod template with one container that runs a script and goes at once when told to."""
    container = {"name": "main", "image": TEST_IMAGE, "command": ["sh", "-c", script]}
    return {"spec": {"terminationGracePeriodSeconds": 1, "containers": [container]} | dict(pod or {})}


def every(interval: str, **more: Any) -> dict[str, Any]:
    """Give a schedule."""
    return {"interval": {"every": interval}} | more
