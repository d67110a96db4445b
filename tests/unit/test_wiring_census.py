"""The census tells what kopf never will: what is missing at the start, and what was deleted unseen."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.builders import a_build
from tests.loopback import eventually, json_answer, talking_to

from periodicbuild.kube.parse import StoredBuild
from periodicbuild.wiring.census import Census
from periodicbuild.wiring.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aiohttp import web


def see(store: Store, name: str, uid: str | None = None) -> None:
    """Show a PeriodicBuild to the store, as kopf would."""
    build = a_build(name=name, uid=uid)
    store.put_build(StoredBuild(build=build, ledger_json=b"[]"))


class Register:
    """Names (and uids `uid-NAME`) of what exists, in pages of two, as the API server counts it."""

    def __init__(self, *names: str) -> None:
        self.names = list(names)
        self.counts = 0
        self.refusals = 0
        self.before_answer: Callable[[], None] = lambda: None

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer with one page."""
        assert "as=PartialObjectMetadataList" in request.headers["Accept"]
        if self.refusals:
            self.refusals -= 1
            return json_answer({}, 503)
        start = int(request.query.get("continue", "0"))
        page, more = self.names[start : start + 2], start + 2 < len(self.names)
        self.before_answer()
        self.counts += not more
        items = [{"metadata": {"namespace": "team-a", "name": name, "uid": f"uid-{name}"}} for name in page]
        return json_answer({"metadata": {"continue": str(start + 2) if more else ""}, "items": items})


@asynccontextmanager
async def counting(register: Register, *, namespaces: tuple[str, ...] = ()) -> AsyncIterator[tuple[Census, Store]]:
    """Run a census."""
    store = Store(lambda _: None)
    async with talking_to(register) as (_, session):
        census = Census(session, store, namespaces)
        task = asyncio.create_task(census.run())
        try:
            yield census, store
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@pytest.fixture(autouse=True)
def _it_counts_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("periodicbuild.wiring.census.EVERY_SECONDS", 0.02)
    monkeypatch.setattr("periodicbuild.wiring.census.AT_START_EVERY_SECONDS", 0.02)


def names(store: Store) -> set[str]:
    """Give the names of the PeriodicBuilds known."""
    return {name for _, name in store.builds}


def test_it_is_complete_when_everything_counted_has_been_seen() -> None:
    async def scenario() -> None:
        register = Register("a", "b", "c")
        async with counting(register) as (census, store):
            see(store, "a")
            see(store, "b")
            assert not census.is_complete
            await eventually(lambda: register.counts >= 2)
            assert not census.is_complete
            see(store, "c")
            assert census.is_complete

    asyncio.run(scenario())


def test_nothing_to_count_is_complete_as_well() -> None:
    async def scenario() -> None:
        async with counting(Register()) as (census, _):
            await eventually(lambda: census.is_complete)

    asyncio.run(scenario())


def test_what_is_deleted_before_it_was_ever_seen_is_not_waited_for() -> None:
    async def scenario() -> None:
        register = Register("a", "never-shown")
        async with counting(register) as (census, store):
            see(store, "a")
            await eventually(lambda: register.counts == 1)
            assert not census.is_complete
            register.names = ["a"]
            await eventually(lambda: census.is_complete)

    asyncio.run(scenario())


def test_what_was_deleted_unseen_is_forgotten() -> None:
    async def scenario() -> None:
        register = Register("a", "b")
        async with counting(register) as (census, store):
            see(store, "a")
            see(store, "b")
            await eventually(lambda: census.is_complete)
            register.names = ["b"]
            await eventually(lambda: names(store) == {"b"})

    asyncio.run(scenario())


def test_one_of_the_same_name_and_another_uid_is_another_one() -> None:
    async def scenario() -> None:
        register = Register("a")
        async with counting(register) as (_, store):
            see(store, "a", uid="the-one-before")
            await eventually(lambda: names(store) == set())

    asyncio.run(scenario())


def test_what_is_created_during_a_count_is_not_taken_for_deleted() -> None:
    async def scenario() -> None:
        register = Register("a")
        async with counting(register) as (_, store):
            see(store, "a")
            register.before_answer = lambda: see(store, "newborn")
            await eventually(lambda: "newborn" in names(store))
            register.before_answer = lambda: None
            register.names = ["a", "newborn"]
            counts = register.counts
            await eventually(lambda: register.counts > counts + 2)
            assert names(store) == {"a", "newborn"}

    asyncio.run(scenario())


def test_a_count_that_fails_removes_nothing_and_is_tried_again() -> None:
    async def scenario() -> None:
        register = Register("a")
        register.refusals = 2
        async with counting(register) as (census, store):
            see(store, "a")
            await eventually(lambda: census.is_complete)
            assert names(store) == {"a"}

    asyncio.run(scenario())


def test_it_counts_each_namespace_it_was_given() -> None:
    async def scenario() -> None:
        async with counting(Register("a"), namespaces=("team-a", "team-b")) as (census, store):
            see(store, "a")
            await eventually(lambda: census.is_complete)
            assert store.builds[("team-a", "a")].build == replace(a_build(name="a"))

    asyncio.run(scenario())
