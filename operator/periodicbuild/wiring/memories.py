"""What this process remembers beside what the cluster says; all of it may be lost at any time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.inputs import Lookup
    from periodicbuild.core.mail import Delivery
    from periodicbuild.core.plans import DryRun, Refusal, Seen
    from periodicbuild.core.services import ServiceRead
    from periodicbuild.core.status import Waiting


@dataclass(slots=True)
class BuildMemory:
    """What this process remembers of one PeriodicBuild; all of it may be lost at any time."""

    unwritten: Waiting | None = None
    written_at: datetime | None = None
    dry_run: DryRun | None = None
    refusals: dict[str, Refusal] = field(default_factory=dict)
    deliveries: dict[str, Delivery] = field(default_factory=dict)
    service: ServiceRead | None = None
    lookup: Lookup | None = None


@dataclass(slots=True)
class AttemptMemory:
    """What this process remembers of one AppServer."""

    refusal: Refusal | None = None
    seen: Seen | None = None
    pod_is_absent: bool = False
    namespace_is_terminating: bool | None = None
    log: str | None = None
