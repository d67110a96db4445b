"""What Prometheus reads about attempts: how many, how many in vain, and how long they took."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Histogram

from periodicbuild.core.reasons import FailureClass, Outcome

if TYPE_CHECKING:
    from datetime import datetime

    from prometheus_client import CollectorRegistry

    from periodicbuild.core.facts import AppServer, AppServerStatus

BUCKETS = (30, 60, 120, 300, 600, 1800, 3600, 7200, 14_400)
"""Seconds from an AppServer to its outcome."""


class AttemptMetrics:
    """Counters of AppServers that have an outcome; cancelled ones have none."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._attempts = Counter(
            "periodicbuild_provisioning_attempts",
            "AppServers that succeeded or failed; cancelled ones do not count.",
            registry=registry,
        )
        self._failures = Counter(
            "periodicbuild_provisioning_failures",
            "AppServers that failed, by the class of the failure.",
            ("class",),
            registry=registry,
        )
        self._seconds = Histogram(
            "periodicbuild_provisioning_duration_seconds",
            "Time from the creation of an AppServer to its outcome.",
            ("result",),
            buckets=BUCKETS,
            registry=registry,
        )
        for failure_class in FailureClass:
            self._failures.labels(failure_class)
        for result in (Outcome.SUCCEEDED, Outcome.FAILED):
            self._seconds.labels(result)

    def count(self, app_server: AppServer, status: AppServerStatus, now: datetime) -> None:
        """Count an attempt whose outcome an accepted status write tells first; `now` is of the steady clock."""
        if app_server.state.is_finished or not (status.state.has_succeeded or status.state.has_failed):
            return
        self._attempts.inc()
        if status.state.has_failed and status.result is not None:
            self._failures.labels(status.result.failure_class).inc()
        result = Outcome.SUCCEEDED if status.state.has_succeeded else Outcome.FAILED
        self._seconds.labels(result).observe(max(0.0, (now - app_server.created_at).total_seconds()))
