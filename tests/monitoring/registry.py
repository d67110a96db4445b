"""An operator's metrics when it has one of each, for whoever has to know which there are."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

from tests.builders import a_build, a_pod, a_schedule_status, an_app_server
from tests.builders.store import stored

from periodicbuild.core.reasons import Decision, Fate
from periodicbuild.core.status import BuildStatus, LastSuccess
from periodicbuild.kube.leadership import Unopposed
from periodicbuild.kube.paths import Target
from periodicbuild.wiring.build_metrics import BuildsCollector
from periodicbuild.wiring.clock import Clock
from periodicbuild.wiring.keys import Key
from periodicbuild.wiring.metrics import Metrics
from periodicbuild.wiring.process_metrics import StateCollector
from periodicbuild.wiring.queue import KeyedQueue
from periodicbuild.wiring.store import Store
from periodicbuild.wiring.store_metrics import StoreCollector

NOON: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)


def a_busy_operators_metrics() -> Metrics:
    """Give metrics of a store with one of each, and some history."""
    store, metrics = Store(lambda _: None), Metrics()
    status = BuildStatus(
        schedule=a_schedule_status(),
        next_slot=NOON,
        last_success=LastSuccess(run="r-1", app_server="nightly-1", at=NOON),
    )
    build = a_build(status=status)
    store.put_build(stored(build))
    store.put_app_server(an_app_server(build))
    store.put_pod(a_pod(an_app_server(build)))
    clock = Clock(wall=lambda: NOON)
    metrics.registry.register(StoreCollector(store, clock))
    metrics.registry.register(BuildsCollector(store, at_most=1))
    queue = KeyedQueue()
    for name in ("one", "other"):
        queue.add(Key("AppServer", "team-a", name))
    metrics.registry.register(
        StateCollector(
            clock,
            Unopposed(),
            waiting=lambda: (3, queue.oldest),
            tasks=lambda: 12,
            heard=lambda: {"Pod": time.monotonic()},
        )
    )
    metrics.loop.on_request(Target("create", "pods", "team-a"), 201, 0.1)
    metrics.loop.on_request(Target("create", "pods", "team-a"), 0, 0.1)
    metrics.schedule_lag.observe(0.7)
    metrics.slots.labels(Decision.STARTED, Fate.DUE).inc()
    metrics.loop.looked("AppServer", 0.1, failed=True)
    return metrics
