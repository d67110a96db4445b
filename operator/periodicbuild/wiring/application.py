"""The process: what is made from what, in which order it starts, and in which it stops.

Must not know what acting is (`term.py`): a replica that stands by does all of this, and only this.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import kopf

from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.election import Election
from periodicbuild.kube.errors import NotFoundError, UnknownKindError
from periodicbuild.kube.event_body import Reporter
from periodicbuild.kube.kinds import APP_SERVER, BUILD_GATE, PERIODIC_BUILD, PERIODIC_BUILDS, POD
from periodicbuild.kube.leadership import Unopposed
from periodicbuild.kube.session import KubeSession
from periodicbuild.kube.writer import Writer, WriterSettings
from periodicbuild.wiring import term
from periodicbuild.wiring.build_metrics import BuildsCollector
from periodicbuild.wiring.clock import Clock
from periodicbuild.wiring.followers import follow_app_servers, follow_builds, follow_pods
from periodicbuild.wiring.gate_store import GateStore
from periodicbuild.wiring.gate_watch import GateWatch
from periodicbuild.wiring.handlers import kopf_registry, kopf_settings
from periodicbuild.wiring.health import LOOP_STANDS_STILL_AFTER, WATCH_IS_STALE_AFTER, Health
from periodicbuild.wiring.metrics import Metrics
from periodicbuild.wiring.process_metrics import StateCollector
from periodicbuild.wiring.queue import KeyedQueue
from periodicbuild.wiring.store import Store
from periodicbuild.wiring.store_metrics import StoreCollector
from periodicbuild.wiring.wakeups import WakeUps

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from prometheus_client.registry import Collector

    from periodicbuild.kube.leadership import Leadership
    from periodicbuild.kube.watch import ListWatch
    from periodicbuild.wiring.keys import Key
    from periodicbuild.wiring.settings import Settings

CLEAR_WITHIN_SECONDS = 3.0
"""Lists wait so long for the Lease: those that begin after it is held need not be made again (R22)."""

_log = logging.getLogger(__name__)


class Application:
    """One replica of the operator."""

    def __init__(  # noqa: PLR0913 - what the process consists of
        self,
        settings: Settings,
        session: KubeSession,
        writer: Writer,
        *,
        election: Election | None,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        """`election` is None for a replica that is the only one."""
        self._settings = settings
        self._session = session
        self._writer = writer
        self._election = election
        self._clock = clock
        self._ended: str | None = None
        queue = KeyedQueue()
        self._wakeups = WakeUps(self._clock, queue.add)
        self.store = Store(lambda key: self._has_news(key, queue))
        self.gates = GateStore(settings.gate_unreadable, queue.add, self.store)
        self._lasting = self._what_lasts(metrics, queue)
        scopes = settings.namespaces or ("",)
        self._builds = [follow_builds(session, self.store, scope) for scope in scopes]
        self._app_servers = [follow_app_servers(session, self.store, scope) for scope in scopes]
        self._pods = [follow_pods(session, self.store, scope) for scope in scopes]
        self._gate_watch = GateWatch(session, self.gates)
        self._watches: tuple[ListWatch[object], ...] = (*self._builds, *self._app_servers, *self._pods)
        self._health = Health(self.complaint, self.what_is_missing, metrics.registry)
        self._acting: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        for collector in self._collectors():
            metrics.registry.register(collector)

    def _what_lasts(self, metrics: Metrics, queue: KeyedQueue) -> term.Lasting:
        return term.Lasting(
            settings=self._settings,
            session=self._session,
            writer=self._writer,
            clock=self._clock,
            metrics=metrics,
            store=self.store,
            gates=self.gates,
            queue=queue,
            wakeups=self._wakeups,
            sinks=self._settings.telling.sinks(),
            reporter=Reporter(instance=socket.gethostname()),
            leadership=self._election or Unopposed(),
        )

    def _has_news(self, key: Key, queue: KeyedQueue) -> None:
        """Look again at what has changed, and in time at the gates that tell of it."""
        queue.add(key)
        if key.kind == PERIODIC_BUILD:
            self.gates.note_news(self._wakeups)

    def _collectors(self) -> tuple[Collector, ...]:
        lasting = self._lasting
        state = StateCollector(
            lasting.clock,
            lasting.leadership,
            waiting=lambda: (len(lasting.queue) + lasting.writer.depth, lasting.queue.oldest),
            tasks=lambda: len(asyncio.all_tasks()),
            heard=self._heard,
        )
        return (
            state,
            StoreCollector(self.store, lasting.clock),
            BuildsCollector(self.store, lasting.settings.metrics_max_builds),
        )

    def _heard(self) -> dict[str, float]:
        """Give when the API server last spoke to the watches of each kind: the one that has been silent longest."""
        kinds: dict[str, Sequence[ListWatch[object]]] = {
            PERIODIC_BUILD: self._builds,
            APP_SERVER: self._app_servers,
            POD: self._pods,
            BUILD_GATE: self._gate_watch.followed,
        }
        return {kind: min(watch.last_activity for watch in watches) for kind, watches in kinds.items() if watches}

    def complaint(self) -> str | None:
        """Say what is wrong with this process; None = it is alive."""
        if self._ended is not None:
            return self._ended
        standing = self._clock.now().steady - self._wakeups.turned_at
        if standing > LOOP_STANDS_STILL_AFTER:
            return f"the loop has not turned for {standing.total_seconds():.0f} s"
        for watch in (*self._watches, *self._gate_watch.followed):
            silence = asyncio.get_running_loop().time() - watch.last_activity
            if silence > WATCH_IS_STALE_AFTER.total_seconds():
                return f"a watch has heard nothing for {silence:.0f} s; is the API server reachable?"
        return None

    def what_is_missing(self) -> str | None:
        """Say which lists are not complete yet, or why this replica could never lead; None = ready."""
        if self._election is not None and self._election.complaint is not None:
            return self._election.complaint
        waiting = [
            name
            for name, watches in (
                ("PeriodicBuilds", self._builds),
                ("AppServers", self._app_servers),
                ("pods", self._pods),
            )
            if not all(watch.is_complete for watch in watches)
        ]
        return f"still listing {', '.join(waiting)}" if waiting else None

    async def start(self) -> None:
        """Start everything but kopf; the first answer of the API server sets the steady clock."""
        namespace = next(iter(self._settings.namespaces), "")
        try:
            await self._session.get(PERIODIC_BUILDS.path(namespace=namespace), {"limit": "1"})
        except NotFoundError as error:
            message = "this cluster does not know PeriodicBuilds: kubectl apply -f crds/"
            raise UnknownKindError(message) from error
        await self._gate_watch.ask()
        self._clock.follow(self._session.server_now)
        self._wakeups.turned_at = self._clock.now().steady
        await self._health.start(self._settings.listen_host, self._settings.listen_port)
        _log.info("listening", extra={"port": self._health.port})
        await self._know_who_leads()
        self._start(*(watch.run() for watch in self._watches), self._gate_watch.run(), self._wakeups.run())
        (self._acting,) = self._start(self._lead())

    async def _know_who_leads(self) -> None:
        if self._election is None:
            return
        self._start(self._election.run())
        try:
            async with asyncio.timeout(CLEAR_WITHIN_SECONDS):
                await self._election.is_clear()
        except TimeoutError:
            _log.warning("it is not known yet who leads; standing by")

    def _start(self, *parts: Coroutine[None, None, None]) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(part) for part in parts]
        for task in tasks:
            task.add_done_callback(self._notice_end)
        self._tasks += tasks
        return tasks

    def _notice_end(self, task: asyncio.Task[None]) -> None:
        """None of our tasks ends by itself; one that does makes the liveness probe fail, so that we are restarted."""
        if task.cancelled() or not self._tasks:
            return
        error = task.exception()
        self._ended = f"a part of the operator has ended: {error!r}"
        _log.critical("a part of the operator has ended; this is a bug", exc_info=error)

    async def _lead(self) -> None:
        """Act in each term, but decide nothing before all lists are complete: children first (R22)."""
        while not (self.gates.has_word and all(watch.is_complete for watch in self._watches)):  # noqa: ASYNC110 - independent lists have to be complete
            await asyncio.sleep(0.05)
        _log.info("ready", extra={"builds": len(self.store.builds), "app_servers": len(self.store.app_servers)})
        await self._lasting.leadership.while_leading(self._act)

    async def _act(self) -> None:
        """Act for one term, which begins and ends clear of all others.

        What was listed before may have been changed by another leader since (R22), and what is on its way when the term
        is over must not arrive in the next one.
        """
        since = self._lasting.leadership.since
        try:
            stale = (watch.relist() for watch in self._watches if watch.listed_at < since)
            await asyncio.gather(*stale, self._gate_watch.relist())
            await term.act(self._lasting)
        finally:
            if not self._lasting.leadership.is_leading:
                self._writer.break_off()

    async def stop(self) -> None:
        """Stop acting, let writes in flight end, hand over, stop watching; twice is as good as once."""
        tasks, self._tasks = self._tasks, []
        if not tasks:
            return
        if self._acting is not None:
            await _cancel(self._acting)
        await self._writer.close()
        await _cancel(*tasks)
        if self._election is not None:
            await self._election.release()
        await self._health.stop()
        _log.info("stopped")


async def _cancel(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def run(settings: Settings, clock: Clock | None = None) -> None:
    """Run the operator until SIGTERM; raises CredentialsError or KubeError if it cannot even start."""
    credentials = await load_credentials(Path(settings.kubeconfig) if settings.kubeconfig else None)
    clock, metrics = clock or Clock(), Metrics()
    agent = settings.election.identity if settings.election is not None else ""
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            KubeSession(credentials, on_request=metrics.loop.on_request, agent=agent)
        )
        election = None
        if settings.election is not None:
            own = await stack.enter_async_context(
                KubeSession(credentials, on_request=metrics.loop.on_request, agent=agent)
            )
            election = Election(own, settings.election, now=lambda: clock.now().steady, is_fit=lambda: clock.is_trusted)
        leadership: Leadership = election or Unopposed()
        limits = WriterSettings(qps=settings.qps, burst=settings.burst)
        writer = await stack.enter_async_context(Writer(session, limits, fence=lambda: leadership.is_leading))
        application = Application(settings, session, writer, election=election, metrics=metrics, clock=clock)
        stack.push_async_callback(application.stop)
        await application.start()
        await kopf.operator(
            registry=kopf_registry(credentials, application.stop),
            settings=kopf_settings(),
            identity="periodicbuild",  # type: ignore[arg-type] # else the user's name is asked for: containers have none
            clusterwide=not settings.namespaces,
            namespaces=settings.namespaces,
        )
