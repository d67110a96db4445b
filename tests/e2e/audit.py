"""What must hold after every test, whatever it did: the promises of the ledger (R10, R12), read from outside."""

from __future__ import annotations

import pykube
from tests.e2e.objects import AppServer, PeriodicBuild
from tests.operator_process import OperatorProcess


def audit(api: pykube.HTTPClient, operator: OperatorProcess) -> None:
    """Fail if any PeriodicBuild of the cluster breaks a promise, or the operator itself counts a lost slot."""
    for build in PeriodicBuild.objects(api, namespace=pykube.all):
        assert_equation_holds(build)
        assert_one_fate_per_slot(build)
        assert_one_start_per_slot(api, build)
    assert operator.is_ready()
    assert operator.metric("periodicbuild_unaccounted_slots") == 0


def assert_equation_holds(build: PeriodicBuild) -> None:
    """Every due slot was started, skipped or missed, or it waits."""
    slots = build.read("status.slots")
    if slots is None:
        return
    waiting = 1 if build.read("status.waiting") else 0
    decided = [slots[decision] for decision in ("started", "skipped", "missed")]
    assert slots["due"] == sum(decided) + waiting, (build.name, slots, build.read("status.waiting"))


def assert_one_fate_per_slot(build: PeriodicBuild) -> None:
    """No slot of an epoch stands in the ledger twice."""
    slots = [(entry["epoch"], entry["slotTime"]) for entry in build.read("status.ledger") or ()]
    assert len(slots) == len(set(slots)), (build.name, slots)


def assert_one_start_per_slot(api: pykube.HTTPClient, build: PeriodicBuild) -> None:
    """No slot of an epoch has two first attempts."""
    starts = [
        (one.read("spec.epoch"), one.read("spec.slotTime"))
        for one in AppServer.objects(api, namespace=build.namespace)
        if one.controller_uid == build.uid and one.read("spec.trigger") == "Schedule" and one.read("spec.attempt") == 1
    ]
    assert len(starts) == len(set(starts)), (build.name, starts)
