"""The loop: an object that fails waits longer each time and holds up no other; nothing turns hot."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aiohttp import web
from tests.loopback import eventually, json_answer, talking_to

from periodicbuild.kube.event_body import Reporter
from periodicbuild.kube.events import Recorder
from periodicbuild.kube.parse import app_server_from_json, stored_build_from_json
from periodicbuild.kube.writer import Writer, WriterSettings
from periodicbuild.wiring.actions import Actions
from periodicbuild.wiring.clock import Clock
from periodicbuild.wiring.metrics import Metrics
from periodicbuild.wiring.queue import KeyedQueue
from periodicbuild.wiring.reconciler import Reconciler
from periodicbuild.wiring.start_rate import StartRate
from periodicbuild.wiring.store import Store
from periodicbuild.wiring.wakeups import WakeUps
from periodicbuild.wiring.writes import Writes

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
        return (
            self.metrics.registry.get_sample_value("periodicbuild_failed_looks_total", {"kind": "PeriodicBuild"}) or 0
        )


@asynccontextmanager
async def looping(answer: Callable[[web.BaseRequest], web.StreamResponse]) -> AsyncIterator[Loop]:
    """Run a loop against a server that answers so."""

    async def answer_soon(request: web.BaseRequest) -> web.StreamResponse:
        return answer(request)

    async with talking_to(answer_soon) as (server, session), Writer(session, WriterSettings(qps=0)) as writer:
        has_work = asyncio.Event()
        queue = KeyedQueue(has_work)
        store, metrics = Store(queue.add), Metrics()
        loop = Loop(server, store, metrics)
        clock = Clock(wall=lambda: NOON + timedelta(seconds=loop.seconds - 1000.0), monotonic=loop.monotonic)
        wakeups, start_rate = WakeUps(clock, queue.add), StartRate(0, queue.add)
        reconciler = Reconciler(
            store=store,
            clock=clock,
            actions=Actions(session, writer, store, clock),
            writes=Writes(writer, store, clock),
            recorder=Recorder(writer, Reporter(instance="test")),
            wakeups=wakeups,
            start_rate=start_rate,
            metrics=metrics,
            queue=queue,
            has_work=has_work,
        )
        tasks = [asyncio.create_task(part) for part in (wakeups.run(), start_rate.run(), reconciler.run())]
        try:
            yield loop
        finally:
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)


@pytest.fixture(autouse=True)
def _hand_set_clocks_are_read_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("periodicbuild.wiring.wakeups.LONGEST_SLEEP_SECONDS", 0.01)


def accept(request: web.BaseRequest) -> web.StreamResponse:
    """Carry every write out, as far as a resourceVersion shows it."""
    name = request.path.split("/")[-2]
    return json_answer(a_body(name, "101"))


def refuse_with(status: int, **headers: str) -> Callable[[web.BaseRequest], web.StreamResponse]:
    """Refuse everything."""
    return lambda _: json_answer({"kind": "Status", "code": status}, status, **headers)


async def seen_again_after(loop: Loop, seconds: float) -> bool:
    """Let time pass in two steps, and tell whether the second one, and not the first, has led to another look."""
    failures = loop.failures()
    loop.pass_time(seconds - 0.5)
    await loop.turn()
    too_early = loop.failures() > failures
    loop.pass_time(0.6)
    await eventually(lambda: loop.failures() > failures)
    return not too_early


def test_an_object_that_always_fails_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with looping(accept) as loop:
            loop.store.put_build(a_poisoned("poison"))
            await eventually(lambda: loop.failures() == 1)
            loop.store.put_build(a_stored("healthy"))
            await eventually(lambda: loop.patched("healthy") >= 1)

    with caplog.at_level(logging.ERROR):
        asyncio.run(scenario())
    assert vars(caplog.records[0])["object"] == "poison"


def test_pauses_after_failures_double() -> None:
    async def scenario() -> list[bool]:
        async with looping(refuse_with(500)) as loop:
            loop.store.put_build(a_stored("one"))
            await eventually(lambda: loop.failures() == 1)
            return [await seen_again_after(loop, seconds) for seconds in (1, 2, 4, 8)]

    assert asyncio.run(scenario()) == [True, True, True, True]


def test_a_conflict_is_looked_at_again_after_a_second_each_time_and_is_nothing_to_warn_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> list[bool]:
        async with looping(refuse_with(409)) as loop:
            loop.store.put_build(a_stored("one"))
            await eventually(lambda: loop.failures() == 1)
            return [await seen_again_after(loop, seconds) for seconds in (1, 1, 1)]

    with caplog.at_level(logging.INFO, logger="periodicbuild"):
        assert asyncio.run(scenario()) == [True, True, True]
    assert caplog.records == []


@pytest.mark.parametrize(("asked", "waited"), [("20", 20), ("86400", 60)])
def test_the_servers_wish_is_honoured_within_reason(asked: str, waited: int) -> None:
    async def scenario() -> bool:
        async with looping(refuse_with(503, Retry_After=asked)) as loop:
            loop.store.put_build(a_stored("one"))
            await eventually(lambda: loop.failures() == 1)
            return await seen_again_after(loop, waited)

    assert asyncio.run(scenario())


def test_a_change_ends_the_pause() -> None:
    async def scenario() -> None:
        async with looping(refuse_with(500)) as loop:
            loop.store.put_build(a_stored("one"))
            await eventually(lambda: loop.failures() == 1)
            loop.store.put_build(stored_build_from_json(msgspec.json.encode(a_body("one", "101"))))
            await eventually(lambda: loop.failures() == 2)

    asyncio.run(scenario())


def test_a_write_that_changes_nothing_is_not_repeated_without_end() -> None:
    """An older definition of the kind drops a field that a newer operator writes: each look would write it again."""

    async def scenario() -> int:
        async with looping(lambda request: json_answer(a_body(request.path.split("/")[-2], "100"))) as loop:
            loop.store.put_build(a_stored("one"))
            await eventually(lambda: loop.failures() == 1)
            await loop.turn()
            return loop.patched("one")

    assert asyncio.run(scenario()) <= 2


def test_an_object_that_is_gone_when_its_status_is_written_is_forgotten() -> None:
    async def scenario() -> None:
        async with looping(refuse_with(404)) as loop:
            loop.store.put_build(a_stored("one"))
            await eventually(lambda: not loop.store.builds)
            assert loop.failures() == 0

    asyncio.run(scenario())


def test_a_record_that_is_gone_when_its_status_is_written_is_forgotten_and_not_spoken_of() -> None:
    """R43: an AppServer that is deleted at the instant of its failure causes no Event."""
    metadata = {"name": "one-1", "namespace": "team-a", "uid": "uid-one-1", "resourceVersion": "7"}
    owner = {"uid": "uid-one", "controller": True}
    record = {
        "metadata": {**metadata, "creationTimestamp": "2026-11-24T00:00:00Z", "ownerReferences": [owner]},
        "spec": {"periodicBuildRef": {"name": "one"}, "run": "x", "attempt": 1, "timeouts": {"run": "1s"}},
    }
    run = {"id": "x", "trigger": "Manual", "startTime": "2026-11-24T00:00:00Z", "attempt": 1, "uid": "uid-one-1"}

    async def scenario() -> list[tuple[str, str]]:
        async with looping(refuse_with(404)) as loop:
            body = {**a_body("one"), "status": {"runs": [{**run, "appServer": "one-1"}]}}
            body["metadata"]["deletionTimestamp"] = None
            loop.store.put_build(stored_build_from_json(msgspec.json.encode(body)))
            loop.store.put_app_server(app_server_from_json(msgspec.json.encode(record)))
            await eventually(lambda: not loop.store.app_servers)
            await loop.turn()
            return [one for one in loop.server.requests if "events" in one[1]]

    assert asyncio.run(scenario()) == []


def test_only_a_start_that_has_happened_counts_as_lag() -> None:
    """A create that a policy refuses for hours is tried every minute; none of these tries is a start."""
    status = {
        "conditions": [{**READY, "reason": "Accepted", "message": ""}],
        "schedule": {
            "inForce": {"enabled": True, "interval": {"seconds": 3600, "afterManualRun": "Restart"}},
            "epoch": 1,
            "sinceTime": "2026-11-24T10:00:00Z",
        },
        "slots": {"due": 0, "started": 0, "skipped": 0, "missed": 0},
        "observedGeneration": 1,
    }

    async def scenario() -> float | None:
        async with looping(refuse_with(403)) as loop:
            body = a_body("one", enabled=True, schedule={"interval": {"every": "1h"}})
            body["status"] = status
            loop.store.put_build(stored_build_from_json(msgspec.json.encode(body)))
            await eventually(lambda: any("appservers" in path for _, path in loop.server.requests))
            await eventually(lambda: bool(loop.store.build_memory("uid-one").refusals))
            return loop.metrics.registry.get_sample_value("periodicbuild_schedule_lag_seconds_count")

    assert asyncio.run(scenario()) == 0
