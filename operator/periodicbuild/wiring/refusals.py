"""What the API would not create, as facts for the next look: the kind of refusal, and when to try again."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from periodicbuild.core.plans import Refusal, Refused
from periodicbuild.kube.errors import NO_ANSWER, ForbiddenError, InvalidError, NotFoundError

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.kube.errors import KubeError

FIRST_PAUSE = timedelta(seconds=1)
"""Before the second try; doubled by waiting as long again as the refusal has lasted."""
LONGEST_PAUSE = timedelta(seconds=60)
"""A quota or a policy may change at any time, and nobody tells us."""
CHECKED_AGAIN_AFTER = timedelta(minutes=10)
"""A refused template is tried again this often (design 2.1)."""


UNWANTED_AFTER = timedelta(hours=1)
"""A refused name that is still wanted is tried again within a minute of its turn."""


def note_refusal(refusals: dict[str, Refusal], refusal: Refusal, steady: datetime) -> None:
    """Remember a refusal, and forget those of names that nobody has tried for long: their slots have other fates."""
    for name in [name for name, one in refusals.items() if steady - one.retry_at > UNWANTED_AFTER]:
        del refusals[name]
    refusals[refusal.name] = refusal


def refusal_of(name: str, error: KubeError, known: Refusal | None, steady: datetime) -> Refusal:
    """Note a refusal; repeated ones keep the instant of the first and wait longer each time."""
    return refused(name, _kind(error), error.message or str(error), known, steady)


def refused(name: str, kind: Refused, message: str, known: Refusal | None, steady: datetime) -> Refusal:
    """Note a refusal of a given kind."""
    since = known.since_at if known is not None and known.name == name else steady
    pause = min(LONGEST_PAUSE, max(FIRST_PAUSE, steady - since))
    return Refusal(name=name, kind=kind, message=message, retry_at=steady + pause, since_at=since)


def is_unanswered(error: KubeError) -> bool:
    """Tell whether what was asked for may have been done all the same: no answer, or an error of the server's own."""
    return error.status == NO_ANSWER or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _kind(error: KubeError) -> Refused:
    if isinstance(error, ForbiddenError):
        if error.is_namespace_terminating:
            return Refused.NAMESPACE_TERMINATING
        if error.is_quota_exceeded:
            return Refused.QUOTA_EXCEEDED
        return Refused.API_ERROR if error.is_service_account_missing else Refused.FORBIDDEN
    if isinstance(error, NotFoundError):
        return Refused.NAMESPACE_TERMINATING
    if isinstance(error, InvalidError):
        return Refused.INVALID
    return Refused.API_ERROR
