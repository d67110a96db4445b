"""The Service of an activation, as it was read: Services are never watched (R28).

Must not know what is decided from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.plans import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What activation has to know of a Service."""

    name: str
    uid: str
    activated_by: str | None = None
    """The label by which it opts in: the name of a PeriodicBuild."""
    is_external: bool = False
    """It is a name of somewhere else (`type: ExternalName`), and no selector has any effect."""
    selector: tuple[tuple[str, str], ...] | None = None
    """As stored, sorted; None = there is none."""
    app_server: str | None = None
    """The AppServer that the selector names, if it names one and nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRead:
    """One answer of the API about a Service; a fact, kept in memory until the next one."""

    name: str
    read_at: datetime
    """Steady clock."""
    version: str
    """The resourceVersion of the PeriodicBuild that asked: what is written later may rest on a later switch."""
    service: Service | None = None
    """None = it does not exist, or `refused` says why it is not known."""
    refused: Refused | None = None
    """Why it could not be read or switched."""
    message: str = ""
