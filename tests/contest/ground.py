"""The cluster of one round: an API server and etcd, namespaces in which pods can be created, and nothing else at work.

The one idea a newcomer would miss: the cluster's own controllers are stopped once the namespaces have their service
accounts.  So only one controller runs at a time, and what a turn leaves behind is removed here and not by a collector.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import msgspec
from tests.bench.client import Call, send_all
from tests.bench.cron_jobs import EVENTS
from tests.bench.ground import own_cluster
from tests.cluster import processes
from tests.cluster.control_plane import CONTROLLER_MANAGER
from tests.cluster.levels import Level

from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.errors import TransientKubeError
from periodicbuild.kube.kinds import NAMESPACES
from periodicbuild.kube.paths import Kind
from periodicbuild.kube.session import KubeSession

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.cluster.cluster import LocalCluster
    from tests.contest.contestants import Contestant

SERVICE_ACCOUNTS = Kind("", "v1", "serviceaccounts")
READY_WITHIN_SECONDS = 120.0
CLEARED_WITHIN_SECONDS = 180.0
IN_PARTS = {"limit": "500", "propagationPolicy": "Background"}
"""More at once would take longer than a client waits; and a Job would by default wait for a garbage collector."""
STOPS_WITHIN_SECONDS = 5.0


def namespace_names(count: int) -> list[str]:
    """Give the names of so many namespaces."""
    return [f"contest-{number}" for number in range(count)]


@contextmanager
def ground(namespaces: Sequence[str]) -> Iterator[LocalCluster]:
    """Give a new cluster, gone afterwards whatever happens."""
    with own_cluster(Level.CONTROL_PLANE, collects_garbage=False) as cluster:
        asyncio.run(_create(cluster, namespaces))
        processes.stop(cluster.state.root, [CONTROLLER_MANAGER], grace_seconds=STOPS_WITHIN_SECONDS)
        yield cluster


async def _create(cluster: LocalCluster, names: Sequence[str]) -> None:
    bodies = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names]
    async with (
        KubeSession(await load_credentials(cluster.kubeconfig)) as session,
        asyncio.timeout(READY_WITHIN_SECONDS),
    ):
        await send_all(session, [Call("POST", NAMESPACES.path(), msgspec.json.encode(body)) for body in bodies])
        while not set(names) <= await _with_default_account(session):  # noqa: ASYNC110 - another process makes them
            await asyncio.sleep(0.2)


async def _with_default_account(session: KubeSession) -> set[str]:
    items = msgspec.json.decode(await session.get(SERVICE_ACCOUNTS.path()))["items"]
    return {item["metadata"]["namespace"] for item in items if item["metadata"]["name"] == "default"}


async def clear(session: KubeSession, contestant: Contestant, namespaces: Sequence[str]) -> None:
    """Remove all that a turn has left, and make sure of it: leftovers would go on running and share the budget."""
    async with asyncio.timeout(CLEARED_WITHIN_SECONDS):
        for kind in (contestant.schedules, contestant.children, contestant.bodies, EVENTS):
            for namespace in namespaces:
                while await _has_any(session, kind, namespace):
                    with suppress(TransientKubeError):
                        await session.request("DELETE", kind.path(namespace=namespace), params=IN_PARTS)


async def _has_any(session: KubeSession, kind: Kind, namespace: str) -> bool:
    page = msgspec.json.decode(await session.get(kind.path(namespace=namespace), {"limit": "1"}))
    return bool(page["items"])
