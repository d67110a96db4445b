"""2,000 builds behind one gate: what becomes of their slots while it is closed, and how they start when it opens."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from tests.bench.audit import Trail
from tests.bench.bodies import create_call
from tests.bench.client import send_all
from tests.bench.crowd import EVERY_MINUTE, builds_in
from tests.bench.ground import new_namespace, own_cluster, running_operator
from tests.bench.objects import names, periodic_build
from tests.bench.process import resident_mb
from tests.cluster.console import say
from tests.cluster.levels import Level
from tests.schema.manifests import as_list, build_gate

from periodicbuild.core.recount import unaccounted_slots
from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.session import KubeSession

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cluster.cluster import Cluster

    from periodicbuild.core.facts import PeriodicBuild

COUNT: Final = 2_000
SLOTS: Final = 5_000
"""So many wait or are recorded before the gate opens."""
STARTS_PER_SECOND: Final = 20
"""The operator's default."""
WITHIN_SECONDS: Final = 600.0
NAMESPACE: Final = "rollout"


def measure_gate(count: int = COUNT, slots: int = SLOTS) -> dict[str, float]:
    """Give the figures."""
    flags = (f"--namespace={NAMESPACE}", f"--starts-per-second={STARTS_PER_SECOND}")
    with own_cluster(Level.CONTROL_PLANE) as cluster:
        new_namespace(cluster, NAMESPACE)
        _gate(cluster, closed=True)
        with running_operator(cluster, *flags) as operator, Trail(cluster.audit_log) as trail:
            held = asyncio.run(_hold(cluster, count, slots))
            before = len(_starts(trail))
            say(f"{held:,} slots of {count:,} builds are held back; now the gate opens.")
            _gate(cluster, closed=False)
            builds = asyncio.run(_let_start(cluster, count))
            starts, memory = _starts(trail), resident_mb(operator.pid)
    unaccounted = sum(unaccounted_slots(build.status, datetime.now(UTC)) for build in builds)
    seconds = (starts[-1] - starts[0]).total_seconds()
    say(f"{len(starts):,} builds have started in {seconds:.0f} s, at least {_shortest_pause(starts):.3f} s apart.")
    return {
        "gate-2000-slots-held": held,
        "gate-2000-started-while-closed": before,
        "gate-2000-unaccounted": unaccounted,
        "gate-2000-starts-per-second": (len(starts) - 1) / seconds,
        "gate-2000-rss-mb": memory,
    }


def _gate(cluster: Cluster, *, closed: bool) -> None:
    scope = {"namespaces": [NAMESPACE]}
    gate = build_gate("rollout", scope=scope, closed=closed, reason="database upgrade")
    cluster.kubectl("apply", "--filename=-", input=as_list(gate))


async def _hold(cluster: Cluster, count: int, slots: int) -> int:
    """Create the builds and wait until so many of their slots are held back; return how many it came to be."""
    schedule = {"cron": {"expression": EVERY_MINUTE}}
    calls = [create_call(NAMESPACE, periodic_build(name, schedule=schedule)) for name in names(count)]
    async with KubeSession(await load_credentials(cluster.kubeconfig)) as session:
        await send_all(session, calls)
        began = time.monotonic()
        while (held := sum(_due(build) for build in await builds_in(session, NAMESPACE))) < slots:
            _give_up_after(began, f"only {held} slots are recorded")
            await asyncio.sleep(5)
        return held


async def _let_start(cluster: Cluster, count: int) -> list[PeriodicBuild]:
    """Wait until every build has started."""
    async with KubeSession(await load_credentials(cluster.kubeconfig)) as session:
        began = time.monotonic()
        while (started := sum(map(_has_started, await builds_in(session, NAMESPACE)))) < count:
            _give_up_after(began, f"only {started} builds have started")
            await asyncio.sleep(5)
        return await builds_in(session, NAMESPACE)


def _give_up_after(began: float, what: str) -> None:
    if time.monotonic() - began > WITHIN_SECONDS:
        raise TimeoutError(f"{what} after {WITHIN_SECONDS:g} s")


def _due(build: PeriodicBuild) -> int:
    return build.status.slots.due if build.status.slots is not None else 0


def _has_started(build: PeriodicBuild) -> bool:
    return build.status.slots is not None and build.status.slots.started > 0


def _starts(trail: Trail) -> list[datetime]:
    return sorted(one.answered_at for one in trail.read() if one.has_done("create", "appservers"))


def _shortest_pause(starts: Sequence[datetime]) -> float:
    return min(((b - a).total_seconds() for a, b in pairwise(starts)), default=0.0)
