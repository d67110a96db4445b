"""What Prometheus reads about the process: who it is, whether it leads, what waits, and what it costs."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from prometheus_client import Gauge, ProcessCollector
from prometheus_client.core import GaugeMetricFamily

from periodicbuild.core.zones import TZDATA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

    from periodicbuild.kube.leadership import Leadership
    from periodicbuild.wiring.clock import Clock


class StateCollector:
    """Read the state of the process at each scrape."""

    def __init__(
        self, clock: Clock, leadership: Leadership, *, depth: Callable[[], int], tasks: Callable[[], int]
    ) -> None:
        """`depth` counts what waits, and `tasks` the tasks of the process."""
        self._clock = clock
        self._leadership = leadership
        self._depth = depth
        self._tasks = tasks

    def collect(self) -> Iterator[Metric]:
        """Give the gauges of this moment."""
        for name, documentation, value in (
            ("leader", "1 while this replica leads, and acts; 0 on a standby.", self._leadership.is_leading),
            ("clock_trusted", "1 while our clock agrees with the API server's.", self._clock.is_trusted),
            ("queue_depth", "Keys and writes that wait.", self._depth()),
            ("tasks", "asyncio tasks that exist; a number that only grows is a leak.", self._tasks()),
        ):
            yield GaugeMetricFamily(f"periodicbuild_{name}", documentation, float(value))


def register_process(registry: CollectorRegistry) -> None:
    """Tell what this process is, and what it costs, under the names that all programs use for it."""
    ProcessCollector(registry=registry)
    Gauge(
        "periodicbuild_build_info",
        "Always 1; the versions of the operator and of the zone database that its slots follow.",
        ("version", "tzdata"),
        registry=registry,
    ).labels(version("periodicbuild"), TZDATA_VERSION).set(1)
