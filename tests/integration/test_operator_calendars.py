"""Calendars and cron in a real cluster (R2, R6-R8, R13, R16; design 2.1).

The one idea a newcomer would miss: nothing is due more often than once a minute.  So everything that waits for the
next minute is begun before the first test, side by side, and each test looks at one of them.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from tests.e2e.objects import PeriodicBuild
from tests.e2e.stage import Stage, eventually, see
from tests.integration.simulated_specs import FOR_EVER, a_build_spec, name_of, text_of

pytestmark = pytest.mark.simulated_nodes

KATHMANDU = ZoneInfo("Asia/Kathmandu")
"""A quarter of an hour off all the others."""
A_MINUTE = 90
"""Seconds until the next minute has come, and what it brings is written."""


def cron(expression: str = "* * * * *", **more: Any) -> dict[str, Any]:
    """Give a schedule by cron."""
    return {"cron": {"expression": expression} | more}


@pytest.fixture(scope="module")
def minute() -> datetime:
    """Give the minute that the builds wait for: far enough away to get them ready."""
    return (datetime.now(UTC) + timedelta(seconds=80)).replace(second=0, microsecond=0)


@pytest.fixture(scope="module")
def builds(shared_stage: Stage, minute: datetime) -> dict[str, PeriodicBuild]:
    """Give builds with a slot on that minute; the busy ones are at work by then."""
    at_local_time = f"{minute.astimezone(KATHMANDU):%H:%M}"
    now = {"cron": None, "notBefore": text_of(minute)}
    made = {
        "calendar": {"calendar": {"time": at_local_time, "timeZone": "Asia/Kathmandu"}},
        "cron": {"notBefore": text_of(minute)} | cron(),
        "spread": {"notBefore": text_of(minute)} | cron(spread="20s"),
    }
    builds = {name: shared_stage.create(name, a_build_spec(schedule=schedule)) for name, schedule in made.items()}
    busy: dict[str, dict[str, Any]] = {
        "waits": {},
        "replaces": {"concurrencyPolicy": "Replace"},
        "too-late": {},
    }
    for name, fields in busy.items():
        builds[name] = shared_stage.create(name, a_build_spec(FOR_EVER, **fields))
        see(builds[name], lambda one: one.fates == ["Started/Due"], "the first build is at work")
        late = {"startingDeadline": "3s"} if name == "too-late" else {}
        schedule = now | {"interval": None} | cron(**late)
        builds[name].patch({"spec": {"schedule": schedule}})
    return builds


@pytest.fixture(autouse=True)
def _begun(builds: dict[str, PeriodicBuild]) -> None:
    """Begin what lasts before the first test."""


def test_an_expression_that_never_comes_is_told_of(shared_stage: Stage) -> None:
    build = shared_stage.create("never", a_build_spec(schedule=cron("30 2 31 2 *")))

    see(build, lambda one: one.condition("Scheduled").reason == "NeverDue", "the condition says so")

    assert build.condition("Ready").status == "True"
    assert build.read("status.schedule.nextSlotTime") is None


UNREADABLE: dict[str, tuple[dict[str, Any], str]] = {
    "a zone there is not": (cron(timeZone="Mars/Phobos"), "'Mars/Phobos' is not a time zone of tzdata"),
    "a minute there is not": (cron("61 * * * *"), "the first field (minute) cannot be '61'"),
    "a spread that is too long": (cron(spread="1m"), "1m is not shorter than 1m"),
}


@pytest.mark.parametrize(("schedule", "sentence"), UNREADABLE.values(), ids=list(UNREADABLE))
def test_what_admission_cannot_see_is_told_by_the_operator(
    shared_stage: Stage, schedule: dict[str, Any], sentence: str, request: pytest.FixtureRequest
) -> None:
    name = request.node.callspec.id.replace(" ", "-")[:44]
    build = shared_stage.create(name, a_build_spec(schedule=schedule))

    see(build, lambda one: one.condition("Ready").reason == "InvalidSchedule", "the condition says so")

    assert sentence in build.condition("Ready").message
    assert build.condition("Scheduled").reason == "InvalidSchedule"
    assert build.slots == {}


def test_a_calendar_is_shown_in_words_and_instants(builds: dict[str, PeriodicBuild], minute: datetime) -> None:
    build = builds["calendar"]

    see(build, lambda one: one.read("status.schedule.text"), "it was looked at")

    local = f"{minute.astimezone(KATHMANDU):%H:%M}"
    assert build.read("status.schedule.text") == f"daily {local} Asia/Kathmandu"
    days = [minute + timedelta(days=number) for number in range(3)]
    shown = build.read("status.schedule.upcoming")
    assert shown in ([text_of(day) for day in days], [text_of(day + timedelta(days=1)) for day in days])
    assert build.read("status.schedule.inForce.calendar") == {
        "days": ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"],
        "time": local,
        "timeZone": "Asia/Kathmandu",
    }


def test_a_change_of_the_arm_is_an_edit(builds: dict[str, PeriodicBuild]) -> None:
    """R2: and the build that is at work goes on."""
    build = builds["waits"]

    see(build, lambda one: one.read("status.schedule.epoch") == 2, "the edit is in force")

    assert build.read("status.schedule.text") == "* * * * * Etc/UTC"
    assert build.read("status.schedule.inForce.interval") is None
    assert len(build.read("status.runs")) == 1


@pytest.mark.parametrize("name", ["calendar", "cron"])
def test_a_slot_starts_on_its_minute(
    shared_stage: Stage, builds: dict[str, PeriodicBuild], minute: datetime, name: str
) -> None:
    build = builds[name]
    see(build, lambda one: "Started/Due: Succeeded" in one.fates, "it has run", within_seconds=A_MINUTE)

    names = [server.name for server in shared_stage.app_servers(build)]
    assert name_of(name, minute) in names
    assert build.instant("status.lastScheduled.startTime") - minute < timedelta(seconds=10)


def test_under_forbid_a_slot_waits_for_the_build_at_work(builds: dict[str, PeriodicBuild], minute: datetime) -> None:
    build = see(builds["waits"], lambda one: one.read("status.waiting"), "the slot waits", within_seconds=A_MINUTE)
    assert build.read("status.waiting.reason") == "BuildInProgress"
    assert build.instant("status.waiting.slotTime") >= minute


def test_under_replace_a_slot_ends_the_build_at_work_and_starts(
    shared_stage: Stage, builds: dict[str, PeriodicBuild]
) -> None:
    build = builds["replaces"]

    replaced = ["Started/Due", "Started/Due: Cancelled/Replaced"]
    see(build, lambda one: one.fates[-2:] == replaced, "the new one has taken its place", within_seconds=A_MINUTE)

    first = shared_stage.attempt(build, 1, "Cancelled")
    assert first.read("spec.cancelled") is True
    assert build.condition("LastRunSucceeded").reason == "NoRunYet"
    eventually(lambda: "BuildCancelled" in shared_stage.events(build), "an Event says so")


def test_past_its_deadline_a_slot_is_missed(builds: dict[str, PeriodicBuild]) -> None:
    build = builds["too-late"]

    see(build, lambda one: "Missed/DeadlinePassed" in one.fates, "it has its fate", within_seconds=A_MINUTE)

    assert build.slots["missed"] >= 1


def test_a_spread_start_comes_after_its_slot(builds: dict[str, PeriodicBuild], minute: datetime) -> None:
    """R8: the slot stays where it is, and nobody calls it late."""
    build = builds["spread"]
    digest = hashlib.sha256(f"{build.namespace}/spread".encode()).digest()
    offset = timedelta(seconds=int.from_bytes(digest[:8]) % 20)

    see(build, lambda one: "Started/Due: Succeeded" in one.fates, "it has run", within_seconds=A_MINUTE)

    slot = build.instant("status.lastScheduled.slotTime")
    assert (slot - minute) % timedelta(minutes=1) == timedelta()
    assert offset <= build.instant("status.lastScheduled.startTime") - slot < offset + timedelta(seconds=10)
