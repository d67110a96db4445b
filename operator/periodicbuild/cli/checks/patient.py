"""What every check may look at: the cluster, and the PeriodicBuilds in it as far as they may be seen.

Must not know the checks.

The one idea a newcomer would miss: the PeriodicBuilds are listed once, and little is kept of each, since there may be
tens of thousands.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from periodicbuild.cli.cluster import EVERYWHERE
from periodicbuild.cli.errors import is_kind_unknown
from periodicbuild.cli.objects import each_build
from periodicbuild.cli.summary import is_answered, overdue_for
from periodicbuild.core.schedules import Interval
from periodicbuild.kube.errors import ForbiddenError, NotFoundError

if TYPE_CHECKING:
    from datetime import timedelta

    from periodicbuild.cli.cluster import Cluster
    from periodicbuild.cli.objects import BuildDocument
    from periodicbuild.core.facts import PeriodicBuild
    from periodicbuild.notify.smtp_settings import SmtpSettings

LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
UNSEEN: Final = "no PeriodicBuild can be seen"
"""Because the kind is not served, or may not be listed."""


class Account(NamedTuple):
    """The service account of the operator."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """What the checks need of one PeriodicBuild."""

    title: str
    """`namespace/name`."""
    is_answered: bool
    """The operator has looked at this very spec."""
    overdue_for: timedelta | None
    changed_at: datetime
    """When somebody last wrote it, the status aside."""
    written_at: datetime
    """When its status was last written; LONG_AGO = never."""
    zones: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """What is examined."""

    cluster: Cluster
    now: datetime
    sightings: tuple[Sighting, ...] = ()
    scope: str = ""
    """Where the sightings are from, for people; empty = no PeriodicBuild could be listed."""
    account: Account
    is_operator: bool = False
    """The credentials in use are the operator's."""
    operator_url: str | None = None
    smtp: SmtpSettings | None = None


class _Manager(msgspec.Struct):
    subresource: str = ""
    time: datetime | None = None


class _Meta(msgspec.Struct, rename="camel"):
    managed_fields: tuple[_Manager, ...] = ()


class _Object(msgspec.Struct):
    metadata: _Meta = msgspec.field(default_factory=_Meta)


def counted_builds(count: int) -> str:
    """Write how many."""
    return f"{count} PeriodicBuild" if count == 1 else f"{count} PeriodicBuilds"


def list_sightings(cluster: Cluster, now: datetime) -> tuple[str, tuple[Sighting, ...]]:
    """List the PeriodicBuilds as far as we may, and say in which scope; raises KubeError if no API server answers."""
    for scope, words in ((EVERYWHERE, "all namespaces"), (cluster.namespace, f"namespace {cluster.namespace}")):
        try:
            builds = each_build(cluster, scope)
            return words, tuple(_sighting(one, now) for one in builds if not one.facts.is_deleting)
        except ForbiddenError:
            continue
        except NotFoundError as error:
            if not is_kind_unknown(error):
                raise
            break
    return "", ()


def _sighting(document: BuildDocument, now: datetime) -> Sighting:
    build = document.facts
    written = msgspec.json.decode(document.json, type=_Object).metadata.managed_fields
    times = {one.subresource: one.time for one in sorted(written, key=lambda one: one.time or LONG_AGO)}
    return Sighting(
        title=f"{build.ref.namespace}/{build.ref.name}",
        is_answered=is_answered(build),
        overdue_for=overdue_for(build, now),
        changed_at=times.get("") or build.created_at,
        written_at=times.get("status") or LONG_AGO,
        zones=frozenset(_zones(build)),
    )


def _zones(build: PeriodicBuild) -> set[str]:
    schedules = [build.spec.schedule]
    if build.status.schedule is not None:
        schedules.append(build.status.schedule.in_force)
    timings = [one.timing for one in schedules]
    return {one.time_zone for one in timings if one is not None and not isinstance(one, Interval)}
