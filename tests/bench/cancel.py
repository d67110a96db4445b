"""How long it takes from asking for the end of a build until its pod is told to go."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Final

import pykube
from tests.bench.ground import own_cluster, running_operator
from tests.cluster.console import say
from tests.cluster.levels import Level
from tests.e2e.stage import Stage
from tests.integration.simulated_specs import FOR_EVER, a_build_spec

if TYPE_CHECKING:
    from tests.e2e.objects import AppServer

BUILDS: Final = 50
POLL_SECONDS: Final = 0.01
WITHIN_SECONDS: Final = 30.0


def measure_cancel(builds: int = BUILDS) -> dict[str, float]:
    """Give the figures."""
    with own_cluster(Level.SIMULATED) as cluster, running_operator(cluster):
        api = pykube.HTTPClient(pykube.KubeConfig.from_file(str(cluster.kubeconfig)))
        try:
            stage = Stage(cluster, api)
            say(f"{builds} builds run, and are cancelled one after the other.")
            running = [stage.create(f"build-{number}", a_build_spec(FOR_EVER)) for number in range(builds)]
            attempts = [stage.attempt(build, 1, "ConfiguringServer") for build in running]
            seconds = [_cancel(stage, attempt) for attempt in attempts]
        finally:
            api.session.close()
    return {"cancel-median-seconds": statistics.median(seconds), "cancel-max-seconds": max(seconds)}


def _cancel(stage: Stage, attempt: AppServer) -> float:
    began = time.monotonic()
    attempt.patch({"spec": {"cancelled": True}})
    pods = pykube.Pod.objects(stage.api, namespace=attempt.namespace)
    while time.monotonic() - began < WITHIN_SECONDS:
        pod = pods.get_or_none(name=attempt.name)
        if pod is None or pod.metadata.get("deletionTimestamp"):
            return time.monotonic() - began
        time.sleep(POLL_SECONDS)
    raise TimeoutError(f"the pod of {attempt.name} is still there {WITHIN_SECONDS:g} s after it was cancelled")
