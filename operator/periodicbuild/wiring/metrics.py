"""What Prometheus reads about what was done: counters that the loop feeds."""

from __future__ import annotations

from collections import Counter as Tally
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

from periodicbuild.core.reasons import Outcome, Trigger
from periodicbuild.wiring.attempt_metrics import AttemptMetrics
from periodicbuild.wiring.lookup_metrics import LookupMetrics
from periodicbuild.wiring.loop_metrics import LoopMetrics
from periodicbuild.wiring.process_metrics import register_process
from periodicbuild.wiring.telling_metrics import TellingMetrics

if TYPE_CHECKING:
    from periodicbuild.core.plans import BuildPlan
    from periodicbuild.core.status import BuildStatus

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
        self.runs_started = Counter(
            "periodicbuild_runs_started", "Runs that began, by trigger.", ("trigger",), registry=self.registry
        )
        self.stray_pods_removed = Counter(
            "periodicbuild_stray_pods_removed",
            "Pods with our labels that were removed because they belonged to no AppServer.",
            registry=self.registry,
        )
        self.telling = TellingMetrics(self.registry)
        self.attempts = AttemptMetrics(self.registry)
        self.loop = LoopMetrics(self.registry)
        self.lookups = LookupMetrics(self.registry)
        for trigger in Trigger:  # the rate of a series that appears with its first failure misses that failure
            self.runs_started.labels(trigger)
            for outcome in Outcome:
                self.runs.labels(trigger, outcome)

    def count(self, before: BuildStatus, plan: BuildPlan, after: BuildStatus) -> None:
        """Count what an accepted status write has decided; a run that is new may have ended with the same write."""
        for ruling in plan.ruled:
            self.slots.labels(ruling.fate.decision, ruling.fate).inc(ruling.count)
        for ended in plan.ended:
            self.runs.labels(ended.trigger, ended.outcome).inc()
        known = Tally(run.trigger for run in before.runs)
        told = Tally(run.trigger for run in after.runs) + Tally(run.trigger for run in plan.ended)
        for trigger, count in (told - known).items():
            self.runs_started.labels(trigger).inc(count)
