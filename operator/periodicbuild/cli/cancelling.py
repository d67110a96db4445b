"""Cancelling the runs of a PeriodicBuild, as far as they are in progress (R25).

The one idea a newcomer would miss: a run between two attempts is cancelled by its last attempt, though that has ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from periodicbuild.cli.errors import AnswerIsNoError
from periodicbuild.cli.objects import app_servers_of, read_build
from periodicbuild.kube.kinds import APP_SERVERS

if TYPE_CHECKING:
    from periodicbuild.cli.cluster import Cluster


def cancel(cluster: Cluster, name: str, run: str | None) -> list[str]:
    """Cancel one run, or all there are, and return the AppServers, oldest first; raises AnswerIsNoError."""
    build = read_build(cluster, name).facts
    attempts = {one.uid for one in build.status.runs}
    found = [
        one
        for one in reversed(app_servers_of(cluster, build))
        if (one.ref.uid in attempts or not one.state.is_finished) and run in {None, one.run}
    ]
    if not found:
        what = "no run" if run is None else f"no run {run}"
        raise AnswerIsNoError(
            f"{what} of PeriodicBuild {name} is in progress: see kubectl periodicbuild history {name}"
        )
    for one in found:
        if not one.cancelled:
            cluster.patch(APP_SERVERS, one.ref.name, {"spec": {"cancelled": True}})
    return [one.ref.name for one in found]
