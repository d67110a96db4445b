"""Notices for tests: one bad night of `apps/openedx`, as the core would tell of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from periodicbuild.core.reasons import NoticeKind
from periodicbuild.notify.notice import Failure, Notice

if TYPE_CHECKING:
    from collections.abc import Callable

OWED: Final = datetime(2026, 11, 25, 2, 47, 12, tzinfo=UTC)
FIRST_FAILED: Final = datetime(2026, 11, 23, 2, 44, tzinfo=UTC)
SUCCEEDED: Final = datetime(2026, 11, 22, 2, 41, 30, tzinfo=UTC)

LOG: Final = """\
Collecting xblock-drag-and-drop-v2==5.0.2
Building wheels for collected packages: lxml
  error: subprocess-exited-with-error
  fatal error: libxml/xmlversion.h: No such file or directory
make: *** [Makefile:41: requirements] Error 1"""

A_FAILURE: Final = Failure(
    failure_class="Build",
    reason="NonZeroExit",
    message="container main ended with exit code 2",
    stage="Configuring",
    container="main",
    exit_code=2,
    node="worker-3",
    image_digests=("registry.example.com/team/openedx@sha256:" + "0123456789abcdef" * 4,),
    log=LOG,
)

_FAILED: Final = Notice(
    kind=NoticeKind.RUN_FAILED,
    key="20261125-023000/RunFailed",
    uid="0d9a7c52-6a0f-4b6e-9a51-2c4f6d1e8b77",
    namespace="apps",
    name="openedx",
    thread="20261123-023000",
    run="20261125-023000",
    trigger="Schedule",
    attempt=3,
    app_server="openedx-20261125-023000-3",
    slot=datetime(2026, 11, 25, 2, 30, tzinfo=UTC),
    owed_at=OWED,
    failure=A_FAILURE,
    outcome_reason="RetriesUsedUp",
    failing_since=FIRST_FAILED,
    failures_in_a_row=3,
    last_success_run="20261122-023000",
    last_success_at=SUCCEEDED,
    next_slot=datetime(2026, 11, 26, 2, 30, tzinfo=UTC),
    schedule_text="every 24h",
)


def a_failed_run(**changes: Any) -> Notice:
    """Give the notice of a run without a further attempt, the third in a row."""
    return replace(_FAILED, **changes)


def a_reminder(**changes: Any) -> Notice:
    """Give the notice that it has gone on for a while."""
    told = _of_run("20261128-023000", at=datetime(2026, 11, 28, 2, 50, tzinfo=UTC), kind=NoticeKind.STILL_FAILING)
    return replace(told, **{"failures_in_a_row": 6, **changes})


def a_recovery(**changes: Any) -> Notice:
    """Give the notice of the first success after it."""
    told = _of_run("20261129-023000", at=datetime(2026, 11, 29, 2, 41, tzinfo=UTC), kind=NoticeKind.RUN_RECOVERED)
    told = replace(told, failure=None, outcome_reason="", attempt=1, app_server="openedx-20261129-023000-1")
    return replace(told, **{"failures_in_a_row": 6, **changes})


def a_failed_attempt(**changes: Any) -> Notice:
    """Give the notice of an attempt that will be followed by another."""
    told = replace(_FAILED, kind=NoticeKind.ATTEMPT_FAILED, key="20261125-023000/AttemptFailed-1", attempt=1)
    told = replace(told, outcome_reason="", failing_since=None, failures_in_a_row=0)
    told = replace(told, app_server="openedx-20261125-023000-1", thread="20261125-023000")
    again: dict[str, Any] = {"next_attempt_at": datetime(2026, 11, 25, 2, 48, 12, tzinfo=UTC)}
    return replace(told, **{**again, **changes})


def _of_run(run: str, *, at: datetime, kind: NoticeKind) -> Notice:
    slot = at.replace(minute=30)
    told = replace(_FAILED, kind=kind, key=f"{run}/{kind}", run=run, owed_at=at, app_server=f"openedx-{run}-3")
    return replace(told, slot=slot, next_slot=slot + timedelta(days=1))


OF_EACH_KIND: Final[dict[NoticeKind, Callable[..., Notice]]] = {
    NoticeKind.RUN_FAILED: a_failed_run,
    NoticeKind.STILL_FAILING: a_reminder,
    NoticeKind.RUN_RECOVERED: a_recovery,
    NoticeKind.ATTEMPT_FAILED: a_failed_attempt,
}
