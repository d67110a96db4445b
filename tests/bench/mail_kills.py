"""One failure mail and one recovery mail, while the operator is killed at a random instant in between.

A simulated node lets pods fail and succeed; everything else is real, and the mail server is slow on purpose, so that
many kills come while it has a letter in its hands: after it has taken it, and before anybody knows.
"""

from __future__ import annotations

import random
import signal
import tempfile
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pykube
from tests.bench.ground import own_cluster
from tests.cluster.console import say
from tests.cluster.levels import Level
from tests.e2e.stage import Stage, see
from tests.integration.simulated_specs import a_build_spec, a_template
from tests.mail.running import RunningMailServer, running_mail_server
from tests.operator_process import OperatorProcess

if TYPE_CHECKING:
    from tests.cluster.cluster import Cluster
    from tests.e2e.objects import PeriodicBuild

POINTS: Final = 50
SEED: Final = 20_261_125
TAKES_SECONDS: Final = 0.7
"""The server's wait before it says that it has a letter."""
WITHIN_SECONDS: Final = 120.0
FACTS: Final = ("RunFailed", "RunRecovered")


def measure_mail_kills(points: int = POINTS) -> dict[str, float]:
    """Give the figures."""
    with (
        own_cluster(Level.SIMULATED) as cluster,
        tempfile.TemporaryDirectory() as folder,
        running_mail_server(Path(folder)) as mail,
    ):
        mail.server.takes_seconds = TAKES_SECONDS
        api = pykube.HTTPClient(pykube.KubeConfig.from_file(str(cluster.kubeconfig)))
        arena = _Arena(cluster, mail, Stage(cluster, api), _operator(cluster, mail))
        try:
            return arena.play(points)
        finally:
            arena.operator.stop()
            api.session.close()


def _operator(cluster: Cluster, mail: RunningMailServer) -> OperatorProcess:
    return OperatorProcess.of(cluster, cluster.folder / "operator.log", mail.flags).start()


@dataclass(slots=True)
class _Arena:
    cluster: Cluster
    mail: RunningMailServer
    stage: Stage
    operator: OperatorProcess
    _while_sending: int = field(default=0, init=False)

    def play(self, points: int) -> dict[str, float]:
        say("Once without a kill, to know how long it takes.")
        began = time.monotonic()
        self._act("calm")
        seconds = time.monotonic() - began
        chance = random.Random(SEED)  # noqa: S311 - spreads instants, guards nothing
        say(f"{points} times with one, at a random instant of {seconds:.1f} s (seed {SEED}).")
        for number in range(points):
            self._act_with_a_kill(f"point-{number}", chance.uniform(0, seconds))
            if (number + 1) % 10 == 0:
                say(f"{number + 1} of {points}; {self._while_sending} came while a letter was being taken.")
        return self._figures(points)

    def _act_with_a_kill(self, name: str, after_seconds: float) -> None:
        killer = threading.Timer(after_seconds, self._kill)
        killer.start()
        try:
            build = self._act(name)
        finally:
            killer.join()
        see(build, _is_quiet, f"nothing is owed of {name}", within_seconds=WITHIN_SECONDS)

    def _kill(self) -> None:
        self._while_sending += self.mail.server.open_connections > 0
        self.operator.stop(signal.SIGKILL)
        self.operator.start()

    def _act(self, name: str) -> PeriodicBuild:
        """Fail after two retries, be mended, and succeed."""
        spec = a_build_spec(
            exit_code=3,
            retries={"limit": 2, "delay": "1s"},
            notifications={"email": {"to": ["me@example.com"]}},
        )
        build = self.stage.create(name, spec)
        self._see(build, "lastFailure", "has failed")
        build.patch({"spec": {"template": a_template()}})
        build.run_now("mended")
        self._see(build, "lastSuccess", "is well")
        return build

    def _see(self, build: PeriodicBuild, field_: str, what: str) -> None:
        """Wait until a run has ended so, and everybody has been told."""
        see(
            build,
            lambda one: one.read(f"status.{field_}") and _is_quiet(one),
            f"{build.name} {what}",
            within_seconds=WITHIN_SECONDS,
        )

    def _figures(self, points: int) -> dict[str, float]:
        ids: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for letter in self.mail.letters_about(self.stage.namespace):
            ids[letter["X-PeriodicBuild-Name"], letter["X-PeriodicBuild-Kind"]][letter["Message-ID"]] += 1
        owed = [(f"point-{number}", kind) for number in range(points) for kind in FACTS]
        return {
            "mail-kill-points": points,
            "mail-lost": sum(not ids[fact] for fact in owed),
            "mail-distinct-message-ids-per-fact": max(len(ids[fact]) for fact in owed),
            "mail-sent-twice": sum(ids[fact].total() > 1 for fact in owed),
            "mail-killed-while-sending": self._while_sending,
        }


def _is_quiet(build: PeriodicBuild) -> bool:
    return not build.read("status.mail.pending") and not build.read("status.runs")
