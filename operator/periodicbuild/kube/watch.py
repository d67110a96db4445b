"""Follow one collection of one kind: list it, watch it, and never stop.

Must not know any kind: what becomes of an object's bytes is said by the caller's function.

The one idea a newcomer would miss: a watch alone cannot tell what vanished while it was broken.  So every gap that
the server cannot fill (410) ends in a complete list, and the handler is given all of it at once: what it knew and is
not in there is gone.  Lists are asked for as the beginning of a watch, which a server answers from its memory; pages of
what has not changed for minutes it reads from etcd, at four times the cost (docs/decisions/0014).
"""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

import msgspec

from periodicbuild.kube.answers import error_from_status
from periodicbuild.kube.changes import Change, ChangeType, Decoder, LineSplitter, Page, is_older
from periodicbuild.kube.errors import GoneError, InvalidError, KubeError, TransientKubeError
from periodicbuild.kube.outage import Outage
from periodicbuild.kube.paths import target_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from periodicbuild.kube.session import KubeSession

T_co = TypeVar("T_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)

PAGE_SIZE = 500
"""Objects per page.  Never together with resourceVersion=0, which makes the server send all in one."""

WATCH_FOR_SECONDS = (270.0, 330.0)
"""How long one watch is asked to last; spread, so that the watches of all kinds do not end together."""

CUT_SHORT = "the stream ended before the list was complete"
SAID_NOTHING = "the stream ended without a word, not even a bookmark; is a proxy in between that does not stream?"
WENT_BACK = "resourceVersions went backwards, as after a restore of etcd; listing again"


class Handler(Protocol[T_contra]):
    """Receive what a ListWatch sees.  All must be quick and must not raise: they run between two reads."""

    def listing(self) -> None:
        """Note what is known as a list begins: what is learned while its pages come is newer than they are."""

    def listed(self, items: Sequence[T_contra]) -> None:
        """Take the complete collection: what was known when the list began and is not in it has been deleted."""

    def changed(self, change: ChangeType, item: T_contra) -> None:
        """Take one change.  After a reconnection it may be older than what is known: compare resourceVersions."""


def ignore_failure(_: Exception) -> None:
    """Do nothing: the observer where failures are only waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """What to follow."""

    path: str
    """From `Kind.path`: all namespaces, or one.  Several namespaces are several ListWatches with a handler each."""

    label_selector: str = ""
    """Empty for all objects; the server does the filtering."""

    field_selector: str = ""
    """Likewise; `metadata.name=NAME` is also what allows a role to name the one object that may be watched."""


class ListWatch(Generic[T_co]):
    """Keep a handler informed about one collection, for ever; `run` it as a task and cancel that to stop."""

    def __init__(
        self,
        session: KubeSession,
        collection: Collection,
        read: Callable[[msgspec.Raw], T_co],
        handler: Handler[T_co],
        on_failure: Callable[[Exception], None] = ignore_failure,
    ) -> None:
        """`read` is called with each object's bytes, page by page; it keeps copies only.

        `on_failure` is called with what went wrong each time, before the next try.
        """
        self.is_complete = False
        """True from the first complete list on: the answer to "are we ready?"."""
        self.listed_at = float("-inf")
        """Monotonic instant at which the last complete list began."""
        self.last_activity = time.monotonic()
        """Monotonic instant at which the server last said anything here, bookmarks included."""
        self._session = session
        self._collection = collection
        self._decoder = Decoder(read)
        self._handler = handler
        self._on_failure = on_failure
        self._version = ""
        self._target = target_of("GET", collection.path, {"watch": "1"})
        self._outage = Outage(f"watch of {self._target.ref}")
        self._asked: frozenset[asyncio.Event] = frozenset()
        self._turn: asyncio.Timeout | None = None

    async def run(self) -> None:
        """List, watch, watch on, list again when needed; ends only when cancelled."""
        while True:
            self._turn = turn = asyncio.timeout(None)
            try:
                async with turn:
                    await self._take_turn()
            except TimeoutError:
                if not turn.expired():
                    raise

    async def relist(self) -> None:
        """List everything anew, now, and return when the handler has been given a list that began after this call.

        It is tried for as long as it takes, also in the middle of a list, a watch or a pause after a failure, which are
        short again then; until `run` runs, this waits for it.
        """
        asked = asyncio.Event()
        self._asked |= {asked}
        self._outage.try_sooner()
        if self._turn is not None and not self._turn.expired():
            self._turn.reschedule(asyncio.get_running_loop().time())
        await asked.wait()

    async def _take_turn(self) -> None:
        try:
            if self._asked or not self._version:
                await self._list()
            await self._watch()
        except (KubeError, msgspec.DecodeError) as error:
            if not can_resume_after(error):
                self._version = ""
            self._on_failure(error)
            await asyncio.sleep(self._outage.failed(error))

    async def _list(self) -> None:
        began_at = time.monotonic()
        asked = self._asked  # who asks from now on wants a later one
        self._handler.listing()
        try:
            complete = await self._streamed()
        except InvalidError:  # a server whose watches do not begin with a list: before 1.32, and 1.33
            complete = await self._in_pages()
        self._version = complete.version
        self._handler.listed(complete.items)
        self.is_complete, self.listed_at = True, began_at
        self._asked -= asked
        for one in asked:
            one.set()

    async def _streamed(self) -> Page[T_co]:
        items: dict[tuple[str, str], T_co] = {}
        begins_with_list = self._changes(sendInitialEvents="true", resourceVersionMatch="NotOlderThan")
        async with aclosing(begins_with_list) as changes:
            async for change in changes:
                if change.ends_list:
                    return Page(items=[*items.values()], version=change.version, next_token="")
                if change.type is ChangeType.DELETED:  # what happens meanwhile is told as well
                    items.pop(change.key, None)
                elif change.item is not None:
                    items[change.key] = change.item
        raise TransientKubeError(verb="watch", ref=self._target.ref, status=HTTPStatus.OK, message=CUT_SHORT)

    async def _in_pages(self) -> Page[T_co]:
        items: list[T_co] = []
        params = self._params(limit=str(PAGE_SIZE))
        while True:
            page = self._decoder.page(await self._session.get(self._collection.path, params))
            self.last_activity = time.monotonic()
            items += page.items
            if not page.next_token:
                return Page(items=items, version=page.version, next_token="")
            params = {**params, "continue": page.next_token}

    async def _watch(self) -> None:
        """Follow changes until the server ends the stream, as it does after the time it was asked for."""
        started_at = time.monotonic()
        try:
            async with aclosing(self._changes(resourceVersion=self._version)) as changes:
                async for change in changes:
                    self._take(change)
        except TransientKubeError:
            self._distrust_a_silent_watch_since(started_at)
            raise
        if self.last_activity < started_at:
            self._version = ""
            raise TransientKubeError(verb="watch", ref=self._target.ref, status=HTTPStatus.OK, message=SAID_NOTHING)

    async def _changes(self, **params: str) -> AsyncGenerator[Change[T_co]]:
        """Open a watch and yield what it tells, until the server ends it; a refusal in it is raised."""
        splitter = LineSplitter()
        params = self._params(
            **params,
            watch="1",
            allowWatchBookmarks="true",
            timeoutSeconds=str(int(random.uniform(*WATCH_FOR_SECONDS))),  # noqa: S311 - spreads load, guards nothing
        )
        async with aclosing(self._session.stream(self._collection.path, params)) as chunks:
            async for chunk in chunks:
                self.last_activity = time.monotonic()
                for line in splitter.feed(chunk):
                    change = self._decoder.line(line)
                    if change.refusal is not None:
                        raise error_from_status(self._target, change.refusal.code, change.refusal)
                    yield change

    def _distrust_a_silent_watch_since(self, started_at: float) -> None:
        """List again if the server had nothing to say for so long.

        After a restore of etcd our version lies in its future. It then sends no error and no bookmark but waits, for
        weeks, until it gets there (seen with 1.37.1).
        """
        was_silent = self.last_activity < started_at
        if was_silent and time.monotonic() - started_at >= self._session.watch_silence_seconds:
            self._version = ""

    def _take(self, change: Change[T_co]) -> None:
        if is_older(change.version, self._version):
            raise GoneError(verb="watch", ref=self._target.ref, status=HTTPStatus.OK, message=WENT_BACK)
        self._outage.is_over()  # not sooner: lists may work, and watches open, while nothing is ever delivered
        self._version = change.version or self._version
        if change.item is not None and change.type is not None:
            self._handler.changed(change.type, change.item)

    def _params(self, **params: str) -> dict[str, str]:
        selectors = {"labelSelector": self._collection.label_selector, "fieldSelector": self._collection.field_selector}
        return {**params, **{name: selector for name, selector in selectors.items() if selector}}


def can_resume_after(error: Exception) -> bool:
    """Tell whether the watch may go on from where it was; after any plain refusal only a new list is safe."""
    return isinstance(error, TransientKubeError) and not error.is_version_from_the_future
