"""What an attempt has printed: from its pod as long as there is one.

Must not know what is done with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from periodicbuild.cli.errors import AnswerIsNoError
from periodicbuild.cli.objects import app_servers_of
from periodicbuild.core.verdicts import container_with_log, waiting_cause
from periodicbuild.kube.errors import NotFoundError
from periodicbuild.kube.kinds import PODS
from periodicbuild.kube.parse import pod_from_json

if TYPE_CHECKING:
    from collections.abc import Generator

    from periodicbuild.cli.cluster import Cluster
    from periodicbuild.core.facts import AppServer, PeriodicBuild, Pod


def find_attempt(cluster: Cluster, build: PeriodicBuild, run: str | None) -> AppServer:
    """Give the newest attempt, of one run if it is named; raises AnswerIsNoError if there is none on record."""
    attempts = [one for one in app_servers_of(cluster, build) if run in {None, one.run}]
    if attempts:
        return attempts[0]
    name = build.ref.name
    of_what = f"PeriodicBuild {name}" if run is None else f"run {run} of PeriodicBuild {name}"
    raise AnswerIsNoError(f"no attempt of {of_what} is on record: see kubectl periodicbuild history {name}")


def live_log(cluster: Cluster, attempt: AppServer, container: str | None, *, follow: bool) -> Generator[bytes] | None:
    """Open the log of an attempt's pod; None if there is no pod any more, AnswerIsNoError if nothing has run in it."""
    try:
        pod = pod_from_json(cluster.read(PODS, attempt.ref.name))
    except NotFoundError:
        return None
    if pod.controller_uid != attempt.ref.uid:
        return None
    params = {"container": container or _container(attempt, pod)} | ({"follow": "true"} if follow else {})
    return cluster.stream(PODS, pod.ref.name, "log", params)


def _container(attempt: AppServer, pod: Pod) -> str:
    container = container_with_log(pod, attempt.status.result)
    if container is None:
        reason, message = waiting_cause(pod)
        raise AnswerIsNoError(f"nothing has run in pod {pod.ref.name} yet: {reason}: {message}".rstrip(": "))
    return container
