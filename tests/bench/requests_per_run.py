"""How many requests one run costs, counted where they arrive, when nothing else is going on.

The one idea a newcomer would miss: a build that ends within two seconds is cheaper, as its intermediate state is never
written, and so is one whose history is not full yet.  Neither is what people run, so these builds take longer, and
counting begins with the second run of each.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.bench.audit import Trail, by_verb_and_target
from tests.bench.bodies import create_call
from tests.bench.client import send_all
from tests.bench.ground import new_namespace, own_cluster, running_operator
from tests.bench.objects import names, periodic_build
from tests.cluster.console import say
from tests.cluster.levels import Level

from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.session import KubeSession

if TYPE_CHECKING:
    from collections import Counter
    from typing import Any

    from tests.bench.audit import Request
    from tests.cluster.cluster import Cluster

COUNT = 20
EVERY_SECONDS = 20
RUNS_FOR = {"simulation.periodicbuild.dev/runs-for": "5s"}
"""Longer than intermediate states have to last to be written."""
RUNS = 3
"""Counted, of each; with the one before, all their Events stay within an object's budget of ten at once."""
CALM_SECONDS = 4.0
"""Longer than anything within a run takes but the build itself, shorter than the pause between two runs."""
WITHIN_SECONDS = 120.0
NAMESPACE = "calm"


def measure_requests(count: int = COUNT) -> dict[str, float]:
    """Give the figures."""
    with own_cluster(Level.SIMULATED) as cluster:
        say(f"{count} PeriodicBuilds run every {EVERY_SECONDS} s; {RUNS} runs of each are counted.")
        requests = _requests_of_runs(cluster, count)
    kinds = by_verb_and_target(requests)
    for (verb, target), number in sorted(kinds.items(), key=lambda item: (-item[1], item[0])):
        say(f"  {verb} {target}: {number}")
    return _figures(kinds, runs=kinds["create", "appservers"])


def _figures(kinds: Counter[tuple[str, str]], *, runs: int) -> dict[str, float]:
    verbs = {verb: sum(number for (one, _), number in kinds.items() if one == verb) / runs for verb, _ in kinds}
    by_verb = {f"requests-per-run-{verb}": verbs.get(verb, 0.0) for verb in ("create", "patch", "delete", "get")}
    return {"requests-per-run": kinds.total() / runs, **by_verb}


def _requests_of_runs(cluster: Cluster, count: int) -> list[Request]:
    """Give all requests between two moments at which nothing runs."""
    namespace = new_namespace(cluster, NAMESPACE)
    with Trail(cluster.audit_log) as trail, running_operator(cluster):
        asyncio.run(_create(cluster, namespace, count))
        begin = _end_of_runs(trail, count)
        end = _end_of_runs(trail, count * (RUNS + 1))
    return trail.requests[begin:end]


def _end_of_runs(trail: Trail, number: int) -> int:
    """Wait until so many runs are over; give the number of requests until then."""
    trail.wait_for(number, "create", "appservers", within_seconds=WITHIN_SECONDS)
    trail.wait_for_calm(for_seconds=CALM_SECONDS, within_seconds=WITHIN_SECONDS)
    return len(trail.requests)


async def _create(cluster: Cluster, namespace: str, count: int) -> None:
    async with KubeSession(await load_credentials(cluster.kubeconfig)) as session:
        await send_all(session, [create_call(namespace, each) for each in _manifests(count)])


def _manifests(count: int) -> list[dict[str, Any]]:
    schedule = {"interval": {"every": f"{EVERY_SECONDS}s"}}
    history = {"successfulLimit": 1, "failedLimit": 1}
    manifests = [
        periodic_build(name, schedule=schedule, history=history, succeedWhen="Completed") for name in names(count)
    ]
    for manifest in manifests:
        manifest["spec"]["template"]["metadata"]["annotations"] |= RUNS_FOR
    return manifests
