"""What Prometheus reads about what there is: gauges of the store, made at scrape time, so that nothing goes stale."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily

from periodicbuild.core.recount import unaccounted_slots
from periodicbuild.wiring.telling_metrics import owed_metrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from periodicbuild.wiring.clock import Clock
    from periodicbuild.wiring.store import Store


class StoreCollector:
    """Read one store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """Give the gauges of this moment."""
        yield GaugeMetricFamily(
            "periodicbuild_unaccounted_slots",
            "Slots older than two minutes that are in no ledger, by independent recount; not 0 = a bug.",
            value=self._unaccounted_slots(),
        )
        yield from owed_metrics(self._store)
        yield GaugeMetricFamily(
            "periodicbuild_stray_pods",
            "Pods with our labels that belong to no AppServer; not 0 for minutes = they cannot be removed.",
            value=sum(1 for _ in self._store.stray_pods()),
        )
        objects = GaugeMetricFamily("periodicbuild_objects", "Objects in the store.", labels=("kind",))
        for kind, count in (
            ("PeriodicBuild", len(self._store.builds)),
            ("AppServer", len(self._store.app_servers)),
            ("Pod", len(self._store.pods)),
        ):
            objects.add_metric((kind,), count)
        yield objects

    def _unaccounted_slots(self) -> int:
        wall = self._clock.now().wall
        return sum(
            unaccounted_slots(
                build.status, wall, self._store.build_memory(build.ref.uid).unwritten, build.spec.starting.spread
            )
            for build in (stored.build for stored in self._store.builds.values())
            if not build.is_deleting  # nothing is created any more, so nothing is owed (R43)
        )
