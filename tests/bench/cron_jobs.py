"""CronJobs beside the PeriodicBuilds of the measurements: with the same pods, and with as little history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.bench.objects import template

from periodicbuild.kube.paths import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

CRON_JOBS = Kind("batch", "v1", "cronjobs")
JOBS = Kind("batch", "v1", "jobs")
EVENTS = Kind("", "v1", "events")
SCHEDULED_AT = "batch.kubernetes.io/cronjob-scheduled-timestamp"
"""On a Job: the instant it was due."""
TOLD_OF = frozenset({"MissSchedule", "TooManyMissedTimes", "FailedNeedsStart", "JobAlreadyActive"})
"""Reasons of Events by which the CronJob controller says that a slot was not started."""


def cron_job(name: str, expression: str, *, policy: str = "Allow") -> dict[str, Any]:
    """Give a CronJob with the pod of the PeriodicBuild of that name; `Allow` is what Kubernetes does by default."""
    pod = template(name)
    pod["spec"]["restartPolicy"] = "Never"
    spec = {
        "schedule": expression,
        "timeZone": "Etc/UTC",
        "concurrencyPolicy": policy,
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": 1,
        "jobTemplate": {"spec": {"backoffLimit": 0, "template": pod}},
    }
    return {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name}, "spec": spec}


def times_told(event: Mapping[str, Any]) -> int:
    """Count the repetitions of an Event, in whichever way its author counts."""
    return event.get("count") or (event.get("series") or {}).get("count") or 1
