"""What people ask of the operator while it is killed: everything that makes it write.

Must not know of kills: each step waits for what it has asked for, as long as that takes.

The one idea a newcomer would miss: nothing here depends on how fast anything is.  Builds take longer than states have
to last to be written, the second slot of a schedule comes by an edit, and the third is never reached.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.e2e.objects import AppServer, PeriodicBuild
from tests.e2e.stage import Stage, eventually, see
from tests.integration.serving import SERVICE, a_manifest, apply
from tests.integration.simulated_specs import FOR_EVER, a_build_spec, a_server_spec, a_template, every

WITHIN_SECONDS: Final = 120.0
"""How long one step may take, kill, restart and back-offs included, on a machine that does other things."""
LASTING: Final = "3s"
"""How long builds take: longer than a state has to last to be written (R41)."""
AGAIN_EVERY: Final = "20s"
"""Of a schedule with a second slot: as long as a third one stays away, which is longer than a restart takes."""
LEFT_OF_JOB: Final = 3
"""Records: both attempts of the run that failed, and the last success."""
KEEP_ONE: Final = {"successfulLimit": 1, "failedLimit": 1}
ME: Final = {"email": {"to": ["me@example.com"]}}


@dataclass(frozen=True, slots=True)
class Scenario:
    """One play, in a namespace of its own."""

    stage: Stage

    def play_briefly(self) -> None:
        """Ask for the first things only, for those who cannot wait for all."""
        self._activate_a_first_server()
        self._fail_with_a_retry()

    def play(self) -> None:
        """Ask for one thing after the other; returns when the last has come about."""
        relay = self._begin_what_is_replaced_later()
        web = self._activate_a_first_server()
        job = self._fail_with_a_retry()
        self._mend_and_run_by_hand(job)
        self._run_by_hand_and_clean_up(job)
        self._activate_a_second_server(web)
        self._replace(relay)

    def _begin_what_is_replaced_later(self) -> PeriodicBuild:
        """R16."""
        relay = self.stage.create("relay", a_build_spec(FOR_EVER, concurrencyPolicy="Replace", history=KEEP_ONE))
        eventually(lambda: self._states(relay) == ["ConfiguringServer"], "relay builds", within_seconds=WITHIN_SECONDS)
        return relay

    def _activate_a_first_server(self) -> PeriodicBuild:
        """R28."""
        apply(self.stage, a_manifest("web"))
        activation = {"serviceName": SERVICE, "fallbackFor": "1h"}
        web = self.stage.create("web", a_server_spec(activation=activation, history=KEEP_ONE))
        return self._see(web, _serves, "serves its first server")

    def _fail_with_a_retry(self) -> PeriodicBuild:
        """R18, R38."""
        spec = a_build_spec(
            LASTING,
            exit_code=3,
            retries={"limit": 1, "delay": "1s"},
            history=KEEP_ONE,
            notifications=ME,
        )
        return self._see(self.stage.create("job", spec), lambda one: one.read("status.lastFailure"), "has failed")

    def _mend_and_run_by_hand(self, job: PeriodicBuild) -> None:
        """R26, R27."""
        job.patch({"spec": {"template": a_template(LASTING)}})
        job.run_now("mended")
        self._see(job, lambda one: _last_success(one).startswith("m-"), "is well again")

    def _run_by_hand_and_clean_up(self, job: PeriodicBuild) -> None:
        """R26, R29: the success before it goes."""
        self.stage.create_by_hand(job, "by-hand")
        self._see(job, lambda one: _last_success(one) == "by-hand", "has built what was made by hand")
        eventually(
            lambda: len(self.stage.app_servers(job)) == LEFT_OF_JOB, "history is pruned", within_seconds=WITHIN_SECONDS
        )

    def _activate_a_second_server(self, web: PeriodicBuild) -> None:
        """R28, R29."""
        first = web.read("status.activation.appServer")
        self._let_a_second_slot_come(web)
        self._see(web, lambda one: _serves(one) and one.read("status.activation.appServer") != first, "has switched")

    def _replace(self, relay: PeriodicBuild) -> None:
        """R16."""
        self._let_a_second_slot_come(relay, template=a_template(LASTING))
        self._see(relay, lambda one: one.read("status.lastSuccess"), "has succeeded in its second run")

    def _let_a_second_slot_come(self, build: PeriodicBuild, **spec: object) -> None:
        """Edit the schedule so that one slot more comes, and turn it off before another does."""
        build.patch({"spec": {"schedule": every(AGAIN_EVERY), **spec}})
        see(
            build,
            lambda one: one.slots.get("started") == 2,
            f"{build.name} has started a second time",
            within_seconds=WITHIN_SECONDS,
        )
        build.disable()
        see(
            build,
            lambda one: one.condition("Scheduled").reason == "Disabled",
            f"{build.name} is off",
            within_seconds=WITHIN_SECONDS,
        )

    def _see(self, build: PeriodicBuild, holds: Callable[[PeriodicBuild], object], what: str) -> PeriodicBuild:
        """Wait until something holds, nothing runs and everybody has been told."""
        what = f"{build.name} {what}"
        return see(build, lambda one: holds(one) and _is_quiet(one), what, within_seconds=WITHIN_SECONDS)

    def _states(self, build: PeriodicBuild) -> list[str]:
        servers: list[AppServer] = self.stage.app_servers(build)
        return [one.state for one in servers]


def _is_quiet(build: PeriodicBuild) -> bool:
    return not build.read("status.mail.pending") and not build.read("status.runs")


def _serves(build: PeriodicBuild) -> bool:
    return build.condition("Activated")[:2] == ("True", "Activated")


def _last_success(build: PeriodicBuild) -> str:
    return str(build.read("status.lastSuccess.run") or "")
