"""1,000 slots due in the same second, built from 50 repositories: how often these are asked (R31)."""

from __future__ import annotations

import asyncio
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec
from tests.background import in_background
from tests.bench.bodies import create_call
from tests.bench.client import send_all
from tests.bench.ground import new_namespace, own_cluster, running_operator
from tests.bench.objects import instant_text, names
from tests.cluster.console import say
from tests.cluster.levels import Level
from tests.integration.simulated_specs import a_build_spec
from tests.sources.repositories import Repository, git_server

from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.kinds import PERIODIC_BUILDS
from periodicbuild.kube.session import KubeSession

if TYPE_CHECKING:
    from tests.cluster.cluster import Cluster
    from tests.operator_process import OperatorProcess

COUNT: Final = 1_000
SOURCES: Final = 50
FLAGS: Final = ("--source-private-hosts=http://127.0.0.1", "--kube-api-qps=500", "--starts-per-second=0")
PREPARED_WITHIN: Final = timedelta(seconds=60)
DECIDED_WITHIN_SECONDS: Final = 900.0
ASKED_EVERY_SECONDS: Final = 3.0


def measure_sources(count: int = COUNT, sources: int = SOURCES) -> dict[str, float]:
    """Give the figures."""
    with tempfile.TemporaryDirectory() as folder, own_cluster(Level.SIMULATED) as cluster:
        for number in range(sources):
            Repository.make(Path(folder) / f"{number}.git").commit()
        namespace = new_namespace(cluster, "sources")
        with (
            in_background(lambda: git_server(Path(folder))) as server,
            running_operator(cluster, f"--namespace={namespace}", *FLAGS) as operator,
        ):
            urls = [f"{server.url}/{number % sources}.git" for number in range(count)]
            known = asyncio.run(_decided(cluster, operator, namespace, urls))
            lookups = operator.metric("periodicbuild_source_lookups_total")
            say(f"{known:,} slots know their revision, by {lookups:.0f} lookups and {len(server.requests)} requests.")
    return {"sources-50-lookups": lookups, "sources-50-slots": known}


async def _decided(cluster: Cluster, operator: OperatorProcess, namespace: str, urls: list[str]) -> int:
    """Wait until every slot is decided; give how many of them know the revision of their source."""
    slot = datetime.now(UTC).replace(microsecond=0) + PREPARED_WITHIN
    async with KubeSession(await load_credentials(cluster.kubeconfig)) as session:
        manifests = [_manifest(name, slot, url) for name, url in zip(names(len(urls)), urls, strict=True)]
        await send_all(session, [create_call(namespace, manifest) for manifest in manifests])
        say(f"{len(urls):,} PeriodicBuilds with {len(set(urls))} sources are due at {slot:%H:%M:%S} UTC.")
        await asyncio.sleep(max(0.0, (slot - datetime.now(UTC)).total_seconds()))
        began = time.monotonic()
        while time.monotonic() - began < DECIDED_WITHIN_SECONDS:
            statuses = await _statuses(session, namespace)
            if sum(bool(status.get("ledger")) for status in statuses) == len(urls):
                break
            await asyncio.sleep(ASKED_EVERY_SECONDS)
        assert operator.is_ready()
        return sum(map(_knows_its_source, await _statuses(session, namespace)))


def _knows_its_source(status: dict[str, Any]) -> bool:
    inputs = status.get("changes", {}).get("inputs", [])
    return any(one["name"] == "code" and "revision" in one for one in inputs)


def _manifest(name: str, slot: datetime, url: str) -> dict[str, Any]:
    schedule = {"interval": {"every": "24h"}, "notBefore": instant_text(slot)}
    sources = [{"name": "code", "git": {"url": url, "ref": "main"}}]
    return {
        "apiVersion": "periodicbuild.dev/v1alpha1",
        "kind": "PeriodicBuild",
        "metadata": {"name": name},
        "spec": a_build_spec(schedule=schedule, changeDetection={"sources": sources}),
    }


async def _statuses(session: KubeSession, namespace: str) -> list[dict[str, Any]]:
    answer = msgspec.json.decode(await session.get(PERIODIC_BUILDS.path(namespace=namespace)))
    return [item.get("status", {}) for item in answer["items"]]
