"""One Lease on both ways: how it is read, and the patch that bids for it (KEP-589).

Must not know whose it is (`core/leadership.py`).

The one idea a newcomer would miss: a patch names the resourceVersion that it was decided on.  Of two that were decided
on the same one the API server takes one, and what others have written on the Lease stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from periodicbuild.core.leadership import Lease
from periodicbuild.kube.errors import NotFoundError
from periodicbuild.kube.paths import Kind
from periodicbuild.kube.session import MERGE_PATCH

if TYPE_CHECKING:
    from typing import Any

    from periodicbuild.kube.session import KubeSession

LEASES: Final = Kind("coordination.k8s.io", "v1", "leases")
LEASE: Final = "Lease"
"""`kind` in Events."""
LEASE_NAME: Final = "periodicbuild"
"""Unless an administrator names another; roles are bound to it."""


class _Metadata(msgspec.Struct):
    name: str
    uid: str = ""
    version: str = msgspec.field(name="resourceVersion", default="")


class _Spec(msgspec.Struct, rename="camel"):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    lease_transitions: int | None = None
    renew_time: str | None = None


class _Lease(msgspec.Struct):
    metadata: _Metadata
    spec: _Spec = msgspec.field(default_factory=_Spec)


_decode = msgspec.json.Decoder(_Lease).decode


class LeaseObject:
    """Read and write one Lease; raises KubeError and msgspec.DecodeError."""

    def __init__(self, session: KubeSession, *, namespace: str, name: str, usual_duration: float) -> None:
        """`usual_duration` is how many seconds a Lease lasts that does not say so."""
        self._session = session
        self._name = name
        self._usual_duration = usual_duration
        self._collection = LEASES.path(namespace=namespace)
        self._path = LEASES.path(namespace=namespace, name=name)

    async def read(self) -> Lease | None:
        """Read it; None if there is none."""
        try:
            answer = await self._session.get(self._path)
        except NotFoundError:
            return None
        return self.read_json(answer)

    async def write(self, lease: Lease, *, begins: bool) -> Lease:
        """Write it if nobody else has since it was read, or create it; `begins` = somebody gets it with this."""
        body = render_lease(self._name, lease, begins=begins)
        if lease.version:
            answer = await self._session.request("PATCH", self._path, body, MERGE_PATCH)
        else:
            answer = await self._session.request("POST", self._collection, body)
        return self.read_json(answer)

    def read_json(self, raw: bytes | msgspec.Raw) -> Lease:
        """Understand what the API says; a Lease that a person made may lack everything."""
        wire = _decode(raw)
        spec = wire.spec
        return Lease(
            holder=spec.holder_identity or "",
            mark=spec.renew_time or "",
            duration_seconds=spec.lease_duration_seconds or self._usual_duration,
            transitions=spec.lease_transitions or 0,
            version=wire.metadata.version,
            uid=wire.metadata.uid,
        )


def render_lease(name: str, lease: Lease, *, begins: bool) -> bytes:
    """Render the merge patch of a bid, or the object if there is none yet."""
    spec: dict[str, Any] = {
        "holderIdentity": lease.holder or None,
        "leaseDurationSeconds": round(lease.duration_seconds),
        "leaseTransitions": lease.transitions,
        "renewTime": lease.mark,
    }
    if begins:
        spec["acquireTime"] = lease.mark
    metadata = {"name": name}
    if lease.version:
        metadata["resourceVersion"] = lease.version
    return msgspec.json.encode({"metadata": metadata, "spec": spec})
