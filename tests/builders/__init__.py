"""Facts for tests, with defaults that are right and boring: a case names only what it is about.

Instants are texts such as `2026-11-24T02:30:00`, always UTC; lengths are texts such as `1h30m`.  Whatever else a case
needs, `dataclasses.replace` gives it.
"""

from __future__ import annotations

from tests.builders.attempts import a_container, a_pod, a_result, a_run, an_app_server, by_hand
from tests.builders.builds import a_build, a_schedule_status, a_spec, an_entry
from tests.builders.values import (
    A_TEMPLATE,
    CREATED,
    DERIVED,
    NAMESPACE,
    RETRIED,
    SLOT,
    Instant,
    a_calendar,
    a_cron,
    a_now,
    a_ref,
    a_schedule,
    at,
    at_if_any,
    some_retries,
    some_timeouts,
)

__all__ = [
    "A_TEMPLATE",
    "CREATED",
    "DERIVED",
    "NAMESPACE",
    "RETRIED",
    "SLOT",
    "Instant",
    "a_build",
    "a_calendar",
    "a_container",
    "a_cron",
    "a_now",
    "a_pod",
    "a_ref",
    "a_result",
    "a_run",
    "a_schedule",
    "a_schedule_status",
    "a_spec",
    "an_app_server",
    "an_entry",
    "at",
    "at_if_any",
    "by_hand",
    "some_retries",
    "some_timeouts",
]
