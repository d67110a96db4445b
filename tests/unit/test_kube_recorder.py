"""The recorder tells each fact once, and never holds anything up (R37)."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.builders import a_ref
from tests.loopback import eventually, json_answer, talking_to

from periodicbuild.core.notices import EventFact, EventType
from periodicbuild.kube.event_body import Reporter, event_name
from periodicbuild.kube.event_budget import BURST
from periodicbuild.kube.events import TRIES, Recorded, Recorder
from periodicbuild.kube.writer import Writer, WriterSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiohttp import web

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
FAILED = EventFact(
    regarding=a_ref("PeriodicBuild", "nightly"),
    type=EventType.WARNING,
    reason="BuildFailed",
    action="EndRun",
    note="attempt 1 failed with exit code 2",
    key="20261124-023000",
)


UNLIMITED = WriterSettings(qps=0)
ONE_AT_A_TIME = WriterSettings(qps=0, workers=1)


class Events:
    """The Events of a namespace, as the API server keeps them: a name is taken once."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.writes = 0
        self.refusals: list[int] = []
        self.is_open = asyncio.Event()
        self.is_open.set()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one write."""
        self.writes += 1
        await self.is_open.wait()
        if self.refusals and (status := self.refusals.pop(0)):
            return json_answer({"code": status, "reason": "NamespaceTerminating"}, status)
        body = msgspec.json.decode(await request.read())
        if body["metadata"]["name"] in self.names:
            return json_answer({"reason": "AlreadyExists", "code": 409}, 409)
        self.names.add(body["metadata"]["name"])
        return json_answer(body, 201)


@asynccontextmanager
async def recording(
    events: Events, on_recorded: Callable[[Recorded], None] = lambda _: None, settings: WriterSettings = UNLIMITED
) -> AsyncIterator[Recorder]:
    """Open a recorder."""
    async with talking_to(events) as (_, session), Writer(session, settings) as writer:
        reporter = Reporter(instance="test")
        yield Recorder(writer, reporter, on_recorded=on_recorded, now=lambda: NOON, monotonic=lambda: 1000.0)


@pytest.fixture(autouse=True)
def _outages_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("periodicbuild.kube.outage.FIRST_PAUSE_SECONDS", 0.01)


def after(events: Events, *facts: EventFact) -> list[Recorded]:
    """Tell some facts one after the other, and give what became of them."""
    outcomes: list[Recorded] = []

    async def scenario() -> None:
        async with recording(events, on_recorded=outcomes.append) as recorder:
            for fact in facts:
                await recorder.record(fact)

    asyncio.run(scenario())
    return outcomes


def test_a_fact_said_again_is_one_event_and_one_request() -> None:
    events = Events()
    after(events, FAILED, replace(FAILED, note="in other words"), FAILED)
    assert (events.names, events.writes) == ({event_name(FAILED)}, 1)


def test_a_fact_that_an_earlier_process_told_is_told() -> None:
    events = Events()
    after(events, FAILED)
    outcomes = after(events, FAILED)
    assert (events.names, outcomes) == ({event_name(FAILED)}, [Recorded.CREATED])


def test_facts_told_at_the_same_time_are_told_once() -> None:
    events = Events()

    async def scenario() -> None:
        async with recording(events) as recorder:
            await asyncio.gather(*(recorder.record(FAILED) for _ in range(10)))

    asyncio.run(scenario())
    assert events.writes == 1


def test_one_object_that_flaps_silences_itself_only() -> None:
    events = Events()
    flapping = [replace(FAILED, key=str(n)) for n in range(BURST + 5)]
    other = replace(FAILED, regarding=a_ref("PeriodicBuild", "other"))
    outcomes = after(events, *flapping, other)
    assert (len(events.names), outcomes.count(Recorded.DROPPED)) == (BURST + 1, 5)
    assert event_name(other) in events.names


def test_good_news_is_not_told_while_writes_stand_in_line() -> None:
    """Decision 0026: one is under way and two wait, where one can be under way."""
    events, outcomes = Events(), list[Recorded]()
    good_news = replace(FAILED, type=EventType.NORMAL, reason="BuildSucceeded")

    async def scenario() -> None:
        async with recording(events, outcomes.append, ONE_AT_A_TIME) as recorder:
            events.is_open.clear()
            bad_news = [asyncio.create_task(recorder.record(replace(FAILED, key=str(n)))) for n in range(3)]
            await eventually(lambda: events.writes == 1)
            await recorder.record(good_news)
            assert outcomes == [Recorded.DROPPED]
            events.is_open.set()
            await asyncio.gather(*bad_news)
            await recorder.record(good_news)

    asyncio.run(scenario())
    assert outcomes[1:] == [Recorded.CREATED] * 4
    assert len(events.names) == 4


def test_what_could_not_be_told_for_a_moment_is_told() -> None:
    events = Events()
    events.refusals = [503] * (TRIES - 1)
    outcomes = after(events, FAILED)
    assert (events.names, outcomes) == ({event_name(FAILED)}, [Recorded.CREATED])


def test_what_cannot_be_told_is_dropped_counted_and_told_when_it_is_said_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    events = Events()
    events.refusals = [403]
    with caplog.at_level(logging.INFO, logger="periodicbuild"):
        outcomes = after(events, FAILED, FAILED)
    assert (events.names, outcomes) == ({event_name(FAILED)}, [Recorded.FAILED, Recorded.CREATED])
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_in_a_namespace_that_is_gone_nobody_is_told_and_nobody_complains(caplog: pytest.LogCaptureFixture) -> None:
    """R43."""
    events = Events()
    events.refusals = [404]
    outcomes = after(events, FAILED)
    assert (events.names, outcomes, caplog.records) == (set(), [Recorded.FAILED], [])


def test_a_writer_that_is_closed_drops_the_fact_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    outcomes: list[Recorded] = []

    async def scenario() -> None:
        async with talking_to(Events()) as (_, session), Writer(session, WriterSettings(qps=0)) as writer:
            recorder = Recorder(writer, Reporter(instance="test"), on_recorded=outcomes.append)
            await writer.close()
            await recorder.record(FAILED)

    asyncio.run(scenario())
    assert (outcomes, caplog.records) == ([Recorded.FAILED], [])
