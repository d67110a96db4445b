"""What Prometheus reads about each PeriodicBuild: gauges of the store, made at scrape time, so that nothing goes stale.

The one idea a newcomer would miss: instants are told and not ages, so that a rule which compares them with the time
goes on being right while the operator, or the scrape, stands still.
"""

from __future__ import annotations

from itertools import islice, pairwise
from typing import TYPE_CHECKING, Final

from prometheus_client.core import GaugeMetricFamily

from periodicbuild.core.holds import is_gated
from periodicbuild.core.reasons import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from prometheus_client.core import Metric

    from periodicbuild.core.facts import PeriodicBuild
    from periodicbuild.wiring.store import Store


def _next_run(build: PeriodicBuild, _: Store) -> float | None:
    """Give the slot that waits, else the next one: what is due and does not start is late from its slot on.

    But for what a gate holds back: nobody wants an alert for what somebody has planned.
    """
    waiting = build.status.waiting
    if is_gated(waiting):
        return None
    return _unix(waiting.slot if waiting is not None else build.status.next_slot)


def _last_success(build: PeriodicBuild, _: Store) -> float | None:
    return _unix(build.status.last_success.at if build.status.last_success is not None else None)


def _last_run(build: PeriodicBuild, _: Store) -> float | None:
    status = build.status
    instants = [run.started_at for run in status.runs]
    instants += [] if status.last_scheduled is None else [status.last_scheduled.started_at]
    instants += [ended.at for ended in (status.last_success, status.last_failure) if ended is not None]
    return _unix(max(instants, default=None))


def _interval(build: PeriodicBuild, _: Store) -> float | None:
    """Give the longest way between slots, from the last one to the third to come: a weekend counts while it lasts."""
    status = build.status
    if status.schedule is None:
        return None
    if status.schedule.in_force.interval is not None:
        return status.schedule.in_force.interval.every.total_seconds()
    last = () if status.last_scheduled is None else (status.last_scheduled.slot,)
    return max(((later - slot).total_seconds() for slot, later in pairwise((*last, *status.upcoming))), default=None)


def _suspended(build: PeriodicBuild, _: Store) -> float:
    return float(not build.spec.schedule.enabled)


def _failures(build: PeriodicBuild, _: Store) -> float:
    return build.status.consecutive_failures


def _active(build: PeriodicBuild, store: Store) -> float:
    return sum(not child.state.is_finished or child.state == State.RUNNING for child in store.children(build.ref.uid))


def _unix(instant: datetime | None) -> float | None:
    return None if instant is None else instant.timestamp()


GAUGES: Final[tuple[tuple[str, str, Callable[[PeriodicBuild, Store], float | None]], ...]] = (
    (
        "next_run_timestamp_seconds",
        "The slot that waits, else the next one; absent if there is none, or a gate holds it.",
        _next_run,
    ),
    ("last_success_timestamp_seconds", "When a run last succeeded; absent before.", _last_success),
    ("last_run_timestamp_seconds", "When a run last began or ended; absent before.", _last_run),
    ("interval_seconds", "The longest time between neighbouring slots, from the last to the next three.", _interval),
    ("suspended", "1 while the schedule spawns nothing, since spec.enabled is false.", _suspended),
    ("consecutive_failures", "Runs that have failed since the last success.", _failures),
    ("active_appservers", "AppServers that are being built or serve.", _active),
)


class BuildsCollector:
    """Read the PeriodicBuilds of one store, up to a number of them."""

    def __init__(self, store: Store, at_most: int) -> None:
        """Of more than `at_most` the rest is only counted: a series for each would cost Prometheus more than us."""
        self._store = store
        self._at_most = at_most

    def collect(self) -> Iterator[Metric]:
        """Give the gauges of this moment."""
        builds = [stored.build for stored in islice(self._store.builds.values(), self._at_most)]
        for name, documentation, read in GAUGES:
            gauge = GaugeMetricFamily(f"periodicbuild_{name}", documentation, labels=("namespace", "name"))
            for build in builds:
                value = read(build, self._store)
                if value is not None:
                    gauge.add_metric((build.ref.namespace, build.ref.name), value)
            yield gauge
        yield GaugeMetricFamily(
            "periodicbuild_objects_unreported",
            "PeriodicBuilds without metrics of their own, since there are more than --metrics-max-builds.",
            value=len(self._store.builds) - len(builds),
        )
