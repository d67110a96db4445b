"""Requests that fail while a Service is switched from one real server to the next, and while a build fails."""

from __future__ import annotations

import pykube
from tests.bench.ground import own_cluster, running_operator
from tests.cluster.console import say
from tests.cluster.levels import Level
from tests.e2e.stage import Stage
from tests.e2e.switch_over import switch_over


def measure_switch_over() -> dict[str, float]:
    """Give the figures."""
    with own_cluster(Level.NODE) as cluster, running_operator(cluster):
        client = pykube.HTTPClient(pykube.KubeConfig.from_file(str(cluster.kubeconfig)))
        seen = switch_over(Stage(cluster, client))
        client.session.close()
    say(f"{seen.report}")
    astray = seen.report.requests - sum(seen.report.answers[name] for name in (seen.first, seen.second))
    return {
        "switch-over-failed-requests": len(seen.report.failures),
        "switch-over-requests": seen.report.requests,
        "switch-over-astray": astray - len(seen.report.failures),
    }
