"""What the API server accepts and refuses in a calendar, in cron and beside each other, and what it answers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.schema.installed import install, refusal, refusal_of
from tests.schema.manifests import Manifest, as_list, periodic_build

from periodicbuild.core.crons import CronError, normal_expression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.cluster.cluster import Cluster

    Arm = Callable[..., Manifest]

pytestmark = pytest.mark.control_plane

NIGHTLY: Manifest = {"time": "02:30"}
EVERY_DAY = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


@pytest.fixture(scope="module")
def cluster(control_plane: Cluster) -> Cluster:
    """Give a cluster that has the definitions."""
    install(control_plane)
    return control_plane


def calendar(**fields: object) -> Manifest:
    """Return a PeriodicBuild with a calendar that is good unless the fields make it wrong."""
    return periodic_build(schedule={"calendar": {**NIGHTLY, **fields}})


def cron(expression: object = "30 2 * * 1-5", **fields: object) -> Manifest:
    """Return a PeriodicBuild with cron."""
    return periodic_build(schedule={"cron": {"expression": expression, **fields}})


def stored(cluster: Cluster, manifest: Manifest) -> Manifest:
    """Return the schedule as it would be stored."""
    answer = cluster.kubectl("create", "--dry-run=server", "--filename=-", "--output=json", input=as_list(manifest))
    schedule: Manifest = json.loads(answer)["spec"]["schedule"]
    return schedule


TIME = (
    "must be a time of day from 00:00 to 23:59: write two digits for the hour, from 00 to 23, and two for the minute,"
    " from 00 to 59, like 02:30; midnight is 00:00"
)
NO_DAYS = (
    "must not be empty, since with no day selected it would never be built: list the days, or leave days out for every"
    " day"
)

REFUSED_CALENDARS: dict[str, tuple[Manifest, str]] = {
    "midnight at the end of the day": ({"time": "24:00"}, TIME),
    "a time of single digits": ({"time": "2:3"}, TIME),
    "a time with one digit for the hour": ({"time": "2:30"}, TIME),
    "a minute that no hour has": ({"time": "02:60"}, TIME),
    "a time with seconds": ({"time": "02:30:00"}, TIME),
    "a time with a space": ({"time": "02:30 "}, TIME),
    "a time of twelve hours": ({"time": "02:30 PM"}, TIME),
    "a number, which some tools make of 02:30": ({"time": 150}, 'must be of type string: "integer"'),
    "no time": ({"time": None}, "spec.schedule.calendar.time: Required value"),
    "no day": ({"days": []}, NO_DAYS),
    "a day written out": (
        {"days": ["Monday"]},
        'Unsupported value: "Monday": supported values: "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"',
    ),
    "a day in lower case": ({"days": ["mon"]}, 'Unsupported value: "mon"'),
    "a range of days": ({"days": ["Mon-Fri"]}, 'Unsupported value: "Mon-Fri"'),
    "a day twice": ({"days": ["Mon", "Mon"]}, 'Duplicate value: "Mon"'),
}


@pytest.mark.parametrize(("fields", "sentence"), REFUSED_CALENDARS.values(), ids=REFUSED_CALENDARS)
def test_a_calendar_is_refused_with_the_remedy(cluster: Cluster, fields: Manifest, sentence: str) -> None:
    answer = refusal(cluster, calendar(**fields))

    assert sentence in answer
    assert "spec.schedule.calendar." in answer


@pytest.mark.parametrize("time", ["00:00", "02:30", "09:59", "19:00", "23:59"])
def test_a_time_of_day_is_accepted(cluster: Cluster, time: str) -> None:
    assert refusal(cluster, calendar(time=time)) == ""


@pytest.mark.parametrize("arm", [calendar, cron])
@pytest.mark.parametrize("zone", ["Europe/Berlin ", " Europe/Berlin", "Europe Berlin", "+01:00", "Europe/", "/UTC", ""])
def test_what_does_not_look_like_a_zone_is_refused(cluster: Cluster, arm: Arm, zone: str) -> None:
    assert "must be the name of a time zone, without spaces and not an offset: write it like Europe/Berlin" in refusal(
        cluster, arm(timeZone=zone)
    )


@pytest.mark.parametrize("arm", [calendar, cron])
def test_a_zone_has_at_most_64_characters(cluster: Cluster, arm: Arm) -> None:
    assert "may not be more than 64 bytes" in refusal(cluster, arm(timeZone="E" * 65))


@pytest.mark.parametrize("zone", ["Etc/GMT+10", "America/Argentina/ComodRivadavia", "W-SU", "EST5EDT", "Mars/Olympus"])
def test_whether_a_zone_exists_is_left_to_the_operator(cluster: Cluster, zone: str) -> None:
    assert refusal(cluster, calendar(timeZone=zone)) == ""


@pytest.mark.parametrize("arm", [calendar, cron])
@pytest.mark.parametrize("field", ["startingDeadline", "spread"])
@pytest.mark.parametrize("text", ["0s", "367d", "1 day", "PT1H"])
def test_deadline_and_spread_are_from_1s_to_366d_in_the_notation_of_kubernetes(
    cluster: Cluster, arm: Arm, field: str, text: str
) -> None:
    assert f'{field}: Invalid value: "{text}": must be from 1s to 366d: write weeks' in refusal(
        cluster, arm(**{field: text})
    )


FIVE = "write five (minute, hour, day of month, month, day of week), without seconds and without a year"
NICKNAMES = "@hourly, @daily, @weekly, @monthly, @yearly"

REFUSED_CRONS = {
    " ": f"has no field: {FIVE}",
    "30": f"has one field: {FIVE}",
    "30 2 *": f"has three fields: {FIVE}",
    "30 2 * *": f"has four fields: {FIVE}",
    "0 30 2 * * 1-5": f"has six fields: {FIVE}",
    "0 30 2 * * 1-5 2026": f"has seven fields: {FIVE}",
    "0 30 2 * * 1-5 2026 x": "has more than seven fields: write five (minute, hour, day of month",
    "@reboot": f"@reboot is no time: write five fields (minute, hour, day of month, month, day of week), or one of"
    f" {NICKNAMES}",
    "@midnight": f"has a name that is not known: write one of {NICKNAMES}, alone",
    "@Daily": f"has a name that is not known: write one of {NICKNAMES}, alone",
    "@daily 2": f"has a name that is not known: write one of {NICKNAMES}, alone",
    "@every 24h": "@every is no time: write schedule.interval, like {every: 24h}, instead of schedule.cron",
    "CRON_TZ=Europe/Berlin 30 2 * * *": "has a zone inside: write it into timeZone, beside expression",
    "TZ=UTC 30 2 * * *": "has a zone inside: write it into timeZone, beside expression",
    "CRON_TZ=Europe/Berlin": "has a zone inside: write it into timeZone, beside expression",
    "H 2 * * *": "has an H, which is not known here: write a number, and use spread",
    "H/15 * * * *": "has an H, which is not known here: write a number, and use spread",
    "0,H(1-29) 2 * * *": "has an H, which is not known here: write a number, and use spread",
    "30 2 ? * 1-5": "has a ?, which is not known here: write * where any value will do",
    "30 2 * * 1\u20135": "has characters outside ASCII: write digits, *, lists, ranges and steps",
    "\u0663\u0660 2 * * *": "has characters outside ASCII",
}

ACCEPTED_CRONS = (
    *NICKNAMES.split(", "),
    "30 2 * * 1-5",
    " 30  2 * * 1-5 ",
    "30\t2 * * 1-5\n",
    "*/5 0-6,22 1,15 JAN-MAR mon#1",
    "30 2 L * *",
    "30 2 * mar thu",
    "1," * 59 + "10 * * * *",
)


@pytest.mark.parametrize(("expression", "sentence"), REFUSED_CRONS.items(), ids=lambda value: repr(value)[:20])
def test_cron_is_refused_with_one_sentence_that_names_the_remedy(
    cluster: Cluster, expression: str, sentence: str
) -> None:
    answer = refusal(cluster, cron(expression))

    assert sentence in answer
    assert answer.count("spec.schedule.cron.expression:") == 1


@pytest.mark.parametrize("expression", REFUSED_CRONS, ids=lambda value: repr(value)[:20])
def test_what_admission_refuses_the_operator_could_not_read(expression: str) -> None:
    with pytest.raises(CronError):
        normal_expression(expression)


def test_what_the_operator_can_read_is_admitted(cluster: Cluster) -> None:
    manifests = [cron(text) | {"metadata": {"name": f"n{number}"}} for number, text in enumerate(ACCEPTED_CRONS)]

    assert all(normal_expression(text) for text in ACCEPTED_CRONS)
    assert refusal_of(cluster, "create", "--dry-run=server", "--filename=-", input=as_list(*manifests)) == ""


def test_what_only_a_parser_can_judge_is_left_to_the_operator(cluster: Cluster) -> None:
    assert refusal(cluster, cron("61 2 * * *")) == ""


@pytest.mark.parametrize(
    ("expression", "sentence"), [("", "should be at least 1 chars long"), ("1" * 129, "may not be more than 128 bytes")]
)
def test_cron_has_1_to_128_characters(cluster: Cluster, expression: str, sentence: str) -> None:
    assert sentence in refusal(cluster, cron(expression))


def test_cron_without_an_expression_is_refused(cluster: Cluster) -> None:
    assert "spec.schedule.cron.expression: Required value" in refusal(cluster, cron(None))


def test_days_and_zone_have_defaults_and_nothing_else(cluster: Cluster) -> None:
    assert stored(cluster, calendar()) == {"calendar": {"days": EVERY_DAY, "time": "02:30", "timeZone": "Etc/UTC"}}
    assert stored(cluster, cron()) == {"cron": {"expression": "30 2 * * 1-5", "timeZone": "Etc/UTC"}}


def test_a_schedule_with_every_field_is_stored_as_it_is(cluster: Cluster) -> None:
    late: Manifest = {"timeZone": "Europe/Berlin", "startingDeadline": "6h", "spread": "10m"}
    start: Manifest = {"notBefore": "2026-12-01T00:00:00Z"}

    for arm in (
        {"calendar": {"days": ["Fri", "Mon"], "time": "02:30", **late}},
        {"cron": {"expression": "@daily", **late}},
    ):
        assert stored(cluster, periodic_build(schedule=arm | start)) == arm | start


ONE_ARM = (
    "only one of interval, calendar and cron may be given: remove the others; a merge patch has to set them to null,"
    ' like {"interval": null, "cron": {...}}'
)
ARMS: dict[str, Manifest] = {
    "interval": {"every": "24h"},
    "calendar": NIGHTLY,
    "cron": {"expression": "30 2 * * 1-5"},
}


@pytest.mark.parametrize("left_out", [*ARMS, None])
def test_only_one_kind_of_schedule_may_be_given(cluster: Cluster, left_out: str | None) -> None:
    arms = {name: arm for name, arm in ARMS.items() if name != left_out}

    assert f"spec.schedule: Invalid value: {ONE_ARM}" in refusal(cluster, periodic_build(schedule=arms))


def test_a_zone_stands_only_inside_an_arm(cluster: Cluster) -> None:
    spec = periodic_build(schedule={"timeZone": "Etc/UTC", "interval": ARMS["interval"]})

    assert 'unknown field "spec.schedule.timeZone"' in refusal(cluster, spec)


@pytest.fixture
def build(cluster: Cluster) -> Iterator[str]:
    """Give a PeriodicBuild with an interval, as `kind/name`."""
    cluster.kubectl("apply", "--filename=-", input=as_list(_switched("interval")))
    yield "pb/switched"
    cluster.kubectl("delete", "pb/switched")


def _switched(arm: str) -> Manifest:
    return periodic_build("switched", schedule={arm: ARMS[arm]})


def _arms(cluster: Cluster, build: str) -> list[str]:
    return list(json.loads(cluster.kubectl("get", build, "--output=jsonpath={.spec.schedule}")))


def _patched(cluster: Cluster, build: str, schedule: Manifest) -> str:
    patch = json.dumps({"spec": {"schedule": schedule}})
    return refusal_of(cluster, "patch", build, "--type=merge", f"--patch={patch}")


def test_a_merge_patch_that_leaves_the_old_arm_is_refused_and_told_how(cluster: Cluster, build: str) -> None:
    assert ONE_ARM in _patched(cluster, build, {"calendar": ARMS["calendar"]})
    assert _arms(cluster, build) == ["interval"]


def test_a_merge_patch_that_nulls_the_old_arm_switches(cluster: Cluster, build: str) -> None:
    assert _patched(cluster, build, {"interval": None, "calendar": ARMS["calendar"]}) == ""
    assert _arms(cluster, build) == ["calendar"]

    assert _patched(cluster, build, {"calendar": None, "cron": ARMS["cron"]}) == ""
    assert _arms(cluster, build) == ["cron"]


@pytest.mark.parametrize("side", [["--server-side", "--force-conflicts"], []], ids=["server", "client"])
def test_applying_another_arm_switches(cluster: Cluster, build: str, side: list[str]) -> None:
    cluster.kubectl("apply", *side, "--filename=-", input=as_list(_switched("interval")))

    for arm in ("calendar", "cron", "interval"):
        cluster.kubectl("apply", *side, "--filename=-", input=as_list(_switched(arm)))
        assert _arms(cluster, build) == [arm]
