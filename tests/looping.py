"""A reconcile loop whose clocks a test moves by hand, and a server on loopback that answers it as the test says."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web
from tests.loopback import eventually, json_answer, talking_to

from periodicbuild.kube.event_body import Reporter
from periodicbuild.kube.leadership import Unopposed
from periodicbuild.kube.parse import stored_build_from_json
from periodicbuild.kube.writer import Writer, WriterSettings
from periodicbuild.wiring.clock import Clock
from periodicbuild.wiring.gate_store import GateStore, Unreadable
from periodicbuild.wiring.metrics import Metrics
from periodicbuild.wiring.queue import KeyedQueue
from periodicbuild.wiring.settings import parse_settings
from periodicbuild.wiring.store import Store
from periodicbuild.wiring.term import Lasting, act
from periodicbuild.wiring.wakeups import WakeUps

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.loopback import Loopback

    from periodicbuild.kube.parse import StoredBuild

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
READY = {"type": "Ready", "status": "True", "observedGeneration": 1, "lastTransitionTime": "2026-11-24T00:00:00Z"}


def a_body(name: str, version: str = "100", **spec: Any) -> dict[str, Any]:
    """Give a PeriodicBuild as the API sends it: accepted, disabled, without a schedule in force yet."""
    metadata = {
        "name": name,
        "namespace": "team-a",
        "uid": f"uid-{name}",
        "resourceVersion": version,
        "generation": 1,
        "creationTimestamp": "2026-11-24T00:00:00Z",
    }
    condition = {**READY, "reason": "Accepted", "message": ""}
    template = {"spec": {"containers": [{"name": "main", "image": "none"}]}}
    return {"metadata": metadata, "spec": {"template": template, **spec}, "status": {"conditions": [condition]}}


def a_stored(name: str, **spec: Any) -> StoredBuild:
    """Give it as the store keeps it."""
    return stored_build_from_json(msgspec.json.encode(a_body(name, **spec)))


def a_poisoned(name: str) -> StoredBuild:
    """Give one at which every look fails, as a bug would make it."""
    stored = a_stored(name)
    return replace(stored, ledger_json=None)  # type: ignore[arg-type] # that is the poison


@dataclass(slots=True)
class Loop:
    """A reconcile loop whose clocks a test moves by hand, and the server it talks to."""

    server: Loopback
    store: Store
    gates: GateStore
    metrics: Metrics
    seconds: float = 1000.0
    readings: int = 0
    """Of the monotonic clock: the wake-ups read it at each turn."""

    def monotonic(self) -> float:
        """Read the monotonic clock."""
        self.readings += 1
        return self.seconds

    def pass_time(self, seconds: float) -> None:
        """Move both clocks."""
        self.seconds += seconds

    async def turn(self) -> None:
        """Wait until the wake-ups have turned ten times: whatever is due has been asked for by then."""
        until = self.readings + 10
        await eventually(lambda: self.readings >= until)

    def patched(self, name: str) -> int:
        """Count the status writes of one PeriodicBuild that the server has seen."""
        return sum(1 for method, path in self.server.requests if method == "PATCH" and f"/{name}/status" in path)

    def failures(self) -> float:
        """Read the counter of failed looks."""
        return self.looks("PeriodicBuild", "Failed")

    async def has_looked(self, kind: str, times: int) -> None:
        """Wait until so many looks at a kind are done."""
        await eventually(lambda: self.looks(kind) == times)

    def looks(self, kind: str, outcome: str = "Done") -> float:
        """Read the counter of looks that have ended so."""
        labels = {"kind": kind, "outcome": outcome}
        return self.metrics.registry.get_sample_value("periodicbuild_reconciles_total", labels) or 0


@asynccontextmanager
async def looping(answer: Callable[[web.BaseRequest], web.StreamResponse]) -> AsyncIterator[Loop]:
    """Run a loop against a server that answers so."""

    async def answer_soon(request: web.BaseRequest) -> web.StreamResponse:
        return answer(request)

    async with talking_to(answer_soon) as (server, session), Writer(session, WriterSettings(qps=0)) as writer:
        queue = KeyedQueue()
        store, metrics = Store(queue.add), Metrics()
        gates = GateStore(Unreadable.OPEN, queue.add, store)
        loop = Loop(server, store, gates, metrics)
        clock = Clock(wall=lambda: NOON + timedelta(seconds=loop.seconds - 1000.0), monotonic=loop.monotonic)
        wakeups = WakeUps(clock, queue.add)
        lasting = Lasting(
            settings=parse_settings(["run", "--starts-per-second=0"]),
            session=session,
            writer=writer,
            clock=clock,
            metrics=metrics,
            store=store,
            gates=gates,
            queue=queue,
            wakeups=wakeups,
            sinks={},
            reporter=Reporter(instance="test"),
            leadership=Unopposed(),
        )
        tasks = [asyncio.create_task(part) for part in (wakeups.run(), act(lasting))]
        await asyncio.sleep(0)  # now the term has begun, with no memories
        try:
            yield loop
        finally:
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)


def accept(request: web.BaseRequest) -> web.StreamResponse:
    """Carry every write out, as far as a resourceVersion shows it."""
    name = request.path.split("/")[-2]
    return json_answer(a_body(name, "101"))


def refuse_with(status: int, **headers: str) -> Callable[[web.BaseRequest], web.StreamResponse]:
    """Refuse everything."""
    return lambda _: json_answer({"kind": "Status", "code": status}, status, **headers)


def a_body_with_a_due_slot(name: str) -> dict[str, Any]:
    """Give a PeriodicBuild whose first slot fell due at 10:00 and that nobody has looked at since."""
    body = a_body(name, enabled=True, schedule={"interval": {"every": "1h"}})
    body["status"] = {
        "conditions": [{**READY, "reason": "Accepted", "message": ""}],
        "schedule": {
            "inForce": {"enabled": True, "interval": {"seconds": 3600, "afterManualRun": "Restart"}},
            "epoch": 1,
            "sinceTime": "2026-11-24T10:00:00Z",
        },
        "slots": {"due": 0, "started": 0, "skipped": 0, "missed": 0},
        "observedGeneration": 1,
    }
    return body
