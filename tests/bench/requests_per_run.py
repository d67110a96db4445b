"""How many requests one run costs, counted where they arrive, when nothing else is going on.

The operator first, then the CronJob and Job controllers of the same cluster with the same pods.

The one idea a newcomer would miss: a build that ends within two seconds is cheaper, as its intermediate state is never
written, and so is one whose history is not full yet.  Neither is what people run, so these builds take longer, and
counting begins with the second run of each.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec
from tests.bench.audit import Trail, by_verb_and_target
from tests.bench.bodies import create_call
from tests.bench.client import Call, send_all
from tests.bench.cron_jobs import CRON_JOBS, cron_job
from tests.bench.ground import new_namespace, own_cluster, running_operator
from tests.bench.objects import names, periodic_build
from tests.cluster.console import say
from tests.cluster.levels import Level

from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.session import KubeSession

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence
    from typing import Any

    from tests.bench.audit import Request
    from tests.cluster.cluster import Cluster

COUNT = 20
EVERY_SECONDS = 20
RUNS_FOR = {"simulation.periodicbuild.dev/runs-for": "5s"}
"""Longer than intermediate states have to last to be written."""
RUNS = 3
"""Counted, of each; with the one before, all their Events stay within an object's budget of ten at once."""
NO_LEASE = "--leader-elect=false"
"""Renewals cost one request in five seconds, however many runs there are; nor do the cluster's controllers pay them."""
CALM_SECONDS = 4.0
"""Longer than anything within a run takes but the build itself, shorter than the pause between two runs."""
JOBS_CALM_SECONDS = 8.0
"""Nothing is written while a Job's pod runs, so calm has to last longer than the build."""
WITHIN_SECONDS = 240.0
NAMESPACE = "calm"
JOBS_NAMESPACE = "calm-jobs"
EVERY_MINUTE = "* * * * *"
"""CronJobs have no shorter period."""
CONTROLLERS = ("cronjob-controller", "job-controller")
ACCOUNTS = tuple(f"system:serviceaccount:kube-system:{name}" for name in CONTROLLERS)


def measure_requests(count: int = COUNT) -> dict[str, float]:
    """Give the figures."""
    with own_cluster(Level.SIMULATED) as cluster:
        say(f"{count} PeriodicBuilds run every {EVERY_SECONDS} s; {RUNS} runs of each are counted.")
        ours = _told(_requests_of_builds(cluster, count))
        say(f"{count} CronJobs run every minute; {RUNS} runs of each are counted.")
        theirs = _told(_requests_of_jobs(cluster, count))
    return _figures(ours, theirs)


def _told(requests: Sequence[Request]) -> Counter[tuple[str, str]]:
    kinds = by_verb_and_target(requests)
    for (verb, target), number in sorted(kinds.items(), key=lambda item: (-item[1], item[0])):
        say(f"  {verb} {target}: {number}")
    return kinds


def _figures(ours: Counter[tuple[str, str]], theirs: Counter[tuple[str, str]]) -> dict[str, float]:
    runs, jobs = ours["create", "appservers"], theirs["create", "jobs"]
    verbs = {verb: sum(number for (one, _), number in ours.items() if one == verb) / runs for verb, _ in ours}
    by_verb = {f"requests-per-run-{verb}": verbs.get(verb, 0.0) for verb in ("create", "patch", "delete", "get")}
    per_run, per_job = ours.total() / runs, theirs.total() / jobs
    return {
        "requests-per-run": per_run,
        "cronjob-requests-per-run": per_job,
        "requests-per-run-over-cronjob": per_run / per_job,
        **by_verb,
    }


def _requests_of_builds(cluster: Cluster, count: int) -> list[Request]:
    """Give all requests of the operator between two moments at which nothing runs."""
    namespace = new_namespace(cluster, NAMESPACE)
    with Trail(cluster.audit_log) as trail, running_operator(cluster, NO_LEASE):
        asyncio.run(_create(cluster, [create_call(namespace, each) for each in _manifests(count)]))
        begin = _end_of_runs(trail, count, "appservers", CALM_SECONDS)
        end = _end_of_runs(trail, count * (RUNS + 1), "appservers", CALM_SECONDS)
    return trail.requests[begin:end]


def _requests_of_jobs(cluster: Cluster, count: int) -> list[Request]:
    """Give all requests of both controllers between two such moments."""
    path = CRON_JOBS.path(namespace=new_namespace(cluster, JOBS_NAMESPACE))
    with Trail(cluster.audit_log, ACCOUNTS) as trail:
        asyncio.run(_create(cluster, [Call("POST", path, msgspec.json.encode(each)) for each in _cron_jobs(count)]))
        begin = _end_of_runs(trail, count, "jobs", JOBS_CALM_SECONDS)
        end = _end_of_runs(trail, count * (RUNS + 1), "jobs", JOBS_CALM_SECONDS)
    return trail.requests[begin:end]


def _end_of_runs(trail: Trail, number: int, target: str, calm_seconds: float) -> int:
    """Wait until so many runs are over; give the number of requests until then."""
    trail.wait_for(number, "create", target, within_seconds=WITHIN_SECONDS)
    trail.wait_for_calm(for_seconds=calm_seconds, within_seconds=WITHIN_SECONDS)
    return len(trail.requests)


async def _create(cluster: Cluster, calls: Sequence[Call]) -> None:
    async with KubeSession(await load_credentials(cluster.kubeconfig)) as session:
        await send_all(session, calls)


def _cron_jobs(count: int) -> list[dict[str, Any]]:
    manifests = [cron_job(name, EVERY_MINUTE) for name in names(count)]
    for manifest in manifests:
        manifest["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["annotations"] |= RUNS_FOR
    return manifests


def _manifests(count: int) -> list[dict[str, Any]]:
    schedule = {"interval": {"every": f"{EVERY_SECONDS}s"}}
    history = {"successfulLimit": 1, "failedLimit": 1}
    manifests = [
        periodic_build(name, schedule=schedule, history=history, succeedWhen="Completed") for name in names(count)
    ]
    for manifest in manifests:
        manifest["spec"]["template"]["metadata"]["annotations"] |= RUNS_FOR
    return manifests
