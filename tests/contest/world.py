"""Everything around a contestant: it sees what is made, and brings builds to their ends as the script says.

It is kubelet, Job controller and garbage collector as far as the contest needs them, and the same for both contestants.

The one idea a newcomer would miss: what counts is when a watch tells of a child.  `creationTimestamp` is cut to seconds
and says nothing about the way to whoever waits for it.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from tests.contest.contestants import Seen
from tests.contest.script import Ending
from tests.contest.slots import MINUTE, Child

from periodicbuild.kube.changes import ChangeType
from periodicbuild.kube.errors import KubeError, NotFoundError
from periodicbuild.kube.watch import Collection, ListWatch

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Sequence

    from tests.contest.contestants import Contestant
    from tests.contest.script import Script

    from periodicbuild.kube.paths import Kind
    from periodicbuild.kube.session import KubeSession

LOOKS_EVERY_SECONDS = 0.05
GONE_AT_ONCE = {"gracePeriodSeconds": "0"}


class _Arrivals:
    """Tell of each object once, and of its end."""

    def __init__(self, came: Callable[[Seen], None], went: Callable[[Seen], None]) -> None:
        self._came = came
        self._went = went
        self._known: set[str] = set()

    def listing(self) -> None:
        """Keep what is known."""

    def listed(self, items: Sequence[Seen]) -> None:
        """Take what a broken watch may have missed."""
        for item in items:
            self.changed(ChangeType.ADDED, item)

    def changed(self, change: ChangeType, item: Seen) -> None:
        """Take one change."""
        if change is ChangeType.DELETED:
            self._went(item)
        elif item.metadata.uid not in self._known:
            self._known.add(item.metadata.uid)
            self._came(item)


class World:
    """Watch one contestant's objects: `async with living(World(...)) as world`."""

    def __init__(self, session: KubeSession, contestant: Contestant, script: Script, begin: datetime) -> None:
        self.children: list[Child] = []
        self.bodies: list[Child] = []
        """The pods, where they are objects of their own; for Jobs the same as the children."""
        self.refused: list[KubeError] = []
        """What the server did not accept from the world: none, or the contest is not worth anything."""
        self._session = session
        self._contestant = contestant
        self._script = script
        self._begin = begin
        self._tasks: set[asyncio.Task[None]] = set()
        self.watches = [self._watch(contestant.children, self._child_came, self._child_went)]
        if contestant.bodies != contestant.children:
            self.watches.append(self._watch(contestant.bodies, self._body_came, lambda _: None))

    @property
    def is_done(self) -> bool:
        """Tell whether all that was seen has been brought to its end, or never will be."""
        return not self._tasks

    def _watch(self, kind: Kind, came: Callable[[Seen], None], went: Callable[[Seen], None]) -> ListWatch[Seen]:
        return ListWatch(
            self._session, Collection(path=kind.path()), msgspec.json.Decoder(Seen).decode, _Arrivals(came, went)
        )

    def _child_came(self, item: Seen) -> None:
        child = _child(item)
        if child is None:
            return
        self.children.append(child)
        if self._contestant.bodies == self._contestant.children:
            self._body_came(item)

    def _body_came(self, item: Seen) -> None:
        body = _child(item)
        if body is None:
            return
        self.bodies.append(body)
        fate = self._script.fate(body.schedule, (body.slot - self._begin) // MINUTE)
        if fate.ending is not Ending.HANGS:
            self._do(self._end(item, fate.ending, fate.after_seconds))

    def _child_went(self, item: Seen) -> None:
        if self._contestant.bodies != self._contestant.children:
            self._do(self._collect(item))

    async def _end(self, body: Seen, ending: Ending, after_seconds: float) -> None:
        await asyncio.sleep(after_seconds)
        call = self._contestant.end(body, ending, datetime.now(UTC))
        await self._session.request(call.method, call.path, call.body, call.content_type)

    async def _collect(self, child: Seen) -> None:
        """Remove the pod of a record that is gone."""
        path = self._contestant.bodies.path(namespace=child.metadata.namespace, name=child.metadata.name)
        await self._session.request("DELETE", path, params=GONE_AT_ONCE)

    def _do(self, deed: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(self._carefully(deed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carefully(self, deed: Coroutine[None, None, None]) -> None:
        try:
            await deed
        except NotFoundError:
            return  # it was removed meanwhile
        except KubeError as error:
            self.refused.append(error)


def _child(item: Seen) -> Child | None:
    if item.slot is None:
        return None
    return Child(schedule=item.schedule, slot=item.slot, uid=item.metadata.uid, seen_at=datetime.now(UTC))


@asynccontextmanager
async def living(world: World) -> AsyncIterator[World]:
    """Let it live, from the moment when nothing escapes it."""
    tasks = [asyncio.create_task(watch.run()) for watch in world.watches]
    try:
        while not all(watch.is_complete for watch in world.watches):  # noqa: ASYNC110 - the watches tell nobody
            await asyncio.sleep(LOOKS_EVERY_SECONDS)
        yield world
    finally:
        for task in tasks:
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)
