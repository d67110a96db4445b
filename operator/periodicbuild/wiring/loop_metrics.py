"""What Prometheus reads about the loop: looks, Events and requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Histogram

from periodicbuild.kube.events import Recorded
from periodicbuild.kube.kinds import APP_SERVER, BUILD_GATE, PERIODIC_BUILD

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from periodicbuild.kube.paths import Target

LOOK_BUCKETS = (0.001, 0.01, 0.05, 0.1, 0.5, 1, 5, 30)
"""Seconds of a look, with the time for which its writes wait."""
REQUEST_BUCKETS = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60)
DONE, FAILED = "Done", "Failed"
"""What becomes of a look."""


class LoopMetrics:
    """Counters that reconciler, recorder and sessions feed."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._looks = Counter(
            "periodicbuild_reconciles",
            "Looks at objects, by kind and outcome: Done, or Failed, which is tried again.",
            ("kind", "outcome"),
            registry=registry,
        )
        self._look_seconds = Histogram(
            "periodicbuild_reconcile_duration_seconds",
            "Time of a look, with the time for which its writes wait.",
            ("kind",),
            buckets=LOOK_BUCKETS,
            registry=registry,
        )
        self._events = Counter(
            "periodicbuild_events",
            "Events, by outcome: Created, Dropped (over an object's budget, or good news while writes wait) or Failed.",
            ("outcome",),
            registry=registry,
        )
        self._requests = Counter(
            "periodicbuild_kube_requests",
            "Requests to the API server, by verb, resource and code (0: no answer).",
            ("verb", "resource", "code"),
            registry=registry,
        )
        self._request_seconds = Histogram(
            "periodicbuild_kube_request_duration_seconds",
            "Time of a request to the API server, by verb and resource; watches, which are meant to last, left out.",
            ("verb", "resource"),
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )
        for kind in (PERIODIC_BUILD, APP_SERVER, BUILD_GATE):
            self._look_seconds.labels(kind)
            for outcome in (DONE, FAILED):
                self._looks.labels(kind, outcome)
        for recorded in Recorded:
            self._events.labels(recorded)

    def looked(self, kind: str, seconds: float, *, failed: bool) -> None:
        """Count one look."""
        self._looks.labels(kind, FAILED if failed else DONE).inc()
        self._look_seconds.labels(kind).observe(seconds)

    def on_event(self, outcome: Recorded) -> None:
        """Count what became of one Event."""
        self._events.labels(outcome).inc()

    def on_request(self, target: Target, code: int, seconds: float) -> None:
        """Count one request."""
        self._requests.labels(target.verb, target.resource, str(code)).inc()
        if target.verb != "watch":
            self._request_seconds.labels(target.verb, target.resource).observe(seconds)
