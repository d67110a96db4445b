"""The recorder: tells people facts by `events.k8s.io/v1` Events, sparingly (R37).

Must not decide what is worth an Event, and is never the record of truth: what cannot be told is dropped and counted.

The one idea a newcomer would miss: "already exists" is success.  The name of an Event is a function of its fact, so
after a crash, or on another replica, the same fact meets its own Event.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from periodicbuild.core.recent import Recent
from periodicbuild.kube.errors import (
    AlreadyExistsError,
    ForbiddenError,
    InvalidError,
    KubeError,
    NotFoundError,
    NotLeaderError,
    OperatorError,
    TransientKubeError,
    WriterClosedError,
)
from periodicbuild.kube.event_body import EVENTS, event_body, event_name, event_namespace, series_body
from periodicbuild.kube.event_budget import EventBudget
from periodicbuild.kube.outage import Outage
from periodicbuild.kube.session import MERGE_PATCH
from periodicbuild.kube.writer import Priority, WriteRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from periodicbuild.core.notices import EventFact
    from periodicbuild.kube.event_body import Reporter
    from periodicbuild.kube.writer import Writer

SERIES_EVERY_SECONDS = 30 * 60.0
"""How often a growing count is written, as client-go does; the API server forgets Events after an hour."""

REMEMBERED_FACTS = 4096
"""A fact beyond is sent once more, and the API server says that it exists."""

TRIES = 3
"""Sends per Event; more would keep old news in the queue during an outage."""


@dataclass(slots=True)
class _Told:
    """What is known of an Event that this process wrote or met."""

    count: int
    """Occurrences, those not yet written included."""

    write_again_at: float = math.inf
    """Monotonic instant from which a repeat is written; infinity while a write is under way."""


class _Series(msgspec.Struct):
    count: int = 0


class _Event(msgspec.Struct):
    series: _Series | None = None


class Recorded(StrEnum):
    """What became of a fact."""

    CREATED = "Created"
    SERIES = "Series"
    """An Event that is there was counted up."""
    DROPPED = "Dropped"
    """The object has had its share of Events."""
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
        self._monotonic = monotonic
        self._told: Recent[str, _Told] = Recent(REMEMBERED_FACTS)
        self._budget = EventBudget(monotonic)
        self._outage = Outage("writing Events", monotonic=monotonic)

    async def record(self, fact: EventFact) -> None:
        """Tell a fact, unless it is told already; returns when it is told or dropped, and raises nothing.

        Call it after the status write that the fact describes.
        """
        path = EVENTS.path(namespace=event_namespace(fact.regarding), name=event_name(fact))
        told = self._told.get(path)
        if told is not None:
            told.count += 1
            if not fact.repeating or self._monotonic() < told.write_again_at:
                return
        if not self._budget.take(fact.regarding.uid):
            self._on_recorded(Recorded.DROPPED)
            return
        try:
            outcome = await (self._create(fact, path) if told is None else self._count(fact, path, told))
        except (KubeError, NotLeaderError, WriterClosedError) as error:
            self._forget(path, error)
            outcome = Recorded.FAILED
        self._on_recorded(outcome)

    async def _create(self, fact: EventFact, path: str) -> Recorded:
        told = _Told(count=1)
        self._told.put(path, told)
        request = WriteRequest(
            method="POST",
            path=EVENTS.path(namespace=event_namespace(fact.regarding)),
            body=event_body(fact, self._reporter, self._now()),
        )
        try:
            await self._write(request)
        except AlreadyExistsError:
            if fact.repeating:
                await self._go_on(path, told)
                return Recorded.SERIES
        else:
            told.write_again_at = self._monotonic()
        return Recorded.CREATED

    async def _count(self, fact: EventFact, path: str, told: _Told) -> Recorded:
        """Write the count; an Event that the API server has forgotten meanwhile begins anew."""
        told.write_again_at = math.inf
        try:
            await self._patch_series(path, told.count)
        except NotFoundError:
            return await self._create(fact, path)
        told.write_again_at = self._monotonic() + SERIES_EVERY_SECONDS
        return Recorded.SERIES

    async def _go_on(self, path: str, told: _Told) -> None:
        """Take over the count of an Event that an earlier process began: it must not go down."""
        try:
            event = _decode_event(await self._patch_series(path, None))
            told.count += event.series.count if event.series else 1
        except InvalidError:  # no series yet, and a first one must have a count
            told.count += 1
            await self._patch_series(path, told.count)
        told.write_again_at = self._monotonic() + SERIES_EVERY_SECONDS

    async def _patch_series(self, path: str, count: int | None) -> bytes:
        body = series_body(self._now(), count)
        return await self._write(WriteRequest(method="PATCH", path=path, body=body, content_type=MERGE_PATCH))

    async def _write(self, request: WriteRequest) -> bytes:
        """Send; what may have been carried out and lost its answer is sent again, which the name makes harmless."""
        for _ in range(TRIES - 1):
            try:
                return await self._submit(request)
            except TransientKubeError as error:
                pause = self._outage.failed(error)
            await asyncio.sleep(pause)
        return await self._submit(request)

    async def _submit(self, request: WriteRequest) -> bytes:
        answer = await self._writer.submit(Priority.LATER, request)
        self._outage.is_over()
        return answer

    def _forget(self, path: str, error: OperatorError) -> None:
        """Forget the fact, so that it is tried again if it is said again."""
        self._told.forget(path)
        if isinstance(error, KubeError) and not _is_namespace_gone(error):
            self._outage.failed(error)


_decode_event = msgspec.json.Decoder(_Event).decode


def _is_namespace_gone(error: KubeError) -> bool:
    """Tell whether there is nobody left to be told (R43)."""
    if isinstance(error, ForbiddenError):
        return error.is_namespace_terminating
    return isinstance(error, NotFoundError)
