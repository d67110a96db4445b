"""Names, as functions of persisted fields only: creating is idempotent, the API server is the lock (design 2.4)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def slot_run_id(slot: datetime) -> str:
    """Return the run id of a slot: UTC, `YYYYMMDD-HHMMSS`."""
    return f"{slot:%Y%m%d-%H%M%S}"


def manual_run_id(token: str) -> str:
    """Return the run id of a run-now token: `m-` and eight hex digits, never a bare number in YAML."""
    return f"m-{hashlib.sha256(token.encode()).hexdigest()[:8]}"


def recovery_run_id(uid: str) -> str:
    """Return the run id that answers the loss of the AppServer with this uid: one per loss (R30)."""
    return f"r-{hashlib.sha256(uid.encode()).hexdigest()[:8]}"


def app_server_name(build: str, run: str, attempt: int) -> str:
    """Return the name of an attempt's AppServer and of its pod: at most 63 characters for a build of 44."""
    return f"{build}-{run}-{attempt}"
