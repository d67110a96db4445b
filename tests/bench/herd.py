"""1,000 PeriodicBuilds due in the same second: how soon their AppServers exist, and how soon a bare client's do.

Each round has a namespace of its own with as many objects in it, each as its first look left it.  In one round the
operator finds them due; in the other a client without planner, queue or rate limit sends the very bodies that the
operator's planner asks for, made beforehand.  Both act as the same account over as many connections, and both are timed
by the API server's record.

The one idea a newcomer would miss: seconds are a machine's, only the ratio is the operator's.  So rounds come in pairs
of changing order, and the figure is the median of the pairs' ratios.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.bench.audit import Trail
from tests.bench.bodies import create_call, first_status_call, start_call
from tests.bench.client import send_all
from tests.bench.ground import new_namespace, own_cluster, running_operator
from tests.bench.objects import instant_text, names, periodic_build
from tests.bench.percentiles import percentile
from tests.bench.process import cpu_seconds
from tests.cluster.console import say
from tests.cluster.levels import Level
from tests.operator_process import ACCOUNT, NAMESPACE

from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.session import KubeSession

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from tests.bench.client import Call
    from tests.cluster.cluster import LocalCluster

COUNT = 1_000
PAIRS = 5
FEWEST_PAIRS = 3
NO_NEW_PAIR_AFTER_SECONDS = 280.0
"""On a slow machine three pairs have to do."""
WARM_UP_COUNT = 200
QPS = 500
PREPARED_WITHIN_SECONDS = 90.0
MARGIN = 1.5
"""On what the last preparation took."""
MOST_TRIES = 3
"""A slot that comes before all is prepared is no herd; the next one is set later."""
CALM_BEFORE_SECONDS = 2.0
SETTLED_WITHIN_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Round:
    """When, from the slot on, things existed, in seconds and in order."""

    app_servers: Sequence[float]
    pods: Sequence[float]
    """Empty in a bare round."""
    cpu_seconds: float
    """Of whoever sent, from the slot until all was there."""
    requests: int
    """Sent in that time."""

    def within(self, share: float) -> float:
        """Give the seconds until so many of the AppServers existed."""
        return percentile(self.app_servers, share)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rounds, one right after the other."""

    operator: Round
    bare: Round

    @property
    def ratio(self) -> float:
        """Give the operator's time as a multiple of the bare client's."""
        return self.operator.within(0.99) / self.bare.within(0.99)


def measure_herd(count: int = COUNT, pairs: int = PAIRS) -> dict[str, float]:
    """Give the figures."""
    with own_cluster(Level.CONTROL_PLANE, collects_garbage=False) as cluster:
        herd = Herd(cluster)
        say("Warming up.")
        herd.pair(min(WARM_UP_COUNT, count))
        measured = _pairs(herd, count, pairs)
    return {
        "herd-1000-at-500-over-bare-client": statistics.median(pair.ratio for pair in measured),
        "herd-1000-p50-seconds": statistics.median(pair.operator.within(0.5) for pair in measured),
        "herd-1000-p99-seconds": statistics.median(pair.operator.within(0.99) for pair in measured),
        "herd-1000-max-seconds": statistics.median(pair.operator.within(1) for pair in measured),
        "herd-1000-bare-p99-seconds": statistics.median(pair.bare.within(0.99) for pair in measured),
        "herd-1000-pods-p99-seconds": statistics.median(percentile(pair.operator.pods, 0.99) for pair in measured),
    }


def _pairs(herd: Herd, count: int, pairs: int) -> list[Pair]:
    began = time.monotonic()
    measured: list[Pair] = []
    while len(measured) < pairs:
        if len(measured) >= FEWEST_PAIRS and time.monotonic() - began > NO_NEW_PAIR_AFTER_SECONDS:
            say("This machine is slow: these pairs have to do.")
            break
        say(f"A herd of {count:,}, pair {len(measured) + 1} of {pairs}.")
        pair = herd.pair(count)
        say(
            f"99 % of the AppServers existed after {pair.operator.within(0.99):.2f} s with the operator and after "
            f"{pair.bare.within(0.99):.2f} s with the bare client: {pair.ratio:.2f}."
        )
        measured.append(pair)
    return measured


@dataclass(slots=True)
class Herd:
    """One cluster, and one round after the other in it."""

    cluster: LocalCluster
    seconds_per_object: float = 0.1
    """To prepare it, first look included; follows what the last round took."""
    while_at_work: Callable[[int], AbstractContextManager[object]] = nullcontext
    """Entered with the operator's process id when all is prepared, left when all pods exist."""
    namespaces: list[str] = field(default_factory=list, init=False)
    """Of the rounds, in order."""
    _pairs: int = field(default=0, init=False)

    def pair(self, count: int) -> Pair:
        """Run both kinds of round; who is first changes from pair to pair."""
        self._pairs += 1
        if self._pairs % 2:
            return Pair(self._operator_round(count), self._bare_round(count))
        bare = self._bare_round(count)
        return Pair(self._operator_round(count), bare)

    def _new_namespace(self, kind: str) -> str:
        self.namespaces.append(f"herd-{len(self.namespaces) + 1}-{kind}")
        return new_namespace(self.cluster, self.namespaces[-1])

    def _operator_round(self, count: int) -> Round:
        for _ in range(MOST_TRIES):
            found = self._try_operator_round(count)
            if found is not None:
                return found
            say("The slot came before all was prepared; again, with more time.")
        raise TimeoutError(f"{count} PeriodicBuilds are never prepared in the time that the last ones took")

    def _try_operator_round(self, count: int) -> Round | None:
        namespace = self._new_namespace("operator")
        self.cluster.collect_garbage()
        arguments = (f"--namespace={namespace}", f"--kube-api-qps={QPS}", "--starts-per-second=0")
        with Trail(self.cluster.audit_log) as trail, running_operator(self.cluster, *arguments) as operator:
            began = datetime.now(UTC)
            slot = _slot_in(MARGIN * self.seconds_per_object * count + 2 * CALM_BEFORE_SECONDS)
            asyncio.run(self._create(namespace, count, slot))
            trail.wait_for(count, "patch", "periodicbuilds/status", within_seconds=PREPARED_WITHIN_SECONDS)
            ready = trail.requests[-1].answered_at
            self.seconds_per_object = (ready - began).total_seconds() / count
            if ready > slot - timedelta(seconds=CALM_BEFORE_SECONDS):
                return None
            used, dry_runs_and_pods = cpu_seconds(operator.pid), 2 * count
            with self.while_at_work(operator.pid):
                trail.wait_for(dry_runs_and_pods, "create", "pods", within_seconds=SETTLED_WITHIN_SECONDS)
            used = cpu_seconds(operator.pid) - used
        return _round(trail, slot, used)

    async def _create(self, namespace: str, count: int, slot: datetime) -> list[bytes]:
        async with KubeSession(await load_credentials(self.cluster.kubeconfig)) as administrator:
            return await send_all(administrator, _creates(namespace, count, slot))

    def _bare_round(self, count: int) -> Round:
        namespace = self._new_namespace("bare")
        self.cluster.collect_garbage()
        with Trail(self.cluster.audit_log) as trail:
            slot, used = asyncio.run(self._start_bare(namespace, count))
            trail.wait_for(count, "create", "appservers", within_seconds=SETTLED_WITHIN_SECONDS)
        return _round(trail, slot, used)

    async def _start_bare(self, namespace: str, count: int) -> tuple[datetime, float]:
        """Prepare what first looks leave, then wait for the slot and send; give the slot and the CPU seconds used."""
        far_away = _slot_in(3600)
        created = await self._create(namespace, count, far_away)
        kubeconfig = self.cluster.kubeconfig_for_service_account(NAMESPACE, ACCOUNT)
        async with KubeSession(await load_credentials(kubeconfig)) as session:
            now = datetime.now(UTC)
            seen = await send_all(session, [first_status_call(answer, now) for answer in created])
            calls = [start_call(answer, far_away) for answer in seen]
            slot = _slot_in(2 * CALM_BEFORE_SECONDS)
            await asyncio.sleep((slot - datetime.now(UTC)).total_seconds())
            used = time.process_time()
            await send_all(session, calls)
        return slot, time.process_time() - used


def _creates(namespace: str, count: int, slot: datetime) -> list[Call]:
    schedule = {"interval": {"every": "24h"}, "notBefore": instant_text(slot)}
    return [create_call(namespace, periodic_build(name, schedule=schedule)) for name in names(count)]


def _slot_in(seconds: float) -> datetime:
    """Give a whole second; slots lie on those."""
    return (datetime.now(UTC) + timedelta(seconds=seconds + 1)).replace(microsecond=0)


def _round(trail: Trail, slot: datetime, used: float) -> Round:
    since = [one for one in trail.requests if one.received_at >= slot]

    def seconds_to(target: str) -> list[float]:
        return sorted((one.answered_at - slot).total_seconds() for one in since if one.has_done("create", target))

    return Round(seconds_to("appservers"), seconds_to("pods"), cpu_seconds=used, requests=len(since))
