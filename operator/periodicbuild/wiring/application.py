"""The process: what is made from what, in which order it starts, and in which it stops."""

from __future__ import annotations

import asyncio
import logging
import socket
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import kopf

from periodicbuild.core.reasons import SinkName
from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.errors import NotFoundError, UnknownKindError
from periodicbuild.kube.event_body import Reporter
from periodicbuild.kube.events import Recorder
from periodicbuild.kube.kinds import PERIODIC_BUILDS
from periodicbuild.kube.session import KubeSession
from periodicbuild.kube.writer import Writer, WriterSettings
from periodicbuild.notify.smtp import EmailSink
from periodicbuild.wiring.actions import Actions
from periodicbuild.wiring.admission import Admission
from periodicbuild.wiring.census import Census
from periodicbuild.wiring.clock import Clock
from periodicbuild.wiring.followers import follow_app_servers, follow_pods
from periodicbuild.wiring.handlers import kopf_registry, kopf_settings
from periodicbuild.wiring.health import LOOP_STANDS_STILL_AFTER, WATCH_IS_STALE_AFTER, Health
from periodicbuild.wiring.heartbeat import beat
from periodicbuild.wiring.metrics import Metrics
from periodicbuild.wiring.queue import KeyedQueue
from periodicbuild.wiring.reconciler import Reconciler
from periodicbuild.wiring.store import Store
from periodicbuild.wiring.sweep import Sweep
from periodicbuild.wiring.teller import Teller
from periodicbuild.wiring.wakeups import WakeUps
from periodicbuild.wiring.writes import Writes

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from periodicbuild.kube.parse import AppServerWire, PodWire
    from periodicbuild.kube.watch import ListWatch
    from periodicbuild.wiring.settings import Settings

_log = logging.getLogger(__name__)


class Application:
    """One operator."""

    def __init__(
        self, settings: Settings, session: KubeSession, writer: Writer, metrics: Metrics, clock: Clock
    ) -> None:
        self._settings = settings
        self._session = session
        self._writer = writer
        self._clock = clock
        self._ended: str | None = None
        has_work = asyncio.Event()
        self._queue = KeyedQueue(has_work)
        self.store = Store(self._queue.add)
        self._wakeups = WakeUps(self._clock, self._queue.add)
        self._admission = Admission(
            per_second=settings.starts_per_second,
            max_concurrent=settings.max_concurrent_builds,
            enqueue=self._queue.add,
        )
        self._sinks = settings.telling.sinks()
        self._teller = self._make_teller(metrics)
        writes = Writes(writer, self.store, self._clock)
        recorder = Recorder(writer, Reporter(instance=socket.gethostname()))
        self._sweep = Sweep(
            session=session, store=self.store, clock=self._clock, writes=writes, recorder=recorder, metrics=metrics
        )
        self._reconciler = Reconciler(
            store=self.store,
            clock=self._clock,
            actions=Actions(session, writer, self.store, self._clock),
            writes=writes,
            recorder=recorder,
            wakeups=self._wakeups,
            admission=self._admission,
            metrics=metrics,
            teller=self._teller,
            queue=self._queue,
            has_work=has_work,
        )
        scopes = settings.namespaces or ("",)
        self._app_servers = [follow_app_servers(session, self.store, scope) for scope in scopes]
        self._pods = [follow_pods(session, self.store, scope) for scope in scopes]
        self._watches: tuple[ListWatch[AppServerWire] | ListWatch[PodWire], ...] = (*self._app_servers, *self._pods)
        self._census = Census(session, self.store, settings.namespaces)
        self._health = Health(self.complaint, self.what_is_missing, metrics.registry)
        self._tasks: list[asyncio.Task[None]] = []
        metrics.watch(self.store, self._clock, lambda: len(self._queue) + writer.depth)

    def _make_teller(self, metrics: Metrics) -> Teller:
        return Teller(
            store=self.store,
            clock=self._clock,
            metrics=metrics.telling,
            enqueue=self._queue.add,
            telling=self._settings.telling.telling(),
            sinks=self._sinks,
            pace=self._settings.telling.pace,
        )

    def complaint(self) -> str | None:
        """Say what is wrong with this process; None = it is alive."""
        if self._ended is not None:
            return self._ended
        standing = self._clock.now().steady - self._wakeups.turned_at
        if standing > LOOP_STANDS_STILL_AFTER:
            return f"the loop has not turned for {standing.total_seconds():.0f} s"
        for watch in self._watches:
            silence = asyncio.get_running_loop().time() - watch.last_activity
            if silence > WATCH_IS_STALE_AFTER.total_seconds():
                return f"a watch has heard nothing for {silence:.0f} s; is the API server reachable?"
        return None

    def what_is_missing(self) -> str | None:
        """Say which lists are not complete yet; None = ready."""
        waiting = [
            name
            for name, is_complete in (
                ("AppServers", all(watch.is_complete for watch in self._app_servers)),
                ("pods", all(watch.is_complete for watch in self._pods)),
                ("PeriodicBuilds", self._census.is_complete),
            )
            if not is_complete
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
        self._clock.follow(self._session.server_now)
        self._wakeups.turned_at = self._clock.now().steady
        await self._health.start(self._settings.listen_host, self._settings.listen_port)
        _log.info("listening", extra={"port": self._health.port})
        parts = [watch.run() for watch in self._watches]
        parts += [self._census.run(), self._wakeups.run(), self._admission.run(), self._sweep.run()]
        parts += [*self._heartbeat(), self._reconcile()]
        self._tasks = [asyncio.create_task(part) for part in parts]
        for task in self._tasks:
            task.add_done_callback(self._notice_end)

    def _heartbeat(self) -> list[Coroutine[None, None, None]]:
        telling, mail = self._settings.telling, self._sinks.get(SinkName.EMAIL)
        if not isinstance(mail, EmailSink) or telling.heartbeat is None:
            return []
        return [beat(mail, telling.to, telling.heartbeat, store=self.store, clock=self._clock)]

    def _notice_end(self, task: asyncio.Task[None]) -> None:
        """None of our tasks ends by itself; one that does makes the liveness probe fail, so that we are restarted."""
        if task.cancelled() or not self._tasks:
            return
        error = task.exception()
        self._ended = f"a part of the operator has ended: {error!r}"
        _log.critical("a part of the operator has ended; this is a bug", exc_info=error)

    async def _reconcile(self) -> None:
        """Decide nothing before all lists are complete: children first (R22)."""
        while self.what_is_missing() is not None:  # noqa: ASYNC110 - three independent sources have to be complete
            await asyncio.sleep(0.05)
        _log.info("ready", extra={"builds": len(self.store.builds), "app_servers": len(self.store.app_servers)})
        self._admission.take_places(self.store.builds_in_progress())
        await self._reconciler.run()

    async def stop(self) -> None:
        """Stop looking, let writes in flight end, stop watching; twice is as good as once."""
        tasks, self._tasks = self._tasks, []
        if not tasks:
            return
        tasks[-1].cancel()
        await self._teller.close()
        await self._writer.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._health.stop()
        _log.info("stopped")


async def run(settings: Settings, clock: Clock | None = None) -> None:
    """Run the operator until SIGTERM; raises CredentialsError or KubeError if it cannot even start."""
    credentials = await load_credentials(Path(settings.kubeconfig) if settings.kubeconfig else None)
    metrics = Metrics()
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(KubeSession(credentials, on_request=metrics.on_request))
        limits = WriterSettings(qps=settings.qps, burst=settings.burst)
        writer = await stack.enter_async_context(Writer(session, limits))
        application = Application(settings, session, writer, metrics, clock or Clock())
        stack.push_async_callback(application.stop)
        await application.start()
        await kopf.operator(
            registry=kopf_registry(application.store, credentials, application.stop),
            settings=kopf_settings(),
            clusterwide=not settings.namespaces,
            namespaces=settings.namespaces,
        )
