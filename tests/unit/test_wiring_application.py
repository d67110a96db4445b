"""The process as its probes see it: alive while its loop turns and its watches hear something."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tests.loopback import (
    DEADLINE_SECONDS,
    eventually,
    is_list_by_watch,
    json_answer,
    no_list_by_watch,
    talking_to,
)

from periodicbuild.kube.election import Election, ElectionSettings
from periodicbuild.kube.writer import Writer, WriterSettings
from periodicbuild.wiring.application import Application
from periodicbuild.wiring.clock import Clock
from periodicbuild.wiring.metrics import Metrics
from periodicbuild.wiring.settings import parse_settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiohttp import web

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SETTINGS = parse_settings(["run", "--listen=127.0.0.1:0"])


async def an_empty_cluster(request: web.BaseRequest) -> web.StreamResponse:
    """Answer every list with nothing, and let watches wait."""
    if is_list_by_watch(request):
        return no_list_by_watch()
    if "watch" in request.query:
        await asyncio.Event().wait()
    return json_answer({"metadata": {"resourceVersion": "1"}, "items": []})


def with_application(
    scenario: Callable[[Application, list[float]], Awaitable[None]],
    answer: Callable[..., Awaitable[web.StreamResponse]],
    election: ElectionSettings | None = None,
) -> None:
    """Run a scenario with an application whose monotonic clock it moves; without an election it is the only one."""

    async def run() -> None:
        seconds = [1000.0]
        async with talking_to(answer) as (_, session), Writer(session, WriterSettings()) as writer:
            clock = Clock(wall=lambda: NOON, monotonic=lambda: seconds[0])
            contest = None if election is None else Election(session, election, now=lambda: NOON)
            application = Application(SETTINGS, session, writer, election=contest, metrics=Metrics(), clock=clock)
            try:
                await scenario(application, seconds)
            finally:
                await application.stop()

    asyncio.run(run())


def test_it_is_alive_from_the_beginning_and_ready_when_its_lists_are_complete() -> None:
    async def scenario(application: Application, _: list[float]) -> None:
        assert application.complaint() is None
        assert application.what_is_missing() == "still listing PeriodicBuilds, AppServers, pods"
        await application.start()
        await eventually(lambda: application.what_is_missing() is None)
        assert application.complaint() is None

    with_application(scenario, an_empty_cluster)


def test_a_replica_that_may_not_use_the_lease_is_not_ready_so_that_an_update_stops_there() -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if "/leases" in request.path:
            return json_answer({"kind": "Status", "code": 403, "reason": "Forbidden"}, 403)
        return await an_empty_cluster(request)

    async def scenario(application: Application, _: list[float]) -> None:
        await application.start()
        await eventually(lambda: "no replica can lead" in (application.what_is_missing() or ""))
        assert application.complaint() is None, "a restart would not help"

    with_application(scenario, answer, ElectionSettings(namespace="builds", name="periodicbuild", identity="one"))


def test_a_loop_that_stands_still_is_no_life() -> None:
    async def scenario(application: Application, seconds: list[float]) -> None:
        seconds[0] += 31
        assert application.complaint() == "the loop has not turned for 31 s"

    with_application(scenario, an_empty_cluster)


def test_a_watch_that_hears_nothing_is_no_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("periodicbuild.wiring.application.WATCH_IS_STALE_AFTER", timedelta(seconds=-1))

    async def scenario(application: Application, _: list[float]) -> None:
        assert "is the API server reachable?" in (application.complaint() or "")

    with_application(scenario, an_empty_cluster)


def test_a_part_that_ends_by_a_bug_is_no_life(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("periodicbuild.wiring.sweep.Sweep.run", broken)

    async def scenario(application: Application, _: list[float]) -> None:
        await application.start()
        await eventually(lambda: application.complaint() is not None)
        assert "ZeroDivisionError" in (application.complaint() or "")

    with_application(scenario, an_empty_cluster)


def test_a_server_that_loses_every_list_leaves_it_alive_and_not_ready() -> None:
    answered: list[str] = []

    async def no_pods(request: web.BaseRequest) -> web.StreamResponse:
        answered.append(request.path)
        return json_answer({}, 503) if request.path.endswith("/pods") else await an_empty_cluster(request)

    async def scenario(application: Application, _: list[float]) -> None:
        await application.start()
        await eventually(lambda: application.what_is_missing() == "still listing pods")
        await eventually(lambda: len([path for path in answered if path.endswith("/pods")]) >= 2)
        assert application.complaint() is None

    with_application(scenario, no_pods)


def test_stopping_twice_is_as_good_as_once() -> None:
    async def scenario(application: Application, _: list[float]) -> None:
        await application.start()
        async with asyncio.timeout(DEADLINE_SECONDS):
            await application.stop()
            await application.stop()

    with_application(scenario, an_empty_cluster)
