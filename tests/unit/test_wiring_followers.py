"""From lists and watches to the store: what the list does not hold is gone, and what is newer than the list is not."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aiohttp import web
from tests.builders import a_build, an_app_server
from tests.builders.store import stored
from tests.loopback import eventually, is_list_by_watch, json_answer, no_list_by_watch, talking_to

from periodicbuild.wiring.followers import follow_app_servers, follow_builds, follow_pods
from periodicbuild.wiring.store import Store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FOLLOW = {"builds": follow_builds, "app_servers": follow_app_servers, "pods": follow_pods}
"""By the name under which the store has what they follow."""


def a_record(name: str, version: str) -> dict[str, Any]:
    """Give an object of any of our kinds as the API sends it: an AppServer by its spec."""
    metadata = {"name": name, "namespace": "team-a", "uid": f"uid-{name}", "resourceVersion": version}
    return {"metadata": metadata, "spec": {"periodicBuildRef": {"name": "nightly"}, "run": name, "attempt": 1}}


def a_list(version: str, *records: dict[str, Any], more: str = "") -> web.Response:
    """Give one page of a list."""
    return json_answer({"metadata": {"resourceVersion": version, "continue": more}, "items": list(records)})


class Script:
    """Answers lists from a script, keeps the last page back until told, and lets watches wait or fail."""

    def __init__(self, *pages: web.Response) -> None:
        self._pages = list(pages)
        self.asked_for_last = asyncio.Event()
        self.give_last = asyncio.Event()
        self.end_watch = asyncio.Event()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        if is_list_by_watch(request):
            return no_list_by_watch()
        if "watch" in request.query:
            await self.end_watch.wait()
            self.end_watch.clear()
            return json_answer({"code": 410, "reason": "Expired"}, 410)
        page = self._pages.pop(0)
        if not self._pages:
            self.asked_for_last.set()
            await self.give_last.wait()
        return page


@asynccontextmanager
async def following(script: Script, kind: str = "app_servers") -> AsyncIterator[Store]:
    """Follow one kind into a store."""
    store = Store(lambda _: None)
    async with talking_to(script) as (_, session):
        task = asyncio.create_task(FOLLOW[kind](session, store, "").run())
        try:
            yield store
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def names(store: Store) -> set[str]:
    """Give the names of all that is known."""
    return {name for _, name in (*store.builds, *store.app_servers, *store.pods)}


@pytest.mark.parametrize("kind", FOLLOW)
def test_what_a_list_does_not_hold_was_deleted_unseen(kind: str) -> None:
    async def scenario() -> None:
        script = Script(
            a_list("10", a_record("stays", "7"), a_record("goes", "8")), a_list("20", a_record("stays", "7"))
        )
        async with following(script, kind) as store:
            await eventually(lambda: names(store) == {"stays", "goes"})
            script.give_last.set()
            script.end_watch.set()
            await eventually(lambda: names(store) == {"stays"})
            assert store.gone_of(["uid-stays", "uid-goes"]) == (set() if kind == "pods" else {"uid-goes"})


def test_one_of_the_same_name_and_another_uid_is_another_one() -> None:
    async def scenario() -> None:
        record = a_record("nightly", "12")
        again = {**record, "metadata": {**record["metadata"], "uid": "uid-again"}}
        script = Script(a_list("10", a_record("nightly", "7")), a_list("20", again))
        async with following(script, "builds") as store:
            await eventually(lambda: names(store) == {"nightly"})
            script.give_last.set()
            script.end_watch.set()
            await eventually(lambda: store.builds["team-a", "nightly"].ref.uid == "uid-again")
            assert store.gone_of(["uid-nightly", "uid-again"]) == {"uid-nightly"}

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", ["builds", "app_servers"])
def test_what_was_created_while_a_list_was_read_is_not_taken_for_deleted(kind: str) -> None:
    """The answer of a create is newer than the pages of a list that began before it."""

    async def scenario() -> None:
        script = Script(a_list("10", a_record("old", "7"), more="next"), a_list("10", a_record("older", "6")))
        async with following(script, kind) as store:
            await script.asked_for_last.wait()
            if kind == "builds":
                store.put_build(stored(a_build(name="newborn", resource_version="11")))
            else:
                store.put_app_server(an_app_server(name="newborn", resource_version="11"))
            script.give_last.set()
            await eventually(lambda: names(store) >= {"old", "older"})
            assert "newborn" in names(store)
            assert store.gone_of(["uid-newborn"]) == frozenset()

    asyncio.run(scenario())


@pytest.mark.parametrize("kind", FOLLOW)
def test_a_poisoned_object_does_not_hide_the_others(kind: str) -> None:
    async def scenario() -> Store:
        poison = {"metadata": {"name": 7, "namespace": "team-a"}}
        script = Script(a_list("10", poison, a_record("fine", "7")))
        script.give_last.set()
        async with following(script, kind) as store:
            await eventually(lambda: bool(names(store)))
            return store

    assert names(asyncio.run(scenario())) == {"fine"}


def test_pages_are_decoded_whatever_bytes_they_hold() -> None:
    """Invalid UTF-8 in one object, as no API server but a broken proxy sends it, hides that object only."""
    page = msgspec.json.encode(
        {"metadata": {"resourceVersion": "10"}, "items": [a_record("POISON", "7"), a_record("fine", "8")]}
    )
    broken = web.Response(body=page.replace(b"uid-POISON", b"\xff\xfe"), content_type="application/json")

    async def scenario() -> set[str]:
        script = Script(broken)
        script.give_last.set()
        async with following(script) as store:
            await eventually(lambda: bool(store.app_servers))
            return names(store)

    assert asyncio.run(scenario()) == {"fine"}
