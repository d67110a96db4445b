"""Random histories of one PeriodicBuild: every write is audited, and at any time the world can come to rest.

The operator may die after each single write, forget everything, see old facts, lose answers and be refused; people
edit, delete, cancel and meddle with the status; clocks step.  `PERIODICBUILD_PROPERTY_EXAMPLES` asks for a longer hunt.
"""

from __future__ import annotations

from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import rule
from tests.builders import a_schedule, a_spec, some_timeouts
from tests.property.history import Reaction, reactions
from tests.property.history_gates import Rollouts
from tests.property.model_kubelet import Move

from periodicbuild.core.inputs import Finding
from periodicbuild.core.plans import Refused
from periodicbuild.core.policies import SucceedWhen
from periodicbuild.core.reasons import Trigger
from periodicbuild.core.serving import READ_EVERY

STEPS = 40
TURNS = 80
"""Times the world may be helped on until two more slots must have come."""


class Histories(Rollouts):
    """Everything that may go wrong, and the end of it."""

    @rule(
        kind=st.sampled_from(["AppServer", "Pod", "DryRun", "Adoption", "Service"]),
        refusal=st.sampled_from([one for one in Refused if one not in {Refused.NAME_STILL_IN_USE, Refused.UNANSWERED}]),
        reaction=reactions,
    )
    def creates_are_refused(self, kind: str, refusal: Refused, reaction: Reaction) -> None:
        """Refuse all creates of a kind; names of AppServers are taken one by one, by another rule."""
        if (kind, refusal) == ("AppServer", Refused.NAME_COLLISION):
            return
        self.api.faults.refuses[kind] = refusal
        self.react(reaction)

    @rule(reaction=reactions)
    def faults_are_over(self, reaction: Reaction) -> None:
        """Let the API server do what it is asked."""
        self.api.faults.refuses.clear()
        self.api.faults.answers_to_lose = self.api.faults.slow_calls = 0
        self.api.faults.namespace_is_terminating = self.api.faults.lookups_hang = False
        for memory in self.process.attempts.values():
            memory.namespace_is_terminating = None
        self.process.may_start = True
        self.process.has_place = True
        self.process.is_pressed = False
        self.react(reaction)

    @rule(answers=st.integers(1, 3), reaction=reactions)
    def answers_get_lost(self, answers: int, reaction: Reaction) -> None:
        """Do the next writes and tell nobody."""
        self.api.faults.answers_to_lose = answers
        self.react(reaction)

    @rule(calls=st.integers(1, 5), seconds=st.sampled_from([0.2, 3, 20, 100, 4_000]), reaction=reactions)
    def the_api_gets_slow(self, calls: int, seconds: float, reaction: Reaction) -> None:
        """Let the next calls take their time."""
        self.api.faults.slow_calls, self.api.faults.latency = calls, timedelta(seconds=seconds)
        self.react(reaction)

    @rule(
        found=st.sampled_from([Finding("r1"), Finding("r1"), Finding("r2"), Finding(problem="is down")]),
        hang=st.booleans(),
        reaction=reactions,
    )
    def the_sources_move(self, found: Finding, hang: bool, reaction: Reaction) -> None:  # noqa: FBT001 - drawn
        """Let every source be at another revision, unreachable, or slow beyond all patience."""
        self.api.source, self.api.faults.lookups_hang = found, hang
        self.react(reaction)

    @rule(reaction=reactions)
    def the_namespace_terminates(self, reaction: Reaction) -> None:
        """Refuse everything for good; `faults_are_over` is kinder than the world."""
        self.api.faults.namespace_is_terminating = True
        self.react(reaction)

    def teardown(self) -> None:
        """End all faults, let nothing new happen, and see the schedule go on by itself."""
        if not hasattr(self, "api"):
            return
        self.faults_are_over(Reaction.NOTHING)
        while self.under_way:
            self.what_was_under_way_arrives(Reaction.NOTHING)
        self.api.gates.clear()
        self.process.lagging.clear()
        self.clocks.wall_step = self.clocks.api_step
        self.settle()
        self.check_what_serves()
        build = self.build
        if build is None or build.is_deleting or build.status.slots is None or not build.spec.schedule.spawns:
            return
        wanted = build.status.slots.due + 2
        for _ in range(TURNS + len(self.api.app_servers)):  # each run that was asked for goes first
            self.finish_pods()
            self.settle()
            slots = self.build.status.slots if self.build is not None else None
            if slots is not None and slots.due >= wanted:
                self.check_nothing_is_left_behind()
                self.check_what_serves()
                return
            self.advance_to_wake()
            self.skip_readings()
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
                self.move_pod(name, end)

    def check_what_serves(self) -> None:
        """Let the operator read the Service once more, and see whether it points at the best there is (R28)."""
        self.clocks.elapsed += READ_EVERY
        self.settle()
        if self.build is not None and not self.build.is_deleting:
            self.auditor.serving.check_rest(self.api)

    def check_nothing_is_left_behind(self) -> None:
        """Find AppServers that nobody will ever bring to an end."""
        assert self.build is not None
        runs = {run.id for run in self.build.status.runs}
        for server in self.api.app_servers.values():
            is_ours = server.controller_uid == self.build.ref.uid
            if is_ours and not server.state.is_finished and not server.is_deleting:
                is_cared_for = server.run in runs or server.trigger == Trigger.MANUAL
                assert is_cared_for, f"{server.ref.name} is left behind in {server.state}"


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    stateful_step_count=STEPS,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def test_a_pod_that_has_ended_holds_nothing_back_when_its_app_server_is_deleted() -> None:
    """A hunt of 1,500 examples found it: the garbage collector has not come yet when the next slot starts."""
    history = Histories()
    spec = a_spec(
        schedule=a_schedule(every="1s"),
        history=(0, 0),
        timeouts=some_timeouts(waiting="1m", configuring="1m"),
        succeed_when=SucceedWhen.READY,
    )
    history.begin(spec=spec, age=timedelta())
    history.a_run_is_asked_for(Reaction.SETTLES)
    history.pod_moves_to_its_end(0, Move.COMPLETES)
    history.an_app_server_is_deleted(0, waits_for_pod=False, reaction=Reaction.SETTLES)
    history.teardown()
