"""A PeriodicBuild in the place of a CronJob, and what changes in meaning.

Must not know how either is printed.

The one idea a newcomer would miss: what cannot be kept is never dropped in silence.  It is a change that is told, or,
where the result would not do what the CronJob did, a refusal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from periodicbuild.cli.errors import BadInputError
from periodicbuild.core.durations import format_duration
from periodicbuild.kube.kinds import PERIODIC_BUILD, PERIODIC_BUILDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CRON_JOB: Final = ("batch/v1", "CronJob")
LONGEST_NAME: Final = 44
MOST_RETRIES: Final = 10
MOST_KEPT: Final = 100
JOB_RETRIES: Final = 6
"""What a Job has that names no `backoffLimit`."""
JOB_LONGEST_PAUSE: Final = "6m"
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"

_ZONE_PREFIX: Final = re.compile(r"(?:CRON_)?TZ=(\S+)\s+")
_EVERY: Final = re.compile(r"@every\s+(\S+)")

ONE_POD: Final = "an AppServer is one pod: keep the CronJob, or split the work"
REFUSED: Final = {
    "completionMode": ("NonIndexed", ONE_POD),
    "completions": (1, ONE_POD),
    "parallelism": (1, ONE_POD),
    "managedBy": (None, "somebody else than the Job controller runs these Jobs"),
}
"""Fields of a Job's spec with the only value that can be kept, and why."""
DROPPED: Final = {
    "backoffLimitPerIndex": "there is one pod per attempt, and no index",
    "maxFailedIndexes": "there is one pod per attempt, and no index",
    "podFailurePolicy": "spec.retries.retryOn chooses by the class of the failure; exit codes are not told apart",
    "podReplacementPolicy": "the next attempt never begins before the pod of the last one has ended",
    "successPolicy": "the build has succeeded when its pod has",
    "selector": "the pod belongs to its AppServer",
    "manualSelector": "the pod belongs to its AppServer",
    "suspend": "spec.enabled stands for the whole PeriodicBuild",
}


@dataclass(slots=True)
class Conversion:
    """One CronJob on its way."""

    name: str
    """As in messages: `apps/nightly`."""
    cron: Mapping[str, Any]
    """Its spec."""
    changes: list[str] = field(default_factory=list)
    """Sentences."""

    def changes_to(self, sentence: str) -> None:
        """Note that something will not be as it was."""
        self.changes.append(sentence)

    def refuse(self, what: str, why: str) -> BadInputError:
        """Make the error for what cannot be converted."""
        return BadInputError(f"CronJob {self.name}: {what} cannot be converted: {why}")

    @property
    def job(self) -> Mapping[str, Any]:
        """Give the spec of its Jobs."""
        job: Mapping[str, Any] = self.cron.get("jobTemplate", {}).get("spec", {})
        return job


def convert(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Give the manifest of a PeriodicBuild, and what changes; raises BadInputError for what has no counterpart."""
    metadata = document.get("metadata", {})
    name = "/".join(part for part in (metadata.get("namespace"), metadata.get("name")) if part)
    conversion = Conversion(name, document.get("spec", {}))
    if len(metadata.get("name", "")) > LONGEST_NAME:
        raise conversion.refuse(
            f"metadata.name {metadata['name']!r}", f"it has more than {LONGEST_NAME} characters: choose a shorter one"
        )
    spec = {
        "enabled": not conversion.cron.get("suspend", False),
        "schedule": _schedule(conversion),
        "concurrencyPolicy": _concurrency(conversion),
        "succeedWhen": "Completed",
        "retries": _retries(conversion),
        "timeouts": _timeouts(conversion),
        "history": _history(conversion),
        "template": _template(conversion),
    }
    _tell_of_the_rest(conversion)
    manifest = {
        "apiVersion": PERIODIC_BUILDS.api_version,
        "kind": PERIODIC_BUILD,
        "metadata": _metadata(metadata),
        "spec": {key: value for key, value in spec.items() if value not in ({}, None)},
    }
    return manifest, conversion.changes


def _metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: metadata[key] for key in ("name", "namespace", "labels", "annotations") if metadata.get(key)}
    if "annotations" in kept:
        kept["annotations"] = {key: text for key, text in kept["annotations"].items() if key != LAST_APPLIED}
    return {key: value for key, value in kept.items() if value}


def _schedule(conversion: Conversion) -> dict[str, Any]:
    text = str(conversion.cron.get("schedule", "")).strip()
    zone = conversion.cron.get("timeZone")
    if found := _ZONE_PREFIX.match(text):
        zone, text = zone or found.group(1), text[found.end() :].strip()
    if found := _EVERY.fullmatch(text):
        conversion.changes_to("@every becomes an interval, which counts from start to start and not from midnight")
        return {"interval": {"every": found.group(1)}}
    if zone is None:
        zone = "Etc/UTC"
        conversion.changes_to(
            "timeZone was not set, so the zone of the kube-controller-manager counted: Etc/UTC is written, which it "
            "mostly is"
        )
    cron: dict[str, Any] = {"expression": text.replace("?", "*"), "timeZone": zone}
    deadline = conversion.cron.get("startingDeadlineSeconds")
    if deadline is not None:
        cron["startingDeadline"] = _length(deadline)
    return {"cron": cron}


def _concurrency(conversion: Conversion) -> str | None:
    policy = conversion.cron.get("concurrencyPolicy", "Allow")
    if policy == "Replace":
        return "Replace"
    if policy == "Allow":
        conversion.changes_to(
            "concurrencyPolicy was Allow: builds of one PeriodicBuild never overlap; a slot that is due while one runs "
            "waits for its end, and of several the newest starts"
        )
    else:
        conversion.changes_to(
            "concurrencyPolicy Forbid skipped a slot that was due while a Job ran: now it waits for the build's end, "
            "and of several the newest starts"
        )
    return None


def _retries(conversion: Conversion) -> dict[str, Any]:
    limit = int(conversion.job.get("backoffLimit", JOB_RETRIES))
    if limit > MOST_RETRIES:
        conversion.changes_to(f"backoffLimit {limit}: at most {MOST_RETRIES} retries are possible")
    if limit:
        conversion.changes_to(
            "each retry is an AppServer with a pod of its own, and its log is kept; evictions and lost nodes do not use"
            " retries up (spec.retries.disruptionLimit)"
        )
    return {"limit": min(limit, MOST_RETRIES), **({"maxDelay": JOB_LONGEST_PAUSE} if limit else {})}


def _timeouts(conversion: Conversion) -> dict[str, Any]:
    deadline = conversion.job.get("activeDeadlineSeconds")
    if deadline is not None:
        return {"run": _length(deadline)}
    conversion.changes_to(
        "a Job without activeDeadlineSeconds may run for ever: here each attempt has 1h to get its pod running and "
        "2h30m to end (spec.timeouts)"
    )
    return {}


def _history(conversion: Conversion) -> dict[str, Any]:
    limits = {"successfulLimit": "successfulJobsHistoryLimit", "failedLimit": "failedJobsHistoryLimit"}
    history: dict[str, Any] = {
        ours: min(int(conversion.cron[theirs]), MOST_KEPT)
        for ours, theirs in limits.items()
        if conversion.cron.get(theirs) is not None
    }
    ttl = conversion.job.get("ttlSecondsAfterFinished")
    if ttl is not None:
        history["maxAge"] = _length(max(1, int(ttl)))
    return history


def _template(conversion: Conversion) -> dict[str, Any]:
    template = conversion.job.get("template")
    if not isinstance(template, dict) or not isinstance(template.get("spec"), dict):
        raise conversion.refuse("spec.jobTemplate.spec.template", "it is missing, and says what is built")
    metadata = template.get("metadata") or {}
    kept = {key: metadata[key] for key in ("labels", "annotations") if metadata.get(key)}
    return {**({"metadata": kept} if kept else {}), "spec": template["spec"]}


def _tell_of_the_rest(conversion: Conversion) -> None:
    for name, (only, why) in REFUSED.items():
        value = conversion.job.get(name, only)
        if value != only:
            raise conversion.refuse(f"spec.jobTemplate.spec.{name}: {value}", why)
    for name, why in DROPPED.items():
        if conversion.job.get(name):
            conversion.changes_to(f"{name} is left out: {why}")
    if conversion.cron.get("jobTemplate", {}).get("metadata"):
        conversion.changes_to("jobTemplate.metadata is left out: AppServers have the operator's labels only")


def _length(seconds: Any) -> str:
    return format_duration(timedelta(seconds=int(seconds)))


def each_cron_job(documents: list[Any], file: str) -> Iterator[Mapping[str, Any]]:
    """Give the CronJobs of a file, those in lists included; raises BadInputError for anything else."""
    for document in documents:
        if isinstance(document, dict) and document.get("kind") in {"List", "CronJobList"}:
            items = document.get("items") or []
            yield from each_cron_job([{"apiVersion": CRON_JOB[0], "kind": CRON_JOB[1], **item} for item in items], file)
        elif isinstance(document, dict) and (document.get("apiVersion"), document.get("kind")) == CRON_JOB:
            yield document
        else:
            found = f"a {document.get('kind')}" if isinstance(document, dict) else "no object of Kubernetes"
            raise BadInputError(f"{file} holds {found}: CronJobs of {CRON_JOB[0]} are wanted")
