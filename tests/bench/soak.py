"""An hour of many builds: memory and tasks must not grow.

The one idea a newcomer would miss: a process that has just begun grows for good reasons, until every cache has met what
there is.  So the slope is that of the line through all readings *after* a warm-up; one reading more or less, or one
peak, hardly moves it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass
from statistics import fmean, linear_regression
from typing import TYPE_CHECKING, Final

from tests.bench.bodies import create_call
from tests.bench.client import send_all
from tests.bench.ground import new_namespace, own_cluster, running_operator
from tests.bench.objects import names, periodic_build
from tests.bench.process import resident_mb
from tests.cluster.console import say
from tests.cluster.levels import Level

from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.session import KubeSession

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from tests.cluster.cluster import Cluster
    from tests.operator_process import OperatorProcess

COUNT: Final = 200
EVERY: Final = "10s"
SPREAD_SECONDS: Final = 10
WARM_UP_SECONDS: Final = 1800.0
"""By then 17,000 runs have ended, so what is remembered of the last 10,000 that were deleted is at its full size."""
SECONDS: Final = 1800.0
READ_EVERY_SECONDS: Final = 10.0
TOLD_EVERY: Final = 30
"""Readings: every five minutes."""
NAMESPACE: Final = "soak"
CONTROLLER_QPS: Final = 200
"""With its default the garbage collector falls behind: 6,500 pods were without an AppServer after 50 minutes."""
FAILS: Final = {"simulation.periodicbuild.dev/exit-code": "1"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What the process was at one moment."""

    hours: float
    resident_mb: float
    tasks: float
    runs: float
    unaccounted: float
    requests: float
    stray_pods: float


def measure_soak(count: int = COUNT, warm_up: float = WARM_UP_SECONDS, seconds: float = SECONDS) -> dict[str, float]:
    """Give the figures."""
    with (
        own_cluster(Level.SIMULATED, controller_qps=CONTROLLER_QPS) as cluster,
        running_operator(cluster, f"--namespace={NAMESPACE}") as operator,
    ):
        asyncio.run(_create(cluster, new_namespace(cluster, NAMESPACE), count))
        say(f"{count} PeriodicBuilds run every {EVERY}; {warm_up / 60:g} minutes to warm up, then {seconds / 60:g}.")
        deque(_readings(operator, warm_up), maxlen=0)
        readings = list(_readings(operator, seconds))
    return figures_of(readings)


def figures_of(readings: Sequence[Reading]) -> dict[str, float]:
    """Give slope, growth and counts; the growth is that of the second half's mean over the first's."""
    half, runs = len(readings) // 2, readings[-1].runs - readings[0].runs
    line = linear_regression([one.hours for one in readings], [one.resident_mb for one in readings])
    return {
        "soak-rss-slope-mb-per-hour": line.slope,
        "soak-rss-mb": max(one.resident_mb for one in readings),
        "soak-tasks-growth": fmean(one.tasks for one in readings[half:]) - fmean(one.tasks for one in readings[:half]),
        "soak-runs": runs,
        "soak-requests-per-run": (readings[-1].requests - readings[0].requests) / runs,
        "soak-unaccounted": max(one.unaccounted for one in readings),
        "soak-stray-pods": max(one.stray_pods for one in readings),
    }


def _readings(operator: OperatorProcess, seconds: float) -> Iterator[Reading]:
    """Let time pass, and read now and then."""
    began, number = time.monotonic(), 0
    while (passed := time.monotonic() - began) < seconds:
        reading = Reading(
            hours=passed / 3600,
            resident_mb=resident_mb(operator.pid),
            tasks=operator.metric("periodicbuild_tasks"),
            runs=operator.metric("periodicbuild_runs_finished_total"),
            unaccounted=operator.metric("periodicbuild_unaccounted_slots"),
            requests=operator.metric("periodicbuild_kube_requests_total"),
            stray_pods=operator.metric("periodicbuild_stray_pods"),
        )
        if number % TOLD_EVERY == 0:
            size = f"{reading.resident_mb:.1f} MB, {reading.tasks:.0f} tasks, {reading.stray_pods:.0f} stray pods"
            say(f"  {passed / 60:3.0f} min: {size}, {reading.runs:,.0f} runs.")
        yield reading
        number += 1
        time.sleep(max(0.0, began + number * READ_EVERY_SECONDS - time.monotonic()))


async def _create(cluster: Cluster, namespace: str, count: int) -> None:
    """Create some a second, so that they are due all over the interval: resident memory keeps to the highest wave."""
    calls = [create_call(namespace, each) for each in _manifests(count)]
    async with KubeSession(await load_credentials(cluster.kubeconfig)) as session:
        for second in range(SPREAD_SECONDS):
            await send_all(session, calls[second::SPREAD_SECONDS])
            await asyncio.sleep(1)


def _manifests(count: int) -> list[dict[str, Any]]:
    """Give builds that end by themselves, every tenth of them with a failure."""
    schedule = {"interval": {"every": EVERY}}
    manifests = [periodic_build(name, schedule=schedule, succeedWhen="Completed") for name in names(count)]
    for manifest in manifests[::10]:
        manifest["spec"]["template"]["metadata"]["annotations"] |= FAILS
    return manifests
