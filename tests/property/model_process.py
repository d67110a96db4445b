"""The operator's reconcile loop, in memory: it carries out what is planned, and may die after each write."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.property.model import AnswerLostError, ConflictError, RefusedError
from tests.property.model_gates import check_attempt, check_look
from tests.property.model_knowledge import Knowledge, a_refusal
from tests.property.model_serving import ServiceClient

from periodicbuild.core.attempts import plan_app_server
from periodicbuild.core.facts import AppServer, PeriodicBuild, Pod
from periodicbuild.core.inputs import Lookup
from periodicbuild.core.planning import plan_periodic_build
from periodicbuild.core.plans import (
    AdoptAppServer,
    AppServerPlan,
    BuildPlan,
    CancelAppServer,
    CheckNamespace,
    ConfirmAbsence,
    CreateAppServer,
    CreatePod,
    DeletePod,
    DryRun,
    DryRunPod,
    LookUpSources,
    ReadLog,
    ReadService,
    Refused,
    SwitchService,
)
from periodicbuild.wiring.memories import AttemptMemory

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.property.model import ApiServer

    from periodicbuild.core.mail import PendingNotice
    from periodicbuild.core.plans import FirstAction, ThenAction

ROUNDS = 300
"""Looks at every object after which a world without news must have settled."""


class KilledError(Exception):
    """The process died right after a write."""


class Process(Knowledge):
    """One life of the operator: from its first list to its death."""

    def __init__(self, api: ApiServer) -> None:
        """List everything (R22)."""
        super().__init__(api)
        self.writes_left: int | None = None
        """Writes until the process dies; None = it lives."""
        self._services = ServiceClient(api, self, self._count_write)

    # The loop

    def settle(self) -> None:
        """Look at everything until there is nothing left to do."""
        for _ in range(ROUNDS):
            self.watch()
            looks = [self.look_at_build(), *map(self.look_at_attempt, sorted(self.app_servers))]
            if not any(looks):
                self._check_wakes()
                return
        message = f"{ROUNDS} looks at every object, and still there is something to do: {self.api.build}"
        raise AssertionError(message)

    def _check_wakes(self) -> None:
        """Check that no wake-up lies in the past: it would be a hot loop."""
        now = self.api.clocks.now
        for key, wake in self.wakes.items():
            assert wake.wall is None or wake.wall > now.wall, f"{key}: wakes at {wake} but it is {now}"
            assert wake.steady is None or wake.steady > now.steady, f"{key}: wakes at {wake} but it is {now}"

    def look_at_build(self) -> bool:
        """Look once at the PeriodicBuild; tell whether there was something to do."""
        if self.build is None:
            self.wakes.pop("", None)
            return False
        build = self.build
        plan = self.plan_for_build()
        if plan.unwritten is not None or plan.status is None:
            self.memory.unwritten = plan.unwritten
        self.wakes[""] = plan.wake
        return self._carry_out(plan, lambda: self._write_build_status(build, plan))

    def plan_for_build(self) -> BuildPlan:
        """Plan for the PeriodicBuild, and do nothing yet."""
        if self.build is None:
            return BuildPlan()
        facts, now = self.build_facts(self.build), self.api.clocks.now
        plan = plan_periodic_build(facts, now)
        check_look(facts, plan, now)
        return plan

    def look_at_attempt(self, name: str) -> bool:
        """Look once at an AppServer; tell whether there was something to do."""
        if name not in self.app_servers:
            return False
        app_server = self.app_servers[name]
        memory = self.attempts.setdefault(app_server.ref.uid, AttemptMemory())
        facts, now = self.app_server_facts(app_server, memory), self.api.clocks.now
        plan = plan_app_server(facts, now)
        check_attempt(facts, plan, now)
        memory.seen = plan.seen
        self.wakes[name] = plan.wake
        return self._carry_out(plan, lambda: self._write_app_server_status(app_server, plan))

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
            for notice in plan.tell if isinstance(plan, BuildPlan) else ():
                self._tell(notice)
            for removal in plan.then:
                self._remove(removal)
        is_telling = isinstance(plan, BuildPlan) and bool(plan.tell)
        return bool(plan.first or plan.status is not None or plan.then or is_telling)

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
            written = self.api.write_build_status(build, plan)
        except ConflictError:
            self.see_build()
            return
        self._count_write()
        self.build = written
        self.memory.unwritten = plan.unwritten
        self.memory.written_at = self.api.clocks.now.steady

    def _write_app_server_status(self, app_server: AppServer, plan: AppServerPlan) -> None:
        if plan.status is None:
            return
        try:
            written = self.api.write_app_server_status(app_server, plan.status)
        except ConflictError:
            self.see_app_server(app_server.ref.name)
            return
        self._count_write()
        self.app_servers[app_server.ref.name] = written

    def _tell(self, notice: PendingNotice) -> None:
        if self.build is not None:
            delivery = self.api.post.take(self.build, notice)
            self._count_write()
            self.memory.deliveries[notice.key] = delivery

    def _remove(self, action: ThenAction) -> None:
        if isinstance(action, DeletePod):
            self.api.remove_pod(action)
            self._count_write()
            self.see_pod(action.name)
        else:
            self.api.remove_app_server(action)
            self._count_write()
            self.see_app_server(action.name)

    def _perform(self, action: FirstAction, plan: BuildPlan | AppServerPlan) -> None:
        match action:
            case CreateAppServer():
                self._create_app_server(action)
            case AdoptAppServer():
                self._adopt(action)
            case CancelAppServer():
                self._cancel(action)
            case CreatePod():
                self._create_pod(action.app_server)
            case ConfirmAbsence():
                self._confirm_absence(action, is_about_pod=isinstance(plan, AppServerPlan))
            case DryRunPod():
                self._dry_run(action)
            case ReadLog() | CheckNamespace() | LookUpSources():
                self._read(action)
            case ReadService() if self.build is not None:
                self._services.read(action.name, self.build)
            case SwitchService() if self.build is not None:
                self._services.switch(action, self.build)

    def _look_up(self, action: LookUpSources) -> None:
        found = {one.name: self.api.source for one in action.sources}
        self.memory.lookup = Lookup(
            slot=action.slot,
            sources=action.sources,
            asked_at=self.api.clocks.now.steady,
            findings=None if self.api.faults.lookups_hang else found,
        )

    def _read(self, action: ReadLog | CheckNamespace | LookUpSources) -> None:
        if isinstance(action, LookUpSources):
            self._look_up(action)
            return
        for memory in self.attempts.values():
            if isinstance(action, ReadLog):
                memory.log = "it failed"
            else:
                memory.namespace_is_terminating = self.api.faults.namespace_is_terminating

    def _create_app_server(self, create: CreateAppServer) -> None:
        if self.build is None:
            return
        try:
            created = self.api.create_app_server(create, self.build)
        except RefusedError as refused:
            kind = self._judge_holder(create, refused)
            self._remember_refusal(create.name, kind)
        except AnswerLostError:
            self._count_write()
            self._remember_refusal(create.name, Refused.UNANSWERED)
        else:
            self._count_write()
            self.memory.refusals.pop(create.name, None)
            self.app_servers[create.name] = created

    def _judge_holder(self, create: CreateAppServer, refused: RefusedError) -> Refused | None:
        """Say what a taken name means (design 2.4); None = it is what was to be created."""
        holder = refused.existing
        if not isinstance(holder, AppServer) or self.build is None:
            return refused.kind
        if holder.controller_uid == self.build.ref.uid:
            self.see_app_server(create.name)
            is_same = (holder.epoch, holder.token, holder.run) == (create.epoch, create.token, create.run)
            return None if is_same else Refused.NAME_COLLISION
        is_dead = holder.controller_uid not in {None, "stranger"}
        return Refused.NAME_STILL_IN_USE if holder.is_deleting or is_dead else Refused.NAME_COLLISION

    def _remember_refusal(self, name: str, kind: Refused | None) -> None:
        if kind is None:
            self.memory.refusals.pop(name, None)
            return
        now = self.api.clocks.now.steady
        known = self.memory.refusals.get(name)
        self.memory.refusals[name] = a_refusal(name, kind, now, known)

    def _adopt(self, action: AdoptAppServer) -> None:
        if self.build is None:
            return
        name = action.app_server.ref.name
        try:
            adopted = self.api.adopt(action, self.build)
        except RefusedError as refused:
            self._remember_refusal(name, refused.kind)
        except AnswerLostError:
            self._count_write()
            self._remember_refusal(name, Refused.API_ERROR)
        except ConflictError:
            self.see_app_server(name)
        else:
            self._count_write()
            self.memory.refusals.pop(name, None)
            self.app_servers[name] = adopted

    def _cancel(self, action: CancelAppServer) -> None:
        cancelled = self.api.cancel(action)
        if cancelled is None:
            self.gone.add(action.uid)
        else:
            self._count_write()
            self.app_servers[action.name] = cancelled

    def _create_pod(self, owner: AppServer) -> None:
        memory = self.attempts[owner.ref.uid]
        now = self.api.clocks.now.steady
        try:
            created = self.api.create_pod(owner)
        except RefusedError as refused:
            holder = refused.existing
            kind = refused.kind
            if isinstance(holder, Pod) and holder.controller_uid == owner.ref.uid:
                self.see_pod(owner.ref.name)
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
            self.pods[owner.ref.name] = created

    def _confirm_absence(self, action: ConfirmAbsence, *, is_about_pod: bool) -> None:
        if is_about_pod:
            self.see_pod(action.name)
            owner = self.app_servers[action.name]
            self.attempts[owner.ref.uid].pod_is_absent = self.pod_of(owner.ref.uid) is None
            return
        self.see_app_server(action.name)
        found = self.api.app_servers.get(action.name)
        if action.uid is None:
            refusal = self.memory.refusals.pop(action.name)
            if found is None:
                self.memory.refusals[action.name] = replace(refusal, kind=Refused.API_ERROR)
            return
        if found is None or found.ref.uid != action.uid:
            self.gone.add(action.uid)

    def _dry_run(self, action: DryRunPod) -> None:
        refusal = None
        try:
            self.api.dry_run_pod()
        except RefusedError as refused:
            refusal = a_refusal("dry-run", refused.kind, self.api.clocks.now.steady, None)
        self.memory.dry_run = DryRun(generation=action.generation, refusal=refusal)
