"""How long it takes until somebody hears, by Prometheus and Alertmanager, that a build fails, and that it is mended."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pykube
from tests.background import in_background
from tests.bench.ground import own_cluster, running_operator
from tests.cluster.console import say
from tests.cluster.levels import Level
from tests.cluster.waiting import wait_for
from tests.e2e.stage import Stage
from tests.e2e.templates import FAIL, SUCCEED, a_build_spec, a_template, every
from tests.monitoring.arrivals import states
from tests.monitoring.prometheus import monitoring
from tests.receivers import receiving

if TYPE_CHECKING:
    from tests.receivers import Receiver

NAME: Final = "broken"
ALERT: Final = "PeriodicBuildFailing"
WITHIN_SECONDS: Final = 120.0


def measure_alerting() -> dict[str, float]:
    """Give the figures; raises ClusterError if the alert does not arrive, or is never over."""
    with ExitStack() as stack:
        cluster = stack.enter_context(own_cluster(Level.NODE))
        operator = stack.enter_context(running_operator(cluster))
        receiver = stack.enter_context(in_background(receiving))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="periodicbuild-alerting-")))
        stack.enter_context(monitoring(folder, [f"127.0.0.1:{operator.port}"], f"{receiver.url}/alerts"))
        api = pykube.HTTPClient(pykube.KubeConfig.from_file(str(cluster.kubeconfig)))
        stack.callback(api.session.close)
        say("A build fails every second, until the alert has arrived; then it is mended.")
        build = Stage(cluster, api).create(NAME, a_build_spec(FAIL, schedule=every("1s")))
        arrived = _seconds_until(receiver, "firing")
        build.patch({"spec": {"template": a_template(SUCCEED)}})
        cleared = _seconds_until(receiver, "resolved")
    return {"alert-end-to-end": 1.0, "alert-arrives-seconds": arrived, "alert-clears-seconds": cleared}


def _seconds_until(receiver: Receiver, state: str) -> float:
    began = time.monotonic()
    wait_for(
        lambda: (ALERT, state) in states(receiver, NAME),
        within_seconds=WITHIN_SECONDS,
        what=f"the alert {ALERT} has not come as {state}",
    )
    return time.monotonic() - began
