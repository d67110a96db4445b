"""What people are told: facts about objects, as data, before anything is rendered or sent.

Must not know how an Event looks on the wire or whether it could be sent at all.

The one idea a newcomer would miss: a fact has an identity (`uid`, `reason`, `key`) that is derived from persisted
fields only.  Saying the same fact again, even after a crash, is therefore the same Event and not a second one (R37).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class EventType(StrEnum):
    """How loud a fact is; Kubernetes knows exactly these two."""

    NORMAL = "Normal"
    """Something happened as it should."""

    WARNING = "Warning"
    """Someone should look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRef:
    """Point at one object of the cluster, the way an Event's `regarding` does.

    Carries no resourceVersion on purpose: with one, the same fact about two versions would be two Events.
    """

    api_version: str
    """For example `periodicbuild.dev/v1alpha1`."""

    kind: str
    """For example `PeriodicBuild`."""

    namespace: str
    """Empty for a cluster-scoped object."""

    name: str
    """The object's name."""

    uid: str
    """Tells an object from a later one of the same name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFact:
    """One fact about one object, worth an Event."""

    regarding: ObjectRef
    """What the fact is about."""

    type: EventType
    """Normal or Warning."""

    reason: str
    """What happened, CamelCase, at most 128 characters: from the closed list shared with conditions and metrics."""

    action: str
    """What was done about it, CamelCase, at most 128 characters."""

    note: str
    """The sentence a person reads; cleaned and cut when it is rendered."""

    key: str
    """Which occurrence it is, for example the run and attempt; empty where reason and object say it all."""
