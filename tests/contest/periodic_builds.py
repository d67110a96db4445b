"""This operator, as it ships: under its own service account, with the budget of the contest."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
from tests.bench.audit import OPERATOR
from tests.bench.bodies import first_status_call
from tests.bench.client import Call
from tests.bench.objects import IMAGE, instant_text, periodic_build
from tests.cluster.waiting import wait_for
from tests.contest.contestants import Seen
from tests.contest.script import Ending
from tests.operator_process import READY_WITHIN_SECONDS, OperatorProcess

from periodicbuild.core.reasons import Decision
from periodicbuild.kube.kinds import APP_SERVERS, PERIODIC_BUILDS, PODS
from periodicbuild.kube.parse import periodic_build_from_json
from periodicbuild.kube.session import MERGE_PATCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cluster.cluster import LocalCluster
    from tests.contest.scenarios import Scenario
    from tests.contest.slots import Missing

    from periodicbuild.core.status import BuildStatus
    from periodicbuild.kube.paths import Kind
    from periodicbuild.kube.session import KubeSession

EXIT_CODES: Final = {Ending.COMPLETES: 0, Ending.FAILS: 3}


@dataclass(slots=True)
class PeriodicBuilds:
    """See `Contestant`."""

    cluster: LocalCluster
    scenario: Scenario
    name: str = "periodicbuild"
    accounts: frozenset[str] = frozenset({OPERATOR})
    schedules: Kind = PERIODIC_BUILDS
    children: Kind = APP_SERVERS
    bodies: Kind = PODS
    _process: OperatorProcess = field(init=False)

    def __post_init__(self) -> None:
        budget = self.scenario.budget
        # By default it starts at most 20 builds a second, on purpose; here the budget is to be the only limit.
        # It is alone, as the other contestant is, which renews no Lease either.
        alone = ("--starts-per-second=0", "--leader-elect=false")
        flags = (*alone, f"--kube-api-qps={budget.qps}", f"--kube-api-burst={budget.burst}")
        self._process = OperatorProcess.of(self.cluster, self.cluster.folder / "operator.log", flags)

    @property
    def pid(self) -> int:
        """Give the process id while it runs."""
        return self._process.pid

    def start(self) -> None:
        """Start it."""
        self._process.start_unready()

    def wait_until_ready(self) -> None:
        """Ask it."""
        wait_for(self._process.is_ready, within_seconds=READY_WITHIN_SECONDS, what="the operator is not ready")

    def kill(self) -> None:
        """Send SIGKILL."""
        self._process.stop(signal.SIGKILL)

    def stop(self) -> None:
        """Send SIGTERM."""
        self._process.stop()

    def manifest(self, name: str, expression: str, scenario: Scenario) -> dict[str, Any]:  # noqa: ARG002 - of the protocol
        """Give a PeriodicBuild that is built to its end; Forbid is its default."""
        return periodic_build(
            name,
            schedule={"cron": {"expression": expression}},
            succeedWhen="Completed",
            retries={"limit": 0},
            history={"successfulLimit": 1, "failedLimit": 1},
        )

    def first_looks(self, created: Sequence[bytes]) -> Sequence[Call]:
        """Write the schedule in force, as the first look does."""
        now = datetime.now(UTC)
        return [first_status_call(answer, now) for answer in created]

    def end(self, body: Seen, ending: Ending, at: datetime) -> Call:
        """Write what a kubelet would."""
        path = PODS.path(namespace=body.metadata.namespace, name=body.metadata.name, subresource="status")
        return Call("PATCH", path, msgspec.json.encode({"status": _ended(ending, instant_text(at))}), MERGE_PATCH)

    async def explained(self, session: KubeSession, missing: Missing) -> int:
        """Look the slots up in the ledgers; one that waits says why in status, too."""
        items = msgspec.json.decode(await session.get(PERIODIC_BUILDS.path()))["items"]
        builds = [periodic_build_from_json(msgspec.json.encode(item)) for item in items]
        return sum(speaks_of(build.status, slot) for build in builds for slot in missing.get(build.ref.name, ()))


def speaks_of(status: BuildStatus, slot: datetime) -> bool:
    """Tell whether a slot without a child is in the ledger, or waits."""
    is_recorded = any(one.decision != Decision.STARTED and one.covers(slot) for one in status.ledger)
    return is_recorded or (status.waiting is not None and status.waiting.slot == slot)


def _ended(ending: Ending, at: str) -> dict[str, Any]:
    """Give the status of an ended pod whose init container went well."""
    code = EXIT_CODES[ending]
    return {
        "phase": "Failed" if code else "Succeeded",
        "startTime": at,
        "initContainerStatuses": [_container("fetch", 0, at)],
        "containerStatuses": [_container("server", code, at)],
    }


def _container(name: str, code: int, at: str) -> dict[str, Any]:
    ended = {"exitCode": code, "reason": "Error" if code else "Completed", "startedAt": at, "finishedAt": at}
    return {
        "name": name,
        "image": IMAGE,
        "imageID": "",
        "ready": False,
        "restartCount": 0,
        "state": {"terminated": ended},
    }
