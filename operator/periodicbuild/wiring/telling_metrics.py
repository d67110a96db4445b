"""What Prometheus reads about telling people: tries, how long it took, and what is still owed."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily

from periodicbuild.core.reasons import SinkName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client import CollectorRegistry
    from prometheus_client.core import Metric

    from periodicbuild.core.mail import Delivery
    from periodicbuild.wiring.store import Store

DELAY_BUCKETS = (1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400)
"""Seconds from a fact to its delivery."""


class Told(StrEnum):
    """What became of a try to tell people."""

    DELIVERED = "Delivered"
    FAILED = "Failed"
    GIVEN_UP = "GivenUp"


class TellingMetrics:
    """Counters that the teller feeds."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._tries = Counter(
            "periodicbuild_notifications",
            "Tries to tell people, by sink and outcome: Delivered, Failed (it may be tried again) or GivenUp.",
            ("sink", "outcome"),
            registry=registry,
        )
        self._delay = Histogram(
            "periodicbuild_notification_delay_seconds",
            "Time from a fact to the moment at which a sink had taken it.",
            buckets=DELAY_BUCKETS,
            registry=registry,
        )
        for sink in SinkName:
            for told in Told:
                self._tries.labels(sink, told)

    def count(self, sinks: Iterable[SinkName], delivery: Delivery, seconds: float) -> None:
        """Count what became of one try; `seconds` have passed since the fact."""
        for sink in sinks:
            is_delivered = sink in delivery.delivered
            told = Told.DELIVERED if is_delivered else Told.GIVEN_UP if sink in delivery.given_up else Told.FAILED
            self._tries.labels(sink, told).inc()
            if is_delivered:
                self._delay.observe(max(0.0, seconds))


def owed_metrics(store: Store) -> Iterator[Metric]:
    """Tell how much people are owed, and since when; without a debt there is no instant."""
    since = [notice.since_at for stored in store.builds.values() for notice in stored.build.status.mail.pending]
    yield GaugeMetricFamily(
        "periodicbuild_notifications_pending", "Facts that people have not been told yet.", value=len(since)
    )
    oldest = GaugeMetricFamily(
        "periodicbuild_notification_oldest_pending_timestamp_seconds",
        "When the oldest fact came about that people have not been told yet.",
    )
    if since:
        oldest.add_metric((), min(since).timestamp())
    yield oldest
