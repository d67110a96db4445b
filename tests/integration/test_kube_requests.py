"""What a run costs in requests, in calm, once the history is full (R41)."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from tests.faults.proxy import FaultProxy, proxy_between
from tests.integration.kube_support import DEADLINE_SECONDS, PODS, new_namespace, opened
from tests.operator_process import OperatorProcess, install

from periodicbuild.kube.errors import NotFoundError
from periodicbuild.kube.kinds import PERIODIC_BUILDS
from periodicbuild.kube.session import MERGE_PATCH, KubeSession

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.cluster.cluster import Cluster

    from periodicbuild.kube.paths import Target

pytestmark = pytest.mark.control_plane

KEPT = 2
"""Successful runs in the history: the newest with its pod, and one before it."""
WARM_UP = KEPT + 1
"""Runs until each one more makes an old one go."""
COUNTED = 2
"""Together with the warm-up no more than a PeriodicBuild's budget of Events allows at once."""
CALM_SECONDS = 1.5
"""Longer than anything of a run waits for anything else, and shorter than the rest of the interval."""
BUILDING_SECONDS = 3.0
"""Long enough for the state ConfiguringServer to be written (R41)."""

CONTAINERS = [{"name": "main", "image": "none"}]


def a_build(succeed_when: str) -> bytes:
    """Give a PeriodicBuild that runs as soon as it may, and keeps one run of each kind."""
    spec = {
        "enabled": True,
        "schedule": {"interval": {"every": "10s"}},
        "succeedWhen": succeed_when,
        "history": {"successfulLimit": KEPT, "failedLimit": 1},
        "template": {"spec": {"automountServiceAccountToken": False, "containers": CONTAINERS}},
    }
    body = {"apiVersion": "periodicbuild.dev/v1alpha1", "kind": "PeriodicBuild", "metadata": {"name": "nightly"}}
    return json.dumps({**body, "spec": spec}).encode()


def a_status(phase: str, state: dict[str, object], *, is_ready: bool = False) -> bytes:
    """Give the status of a pod with one container, as a node writes it."""
    container = {"name": "main", "image": "none", "imageID": "none", "ready": is_ready, "restartCount": 0}
    conditions = [{"type": "Ready", "status": "True" if is_ready else "False"}]
    status = {"phase": phase, "conditions": conditions, "containerStatuses": [{**container, "state": state}]}
    return json.dumps({"status": status}).encode()


RUNNING: dict[str, object] = {"running": {"startedAt": "2026-11-24T00:00:00Z"}}
BUILDING = a_status("Running", RUNNING)
READY = a_status("Running", RUNNING, is_ready=True)
COMPLETED = a_status("Succeeded", {"terminated": {"exitCode": 0, "reason": "Completed"}})


async def finished_runs(admin: KubeSession, namespace: str) -> int:
    """Count the runs whose end is in the status."""
    build = json.loads(await admin.get(PERIODIC_BUILDS.path(namespace=namespace, name="nightly")))
    return len([entry for entry in build.get("status", {}).get("ledger", []) if entry.get("outcome")])


async def play_the_kubelet(admin: KubeSession, namespace: str, last: bytes, runs: int) -> None:
    """Let every pod build for a while and then reach its last status, until so many runs have ended."""
    since: dict[str, float] = {}
    async with asyncio.timeout(DEADLINE_SECONDS):
        while await finished_runs(admin, namespace) < runs:
            for pod in json.loads(await admin.get(PODS.path(namespace=namespace)))["items"]:
                name, now = pod["metadata"]["name"], time.monotonic()
                if pod["status"]["phase"] == "Pending":
                    since[name] = now
                    await write_status(admin, namespace, name, BUILDING)
                elif now - since.get(name, now) > BUILDING_SECONDS:
                    del since[name]
                    await write_status(admin, namespace, name, last)
            await asyncio.sleep(0.05)


async def write_status(admin: KubeSession, namespace: str, name: str, status: bytes) -> None:
    """Write the status of a pod, unless it is gone by now."""
    path = PODS.path(namespace=namespace, name=name, subresource="status")
    with suppress(NotFoundError):
        await admin.request("PATCH", path, status, MERGE_PATCH)


def sent(targets: Sequence[Target], namespace: str) -> dict[str, float]:
    """Give requests per run by verb and resource; watches and the counting of objects are no run's."""
    own = (target for target in targets if target.namespace == namespace and target.verb not in {"watch", "list"})
    return {what: count / COUNTED for what, count in Counter(f"{one.verb} {one.resource}" for one in own).items()}


async def calm(proxy: FaultProxy) -> int:
    """Wait until nothing has been asked for a while, and count what was asked until then."""
    requests, since = proxy.requests, time.monotonic()
    async with asyncio.timeout(DEADLINE_SECONDS):
        while time.monotonic() - since < CALM_SECONDS:
            await asyncio.sleep(0.05)
            if proxy.requests != requests:
                requests, since = proxy.requests, time.monotonic()
    return requests


EXPECTED = {
    "Completed": {
        "create appservers": 1,
        "create pods": 1,
        "patch appservers/status": 2,  # ConfiguringServer, Completed
        "patch periodicbuilds/status": 2,  # started, ended
        "create events": 2,  # BuildStarted, BuildSucceeded
        "delete appservers": 1,  # the oldest record
    },
    "Ready": {
        "create appservers": 1,
        "create pods": 1,
        "patch appservers/status": 3,  # ConfiguringServer, Running, and Terminated for the server before
        "patch periodicbuilds/status": 2,
        "create events": 2,
        "delete pods": 1,  # of the server before
        "delete appservers": 1,
    },
}
"""R41 in full. A build whose end is known within 2 s costs one status less."""


def test_a_run_costs_no_request_more_than_it_needs(control_plane: Cluster, tmp_path: Path) -> None:
    install(control_plane)
    last = {"Completed": COMPLETED, "Ready": READY}

    async def scenario() -> dict[str, dict[str, float]]:
        async with (
            opened(control_plane.kubeconfig) as admin,
            proxy_between(control_plane.kubeconfig, tmp_path / "through-proxy.yaml") as proxy,
        ):
            namespaces = {kind: await new_namespace(admin) for kind in last}
            scopes = [f"--namespace={namespace}" for namespace in namespaces.values()]
            operator = OperatorProcess(proxy.kubeconfig, tmp_path / "operator.log", scopes)
            await asyncio.to_thread(operator.start)
            try:
                for kind, namespace in namespaces.items():
                    await admin.request("POST", PERIODIC_BUILDS.path(namespace=namespace), a_build(kind))
                counts = []
                for runs in (WARM_UP, WARM_UP + COUNTED):
                    await asyncio.gather(
                        *(play_the_kubelet(admin, namespaces[kind], status, runs) for kind, status in last.items())
                    )
                    counts.append(await calm(proxy))
                counted = [seen.target for seen in proxy.seen[counts[0] : counts[1]]]
                return {kind: sent(counted, namespace) for kind, namespace in namespaces.items()}
            finally:
                await asyncio.to_thread(operator.stop)

    assert asyncio.run(scenario()) == EXPECTED
