"""What happens to servers that are up, so that a history soon has one that serves, one to fall back on, one lost."""

from __future__ import annotations

from datetime import timedelta

import hypothesis.strategies as st
from hypothesis.stateful import rule
from tests.builders import a_build
from tests.property.history import Reaction, reactions
from tests.property.history_people import People
from tests.property.model_kubelet import Move
from tests.property.model_serving import NAME

from periodicbuild.core.policies import SucceedWhen
from periodicbuild.core.reasons import State
from periodicbuild.core.services import Service
from periodicbuild.core.status import BuildStatus


class Servers(People):
    """Servers come up, lose their readiness or their pods, and get it back."""

    @rule(times=st.integers(1, 2), has_service=st.booleans())
    def servers_come_up(self, times: int, *, has_service: bool) -> None:
        """Let the next builds end well, with a Service that agrees."""
        if has_service and NAME not in self.api.services:
            service = Service(name=NAME, uid=f"service-{next(self.numbers)}", activated_by=a_build().ref.name)
            self.api.services[NAME] = service
        for _ in range(times):
            self.advance_to_wake()
            self.skip_readings()
            self.settle()
            for name, server in list(self.api.app_servers.items()):
                is_server = server.succeed_when == SucceedWhen.READY and not server.state.is_finished
                if is_server and name in self.api.pods:
                    self.move_pod(name, Move.READY)
            self.settle()

    @rule(
        move=st.sampled_from([Move.NOT_READY, Move.READY, Move.VANISHES, Move.EVICTED, Move.TERMINATES]),
        is_active=st.booleans(),
        reaction=reactions,
    )
    def something_happens_to_a_server(self, move: Move, *, is_active: bool, reaction: Reaction) -> None:
        """Move the pod of the active server, or of every other one that is up."""
        known = self.build.status.activation if self.build is not None else None
        active = known.app_server if known is not None else None
        for name, server in list(self.api.app_servers.items()):
            is_meant = server.state == State.RUNNING and (name == active or known is None) == is_active
            if is_meant and name in self.api.pods:
                self.move_pod(name, move)
        self.react(reaction)

    def skip_readings(self) -> None:
        """Let the time pass in which the operator only reads the Service every five minutes: it may be a week."""
        status = self.build.status if self.build is not None else BuildStatus()
        now = self.clocks.now
        if status.runs:
            return
        if status.next_slot is not None and not (status.waiting or self.process.unwritten):
            self.clocks.elapsed += max(timedelta(), status.next_slot - now.wall)
        elif status.breaker is not None:
            self.clocks.elapsed += max(timedelta(), status.breaker.next_probe_at - now.steady)
