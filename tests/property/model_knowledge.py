"""What the operator's process knows of the world: what its own writes were answered, and what the watch has told it.

The one idea a newcomer would miss: it never reads the truth.  The watch may lag behind for as long as a history wants.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.property.model_post import TELLING

from periodicbuild.core.attempts import AppServerFacts
from periodicbuild.core.gates import Gates
from periodicbuild.core.planning import BuildFacts
from periodicbuild.core.plans import Refusal
from periodicbuild.wiring.memories import AttemptMemory, BuildMemory

if TYPE_CHECKING:
    from datetime import datetime

    from tests.property.model import ApiServer

    from periodicbuild.core.facts import AppServer, PeriodicBuild, Pod
    from periodicbuild.core.gates import Gate
    from periodicbuild.core.plans import Refused, Wake
    from periodicbuild.core.status import Waiting


BACK_OFF = timedelta(seconds=10)
"""A refused create is tried again after this."""


class Knowledge:
    """All that one life of the operator has come to know."""

    def __init__(self, api: ApiServer) -> None:
        """List everything (R22)."""
        self.api = api
        self.has_place = True
        self.may_start = True
        self.is_pressed = False
        self.lagging: set[str] = set()
        """Kinds whose watch has nothing to say for the time being."""
        self.build: PeriodicBuild | None = None
        self.app_servers: dict[str, AppServer] = {}
        self.pods: dict[str, Pod] = {}
        self.gates: tuple[Gate, ...] = ()
        self.gone: set[str] = set()
        self.memory = BuildMemory()
        self.attempts: dict[str, AttemptMemory] = {}
        self.wakes: dict[str, Wake] = {}
        """By key: when the process has asked to look again."""
        self.watch()

    @property
    def unwritten(self) -> Waiting | None:
        """The wait that was seen and is not written yet."""
        return self.memory.unwritten

    # Facts come in

    def watch(self) -> None:
        """Take in what the watches tell."""
        self._see_all_but(self.lagging)

    def list_anew(self) -> None:
        """Take in everything, as one does who begins to lead."""
        self._see_all_but(set())

    def _see_all_but(self, lagging: set[str]) -> None:
        if "PeriodicBuild" not in lagging:
            self.see_build()
        if "AppServer" not in lagging:
            for name in {*self.app_servers, *self.api.app_servers}:
                self.see_app_server(name)
        if "BuildGate" not in lagging:
            self.gates = tuple(self.api.gates[name] for name in sorted(self.api.gates))
        if "Pod" not in lagging:
            for name in {*self.pods, *self.api.pods}:
                self.see_pod(name)

    def see_build(self) -> None:
        """Take in the PeriodicBuild as it is now."""
        known, self.build = self.build, self.api.build
        if known is not None and (self.build is None or known.ref.uid != self.build.ref.uid):
            self.memory = BuildMemory()

    def see_app_server(self, name: str) -> None:
        """Take in what there is under a name, and that something else is gone."""
        known, new = self.app_servers.get(name), self.api.app_servers.get(name)
        if known is not None and (new is None or new.ref.uid != known.ref.uid):
            self.gone.add(known.ref.uid)
            self.attempts.pop(known.ref.uid, None)
            self.wakes.pop(name, None)
            del self.app_servers[name]
        if new is not None:
            self.app_servers[name] = new

    def see_pod(self, name: str) -> None:
        """Take in what there is under a name; remember what is gone while its AppServer is judged by it."""
        known, new = self.pods.get(name), self.api.pods.get(name)
        if new is not None:
            self.pods[name] = new
        elif known is not None and any(one.ref.uid == known.controller_uid for one in self.app_servers.values()):
            self.pods[name] = replace(known, is_gone=True)
        elif known is not None:
            del self.pods[name]

    def pod_of(self, uid: str) -> Pod | None:
        """Give the pod of an AppServer, gone or not."""
        return next((pod for pod in self.pods.values() if pod.controller_uid == uid), None)

    def build_facts(self, build: PeriodicBuild) -> BuildFacts:
        """Give the facts of one look at the PeriodicBuild."""
        children = tuple(one for one in self.app_servers.values() if one.controller_uid == build.ref.uid)
        named = (one for one in self.app_servers.values() if one.build_name == build.ref.name)
        existing = [pod for pod in self.pods.values() if not pod.is_gone]
        alive = {one.ref.uid for one in self.app_servers.values()} | {"stranger"}
        return BuildFacts(
            build=build,
            children=children,
            strangers=tuple(one for one in named if one.controller_uid is None),
            pods={pod.controller_uid: pod for pod in existing if pod.controller_uid is not None},
            has_stray_pods=any(pod.controller_uid not in alive and not pod.has_ended for pod in existing),
            gone=frozenset(self.gone),
            dry_run=self.memory.dry_run,
            refusals=dict(self.memory.refusals),
            unwritten=self.memory.unwritten,
            written_at=self.memory.written_at,
            has_place=self.has_place,
            may_start=self.may_start,
            clock_is_trusted=self.api.clocks.is_trusted,
            telling=TELLING,
            deliveries=dict(self.memory.deliveries),
            service=self.memory.service,
            gates=Gates(known=self.gates),
            lookup=self.memory.lookup,
        )

    def app_server_facts(self, app_server: AppServer, memory: AttemptMemory) -> AppServerFacts:
        """Give the facts of one look at an AppServer."""
        build = self.build
        names_it = build is not None and app_server.controller_uid in {build.ref.uid, None}
        return AppServerFacts(
            app_server=app_server,
            parent=build if names_it else None,
            pod=self.pod_of(app_server.ref.uid),
            pod_is_absent=memory.pod_is_absent,
            refusal=memory.refusal,
            namespace_is_terminating=memory.namespace_is_terminating,
            log=memory.log,
            seen=memory.seen,
            gates=Gates(known=self.gates),
            is_pressed=self.is_pressed,
        )


def a_refusal(name: str, kind: Refused, now: datetime, known: Refusal | None) -> Refusal:
    """Give the refusal to remember: its first instant stays."""
    since = known.since_at if known is not None else now
    return Refusal(name=name, kind=kind, message="refused by the model", retry_at=now + BACK_OFF, since_at=since)
