"""What the operator would write, made beforehand by its own planner and renderers, for a client that only sends.

The one idea a newcomer would miss: the planner is a pure function, so what it will say at a slot can be asked for
today.  A comparison with other bodies would compare bodies.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec
from tests.bench.client import Call

from periodicbuild.core.facts import Now
from periodicbuild.core.look import BuildFacts
from periodicbuild.core.names import slot_run_id
from periodicbuild.core.planning import plan_periodic_build
from periodicbuild.core.plans import BuildPlan, CreateAppServer, DryRun
from periodicbuild.core.reasons import Decision, Fate, Outcome
from periodicbuild.core.status import LedgerEntry, Slots
from periodicbuild.kube.kinds import APP_SERVERS, PERIODIC_BUILDS
from periodicbuild.kube.parse import periodic_build_from_json
from periodicbuild.kube.render import render_app_server, render_build_status_patch
from periodicbuild.kube.session import MERGE_PATCH

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from periodicbuild.core.facts import PeriodicBuild
    from periodicbuild.core.status import BuildStatus

FULL_LEDGER = 20
"""Entries: what a PeriodicBuild has after some weeks."""


def create_call(namespace: str, manifest: Mapping[str, Any]) -> Call:
    """Give the request that creates a PeriodicBuild."""
    return Call("POST", PERIODIC_BUILDS.path(namespace=namespace), msgspec.json.encode(manifest))


def first_status_call(answer: bytes, now: datetime, *, has_past: bool = False) -> Call:
    """Give the request with which a first look ends, for the PeriodicBuild in an answer of the API."""
    build = periodic_build_from_json(answer)
    status = _plan(build, now).status
    if status is None:
        raise ValueError(f"a first look at {build.ref.name} has nothing to write")
    status = _with_past(status, now) if has_past else status
    path = PERIODIC_BUILDS.path(namespace=build.ref.namespace, name=build.ref.name, subresource="status")
    return Call("PATCH", path, render_build_status_patch(build, status), MERGE_PATCH)


def start_call(answer: bytes, slot: datetime) -> Call:
    """Give the request that starts what is due at the slot, for the PeriodicBuild in an answer of the API."""
    build = periodic_build_from_json(answer)
    (action,) = _plan(build, slot).first
    if not isinstance(action, CreateAppServer):
        raise TypeError(f"at its slot {build.ref.name} asks for {action}")
    return Call("POST", APP_SERVERS.path(namespace=build.ref.namespace), render_app_server(action, build))


def _plan(build: PeriodicBuild, now: datetime) -> BuildPlan:
    facts = BuildFacts(build=build, dry_run=DryRun(generation=build.generation, refusal=None))
    return plan_periodic_build(facts, Now(wall=now, steady=now))


def _with_past(status: BuildStatus, now: datetime) -> BuildStatus:
    """Fill the ledger with daily builds, every one of them as long as an entry gets."""
    slots = [(now - timedelta(days=days)).replace(microsecond=0) for days in range(1, FULL_LEDGER + 1)]
    entries = tuple(
        LedgerEntry(
            slot=slot,
            epoch=1,
            decision=Decision.STARTED,
            reason=Fate.DUE,
            decided_at=slot,
            run=slot_run_id(slot),
            outcome=Outcome.SUCCEEDED,
        )
        for slot in slots
    )
    schedule = replace(status.schedule, due_at_since=FULL_LEDGER) if status.schedule else None
    slots_so_far = Slots(due=FULL_LEDGER, started=FULL_LEDGER)
    return replace(status, ledger=entries, slots=slots_so_far, schedule=schedule, durations=(300,) * FULL_LEDGER)
