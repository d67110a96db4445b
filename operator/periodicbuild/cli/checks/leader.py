"""Who leads."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from periodicbuild.cli.checks.finding import failed, ok, unseen, warning
from periodicbuild.cli.times import relative
from periodicbuild.kube.errors import ForbiddenError, NotFoundError
from periodicbuild.kube.lease import LEASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from periodicbuild.cli.checks.finding import Finding
    from periodicbuild.cli.checks.patient import Patient

TITLE: Final = "leader"


class _Spec(msgspec.Struct, rename="camel"):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    renew_time: datetime | None = None


class _Lease(msgspec.Struct):
    spec: _Spec = msgspec.field(default_factory=_Spec)


def check(patient: Patient) -> Iterator[Finding]:
    """Read the Lease beside the operator's service account, which by default and in the chart has its name."""
    path = LEASES.path(namespace=patient.account.namespace, name=patient.account.name)
    try:
        lease = msgspec.json.decode(patient.cluster.read_path(path), type=_Lease).spec
    except NotFoundError:
        remedy = "right if the operator runs with --leader-elect=false, or with a Lease elsewhere; else read its log"
        yield warning(TITLE, f"there is no Lease {patient.account.namespace}/{patient.account.name}", remedy)
        return
    except ForbiddenError as error:
        yield unseen(TITLE, error)
        return
    yield _judged(lease, patient.now)


def _judged(lease: _Spec, now: datetime) -> Finding:
    if not lease.holder_identity or lease.renew_time is None:
        return failed(TITLE, "nobody holds the Lease", "start the operator, or read its log")
    saw = f"{lease.holder_identity} leads, and renewed the Lease {relative(lease.renew_time, now)}"
    if now - lease.renew_time > timedelta(seconds=lease.lease_duration_seconds or 0):
        return failed(TITLE, f"{saw}, which is too long", "start the operator, or read its log")
    return ok(TITLE, saw)
