"""A list on demand begins after it was asked for, at once, and whoever asked knows when it is there (R22)."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import msgspec
from tests.loopback import DEADLINE_SECONDS, json_answer, talking_to

from periodicbuild.kube.watch import Collection, ListWatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from aiohttp import web

    from periodicbuild.kube.changes import ChangeType

A_MINUTE = json_answer({}, 429, Retry_After="60")
"""Longer than any of these tests may take."""


class Things:
    """A collection whose objects are the numbers of the requests for lists; watches say nothing."""

    def __init__(self) -> None:
        self.lists = 0
        self.has_come = asyncio.Event()
        self.keeps_back = False
        self.refuses_first = False

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if "watch" in request.query:
            await asyncio.Event().wait()
        self.lists += 1
        number = self.lists
        self.has_come.set()
        if self.keeps_back and number == 1:
            await asyncio.Event().wait()
        if self.refuses_first and number == 1:
            return A_MINUTE
        return json_answer({"metadata": {"resourceVersion": "1"}, "items": [number]})


class Listed:
    """A handler that remembers the last list."""

    def __init__(self) -> None:
        self.items: list[int] = []

    def listing(self) -> None:
        """Nothing else writes into this one."""

    def listed(self, items: Sequence[int]) -> None:
        """Take a list."""
        self.items = [*items]

    def changed(self, change: ChangeType, item: int) -> None:
        """Never happens here."""


@asynccontextmanager
async def watching(things: Things) -> AsyncIterator[tuple[ListWatch[int], Listed, asyncio.Task[None]]]:
    """Run a ListWatch; what is done with it takes less than a minute, or has waited for one."""
    listed = Listed()
    async with talking_to(things) as (_, session), asyncio.timeout(DEADLINE_SECONDS):
        watch = ListWatch(session, Collection(path="/api/v1/things"), msgspec.json.Decoder(int).decode, listed)
        task = asyncio.create_task(watch.run())
        try:
            yield watch, listed, task
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def test_before_the_first_list_that_one_is_waited_for() -> None:
    async def scenario() -> None:
        async with watching(Things()) as (watch, listed, _):
            await watch.relist()
            assert listed.items == [1]
            assert watch.is_complete

    asyncio.run(scenario())


def test_a_watch_that_waits_for_changes_is_left_for_a_new_list() -> None:
    async def scenario() -> None:
        async with watching(Things()) as (watch, listed, _):
            await watch.relist()
            await watch.relist()
            assert listed.items == [2]

    asyncio.run(scenario())


def test_a_list_that_had_begun_already_is_begun_anew() -> None:
    async def scenario() -> None:
        things = Things()
        things.keeps_back = True
        async with watching(things) as (watch, listed, _):
            await things.has_come.wait()
            await watch.relist()
            assert listed.items == [2]

    asyncio.run(scenario())


def test_a_pause_after_a_failure_is_ended_by_whoever_knows_better() -> None:
    async def scenario() -> None:
        things = Things()
        things.refuses_first = True
        async with watching(things) as (watch, listed, _):
            await things.has_come.wait()
            await watch.relist()
            assert listed.items == [2]

    asyncio.run(scenario())


def test_one_list_answers_all_who_asked_before_it_began() -> None:
    async def scenario() -> None:
        things = Things()
        async with watching(things) as (watch, listed, _):
            await watch.relist()
            await asyncio.gather(watch.relist(), watch.relist(), watch.relist())
            assert (listed.items, things.lists) == ([2], 2)

    asyncio.run(scenario())


def test_whoever_gives_up_waiting_takes_nothing_with_him() -> None:
    async def scenario() -> None:
        async with watching(Things()) as (watch, listed, task):
            await watch.relist()
            asking = asyncio.create_task(watch.relist())
            await asyncio.sleep(0)
            asking.cancel()
            await watch.relist()
            assert listed.items[0] >= 2
            assert not task.done()

    asyncio.run(scenario())
