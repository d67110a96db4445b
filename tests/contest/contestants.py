"""What the contest asks of a contestant, and what a watch tells of its objects.

The one idea a newcomer would miss: for the CronJob controller one object is both what a slot leads to and what runs;
for the operator these are two, an AppServer and its pod.  The lag is that of the first, for both; the operator pays for
the second besides.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
from tests.bench.cron_jobs import SCHEDULED_AT

from periodicbuild.kube.kinds import BUILD_LABEL, SLOT_ANNOTATION
from periodicbuild.kube.paths import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.client import Call
    from tests.contest.scenarios import Scenario
    from tests.contest.script import Ending
    from tests.contest.slots import Missing

    from periodicbuild.kube.session import KubeSession

ONCE_A_YEAR = "0 0 1 1 *"


class _Owner(msgspec.Struct):
    name: str


class _Metadata(msgspec.Struct):
    name: str
    namespace: str
    uid: str
    labels: dict[str, str] = msgspec.field(default_factory=dict)
    annotations: dict[str, str] = msgspec.field(default_factory=dict)
    owners: list[_Owner] = msgspec.field(name="ownerReferences", default_factory=list)


class _Spec(msgspec.Struct):
    slot: datetime | None = msgspec.field(name="slotTime", default=None)


class Seen(msgspec.Struct):
    """A Job, an AppServer or a pod."""

    metadata: _Metadata
    spec: _Spec = msgspec.field(default_factory=_Spec)

    @property
    def slot(self) -> datetime | None:
        """Give the slot it was made for; None = it was made for none."""
        notes = self.metadata.annotations
        text = notes.get(SCHEDULED_AT) or notes.get(SLOT_ANNOTATION)
        return self.spec.slot or (datetime.fromisoformat(text) if text else None)

    @property
    def schedule(self) -> str:
        """Name the CronJob or PeriodicBuild."""
        owner = self.metadata.owners[0].name if self.metadata.owners else ""
        return self.metadata.labels.get(BUILD_LABEL, owner)


class Contestant(Protocol):
    """One controller that starts what is due; `start` and `stop` as often as the contest likes."""

    name: str
    accounts: frozenset[str]
    """The users under which its requests are in the server's audit log."""
    schedules: Kind
    children: Kind
    """What is made for a slot."""
    bodies: Kind
    """What the world brings to an end: the same, or pods."""

    @property
    def pid(self) -> int:
        """Give the process id while it runs."""

    def start(self) -> None:
        """Start it; returns as soon as there is a process."""

    def wait_until_ready(self) -> None:
        """Wait until it would start what is due."""

    def kill(self) -> None:
        """End it at once."""

    def stop(self) -> None:
        """End it in an orderly way."""

    def manifest(self, name: str, expression: str, scenario: Scenario) -> dict[str, Any]:
        """Give a schedule."""

    def first_looks(self, created: Sequence[bytes]) -> Sequence[Call]:
        """Give what it would write when it first sees these schedules: preparing is not what is measured."""

    def end(self, body: Seen, ending: Ending, at: datetime) -> Call:
        """Give the request by which the world ends a build."""

    async def explained(self, session: KubeSession, missing: Missing) -> int:
        """Count the slots, of those without a child, that some record speaks of."""
