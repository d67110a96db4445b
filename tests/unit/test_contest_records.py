"""What the contest reads: the objects of a watch, and the records of slots without a child."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from tests.bench.cron_jobs import times_told
from tests.builders import an_entry
from tests.builders.looks import a_status
from tests.contest.contestants import Seen
from tests.contest.periodic_builds import speaks_of

from periodicbuild.core.reasons import Blocker, Fate
from periodicbuild.core.status import Waiting

SLOT = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
OWNED = {"name": "child", "namespace": "contest-0", "uid": "1", "ownerReferences": [{"name": "build-00001"}]}
OBJECTS: dict[str, dict[str, Any]] = {
    "Job": {
        "metadata": OWNED
        | {"annotations": {"batch.kubernetes.io/cronjob-scheduled-timestamp": "2026-12-01T11:00:00+01:00"}},
        "spec": {"completions": 1},
    },
    "AppServer": {"metadata": OWNED, "spec": {"slotTime": "2026-12-01T10:00:00Z", "attempt": 1}},
    "pod": {
        "metadata": {
            "name": "child",
            "namespace": "contest-0",
            "uid": "1",
            "labels": {"periodicbuild.dev/periodic-build": "build-00001"},
            "annotations": {"periodicbuild.dev/slot": "2026-12-01T10:00:00Z"},
            "ownerReferences": [{"name": "child"}],
        },
        "spec": {"containers": []},
    },
}


@pytest.mark.parametrize("item", OBJECTS.values(), ids=OBJECTS)
def test_each_child_tells_its_slot_and_its_schedule(item: dict[str, Any]) -> None:
    seen = msgspec.json.decode(msgspec.json.encode(item), type=Seen)

    assert (seen.slot, seen.schedule) == (SLOT, "build-00001")


def test_an_object_that_was_made_for_no_slot_tells_none() -> None:
    stray = {"metadata": {"name": "pod", "namespace": "contest-0", "uid": "1"}}

    assert msgspec.json.decode(msgspec.json.encode(stray), type=Seen).slot is None


def test_a_ledger_speaks_of_what_it_says_was_not_started() -> None:
    missed = an_entry(slot=SLOT, fate=Fate.OPERATOR_DOWN)

    assert speaks_of(a_status(ledger=[missed]), SLOT)


def test_a_ledger_that_says_started_explains_no_missing_child() -> None:
    assert not speaks_of(a_status(ledger=[an_entry(slot=SLOT)]), SLOT)


def test_the_slot_that_waits_is_spoken_of() -> None:
    waiting = Waiting(slot=SLOT, reason=Blocker.BUILD_IN_PROGRESS, since_at=SLOT)

    assert speaks_of(a_status(waiting=waiting), SLOT)
    assert not speaks_of(a_status(waiting=waiting), SLOT.replace(minute=1))


@pytest.mark.parametrize(
    ("event", "times"),
    [({"count": 3}, 3), ({"count": None, "series": {"count": 4}}, 4), ({"series": None}, 1), ({}, 1)],
)
def test_an_event_counts_as_often_as_it_was_repeated(event: dict[str, Any], times: int) -> None:
    assert times_told(event) == times
