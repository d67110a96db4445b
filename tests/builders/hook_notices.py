"""Notices as tests need them: complete ones of which a case says what is special."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.builders.values import at

from periodicbuild.core.reasons import FailureClass, FailureReason, NoticeKind, OutcomeReason, Stage, Trigger
from periodicbuild.notify.notice import Failure, Notice

if TYPE_CHECKING:
    from collections.abc import Callable

A_LOG = "step 1 of 2\nstep 2 of 2\nno space left on device"


def a_capsule(**special: Any) -> Failure:
    """Build the capsule of a build that ended with exit code 3."""
    usual: dict[str, Any] = {
        "failure_class": FailureClass.BUILD,
        "reason": FailureReason.NON_ZERO_EXIT,
        "message": "container build ended with exit code 3",
        "stage": Stage.CONFIGURING,
        "container": "build",
        "exit_code": 3,
        "node": "node-1",
        "image_digests": ("docker.io/library/busybox@sha256:" + "0123456789abcdef" * 4,),
        "log": A_LOG,
    }
    return Failure(**{**usual, **special})


def a_notice(kind: NoticeKind = NoticeKind.RUN_FAILED, **special: Any) -> Notice:
    """Build what is told of a run of apps/nightly."""
    usual: dict[str, Any] = {
        "kind": kind,
        "key": f"20261126-013000/{kind}",
        "uid": "6c5f2a1e-9d3b-4c8e-8f1a-2b7d90c4e5f6",
        "namespace": "apps",
        "name": "nightly",
        "thread": "20261126-013000",
        "run": "20261126-013000",
        "trigger": Trigger.SCHEDULE,
        "attempt": 3,
        "app_server": "nightly-20261126-013000-3",
        "slot": at("2026-11-26T01:30:00"),
        "owed_at": at("2026-11-26T01:52:10"),
        "last_success_run": "20261125-013000",
        "last_success_at": at("2026-11-25T01:41:07"),
        "next_slot": at("2026-11-27T01:30:00"),
        "schedule_text": "daily 02:30 Europe/Berlin",
    }
    return Notice(**{**usual, **_OF_KIND[kind](), **special})


def _failed() -> dict[str, Any]:
    return {
        "failure": a_capsule(),
        "outcome_reason": OutcomeReason.RETRIES_USED_UP,
        "failing_since": at("2026-11-26T01:52:10"),
        "failures_in_a_row": 1,
    }


def _attempt_failed() -> dict[str, Any]:
    return {"failure": a_capsule(), "next_attempt_at": at("2026-11-26T01:57:10"), "attempt": 1}


_OF_KIND: dict[NoticeKind, Callable[[], dict[str, Any]]] = {
    NoticeKind.RUN_FAILED: _failed,
    NoticeKind.STILL_FAILING: _failed,
    NoticeKind.RUN_RECOVERED: dict,
    NoticeKind.ATTEMPT_FAILED: _attempt_failed,
}
