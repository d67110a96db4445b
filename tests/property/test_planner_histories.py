"""Random histories of one PeriodicBuild: every write is audited, and at any time the world can come to rest.

The operator may die after each single write, forget everything, see old facts, lose answers and be refused; people
edit, delete, cancel and meddle with the status; clocks step.  `PERIODICBUILD_PROPERTY_EXAMPLES` asks for a longer hunt.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta
from enum import Enum, auto
from itertools import count
from typing import TYPE_CHECKING

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tests.builders import a_build, a_schedule, a_spec, an_app_server, by_hand, some_retries, some_timeouts
from tests.property.model import BEGIN, ApiServer, Clocks
from tests.property.model_auditor import Auditor
from tests.property.model_kubelet import Move, moved
from tests.property.model_process import KilledError, Process

from periodicbuild.core.names import app_server_name, slot_run_id
from periodicbuild.core.plans import Refused
from periodicbuild.core.reasons import AfterManualRun, FailureClass, SucceedWhen, Trigger
from periodicbuild.core.recount import unaccounted_slots
from periodicbuild.core.schedules import next_slot
from periodicbuild.core.status import BuildStatus

if TYPE_CHECKING:
    from periodicbuild.core.facts import BuildSpec, PeriodicBuild
    from periodicbuild.core.plans import Wake

EXAMPLES = int(os.environ.get("PERIODICBUILD_PROPERTY_EXAMPLES", "100"))
STEPS = 40
TURNS = 80
"""Times the world may be helped on until two more slots must have come."""


class Reaction(Enum):
    """What the operator gets to do after something has happened."""

    NOTHING = auto()
    ONE_LOOK = auto()
    SETTLES = auto()
    DIES_AFTER_ONE_WRITE = auto()
    DIES_AFTER_TWO_WRITES = auto()


WRITES = {Reaction.DIES_AFTER_ONE_WRITE: 1, Reaction.DIES_AFTER_TWO_WRITES: 2}
reactions = st.sampled_from([Reaction.SETTLES, Reaction.SETTLES, *Reaction])
indexes = st.integers(0, 5)
specs = st.builds(
    a_spec,
    schedule=st.builds(
        a_schedule,
        every=st.sampled_from(["1s", "90s", "10m", "1h", "24h"]),
        enabled=st.sampled_from([True, True, True, False]),
        after_manual_run=st.sampled_from(AfterManualRun),
        not_before=st.sampled_from([None, None, "2026-11-24T10:30:00", "2026-12-01T00:00:00"]),
    ),
    retries=st.builds(
        some_retries,
        limit=st.integers(0, 2),
        delay=st.sampled_from(["1s", "10s"]),
        retry_on=st.sampled_from([frozenset(FailureClass) - {FailureClass.DISRUPTION}, {FailureClass.BUILD}]),
        disruption_limit=st.integers(0, 2),
    ),
    timeouts=st.builds(
        some_timeouts,
        waiting=st.sampled_from(["1m", "1h"]),
        configuring=st.sampled_from(["1m", "2h"]),
        run=st.sampled_from([None, "30s", "3h"]),
    ),
    history=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    succeed_when=st.sampled_from(SucceedWhen),
)


class Histories(RuleBasedStateMachine):
    """One PeriodicBuild, its operator, and everyone who meddles."""

    def __init__(self) -> None:
        super().__init__()
        self.clocks = Clocks()
        self.auditor = Auditor()
        self.numbers = count(1)

    @initialize(spec=specs, age=st.sampled_from([timedelta(), timedelta(days=2)]))
    def begin(self, spec: BuildSpec, age: timedelta) -> None:
        """Create the PeriodicBuild and start the operator."""
        build = a_build(spec=spec, created=BEGIN.replace(microsecond=0) - age)
        self.api = ApiServer(self.clocks, self.auditor, build)
        self.process = Process(self.api)

    # The operator

    def react(self, reaction: Reaction) -> None:
        """Let the operator do something."""
        match reaction:
            case Reaction.NOTHING:
                return
            case Reaction.ONE_LOOK:
                self.process.watch()
                self.process.look_at_build()
            case Reaction.SETTLES:
                self.settle()
            case _:
                self.process.writes_left = WRITES[reaction]
                try:
                    self.process.settle()
                except KilledError:
                    self.restart(Reaction.NOTHING)
                else:
                    self.process.writes_left = None

    def settle(self) -> None:
        """Let the operator do all there is to do, and recount."""
        self.process.settle()
        if self.build is not None and self.clocks.is_trusted and not self.process.lagging:
            assert unaccounted_slots(self.build.status, self.clocks.now.wall) == 0, f"{self.build.status}"

    @property
    def build(self) -> PeriodicBuild | None:
        """The PeriodicBuild, unless it was deleted."""
        return self.api.build

    @rule(reaction=reactions)
    def restart(self, reaction: Reaction) -> None:
        """Forget everything and list anew."""
        self.clocks.restart_process()
        self.process = Process(self.api)
        self.react(reaction)

    @rule(index=indexes)
    def look_at_one_attempt(self, index: int) -> None:
        """Look at an AppServer before its PeriodicBuild is looked at."""
        self.process.watch()
        names = sorted(self.process.app_servers)
        if names:
            self.process.look_at_attempt(names[index % len(names)])

    @rule(kinds=st.sets(st.sampled_from(["PeriodicBuild", "AppServer", "Pod"])))
    def watches_lag_behind(self, kinds: set[str]) -> None:
        """Let the watches of some kinds say nothing, and those of the others go on."""
        self.process.lagging = kinds

    @rule()
    def start_rate_changes(self) -> None:
        """Use up the start rate, or get it back."""
        self.process.may_start = not self.process.may_start

    # Time

    @rule(milliseconds=st.integers(1, 120_000), reaction=reactions)
    def moments_pass(self, milliseconds: int, reaction: Reaction) -> None:
        """Let up to two minutes pass."""
        self.clocks.elapsed += timedelta(milliseconds=milliseconds)
        self.react(reaction)

    @rule(minutes=st.sampled_from([5, 10, 31, 60, 150, 1_440, 3_000, 14_400]), reaction=reactions)
    def hours_pass(self, minutes: int, reaction: Reaction) -> None:
        """Let up to ten days pass."""
        self.clocks.elapsed += timedelta(minutes=minutes)
        self.react(reaction)

    @rule(reaction=reactions)
    def time_passes_until_the_next_wake(self, reaction: Reaction) -> None:
        """Let time pass until just what the operator has asked for."""
        self.advance_to_wake()
        self.react(reaction)

    @rule(hours=st.integers(-300 * 24, 8 * 24) | st.integers(-30, 30), reaction=reactions)
    def clocks_step(self, hours: int, reaction: Reaction) -> None:
        """Set the wall clock of every machine."""
        step = timedelta(hours=hours) - self.clocks.api_step
        self.clocks.api_step += step
        self.clocks.wall_step += step
        self.react(reaction)

    @rule(seconds=st.integers(-90, 90) | st.integers(-90_000, 90_000), reaction=reactions)
    def the_operators_clock_goes_wrong(self, seconds: int, reaction: Reaction) -> None:
        """Set the wall clock of the operator alone, within what is trusted or beyond it."""
        self.clocks.wall_step = self.clocks.api_step + timedelta(seconds=seconds)
        self.react(reaction)

    # Nodes

    @rule(index=indexes, move=st.sampled_from(Move), reaction=reactions)
    def pod_moves(self, index: int, move: Move, reaction: Reaction) -> None:
        """Let something happen to a pod."""
        self.move_pod(index, move)
        self.react(reaction)

    @rule(index=indexes, move=st.sampled_from([Move.READY, Move.COMPLETES, Move.FAILS, Move.DISRUPTED, Move.VANISHES]))
    def pod_moves_to_its_end(self, index: int, move: Move) -> None:
        """Let a pod come to an end that counts, and the operator see it."""
        self.move_pod(index, move)
        self.settle()

    def move_pod(self, index: int, move: Move) -> None:
        """Move one of the pods that belong to somebody here."""
        names = sorted(name for name, pod in self.api.pods.items() if pod.controller_uid != "stranger")
        if not names:
            return
        name = names[index % len(names)]
        pod = moved(self.api.pods[name], move, self.api.next_version())
        if pod is None:
            del self.api.pods[name]
        else:
            self.api.pods[name] = pod

    @rule(reaction=reactions)
    def garbage_is_collected(self, reaction: Reaction) -> None:
        """Let the garbage collector do one round."""
        self.api.collect_garbage()
        self.react(reaction)

    # People

    def edit(self, **changes: object) -> None:
        """Change the PeriodicBuild by hand."""
        if self.build is not None:
            self.api.build = replace(self.build, resource_version=self.api.next_version(), **changes)  # type: ignore[arg-type]  # fields by name

    @rule(spec=specs, reaction=reactions)
    def the_spec_is_edited(self, spec: BuildSpec, reaction: Reaction) -> None:
        """Replace the whole spec."""
        if self.build is not None:
            self.edit(spec=spec, generation=self.build.generation + 1)
        self.react(reaction)

    @rule(field=st.sampled_from(["schedule", "retries", "timeouts", "succeed_when"]), spec=specs, reaction=reactions)
    def one_field_is_edited(self, field: str, spec: BuildSpec, reaction: Reaction) -> None:
        """Replace one field of the spec."""
        if self.build is not None:
            changed = replace(self.build.spec, **{field: getattr(spec, field)})
            self.edit(spec=changed, generation=self.build.generation + 1)
        self.react(reaction)

    @rule(reaction=reactions)
    def it_is_turned_on_or_off(self, reaction: Reaction) -> None:
        """Flip `enabled`."""
        if self.build is not None:
            schedule = replace(self.build.spec.schedule, enabled=not self.build.spec.schedule.enabled)
            self.edit(spec=replace(self.build.spec, schedule=schedule), generation=self.build.generation + 1)
        self.react(reaction)

    @rule(reaction=reactions)
    def the_schedule_becomes_unreadable(self, reaction: Reaction) -> None:
        """Write a schedule that nobody understands."""
        if self.build is not None:
            spec = replace(self.build.spec, schedule=a_schedule(every=None), schedule_error="spec.schedule: what?")
            self.edit(spec=spec, generation=self.build.generation + 1)
        self.react(reaction)

    @rule(reaction=reactions)
    def a_run_is_asked_for(self, reaction: Reaction) -> None:
        """Annotate a fresh token."""
        self.edit(run_now=f"token-{next(self.numbers)}")
        self.react(reaction)

    @rule(has_template=st.booleans(), reaction=reactions)
    def an_app_server_is_made_by_hand(self, *, has_template: bool, reaction: Reaction) -> None:
        """Create an AppServer with nothing but a reference, and perhaps a template."""
        server = by_hand(a_build(), name=f"by-hand-{next(self.numbers)}")
        if has_template:
            server = replace(server, template=a_spec().template, given=frozenset({"/spec/template"}))
        self.add_app_server(server, controller_uid=None)
        self.react(reaction)

    def add_app_server(self, server: object, *, controller_uid: str | None) -> None:
        """Put an AppServer there that the operator did not make."""
        made = replace(
            server,  # type: ignore[type-var]  # an AppServer
            ref=replace(server.ref, uid=f"foreign-{next(self.numbers)}"),  # type: ignore[attr-defined]
            created_at=self.clocks.api.replace(microsecond=0),
            resource_version=self.api.next_version(),
            controller_uid=controller_uid,
        )
        self.api.app_servers.setdefault(made.ref.name, made)

    @rule(what=st.sampled_from(["orphan", "someone else's", "hand-made", "pod"]), reaction=reactions)
    def the_next_name_is_taken(self, what: str, reaction: Reaction) -> None:
        """Take the name of the next slot's AppServer or pod."""
        if self.build is None or self.build.status.schedule is None:
            return
        waiting = self.build.status.waiting
        slot = waiting.slot if waiting is not None else next_slot(self.build.status.schedule)
        if slot is None:
            return
        name = app_server_name(self.build.ref.name, slot_run_id(slot), 1)
        if what == "pod":
            server = an_app_server(self.build, name=name, controller_uid="stranger")
            self.take_pod_name(server.ref.name)
        elif what == "hand-made":
            self.add_app_server(by_hand(self.build, name=name), controller_uid=None)
        else:
            owner = None if what == "orphan" else "stranger"
            self.add_app_server(an_app_server(self.build, slot=slot, name=name), controller_uid=owner)
        self.react(reaction)

    def take_pod_name(self, name: str) -> None:
        """Create a pod that has nothing to do with anything here."""
        from tests.builders import a_pod

        if name not in self.api.pods:
            self.api.pods[name] = replace(
                a_pod(name=name, uid=f"foreign-{next(self.numbers)}", controller_uid="stranger"), build_name="other"
            )

    @rule(index=indexes, reaction=reactions)
    def an_attempt_is_cancelled(self, index: int, reaction: Reaction) -> None:
        """Set `spec.cancelled`."""
        names = sorted(self.api.app_servers)
        if names:
            server = self.api.app_servers[names[index % len(names)]]
            cancelled = replace(server, cancelled=True, resource_version=self.api.next_version())
            self.api.app_servers[server.ref.name] = cancelled
        self.react(reaction)

    @rule(index=indexes, waits_for_pod=st.booleans(), reaction=reactions)
    def an_app_server_is_deleted(self, index: int, *, waits_for_pod: bool, reaction: Reaction) -> None:
        """Delete an AppServer by hand, in the foreground or in the background."""
        names = sorted(self.api.app_servers)
        if names:
            server = self.api.app_servers[names[index % len(names)]]
            self.auditor.lost.add(server.ref.uid)
            if waits_for_pod:
                deleting = replace(server, is_deleting=True, resource_version=self.api.next_version())
                self.api.app_servers[server.ref.name] = deleting
            else:
                del self.api.app_servers[server.ref.name]
        self.react(reaction)

    @rule(reaction=reactions)
    def the_whole_status_is_lost(self, reaction: Reaction) -> None:
        """Restore without status, or reset by hand."""
        self.auditor.life += 1
        self.auditor.is_complete = True
        self.edit(status=BuildStatus())
        self.react(reaction)

    @rule(reaction=reactions)
    def the_schedule_status_is_lost(self, reaction: Reaction) -> None:
        """Remove `status.schedule` by hand; the API server guards the counters."""
        if self.build is not None:
            self.edit(status=replace(self.build.status, schedule=None))
        self.react(reaction)

    @rule(reaction=reactions)
    def the_build_is_deleted_and_made_anew(self, reaction: Reaction) -> None:
        """Delete the PeriodicBuild and create one of the same name at once."""
        if self.build is not None:
            self.auditor.life += 1
            self.auditor.is_complete = True
            self.api.build = a_build(
                spec=self.build.spec,
                uid=f"build-{next(self.numbers)}",
                created=self.clocks.api.replace(microsecond=0),
                resource_version=self.api.next_version(),
            )
        self.react(reaction)

    @rule(reaction=reactions)
    @precondition(lambda self: self.build is not None)
    def the_build_is_being_deleted(self, reaction: Reaction) -> None:
        """Delete in the foreground, for as long as that takes."""
        if self.build is not None and len(self.api.app_servers) > 1:
            self.edit(is_deleting=True)
        self.react(reaction)

    # Faults

    @rule(
        kind=st.sampled_from(["AppServer", "Pod", "DryRun", "Adoption"]),
        refusal=st.sampled_from([one for one in Refused if one != Refused.NAME_STILL_IN_USE]),
        reaction=reactions,
    )
    def creates_are_refused(self, kind: str, refusal: Refused, reaction: Reaction) -> None:
        """Refuse all creates of a kind."""
        self.api.faults.refuses[kind] = refusal
        self.react(reaction)

    @rule(reaction=reactions)
    def faults_are_over(self, reaction: Reaction) -> None:
        """Let the API server do what it is asked."""
        self.api.faults.refuses.clear()
        self.api.faults.answers_to_lose = 0
        self.api.faults.namespace_is_terminating = False
        self.process.may_start = True
        self.react(reaction)

    @rule(answers=st.integers(1, 3), reaction=reactions)
    def answers_get_lost(self, answers: int, reaction: Reaction) -> None:
        """Do the next writes and tell nobody."""
        self.api.faults.answers_to_lose = answers
        self.react(reaction)

    @rule(reaction=reactions)
    def the_namespace_terminates(self, reaction: Reaction) -> None:
        """Refuse everything for good; `faults_are_over` is kinder than the world."""
        self.api.faults.namespace_is_terminating = True
        self.react(reaction)

    # The end

    def advance_to_wake(self) -> None:
        """Let time pass until the operator wants to look again."""
        now = self.clocks.now
        waits = [wait for wake in self.process.wakes.values() for wait in waits_until(wake, now.wall, now.steady)]
        if waits:
            self.clocks.elapsed += max(min(waits), timedelta(0))

    def teardown(self) -> None:
        """End all faults, let nothing new happen, and see the schedule go on by itself."""
        if not hasattr(self, "api"):
            return
        self.faults_are_over(Reaction.NOTHING)
        self.process.lagging.clear()
        self.clocks.wall_step = self.clocks.api_step
        self.settle()
        build = self.build
        if build is None or build.is_deleting or build.status.slots is None or not build.spec.schedule.spawns:
            return
        wanted = build.status.slots.due + 2
        for _ in range(TURNS):
            self.finish_pods()
            self.settle()
            if self.build is not None and self.build.status.slots is not None:
                if self.build.status.slots.due >= wanted:
                    self.check_nothing_is_left_behind()
                    return
            self.advance_to_wake()
        message = f"the schedule is dead: {self.build}, wakes {self.process.wakes}"
        raise AssertionError(message)

    def finish_pods(self) -> None:
        """Let every pod do what it is there for."""
        self.api.collect_garbage()
        for name, pod in list(self.api.pods.items()):
            server = self.api.app_servers.get(name)
            if pod.controller_uid == "stranger":
                continue
            if pod.is_deleting:
                del self.api.pods[name]
            elif server is not None and not server.state.is_finished:
                end = Move.READY if server.succeed_when == SucceedWhen.READY else Move.COMPLETES
                self.move_pod(
                    sorted(one for one, pod in self.api.pods.items() if pod.controller_uid != "stranger").index(name),
                    end,
                )

    def check_nothing_is_left_behind(self) -> None:
        """Find AppServers that nobody will ever bring to an end."""
        assert self.build is not None
        runs = {run.id for run in self.build.status.runs}
        for server in self.api.app_servers.values():
            is_ours = server.controller_uid == self.build.ref.uid
            if is_ours and not server.state.is_finished and not server.is_deleting:
                is_cared_for = server.run in runs or server.trigger == Trigger.MANUAL
                assert is_cared_for, f"{server.ref.name} is left behind in {server.state}"


def waits_until(wake: Wake, wall: object, steady: object) -> list[timedelta]:
    """Give how long it is until a wake-up, by either clock."""
    pairs = ((wake.wall, wall), (wake.steady, steady))
    return [instant - now for instant, now in pairs if instant is not None]  # type: ignore[operator]


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=STEPS,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
