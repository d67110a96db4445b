"""The CronJob controller of the cluster's kube-controller-manager, in a process without any other controller."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec
from tests.bench.client import Call
from tests.bench.cron_jobs import CRON_JOBS, EVENTS, JOBS, TOLD_OF, cron_job, times_told
from tests.bench.objects import instant_text
from tests.cluster import processes
from tests.cluster.control_plane import CONTROLLER_MANAGER
from tests.contest.contestants import Seen
from tests.contest.script import Ending
from tests.contest.slots import Missing, explained_by_count

from periodicbuild.kube.session import MERGE_PATCH

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.cluster.cluster import LocalCluster
    from tests.contest.scenarios import Scenario

    from periodicbuild.kube.paths import Kind
    from periodicbuild.kube.session import KubeSession

COMPONENT: Final = "cronjob-controller"
"""Also the name by which kube-controller-manager is told to run nothing else."""
ACCOUNTS: Final = frozenset({"system:kube-controller-manager", f"system:serviceaccount:kube-system:{COMPONENT}"})
"""The process itself, whose lists and watches all its controllers share, and the controller."""
STOPS_WITHIN_SECONDS: Final = 5.0


@dataclass(slots=True)
class CronJobs:
    """See `Contestant`."""

    cluster: LocalCluster
    scenario: Scenario
    name: str = "cronjob"
    accounts: frozenset[str] = ACCOUNTS
    schedules: Kind = CRON_JOBS
    children: Kind = JOBS
    bodies: Kind = JOBS
    pid: int = field(default=0, init=False)

    def start(self) -> None:
        """Start the controller manager with the command that the cluster had, for one controller."""
        budget = self.scenario.budget
        self.pid = processes.start(
            COMPONENT,
            [
                *self.cluster.record.components[CONTROLLER_MANAGER].command,
                f"--controllers={COMPONENT}",
                f"--kube-api-qps={budget.qps}",
                f"--kube-api-burst={budget.burst}",
                f"--concurrent-cron-job-syncs={self.scenario.workers}",
            ],
            state=self.cluster.state.root,
            log=self.cluster.state.log(COMPONENT),
        )

    def wait_until_ready(self) -> None:
        """Wait for nothing: it does not say, and there is time until the first minute."""

    def kill(self) -> None:
        """Send SIGKILL."""
        processes.stop(self.cluster.state.root, [COMPONENT])

    def stop(self) -> None:
        """Send SIGTERM first."""
        processes.stop(self.cluster.state.root, [COMPONENT], grace_seconds=STOPS_WITHIN_SECONDS)

    def manifest(self, name: str, expression: str, scenario: Scenario) -> dict[str, Any]:
        """Give a CronJob with the pod of the PeriodicBuild of that name."""
        return cron_job(name, expression, policy="Forbid" if scenario.forbids else "Allow")

    def first_looks(self, created: Sequence[bytes]) -> Sequence[Call]:  # noqa: ARG002 - of the protocol
        """Give nothing: it writes nothing before a slot."""
        return ()

    def end(self, body: Seen, ending: Ending, at: datetime) -> Call:
        """Write what the Job controller would."""
        path = JOBS.path(namespace=body.metadata.namespace, name=body.metadata.name, subresource="status")
        return Call("PATCH", path, msgspec.json.encode({"status": _ended(ending, instant_text(at))}), MERGE_PATCH)

    async def explained(self, session: KubeSession, missing: Missing) -> int:
        """Count Events: they bear no slot, so each is taken for one that is missing."""
        told = Counter[str]()
        for event in msgspec.json.decode(await session.get(EVENTS.path()))["items"]:
            if event.get("reason") in TOLD_OF:
                told[event["involvedObject"]["name"]] += times_told(event)
        return explained_by_count(missing, told)


def _ended(ending: Ending, at: str) -> dict[str, Any]:
    """Give the status of an ended Job: that it is about to end comes before its end, or validation refuses it."""
    how = ("SuccessCriteriaMet", "Complete") if ending is Ending.COMPLETES else ("FailureTarget", "Failed")
    conditions = [{"type": one, "status": "True", "lastTransitionTime": at, "reason": "Script"} for one in how]
    if ending is Ending.COMPLETES:
        return {"startTime": at, "completionTime": at, "succeeded": 1, "conditions": conditions}
    return {"startTime": at, "failed": 1, "conditions": conditions}
