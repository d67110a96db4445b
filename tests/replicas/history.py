"""What replicas have done, judged by the API server's audit log: who wrote without the Lease, and what started twice.

Must not ask the replicas.

The one idea a newcomer would miss: at the edge between two terms it takes the strict side.  A Lease changes hands when
the bid for it comes in, and is nobody's when it is given back; a write of the former leader must be answered by then,
and one beside the bid, or beside its own release, is found, too.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from tests.bench.audit import Request

LEASES: Final = "leases"


def replica_of(request: Request) -> str:
    """Give the identity of the replica that sent it."""
    return request.agent.partition(" ")[2]


def bids(requests: Sequence[Request]) -> list[Request]:
    """Give the bids for the Lease that were taken, in the order in which they came: renewals, too."""
    return [one for one in _lease_writes(requests) if not is_release(one)]


def is_release(request: Request) -> bool:
    """Tell whether the Lease is given back by it."""
    return request.sent is not None and request.sent.spec.holder is None


def _lease_writes(requests: Sequence[Request]) -> list[Request]:
    taken = [one for one in requests if one.is_write and one.target == LEASES and one.has_succeeded]
    return sorted(taken, key=lambda one: one.received_at)


def writes(requests: Sequence[Request]) -> list[Request]:
    """Give what was written otherwise, and with success."""
    return [one for one in requests if one.is_write and one.target != LEASES and one.has_succeeded]


def writes_without_lease(requests: Sequence[Request], *, duration: timedelta) -> list[Request]:
    """Give the writes of a replica before which the last bid was not its own, or was longer ago than a Lease lasts.

    After its own release, too, until its next bid.
    """
    taken = _lease_writes(requests)
    instants = [one.received_at for one in taken]

    def is_covered(write: Request) -> bool:
        before = bisect_right(instants, write.answered_at)
        if not before:
            return False
        last = taken[before - 1]
        is_held = replica_of(last) == replica_of(write) and not is_release(last)
        return is_held and write.received_at - last.answered_at <= duration

    return [write for write in writes(requests) if not is_covered(write)]


def double_starts(requests: Sequence[Request]) -> list[str]:
    """Name the AppServers that were created more than once; a name stands for PeriodicBuild, slot and attempt."""
    created = Counter(
        f"{one.object.namespace}/{one.object.name}" for one in requests if one.has_done("create", "appservers")
    )
    return sorted(name for name, count in created.items() if count > 1)
