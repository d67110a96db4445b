"""A wall clock that steps: nothing is judged until it agrees with the API server again, and nothing is lost (R9)."""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from tests.cluster.cluster import Cluster
from tests.cluster.ports import free_loopback_port
from tests.operator_process import ACCOUNT, NAMESPACE, install
from tests.schema.manifests import as_list, periodic_build

from periodicbuild.wiring.application import run
from periodicbuild.wiring.clock import Clock
from periodicbuild.wiring.settings import parse_settings

pytestmark = pytest.mark.control_plane


class SteppingClock:
    """A wall clock that a test sets."""

    def __init__(self) -> None:
        self.off_by = timedelta()

    def read(self) -> datetime:
        """Read it."""
        return datetime.now(UTC) + self.off_by


async def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 40
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        await asyncio.sleep(0.1)


async def metric(port: int, name: str) -> float:
    """Give a sample; asked from another thread, since the operator that answers lives in this one."""
    return await asyncio.to_thread(_metric, port, name)


def _metric(port: int, name: str) -> float:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
            found = re.search(rf"^{re.escape(name)} (\S+)$", answer.read().decode(), re.MULTILINE)
    except OSError:
        return -1
    return float(found[1]) if found else -1


def clock_skew_events(cluster: Cluster) -> int:
    """Count what the Lease was told of (Events about an object are where it is)."""
    events = cluster.kubectl(
        "get", "events", f"--namespace={NAMESPACE}", "--field-selector=reason=ClockSkew", "-o=name"
    )
    return len(events.split())


@pytest.mark.parametrize("step", [timedelta(hours=2), timedelta(days=90), timedelta(days=-90)], ids=str)
def test_a_step_of_the_clock_starts_nothing_until_it_is_set_right(control_plane: Cluster, step: timedelta) -> None:
    install(control_plane)
    kubeconfig = control_plane.kubeconfig_for_service_account(NAMESPACE, ACCOUNT)
    port = free_loopback_port()
    clock = SteppingClock()
    name = f"stepped-{abs(step) // timedelta(hours=1)}-{'back' if step < timedelta() else 'ahead'}"
    enabled = periodic_build(name, enabled=True, schedule={"interval": {"every": "1h"}})

    def slots() -> dict[str, int]:
        status = json.loads(control_plane.kubectl("get", "pb", name, "-o", "json")).get("status", {})
        return dict(status.get("slots", {}))

    before = clock_skew_events(control_plane)

    async def scenario() -> None:
        settings = parse_settings(["run", "--kubeconfig", str(kubeconfig), "--listen", f"127.0.0.1:{port}"])
        operator = asyncio.create_task(run(settings, Clock(wall=clock.read)))
        await until(lambda: _metric(port, "periodicbuild_clock_trusted") == 1, "the operator is up")
        clock.off_by = step
        known = await metric(port, 'periodicbuild_objects{kind="PeriodicBuild"}')
        await asyncio.to_thread(control_plane.kubectl, "apply", "-f", "-", input=as_list(enabled))
        await until(lambda: _metric(port, 'periodicbuild_objects{kind="PeriodicBuild"}') > known, "it is seen")
        await until(lambda: _metric(port, "periodicbuild_queue_depth") == 0, "it was looked at")
        assert await metric(port, "periodicbuild_clock_trusted") == 0
        assert await asyncio.to_thread(slots) == {}
        await until(lambda: clock_skew_events(control_plane) == before + 1, "the Lease has an Event, and only one")
        clock.off_by = timedelta()
        await until(lambda: slots() == {"due": 1, "started": 1, "skipped": 0, "missed": 0}, "it starts once")
        assert await metric(port, "periodicbuild_unaccounted_slots") == 0
        operator.cancel()
        await asyncio.gather(operator, return_exceptions=True)

    asyncio.run(scenario())
    control_plane.kubectl("delete", "pb", name)
