"""Between the loop and those who look sources up: what a look asks for begins here, and what is found comes back.

Must not decide, and must not know how a source is looked up.

The one idea a newcomer would miss: nobody waits here.  A look that asks goes on at once and finds that it is being
looked up; when the answer is there, the object is looked at again.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from periodicbuild.core.inputs import Lookup
from periodicbuild.kube.kinds import PERIODIC_BUILD
from periodicbuild.wiring.keys import Key

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from periodicbuild.core.facts import PeriodicBuild
    from periodicbuild.core.inputs import Finding, Source
    from periodicbuild.core.plans import LookUpSources
    from periodicbuild.wiring.clock import Clock
    from periodicbuild.wiring.store import Store

_log = logging.getLogger(__name__)

OLD_ENOUGH_SECONDS = 5.0
"""What others have found since the slot fell due is taken, or so long before it."""


class Finds(Protocol):
    """Whoever can find out at which revision a source is."""

    async def find(self, source: Source, max_age: float) -> tuple[Finding, float]:
        """Find out, as of so many seconds ago at most, and as of how many; what goes wrong is in the finding."""
        ...


class Lookups:
    """Lookups under way."""

    def __init__(self, finder: Finds, store: Store, clock: Clock, enqueue: Callable[[Key], None]) -> None:
        self._finder = finder
        self._store = store
        self._clock = clock
        self._enqueue = enqueue
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, action: LookUpSources, build: PeriodicBuild) -> None:
        """Begin, and remember that it has begun."""
        lookup = Lookup(slot=action.slot, sources=action.sources, asked_at=self._clock.now().steady)
        self._store.build_memory(build.ref.uid).lookup = lookup
        since_slot = (self._clock.now().wall - action.slot).total_seconds()
        task = asyncio.create_task(self._look_up(lookup, build, max(since_slot, OLD_ENOUGH_SECONDS)))
        self._tasks.add(task)
        task.add_done_callback(self._notice_end)

    async def close(self) -> None:
        """Break off what is under way: whoever leads next asks again."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _notice_end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a lookup failed; this is a bug in the operator", exc_info=error)

    async def _look_up(self, lookup: Lookup, build: PeriodicBuild, max_age: float) -> None:
        found = await asyncio.gather(*(self._find(source, max_age) for source in lookup.sources))
        memory = self._store.build_memory(build.ref.uid)
        if memory.lookup is not lookup:
            return  # something else is asked for by now
        named = {source.name: finding for source, (finding, _) in zip(lookup.sources, found, strict=True)}
        memory.lookup = replace(lookup, asked_at=min(asked_at for _, asked_at in found), findings=named)
        self._enqueue(Key(PERIODIC_BUILD, build.ref.namespace, build.ref.name))

    async def _find(self, source: Source, max_age: float) -> tuple[Finding, datetime]:
        """Find out, and tell when that was asked: an answer that others have had first is older than our question."""
        finding, age = await self._finder.find(source, max_age)
        return finding, self._clock.now().steady - timedelta(seconds=age)
