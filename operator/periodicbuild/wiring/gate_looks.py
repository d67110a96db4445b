"""Look at a gate: observe what is in its scope, plan, and write its status if it has changed.

Must not decide.

The one idea a newcomer would miss: a start that was decided while the gate was open may still be on its way when it has
closed.  Whoever holds a place counts as being built, so nobody is told that it is safe while a create is in flight.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from periodicbuild.core.estimates import estimate_of
from periodicbuild.core.gate_plan import WRITES_EVERY, GateFacts, plan_gate
from periodicbuild.core.gate_status import BlockingBuild
from periodicbuild.core.holds import hold_of, is_gated
from periodicbuild.core.plans import Wake
from periodicbuild.core.reasons import State, Trigger
from periodicbuild.core.schedules import whole_second_up
from periodicbuild.core.verdicts import has_succeeded
from periodicbuild.kube.errors import ForbiddenError, NotFoundError
from periodicbuild.kube.kinds import BUILD_GATES
from periodicbuild.kube.parse import gate_from_json
from periodicbuild.kube.render import render_gate_status_patch
from periodicbuild.kube.session import MERGE_PATCH
from periodicbuild.kube.writer import Priority, WriteRequest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from periodicbuild.core.facts import AppServer, PeriodicBuild
    from periodicbuild.core.gate_status import GateStatus
    from periodicbuild.core.gates import Gate, Gates
    from periodicbuild.core.scopes import Scope
    from periodicbuild.kube.writer import Writer
    from periodicbuild.wiring.admission import Admission
    from periodicbuild.wiring.clock import Clock
    from periodicbuild.wiring.gate_store import GateStore
    from periodicbuild.wiring.keys import Key
    from periodicbuild.wiring.store import Name, Store
    from periodicbuild.wiring.wakeups import WakeUps


_log = logging.getLogger(__name__)


class GateLooks:
    """Look at gates, for one term."""

    def __init__(  # noqa: PLR0913 - it reads, decides and writes
        self,
        *,
        gates: GateStore,
        store: Store,
        admission: Admission,
        clock: Clock,
        wakeups: WakeUps,
        writer: Writer,
    ) -> None:
        self._gates = gates
        self._store = store
        self._admission = admission
        self._clock = clock
        self._wakeups = wakeups
        self._writer = writer
        self._is_refused = False
        """Our account may not write the status of gates, as that of an operator of some namespaces."""

    def facts(self) -> Gates:
        """Give what a look at a PeriodicBuild may know of gates."""
        return self._gates.facts()

    async def look(self, key: Key) -> None:
        """Look at one gate; raises KubeError for what is worth a back-off."""
        gate = self._gates.gates.get(key.name)
        if gate is None:
            self._wakeups.forget(key)
            return
        now, memory = self._clock.now(), self._gates.memory(key.name)
        facts = self._observe(gate, now.wall, memory.written_at)
        plan = plan_gate(facts, now)
        memory.looked_at, memory.is_stale = now.steady, False
        memory.wake = plan.wake
        if not all(map(self._is_told_of, facts.blocking)):
            memory.wake = plan.wake.earlier(Wake(steady=now.steady + WRITES_EVERY))
        self._wakeups.set(key, memory.wake)
        if plan.status is not None:
            is_found = await self._write(gate, plan.status)
            memory.written_at = self._clock.now().steady
            if not is_found:
                memory.wake = memory.wake.earlier(Wake(steady=memory.written_at + WRITES_EVERY))
                self._wakeups.set(key, memory.wake)

    async def _write(self, gate: Gate, status: GateStatus) -> bool:
        """Tell whether there was a gate to write to; whether one that is not found is gone, only the watch can tell."""
        path = BUILD_GATES.path(name=gate.ref.name, subresource="status")
        # Nobody tells of its later versions while gates may not be read, and what is owed then is true of any of them.
        planned_on = replace(gate, resource_version="") if self._gates.are_forbidden else gate
        body = render_gate_status_patch(planned_on, status)
        request = WriteRequest(method="PATCH", path=path, body=body, content_type=MERGE_PATCH)
        try:
            self._gates.put(gate_from_json(await self._writer.submit(Priority.STATUS, request)))
        except NotFoundError:
            return False
        except ForbiddenError as error:
            if not (self._is_refused or self._gates.are_forbidden):  # that was said, and they are not obeyed then
                _log.warning("the status of gates may not be written; they are obeyed", extra={"error": str(error)})
                self._is_refused = True
        return True

    def _observe(self, gate: Gate, now: datetime, written_at: datetime | None) -> GateFacts:
        builds = [
            stored.build
            for stored in self._store.builds.values()
            if gate.spec.problem is None and gate.spec.scope.has(stored.build)
        ]
        is_closed = gate.spec.closure_at(now) is not None
        asking = self._asking_by_hand()
        waiting = (
            build
            for build in builds
            if is_gated(build.status.waiting) or (_name(build) in asking and not build.status.runs)
        )
        return GateFacts(
            gate=gate,
            blocking=tuple(sorted(self._blocking(gate.spec.scope, builds), key=_name_of)) if is_closed else (),
            held_back=sum(
                gate.ref.name not in build.overrides and hold_of(gate, build, now) is not None for build in waiting
            ),
            has_scope=bool(builds),
            written_at=written_at,
            clock_is_trusted=self._clock.is_trusted,
            is_read=not self._gates.are_forbidden,
            problem=self._gates.problem,
        )

    def _blocking(self, scope: Scope, builds: list[PeriodicBuild]) -> Iterator[BlockingBuild]:
        """Give what is being built, what is about to be, and what will be tried again, which asks no gate (R18).

        What is being built goes on for a while, or for ever, when its PeriodicBuild is deleted.
        """
        attempts = dict(self._at_work())
        for build in builds:
            name = _name(build)
            if build.status.runs:
                run = build.status.runs[0]
                ends_at = None if run.next_attempt_at is not None else run.started_at + estimate_of(build)
                yield BlockingBuild(
                    namespace=name[0],
                    name=name[1],
                    app_server=run.app_server,
                    estimated_end_at=None if ends_at is None else whole_second_up(ends_at),
                )
            elif name in attempts:
                yield BlockingBuild(namespace=name[0], name=name[1], app_server=attempts[name])
        for namespace, gone in attempts.keys() - self._store.builds.keys():
            if scope.may_have(namespace):
                yield BlockingBuild(namespace=namespace, name=gone, app_server=attempts[namespace, gone])

    def _is_told_of(self, one: BlockingBuild) -> bool:
        """Tell whether a status will say that it has ended; else it ends in silence, as a start that is refused."""
        stored = self._store.builds.get((one.namespace, one.name))
        return stored is not None and bool(stored.build.status.runs)

    def _at_work(self) -> Iterator[tuple[Name, str | None]]:
        """Give the PeriodicBuilds that are being built though no run in their status says so, with the AppServer."""
        yield from (((key.namespace, key.name), None) for key in self._admission.places)
        for pod in self._store.pods.values():
            if not pod.is_gone and self._store.holds_back(pod):
                yield (pod.ref.namespace, pod.build_name), None
        for (namespace, name), server in self._store.app_servers.items():
            if self._is_at_work(server):
                yield (namespace, server.build_name), name

    def _is_at_work(self, server: AppServer) -> bool:
        """Tell whether there is more of an attempt than a record: one that waits for its turn is none (R17)."""
        if server.state.has_succeeded:
            return False
        pod = self._store.pod_of(server.ref.uid)
        if pod is not None and not pod.is_gone:
            # Nobody writes any more how it goes with one that lost its controller.
            is_orphan = server.controller_uid is None
            return not (is_orphan and (pod.has_ended or has_succeeded(pod, server.succeed_when)))
        if server.state.is_finished or server.controller_uid is None:
            return False
        return server.state != State.NEW or server.trigger != Trigger.MANUAL

    def _asking_by_hand(self) -> set[Name]:
        """Give the PeriodicBuilds that somebody has asked to be built, and that wait for it."""
        return {
            (namespace, server.build_name)
            for (namespace, _), server in self._store.app_servers.items()
            if server.state == State.NEW and server.trigger == Trigger.MANUAL and not server.cancelled
        }


def _name(build: PeriodicBuild) -> Name:
    return build.ref.namespace, build.ref.name


def _name_of(blocking: BlockingBuild) -> Name:
    return blocking.namespace, blocking.name
