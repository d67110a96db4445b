"""One term as leader: the parts that act, and what they remember.

Must not know how leadership is won.

The one idea a newcomer would miss: what is remembered beside the cluster is true for this term only.  Another replica
may have acted before it, so a term begins as a fresh process does: children listed anew first (R22), and no memories.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from periodicbuild.core.reasons import SinkName
from periodicbuild.kube.events import Recorder
from periodicbuild.notify.smtp import EmailSink
from periodicbuild.sources.finder import Finder
from periodicbuild.sources.web import Web
from periodicbuild.wiring.actions import Actions
from periodicbuild.wiring.admission import Admission
from periodicbuild.wiring.clock_watch import watch_clock
from periodicbuild.wiring.gate_looks import GateLooks
from periodicbuild.wiring.heartbeat import beat
from periodicbuild.wiring.lookups import Lookups
from periodicbuild.wiring.reconciler import Reconciler
from periodicbuild.wiring.sweep import Sweep
from periodicbuild.wiring.teller import Teller
from periodicbuild.wiring.writes import Writes

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from periodicbuild.kube.event_body import Reporter
    from periodicbuild.kube.leadership import Leadership
    from periodicbuild.kube.session import KubeSession
    from periodicbuild.kube.writer import Writer
    from periodicbuild.notify.notice import Sink
    from periodicbuild.wiring.clock import Clock
    from periodicbuild.wiring.gate_store import GateStore
    from periodicbuild.wiring.metrics import Metrics
    from periodicbuild.wiring.queue import KeyedQueue
    from periodicbuild.wiring.settings import Settings
    from periodicbuild.wiring.store import Store
    from periodicbuild.wiring.wakeups import WakeUps


@dataclass(frozen=True, slots=True, kw_only=True)
class Lasting:
    """What outlives a term: the parts that know, and those that carry out."""

    settings: Settings
    session: KubeSession
    writer: Writer
    clock: Clock
    metrics: Metrics
    store: Store
    gates: GateStore
    queue: KeyedQueue
    wakeups: WakeUps
    sinks: Mapping[SinkName, Sink]
    reporter: Reporter
    leadership: Leadership


async def act(lasting: Lasting) -> None:
    """Act until cancelled; what is on its way then is broken off, or refused by the writer."""
    settings, store, queue = lasting.settings, lasting.store, lasting.queue
    store.forget_memories()
    lasting.gates.forget_memories()
    admission = Admission(
        per_second=settings.starts_per_second, max_concurrent=settings.max_concurrent_builds, enqueue=queue.add
    )
    admission.take_places(store.builds_in_progress())
    teller = _teller(lasting)
    finder, lookups = _lookups(lasting)
    writes = Writes(lasting.writer, store, lasting.clock, lasting.leadership)
    recorder = Recorder(lasting.writer, lasting.reporter, on_recorded=lasting.metrics.loop.on_event)
    reconciler = Reconciler(
        store=store,
        clock=lasting.clock,
        actions=Actions(lasting.session, lasting.writer, store, lasting.clock, lookups),
        writes=writes,
        recorder=recorder,
        wakeups=lasting.wakeups,
        admission=admission,
        metrics=lasting.metrics,
        teller=teller,
        gates=_gate_looks(lasting, admission),
        queue=queue,
        writer=lasting.writer,
    )
    sweep = Sweep(
        session=lasting.session,
        store=store,
        clock=lasting.clock,
        writes=writes,
        recorder=recorder,
        metrics=lasting.metrics,
    )
    store.enqueue_all()
    lasting.gates.enqueue_all()
    try:
        async with asyncio.TaskGroup() as group:
            parts = [admission.run(), sweep.run(), watch_clock(lasting.clock, lasting.leadership, recorder)]
            for part in (*parts, *_heartbeat(lasting), reconciler.run()):
                group.create_task(part)
    finally:
        for one in (teller, lookups, finder):
            await one.close()


def _lookups(lasting: Lasting) -> tuple[Finder, Lookups]:
    settings = lasting.settings.sources
    web = Web(settings.rules, settings.ca_file)
    finder = Finder(web, settings.credentials_folder, on_lookup=lasting.metrics.lookups.count)
    return finder, Lookups(finder, lasting.store, lasting.clock, lasting.queue.add)


def _gate_looks(lasting: Lasting, admission: Admission) -> GateLooks:
    return GateLooks(
        gates=lasting.gates,
        store=lasting.store,
        admission=admission,
        clock=lasting.clock,
        wakeups=lasting.wakeups,
        writer=lasting.writer,
    )


def _teller(lasting: Lasting) -> Teller:
    telling = lasting.settings.telling
    return Teller(
        store=lasting.store,
        clock=lasting.clock,
        metrics=lasting.metrics.telling,
        enqueue=lasting.queue.add,
        telling=telling.telling(),
        sinks=lasting.sinks,
        pace=telling.pace,
        leadership=lasting.leadership,
    )


def _heartbeat(lasting: Lasting) -> list[Coroutine[None, None, None]]:
    telling, mail = lasting.settings.telling, lasting.sinks.get(SinkName.EMAIL)
    if not isinstance(mail, EmailSink) or telling.heartbeat is None:
        return []
    return [beat(mail, telling.to, telling.heartbeat, store=lasting.store, clock=lasting.clock)]
