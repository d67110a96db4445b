"""Gates arrive, and wake whom they concern; what cannot be read is told, and obeyed as the operator was told."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.builders import a_build, an_app_server, by_hand
from tests.builders.gates import CLOSED, GATE_KEY, a_gate, a_label, forbidden, newer
from tests.builders.looks import REQUEST
from tests.builders.store import BUILD_KEY, NOON, stored
from tests.loopback import eventually, json_answer, talking_to

from periodicbuild.core.gates import Gates
from periodicbuild.core.plans import Wake
from periodicbuild.core.reasons import State
from periodicbuild.core.scopes import Operator
from periodicbuild.kube.errors import NotFoundError, TransientKubeError
from periodicbuild.wiring.clock import Clock
from periodicbuild.wiring.gate_store import GateStore, Unreadable
from periodicbuild.wiring.gate_watch import GateWatch
from periodicbuild.wiring.keys import Key
from periodicbuild.wiring.store import Store
from periodicbuild.wiring.wakeups import WakeUps

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from periodicbuild.core.gates import Gate

OTHER_KEY = Key("PeriodicBuild", "team-b", "weekly")
BUILDS = (a_build(labels={"tier": "prod"}), a_build(name="weekly", namespace="team-b"))
SERVERS = (
    an_app_server(BUILDS[0], token=REQUEST, state=State.NEW),
    by_hand(BUILDS[0]),
    an_app_server(BUILDS[0], state=State.CONFIGURING_SERVER),
)
ASKED_KEY, BY_HAND_KEY = (Key("AppServer", "team-a", server.ref.name) for server in SERVERS[:2])


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
