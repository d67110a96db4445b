"""Gates arrive, wake whom they concern, and tell what is in their scope: at a bounded cost, and never too soon."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.builders import a_build, a_pod, a_run, an_app_server, by_hand
from tests.builders.gates import a_gate, a_label
from tests.builders.looks import REQUEST, a_status, a_wait
from tests.builders.store import NOON
from tests.loopback import eventually, json_answer, talking_to
from tests.looping import looping

from periodicbuild.core.gate_plan import WRITES_EVERY
from periodicbuild.core.gates import Gates
from periodicbuild.core.plans import Wake
from periodicbuild.core.reasons import Blocker, State, Trigger
from periodicbuild.core.scopes import Operator
from periodicbuild.kube.errors import ForbiddenError, NotFoundError, TransientKubeError
from periodicbuild.kube.parse import StoredBuild
from periodicbuild.kube.writer import Writer, WriterSettings
from periodicbuild.wiring.admission import Admission
from periodicbuild.wiring.clock import Clock
from periodicbuild.wiring.gate_looks import GateLooks
from periodicbuild.wiring.gate_store import GateStore, Unreadable
from periodicbuild.wiring.gate_watch import GateWatch
from periodicbuild.wiring.keys import Key
from periodicbuild.wiring.store import Store
from periodicbuild.wiring.wakeups import WakeUps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiohttp import web

    from periodicbuild.core.facts import AppServer, PeriodicBuild, Pod
    from periodicbuild.core.gates import Gate

GATE_KEY = Key("BuildGate", "", "rollout")
BUILD_KEY, OTHER_KEY = Key("PeriodicBuild", "team-a", "nightly"), Key("PeriodicBuild", "team-b", "weekly")
BUILDS = (a_build(labels={"tier": "prod"}), a_build(name="weekly", namespace="team-b"))
SERVERS = (
    an_app_server(BUILDS[0], token=REQUEST, state=State.NEW),
    by_hand(BUILDS[0]),
    an_app_server(BUILDS[0], state=State.CONFIGURING_SERVER),
)
ASKED_KEY, BY_HAND_KEY = (Key("AppServer", "team-a", server.ref.name) for server in SERVERS[:2])
CLOSED = a_gate(closed=True)


def newer(gate: Gate, version: str = "200") -> Gate:
    """Give a newer version of a gate."""
    return replace(gate, resource_version=version)


def stored(build: PeriodicBuild) -> StoredBuild:
    """Give a build as the store keeps it."""
    return StoredBuild(build=build, ledger_json=b"[]")


def a_gate_store(
    *steps: Callable[[GateStore], object], unreadable: Unreadable = Unreadable.OPEN
) -> tuple[GateStore, list[Key]]:
    """Give a store of gates after some steps, and the keys that the last one has asked to look at."""
    keys: list[Key] = []
    store = Store(lambda _: None)
    for build in BUILDS:
        store.put_build(stored(build))
    for server in SERVERS:
        store.put_app_server(server)
    gates = GateStore(unreadable, keys.append, store)
    for step in steps:
        keys.clear()
        step(gates)
    return gates, sorted(set(keys))


def forbidden() -> ForbiddenError:
    return ForbiddenError(verb="watch", ref="buildgates", status=403, message="no right to list buildgates")


def unknown_kind() -> NotFoundError:
    return NotFoundError(verb="watch", ref="buildgates", status=404, message="404 page not found")


NIGHTLY = [BUILD_KEY, ASKED_KEY, BY_HAND_KEY]
"""What a gate about it wakes: what is being built asks no gate."""
BUILDING = [*NIGHTLY, OTHER_KEY]
EVERYTHING = [GATE_KEY, *BUILDING]
WOKEN = {
    "a gate appears": ([lambda gates: gates.put(CLOSED)], EVERYTHING),
    "a gate with a scope": ([lambda gates: gates.put(a_gate(namespaces=["team-b"]))], [GATE_KEY, OTHER_KEY]),
    "a gate with a selector": (
        [lambda gates: gates.put(a_gate(requirements=[a_label("tier", Operator.IN, "prod")]))],
        [GATE_KEY, *NIGHTLY],
    ),
    "its scope moves": (
        [
            lambda gates: gates.put(a_gate(namespaces=["team-a"])),
            lambda gates: gates.put(newer(a_gate(namespaces=["team-b"]))),
        ],
        EVERYTHING,
    ),
    "only its status changes": ([lambda gates: gates.put(CLOSED), lambda gates: gates.put(newer(CLOSED))], [GATE_KEY]),
    "an older version comes late": (
        [lambda gates: gates.put(newer(CLOSED)), lambda gates: gates.put(replace(a_gate(), resource_version="150"))],
        [],
    ),
    "it goes": ([lambda gates: gates.put(CLOSED), lambda gates: gates.remove(CLOSED)], EVERYTHING),
    "an answer comes after the deletion": (
        [
            lambda gates: gates.put(CLOSED),
            lambda gates: gates.remove(CLOSED),
            lambda gates: gates.put(newer(CLOSED)),
        ],
        [],
    ),
    "another of its name went": (
        [
            lambda gates: gates.put(CLOSED),
            lambda gates: gates.remove(replace(CLOSED, ref=replace(CLOSED.ref, uid="old"))),
        ],
        [],
    ),
    "it cannot be understood, so nobody knows whom it is about": (
        [lambda gates: gates.put(CLOSED), lambda gates: gates.put(a_gate("odd", problem="spec.scope: no object"))],
        [*EVERYTHING, Key("BuildGate", "", "odd")],
    ),
}


@pytest.mark.parametrize(("steps", "keys"), WOKEN.values(), ids=list(WOKEN))
def test_a_change_wakes_those_in_its_scope(steps: list[Callable[[GateStore], None]], keys: list[Key]) -> None:
    assert a_gate_store(*steps)[1] == sorted(keys)


def test_looks_know_gates_by_name() -> None:
    gates, _ = a_gate_store(lambda gates: gates.put(a_gate("b")), lambda gates: gates.put(a_gate("a")))
    assert [gate.ref.name for gate in gates.facts().known] == ["a", "b"]


def test_a_cluster_without_the_kind_has_no_gates_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    """R35."""
    for unreadable in Unreadable:
        caplog.clear()
        gates, _ = a_gate_store(
            lambda gates: gates.refused(unknown_kind()),
            lambda gates: gates.refused(unknown_kind()),
            unreadable=unreadable,
        )
        assert (gates.facts(), gates.has_word) == (Gates(), True)
        assert [record.message for record in caplog.records] == [
            "this cluster does not know BuildGates: no build is held back (kubectl apply -f crds/)"
        ]


def test_when_the_kind_goes_its_gates_go() -> None:
    gates, keys = a_gate_store(lambda gates: gates.put(CLOSED), lambda gates: gates.refused(unknown_kind()))
    assert gates.facts() == Gates()
    assert BUILD_KEY in keys


@pytest.mark.parametrize("back", [CLOSED, newer(CLOSED)], ids=["as it was", "changed meanwhile"])
def test_when_the_kind_is_back_its_gates_are_obeyed_again(back: Gate) -> None:
    """A version that is not served for a while, or the error page of a proxy, deletes nothing."""
    gates, _ = a_gate_store(
        lambda gates: gates.put(CLOSED),
        lambda gates: gates.refused(unknown_kind()),
        lambda gates: gates.put(back),
        lambda gates: gates.readable(),
    )
    assert gates.facts() == Gates(known=(back,))


def test_gates_that_may_not_be_read_are_open_unless_told_otherwise(caplog: pytest.LogCaptureFixture) -> None:
    """R35."""
    steps = (lambda gates: gates.put(CLOSED), lambda gates: gates.refused(forbidden()))
    opened, keys = a_gate_store(*steps)
    assert opened.facts() == Gates()
    assert keys == sorted(EVERYTHING), "what waited for it may start"
    assert "no build is held back (--gate-unreadable=Open)" in caplog.text
    closed, keys = a_gate_store(*steps, unreadable=Unreadable.CLOSED)
    assert closed.facts() == Gates(problem="no right to list buildgates")
    assert keys == sorted(EVERYTHING)
    assert "every build is held back (--gate-unreadable=Closed)" in caplog.text


def test_when_they_can_be_read_again_everything_is_looked_at_again(caplog: pytest.LogCaptureFixture) -> None:
    steps = (
        lambda gates: gates.put(CLOSED),
        lambda gates: gates.refused(forbidden()),
        lambda gates: gates.readable(),
    )
    for unreadable in Unreadable:
        with caplog.at_level(logging.INFO):
            gates, keys = a_gate_store(*steps, unreadable=unreadable)
        assert gates.facts() == Gates(known=(CLOSED,))
        assert keys == sorted(EVERYTHING)
    assert caplog.records[-1].message == "gates can be read"


def test_a_refusal_of_gates_that_nobody_has_made_wakes_nobody() -> None:
    assert a_gate_store(lambda gates: gates.refused(forbidden()))[1] == []


def test_gates_that_can_be_read_are_nothing_to_speak_of(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        gates, keys = a_gate_store(lambda gates: gates.readable())
    assert (gates.has_word, keys, caplog.records) == (True, [], [])


def test_an_api_server_that_is_away_says_nothing_about_gates() -> None:
    away = TransientKubeError(verb="watch", ref="buildgates", status=503)
    gates, keys = a_gate_store(lambda gates: gates.put(CLOSED), lambda gates: gates.refused(away))
    assert (gates.facts(), gates.has_word, keys) == (Gates(known=(CLOSED,)), False, [])


def test_a_gate_that_cannot_be_understood_is_unreadable_too() -> None:
    steps = (lambda gates: gates.put(a_gate(problem="spec.scope: no object")),)
    assert a_gate_store(*steps)[0].facts().problem is None
    closed, _ = a_gate_store(*steps, unreadable=Unreadable.CLOSED)
    assert closed.facts().problem == "BuildGate rollout, spec.scope: no object"


class Looking:
    """Looks at gates, a store that a test fills, and the statuses that were written."""

    def __init__(self, writer: Writer, unreadable: Unreadable = Unreadable.OPEN) -> None:
        self.keys: list[Key] = []
        self.clock = Clock(wall=lambda: NOON, monotonic=lambda: 1000.0)
        self.wakeups = WakeUps(self.clock, self.keys.append)
        self.store = Store(self.keys.append)
        self.gates = GateStore(unreadable, self.keys.append, self.store)
        self.admission = Admission(per_second=0, max_concurrent=0, enqueue=self.keys.append)
        self.looks = GateLooks(
            gates=self.gates,
            store=self.store,
            admission=self.admission,
            clock=self.clock,
            wakeups=self.wakeups,
            writer=writer,
        )

    def fill(self, builds: Iterable[PeriodicBuild], servers: Iterable[AppServer], pods: Iterable[Pod]) -> None:
        """Let the watches tell."""
        for build in builds:
            self.store.put_build(stored(build))
        for server in servers:
            self.store.put_app_server(server)
        for pod in pods:
            self.store.put_pod(pod)


def status_after_a_look(
    gate: Gate,
    *,
    builds: Iterable[PeriodicBuild] = (),
    servers: Iterable[AppServer] = (),
    pods: Iterable[Pod] = (),
    starting: Iterable[Key] = (),
) -> dict[str, Any]:
    """Look at a gate once, and give the status that is written."""
    bodies: list[dict[str, Any]] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        bodies.append(msgspec.json.decode(await request.read()))
        assert request.path == "/apis/periodicbuild.dev/v1alpha1/buildgates/rollout/status"
        return json_answer({"metadata": {"name": "rollout", "resourceVersion": "101"}, **bodies[-1]})

    async def scenario() -> None:
        async with talking_to(answer) as (_, session), Writer(session, WriterSettings(qps=0)) as writer:
            looking = Looking(writer)
            looking.gates.put(gate)
            looking.fill(builds, servers, pods)
            looking.admission.take_places(starting)
            await looking.looks.look(GATE_KEY)

    asyncio.run(scenario())
    (body,) = bodies
    assert body["metadata"] == {"resourceVersion": "100", "uid": "uid-rollout"}
    status: dict[str, Any] = body["status"]
    return status


def reasons(status: dict[str, Any]) -> list[str]:
    """Give the reasons of its conditions."""
    return [condition["reason"] for condition in status["conditions"]]


ATTEMPT = an_app_server(a_build(), state=State.CONFIGURING_SERVER)
IN_A_RUN = a_build(status=replace(a_status(runs=[a_run(ATTEMPT)])))
BETWEEN = a_build(status=a_status(runs=[a_run(ATTEMPT, next_attempt="2026-11-24T13:00:00")]))
WAITING = a_build(status=a_status(waiting=a_wait(reason=Blocker.GATE_CLOSED)))
NEW = an_app_server(a_build(), state=State.NEW)
ASKED = an_app_server(a_build(), state=State.NEW, token=REQUEST)
ORPHAN = replace(ATTEMPT, controller_uid=None)
"""Its PeriodicBuild was deleted with `--cascade=orphan`."""

BUSY = {
    "nothing": ([a_build()], [], [], [], []),
    "a run in progress": ([IN_A_RUN], [ATTEMPT], [], [], [ATTEMPT.ref.name]),
    "a run that will be tried again": ([BETWEEN], [], [], [], [ATTEMPT.ref.name]),
    "an attempt that no status tells of yet": ([a_build()], [ATTEMPT], [], [], [ATTEMPT.ref.name]),
    "a record that was just created": ([a_build()], [NEW], [], [], [NEW.ref.name]),
    "a create on its way": ([a_build()], [], [], [BUILD_KEY], [None]),
    "a run by hand that waits for its turn": ([a_build()], [ASKED], [], [], []),
    "a failed build whose pod is still there": (
        [a_build()],
        [replace(ATTEMPT, status=replace(ATTEMPT.status, state=State.ERROR))],
        [a_pod(ATTEMPT)],
        [],
        [ATTEMPT.ref.name],
    ),
    "a server that is up": (
        [a_build()],
        [replace(ATTEMPT, status=replace(ATTEMPT.status, state=State.RUNNING))],
        [a_pod(ATTEMPT)],
        [],
        [],
    ),
    "a pod that belongs to nobody": ([a_build()], [], [a_pod(ATTEMPT)], [], [None]),
    "a build whose PeriodicBuild is gone": ([a_build(name="weekly")], [ATTEMPT], [], [BUILD_KEY], [ATTEMPT.ref.name]),
    "a pod of which nothing else is left": ([], [], [a_pod(ATTEMPT, is_deleting=True)], [], [None]),
    "one that nothing is left of but a record": ([], [ORPHAN], [], [], []),
    "an orphan": ([], [ORPHAN], [a_pod(ATTEMPT)], [], [ATTEMPT.ref.name]),
    "an orphan that has ended": ([], [ORPHAN], [a_pod(ATTEMPT, phase="Failed")], [], []),
    "an orphan that is up": ([], [ORPHAN], [a_pod(ATTEMPT, is_ready=True)], [], []),
    "an orphan whose PeriodicBuild was made again": ([a_build()], [ORPHAN], [a_pod(ATTEMPT)], [], [ATTEMPT.ref.name]),
    "by name": (
        [IN_A_RUN],
        [ATTEMPT, an_app_server(a_build(name="gone"), state=State.CONFIGURING_SERVER)],
        [],
        [],
        ["gone-20261124-023000-1", ATTEMPT.ref.name],
    ),
}


@pytest.mark.parametrize(("builds", "servers", "pods", "starting", "names"), BUSY.values(), ids=list(BUSY))
def test_a_closed_gate_is_safe_when_nothing_in_its_scope_is_being_built_or_about_to_be(
    builds: list[PeriodicBuild],
    servers: list[AppServer],
    pods: list[Pod],
    starting: list[Key],
    names: list[str | None],
) -> None:
    """R34."""
    status = status_after_a_look(CLOSED, builds=builds, servers=servers, pods=pods, starting=starting)
    assert [one.get("appServer") for one in status["blockingBuilds"] or ()] == names
    assert status["blockingCount"] == len(names)
    assert reasons(status)[2] == ("BuildsInProgress" if names else "NothingInProgress")


PROD = [a_label("tier", Operator.IN, "prod")]
OF_OTHERS = {
    "of another namespace": (a_gate(closed=True, namespaces=["team-b"]), [], 0),
    "of its namespace, when nobody knows its labels any more": (
        a_gate(closed=True, namespaces=["team-a"], requirements=PROD),
        [],
        1,
    ),
    "of other labels than those of the PeriodicBuild that is there": (
        a_gate(closed=True, requirements=PROD),
        [a_build(labels={"tier": "test"})],
        0,
    ),
}


@pytest.mark.parametrize(("gate", "builds", "count"), OF_OTHERS.values(), ids=list(OF_OTHERS))
def test_what_is_being_built_blocks_a_gate(gate: Gate, builds: list[PeriodicBuild], count: int) -> None:
    assert status_after_a_look(gate, builds=builds, servers=[ATTEMPT])["blockingCount"] == count


def test_a_gate_is_looked_at_again_while_something_blocks_it_of_whose_end_no_status_will_tell() -> None:
    async def accept(_: web.BaseRequest) -> web.StreamResponse:
        return json_answer({"metadata": {"name": "rollout", "resourceVersion": "101"}})

    async def scenario(builds: list[PeriodicBuild], servers: list[AppServer]) -> Wake:
        async with talking_to(accept) as (_, session), Writer(session, WriterSettings(qps=0)) as writer:
            looking = Looking(writer)
            looking.gates.put(CLOSED)
            looking.fill(builds, servers, [a_pod(ATTEMPT)])
            await looking.looks.look(GATE_KEY)
            return looking.gates.memory("rollout").wake

    soon = Wake(steady=Clock(wall=lambda: NOON, monotonic=lambda: 1000.0).now().steady + WRITES_EVERY)
    assert asyncio.run(scenario([], [ORPHAN])) == soon
    assert asyncio.run(scenario([a_build()], [ATTEMPT])) == soon
    assert asyncio.run(scenario([IN_A_RUN], [ATTEMPT])) == Wake()


def test_an_estimate_says_when_a_build_should_have_ended() -> None:
    status = status_after_a_look(CLOSED, builds=[IN_A_RUN], servers=[ATTEMPT])
    assert status["blockingBuilds"] == [
        {
            "namespace": "team-a",
            "name": "nightly",
            "appServer": ATTEMPT.ref.name,
            "estimatedEndTime": "2026-11-24T06:00:00Z",
        }
    ]


def test_what_waits_for_it_is_counted() -> None:
    others = a_build(name="free", status=a_status(waiting=a_wait()))
    overriding = a_build(name="overriding", status=WAITING.status, overrides=["rollout"])
    asking = a_build(name="asking")
    asked = an_app_server(asking, state=State.NEW, trigger=Trigger.MANUAL, token=REQUEST)
    builds = [WAITING, others, overriding, asking]
    assert status_after_a_look(CLOSED, builds=builds, servers=[asked])["heldBack"] == 2


def test_a_scope_without_a_build_is_warned_about() -> None:
    assert reasons(status_after_a_look(a_gate(namespaces=["nowhere"]), builds=[a_build()]))[0] == "NothingInScope"


def test_a_look_at_a_gate_that_is_gone_does_nothing() -> None:
    async def refuse(_: web.BaseRequest) -> web.StreamResponse:
        return json_answer({}, 500)

    async def scenario() -> None:
        async with talking_to(refuse) as (server, session), Writer(session, WriterSettings(qps=0)) as writer:
            await Looking(writer).looks.look(GATE_KEY)
            assert server.requests == []

    asyncio.run(scenario())


def test_a_gate_that_is_not_found_when_its_status_is_written_is_obeyed_until_the_watch_tells_that_it_is_gone() -> None:
    """The kind may only not be served for now, or a proxy be in trouble."""

    async def gone(_: web.BaseRequest) -> web.StreamResponse:
        return json_answer({"kind": "Status", "code": 404}, 404)

    async def scenario() -> None:
        async with talking_to(gone) as (_, session), Writer(session, WriterSettings(qps=0)) as writer:
            looking = Looking(writer)
            looking.gates.put(CLOSED)
            await looking.looks.look(GATE_KEY)
            assert looking.gates.facts() == Gates(known=(CLOSED,))
            assert looking.gates.memory("rollout").wake == Wake(steady=looking.clock.now().steady + WRITES_EVERY)

    asyncio.run(scenario())


def test_an_account_that_may_not_write_the_status_of_gates_obeys_them_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Of several operators, each of some namespaces, one at most can tell of a gate."""

    async def refuse(_: web.BaseRequest) -> web.StreamResponse:
        return json_answer({"kind": "Status", "code": 403, "message": "no"}, 403)

    async def scenario() -> None:
        async with talking_to(refuse) as (_, session), Writer(session, WriterSettings(qps=0)) as writer:
            looking = Looking(writer)
            looking.gates.put(CLOSED)
            looking.gates.refused(forbidden())
            await looking.looks.look(GATE_KEY)
            assert len(caplog.records) == 1, "it is said once that gates may not be read; they are not obeyed then"
            looking.gates.readable()
            for _ in range(2):
                looking.gates.memory("rollout").written_at = None
                await looking.looks.look(GATE_KEY)
            assert looking.looks.facts() == Gates(known=(CLOSED,))

    asyncio.run(scenario())
    said = [record.message for record in caplog.records]
    assert said[1:] == ["the status of gates may not be written; they are obeyed"]


def test_nobody_is_told_that_it_is_safe_while_gates_may_not_be_read() -> None:
    """R35: it is written over any version, since newer ones are not known; what is known again is told again."""
    told: list[tuple[str | None, list[str]]] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        body = msgspec.json.decode(await request.read())
        verdicts = [f"{one['type']}={one['status']}/{one['reason']}" for one in body["status"]["conditions"][1:]]
        told.append((body["metadata"].get("resourceVersion"), verdicts))
        metadata = {"name": "rollout", "uid": "uid-rollout", "resourceVersion": f"{300 + len(told)}"}
        return json_answer({"metadata": metadata, "spec": {"closed": True}, "status": body["status"]})

    async def scenario(unreadable: Unreadable) -> None:
        async with talking_to(answer) as (_, session), Writer(session, WriterSettings(qps=0)) as writer:
            looking = Looking(writer, unreadable)
            looking.gates.put(CLOSED)
            for step in (
                looking.gates.readable,
                lambda: looking.gates.refused(forbidden()),
                looking.gates.readable,
            ):
                step()
                looking.gates.memory("rollout").written_at = None
                await looking.looks.look(GATE_KEY)

    closed = ["Open=False/Closed", "Safe=True/NothingInProgress"]
    for unreadable, may_start in ((Unreadable.OPEN, True), (Unreadable.CLOSED, False)):
        told.clear()
        asyncio.run(scenario(unreadable))
        not_read = [f"Open={may_start}/Unreadable", "Safe=False/Unreadable"]
        assert told == [("100", closed), (None, not_read), ("302", closed)]


def test_news_lead_to_one_look_five_seconds_after_the_last() -> None:
    """R34: however much happens in a scope, it costs one look in five seconds."""
    clock = Clock(wall=lambda: NOON, monotonic=lambda: 1000.0)
    asked: list[tuple[Key, Wake]] = []

    class Recording(WakeUps):
        def set(self, key: Key, wake: Wake) -> None:
            asked.append((key, wake))

    gates, _ = a_gate_store(lambda gates: gates.put(CLOSED))
    wakeups = Recording(clock, lambda _: None)
    gates.note_news(wakeups)
    assert asked == [], "its first look is still to come"
    looked_at = clock.now().steady
    gates.memory("rollout").looked_at = looked_at
    gates.memory("rollout").wake = Wake(wall=NOON + timedelta(hours=1))
    for _ in range(1_000):
        gates.note_news(wakeups)
    assert asked == [(GATE_KEY, Wake(wall=NOON + timedelta(hours=1), steady=looked_at + timedelta(seconds=5)))]


def test_the_loop_looks_at_gates() -> None:
    def accept(_: web.BaseRequest) -> web.StreamResponse:
        return json_answer({"metadata": {"name": "rollout", "uid": "uid-rollout", "resourceVersion": "101"}})

    async def scenario() -> None:
        async with looping(accept) as loop:
            loop.gates.put(CLOSED)
            await eventually(lambda: loop.patched("rollout") == 1)

    asyncio.run(scenario())


def test_the_status_of_a_gate_is_written_once_in_five_seconds_however_often_it_is_edited() -> None:
    """R34."""

    def accept(_: web.BaseRequest) -> web.StreamResponse:
        return json_answer({"metadata": {"name": "rollout", "uid": "uid-rollout", "resourceVersion": "101"}})

    async def scenario() -> None:
        async with looping(accept) as loop:
            for number in range(1, 11):
                loop.gates.put(replace(newer(CLOSED, f"{200 + number}"), generation=number))
                await loop.has_looked("BuildGate", number)
                loop.pass_time(0.4)
            assert loop.patched("rollout") == 1
            loop.pass_time(1)
            await loop.has_looked("BuildGate", 11)
            assert loop.patched("rollout") == 2

    asyncio.run(scenario())


def test_gates_are_asked_for_before_anything_starts_and_followed_from_then_on() -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if "watch" in request.query:
            return json_answer({"kind": "Status", "code": 422}, 422)
        items = [{"metadata": {"name": "rollout", "uid": "u", "resourceVersion": "5"}, "spec": {"closed": True}}]
        return json_answer({"metadata": {"resourceVersion": "5"}, "items": items})

    async def scenario() -> None:
        async with talking_to(answer) as (server, session):
            gates = GateStore(Unreadable.OPEN, lambda _: None, Store(lambda _: None))
            watch = GateWatch(session, gates)
            await watch.relist()
            assert server.requests == [], "nothing was listed yet, so nothing is listed anew"
            await watch.ask()
            task = asyncio.create_task(watch.run())
            assert not watch.followed
            await eventually(lambda: gates.has_word and "rollout" in gates.gates)
            assert watch.followed == (watch.watch,)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(scenario())


def test_a_refusal_is_an_answer_too() -> None:
    async def refuse(_: web.BaseRequest) -> web.StreamResponse:
        return json_answer({"kind": "Status", "code": 403, "message": "no"}, 403)

    async def scenario() -> None:
        async with talking_to(refuse) as (_, session):
            gates = GateStore(Unreadable.CLOSED, lambda _: None, Store(lambda _: None))
            await GateWatch(session, gates).ask()
            assert (gates.has_word, gates.problem) == (True, "no")

    asyncio.run(scenario())


def test_what_somebody_has_made_by_hand_waits_too() -> None:
    """Also before the operator has taken it up; it blocks nothing."""
    status = status_after_a_look(CLOSED, builds=[a_build()], servers=[by_hand()])
    assert (status["blockingCount"], status["heldBack"]) == (0, 1)
