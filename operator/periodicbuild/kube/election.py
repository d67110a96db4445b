"""The election: one replica at a time acts, as the Lease says (design 4).

Must not know what a leader does.

The one idea a newcomer would miss: nothing here can make a replica act too long.  `is_leading` reads the clock; it ends
by itself unless a renewal has come back in time, also in a process that was stopped, or cut off, and knows nothing.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from periodicbuild.core.leadership import Candidate, Lease
from periodicbuild.core.notices import ObjectRef
from periodicbuild.kube.changes import ChangeType, is_older
from periodicbuild.kube.errors import AlreadyExistsError, ConflictError, ForbiddenError, KubeError, NotFoundError
from periodicbuild.kube.event_body import micro_time
from periodicbuild.kube.lease import LEASE, LEASES, LeaseObject
from periodicbuild.kube.outage import Outage
from periodicbuild.kube.watch import Collection, ListWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from datetime import datetime

    from periodicbuild.kube.session import KubeSession

CALL_SECONDS = 2.0
"""A bid that is not answered by then has failed, as far as this replica may know."""

RETRY_SECONDS = 1.0
"""After a bid that failed; three of them fit between a renewal that is due and the end of the term."""

RELUCTANCE_SECONDS = 5.0
"""So long a replica that is not fit leaves the Lease to others; if nobody takes it, it leads all the same."""

RELEASE_SECONDS = 1.0
"""For giving the Lease back at the end; longer is not worth it, as it runs out anyway."""

REMEDY = "kubectl apply -f manifests/rbac.yaml, or --leader-elect=false for a replica that is the only one"

_log = logging.getLogger(__name__)


def seconds_since_boot() -> float:
    """Read a clock that never steps and goes on while the machine sleeps: a Lease runs out in the meantime."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass(frozen=True, slots=True, kw_only=True)
class ElectionSettings:
    """Which Lease, and who asks for it."""

    namespace: str
    name: str
    identity: str
    """No other living replica may have it; a process that finds its own one on the Lease takes it at once."""
    duration_seconds: int = 15


class Election:
    """Take part in it: `run` as a task, `while_leading` for what only a leader does, `release` at the end."""

    def __init__(
        self,
        session: KubeSession,
        settings: ElectionSettings,
        *,
        now: Callable[[], datetime],
        is_fit: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = seconds_since_boot,
    ) -> None:
        """`session` should be used for nothing else, so that no herd of writes holds a renewal up.

        `now` dates the Lease, for people; `clock` decides.  A leader for which `is_fit` becomes False gives way.
        """
        self._settings = settings
        self._now = now
        self._is_fit = is_fit
        self._began_fit = True
        self.since = float("inf")
        """Monotonic instant from which on no other replica has acted; infinity while it does not lead."""
        self._clock = clock
        self._lease = LeaseObject(
            session, namespace=settings.namespace, name=settings.name, usual_duration=settings.duration_seconds
        )
        self._candidate = Candidate(identity=settings.identity, duration_seconds=settings.duration_seconds)
        self._before: Lease | None = None
        self._not_before = 0.0
        self._complaint: str | None = None
        self._outage = Outage("the Lease")
        self._has_news = asyncio.Event()
        self._has_begun = asyncio.Event()
        self._has_ended = asyncio.Event()
        self._is_clear = asyncio.Event()
        only_this = Collection(
            path=LEASES.path(namespace=settings.namespace), field_selector=f"metadata.name={settings.name}"
        )
        self._watch = ListWatch(session, only_this, self._lease.read_json, self)

    @property
    def is_leading(self) -> bool:
        """Tell whether this replica may act at this very moment."""
        return self._clock() < self._candidate.held_until

    @property
    def term(self) -> int:
        """Number of the term that the Lease shows."""
        return self._candidate.lease.transitions if self._candidate.lease is not None else 0

    @property
    def lease_ref(self) -> ObjectRef | None:
        """Point at the Lease."""
        lease, settings = self._candidate.lease, self._settings
        if lease is None:
            return None
        return ObjectRef(
            api_version=LEASES.api_version, kind=LEASE, namespace=settings.namespace, name=settings.name, uid=lease.uid
        )

    @property
    def complaint(self) -> str | None:
        """Say why this replica could not lead if it were its turn; None = it could."""
        return self._complaint

    async def run(self) -> None:
        """Watch the Lease, and renew it or take it when it is time; for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch.run())
            group.create_task(self._bid_for_ever())

    async def is_clear(self) -> None:
        """Wait until it is known who leads."""
        await self._is_clear.wait()

    async def while_leading(self, act: Callable[[], Coroutine[None, None, None]]) -> None:
        """Run `act` anew in each term and cancel it when the term ends, for ever; raises what `act` raises."""
        while True:
            await self._has_begun.wait()
            acting, ending = asyncio.create_task(act()), asyncio.create_task(self._has_ended.wait())
            try:
                await asyncio.wait({acting, ending}, return_when=asyncio.FIRST_COMPLETED)
                if acting.done():
                    acting.result()
            finally:
                acting.cancel()
                ending.cancel()
                await asyncio.gather(acting, ending, return_exceptions=True)

    async def release(self) -> None:
        """Stop leading and give the Lease back, so that a standby need not wait; after `run` has been cancelled."""
        lease = self._candidate.lease
        if lease is None or not self._candidate.has_won:
            return
        mark = micro_time(self._now())
        self._see(lease.given_back(mark))
        try:
            async with asyncio.timeout(RELEASE_SECONDS):
                await self._give_back(lease, mark)
        except (KubeError, TimeoutError, msgspec.DecodeError) as error:
            _log.warning("the Lease was not given back; it runs out by itself", extra={"error": str(error)})

    async def _give_back(self, lease: Lease, mark: str) -> None:
        try:
            await self._lease.write(lease.given_back(mark), begins=False)
        except ConflictError:  # as when our last renewal was carried out, and its answer never read
            found = await self._lease.read()
            if found is not None and self._candidate.saw(found, self._clock()).has_won:
                await self._lease.write(found.given_back(mark), begins=False)

    # What the watch shows

    def listing(self) -> None:
        """Note what is known, as answers of our own may come before that of the list."""
        self._before = self._candidate.lease

    def listed(self, items: Sequence[Lease]) -> None:
        """Take the Lease, or that there is none."""
        if items:
            self.changed(ChangeType.MODIFIED, items[0])
        elif self._candidate.lease == self._before:
            self._see(None)

    def changed(self, change: ChangeType, item: Lease) -> None:
        """Take a change; the answers of our own bids are newer at times."""
        known = self._candidate.lease
        if known is None or not is_older(item.version, known.version):
            self._see(None if change == ChangeType.DELETED else item)

    # Bids

    async def _bid_for_ever(self) -> None:
        while True:
            await self._wait_until_due()
            await self._act()

    async def _wait_until_due(self) -> None:
        while True:
            self._announce()
            now, due = self._clock(), self._due_at
            if due <= now:
                return
            ends = self._candidate.held_until if self.is_leading else float("inf")
            self._has_news.clear()
            try:
                async with asyncio.timeout(min(RETRY_SECONDS, max(0.0, min(due, ends) - now))):
                    await self._has_news.wait()
            except TimeoutError:
                continue

    @property
    def _due_at(self) -> float:
        """Give the instant of the next bid, or of the first look."""
        candidate = self._candidate
        reluctance = 0.0 if candidate.has_won or not candidate.has_looked or self._is_fit() else RELUCTANCE_SECONDS
        return max(candidate.acts_at + reluctance, self._not_before)

    async def _act(self) -> None:
        if not self._candidate.has_looked:
            await self._look()
        elif self._candidate.has_won and self._began_fit and not self._is_fit():
            await self._give_way()
        else:
            await self._bid()

    async def _bid(self) -> None:
        lease, begins = replace(self._candidate.next_lease, mark=micro_time(self._now())), not self._candidate.has_won
        self._candidate = self._candidate.sent(lease.mark, self._clock())
        try:
            async with asyncio.timeout(CALL_SECONDS):
                self._see(await self._lease.write(lease, begins=begins))
        except NotFoundError as error:
            if lease.version:
                self._see(None)  # somebody has deleted it
            else:
                self._failed(error)  # its namespace is missing
        except (AlreadyExistsError, ConflictError):
            await self._look()  # somebody was faster
        except (KubeError, TimeoutError, msgspec.DecodeError) as error:
            self._failed(error)
        else:
            self._worked()
            self._began_fit = self._began_fit if not begins else self._is_fit()

    async def _give_way(self) -> None:
        """Let another replica lead that is fit; if there is none, this one soon does so again."""
        _log.warning("not fit to lead: giving the Lease back", extra={"term": self.term})
        await self.release()
        self._not_before = self._clock() + RELUCTANCE_SECONDS

    async def _look(self) -> None:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                self._see(await self._lease.read())
        except (KubeError, TimeoutError, msgspec.DecodeError) as error:
            self._failed(error)
        else:
            self._worked()

    def _worked(self) -> None:
        self._outage.is_over()
        self._complaint = None

    def _failed(self, error: Exception) -> None:
        self._outage.failed(error if str(error) else TimeoutError(f"no answer within {CALL_SECONDS:g} s"))
        self._not_before = self._clock() + RETRY_SECONDS
        if isinstance(error, ForbiddenError):
            self._complaint = f"no replica can lead, as the Lease is not ours to use ({error}): {REMEDY}"

    def _see(self, lease: Lease | None) -> None:
        self._candidate = self._candidate.saw(lease, self._clock())
        self._announce()
        self._has_news.set()

    def _announce(self) -> None:
        """Wake up whoever waits for a term to begin or to end."""
        if self.is_leading or (self._candidate.has_looked and self._clock() < self._due_at):
            self._is_clear.set()
        if self.is_leading == self._has_begun.is_set():
            return
        lease = self._candidate.lease
        extra = {"term": self.term, "holder": lease.holder if lease is not None else ""}
        if self.is_leading:
            self.since = time.monotonic()
            self._has_ended.clear()
            self._has_begun.set()
            _log.info("leading", extra=extra)
        else:
            self.since = float("inf")
            self._has_begun.clear()
            self._has_ended.set()
            _log.info("not leading any more", extra=extra)
