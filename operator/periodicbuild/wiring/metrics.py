"""What Prometheus reads.  Gauges come from a collector that reads the store at scrape time: nothing goes stale."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily

from periodicbuild.core.reasons import Outcome, Trigger
from periodicbuild.core.recount import unaccounted_slots
from periodicbuild.core.zones import TZDATA_VERSION
from periodicbuild.wiring.telling_metrics import TellingMetrics, owed_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client.core import Metric

    from periodicbuild.core.plans import BuildPlan
    from periodicbuild.kube.leadership import Leadership
    from periodicbuild.kube.paths import Target
    from periodicbuild.wiring.clock import Clock
    from periodicbuild.wiring.store import Store


LAG_BUCKETS = (0.1, 0.5, 1, 5, 15, 30, 60, 300, 900, 3600)
"""Seconds from a slot to its AppServer."""


class Metrics:
    """Counters that the loop feeds, in a registry of their own."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # the package's one untyped function
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        Gauge(
            "periodicbuild_build_info",
            "Always 1; the versions of the operator and of the zone database that its slots follow.",
            ("version", "tzdata"),
            registry=self.registry,
        ).labels(version("periodicbuild"), TZDATA_VERSION).set(1)
        self.schedule_lag = Histogram(
            "periodicbuild_schedule_lag_seconds",
            "Time from a slot to the creation of its AppServer.",
            buckets=LAG_BUCKETS,
            registry=self.registry,
        )
        self.slots = Counter(
            "periodicbuild_slots",
            "Slots that got their fate, by decision and reason.",
            ("decision", "reason"),
            registry=self.registry,
        )
        self.runs = Counter(
            "periodicbuild_runs_finished",
            "Runs that ended, by trigger and result.",
            ("trigger", "result"),
            registry=self.registry,
        )
        self.failed_looks = Counter(
            "periodicbuild_failed_looks", "Looks that ended in an error, by kind.", ("kind",), registry=self.registry
        )
        self.stray_pods_removed = Counter(
            "periodicbuild_stray_pods_removed",
            "Pods with our labels that were removed because they belonged to no AppServer.",
            registry=self.registry,
        )
        self.requests = Counter(
            "periodicbuild_kube_requests",
            "Requests to the API server, by verb, resource and code (0: no answer).",
            ("verb", "resource", "code"),
            registry=self.registry,
        )
        self.telling = TellingMetrics(self.registry)
        for trigger in Trigger:
            for outcome in Outcome:
                self.runs.labels(trigger, outcome)

    def count(self, plan: BuildPlan) -> None:
        """Count what an accepted status write has decided."""
        for ruling in plan.ruled:
            self.slots.labels(ruling.fate.decision, ruling.fate).inc(ruling.count)
        for run in plan.ended:
            self.runs.labels(run.trigger, run.outcome).inc()

    def on_request(self, target: Target, code: int, _seconds: float) -> None:
        """Count one request."""
        self.requests.labels(target.verb, target.resource, str(code)).inc()

    def watch(
        self, store: Store, clock: Clock, leadership: Leadership, *, depth: Callable[[], int], tasks: Callable[[], int]
    ) -> None:
        """Read gauges at each scrape; `depth` counts what waits, and `tasks` the tasks of the process."""
        self.registry.register(_StoreCollector(store, clock, leadership, depth=depth, tasks=tasks))


class _StoreCollector:
    def __init__(
        self, store: Store, clock: Clock, leadership: Leadership, *, depth: Callable[[], int], tasks: Callable[[], int]
    ) -> None:
        self._store = store
        self._clock = clock
        self._leadership = leadership
        self._depth = depth
        self._tasks = tasks

    def collect(self) -> Iterator[Metric]:
        """Give the gauges of this moment."""
        wall = self._clock.now().wall
        unaccounted = sum(
            unaccounted_slots(
                build.status, wall, self._store.build_memory(build.ref.uid).unwritten, build.spec.starting.spread
            )
            for build in (stored.build for stored in self._store.builds.values())
            if not build.is_deleting  # nothing is created any more, so nothing is owed (R43)
        )
        yield GaugeMetricFamily(
            "periodicbuild_unaccounted_slots",
            "Slots older than two minutes that are in no ledger, by independent recount; not 0 = a bug.",
            value=unaccounted,
        )
        yield from owed_metrics(self._store)
        yield GaugeMetricFamily(
            "periodicbuild_stray_pods",
            "Pods with our labels that belong to no AppServer; not 0 for minutes = they cannot be removed.",
            value=sum(1 for _ in self._store.stray_pods()),
        )
        yield GaugeMetricFamily(
            "periodicbuild_tasks", "asyncio tasks that exist; a number that only grows is a leak.", self._tasks()
        )
        yield GaugeMetricFamily("periodicbuild_queue_depth", "Keys and writes that wait.", value=self._depth())
        objects = GaugeMetricFamily("periodicbuild_objects", "Objects in the store.", labels=("kind",))
        for kind, count in (
            ("PeriodicBuild", len(self._store.builds)),
            ("AppServer", len(self._store.app_servers)),
            ("Pod", len(self._store.pods)),
        ):
            objects.add_metric((kind,), count)
        yield objects
        leads = float(self._leadership.is_leading)
        yield GaugeMetricFamily("periodicbuild_leader", "1 while this replica leads, and acts; 0 on a standby.", leads)
        trusted = float(self._clock.is_trusted)
        yield GaugeMetricFamily(
            "periodicbuild_clock_trusted", "1 while our clock agrees with the API server's.", trusted
        )
