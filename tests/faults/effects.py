"""What can go wrong with a request, and with an event of a watch: data only, as a script writes it.

Must not know how it is done: `proxy` and `watches` do.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TypeAlias

import msgspec


class When(StrEnum):
    """On which side of what the API server does."""

    BEFORE = "before"
    """The API server never sees the request."""
    AFTER = "after"
    """It has carried the request out, and nobody is told."""


class _Effect(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel", tag_field="type"):
    """In a script `type` names the effect."""


class Delay(_Effect, frozen=True, tag=True):
    """Let the request wait, and pass on then."""

    seconds: float | None = None
    """None = until the fault is lifted."""


class Drop(_Effect, frozen=True, tag=True):
    """Break the connection instead of answering."""

    when: When = When.BEFORE


class Refuse(_Effect, frozen=True, tag=True):
    """Answer as an API server that refuses; the real one never sees the request."""

    status: int
    reason: str = ""
    """Of the `Status` in the answer; empty = what Kubernetes says with this status."""
    message: str = "refused by a fault"
    retry_after_seconds: int = 0
    """0 = none is named."""


class Kill(_Effect, frozen=True, tag=True):
    """End the controller by SIGKILL; with `after` when its request is carried out and not yet answered."""

    when: When = When.BEFORE


class Stale(_Effect, frozen=True, tag=True):
    """Ask the real API server for the past: a list is as it was then, a watch begins there."""

    version: str = ""
    """A resourceVersion; empty = that of the first list of the same collection."""


class Skip(_Effect, frozen=True, tag=True):
    """Keep one event of a watch back, for ever."""


class Stall(_Effect, frozen=True, tag=True):
    """Leave the watch open, and let neither this event nor any later one through until the fault is lifted."""


class Cut(_Effect, frozen=True, tag=True):
    """End the watch before this event."""

    status: int = 0
    """Of an ERROR event that is told first, as 410 when a version is too old; 0 = the connection just breaks."""


OnRequest: TypeAlias = Delay | Drop | Refuse | Kill | Stale
OnEvent: TypeAlias = Skip | Stall | Cut
Effect: TypeAlias = OnRequest | OnEvent

_REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    409: "Conflict",
    410: "Expired",
    422: "Invalid",
    429: "TooManyRequests",
    500: "InternalError",
    503: "ServiceUnavailable",
    504: "Timeout",
}


def status_of(refusal: Refuse, *, is_create: bool = False) -> dict[str, object]:
    """Give the `Status` object with which Kubernetes refuses."""
    usual = "AlreadyExists" if is_create and refusal.status == 409 else _REASONS.get(refusal.status, "Unknown")
    details = {"retryAfterSeconds": refusal.retry_after_seconds} if refusal.retry_after_seconds else {}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": refusal.message,
        "reason": refusal.reason or usual,
        "details": details,
        "code": refusal.status,
    }
