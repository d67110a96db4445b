"""What PeriodicBuilds cost that have nothing to do, and how soon after a start the one that is due is started."""

from __future__ import annotations

import asyncio
import statistics
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.bench.audit import Trail
from tests.bench.bodies import create_call, first_status_call
from tests.bench.client import send_all
from tests.bench.ground import new_namespace, own_cluster, running_operator
from tests.bench.objects import instant_text, names, periodic_build
from tests.bench.process import cpu_seconds, resident_mb
from tests.cluster.console import say
from tests.cluster.levels import Level
from tests.cluster.waiting import wait_for

from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.session import KubeSession

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import Any

    from tests.cluster.cluster import Cluster

COUNT = 5_000
LARGE_COUNT = 10_000
DISABLED_OF = 10
"""One of so many is disabled."""
NAMESPACE = "idle"
DAILY = {"every": "24h"}
FAR_AWAY = timedelta(days=30)
STARTS = 3
"""The median of so many starts."""
LEASES = "leases"
"""Renewed every five seconds, whatever there is to do."""
IDLE_SECONDS = 60.0
CALM_SECONDS = 3.0
WITHIN_SECONDS = 120.0


def measure_idle() -> dict[str, float]:
    """Give the figures."""
    with own_cluster(Level.CONTROL_PLANE) as cluster:
        new_namespace(cluster, NAMESPACE)
        _fill(cluster, names(COUNT))
        starts = [_start_seconds(cluster, number) for number in range(STARTS)]
        figures = {"start-5000-seconds": statistics.median(starts), **_idle_figures(cluster, COUNT)}
        _fill(cluster, names(LARGE_COUNT)[COUNT:])
        return figures | _idle_figures(cluster, LARGE_COUNT)


def _fill(cluster: Cluster, new: Sequence[str]) -> None:
    say(f"Creating {len(new):,} PeriodicBuilds, as large as after weeks of daily builds.")
    asyncio.run(_create_with_past(cluster.kubeconfig, _manifests(new)))


async def _create_with_past(kubeconfig: Path, manifests: Sequence[dict[str, Any]]) -> None:
    async with KubeSession(await load_credentials(kubeconfig)) as session:
        answers = await send_all(session, [create_call(NAMESPACE, manifest) for manifest in manifests])
        now = datetime.now(UTC)
        await send_all(session, [first_status_call(answer, now, has_past=True) for answer in answers])


def _manifests(new: Sequence[str]) -> list[dict[str, Any]]:
    schedule = {"interval": DAILY, "notBefore": instant_text(datetime.now(UTC) + FAR_AWAY)}
    return [
        periodic_build(name, schedule=schedule, enabled=bool(number % DISABLED_OF)) for number, name in enumerate(new)
    ]


def _start_seconds(cluster: Cluster, number: int) -> float:
    """Create one that is due, start the operator, and give the seconds from there to the AppServer."""
    say(f"Starting the operator, {number + 1} of {STARTS}.")
    asyncio.run(_create(cluster.kubeconfig, periodic_build(f"due-{number}", schedule={"interval": DAILY})))
    began = datetime.now(UTC)
    with Trail(cluster.audit_log) as trail, running_operator(cluster):
        trail.wait_for(1, "create", "appservers", within_seconds=WITHIN_SECONDS)
        first = next(one for one in trail.requests if one.has_done("create", "appservers"))
        trail.wait_for_calm(for_seconds=CALM_SECONDS, within_seconds=WITHIN_SECONDS)
    return (first.answered_at - began).total_seconds()


async def _create(kubeconfig: Path, manifest: dict[str, Any]) -> None:
    async with KubeSession(await load_credentials(kubeconfig)) as session:
        await send_all(session, [create_call(NAMESPACE, manifest)])


def _idle_figures(cluster: Cluster, count: int) -> dict[str, float]:
    with Trail(cluster.audit_log) as trail, running_operator(cluster) as operator:
        trail.wait_for_calm(for_seconds=CALM_SECONDS, within_seconds=WITHIN_SECONDS)
        # A first look that finds nothing to do asks for nothing, so the log of requests does not show it.
        wait_for(
            lambda: not operator.metric("periodicbuild_queue_depth"), within_seconds=WITHIN_SECONDS, what="looks to end"
        )
        say(f"Watching it be idle for {IDLE_SECONDS:g} s.")
        began, used = datetime.now(UTC), cpu_seconds(operator.pid)
        _pass(began, IDLE_SECONDS)
        used = cpu_seconds(operator.pid) - used
        passed = (datetime.now(UTC) - began).total_seconds()
        writes = [one for one in trail.read() if one.is_write and one.target != LEASES and one.received_at >= began]
        return {
            f"idle-{count}-rss-mb": resident_mb(operator.pid),
            f"idle-{count}-cpu-percent": 100 * used / passed,
            f"idle-{count}-writes": float(len(writes)),
        }


def _pass(began: datetime, seconds: float) -> None:
    """Wait for a time and nothing else."""
    end = began + timedelta(seconds=seconds)
    wait_for(lambda: datetime.now(UTC) >= end, within_seconds=seconds + 5, what="the clock stands still")
