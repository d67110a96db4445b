"""Between the loop and the desk: what a look says is due to be told goes there, and what became of it comes back.

Must not decide anything, and must not know how a notice is sent.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from periodicbuild.core.recipients import recipients_of
from periodicbuild.kube.kinds import PERIODIC_BUILD
from periodicbuild.notify.composing import compose
from periodicbuild.notify.desk import Desk, Parcel
from periodicbuild.wiring.keys import Key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from periodicbuild.core.facts import AppServer, PeriodicBuild
    from periodicbuild.core.mail import Delivery, PendingNotice
    from periodicbuild.core.reasons import SinkName
    from periodicbuild.core.recipients import Telling
    from periodicbuild.kube.leadership import Leadership
    from periodicbuild.kube.parse_build import StoredBuild
    from periodicbuild.notify.desk import Pace
    from periodicbuild.notify.notice import Sink
    from periodicbuild.wiring.clock import Clock
    from periodicbuild.wiring.store import Store
    from periodicbuild.wiring.telling_metrics import TellingMetrics

_log = logging.getLogger(__name__)


class Teller:
    """Have people told, and note what became of it in the store."""

    def __init__(  # noqa: PLR0913 - keywords: the parts that meet here
        self,
        *,
        store: Store,
        clock: Clock,
        metrics: TellingMetrics,
        enqueue: Callable[[Key], None],
        telling: Telling,
        sinks: Mapping[SinkName, Sink],
        pace: Pace,
        leadership: Leadership,
    ) -> None:
        self.telling = telling
        self._store = store
        self._clock = clock
        self._metrics = metrics
        self._enqueue = enqueue
        self._desk = Desk(sinks, self._note, pace, may_tell=lambda: leadership.is_leading)

    def tell(self, stored: StoredBuild, notices: Sequence[PendingNotice]) -> None:
        """Hand over what is due; what is under way already is left alone."""
        for owed in notices:
            if not self._desk.is_under_way(stored.ref.uid, owed.key):
                self._desk.post(self._parcel(stored.facts(), owed))

    async def close(self) -> None:
        """Stop telling; what is under way stays owed (R39)."""
        await self._desk.close()

    def _parcel(self, build: PeriodicBuild, owed: PendingNotice) -> Parcel:
        attempt = self._attempt(build, owed)
        log = None if attempt is None else self._store.attempt_memory(attempt.ref.uid).log
        return Parcel(
            notice=compose(build, owed, attempt, log),
            tries=owed.tries,
            sinks=owed.sinks,
            to=recipients_of(owed.kind, build.spec.notifications, self.telling),
        )

    def _attempt(self, build: PeriodicBuild, owed: PendingNotice) -> AppServer | None:
        """Find the attempt that a notice is about; another one may have its name by now."""
        attempt = self._store.app_servers.get((build.ref.namespace, owed.app_server))
        return attempt if attempt is not None and attempt.controller_uid == build.ref.uid else None

    def _note(self, parcel: Parcel, delivery: Delivery) -> None:
        notice = parcel.notice
        self._store.build_memory(notice.uid).deliveries[notice.key] = delivery
        self._enqueue(Key(PERIODIC_BUILD, notice.namespace, notice.name))
        seconds = (self._clock.now().steady - notice.owed_at).total_seconds()
        self._metrics.count(parcel.sinks, delivery, seconds)
        extra = {"namespace": notice.namespace, "object": notice.name, "notice": notice.key, "tries": parcel.tries}
        if delivery.problem:
            _log.warning("people could not be told", extra={**extra, "problem": delivery.problem})
        else:
            _log.info("people were told", extra=extra)
