"""The desk: takes what people are to be told, hands it to the sinks, and reports what became of it (R39).

Must not decide what is told, when it is tried again, or to whom.

The one idea a newcomer would miss: a storm must not bury its cause.  Of everything that is told to people only so many
an hour go out one by one; the others are held back until it is quiet for a while and go out as one digest, and each of
them counts as delivered only then.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from periodicbuild.core.mail import Delivery
from periodicbuild.core.reasons import SinkName
from periodicbuild.core.recent import Recent
from periodicbuild.notify.notice import Receipt

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence

    from periodicbuild.notify.notice import Notice, Sink

HOUR_SECONDS = 3600.0
REMEMBERED = 10_000
"""Notices of which some recipients are still to be told; one that is forgotten goes to all of them again."""
FOR_MACHINES = frozenset({SinkName.WEBHOOK})
"""No digest for these: a program wants every fact."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much people are told at once."""

    per_hour: int = 100
    """Notices one by one, of each sink; 0 = no limit."""
    quiet_seconds: float = 60.0
    """A digest waits until nothing was added to it for so long,"""
    longest_seconds: float = 600.0
    """but not longer than this;"""
    digest_every_seconds: float = HOUR_SECONDS
    """and those who had one get the next at the earliest after this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """One notice, and who has not got it yet."""

    notice: Notice
    tries: int
    sinks: tuple[SinkName, ...]
    to: tuple[str, ...]
    """E-mail addresses."""

    @property
    def id(self) -> tuple[str, str]:
        """Of the fact: one parcel for each is under way at a time."""
        return self.notice.uid, self.notice.key


@dataclass(slots=True)
class _Batch:
    """What is held back for one sink and the same recipients."""

    first_at: float
    last_at: float
    held: list[tuple[Notice, asyncio.Future[Receipt]]] = field(default_factory=list)


class Desk:
    """Deliver parcels; `report` is called once for each that was posted, unless the desk is closed before."""

    def __init__(
        self,
        sinks: Mapping[SinkName, Sink],
        report: Callable[[Parcel, Delivery], None],
        pace: Pace | None = None,
        *,
        may_tell: Callable[[], bool] = lambda: True,
    ) -> None:
        """`may_tell` is asked right before anything is sent, as a process may sleep longer than it leads."""
        self._sinks = sinks
        self._may_tell = may_tell
        self._report = report
        self._pace = pace or Pace()
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: set[tuple[str, str]] = set()
        self._sent_at: dict[SinkName, deque[float]] = {name: deque() for name in sinks}
        self._batches: dict[tuple[SinkName, Sequence[str]], _Batch] = {}
        self._digest_at: dict[tuple[SinkName, Sequence[str]], float] = {}
        self._left: Recent[tuple[str, str], tuple[str, ...]] = Recent(REMEMBERED)

    def is_under_way(self, uid: str, key: str) -> bool:
        """Tell whether a notice was posted and is not reported yet."""
        return (uid, key) in self._under_way

    def post(self, parcel: Parcel) -> None:
        """Take a parcel; one that is under way already is not taken twice."""
        if parcel.id not in self._under_way:
            self._under_way.add(parcel.id)
            self._spawn(self._deliver(parcel))

    async def close(self) -> None:
        """Stop; what is under way stays owed (R39)."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, parcel: Parcel) -> None:
        receipts = await asyncio.gather(*(self._hand_over(name, parcel) for name in parcel.sinks))
        self._under_way.discard(parcel.id)
        self._report(parcel, _delivery(parcel, dict(zip(parcel.sinks, receipts, strict=True))))

    async def _hand_over(self, name: SinkName, parcel: Parcel) -> Receipt:
        sink = self._sinks.get(name)
        if sink is None:
            return Receipt(is_accepted=False, problem=f"the operator was started without {name}")
        if name != SinkName.EMAIL:
            return await self._send(sink, parcel.notice, ())
        return await self._mail(sink, parcel)

    async def _mail(self, sink: Sink, parcel: Parcel) -> Receipt:
        """Send to those who have not got it; whoever was refused for now is remembered, as status holds no address."""
        to = self._left.get(parcel.id) or parcel.to
        if not to:
            return Receipt(is_accepted=True)  # whoever wanted it has been taken off the list meanwhile
        receipt = await self._send(sink, parcel.notice, to)
        if receipt.left:
            self._left.put(parcel.id, receipt.left)
        elif receipt.is_accepted:
            self._left.forget(parcel.id)
        return receipt

    async def _send(self, sink: Sink, notice: Notice, to: Sequence[str]) -> Receipt:
        if sink.name in FOR_MACHINES or not self._pace.per_hour:
            return await self._receipt(sink, partial(sink.send, notice, to))
        sent_at = self._sent_at[sink.name]
        now = time.monotonic()
        while sent_at and sent_at[0] <= now - HOUR_SECONDS:
            sent_at.popleft()
        if len(sent_at) >= self._pace.per_hour:
            return await self._hold(sink, notice, to)
        sent_at.append(now)
        receipt = await self._receipt(sink, partial(sink.send, notice, to))
        if not receipt.is_accepted and now in sent_at:
            sent_at.remove(now)  # nobody has read it, so it has not used up anybody's patience
        return receipt

    async def _hold(self, sink: Sink, notice: Notice, to: Sequence[str]) -> Receipt:
        key, now = (sink.name, to), time.monotonic()
        batch = self._batches.get(key)
        if batch is None:
            batch = self._batches[key] = _Batch(first_at=now, last_at=now)
            self._spawn(self._digest(sink, to, batch))
        receipt: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        batch.last_at = now
        batch.held.append((notice, receipt))
        return await receipt

    async def _digest(self, sink: Sink, to: Sequence[str], batch: _Batch) -> None:
        """Wait until it is quiet, and tell of everything in one go."""
        key = (sink.name, to)
        while (seconds := self._digest_due_at(key, batch) - time.monotonic()) > 0:  # noqa: ASYNC110 - what comes in moves it
            await asyncio.sleep(seconds)
        del self._batches[key]
        notices = sorted((notice for notice, _ in batch.held), key=lambda notice: (notice.owed_at, notice.key))
        receipt = await self._receipt(sink, partial(sink.send_digest, notices, to))
        if receipt.is_accepted:
            self._digest_at[key] = time.monotonic()
        for _, waiting in batch.held:
            waiting.set_result(receipt)

    async def _receipt(self, sink: Sink, send: Callable[[], Awaitable[Receipt]]) -> Receipt:
        """Wait for a sink; the only place where any exception is caught, so that no sink jams what is owed."""
        if not self._may_tell():
            return Receipt(is_accepted=False, problem="another replica leads, and tells people")
        try:
            return await send()
        except Exception:  # noqa: BLE001 - one broken sink must not keep everybody from being told
            _log.exception("a sink failed; this is a bug in the operator", extra={"sink": sink.name})
            return Receipt(is_accepted=False, problem=f"{sink.name} failed by a bug in the operator; its log says more")

    def _digest_due_at(self, key: tuple[SinkName, Sequence[str]], batch: _Batch) -> float:
        pace = self._pace
        when_quiet = min(batch.last_at + pace.quiet_seconds, batch.first_at + pace.longest_seconds)
        last = self._digest_at.get(key)
        return when_quiet if last is None else max(when_quiet, last + pace.digest_every_seconds)


def _delivery(parcel: Parcel, receipts: Mapping[SinkName, Receipt]) -> Delivery:
    problems = dict.fromkeys(receipt.problem for receipt in receipts.values() if receipt.problem)
    return Delivery(
        key=parcel.notice.key,
        tries=parcel.tries,
        delivered=frozenset(name for name, one in receipts.items() if one.is_accepted and not one.left),
        given_up=frozenset(name for name, one in receipts.items() if one.is_final and not one.is_accepted),
        problem="; ".join(problems),
        refused=tuple(dict.fromkeys(address for one in receipts.values() for address in one.refused)),
    )
