"""A list is complete; one on demand begins at once and after it was asked for, and who asked knows when it is there."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web
from tests.loopback import DEADLINE_SECONDS, is_list_by_watch, json_answer, talking_to

from periodicbuild.kube.watch import Collection, ListWatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from tests.loopback import Answer

    from periodicbuild.kube.changes import ChangeType

A_MINUTE = "60"
"""Longer than any of these tests may take."""
END_OF_LIST = {"k8s.io/initial-events-end": "true"}


class Thing(msgspec.Struct):
    """What these tests need of an object."""

    metadata: dict[str, Any]


def a_line(change: str, name: str, version: str = "1", **metadata: Any) -> bytes:
    """Give one line of a watch."""
    thing = {"metadata": {"name": name, "resourceVersion": version, **metadata}}
    return msgspec.json.encode({"type": change, "object": thing}) + b"\n"


THE_END = a_line("BOOKMARK", "", "2", annotations=END_OF_LIST)
"""Of the list with which a watch begins."""


def a_stream(*lines: bytes) -> web.Response:
    """Give a watch that ends after so many lines."""
    return web.Response(body=b"".join(lines), content_type="application/json")


class Things:
    """A collection whose objects are the numbers of the requests for lists; watches say nothing."""

    def __init__(self) -> None:
        self.lists = 0
        self.has_come = asyncio.Event()
        self.keeps_back = False
        self.refuses_first = False

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if not is_list_by_watch(request):
            await asyncio.Event().wait()
        self.lists += 1
        number = self.lists
        self.has_come.set()
        if self.keeps_back and number == 1:
            await asyncio.Event().wait()
        if self.refuses_first and number == 1:
            return json_answer({}, 429, Retry_After=A_MINUTE)
        return a_stream(a_line("ADDED", str(number)), THE_END)


class Listed:
    """A handler that remembers the last list."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def listing(self) -> None:
        """Nothing else writes into this one."""

    def listed(self, items: Sequence[Thing]) -> None:
        """Take a list."""
        self.names = [item.metadata["name"] for item in items]

    def changed(self, change: ChangeType, item: Thing) -> None:
        """Never happens here."""


@asynccontextmanager
async def watching(things: Answer) -> AsyncIterator[tuple[ListWatch[Thing], Listed, asyncio.Task[None]]]:
    """Run a ListWatch; what is done with it takes less than a minute, or has waited for one."""
    listed = Listed()
    async with talking_to(things) as (_, session), asyncio.timeout(DEADLINE_SECONDS):
        watch = ListWatch(session, Collection(path="/api/v1/things"), msgspec.json.Decoder(Thing).decode, listed)
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
            assert listed.names == ["1"]
            assert watch.is_complete

    asyncio.run(scenario())


def test_a_watch_that_waits_for_changes_is_left_for_a_new_list() -> None:
    async def scenario() -> None:
        async with watching(Things()) as (watch, listed, _):
            await watch.relist()
            await watch.relist()
            assert listed.names == ["2"]

    asyncio.run(scenario())


def test_a_list_that_had_begun_already_is_begun_anew() -> None:
    async def scenario() -> None:
        things = Things()
        things.keeps_back = True
        async with watching(things) as (watch, listed, _):
            await things.has_come.wait()
            await watch.relist()
            assert listed.names == ["2"]

    asyncio.run(scenario())


def test_a_pause_after_a_failure_is_ended_by_whoever_knows_better() -> None:
    async def scenario() -> None:
        things = Things()
        things.refuses_first = True
        async with watching(things) as (watch, listed, _):
            await things.has_come.wait()
            await watch.relist()
            assert listed.names == ["2"]

    asyncio.run(scenario())


def test_one_list_answers_all_who_asked_before_it_began() -> None:
    async def scenario() -> None:
        things = Things()
        async with watching(things) as (watch, listed, _):
            await watch.relist()
            await asyncio.gather(watch.relist(), watch.relist(), watch.relist())
            assert (listed.names, things.lists) == (["2"], 2)

    asyncio.run(scenario())


def test_whoever_gives_up_waiting_takes_nothing_with_him() -> None:
    async def scenario() -> None:
        async with watching(Things()) as (watch, listed, task):
            await watch.relist()
            asking = asyncio.create_task(watch.relist())
            await asyncio.sleep(0)
            asking.cancel()
            await watch.relist()
            assert int(listed.names[0]) >= 2
            assert not task.done()

    asyncio.run(scenario())


def test_what_happens_while_a_watch_tells_a_list_is_told_in_it() -> None:
    told = a_stream(
        a_line("ADDED", "changed", "1"),
        a_line("ADDED", "deleted", "1"),
        a_line("ADDED", "still", "1"),
        a_line("MODIFIED", "changed", "2"),
        a_line("DELETED", "deleted", "3"),
        THE_END,
    )

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if not is_list_by_watch(request):
            await asyncio.Event().wait()
        return told

    async def scenario() -> None:
        async with watching(answer) as (watch, listed, _):
            await watch.relist()
            assert listed.names == ["changed", "still"]

    asyncio.run(scenario())


def test_a_list_that_is_cut_short_is_no_list() -> None:
    answers = [a_stream(a_line("ADDED", "one")), a_stream(a_line("ADDED", "one"), a_line("ADDED", "two"), THE_END)]

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if not is_list_by_watch(request):
            await asyncio.Event().wait()
        return answers.pop(0)

    async def scenario() -> None:
        async with watching(answer) as (watch, listed, _):
            await watch.relist()
            assert listed.names == ["one", "two"]

    asyncio.run(scenario())
