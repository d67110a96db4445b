"""Random histories that begin with two servers behind a Service: what serves, what falls back, what is lost (R28-R30).

The one idea a newcomer would miss: in a history of everything a server seldom comes up, let alone a second one.  Here
they have, and everything that may go wrong goes wrong from there on.
"""

from __future__ import annotations

from datetime import timedelta

import hypothesis.strategies as st
from hypothesis import HealthCheck, settings
from hypothesis.stateful import initialize, rule
from tests.builders import a_schedule, a_spec, some_timeouts
from tests.property.history import HOURS, MINUTES, Reaction, reactions
from tests.property.model_kubelet import Move
from tests.property.model_serving import NAME
from tests.property.test_planner_histories import STEPS, Histories

from periodicbuild.core.facts import ActivationPolicy, BuildSpec
from periodicbuild.core.policies import Recovery
from periodicbuild.core.reasons import State

serving_specs = st.builds(
    a_spec,
    schedule=st.builds(a_schedule, every=st.sampled_from(["90s", "10m", "1h"])),
    timeouts=st.just(some_timeouts()),
    history=st.tuples(st.integers(0, 2), st.integers(0, 2)),
    activation=st.none()
    | st.builds(ActivationPolicy, service_name=st.just(NAME), fallback_for=st.sampled_from([MINUTES, HOURS]))
    | st.builds(ActivationPolicy, service_name=st.just(NAME), fallback_for=st.just(timedelta(seconds=1))),
    recovery=st.sampled_from(Recovery),
)


class ServingHistories(Histories):
    """Everything that may go wrong once there is something to serve."""

    @initialize(spec=serving_specs, age=st.just(timedelta()))
    def begin(self, spec: BuildSpec, age: timedelta) -> None:
        """Create the PeriodicBuild, start the operator, and let two servers come up."""
        super().begin(spec, age)
        self.servers_come_up(2, has_service=True)

    @rule(times=st.integers(1, 2))
    def more_servers_come_up(self, times: int) -> None:
        """Let the next builds end well."""
        self.servers_come_up(times, has_service=True)

    @rule(reaction=reactions)
    def all_servers_are_lost(self, reaction: Reaction) -> None:
        """Let every node die."""
        for name, server in self.api.app_servers.items():
            if server.state == State.RUNNING and name in self.api.pods:
                self.move_pod(name, Move.VANISHES)
        self.react(reaction)


TestServingHistories = ServingHistories.TestCase
TestServingHistories.settings = settings(
    stateful_step_count=STEPS,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
