"""The sweep: strays are looked for every quarter of a minute, whatever PeriodicBuilds there are.

Must not decide what is stray or due (`core/strays.py`).  A stray may be all that is left of a PeriodicBuild, so no look
at an object would ever find it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import msgspec

from periodicbuild.core.strays import is_stray, plan_sweep, removal_of, told_of
from periodicbuild.kube.errors import KubeError, NotFoundError, NotLeaderError, WriterClosedError
from periodicbuild.kube.kinds import APP_SERVERS
from periodicbuild.kube.outage import Outage
from periodicbuild.kube.parse import app_server_from_json
from periodicbuild.wiring.namespaces import is_namespace_terminating

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from periodicbuild.core.facts import AppServer, Pod
    from periodicbuild.core.strays import Claim
    from periodicbuild.kube.events import Recorder
    from periodicbuild.kube.session import KubeSession
    from periodicbuild.wiring.clock import Clock
    from periodicbuild.wiring.metrics import Metrics
    from periodicbuild.wiring.store import Store
    from periodicbuild.wiring.writes import Writes

EVERY_SECONDS = 15.0
"""With what is removed at once, twenty pods a minute."""

_log = logging.getLogger(__name__)


class Sweep:
    """Remove pods of ours that belong to nobody."""

    def __init__(  # noqa: PLR0913 - it reads, decides, writes, tells and counts
        self,
        *,
        session: KubeSession,
        store: Store,
        clock: Clock,
        writes: Writes,
        recorder: Recorder,
        metrics: Metrics,
    ) -> None:
        self._session = session
        self._store = store
        self._clock = clock
        self._writes = writes
        self._recorder = recorder
        self._metrics = metrics
        self._since: Mapping[Claim, datetime] = {}
        self._outage = Outage("removing stray pods")

    async def run(self) -> None:
        """Sweep for ever."""
        while True:
            plan = plan_sweep(self._store.stray_pods(), self._since, self._clock.now())
            self._since = plan.since
            for pod in plan.due:
                await self._try(pod)
            await asyncio.sleep(EVERY_SECONDS)

    async def _try(self, pod: Pod) -> None:
        try:
            if await self._is_certain(pod):
                await self._remove(pod)
        except (KubeError, msgspec.DecodeError) as error:
            self._outage.failed(error)
        except (NotLeaderError, WriterClosedError):
            return
        else:
            self._outage.is_over()

    async def _is_certain(self, pod: Pod) -> bool:
        """Ask the API server itself (R22), also whether the namespace goes and everything in it (R43)."""
        there = await self._app_server_of(pod)
        if there is not None:
            self._store.put_app_server(there)
        return is_stray(pod, there) and not await is_namespace_terminating(self._session, pod.ref.namespace)

    async def _app_server_of(self, pod: Pod) -> AppServer | None:
        path = APP_SERVERS.path(namespace=pod.ref.namespace, name=pod.ref.name)
        try:
            return app_server_from_json(await self._session.get(path))
        except NotFoundError as error:
            if error.details_kind != APP_SERVERS.plural:
                raise  # it is the kind that is not served: that says nothing about the object
            return None

    async def _remove(self, pod: Pod) -> None:
        if not await self._writes.remove(removal_of(pod), pod.ref.namespace):
            return
        extra = {"namespace": pod.ref.namespace, "object": pod.ref.name, "build": pod.build_name}
        _log.info("removed a pod that belonged to nobody", extra=extra)
        self._metrics.stray_pods_removed.inc()
        await self._recorder.record(told_of(pod))
