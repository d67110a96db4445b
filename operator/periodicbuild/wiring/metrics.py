"""What Prometheus reads about what was done: counters that the loop feeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from periodicbuild.core.reasons import Outcome, Trigger
from periodicbuild.wiring.process_metrics import register_process
from periodicbuild.wiring.telling_metrics import TellingMetrics

if TYPE_CHECKING:
    from periodicbuild.core.plans import BuildPlan
    from periodicbuild.kube.paths import Target

LAG_BUCKETS = (0.1, 0.5, 1, 5, 15, 30, 60, 300, 900, 3600)
"""Seconds from a slot to its AppServer."""


class Metrics:
    """The counters, in a registry of their own, to which others add what they know."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # the package's one untyped function
        self.registry = CollectorRegistry()
        register_process(self.registry)
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
