"""The loop: observe, plan, act, and sleep until the plan says so.

Must not decide and must not know HTTP.  One task per key at a time; a key that fails waits longer each time and never
holds up another.
"""

from __future__ import annotations

import asyncio
import logging
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from periodicbuild.core.attempts import plan_app_server
from periodicbuild.core.holds import is_gated
from periodicbuild.core.planning import plan_periodic_build
from periodicbuild.core.plans import CreateAppServer, Wake
from periodicbuild.core.reasons import Trigger
from periodicbuild.kube.errors import (
    ConflictError,
    KubeError,
    NotFoundError,
    NotLeaderError,
    TransientKubeError,
    WriterClosedError,
)
from periodicbuild.kube.kinds import BUILD_GATE, PERIODIC_BUILD
from periodicbuild.wiring.observe import observe_app_server, observe_build

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from periodicbuild.core.facts import AppServer, AppServerStatus, PeriodicBuild
    from periodicbuild.core.notices import EventFact
    from periodicbuild.core.plans import AppServerPlan, BuildPlan, ThenAction
    from periodicbuild.core.status import BuildStatus
    from periodicbuild.kube.events import Recorder
    from periodicbuild.kube.parse import StoredBuild
    from periodicbuild.kube.writer import Writer
    from periodicbuild.wiring.actions import Actions
    from periodicbuild.wiring.admission import Admission
    from periodicbuild.wiring.clock import Clock
    from periodicbuild.wiring.gate_looks import GateLooks
    from periodicbuild.wiring.keys import Key
    from periodicbuild.wiring.metrics import Metrics
    from periodicbuild.wiring.queue import KeyedQueue
    from periodicbuild.wiring.store import Store
    from periodicbuild.wiring.teller import Teller
    from periodicbuild.wiring.wakeups import WakeUps
    from periodicbuild.wiring.writes import Writes

LOOKS = 25
"""Looks at one key in a row; a plan that asks for more does not settle."""
AT_ONCE = 1_000
"""Keys looked at at the same time: enough to send a herd's creates before its statuses."""
LONGEST_BACK_OFF = timedelta(seconds=60)

_log = logging.getLogger(__name__)


class UnsettledError(Exception):
    """Each look asks for the same again: a bug of ours, or a definition of the kind that drops what we write."""


class Reconciler:
    """Look at keys, and carry out what is planned."""

    def __init__(  # noqa: PLR0913 - the one place where the parts meet
        self,
        *,
        store: Store,
        clock: Clock,
        actions: Actions,
        writes: Writes,
        recorder: Recorder,
        wakeups: WakeUps,
        admission: Admission,
        metrics: Metrics,
        teller: Teller,
        gates: GateLooks,
        queue: KeyedQueue,
        writer: Writer,
    ) -> None:
        self._writer = writer
        self._store = store
        self._clock = clock
        self._actions = actions
        self._writes = writes
        self._recorder = recorder
        self._wakeups = wakeups
        self._admission = admission
        self._metrics = metrics
        self._teller = teller
        self._gates = gates
        self._looks = {PERIODIC_BUILD: self._look_at_build, BUILD_GATE: gates.look}
        self._queue = queue
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: dict[Key, int] = {}
        self._is_away = False

    async def run(self) -> None:
        """Work for ever; cancelling it cancels every look, and returns when all have ended."""
        try:
            while True:
                await self._queue.wait()
                await self._slots.acquire()
                key = self._queue.take()
                if key is None:
                    self._slots.release()
                else:
                    self._spawn(self._work(key))
                    await asyncio.sleep(0)  # what it has to write goes out while the next key is planned
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, key: Key) -> None:
        """Look at one key; the only place where any exception is caught, so that no object jams another."""
        began_at, has_failed = time.monotonic(), False
        try:
            await self._looks.get(key.kind, self._look_at_app_server)(key)
            if self._failures.pop(key, None) is not None:
                self._is_away = False
        except (WriterClosedError, NotLeaderError):
            return
        except KubeError as error:
            has_failed = True
            self._back_off(key, error)
        except Exception as error:  # noqa: BLE001 - guards the loop: one broken object must not stop the others
            has_failed = True
            _log.exception("a look failed; this is a bug in the operator", extra=_extra(key))
            self._back_off(key, error)
        finally:
            self._metrics.loop.looked(key.kind, time.monotonic() - began_at, failed=has_failed)
            self._slots.release()
            self._queue.done(key)

    def _back_off(self, key: Key, error: Exception) -> None:
        """Look again soon after a conflict, later after anything else (design, style: errors)."""
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        pause = min(LONGEST_BACK_OFF, timedelta(seconds=1 << min(failures, 6)))
        if isinstance(error, ConflictError):
            pause = timedelta(seconds=1)
            _log.debug("somebody else was faster; looking again", extra=_extra(key))
        elif isinstance(error, KubeError):
            if error.retry_after:
                pause = max(pause, timedelta(seconds=min(error.retry_after, LONGEST_BACK_OFF.total_seconds())))
            self._complain("the API refused; trying again", {**_extra(key), "error": str(error)}, error)
        self._wakeups.set(key, Wake(steady=self._clock.now().steady + pause))

    async def _look_at_build(self, key: Key) -> None:
        written: BuildStatus | None = None
        for _ in range(LOOKS):
            stored = self._store.builds.get((key.namespace, key.name))
            if stored is None:
                self._wakeups.forget(key)
                self._admission.settle(key, start_by=None, is_in_progress=False)
                return
            plan = self._plan_build(key, stored)
            if plan.first:
                await self._act_for_build(key, stored, plan)
                await self._writer.has_room()
            elif plan.status is not None:
                if plan.status == written:
                    break
                await self._write_build(key, stored, plan)
                written = plan.status
            else:
                self._admission.settle(key, start_by=plan.start_by, is_in_progress=plan.is_in_progress)
                self._teller.tell(stored, plan.tell)
                self._clean_up(plan.then, key.namespace)
                return
        raise UnsettledError("the same status is owed again and again; are the installed CRDs of another version?")

    def _plan_build(self, key: Key, stored: StoredBuild) -> BuildPlan:
        facts = observe_build(
            self._store,
            stored,
            has_place=self._admission.has_place(key),
            may_start=self._admission.may_start(key),
            clock_is_trusted=self._clock.is_trusted,
            telling=self._teller.telling,
            gates=self._gates.facts(),
        )
        plan = plan_periodic_build(facts, self._clock.now())
        if plan.unwritten is not None or plan.status is None:
            self._store.build_memory(stored.build.ref.uid).unwritten = plan.unwritten
        self._wakeups.set(key, plan.wake)
        return plan

    async def _act_for_build(self, key: Key, stored: StoredBuild, plan: BuildPlan) -> None:
        build = stored.build
        # Before anything is waited for: a gate that closes meanwhile has to know.
        self._admission.begin(key, plan.first)
        for action in plan.first:
            await self._actions.for_build(action, build)
            if isinstance(action, CreateAppServer) and action.slot is not None and self._has_started(action, build):
                self._metrics.schedule_lag.observe((self._clock.now().wall - action.slot).total_seconds())

    def _has_started(self, create: CreateAppServer, build: PeriodicBuild) -> bool:
        """Tell whether a create has led to the AppServer of a slot that is to be on time: no gate has held it back."""
        child = self._store.app_servers.get((build.ref.namespace, create.name))
        is_slot = create.is_start and create.trigger == Trigger.SCHEDULE and not is_gated(build.status.waiting)
        return is_slot and child is not None and child.controller_uid == build.ref.uid

    async def _write_build(self, key: Key, stored: StoredBuild, plan: BuildPlan) -> None:
        if plan.status is None:
            return
        if plan.has_started:
            self._admission.started(key)
        try:
            await self._writes.build_status(stored.build, plan.status)
        except NotFoundError:
            self._store.remove_build(stored.build.ref)
            return
        # Forgotten only now: a wait whose write has failed is known to nobody else, and began when it began (R10, R41).
        memory = self._store.build_memory(stored.build.ref.uid)
        memory.unwritten = plan.unwritten
        owed = {notice.key for notice in plan.status.mail.pending}
        memory.deliveries = {key: one for key, one in memory.deliveries.items() if key in owed}
        self._metrics.count(stored.build.status, plan, plan.status)
        self._tell(plan.events)

    async def _look_at_app_server(self, key: Key) -> None:
        written: AppServerStatus | None = None
        for _ in range(LOOKS):
            app_server = self._store.app_servers.get((key.namespace, key.name))
            if app_server is None:
                self._wakeups.forget(key)
                return
            await self._writer.has_room()
            plan = self._plan_app_server(key, app_server)
            for action in plan.first:
                await self._actions.for_app_server(action, app_server)
            if plan.first:
                continue
            if plan.status is not None:
                if plan.status == written:
                    break
                if not await self._write_app_server(app_server, plan.status):
                    continue
                written = plan.status
            self._tell(plan.events)
            self._clean_up(plan.then, key.namespace)
            if plan.status is None:
                return
        raise UnsettledError("the same status is owed again and again; are the installed CRDs of another version?")

    def _plan_app_server(self, key: Key, app_server: AppServer) -> AppServerPlan:
        facts = observe_app_server(self._store, app_server, self._gates.facts(), is_pressed=self._writer.is_pressed)
        plan = plan_app_server(facts, self._clock.now())
        self._store.attempt_memory(app_server.ref.uid).seen = plan.seen
        self._wakeups.set(key, plan.wake)
        return plan

    async def _write_app_server(self, app_server: AppServer, status: AppServerStatus) -> bool:
        """Tell whether there still is something to speak of."""
        try:
            await self._writes.app_server_status(app_server, status)
        except NotFoundError:
            self._store.remove_app_server(app_server.ref)
            return False
        self._metrics.attempts.count(app_server, status, self._clock.now().steady)
        return True

    def _tell(self, events: Sequence[EventFact]) -> None:
        for event in events:
            self._spawn(self._recorder.record(event))

    def _clean_up(self, actions: Sequence[ThenAction], namespace: str) -> None:
        for action in actions:
            self._spawn(self._remove(action, namespace))

    async def _remove(self, action: ThenAction, namespace: str) -> None:
        try:
            await self._writes.remove(action, namespace)
        except (WriterClosedError, NotLeaderError):
            return
        except KubeError as error:
            self._complain("clean-up failed; the next look tries again", {"error": str(error)}, error)

    def _complain(self, message: str, extra: dict[str, str], error: KubeError) -> None:
        """Warn of a refusal, but of an API server that is away only once, until something that has failed succeeds."""
        is_known = self._is_away and isinstance(error, TransientKubeError)
        self._is_away = self._is_away or isinstance(error, TransientKubeError)
        _log.log(logging.DEBUG if is_known else logging.WARNING, message, extra=extra)


def _extra(key: Key) -> dict[str, str]:
    return {"kind": key.kind, "namespace": key.namespace, "object": key.name}
