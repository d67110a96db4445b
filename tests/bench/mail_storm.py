"""1,000 runs fail within a minute, and only so many mails an hour are allowed: who is told of what, and when."""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from tests.bench.bodies import create_call
from tests.bench.client import send_all
from tests.bench.ground import new_namespace, own_cluster, running_operator
from tests.bench.objects import instant_text, names
from tests.bench.process import resident_mb
from tests.cluster.console import say
from tests.cluster.levels import Level
from tests.integration.simulated_specs import a_build_spec
from tests.mail.running import running_mail_server

from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.kinds import PERIODIC_BUILDS
from periodicbuild.kube.session import KubeSession

if TYPE_CHECKING:
    from typing import Any

    from tests.cluster.cluster import Cluster
    from tests.mail.running import RunningMailServer
    from tests.operator_process import OperatorProcess

COUNT: Final = 1_000
CAP: Final = 20
FLAGS: Final = (
    f"--notices-per-hour={CAP}",
    "--digest-after=30s",
    "--mail-to=ops@example.com",
    "--kube-api-qps=500",
    "--starts-per-second=0",
)
PREPARED_WITHIN: Final = timedelta(seconds=60)
DRAINED_WITHIN_SECONDS: Final = 900.0
ASKED_EVERY_SECONDS: Final = 3.0


def measure_mail_storm(count: int = COUNT) -> dict[str, float]:
    """Give the figures."""
    with (
        own_cluster(Level.SIMULATED) as cluster,
        tempfile.TemporaryDirectory() as folder,
        running_mail_server(Path(folder)) as mail,
    ):
        namespace = new_namespace(cluster, "storm")
        with running_operator(cluster, f"--namespace={namespace}", *mail.flags, *FLAGS) as operator:
            return asyncio.run(_storm(cluster, operator, mail, namespace, count))


async def _storm(
    cluster: Cluster, operator: OperatorProcess, mail: RunningMailServer, namespace: str, count: int
) -> dict[str, float]:
    slot = datetime.now(UTC).replace(microsecond=0) + PREPARED_WITHIN
    async with KubeSession(await load_credentials(cluster.kubeconfig)) as session:
        await send_all(session, [create_call(namespace, _manifest(name, slot)) for name in names(count)])
        say(f"{count:,} PeriodicBuilds are due at {slot:%H:%M:%S} UTC, and all of their runs fail.")
        await asyncio.sleep(max(0.0, (slot - datetime.now(UTC)).total_seconds()))
        largest, began = 0.0, time.monotonic()
        while time.monotonic() - began < DRAINED_WITHIN_SECONDS:
            largest = max(largest, resident_mb(operator.pid))
            statuses = await _statuses(session, namespace)
            failed = sum("lastFailure" in status for status in statuses)
            owed = sum(bool(status.get("mail", {}).get("pending")) for status in statuses)
            if failed == count and not owed:
                break
            await asyncio.sleep(ASKED_EVERY_SECONDS)
        seconds = time.monotonic() - began
    letters = mail.letters_about(namespace)
    digests = [letter["Subject"] for letter in mail.server.letters if letter["X-PeriodicBuild-Name"] is None]
    say(f"{failed:,} runs have failed, {owed:,} notices are owed; {len(letters)} letters, and {digests}.")
    told = len({letter["X-PeriodicBuild-Name"] for letter in letters})
    held = sum(int(found[0]) for subject in digests if (found := re.findall(r"(\d+) notices? held back", subject)))
    return {
        "mail-storm-lost": count - told - held,
        "mail-storm-letters": len(letters),
        "mail-storm-digests": len(digests),
        "mail-storm-drained-seconds": seconds,
        "mail-storm-rss-mb": largest,
    }


def _manifest(name: str, slot: datetime) -> dict[str, Any]:
    schedule = {"interval": {"every": "24h"}, "notBefore": instant_text(slot)}
    return {
        "apiVersion": "periodicbuild.dev/v1alpha1",
        "kind": "PeriodicBuild",
        "metadata": {"name": name},
        "spec": a_build_spec(exit_code=3, schedule=schedule),
    }


async def _statuses(session: KubeSession, namespace: str) -> list[dict[str, Any]]:
    answer = msgspec.json.decode(await session.get(PERIODIC_BUILDS.path(namespace=namespace)))
    return [item.get("status", {}) for item in answer["items"]]
