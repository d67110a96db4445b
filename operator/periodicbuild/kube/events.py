"""The recorder: tells people facts by `events.k8s.io/v1` Events, sparingly (R37).

Must not decide what is worth an Event, and is never the record of truth: what cannot be told is dropped and counted.

The one idea a newcomer would miss: "already exists" is success.  The name of an Event is a function of its fact, so
after a crash, or on another replica, the same fact meets its own Event.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from periodicbuild.core.notices import EventType
from periodicbuild.core.recent import Recent
from periodicbuild.kube.errors import (
    AlreadyExistsError,
    ForbiddenError,
    KubeError,
    NotFoundError,
    NotLeaderError,
    OperatorError,
    TransientKubeError,
    WriterClosedError,
)
from periodicbuild.kube.event_body import EVENTS, event_body, event_name, event_namespace
from periodicbuild.kube.event_budget import EventBudget
from periodicbuild.kube.outage import Outage
from periodicbuild.kube.writer import Priority, WriteRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from periodicbuild.core.notices import EventFact
    from periodicbuild.kube.event_body import Reporter
    from periodicbuild.kube.writer import Writer

REMEMBERED_FACTS = 4096
"""A fact beyond is sent once more, and the API server says that it exists."""

TRIES = 3
"""Sends per Event; more would keep old news in the queue during an outage."""


class Recorded(StrEnum):
    """What became of a fact."""

    CREATED = "Created"
    DROPPED = "Dropped"
    """The object has had its share of Events; or it is good news, and writes stand in line (decision 0026)."""
    FAILED = "Failed"


class Recorder:
    """Write Events through the writer, with the lowest priority."""

    def __init__(
        self,
        writer: Writer,
        reporter: Reporter,
        *,
        on_recorded: Callable[[Recorded], None] = lambda _: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_recorded` hears what became of each fact that was not told already."""
        self._on_recorded = on_recorded
        self._writer = writer
        self._reporter = reporter
        self._now = now
        self._told: Recent[str, EventFact] = Recent(REMEMBERED_FACTS)
        self._budget = EventBudget(monotonic)
        self._outage = Outage("writing Events", monotonic=monotonic)

    async def record(self, fact: EventFact) -> None:
        """Tell a fact, unless it is told already; returns when it is told or dropped, and raises nothing.

        Good news is not worth a place in a line of writes: statuses tell it, too.

        Call it after the status write that the fact describes.
        """
        name = event_name(fact)
        if self._told.get(name) is not None:
            return
        is_superfluous = fact.type == EventType.NORMAL and self._writer.is_pressed
        if is_superfluous or not self._budget.take(fact.regarding.uid):
            self._on_recorded(Recorded.DROPPED)
            return
        self._told.put(name, fact)
        try:
            await self._create(fact)
        except (KubeError, NotLeaderError, WriterClosedError) as error:
            self._forget(name, error)
            self._on_recorded(Recorded.FAILED)
        else:
            self._on_recorded(Recorded.CREATED)

    async def _create(self, fact: EventFact) -> None:
        path = EVENTS.path(namespace=event_namespace(fact.regarding))
        body = event_body(fact, self._reporter, self._now())
        with suppress(AlreadyExistsError):
            await self._write(WriteRequest(method="POST", path=path, body=body))

    async def _write(self, request: WriteRequest) -> None:
        """Send; what may have been carried out and lost its answer is sent again, which the name makes harmless."""
        for _ in range(TRIES - 1):
            try:
                await self._submit(request)
            except TransientKubeError as error:
                await asyncio.sleep(self._outage.failed(error))
            else:
                return
        await self._submit(request)

    async def _submit(self, request: WriteRequest) -> None:
        await self._writer.submit(Priority.LATER, request)
        self._outage.is_over()

    def _forget(self, name: str, error: OperatorError) -> None:
        """Forget the fact, so that it is tried again if it is said again."""
        self._told.forget(name)
        if isinstance(error, KubeError) and not _is_namespace_gone(error):
            self._outage.failed(error)


def _is_namespace_gone(error: KubeError) -> bool:
    """Tell whether there is nobody left to be told (R43)."""
    if isinstance(error, ForbiddenError):
        return error.is_namespace_terminating
    return isinstance(error, NotFoundError)
