"""What a look at a gate finds in its scope, and what is written of it: at a bounded cost, and never too soon."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.builders import a_build, a_pod, a_run, an_app_server, by_hand
from tests.builders.gates import CLOSED, GATE_KEY, a_gate, a_label, forbidden, newer
from tests.builders.looks import REQUEST, a_status, a_wait
from tests.builders.store import BUILD_KEY, NOON, stored
from tests.loopback import eventually, json_answer, talking_to
from tests.looping import looping

from periodicbuild.core.gate_plan import WRITES_EVERY
from periodicbuild.core.gates import Gates
from periodicbuild.core.plans import Wake
from periodicbuild.core.reasons import Blocker, State, Trigger
from periodicbuild.core.scopes import Operator
from periodicbuild.kube.writer import Writer, WriterSettings
from periodicbuild.wiring.admission import Admission
from periodicbuild.wiring.clock import Clock
from periodicbuild.wiring.gate_looks import GateLooks
from periodicbuild.wiring.gate_store import GateStore, Unreadable
from periodicbuild.wiring.keys import Key
from periodicbuild.wiring.store import Store
from periodicbuild.wiring.wakeups import WakeUps

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiohttp import web

    from periodicbuild.core.facts import AppServer, PeriodicBuild, Pod
    from periodicbuild.core.gates import Gate


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


def test_what_somebody_has_made_by_hand_waits_too() -> None:
    """Also before the operator has taken it up; it blocks nothing."""
    status = status_after_a_look(CLOSED, builds=[a_build()], servers=[by_hand()])
    assert (status["blockingCount"], status["heldBack"]) == (0, 1)
