"""The law of the boundary: what is rendered is read back as it was, and what is read never raises."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from tests.builders import a_build, an_app_server, at
from tests.builders.gates import a_gate
from tests.builders.strategies import (
    app_server_statuses,
    build_statuses,
    creations,
    gate_statuses,
    json_values,
    schedules,
    texts,
)

from periodicbuild.core.calendars import Calendar
from periodicbuild.core.crons import Cron
from periodicbuild.core.durations import format_duration
from periodicbuild.core.facts import AppServer, AppServerStatus, PeriodicBuild, Starting, TemplateJson
from periodicbuild.core.reasons import Trigger
from periodicbuild.core.schedules import Interval, Schedule
from periodicbuild.core.status import BuildStatus
from periodicbuild.kube.parse import app_server_from_json, gate_from_json, periodic_build_from_json
from periodicbuild.kube.parse_schedule import read_schedule
from periodicbuild.kube.parse_template import shared_template
from periodicbuild.kube.render import (
    render_app_server,
    render_app_server_status_patch,
    render_build_status_patch,
    render_gate_status_patch,
    render_pod,
)
from periodicbuild.kube.render_values import instant_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from periodicbuild.core.gate_status import GateStatus
    from periodicbuild.core.plans import CreateAppServer

NOW = at("2026-11-24T02:30:00")


def merged(stored: Any, patch: Any) -> Any:
    """Apply a JSON merge patch as RFC 7386 says."""
    if not isinstance(patch, dict):
        return patch
    old = stored if isinstance(stored, dict) else {}
    both = {name: merged(old.get(name), patch[name]) if name in patch else old[name] for name in {**old, **patch}}
    return {name: value for name, value in both.items() if patch.get(name, value) is not None}


@given(build_statuses())
def test_a_status_is_read_back_as_it_was_rendered(status: BuildStatus) -> None:
    patch = render_build_status_patch(a_build(), status)
    assert periodic_build_from_json(patch).status == status


@given(build_statuses(), build_statuses())
def test_a_status_replaces_whatever_was_there(old: BuildStatus, new: BuildStatus) -> None:
    stored = merged({}, msgspec.json.decode(render_build_status_patch(a_build(), old)))
    stored = merged(stored, msgspec.json.decode(render_build_status_patch(a_build(), new)))
    assert periodic_build_from_json(msgspec.json.encode(stored)).status == new


@given(gate_statuses, gate_statuses)
def test_a_status_of_a_gate_replaces_whatever_was_there(old: GateStatus, new: GateStatus) -> None:
    stored = merged({}, msgspec.json.decode(render_gate_status_patch(a_gate(), old)))
    assert gate_from_json(msgspec.json.encode(stored)).status == old
    stored = merged(stored, msgspec.json.decode(render_gate_status_patch(a_gate(), new)))
    assert gate_from_json(msgspec.json.encode(stored)).status == new


@given(json_values, json_values)
def test_a_gate_is_read_whatever_it_says(spec: Any, status: Any) -> None:
    gate_from_json(msgspec.json.encode({"metadata": {"name": "rollout"}, "spec": spec, "status": status}))


@given(st.dictionaries(st.sampled_from(["scope", "closed", "windows", "margin", "expireTime"]), json_values))
def test_a_part_of_a_gate_is_read_or_said_to_be_wrong(spec: dict[str, Any]) -> None:
    read = gate_from_json(msgspec.json.encode({"metadata": {"name": "rollout"}, "spec": spec})).spec
    assert read.problem is None or read.problem


@given(app_server_statuses)
def test_a_status_of_an_attempt_is_read_back_as_it_was_rendered(status: AppServerStatus) -> None:
    patch = render_app_server_status_patch(an_app_server(), status, NOW)
    assert app_server_from_json(patch).status == status


@given(app_server_statuses, app_server_statuses)
def test_a_status_of_an_attempt_replaces_whatever_was_there(old: AppServerStatus, new: AppServerStatus) -> None:
    server = an_app_server()
    stored = merged({}, msgspec.json.decode(render_app_server_status_patch(server, old, NOW)))
    stored = merged(stored, msgspec.json.decode(render_app_server_status_patch(server, new, NOW)))
    assert app_server_from_json(msgspec.json.encode(stored)).status == new


@given(creations)
def test_an_app_server_is_read_back_as_it_was_created(create: CreateAppServer) -> None:
    build = a_build()
    server = app_server_from_json(render_app_server(create, build))
    expected = replace(
        an_app_server(build, name=create.name, run=create.run, attempt=create.attempt, trigger=create.trigger),
        ref=server.ref,
        resource_version="",
        created_at=server.created_at,
        slot=create.slot,
        epoch=create.epoch,
        succeed_when=create.succeed_when,
        timeouts=create.timeouts,
        template=create.template,
        token=create.token,
        overridden=create.overridden,
        comparison=create.comparison if create.trigger == Trigger.SCHEDULE else None,
    )
    assert server == expected
    assert (server.ref.namespace, server.ref.name) == (build.ref.namespace, create.name)


@given(schedules.filter(lambda schedule: schedule.timing is not None))
def test_a_schedule_is_read_back_as_it_was_written(schedule: Schedule) -> None:
    not_before = None if schedule.not_before is None else instant_text(schedule.not_before)
    spec = arm_of(schedule) | {"notBefore": not_before}
    read, starting, error = read_schedule(msgspec.json.encode(spec), enabled=schedule.enabled)
    assert (read, starting) == (schedule, Starting())
    assert (error is not None) == ("Mars" in schedule.text())


def arm_of(schedule: Schedule) -> dict[str, Any]:
    """Write a schedule as a person does."""
    match schedule.timing:
        case Interval() as interval:
            every = format_duration(interval.every)
            return {"interval": {"every": every, "afterManualRun": interval.after_manual_run}}
        case Calendar() as calendar:
            days = sorted(calendar.days)
            return {"calendar": {"days": days, "time": f"{calendar.time:%H:%M}", "timeZone": calendar.time_zone}}
        case Cron() as cron:
            return {"cron": {"expression": cron.expression, "timeZone": cron.time_zone}}
    return {}


@given(st.dictionaries(texts, json_values, max_size=3))
def test_a_template_says_the_same_in_its_normal_form_and_equal_ones_are_one_object(template: dict[str, Any]) -> None:
    backwards = dict(reversed(template.items()))
    shared = shared_template(msgspec.json.encode(template))
    assert msgspec.json.decode(shared) == template
    assert shared_template(msgspec.json.encode(backwards)) is shared


STRANGE_INSTANTS = ["9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+14:00", "2026-11-24T02:30:00.5Z", "tomorrow"]
poison = json_values | st.sampled_from(
    [*STRANGE_INSTANTS, [], {}, [{}], {"name": 1}, -1, 2**70, "", "True", "Sideways"]
)


@st.composite
def poisoned(draw: st.DrawFn, healthy: Any) -> Any:
    """Draw an object of which up to three parts, however deep, are something else."""
    whole = {"object": deepcopy(healthy)}
    for _ in range(draw(st.integers(1, 3))):
        parent, key = draw(st.sampled_from(list(places(whole))))
        parent[key] = draw(poison)
    return whole["object"]


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    """List where something else could stand."""
    keys = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, child in keys:
        yield node, key
        yield from places(child)


def healthy_bodies(statuses: st.SearchStrategy[bytes]) -> st.SearchStrategy[dict[str, Any]]:
    return statuses.map(lambda patch: {**msgspec.json.decode(patch), "spec": SPEC})


SPEC = {
    "enabled": True,
    "schedule": {"interval": {"every": "24h", "afterManualRun": "Keep"}, "notBefore": "2026-12-01T00:00:00Z"},
    "retries": {"limit": 1, "delay": "10s", "maxDelay": "10m", "retryOn": ["Build"], "disruptionLimit": 3},
    "timeouts": {"waiting": "1h", "configuring": "1h", "run": "3h"},
    "history": {"successfulLimit": 3, "failedLimit": 1},
    "succeedWhen": "Ready",
    "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "main"}]}},
    "periodicBuildRef": {"name": "nightly"},
    "trigger": "Schedule",
    "attempt": 1,
    "slotTime": "2026-11-24T02:30:00Z",
    "epoch": 1,
}
"""The fields of both kinds."""

build_bodies = healthy_bodies(build_statuses().map(lambda status: render_build_status_patch(a_build(), status)))
app_server_bodies = healthy_bodies(
    app_server_statuses.map(lambda status: render_app_server_status_patch(an_app_server(), status, NOW))
)


@given(build_bodies.flatmap(lambda body: poisoned({"spec": body["spec"], "status": body["status"]})))
def test_no_part_of_a_periodic_build_is_too_strange_for_the_rest_to_be_read(body: Any) -> None:
    stored = {"metadata": {"name": "strange"}, **(body if isinstance(body, dict) else {})}
    build = periodic_build_from_json(msgspec.json.encode(stored))
    assert build.ref.name == "strange"
    once = reread_build(build)
    assert reread_build(once) == once


def reread_build(build: PeriodicBuild) -> PeriodicBuild:
    """Write the status and read it back; words that no definition allows are mended on the way, once."""
    rendered = render_build_status_patch(build, build.status)
    return replace(build, status=periodic_build_from_json(rendered).status)


@given(app_server_bodies.flatmap(lambda body: poisoned({"spec": body["spec"], "status": body["status"]})))
def test_no_part_of_an_app_server_is_too_strange_for_the_rest_to_be_read(body: Any) -> None:
    whole = {"metadata": {"name": "strange"}, **(body if isinstance(body, dict) else {})}
    server = app_server_from_json(msgspec.json.encode(whole))
    assert server.ref.name == "strange"
    once = reread_server(server)
    assert once.state is server.state
    assert reread_server(once) == once
    assert msgspec.json.decode(render_pod(server))["metadata"]["name"] == "strange"


def reread_server(server: AppServer) -> AppServer:
    rendered = render_app_server_status_patch(server, server.status, NOW)
    return replace(server, status=app_server_from_json(rendered).status)


@given(st.binary())
def test_a_template_of_any_bytes_at_all_gives_a_pod_for_the_api_to_refuse(template: bytes) -> None:
    server = replace(an_app_server(), template=TemplateJson(template))
    assert msgspec.json.decode(render_pod(server))["kind"] == "Pod"
