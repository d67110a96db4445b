"""The world of the planners, in memory: an API server with a garbage collector.

The one idea a newcomer would miss: whatever is written is cut to whole seconds on the way in, as the real API does it,
so a plan that does not survive its own round trip never settles here.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar

from tests.builders import a_container, a_ref
from tests.property.model_post import PostOffice

from periodicbuild.core.facts import AppServer, PeriodicBuild, Pod
from periodicbuild.core.inputs import Finding
from periodicbuild.core.plans import Refused
from periodicbuild.core.reasons import Trigger
from periodicbuild.core.schedules import whole_second_down

if TYPE_CHECKING:
    from tests.property.model_auditor import Auditor
    from tests.property.model_clocks import Clocks

    from periodicbuild.core.facts import AppServerStatus
    from periodicbuild.core.gates import Gate
    from periodicbuild.core.plans import (
        AdoptAppServer,
        BuildPlan,
        CancelAppServer,
        CreateAppServer,
        DeleteAppServer,
        DeletePod,
        SwitchService,
    )
    from periodicbuild.core.services import Service


class RefusedError(Exception):
    """The API server would not create an object; `existing` holds the name, if that is why."""

    def __init__(self, kind: Refused, existing: AppServer | Pod | None = None) -> None:
        super().__init__(kind)
        self.kind = kind
        self.existing = existing


class AnswerLostError(Exception):
    """The write has happened, and nobody was told."""


class ConflictError(Exception):
    """The write was planned on a version that is no longer the newest."""


T = TypeVar("T")


def stored(value: T) -> T:
    """Cut every instant in a tree of dataclasses to what the API stores."""
    return _stored(value)  # type: ignore[no-any-return]  # the tree keeps its type, which no annotation can say


def _stored(value: Any) -> Any:
    if isinstance(value, datetime):
        return whole_second_down(value)
    if isinstance(value, tuple):
        return tuple(map(_stored, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {one.name: getattr(value, one.name) for one in dataclasses.fields(value)}
        changed = {name: new for name, old in fields.items() if (new := _stored(old)) is not old}
        return replace(value, **changed) if changed else value
    return value


@dataclass(slots=True)
class Faults:
    """What goes wrong at the API server at present."""

    refuses: dict[str, Refused] = field(default_factory=dict)
    """By kind: AppServer, Pod, DryRun, Adoption, Service."""
    answers_to_lose: int = 0
    slow_calls: int = 0
    """So many more calls each take `latency`."""
    latency: timedelta = timedelta()
    namespace_is_terminating: bool = False
    lookups_hang: bool = False


class ApiServer:
    """The truth."""

    def __init__(self, clocks: Clocks, auditor: Auditor, build: PeriodicBuild) -> None:
        self.clocks = clocks
        self.auditor = auditor
        self.faults = Faults()
        self.post = PostOffice()
        self.build: PeriodicBuild | None = build
        self.app_servers: dict[str, AppServer] = {}
        self.pods: dict[str, Pod] = {}
        self.services: dict[str, Service] = {}
        self.gates: dict[str, Gate] = {}
        self.source = Finding("r1")
        """What every source is at now."""
        self._numbers = count(1_000)

    # What the operator asks for

    def create_app_server(self, create: CreateAppServer, owner: PeriodicBuild, *, is_late: bool = False) -> AppServer:
        """Create the record of an attempt, complete from the start; `is_late` = by one that leads no more."""
        self._take_time()
        self._refuse_if_faulty("AppServer", self.app_servers.get(create.name))
        app_server = AppServer(
            **self._metadata("AppServer", create.name),
            build_name=owner.ref.name,
            controller_uid=owner.ref.uid,
            run=create.run,
            attempt=create.attempt,
            trigger=create.trigger,
            slot=create.slot,
            epoch=create.epoch,
            succeed_when=create.succeed_when,
            timeouts=create.timeouts,
            template=create.template,
            cancelled=False,
            token=create.token,
            overridden=create.overridden,
            comparison=create.comparison if create.trigger == Trigger.SCHEDULE else None,
        )
        if is_late:
            self.auditor.see_late_app_server(app_server, self)
        else:
            self.auditor.see_app_server_created(app_server, self)
        self.app_servers[create.name] = app_server
        self._lose_answer_if_due()
        return app_server

    def adopt(self, adopt: AdoptAppServer, owner: PeriodicBuild) -> AppServer:
        """Complete an AppServer made by hand."""
        self._take_time()
        name = adopt.app_server.ref.name
        existing = self.app_servers.get(name)
        if existing is None or existing.ref.uid != adopt.app_server.ref.uid or existing.run is not None:
            raise ConflictError
        self._refuse_if_faulty("Adoption", None)
        completed = replace(
            existing,
            resource_version=self.next_version(),
            controller_uid=owner.ref.uid,
            run=name,
            attempt=1,
            trigger=Trigger.MANUAL,
            epoch=adopt.epoch,
            succeed_when=adopt.succeed_when,
            timeouts=adopt.timeouts,
            template=existing.template or adopt.template,
            has_own_template=existing.template is not None,
        )
        self.auditor.see_app_server_created(completed, self)
        self.app_servers[name] = completed
        self._lose_answer_if_due()
        return completed

    def cancel(self, cancel: CancelAppServer) -> AppServer | None:
        """Cancel an attempt on behalf of the operator; None = there is none of that uid."""
        self._take_time()
        server = self.app_servers.get(cancel.name)
        if server is None or server.ref.uid != cancel.uid:
            return None
        self.app_servers[cancel.name] = replace(server, cancelled=True, resource_version=self.next_version())
        return self.app_servers[cancel.name]

    def create_pod(self, owner: AppServer) -> Pod:
        """Create the pod of an AppServer, which may be gone by now."""
        self._take_time()
        name = owner.ref.name
        self._refuse_if_faulty("Pod", self.pods.get(name))
        pod = Pod(
            **self._metadata("Pod", name),
            controller_uid=owner.ref.uid,
            build_name=owner.build_name,
            is_ours=True,
            is_gone=False,
            phase="Pending",
            containers=(a_container(waiting_reason="ContainerCreating"),),
        )
        self.auditor.see_pod_created(pod, self)
        self.pods[name] = pod
        self._lose_answer_if_due()
        return pod

    def dry_run_pod(self) -> None:
        """Say whether the pod would be taken."""
        self._take_time()
        self._refuse_if_faulty("DryRun", None)

    def write_build_status(self, planned_on: PeriodicBuild, plan: BuildPlan) -> PeriodicBuild:
        """Take a status that was planned on the newest version."""
        self._take_time()
        if self.build is None or self.build.resource_version != planned_on.resource_version or plan.status is None:
            raise ConflictError
        after = stored(plan.status)
        self.auditor.see_build_status(self.build, after, plan, self)
        self.post.see_build_status(self.build, after, plan)
        self.build = replace(self.build, status=after, resource_version=self.next_version())
        self._lose_answer_if_due()
        return self.build

    def write_app_server_status(self, planned_on: AppServer, status: AppServerStatus) -> AppServer:
        """Take a status that was planned on the newest version."""
        self._take_time()
        existing = self.app_servers.get(planned_on.ref.name)
        if existing is None or existing.resource_version != planned_on.resource_version:
            raise ConflictError
        after = stored(status)
        self.auditor.see_app_server_status(existing, after)
        written = replace(existing, status=after, has_status=True, resource_version=self.next_version())
        self.app_servers[existing.ref.name] = written
        self._lose_answer_if_due()
        return written

    def read_service(self, name: str) -> Service | None:
        """Give the Service of that name."""
        self._take_time()
        self._refuse_if_faulty("Service", None)
        return self.services.get(name)

    def switch_service(self, switch: SwitchService) -> Service | None:
        """Point a Service at a server; None = it is not as it was read."""
        self._take_time()
        self._refuse_if_faulty("Service", None)
        there = self.services.get(switch.service.name)
        if there is None or there != switch.service:
            return None
        self.auditor.serving.see_switch(there, switch.app_server, self)
        switched = replace(there, selector=(("app-server", switch.app_server),), app_server=switch.app_server)
        self.services[there.name] = switched
        self._lose_answer_if_due()
        return switched

    def remove_pod(self, delete: DeletePod) -> None:
        """Begin the grace period of a pod, if it is still the one that was meant."""
        self._take_time()
        pod = self.pods.get(delete.name)
        if pod is not None and pod.ref.uid == delete.uid:
            self.auditor.see_pod_removed(pod, self)
            self.pods[delete.name] = replace(pod, is_deleting=True, resource_version=self.next_version())

    def remove_app_server(self, delete: DeleteAppServer) -> None:
        """Remove the record of an attempt for good."""
        self._take_time()
        existing = self.app_servers.get(delete.name)
        if existing is not None and existing.ref.uid == delete.uid:
            del self.app_servers[delete.name]
            self.auditor.see_app_server_pruned(existing, self)

    # What the control plane does

    def collect_garbage(self) -> None:
        """Delete whatever belongs to something that is gone, one level a time; a foreground deletion ends."""
        owner = self.build.ref.uid if self.build is not None else None
        for name, app_server in list(self.app_servers.items()):
            has_pod = any(pod.controller_uid == app_server.ref.uid for pod in self.pods.values())
            if app_server.controller_uid not in {owner, None, "stranger"} or (app_server.is_deleting and not has_pod):
                del self.app_servers[name]
        alive = {app_server.ref.uid for app_server in self.app_servers.values() if not app_server.is_deleting}
        for name, pod in list(self.pods.items()):
            if pod.controller_uid not in alive | {"stranger"} and not pod.is_deleting:
                self.pods[name] = replace(pod, is_deleting=True, resource_version=self.next_version())

    def next_version(self) -> str:
        """Count up."""
        return str(next(self._numbers))

    def _metadata(self, kind: str, name: str) -> dict[str, Any]:
        return {
            "ref": a_ref(kind, name, uid=f"{kind}-{next(self._numbers)}"),
            "resource_version": self.next_version(),
            "created_at": whole_second_down(self.clocks.api),
            "is_deleting": False,
        }

    def _refuse_if_faulty(self, kind: str, existing: AppServer | Pod | None) -> None:
        if self.faults.namespace_is_terminating and kind not in {"DryRun", "Service"}:
            raise RefusedError(Refused.NAMESPACE_TERMINATING)
        if kind in self.faults.refuses:
            raise RefusedError(self.faults.refuses[kind])
        if existing is not None:
            raise RefusedError(Refused.NAME_COLLISION, existing)

    def _take_time(self) -> None:
        if self.faults.slow_calls:
            self.faults.slow_calls -= 1
            self.clocks.elapsed += self.faults.latency

    def _lose_answer_if_due(self) -> None:
        if self.faults.answers_to_lose:
            self.faults.answers_to_lose -= 1
            raise AnswerLostError
