"""What Prometheus reads about the process: who it is, whether it leads, what waits, and what it costs."""

from __future__ import annotations

import os
import time
from importlib.metadata import version
from typing import TYPE_CHECKING

from prometheus_client import Gauge, ProcessCollector
from prometheus_client.core import GaugeMetricFamily

from periodicbuild.core.zones import TZDATA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

    from periodicbuild.kube.leadership import Leadership
    from periodicbuild.wiring.clock import Clock


class StateCollector:
    """Read the state of the process at each scrape."""

    def __init__(
        self,
        clock: Clock,
        leadership: Leadership,
        *,
        waiting: Callable[[], tuple[int, float | None]],
        tasks: Callable[[], int],
        heard: Callable[[], Mapping[str, float]],
    ) -> None:
        """Ask at each scrape: how much waits, and since when the first in line (Unix time), and what `heard` says.

        `heard` tells when the API server last spoke to the watches of each kind, by the monotonic clock.
        """
        self._clock = clock
        self._leadership = leadership
        self._waiting = waiting
        self._tasks = tasks
        self._heard = heard

    def collect(self) -> Iterator[Metric]:
        """Give the gauges of this moment."""
        depth, oldest_at = self._waiting()
        for name, documentation, value in (
            ("leader", "1 while this replica leads, and acts; 0 on a standby.", self._leadership.is_leading),
            ("clock_trusted", "1 while our clock agrees with the API server's.", self._clock.is_trusted),
            ("queue_depth", "Keys and writes that wait.", depth),
            ("tasks", "asyncio tasks that exist; a number that only grows is a leak.", self._tasks()),
        ):
            yield GaugeMetricFamily(f"periodicbuild_{name}", documentation, float(value))
        yield _oldest(oldest_at)
        yield self._last_activity()

    def _last_activity(self) -> Metric:
        heard = GaugeMetricFamily(
            "periodicbuild_watch_last_activity_timestamp_seconds",
            "When the API server last said anything to the watch of a kind that has been silent longest.",
            labels=("kind",),
        )
        zero = time.time() - time.monotonic()
        for kind, instant in self._heard().items():
            heard.add_metric((kind,), zero + instant)
        return heard


def _oldest(since: float | None) -> Metric:
    oldest = GaugeMetricFamily(
        "periodicbuild_queue_oldest_timestamp_seconds", "Since when the first key in line has waited."
    )
    if since is not None:
        oldest.add_metric((), since)
    return oldest


def register_process(registry: CollectorRegistry) -> None:
    """Tell what this process is, and what it costs, under the names that all programs use for it."""
    ProcessCollector(registry=registry)
    Gauge(
        "periodicbuild_build_info",
        "Always 1; version and revision of the operator, and of the zone database that its slots follow.",
        ("version", "revision", "tzdata"),
        registry=registry,
    ).labels(version("periodicbuild"), os.environ.get("PERIODICBUILD_REVISION", "unknown"), TZDATA_VERSION).set(1)
