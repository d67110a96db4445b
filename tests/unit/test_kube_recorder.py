"""The recorder tells each fact once, a flapping one sparingly, and never holds anything up (R37)."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.builders import a_ref
from tests.loopback import json_answer, talking_to

from periodicbuild.core.notices import EventFact, EventType
from periodicbuild.kube.event_body import Reporter, event_name
from periodicbuild.kube.event_budget import BURST
from periodicbuild.kube.events import SERIES_EVERY_SECONDS, TRIES, Recorded, Recorder
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
STEPPED = replace(FAILED, reason="ClockStepped", key="", repeating=True)


class Events:
    """The Events of a namespace, as the API server keeps them: a name is taken once, and a first series has a count."""

    def __init__(self) -> None:
        self.counts: dict[str, int | None] = {}
        """By name; None before the first repeat."""
        self.writes = 0
        self.refusals: list[int] = []

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one write."""
        self.writes += 1
        if self.refusals and (status := self.refusals.pop(0)):
            return json_answer({"code": status, "reason": "NamespaceTerminating"}, status)
        body = msgspec.json.decode(await request.read())
        return self._create(body) if request.method == "POST" else self._count(request.path.rpartition("/")[2], body)

    def _create(self, body: dict[str, Any]) -> web.Response:
        name = body["metadata"]["name"]
        if name in self.counts:
            return json_answer({"reason": "AlreadyExists", "code": 409}, 409)
        self.counts[name] = None
        return json_answer(body, 201)

    def _count(self, name: str, body: dict[str, Any]) -> web.Response:
        if name not in self.counts:
            return json_answer({"reason": "NotFound", "code": 404}, 404)
        count = body["series"].get("count", self.counts[name])
        if count is None:
            return json_answer({"reason": "Invalid", "code": 422}, 422)
        self.counts[name] = count
        return json_answer({"series": {"count": count}})


class Hand:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0


@asynccontextmanager
async def recording(
    events: Events, hand: Hand | None = None, on_recorded: Callable[[Recorded], None] = lambda _: None
) -> AsyncIterator[Recorder]:
    """Open a recorder."""
    clock = hand or Hand()
    async with talking_to(events) as (_, session), Writer(session, WriterSettings(qps=0)) as writer:
        yield Recorder(
            writer,
            Reporter(instance="test"),
            on_recorded=on_recorded,
            now=lambda: NOON,
            monotonic=lambda: clock.seconds,
        )


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
    assert (events.counts, events.writes) == ({event_name(FAILED): None}, 1)


def test_a_fact_that_an_earlier_process_told_is_told() -> None:
    events = Events()
    after(events, FAILED)
    outcomes = after(events, FAILED)
    assert (events.counts, outcomes) == ({event_name(FAILED): None}, [Recorded.CREATED])


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
    assert (len(events.counts), outcomes.count(Recorded.DROPPED)) == (BURST + 1, 5)
    assert event_name(other) in events.counts


def test_a_repeat_is_counted_at_once_and_then_twice_an_hour() -> None:
    events, hand = Events(), Hand()

    async def scenario() -> list[int | None]:
        async with recording(events, hand) as recorder:
            counts = []
            for seconds in (0.0, 1.0, 1.0, SERIES_EVERY_SECONDS):
                hand.seconds += seconds
                await recorder.record(STEPPED)
                counts.append(events.counts[event_name(STEPPED)])
            return counts

    assert asyncio.run(scenario()) == [None, 2, 2, 4]


def test_a_count_that_an_earlier_process_began_goes_on_and_never_down() -> None:
    events = Events()
    after(events, STEPPED, STEPPED)
    after(events, STEPPED)
    before = events.counts[event_name(STEPPED)] or 0

    async def scenario() -> None:
        hand = Hand()
        async with recording(events, hand) as recorder:
            await recorder.record(STEPPED)
            hand.seconds += SERIES_EVERY_SECONDS
            await recorder.record(STEPPED)

    asyncio.run(scenario())
    assert (events.counts[event_name(STEPPED)] or 0) > before


def test_a_repeat_of_an_event_that_the_server_has_forgotten_begins_anew() -> None:
    events = Events()

    async def scenario() -> None:
        async with recording(events) as recorder:
            await recorder.record(STEPPED)
            events.counts.clear()
            await recorder.record(STEPPED)

    asyncio.run(scenario())
    assert events.counts == {event_name(STEPPED): None}


def test_what_could_not_be_told_for_a_moment_is_told() -> None:
    events = Events()
    events.refusals = [503] * (TRIES - 1)
    outcomes = after(events, FAILED)
    assert (events.counts, outcomes) == ({event_name(FAILED): None}, [Recorded.CREATED])


def test_what_cannot_be_told_is_dropped_counted_and_told_when_it_is_said_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    events = Events()
    events.refusals = [403]
    with caplog.at_level(logging.INFO, logger="periodicbuild"):
        outcomes = after(events, FAILED, FAILED)
    assert (events.counts, outcomes) == ({event_name(FAILED): None}, [Recorded.FAILED, Recorded.CREATED])
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_in_a_namespace_that_is_gone_nobody_is_told_and_nobody_complains(caplog: pytest.LogCaptureFixture) -> None:
    """R43."""
    events = Events()
    events.refusals = [404]
    outcomes = after(events, FAILED)
    assert (events.counts, outcomes, caplog.records) == ({}, [Recorded.FAILED], [])


def test_a_writer_that_is_closed_drops_the_fact_in_silence(caplog: pytest.LogCaptureFixture) -> None:
    outcomes: list[Recorded] = []

    async def scenario() -> None:
        async with talking_to(Events()) as (_, session), Writer(session, WriterSettings(qps=0)) as writer:
            recorder = Recorder(writer, Reporter(instance="test"), on_recorded=outcomes.append)
            await writer.close()
            await recorder.record(FAILED)

    asyncio.run(scenario())
    assert (outcomes, caplog.records) == ([Recorded.FAILED], [])
