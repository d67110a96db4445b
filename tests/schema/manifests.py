"""Manifests for tests of the definitions: the smallest valid object of each kind, and an AppServer with every field."""

from __future__ import annotations

import json
from typing import Any

Manifest = dict[str, Any]

TEMPLATE: Manifest = {"spec": {"containers": [{"name": "server", "image": "localhost/server:1"}]}}

COMPLETE_SPEC: Manifest = {
    "periodicBuildRef": {"name": "openedx"},
    "trigger": "Schedule",
    "run": "20261122-023000",
    "attempt": 1,
    "slotTime": "2026-11-22T02:30:00Z",
    "epoch": 4,
    "succeedWhen": "Ready",
    "timeouts": {"waiting": "1h", "configuring": "2h30m", "run": "12h"},
    "template": TEMPLATE,
    "cancelled": False,
}
"""Every field of an AppServer's spec."""


def periodic_build(name: str = "openedx", **spec: Any) -> Manifest:
    """Return a PeriodicBuild that is accepted unless `spec` makes it wrong."""
    return _manifest("PeriodicBuild", name, {"template": TEMPLATE, **spec})


def app_server(name: str = "openedx-20261122-023000-1", **spec: Any) -> Manifest:
    """Return an AppServer as a person makes one, with only the reference, plus what `spec` gives."""
    return _manifest("AppServer", name, {"periodicBuildRef": {"name": "openedx"}, **spec})


def build_gate(name: str = "rollout", **spec: Any) -> Manifest:
    """Return an open BuildGate that is accepted unless `spec` makes it wrong."""
    gate = _manifest("BuildGate", name, {"reason": "database upgrade", **spec})
    del gate["metadata"]["namespace"]
    return gate


def as_list(*manifests: Manifest) -> str:
    """Render for `kubectl -f -`, several as one list; JSON is YAML."""
    if len(manifests) == 1:
        return json.dumps(manifests[0])
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(manifests)})


def _manifest(kind: str, name: str, spec: Manifest) -> Manifest:
    return {
        "apiVersion": "periodicbuild.dev/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "default"},
        "spec": spec,
    }
