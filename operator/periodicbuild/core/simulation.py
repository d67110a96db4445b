"""What the planner would do, on a virtual clock: every slot of a PeriodicBuild with its fate, and no cluster.

The planner is the operator's own; what it asks for happens at once, and builds succeed after the time they are said to
take.  It must not know how slots are found or judged.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from periodicbuild.core.facts import AppServer, AppServerStatus, Now
from periodicbuild.core.look import BuildFacts
from periodicbuild.core.notices import ObjectRef
from periodicbuild.core.planning import plan_periodic_build
from periodicbuild.core.plans import CancelAppServer, CreateAppServer, DeleteAppServer, DryRun
from periodicbuild.core.policies import SucceedWhen
from periodicbuild.core.reasons import State

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from periodicbuild.core.facts import PeriodicBuild
    from periodicbuild.core.ledger import Ruling
    from periodicbuild.core.plans import BuildPlan
    from periodicbuild.core.status import BuildStatus, Waiting


@dataclass(frozen=True, slots=True)
class Simulation:
    """What came of it."""

    rulings: tuple[Ruling, ...]
    """The fates of all slots, oldest first."""
    waiting: Waiting | None
    """The slot that waits at the end."""
    build: PeriodicBuild
    """As it is at the end."""


def simulate(build: PeriodicBuild, *, until: datetime, takes: timedelta) -> Simulation:
    """Let a PeriodicBuild live from its creation until an instant, inclusive; each build succeeds after `takes`."""
    apart = replace(build, spec=replace(build.spec, activation=None, change_detection=None))  # nobody to ask
    world = _World(build=apart, now=build.created_at, takes=takes)
    wakes: tuple[datetime, ...] = (build.created_at,)
    while wakes and min(wakes) <= until:
        world.now = max(world.now, min(wakes))
        plan = world.settle()
        planned = (plan.wake.wall, plan.wake.steady)
        wakes = tuple(wake for wake in (*planned, world.next_end()) if wake is not None and wake > world.now)
    return Simulation(tuple(world.rulings), world.build.status.waiting or world.unwritten, world.build)


@dataclass(slots=True, kw_only=True)
class _World:
    build: PeriodicBuild
    now: datetime
    takes: timedelta
    children: dict[str, AppServer] = field(default_factory=dict)
    unwritten: Waiting | None = None
    written_at: datetime | None = None
    rulings: list[Ruling] = field(default_factory=list)

    def settle(self) -> BuildPlan:
        """Look until there is nothing left to do now; return the last plan."""
        self._end_builds()
        while True:
            plan = plan_periodic_build(self._facts(), Now(wall=self.now, steady=self.now))
            self.unwritten = plan.unwritten
            if plan.first:
                self._act(plan)
            elif plan.status is not None:
                self._write(plan.status, plan)
            else:
                return plan

    def next_end(self) -> datetime | None:
        """Return when the next build at work will have succeeded."""
        return min((one.created_at + self.takes for one in self.children.values() if _is_at_work(one)), default=None)

    def _facts(self) -> BuildFacts:
        return BuildFacts(
            build=self.build,
            children=tuple(self.children.values()),
            dry_run=DryRun(generation=self.build.generation, refusal=None),
            unwritten=self.unwritten,
            written_at=self.written_at,
        )

    def _act(self, plan: BuildPlan) -> None:
        """Create and cancel; there is no cluster, so nothing else is ever asked for."""
        for action in plan.first:
            if isinstance(action, CreateAppServer):
                self.children[action.name] = self._created(action)
        cancelled = {action.name for action in plan.first if isinstance(action, CancelAppServer)}
        for name in cancelled:
            status = AppServerStatus(state=State.CANCELLED, finished_at=self.now)
            self.children[name] = replace(self.children[name], cancelled=True, status=status)

    def _write(self, status: BuildStatus, plan: BuildPlan) -> None:
        self.build = replace(self.build, status=status)
        self.written_at = self.now
        self.rulings.extend(plan.ruled)
        pruned = {action.name for action in plan.then if isinstance(action, DeleteAppServer)}
        self.children = {name: child for name, child in self.children.items() if name not in pruned}

    def _created(self, create: CreateAppServer) -> AppServer:
        ref = self.build.ref
        return AppServer(
            ref=ObjectRef(
                api_version=ref.api_version,
                kind="AppServer",
                namespace=ref.namespace,
                name=create.name,
                uid=create.name,
            ),
            resource_version="1",
            created_at=self.now,
            is_deleting=False,
            build_name=ref.name,
            controller_uid=ref.uid,
            run=create.run,
            attempt=create.attempt,
            trigger=create.trigger,
            slot=create.slot,
            epoch=create.epoch,
            succeed_when=create.succeed_when,
            timeouts=create.timeouts,
            template=create.template,
            cancelled=False,
            status=AppServerStatus(state=State.CONFIGURING_SERVER),
        )

    def _end_builds(self) -> None:
        for name, child in self.children.items():
            if _is_at_work(child) and child.created_at + self.takes <= self.now:
                state = State.RUNNING if child.succeed_when == SucceedWhen.READY else State.COMPLETED
                self.children[name] = replace(child, status=AppServerStatus(state=state, finished_at=self.now))


def _is_at_work(child: AppServer) -> bool:
    return not child.state.is_finished
