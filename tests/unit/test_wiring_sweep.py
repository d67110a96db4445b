"""The sweep asks the API server before it removes a stray, and speaks of it only when it has."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.builders.store import BUILD, POD, SERVER, a_store, put_pod, put_server, remove_server
from tests.loopback import eventually, json_answer, talking_to

from periodicbuild.core.strays import GRACE
from periodicbuild.kube.event_body import Reporter
from periodicbuild.kube.events import Recorder
from periodicbuild.kube.leadership import Unopposed
from periodicbuild.kube.writer import Writer, WriterSettings
from periodicbuild.wiring.clock import Clock
from periodicbuild.wiring.metrics import Metrics
from periodicbuild.wiring.sweep import Sweep
from periodicbuild.wiring.writes import Writes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aiohttp import web

    from periodicbuild.wiring.store import Store
from periodicbuild.wiring.store_metrics import StoreCollector

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ABSENT = {"kind": "Status", "code": 404, "reason": "NotFound", "details": {"kind": "appservers"}}
UNKNOWN_KIND = {"kind": "Status", "code": 404, "reason": "NotFound", "details": {}}
UNAVAILABLE = {"kind": "Status", "code": 503}
CHANGED = {"kind": "Status", "code": 409, "reason": "Conflict"}
SUCCESS = {"kind": "Status", "status": "Success"}
NAMESPACE = {"metadata": {"name": "team-a"}}
DYING = {"metadata": {"name": "team-a", "deletionTimestamp": "2026-11-24T12:00:00Z"}}


def metadata_of_server(uid: str) -> dict[str, Any]:
    """Give an AppServer as the API server would, as far as belonging goes."""
    ref = {"name": SERVER.ref.name, "namespace": SERVER.ref.namespace, "uid": uid, "resourceVersion": "250"}
    return {"kind": "AppServer", "metadata": ref, "spec": {"periodicBuildRef": {"name": BUILD.ref.name}}}


@dataclass(slots=True)
class ApiServer:
    """What the API server answers about the stray's AppServer, its namespace and its deletion."""

    app_server: dict[str, Any] = field(default_factory=lambda: ABSENT)
    namespace: dict[str, Any] = field(default_factory=lambda: NAMESPACE)
    deletion: dict[str, Any] = field(default_factory=lambda: SUCCESS)
    asked: int = 0
    """Times that it was asked about the AppServer."""
    deleted: list[dict[str, Any]] = field(default_factory=list)
    told: list[dict[str, Any]] = field(default_factory=list)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        body = await request.read()
        if request.method == "DELETE":
            self.deleted.append(msgspec.json.decode(body))
            answer = self.deletion
        elif request.method == "POST":
            self.told.append(msgspec.json.decode(body))
            answer = {}
        elif "/appservers/" in request.path:
            self.asked += 1
            answer = self.app_server
        else:
            answer = self.namespace
        return json_answer(answer, answer.get("code", 200))


@dataclass(slots=True)
class Sweeping:
    """A sweep, and the clock that it reads once a turn."""

    store: Store
    metrics: Metrics
    seconds: float = 0.0
    turns: int = 0

    def monotonic(self) -> float:
        """Read the monotonic clock."""
        self.turns += 1
        return self.seconds

    async def let_a_grace_pass(self) -> None:
        """Turn until all strays are known, move the clock, and turn until what is due has been dealt with."""
        await self._turn()
        self.seconds += GRACE.total_seconds()
        await self._turn()

    async def _turn(self) -> None:
        until = self.turns + 3
        await eventually(lambda: self.turns >= until)

    def sample(self, name: str) -> float | None:
        """Read a metric."""
        return self.metrics.registry.get_sample_value(name)


@asynccontextmanager
async def sweeping(api: ApiServer, store: Store) -> AsyncIterator[Sweeping]:
    """Run a sweep."""
    async with talking_to(api) as (_, session), Writer(session, WriterSettings(qps=0)) as writer:
        state = Sweeping(store, Metrics())
        clock = Clock(wall=lambda: NOON, monotonic=state.monotonic)
        state.metrics.registry.register(StoreCollector(store, Clock()))
        sweep = Sweep(
            session=session,
            store=store,
            clock=clock,
            writes=Writes(writer, store, clock, Unopposed()),
            recorder=Recorder(writer, Reporter(instance="test")),
            metrics=state.metrics,
        )
        task = asyncio.create_task(sweep.run())
        try:
            yield state
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture(autouse=True)
def _it_sweeps_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("periodicbuild.wiring.sweep.EVERY_SECONDS", 0.01)


@pytest.fixture
def store() -> Store:
    """Give a store with one stray: its AppServer is gone, and the garbage collector does nothing about it."""
    return a_store(put_server(), put_pod(), remove_server())


def test_a_stray_is_removed_then_counted_and_told_of_once(store: Store) -> None:
    async def scenario() -> None:
        api = ApiServer()
        async with sweeping(api, store) as state:
            assert state.sample("periodicbuild_stray_pods") == 1
            await state.let_a_grace_pass()
            await eventually(lambda: len(api.told) == 1)
            assert state.sample("periodicbuild_stray_pods") == 0
            assert state.sample("periodicbuild_stray_pods_removed_total") == 1
            await state.let_a_grace_pass()
        preconditions = {"uid": POD.ref.uid, "resourceVersion": "300"}
        assert api.deleted == [{"preconditions": preconditions, "propagationPolicy": "Background"}]
        assert [one["reason"] for one in api.told] == ["StrayPodRemoved"]

    asyncio.run(scenario())


REASONS_TO_LEAVE_IT = {
    "the watch lags: its AppServer is there": ApiServer(app_server=metadata_of_server(SERVER.ref.uid)),
    "the namespace is being deleted": ApiServer(namespace=DYING),
    "the namespace is gone": ApiServer(namespace=ABSENT),
    "the kind is not served for a while": ApiServer(app_server=UNKNOWN_KIND),
    "the API server does not answer": ApiServer(app_server=UNAVAILABLE),
}


@pytest.mark.parametrize("api", REASONS_TO_LEAVE_IT.values(), ids=REASONS_TO_LEAVE_IT)
def test_it_is_left_alone_and_not_spoken_of(api: ApiServer) -> None:
    async def scenario() -> None:
        never_seen = a_store(put_pod())
        async with sweeping(api, never_seen) as state:
            await state.let_a_grace_pass()
            assert api.asked == 1
            assert state.sample("periodicbuild_stray_pods_removed_total") == 0
        assert (api.deleted, api.told) == ([], [])

    asyncio.run(scenario())


def test_an_app_server_that_is_there_after_all_becomes_known() -> None:
    async def scenario() -> None:
        store = a_store(put_pod())
        async with sweeping(ApiServer(app_server=metadata_of_server(SERVER.ref.uid)), store) as state:
            await state.let_a_grace_pass()
            assert state.sample("periodicbuild_stray_pods") == 0

    asyncio.run(scenario())


def test_another_app_server_of_that_name_does_not_save_it() -> None:
    async def scenario() -> None:
        api = ApiServer(app_server=metadata_of_server("another"))
        async with sweeping(api, a_store(put_pod())) as state:
            await state.let_a_grace_pass()
            await eventually(lambda: len(api.told) == 1)

    asyncio.run(scenario())


def test_one_that_has_changed_since_is_judged_anew_after_another_grace(store: Store) -> None:
    async def scenario() -> None:
        api = ApiServer(deletion=CHANGED)
        async with sweeping(api, store) as state:
            await state.let_a_grace_pass()
            await eventually(lambda: len(api.deleted) == 1)
            assert state.sample("periodicbuild_stray_pods_removed_total") == 0
            assert api.told == []
            api.deletion = SUCCESS
            await state.let_a_grace_pass()
            await eventually(lambda: len(api.told) == 1)

    asyncio.run(scenario())


def test_an_outage_puts_it_off(store: Store) -> None:
    async def scenario() -> None:
        api = ApiServer(app_server=UNAVAILABLE)
        async with sweeping(api, store) as state:
            await state.let_a_grace_pass()
            api.app_server = ABSENT
            await state.let_a_grace_pass()
            await eventually(lambda: len(api.told) == 1)

    asyncio.run(scenario())
