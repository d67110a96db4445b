"""What the cluster shows at one instant, as values: from the JSON of kubectl to what the view needs.

Nothing of the operator's own code is used: the demo sees what a person's tool would see.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

KINDS = "periodicbuilds,appservers,events.events.k8s.io"
"""All that is looked at, in one request of kubectl."""

REPORTER = "periodicbuild.dev/operator"
"""Others (kubelet, scheduler) have Events in the same namespace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run in progress."""

    id: str
    attempt: int
    next_attempt_at: datetime | None
    """Set while it waits for its next attempt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """One entry of the ledger."""

    slot: datetime
    decision: str
    reason: str
    run: str
    outcome: str
    """Empty while the run is in progress, or where there is none."""
    outcome_reason: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Slots:
    """The counters of a ledger."""

    due: int = 0
    started: int = 0
    skipped: int = 0
    missed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One PeriodicBuild."""

    name: str
    enabled: bool
    schedule: str
    """In words, as status has it."""
    attempts: int
    """How many a scheduled run may have."""
    next_slot: datetime | None
    anchor_at: datetime | None
    """What the next slot is counted from."""
    slots: Slots
    waits_for: str
    """Why a due slot has not started; empty if none waits."""
    runs: tuple[Run, ...]
    ledger: tuple[Fate, ...]
    """Newest first."""
    handled_token: str
    """Of the last run that was asked for by annotation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One AppServer."""

    name: str
    build: str
    trigger: str
    run: str
    number: int
    state: str
    created_at: datetime
    why: str
    """What its status says about the state; empty if nothing."""
    failure: str
    """Class, reason and exit code; empty unless it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One Event of the operator."""

    key: str
    at: datetime
    reason: str
    about: str
    note: str
    is_warning: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Everything at one instant."""

    builds: tuple[Build, ...] = ()
    """In the order of the example files."""
    attempts: tuple[Attempt, ...] = ()
    """Newest first."""
    notices: tuple[Notice, ...] = ()
    """Oldest first."""

    def build(self, name: str) -> Build | None:
        """Return the build of a name."""
        return next((build for build in self.builds if build.name == name), None)


def observe(text: str, order: Sequence[str]) -> Observation:
    """Read what `kubectl get KINDS -o json` printed; order is that of the builds, by name."""
    items: dict[str, list[Mapping[str, Any]]] = {"PeriodicBuild": [], "AppServer": [], "Event": []}
    for item in json.loads(text)["items"]:
        items[item["kind"]].append(item)
    builds = [_build(item) for item in items["PeriodicBuild"]]
    attempts = [_attempt(item) for item in items["AppServer"] if item["spec"].get("run")]
    notices = [_notice(item) for item in items["Event"] if item.get("reportingController") == REPORTER]
    return Observation(
        builds=tuple(sorted((each for each in builds if each.name in order), key=lambda each: order.index(each.name))),
        attempts=tuple(sorted(attempts, key=lambda each: (each.created_at, each.name), reverse=True)),
        notices=tuple(sorted(notices, key=lambda each: (each.at, each.key))),
    )


def instant(text: str | None) -> datetime | None:
    """Read an instant as the API writes it."""
    return None if text is None else datetime.fromisoformat(text)


def _build(item: Mapping[str, Any]) -> Build:
    spec, status = item["spec"], item.get("status", {})
    schedule = status.get("schedule", {})
    return Build(
        name=item["metadata"]["name"],
        enabled=bool(spec.get("enabled")),
        schedule=schedule.get("text", ""),
        attempts=1 + spec.get("retries", {}).get("limit", 0),
        next_slot=instant(schedule.get("nextSlotTime")),
        anchor_at=instant(schedule.get("anchorTime")),
        slots=Slots(**status.get("slots", {})),
        waits_for=status.get("waiting", {}).get("reason", ""),
        runs=tuple(map(_run, status.get("runs", ()))),
        ledger=tuple(_fates(status.get("ledger", ()))),
        handled_token=status.get("manual", {}).get("token", ""),
    )


def _run(run: Mapping[str, Any]) -> Run:
    return Run(id=run["id"], attempt=run["attempt"], next_attempt_at=instant(run.get("nextAttemptTime")))


def _fates(entries: Sequence[Mapping[str, Any]]) -> Iterator[Fate]:
    for entry in entries:
        yield Fate(
            slot=datetime.fromisoformat(entry["slotTime"]),
            decision=entry["decision"],
            reason=entry["reason"],
            run=entry.get("run", ""),
            outcome=entry.get("outcome", ""),
            outcome_reason=entry.get("outcomeReason", ""),
            count=entry.get("count", 1),
        )


def _attempt(item: Mapping[str, Any]) -> Attempt:
    spec, status = item["spec"], item.get("status", {})
    conditions = status.get("conditions", ())
    succeeded: Mapping[str, Any] = next((one for one in conditions if one["type"] == "Succeeded"), {})
    return Attempt(
        name=item["metadata"]["name"],
        build=spec["periodicBuildRef"]["name"],
        trigger=spec["trigger"],
        run=spec["run"],
        number=spec["attempt"],
        state=succeeded.get("reason", "New"),
        created_at=datetime.fromisoformat(item["metadata"]["creationTimestamp"]),
        why=succeeded.get("message", ""),
        failure=_failure(status.get("result", {})),
    )


def _failure(result: Mapping[str, Any]) -> str:
    parts = [result.get("failureClass"), result.get("reason")]
    if "exitCode" in result:
        parts.append(f"exit code {result['exitCode']}")
    return ", ".join(part for part in parts if part)


def _notice(item: Mapping[str, Any]) -> Notice:
    return Notice(
        key=item["metadata"]["name"],
        at=datetime.fromisoformat(item["eventTime"]),
        reason=item["reason"],
        about=item["regarding"]["name"],
        note=item["note"],
        is_warning=item["type"] == "Warning",
    )
