"""1,000 builds due every minute and 20 requests a second to start them with: what becomes of those that cannot start.

The operator first, then the CronJob controller of the same cluster's kube-controller-manager, whose client has the same
budget by default.  Nothing ever runs, since there are no nodes: all that is measured is what is written down.

The one idea a newcomer would miss: neither can start all that is due, and neither should.  The figure is how many slots
are in no record once the crowd has passed: of ours by the independent recount, of CronJobs by the jobs and Events.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec
from tests.bench.bodies import create_call
from tests.bench.client import Call, send_all
from tests.bench.cron_jobs import CRON_JOBS, EVENTS, JOBS, SCHEDULED_AT, TOLD_OF, times_told
from tests.bench.ground import new_namespace, own_cluster, running_operator
from tests.bench.objects import IMAGE, names, periodic_build
from tests.cluster.console import say
from tests.cluster.levels import Level

from periodicbuild.core.recount import GRACE, unaccounted_slots
from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.kinds import PERIODIC_BUILDS
from periodicbuild.kube.parse import periodic_build_from_json
from periodicbuild.kube.session import MERGE_PATCH, KubeSession

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cluster.cluster import Cluster

    from periodicbuild.core.facts import PeriodicBuild
    from periodicbuild.kube.paths import Kind

COUNT: Final = 1_000
MINUTES: Final = 5
BUDGET: Final = ("--kube-api-qps=20", "--kube-api-burst=30", "--starts-per-second=0")
"""What kube-controller-manager has by default."""
UNHURRIED: Final = ("--kube-api-qps=500", "--starts-per-second=0")
"""To prepare: the first looks are not what is measured."""
PREPARED_WITHIN: Final = timedelta(minutes=4)
MINUTES_OF_AN_HOUR: Final = 60
RECORDED_WITHIN: Final = timedelta(minutes=10)
"""After the last slot: what is not in a ledger by then is lost."""
SAID_EVERY_SECONDS: Final = 60.0
EVERY_MINUTE: Final = "* * * * *"


def measure_crowd(count: int = COUNT, minutes: int = MINUTES) -> dict[str, float]:
    """Give the figures."""
    with own_cluster(Level.CONTROL_PLANE) as cluster:
        ours = asyncio.run(_operators_turn(cluster, count, minutes))
        theirs = asyncio.run(_cron_jobs_turn(cluster, count, minutes))
    return ours | theirs


async def _operators_turn(cluster: Cluster, count: int, minutes: int) -> dict[str, float]:
    namespace = new_namespace(cluster, "crowd")
    begin = _begin_of_a_window(PREPARED_WITHIN, minutes)
    schedule = {"cron": {"expression": f"{begin.minute}-{begin.minute + minutes - 1} {begin.hour} * * *"}}
    calls = [create_call(namespace, periodic_build(name, schedule=schedule)) for name in names(count)]
    async with KubeSession(await load_credentials(cluster.kubeconfig)) as session:
        say(f"{count:,} PeriodicBuilds are prepared.")
        with running_operator(cluster, f"--namespace={namespace}", *UNHURRIED):
            await send_all(session, calls)
            while any(one.status.schedule is None for one in await builds_in(session, namespace)):  # noqa: ASYNC110 - asks
                await asyncio.sleep(2)
        if datetime.now(UTC) > begin - timedelta(seconds=20):
            raise TimeoutError(f"this machine is too slow to prepare {count} PeriodicBuilds in {PREPARED_WITHIN}")
        say(f"They are due every minute from {begin:%H:%M} UTC on, and the operator may send 20 requests a second.")
        with running_operator(cluster, f"--namespace={namespace}", *BUDGET):
            last = begin + timedelta(minutes=minutes - 1)
            await _sleep_until(last)
            while (late := datetime.now(UTC) - last) < RECORDED_WITHIN:
                builds = await builds_in(session, namespace)
                if all(_recorded(build) >= minutes for build in builds):
                    break
                await asyncio.sleep(5)
        await _sleep_until(last + GRACE)
        return _accounts(builds, last + GRACE) | {
            "herd-1000-at-20-seconds": late.total_seconds(),
            "herd-1000-at-20-audit-exit-code": await _audit(cluster, namespace),
        }


async def _audit(cluster: Cluster, namespace: str) -> int:
    """Ask as a person does; return the exit code."""
    words = ("audit", "--all", f"--namespace={namespace}", f"--kubeconfig={cluster.kubeconfig}")
    plugin = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "periodicbuild.cli", *words, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await plugin.communicate()
    say(output.decode().splitlines()[-1])
    return plugin.returncode or 0


def _recorded(build: PeriodicBuild) -> int:
    return build.status.slots.due if build.status.slots is not None else 0


def _accounts(builds: Sequence[PeriodicBuild], now: datetime) -> dict[str, float]:
    slots = [build.status.slots for build in builds if build.status.slots is not None]
    reasons = Counter[str]()
    for build in builds:
        for entry in build.status.ledger:
            reasons[f"{entry.decision}/{entry.reason}"] += entry.count
    waiting = sum(build.status.waiting is not None for build in builds)
    say(f"{sum(one.due for one in slots):,} slots are recorded: {dict(reasons)}, and {waiting} wait.")
    return {
        "herd-1000-at-20-recorded": sum(one.due for one in slots),
        "herd-1000-at-20-unaccounted": sum(unaccounted_slots(build.status, now) for build in builds),
    }


async def _cron_jobs_turn(cluster: Cluster, count: int, minutes: int) -> dict[str, float]:
    namespace = new_namespace(cluster, "cronjobs")
    path = CRON_JOBS.path(namespace=namespace)
    async with KubeSession(await load_credentials(cluster.kubeconfig)) as session:
        await send_all(session, [Call("POST", path, msgspec.json.encode(_cron_job(name))) for name in names(count)])
        begin = _full_minute_in(timedelta(seconds=30))
        await _sleep_until(begin - timedelta(seconds=25))
        resume = msgspec.json.encode({"spec": {"suspend": False}})
        paths = [CRON_JOBS.path(namespace=namespace, name=name) for name in names(count)]
        await send_all(session, [Call("PATCH", path, resume, MERGE_PATCH) for path in paths])
        say(f"{count:,} CronJobs are due every minute from {begin:%H:%M} UTC on.")
        end = begin + timedelta(minutes=minutes)
        await _sleep_until(end + GRACE)
        jobs = [_scheduled_at(job) for job in await _items(session, JOBS, namespace)]
        told = [one for one in await _items(session, EVENTS, namespace) if one.get("reason") in TOLD_OF]
    due = count * minutes
    started = sum(begin <= at < end for at in jobs)
    explained = sum(times_told(one) for one in told)
    say(f"Of {due:,} slots {started:,} have a job, and {explained:,} an Event that says why not.")
    return {"cronjob-1000-at-20-lost": max(0, due - started - explained)}


def _cron_job(name: str) -> dict[str, Any]:
    pod = {"restartPolicy": "Never", "containers": [{"name": "main", "image": IMAGE}]}
    spec = {"schedule": EVERY_MINUTE, "suspend": True, "jobTemplate": {"spec": {"template": {"spec": pod}}}}
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name}, "spec": spec}


def _scheduled_at(job: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(job["metadata"]["annotations"][SCHEDULED_AT])


async def builds_in(session: KubeSession, namespace: str) -> list[PeriodicBuild]:
    """Give all PeriodicBuilds of a namespace, as the operator reads them."""
    items = await _items(session, PERIODIC_BUILDS, namespace)
    return [periodic_build_from_json(msgspec.json.encode(item)) for item in items]


async def _items(session: KubeSession, kind: Kind, namespace: str) -> list[dict[str, Any]]:
    answer = msgspec.json.decode(await session.get(kind.path(namespace=namespace)))
    items: list[dict[str, Any]] = answer["items"]
    return items


def _begin_of_a_window(wait: timedelta, minutes: int) -> datetime:
    """Give a full minute after which so many others lie within the hour, so that one cron expression says it."""
    begin = _full_minute_in(wait)
    while begin.minute + minutes > MINUTES_OF_AN_HOUR:
        begin += timedelta(minutes=1)
    return begin


def _full_minute_in(wait: timedelta) -> datetime:
    return (datetime.now(UTC) + wait + timedelta(minutes=1)).replace(second=0, microsecond=0)


async def _sleep_until(instant: datetime) -> None:
    begin = time.monotonic()
    seconds = (instant - datetime.now(UTC)).total_seconds()
    while (left := seconds - (time.monotonic() - begin)) > 0:
        if left > SAID_EVERY_SECONDS:
            say(f"{left / 60:.0f} minutes to go.")
        await asyncio.sleep(min(left, SAID_EVERY_SECONDS))
