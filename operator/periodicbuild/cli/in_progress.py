"""Whose turn it is: what keeps a slot waiting because a build is in progress, as seen from outside (R17).

Must not know which slot asks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from periodicbuild.cli.times import relative, span
from periodicbuild.kube.errors import ForbiddenError
from periodicbuild.kube.kinds import APP_SERVER_LABEL, BUILD_LABEL, PODS
from periodicbuild.kube.parse import pod_from_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from periodicbuild.cli.cluster import Cluster
    from periodicbuild.core.facts import AppServer, PeriodicBuild, Pod


class Seen(NamedTuple):
    """What is in progress."""

    sentences: tuple[str, ...] = ()
    """One for each thing that holds the next build back."""
    is_blind: bool = False
    """Pods may not be listed, so that there may be more."""


def look_around(cluster: Cluster, build: PeriodicBuild, app_servers: Sequence[AppServer], now: datetime) -> Seen:
    """See what is in progress, as far as the rights of whoever asks go."""
    pods = _pods_of(cluster, build)
    return Seen(sentences=tuple(in_progress(build, app_servers, pods or (), now)), is_blind=pods is None)


def _pods_of(cluster: Cluster, build: PeriodicBuild) -> tuple[Pod, ...] | None:
    """List the pods of all its attempts; None if they may not be seen."""
    labels = f"{BUILD_LABEL}={build.ref.name},{APP_SERVER_LABEL}"
    try:
        return tuple(map(pod_from_json, cluster.list(PODS, build.ref.namespace, labels)))
    except ForbiddenError:
        return None


def in_progress(
    build: PeriodicBuild, app_servers: Sequence[AppServer], pods: Sequence[Pod], now: datetime
) -> Iterator[str]:
    """Say for each thing that holds the next build back which it is, and how it stands."""
    by_uid = {one.ref.uid: one for one in app_servers}
    live = {run.uid for run in build.status.runs if run.next_attempt_at is None}
    for run in build.status.runs:
        if run.next_attempt_at is None:
            began = f"attempt {run.attempt} of run {run.id}, begun {relative(run.started_at, now)}"
            yield f"AppServer {run.app_server} {_standing(by_uid.get(run.uid), now)} ({began})"
    for pod in pods:
        server = by_uid.get(pod.controller_uid or "")
        if server is None:
            if pod.is_ours:
                yield f"pod {pod.ref.name} belongs to none of its AppServers"
        elif server.ref.uid not in live and not server.state.has_succeeded:
            going = "is terminating" if pod.is_deleting else "has not gone yet"
            yield f"pod {pod.ref.name} {going}; its AppServer is {server.state}"
    dying = (one for one in app_servers if one.is_deleting and not one.state.is_finished and one.ref.uid not in live)
    yield from (f"AppServer {one.ref.name} is being deleted" for one in dying)


def _standing(app_server: AppServer | None, now: datetime) -> str:
    """Say what state it is in, and since when."""
    if app_server is None:
        return "is gone, which the operator has not seen yet"
    status = app_server.status
    since = status.configuring_at or status.pod_requested_at or app_server.created_at
    message = f": {status.message}" if status.message else ""
    return f"is {app_server.state} for {span(now - since)}{message}"
