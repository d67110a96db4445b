"""One history of a PeriodicBuild: the operator acts, time passes, and pods move.

The operator may die after each single write, forget everything, and see old facts.  It has two replicas: the other one
takes over at any moment, and a create that the former one had sent may arrive long after.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import timedelta
from enum import Enum, auto
from itertools import count
from typing import TYPE_CHECKING

import hypothesis.strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from tests.builders import a_build, a_calendar, a_cron, a_schedule, a_spec, some_retries, some_timeouts
from tests.property.model import AnswerLostError, ApiServer, RefusedError
from tests.property.model_auditor import Auditor
from tests.property.model_clocks import BEGIN, Clocks
from tests.property.model_kubelet import Move, moved
from tests.property.model_post import Mood
from tests.property.model_process import KilledError, Process
from tests.property.model_serving import NAME

from periodicbuild.core.facts import ActivationPolicy, Breaker, Starting
from periodicbuild.core.inputs import ChangeDetection, Source, SourceKind
from periodicbuild.core.plans import CreateAppServer
from periodicbuild.core.policies import AfterManualRun, ConcurrencyPolicy, Recovery, SucceedWhen
from periodicbuild.core.reasons import FailureClass, NoticeKind, Trigger
from periodicbuild.core.recipients import FOR_ALL, Notifications
from periodicbuild.core.recount import unaccounted_slots

if TYPE_CHECKING:
    from periodicbuild.core.facts import BuildSpec, Now, PeriodicBuild
    from periodicbuild.core.plans import Wake


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
MINUTES, HOURS = timedelta(minutes=20), timedelta(hours=7)
timings = st.none() | st.sampled_from(
    [
        a_calendar("10:00", zone="Europe/Berlin"),
        a_calendar("23:30", days="Tue Wed Sat", zone="America/Nuuk"),
        a_calendar("00:15", zone="Pacific/Auckland"),
        a_cron("* * * * *"),
        a_cron("*/20 * * * *", zone="Australia/Lord_Howe"),
        a_cron("30 2,10 * * 1-5", zone="America/New_York"),
    ]
)
"""None = an interval."""


def as_admitted(spec: BuildSpec) -> BuildSpec:
    """Leave out what the API server refuses: nothing is activated but servers that stay up."""
    return spec if spec.succeed_when == SucceedWhen.READY else replace(spec, activation=None)


specs = st.builds(
    a_spec,
    schedule=st.builds(
        a_schedule,
        every=st.sampled_from(["1s", "90s", "10m", "1h", "24h"]),
        timing=timings,
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
    starting=st.builds(
        Starting,
        deadline=st.sampled_from([None, None, timedelta(minutes=5), timedelta(hours=30)]),
        spread=st.sampled_from([timedelta(), timedelta(), timedelta(seconds=40), timedelta(minutes=15)]),
    ),
    concurrency=st.sampled_from(ConcurrencyPolicy),
    breaker=st.none() | st.builds(Breaker, failures=st.integers(1, 3), probe_after=st.sampled_from([MINUTES, HOURS])),
    notifications=st.builds(
        Notifications,
        to=st.sampled_from([(), ("me@example.com",)]),
        events=st.sampled_from([FOR_ALL, frozenset(NoticeKind)]),
        remind_every=st.sampled_from([HOURS, timedelta(days=2)]),
    ),
    activation=st.none()
    | st.builds(ActivationPolicy, service_name=st.just(NAME), fallback_for=st.sampled_from([MINUTES, HOURS])),
    change_detection=st.none()
    | st.builds(
        ChangeDetection,
        sources=st.sampled_from([(Source("code", SourceKind.GIT, "https://example.com/app.git"),), ()]),
        max_age=st.sampled_from([None, HOURS, timedelta(days=2)]),
    ),
    recovery=st.sampled_from([Recovery.RESTART, Recovery.RESTART, Recovery.NEVER]),
    estimated_duration=st.sampled_from([None, timedelta(minutes=2), timedelta(hours=1)]),
).map(as_admitted)


class History(RuleBasedStateMachine):
    """One PeriodicBuild and its operator."""

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
        self.other = Process(self.api)
        self.under_way: list[tuple[CreateAppServer, PeriodicBuild]] = []

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
        build = self.build
        if build is not None and not build.is_deleting and self.clocks.is_trusted and not self.process.lagging:
            spread = build.spec.starting.spread
            unaccounted = unaccounted_slots(build.status, self.clocks.now.wall, self.process.unwritten, spread)
            assert unaccounted == 0, f"{build.status}"

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

    @rule(reaction=reactions)
    def the_other_replica_leads(self, reaction: Reaction) -> None:
        """Let the other replica act from now on, by its own clocks; it lists everything anew (R22)."""
        self.clocks.exchange()
        self.process, self.other = self.other, self.process
        self.process.list_anew()
        self.react(reaction)

    @rule(minutes=st.sampled_from([0, 1, 31, 3_000]), reaction=reactions)
    def the_leader_is_stopped_in_a_create(self, minutes: int, reaction: Reaction) -> None:
        """Let the other replica lead, at once or later; what the former was about to create is still under way.

        Not so what people ask for: of that the first record tells, and whoever deletes it may have it again.
        """
        self.settle()
        self.advance_to_wake()
        owner = self.process.build
        if owner is not None:
            creates = [one for one in self.process.plan_for_build().first if isinstance(one, CreateAppServer)]
            self.under_way += [(create, owner) for create in creates if create.trigger != Trigger.MANUAL]
        self.clocks.elapsed += timedelta(minutes=minutes)
        self.the_other_replica_leads(reaction)

    @precondition(lambda self: self.under_way)
    @rule(reaction=reactions)
    def what_was_under_way_arrives(self, reaction: Reaction) -> None:
        """Let the API server receive what a former leader had sent."""
        create, owner = self.under_way.pop()
        with contextlib.suppress(RefusedError, AnswerLostError):
            self.api.create_app_server(create, owner, is_late=True)
        self.react(reaction)

    @rule(index=indexes)
    def look_at_one_attempt(self, index: int) -> None:
        """Look at an AppServer before its PeriodicBuild is looked at."""
        self.process.watch()
        names = sorted(self.process.app_servers)
        if names:
            self.process.look_at_attempt(names[index % len(names)])

    @rule(kinds=st.sets(st.sampled_from(["PeriodicBuild", "AppServer", "Pod", "BuildGate"])))
    def watches_lag_behind(self, kinds: set[str]) -> None:
        """Let the watches of some kinds say nothing, and those of the others go on."""
        self.process.lagging = kinds

    @rule()
    def start_rate_changes(self) -> None:
        """Use up the start rate, or get it back."""
        self.process.may_start = not self.process.may_start

    @rule()
    def pool_changes(self) -> None:
        """Fill the pool with other builds, or empty it."""
        self.process.has_place = not self.process.has_place

    @rule()
    def pressure_changes(self) -> None:
        """Let writes of other builds stand in line, or have all of them go out."""
        self.process.is_pressed = not self.process.is_pressed

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

    def advance_to_wake(self) -> None:
        """Let time pass until the operator wants to look again."""
        now = self.clocks.now
        waits = [wait for wake in self.process.wakes.values() for wait in waits_until(wake, now)]
        if waits:
            self.clocks.elapsed += max(min(waits), timedelta(0))

    @rule(hours=st.integers(-300 * 24, 8 * 24) | st.integers(-30, 30), reaction=reactions)
    def clocks_step(self, hours: int, reaction: Reaction) -> None:
        """Set the wall clock of every machine."""
        self.clocks.step(timedelta(hours=hours))
        self.react(reaction)

    @rule(seconds=st.integers(-90, 90) | st.integers(-90_000, 90_000), reaction=reactions)
    def the_operators_clock_goes_wrong(self, seconds: int, reaction: Reaction) -> None:
        """Set the wall clock of the operator alone, within what is trusted or beyond it."""
        self.clocks.wall_step = self.clocks.api_step + timedelta(seconds=seconds)
        self.react(reaction)

    @rule(index=indexes, move=st.sampled_from(Move), reaction=reactions)
    def pod_moves(self, index: int, move: Move, reaction: Reaction) -> None:
        """Let something happen to a pod."""
        self.move_some_pod(index, move)
        self.react(reaction)

    @rule(index=indexes, move=st.sampled_from([Move.READY, Move.COMPLETES, Move.FAILS, Move.DISRUPTED, Move.VANISHES]))
    def pod_moves_to_its_end(self, index: int, move: Move) -> None:
        """Let a pod come to an end that counts, and the operator see it."""
        self.move_some_pod(index, move)
        self.settle()

    def move_some_pod(self, index: int, move: Move) -> None:
        """Move one of the pods that belong to somebody here."""
        names = sorted(name for name, pod in self.api.pods.items() if pod.controller_uid != "stranger")
        if names:
            self.move_pod(names[index % len(names)], move)

    def move_pod(self, name: str, move: Move) -> None:
        """Move a pod one step on."""
        pod = moved(self.api.pods[name], move, self.api.next_version())
        if pod is None:
            del self.api.pods[name]
        else:
            self.api.pods[name] = pod

    @rule(mood=st.sampled_from(Mood), reaction=reactions)
    def the_mail_server_changes(self, mood: Mood, reaction: Reaction) -> None:
        """Let whoever takes the mail be in another mood."""
        self.api.post.mood = mood
        self.react(reaction)

    @rule(reaction=reactions)
    def garbage_is_collected(self, reaction: Reaction) -> None:
        """Let the garbage collector do one round."""
        self.api.collect_garbage()
        self.react(reaction)


def waits_until(wake: Wake, now: Now) -> list[timedelta]:
    """Give how long it is until a wake-up, by either clock."""
    pairs = ((wake.wall, now.wall), (wake.steady, now.steady))
    return [instant - reading for instant, reading in pairs if instant is not None]
