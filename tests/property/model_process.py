"""The operator's process, in memory: what it knows of the world, and the reconcile loop that carries plans out.

The one idea a newcomer would miss: it never reads the truth.  It knows what its own writes were answered, what it asked
for, and what the watch has told it so far, which may lag behind for as long as a history wants.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.property.model import AnswerLostError, ConflictError, RefusedError

from periodicbuild.core.attempts import AppServerFacts, plan_app_server
from periodicbuild.core.facts import AppServer, PeriodicBuild, Pod
from periodicbuild.core.planning import BuildFacts, plan_periodic_build
from periodicbuild.core.plans import (
    AdoptAppServer,
    AppServerPlan,
    BuildPlan,
    CheckNamespace,
    ConfirmAbsence,
    CreateAppServer,
    CreatePod,
    DeletePod,
    DryRun,
    DryRunPod,
    Refusal,
    Refused,
    Wake,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tests.property.model import ApiServer

    from periodicbuild.core.plans import FirstAction, Seen, ThenAction
    from periodicbuild.core.status import Waiting

BACK_OFF = timedelta(seconds=10)
"""A refused create is tried again after this."""
ROUNDS = 40
"""Looks at every object after which a world without news must have settled."""


class KilledError(Exception):
    """The process died right after a write."""


@dataclass(slots=True)
class BuildMemory:
    """What the process remembers of the PeriodicBuild; all of it may be lost at any time."""

    unwritten: Waiting | None = None
    written_at: datetime | None = None
    dry_run: DryRun | None = None
    refusals: dict[str, Refusal] = field(default_factory=dict)


@dataclass(slots=True)
class AttemptMemory:
    """What the process remembers of one AppServer."""

    refusal: Refusal | None = None
    seen: Seen | None = None
    pod_is_absent: bool = False
    namespace_is_terminating: bool | None = None


class Process:
    """One life of the operator: from its first list to its death."""

    def __init__(self, api: ApiServer) -> None:
        """List everything (R22)."""
        self._api = api
        self.may_start = True
        self.lagging: set[str] = set()
        """Kinds whose watch has nothing to say for the time being."""
        self.writes_left: int | None = None
        """Writes until the process dies; None = it lives."""
        self._build: PeriodicBuild | None = None
        self.app_servers: dict[str, AppServer] = {}
        self._pods: dict[str, Pod] = {}
        self._gone: set[str] = set()
        self._memory = BuildMemory()
        self._attempts: dict[str, AttemptMemory] = {}
        self.wakes: dict[str, Wake] = {}
        """By key: when the process has asked to look again."""
        self.watch()

    # Facts come in

    def watch(self) -> None:
        """Take in what the watches tell."""
        if "PeriodicBuild" not in self.lagging:
            self._see_build()
        if "AppServer" not in self.lagging:
            for name in {*self.app_servers, *self._api.app_servers}:
                self._see_app_server(name)
        if "Pod" not in self.lagging:
            for name in {*self._pods, *self._api.pods}:
                self._see_pod(name)

    def _see_build(self) -> None:
        known, self._build = self._build, self._api.build
        if known is not None and (self._build is None or known.ref.uid != self._build.ref.uid):
            self._memory = BuildMemory()

    def _see_app_server(self, name: str) -> None:
        known, new = self.app_servers.get(name), self._api.app_servers.get(name)
        if known is not None and (new is None or new.ref.uid != known.ref.uid):
            self._gone.add(known.ref.uid)
            self._attempts.pop(known.ref.uid, None)
            self.wakes.pop(name, None)
            del self.app_servers[name]
        if new is not None:
            self.app_servers[name] = new

    def _see_pod(self, name: str) -> None:
        known, new = self._pods.get(name), self._api.pods.get(name)
        if new is not None:
            self._pods[name] = new
        elif known is not None and any(one.ref.uid == known.controller_uid for one in self.app_servers.values()):
            self._pods[name] = replace(known, is_gone=True)
        elif known is not None:
            del self._pods[name]

    def _pod_of(self, uid: str) -> Pod | None:
        return next((pod for pod in self._pods.values() if pod.controller_uid == uid), None)

    # The loop

    def settle(self) -> None:
        """Look at everything until there is nothing left to do."""
        for _ in range(ROUNDS):
            self.watch()
            looks = [self.look_at_build(), *map(self.look_at_attempt, sorted(self.app_servers))]
            if not any(looks):
                self._check_wakes()
                return
        message = f"{ROUNDS} looks at every object, and still there is something to do: {self._api.build}"
        raise AssertionError(message)

    def _check_wakes(self) -> None:
        """A wake-up in the past would be a hot loop."""
        now = self._api.clocks.now
        for key, wake in self.wakes.items():
            assert wake.wall is None or wake.wall > now.wall, f"{key}: wakes at {wake} but it is {now}"
            assert wake.steady is None or wake.steady > now.steady, f"{key}: wakes at {wake} but it is {now}"

    def look_at_build(self) -> bool:
        """Look once at the PeriodicBuild; tell whether there was something to do."""
        if self._build is None:
            self.wakes.pop("", None)
            return False
        build = self._build
        plan = plan_periodic_build(self._build_facts(build), self._api.clocks.now)
        self._memory.unwritten = plan.unwritten
        self.wakes[""] = plan.wake
        return self._carry_out(plan, lambda: self._write_build_status(build, plan))

    def look_at_attempt(self, name: str) -> bool:
        """Look once at an AppServer; tell whether there was something to do."""
        if name not in self.app_servers:
            return False
        app_server = self.app_servers[name]
        memory = self._attempts.setdefault(app_server.ref.uid, AttemptMemory())
        plan = plan_app_server(self._app_server_facts(app_server, memory), self._api.clocks.now)
        memory.seen = plan.seen
        self.wakes[name] = plan.wake
        return self._carry_out(plan, lambda: self._write_app_server_status(app_server, plan))

    def _build_facts(self, build: PeriodicBuild) -> BuildFacts:
        children = tuple(one for one in self.app_servers.values() if one.controller_uid == build.ref.uid)
        named = (one for one in self.app_servers.values() if one.build_name == build.ref.name)
        existing = [pod for pod in self._pods.values() if not pod.is_gone]
        alive = {one.ref.uid for one in self.app_servers.values()} | {"stranger"}
        return BuildFacts(
            build=build,
            children=children,
            strangers=tuple(one for one in named if one.controller_uid is None),
            pods={pod.controller_uid: pod for pod in existing if pod.controller_uid is not None},
            has_stray_pods=any(pod.controller_uid not in alive for pod in existing),
            gone=frozenset(self._gone),
            dry_run=self._memory.dry_run,
            refusals=dict(self._memory.refusals),
            unwritten=self._memory.unwritten,
            written_at=self._memory.written_at,
            may_start=self.may_start,
            clock_is_trusted=self._api.clocks.is_trusted,
        )

    def _app_server_facts(self, app_server: AppServer, memory: AttemptMemory) -> AppServerFacts:
        build = self._build
        names_it = build is not None and app_server.controller_uid in {build.ref.uid, None}
        return AppServerFacts(
            app_server=app_server,
            parent=build if names_it else None,
            pod=self._pod_of(app_server.ref.uid),
            pod_is_absent=memory.pod_is_absent,
            refusal=memory.refusal,
            namespace_is_terminating=memory.namespace_is_terminating,
            seen=memory.seen,
        )

    def _carry_out(self, plan: BuildPlan | AppServerPlan, write: Callable[[], None]) -> bool:
        if plan.first:
            for action in plan.first:
                self._perform(action, plan)
        elif plan.status is not None:
            try:
                write()
            except AnswerLostError:
                self._count_write()
        else:
            for removal in plan.then:
                self._remove(removal)
        return bool(plan.first or plan.status is not None or plan.then)

    # Writes

    def _count_write(self) -> None:
        """Die after the write that was to be the last."""
        if self.writes_left is None:
            return
        self.writes_left -= 1
        if self.writes_left <= 0:
            raise KilledError

    def _write_build_status(self, build: PeriodicBuild, plan: BuildPlan) -> None:
        try:
            written = self._api.write_build_status(build, plan)
        except ConflictError:
            self._see_build()
            return
        self._count_write()
        self._build = written
        self._memory.written_at = self._api.clocks.now.steady

    def _write_app_server_status(self, app_server: AppServer, plan: AppServerPlan) -> None:
        if plan.status is None:
            return
        try:
            written = self._api.write_app_server_status(app_server, plan.status)
        except ConflictError:
            self._see_app_server(app_server.ref.name)
            return
        self._count_write()
        self.app_servers[app_server.ref.name] = written

    def _remove(self, action: ThenAction) -> None:
        if isinstance(action, DeletePod):
            self._api.remove_pod(action)
            self._count_write()
            self._see_pod(action.name)
        else:
            self._api.remove_app_server(action)
            self._count_write()
            self._see_app_server(action.name)

    def _perform(self, action: FirstAction, plan: BuildPlan | AppServerPlan) -> None:
        match action:
            case CreateAppServer():
                self._create_app_server(action)
            case AdoptAppServer():
                self._adopt(action)
            case CreatePod():
                self._create_pod(action.app_server)
            case ConfirmAbsence():
                self._confirm_absence(action, is_about_pod=isinstance(plan, AppServerPlan))
            case DryRunPod():
                self._dry_run(action)
            case CheckNamespace():
                for memory in self._attempts.values():
                    memory.namespace_is_terminating = self._api.faults.namespace_is_terminating

    def _create_app_server(self, create: CreateAppServer) -> None:
        if self._build is None:
            return
        try:
            created = self._api.create_app_server(create, self._build)
        except RefusedError as refused:
            kind = self._judge_holder(create, refused)
            self._remember_refusal(create.name, kind)
        except AnswerLostError:
            self._count_write()
            self._remember_refusal(create.name, Refused.API_ERROR)
        else:
            self._count_write()
            self._memory.refusals.pop(create.name, None)
            self.app_servers[create.name] = created

    def _judge_holder(self, create: CreateAppServer, refused: RefusedError) -> Refused | None:
        """Say what a taken name means (design 2.4); None = it is what was to be created."""
        holder = refused.existing
        if not isinstance(holder, AppServer) or self._build is None:
            return refused.kind
        if holder.controller_uid == self._build.ref.uid:
            self._see_app_server(create.name)
            is_same = (holder.epoch, holder.token, holder.run) == (create.epoch, create.token, create.run)
            return None if is_same else Refused.NAME_COLLISION
        is_dead = holder.controller_uid not in {None, "stranger"}
        return Refused.NAME_STILL_IN_USE if holder.is_deleting or is_dead else Refused.NAME_COLLISION

    def _remember_refusal(self, name: str, kind: Refused | None) -> None:
        if kind is None:
            self._memory.refusals.pop(name, None)
            return
        now = self._api.clocks.now.steady
        known = self._memory.refusals.get(name)
        self._memory.refusals[name] = a_refusal(name, kind, now, known)

    def _adopt(self, action: AdoptAppServer) -> None:
        if self._build is None:
            return
        name = action.app_server.ref.name
        try:
            adopted = self._api.adopt(action, self._build)
        except RefusedError as refused:
            self._remember_refusal(name, refused.kind)
        except AnswerLostError:
            self._count_write()
            self._remember_refusal(name, Refused.API_ERROR)
        except ConflictError:
            self._see_app_server(name)
        else:
            self._count_write()
            self._memory.refusals.pop(name, None)
            self.app_servers[name] = adopted

    def _create_pod(self, owner: AppServer) -> None:
        memory = self._attempts[owner.ref.uid]
        now = self._api.clocks.now.steady
        try:
            created = self._api.create_pod(owner)
        except RefusedError as refused:
            holder = refused.existing
            kind = refused.kind
            if isinstance(holder, Pod) and holder.controller_uid == owner.ref.uid:
                self._see_pod(owner.ref.name)
                memory.refusal = None
                return
            if isinstance(holder, Pod) and (holder.is_deleting or holder.controller_uid != "stranger"):
                kind = Refused.NAME_STILL_IN_USE
            memory.refusal = a_refusal(owner.ref.name, kind, now, memory.refusal)
        except AnswerLostError:
            self._count_write()
            memory.refusal = a_refusal(owner.ref.name, Refused.API_ERROR, now, memory.refusal)
        else:
            self._count_write()
            memory.refusal = None
            memory.pod_is_absent = False
            self._pods[owner.ref.name] = created

    def _confirm_absence(self, action: ConfirmAbsence, *, is_about_pod: bool) -> None:
        if is_about_pod:
            self._see_pod(action.name)
            owner = self.app_servers[action.name]
            self._attempts[owner.ref.uid].pod_is_absent = self._pod_of(owner.ref.uid) is None
            return
        self._see_app_server(action.name)
        found = self._api.app_servers.get(action.name)
        if found is None or found.ref.uid != action.uid:
            self._gone.add(action.uid)

    def _dry_run(self, action: DryRunPod) -> None:
        refusal = None
        try:
            self._api.dry_run_pod()
        except RefusedError as refused:
            refusal = a_refusal("dry-run", refused.kind, self._api.clocks.now.steady, None)
        self._memory.dry_run = DryRun(generation=action.generation, refusal=refusal)


def a_refusal(name: str, kind: Refused, now: datetime, known: Refusal | None) -> Refusal:
    """Give the refusal to remember: its first instant stays."""
    since = known.since_at if known is not None else now
    return Refusal(name=name, kind=kind, message="refused by the model", retry_at=now + BACK_OFF, since_at=since)
