"""Central control of what starts, on a real API server: gates close, open, expire, go and are overridden (R32-R35).

The one idea a newcomer would miss: gates are of the whole cluster, which other tests use, too.  So each is about the
namespace of its test and nothing else, and goes with it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator

import pykube
import pytest
from tests.cluster import lifecycle
from tests.cluster.cluster import Cluster
from tests.cluster.levels import Level
from tests.e2e.gates import Gates, gates_of
from tests.e2e.objects import RUN_NOW, PeriodicBuild
from tests.e2e.stage import Stage, eventually, see
from tests.integration.simulated_specs import MINUTELY, a_build_spec, every, in_seconds, text_of
from tests.integration.test_cli_plugin import plugin_on
from tests.mail.running import RunningMailServer
from tests.operator_process import ROOT, OperatorProcess, install

pytestmark = pytest.mark.simulated_nodes

OVERRIDE = "periodicbuild.dev/override-gate"


@pytest.fixture
def gates(stage: Stage) -> Iterator[Gates]:
    """Give one test its gates."""
    yield from gates_of(stage)


def see_held(build: PeriodicBuild, reason: str, *named: str) -> PeriodicBuild:
    """Wait until a slot is held back, and see that the reason names what it should."""
    see(build, lambda one: one.read("status.waiting.reason") == reason, f"its slot waits: {reason}")
    assert all(name in build.read("status.waiting.message") for name in named), build.read("status.waiting")
    return build


def test_of_two_gates_each_holds_builds_back_and_a_deletion_lets_them_start(stage: Stage, gates: Gates) -> None:
    first, second = gates.apply("a", closed=True), gates.apply("b", closed=True, reason="an audit")
    gates.sees(first, "Open", "False", "Closed")
    gates.sees(second, "Open", "False", "Closed")
    build = see_held(stage.create("held", a_build_spec()), "GateClosed", first, "me", "database upgrade")
    eventually(lambda: gates.read(first)["heldBack"] == 1, "the gate counts what it holds back")

    gates.delete(first)
    see(build, lambda one: second in one.read("status.waiting.message"), "the other one is named", within_seconds=90)
    assert stage.app_servers(build) == []

    gates.delete(second)
    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "it has started")


def test_a_gate_that_is_opened_lets_what_waited_start(stage: Stage, gates: Gates) -> None:
    full = gates.apply("switch", closed=True)
    gates.sees(full, "Safe", "True", "NothingInProgress")
    build = see_held(stage.create("waits", a_build_spec()), "GateClosed", full)

    gates.apply("switch", closed=False)

    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "it has started")
    gates.sees(full, "Open", "True", "Open")
    eventually(lambda: gates.read(full)["heldBack"] == 0, "nothing is held back any more")


def test_ahead_of_a_window_only_what_ends_before_it_starts(stage: Stage, gates: Gates) -> None:
    begin, end = in_seconds(600), in_seconds(1_200)
    window = {"name": "upgrade", "once": {"startTime": text_of(begin), "endTime": text_of(end)}}
    full = gates.apply("ahead", windows=[window], margin="1m")
    gates.sees(full, "Open", "True", "Open")
    assert gates.read(full)["nextWindow"] == {
        "name": "upgrade",
        "startTime": text_of(begin),
        "endTime": text_of(end),
    }

    long = stage.create("long", a_build_spec(estimatedDuration="1h"))
    short = stage.create("short", a_build_spec(estimatedDuration="2m"))

    see_held(long, "RolloutImminent", full, text_of(begin), "1h, with a margin of 1m")
    see(short, lambda one: one.fates == ["Started/Due: Succeeded"], "the short one has started")


def test_a_window_begins_and_ends_by_itself(stage: Stage, gates: Gates) -> None:
    begin, end = in_seconds(10), in_seconds(25)
    window = {"name": "short", "once": {"startTime": text_of(begin), "endTime": text_of(end)}}
    full = gates.apply("window", windows=[window])
    build = see_held(stage.create("window", a_build_spec(estimatedDuration="1h")), "RolloutImminent", full)

    gates.sees(full, "Open", "False", "InWindow")
    gates.sees(full, "Open", "True", "Open")
    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "it starts when the window is over")
    assert build.instant("status.lastScheduled.startTime") >= end


def test_it_is_safe_when_the_last_running_build_has_ended_and_not_before(stage: Stage, gates: Gates) -> None:
    build = stage.create("running", a_build_spec("25s"))
    see(build, lambda one: one.runs, "it is being built")
    full = gates.apply("safe", closed=True)
    gates.sees(full, "Safe", "False", "BuildsInProgress")
    (blocking,) = gates.read(full)["blockingBuilds"]
    assert (blocking["namespace"], blocking["name"]) == (build.namespace, build.name)

    stage.cluster.kubectl("wait", "--for=condition=Safe", f"bgate/{full}", "--timeout=60s")

    build.reload()
    assert build.fates == ["Started/Due: Succeeded"]
    assert build.runs == []


def test_right_after_closing_nobody_is_answered_by_an_older_closing(stage: Stage, gates: Gates) -> None:
    """R34: each condition carries the generation that it was judged by."""
    full = gates.apply("again", closed=True)
    stage.cluster.kubectl("wait", "--for=condition=Safe", f"bgate/{full}", "--timeout=60s")
    gates.apply("again", closed=False)
    build = stage.create("meanwhile", a_build_spec("12s"))
    see(build, lambda one: one.runs, "it is being built")
    gates.apply("again", closed=True)

    stage.cluster.kubectl("wait", "--for=condition=Safe", f"bgate/{full}", "--timeout=60s")

    build.reload()
    assert build.fates == ["Started/Due: Succeeded"]


def test_a_window_in_an_unknown_zone_is_closed_and_said_to_be_wrong(stage: Stage, gates: Gates) -> None:
    recurring = {"cron": "0 22 * * 5", "duration": "8h", "timeZone": "Atlantis/Capital"}
    full = gates.apply("zone", windows=[{"name": "freeze", "recurring": recurring}])
    gates.sees(full, "Valid", "False", "InvalidWindow")
    see_held(stage.create("zone", a_build_spec()), "GateClosed", full, "freeze, which cannot be understood")


def test_a_selector_decides_by_labels_and_one_that_matches_nothing_is_warned_about(stage: Stage, gates: Gates) -> None:
    scope = {"namespaces": [stage.namespace], "selector": {"matchLabels": {"tier": "prod"}}}
    full = gates.apply("labels", closed=True, scope=scope)
    gates.sees(full, "Valid", "True", "NothingInScope")

    free = stage.create("free", a_build_spec(), labels={"tier": "test"})
    held = stage.create("held", a_build_spec(), labels={"tier": "prod"})

    see_held(held, "GateClosed", full)
    see(free, lambda one: one.fates == ["Started/Due: Succeeded"], "the other one has started")
    gates.sees(full, "Valid", "True", "Accepted")


def test_a_gate_expires_by_itself_and_says_so(stage: Stage, gates: Gates) -> None:
    past = gates.apply("past", closed=True, expireTime="2020-01-01T00:00:00Z")
    gates.sees(past, "Open", "True", "Expired")
    full = gates.apply("soon", closed=True, expireTime=text_of(in_seconds(15)))
    build = see_held(stage.create("expires", a_build_spec()), "GateClosed", full)

    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "it has started")
    gates.sees(full, "Open", "True", "Expired")


def test_an_annotation_overrides_a_gate_and_the_ledger_says_so(stage: Stage, gates: Gates) -> None:
    full = gates.apply("override", closed=True)
    build = see_held(stage.create("urgent", a_build_spec()), "GateClosed", full)

    build.patch({"metadata": {"annotations": {OVERRIDE: full}}})

    see(build, lambda one: one.fates == ["Started/GateOverridden: Succeeded"], "it has started")
    assert build.read("status.ledger")[0]["message"] == f"in spite of gate {full}"
    (server,) = stage.app_servers(build)
    assert server.read("metadata.annotations") == {"periodicbuild.dev/overridden-gate": full}


def test_the_mail_of_a_failure_names_the_gate_that_was_overridden_and_the_one_that_holds_the_next_slot_back(
    stage: Stage, gates: Gates, mail: RunningMailServer
) -> None:
    full = gates.apply("mailed", closed=True)
    spec = a_build_spec("8s", exit_code=1, schedule=every("3s"), notifications={"email": {"to": ["ops@example.com"]}})
    build = stage.create("fails", spec, annotations={OVERRIDE: full})
    see(build, lambda one: one.fates == ["Started/GateOverridden"], "it has started")

    build.patch({"metadata": {"annotations": {OVERRIDE: None}}})

    (letter, *_) = mail.wait_for(1, stage.namespace, "fails")
    body = letter.get_body(("plain",))
    assert body is not None
    text = " ".join(body.get_content().split())
    assert f"Started in spite of gate {full}" in text
    assert f"GateClosed: gate {full} (me: database upgrade) is closed" in text


def test_a_run_by_hand_waits_for_gates(stage: Stage, gates: Gates) -> None:
    full = gates.apply("manual", closed=True)
    build = stage.create("by-hand", a_build_spec(enabled=False), annotations={RUN_NOW: "please"})
    eventually(lambda: len(stage.app_servers(build)) == 1, "it is recorded")
    eventually(lambda: gates.read(full)["heldBack"] == 1, "the gate counts it")
    assert stage.pods(build) == []
    (server,) = stage.app_servers(build)
    see(server, lambda one: full in one.condition("Succeeded").message, "it says which gate it waits for")

    gates.delete(full)

    stage.attempt(build, 1, "Completed")


def test_slots_that_fall_due_meanwhile_are_skipped_and_only_the_newest_starts(stage: Stage, gates: Gates) -> None:
    full = gates.apply("minutes", closed=True)
    build = stage.create("minutely", a_build_spec(schedule=MINUTELY))
    see(build, lambda one: one.fates == ["Skipped/GateClosed"], "a slot gave way to the next", within_seconds=200)
    waiting, closed = build.read("status.waiting.slotTime"), build.read("status.ledger")[0]
    assert closed["message"] == f"gate {full} (me: database upgrade) is closed"
    gates.delete(full)
    see(build, lambda one: "Started/Due: Succeeded" in one.fates, "the newest one has started")
    assert build.read("status.lastScheduled.slotTime") == waiting
    assert "SlotSkipped" in stage.events(build)
    why = plugin_on(stage).here("why", build.name, "--at", closed["slotTime"])
    assert f"it was skipped (GateClosed: gate {full} (me: database upgrade) is closed)" in " ".join(why.out.split())


def test_a_person_is_told_which_gate_it_is(stage: Stage, gates: Gates) -> None:
    full = gates.apply("asked", closed=True)
    build = see_held(stage.create("asked", a_build_spec()), "GateClosed", full)
    answer = plugin_on(stage).here("why", build.name)
    assert f"waits: GateClosed: gate {full} (me: database upgrade) is closed" in answer.out
    checks = plugin_on(stage).document("why", build.name)["waiting"]["checks"]
    assert [one["check"] for one in checks if one["blocks"]] == ["gate"]


@pytest.fixture(scope="module")
def without_gates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, OperatorProcess]]:
    """Give a cluster that does not know BuildGates, and an operator on it."""
    name = f"test-{os.getpid()}-without-gates"
    wish = lifecycle.Wish(name=name, level=Level.CONTROL_PLANE, ends_with_this_process=True)
    try:
        cluster = lifecycle.up(wish)
        install(cluster)
        cluster.kubectl("delete", "crd/buildgates.periodicbuild.dev")
        log = tmp_path_factory.mktemp("without-gates") / "operator.log"
        operator = OperatorProcess.of(cluster, log).start()
        try:
            yield cluster, operator
        finally:
            operator.stop()
    finally:
        lifecycle.down(name)


def test_the_operator_works_without_the_kind_and_takes_it_up_when_it_appears(
    without_gates: tuple[Cluster, OperatorProcess],
) -> None:
    """R35."""
    cluster, operator = without_gates
    api = pykube.HTTPClient(pykube.KubeConfig.from_file(str(cluster.kubeconfig)))
    stage = Stage(cluster, api)
    free = stage.create("free", a_build_spec(schedule=every("24h")))
    see(free, lambda one: one.fates, "it has started")
    said = "this cluster does not know BuildGates: no build is held back"
    assert operator.log.read_text().count(said) == 1

    cluster.kubectl("apply", f"--filename={ROOT / 'crds' / 'buildgates.yaml'}")
    cluster.kubectl("wait", "--for=condition=Established", "crd/buildgates.periodicbuild.dev", "--timeout=60s")
    gates = Gates(stage)
    full = gates.apply("late", closed=True)

    gates.sees(full, "Open", "False", "Closed")
    see_held(stage.create("held", a_build_spec()), "GateClosed", full)
    assert operator.log.read_text().count(said) == 1
    api.session.close()


def test_a_person_closes_waits_and_opens_by_the_plug_in(stage: Stage, gates: Gates) -> None:
    """The whole of a rollout: look ahead, close, wait until it is safe, open."""
    plugin = plugin_on(stage)
    full = gates.apply("plug-in")
    running = stage.create("running", a_build_spec("40s"))
    see(running, lambda one: one.runs, "it is being built")

    before = gates.generation(full)
    ahead = plugin("gate", "close", full, "--dry-run", "--hours=48", "-o", "json")
    assert gates.generation(full) == before
    assert [one["name"] for one in json.loads(ahead.out) if one["namespace"] == stage.namespace] == ["running"]
    closed = plugin("gate", "close", full, "--reason", "an upgrade", "--until", "+2h")
    assert (closed.code, closed.out) == (0, f"buildgate.periodicbuild.dev/{full} closed\n")
    assert plugin("safe", full).code == 1
    safe = plugin("safe", full, "--wait", "--timeout", "3m")
    assert (safe.code, safe.out.startswith(f"Safe: gate {full}: ")) == (0, True)
    assert "running" in safe.err

    held = see_held(stage.create("held", a_build_spec()), "GateClosed", full, "an upgrade", "closed-by-hand until")
    line = plugin("gate", "list", full).out.splitlines()[1]
    assert "closed by closed-by-hand" in line
    shown = json.loads(plugin("gate", "list", full, "--dry-run", "-o", "json").out)
    assert held.name in {one["name"] for one in shown}

    opened = plugin("gate", "open", full)
    assert (opened.code, opened.out) == (0, f"buildgate.periodicbuild.dev/{full} opened\n")
    see(held, lambda one: one.fates == ["Started/Due: Succeeded"], "it has started")


def test_the_plug_in_makes_a_gate_and_names_what_is_not_there(stage: Stage, gates: Gates) -> None:
    plugin = plugin_on(stage)
    full = gates.apply("made")
    gates.delete(full)
    missing = plugin("gate", "close", full)
    assert (missing.code, "add --reason to make one" in missing.err) == (2, True)
    assert plugin("safe", full).code == 1
    made = plugin("gate", "close", full, "--reason", "a test", "--owner", "me", "--until", "+1m", "-o", "name")
    assert (made.code, made.out) == (0, f"buildgate.periodicbuild.dev/{full}\n")
    near = plugin("gate", "open", f"{full}x")
    assert (near.code, f"did you mean {full}?" in near.err) == (1, True)
    gates.sees(full, "Open", "False", "InWindow")


def test_a_gate_that_stays_closed_by_a_window_says_so_when_it_is_opened(stage: Stage, gates: Gates) -> None:
    window = {"name": "upgrade", "once": {"startTime": text_of(in_seconds(-60)), "endTime": text_of(in_seconds(600))}}
    full = gates.apply("stays", windows=[window])
    answer = plugin_on(stage)("gate", "open", full)
    assert (answer.code, "it stays closed by window upgrade until " in answer.err) == (1, True)
