"""Single values as the API wants them.

Must not know which object they go into.
"""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING, Any, Final

from periodicbuild.core.schedules import whole_second_down

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.notices import ObjectRef

LONGEST_REASON: Final = 64
"""Characters of any word in status that says why."""

UNKNOWN_REASON: Final = "Unknown"


def stored_instant(instant: datetime) -> datetime:
    """Cut to what the API stores: UTC, whole seconds."""
    return whole_second_down(instant.astimezone(UTC))


def instant_text(instant: datetime) -> str:
    """Write RFC 3339 in UTC and whole seconds."""
    return f"{stored_instant(instant):%Y-%m-%dT%H:%M:%SZ}"


def reason_text(reason: str) -> str:
    """Keep to letters, as the definition demands: the kubelet has words such as `OutOfnvidia.com/gpu`.

    One refused word would otherwise stop every further write of that status.
    """
    letters = re.sub("[^A-Za-z]", "", reason)[:LONGEST_REASON]
    return letters[:1].upper() + letters[1:] or UNKNOWN_REASON


def owner_reference(owner: ObjectRef) -> dict[str, Any]:
    """Name the controller; without `blockOwnerDeletion`, which needs rights that nothing here calls for."""
    return {
        "apiVersion": owner.api_version,
        "kind": owner.kind,
        "name": owner.name,
        "uid": owner.uid,
        "controller": True,
        "blockOwnerDeletion": False,
    }
