"""The only way out: what is urgent goes first, never too fast, never too many at once, and it closes in time (R41)."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from tests.loopback import eventually, json_answer, talking_to

from periodicbuild.kube.errors import KubeError, NotLeaderError, TransientKubeError, WriterClosedError
from periodicbuild.kube.session import CONNECTIONS
from periodicbuild.kube.writer import LATER_GIVES_WAY_SECONDS, Priority, Writer, WriteRequest, WriterSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from aiohttp import web

ONE_AT_A_TIME = WriterSettings(qps=0, workers=1)
UNLIMITED = WriterSettings(qps=0)


def a_write(name: str) -> WriteRequest:
    """Give a write that can be told from others by its path."""
    return WriteRequest(method="POST", path=f"/api/v1/namespaces/team-a/{name}", body=b"{}")


class Gate:
    """A server that holds every request until its gate opens."""

    def __init__(self, status: int = 200) -> None:
        self.is_open = asyncio.Event()
        self.arrived: list[str] = []
        self.answered: list[str] = []
        self.inside = 0
        self.most_inside = 0
        self._status = status

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer when the gate is open."""
        name = request.path.rpartition("/")[2]
        self.arrived.append(name)
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        await self.is_open.wait()
        self.inside -= 1
        self.answered.append(name)
        return json_answer({"kind": name}, self._status)


@asynccontextmanager
async def writing(
    gate: Gate, settings: WriterSettings = UNLIMITED, fence: Callable[[], bool] = lambda: True
) -> AsyncIterator[Writer]:
    """Open a writer to a server with a gate."""
    async with talking_to(gate) as (_, session), Writer(session, settings, fence=fence) as writer:
        yield writer


def submit(writer: Writer, priority: Priority, name: str) -> asyncio.Task[bytes]:
    """Submit a write without waiting for it."""
    return asyncio.create_task(writer.submit(priority, a_write(name)))


class FakeClock:
    """The writer's clock, which stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        """Give the time (s)."""
        return self.now


async def lining_up(writer: Writer, gate: Gate, names: Iterable[str]) -> list[asyncio.Task[bytes]]:
    """Put creates and deletions in line, by name, behind a write that the server holds."""
    tasks = [submit(writer, Priority.STATUS, "under-way")]
    await eventually(lambda: gate.arrived == ["under-way"])
    for name in names:
        tasks.append(submit(writer, Priority.CREATE if name == "create" else Priority.LATER, name))
        await queued(writer, len(tasks) - 1)
    return tasks


async def queued(writer: Writer, count: int) -> None:
    """Wait until so many writes wait."""
    await eventually(lambda: writer.depth == count)


def test_what_is_urgent_goes_first_and_within_a_priority_what_came_first() -> None:
    async def scenario() -> list[str]:
        gate = Gate()
        async with writing(gate, ONE_AT_A_TIME) as writer:
            tasks = [submit(writer, Priority.LATER, "under-way")]
            await eventually(lambda: gate.arrived == ["under-way"])
            for priority, name in (
                (Priority.LATER, "event"),
                (Priority.STATUS, "status-1"),
                (Priority.STATUS, "status-2"),
                (Priority.CREATE, "create-1"),
                (Priority.CREATE, "create-2"),
            ):
                tasks.append(submit(writer, priority, name))
                await queued(writer, len(tasks) - 1)
            gate.is_open.set()
            await asyncio.gather(*tasks)
            return gate.arrived[1:]

    assert asyncio.run(scenario()) == ["create-1", "create-2", "status-1", "status-2", "event"]


CREATES_FIRST = ["create"] * 5 + ["delete"] * 3
IN_TURNS = ["delete", "create"] * 3 + ["create"] * 2


@pytest.mark.parametrize(
    ("pressure", "calm", "expected"),
    [
        (LATER_GIVES_WAY_SECONDS - 1, 0, CREATES_FIRST),
        (LATER_GIVES_WAY_SECONDS, 0, IN_TURNS),
        (LATER_GIVES_WAY_SECONDS, LATER_GIVES_WAY_SECONDS, CREATES_FIRST),
    ],
    ids=["still gives way", "has given way, and an instant of calm changes nothing", "a long calm makes up for it"],
)
def test_what_has_given_way_for_minutes_takes_turns_with_what_is_urgent(
    pressure: float, calm: float, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decision 0025: however young the deletions are that stand in line then."""
    clock = FakeClock()
    monkeypatch.setattr("periodicbuild.kube.writer.time", clock)

    async def scenario() -> list[str]:
        gate = Gate()
        async with writing(gate, ONE_AT_A_TIME) as writer:
            first = await lining_up(writer, gate, ["create", "delete"])
            clock.now += pressure
            gate.is_open.set()
            await asyncio.gather(*first)
            clock.now += calm
            gate.is_open.clear()
            gate.arrived.clear()
            rest = await lining_up(writer, gate, ["delete"] * 3 + ["create"] * 5)
            gate.is_open.set()
            await asyncio.gather(*rest)
            return gate.arrived[1:]

    assert asyncio.run(scenario()) == expected


def test_a_create_that_comes_while_a_status_waits_for_its_token_goes_before_it() -> None:
    async def scenario() -> list[str]:
        gate = Gate()
        gate.is_open.set()
        async with writing(gate, WriterSettings(qps=2, burst=1)) as writer:
            await writer.submit(Priority.STATUS, a_write("first"))
            status = submit(writer, Priority.STATUS, "status")
            await queued(writer, 1)
            create = submit(writer, Priority.CREATE, "create")
            await asyncio.gather(status, create)
            return gate.arrived

    assert asyncio.run(scenario()) == ["first", "create", "status"]


async def has_room(writer: Writer) -> bool:
    """Tell whether somebody who asks for room goes on at once."""
    try:
        async with asyncio.timeout(0.05):
            await writer.has_room()
    except TimeoutError:
        return False
    return True


@pytest.mark.parametrize(("waits", "expected"), [(Priority.CREATE, False), (Priority.STATUS, True)])
def test_other_work_waits_for_creates_that_only_the_server_holds_up(waits: Priority, *, expected: bool) -> None:
    async def scenario() -> tuple[bool, bool, bool]:
        gate = Gate()
        async with writing(gate, ONE_AT_A_TIME) as writer:
            before = await has_room(writer)
            tasks = [submit(writer, waits, f"write-{number}") for number in range(3)]
            await queued(writer, 2)
            meanwhile = await has_room(writer)
            gate.is_open.set()
            await asyncio.gather(*tasks)
            return before, meanwhile, await has_room(writer)

    assert asyncio.run(scenario()) == (True, expected, True)


def test_while_the_rate_limit_holds_creates_up_there_is_time_for_other_work() -> None:
    async def scenario() -> bool:
        gate = Gate()
        gate.is_open.set()
        async with writing(gate, WriterSettings(qps=0.1, burst=1)) as writer:
            tasks = [submit(writer, Priority.CREATE, f"create-{number}") for number in range(3)]
            await eventually(lambda: gate.answered == ["create-0"])
            await queued(writer, 2)
            found = await has_room(writer)
            for task in tasks:
                task.cancel()
            return found

    assert asyncio.run(scenario())


def test_creates_that_nobody_waits_for_any_more_hold_up_nothing() -> None:
    async def scenario() -> bool:
        gate = Gate()
        async with writing(gate, ONE_AT_A_TIME) as writer:
            first, *others = [submit(writer, Priority.CREATE, f"create-{number}") for number in range(3)]
            await queued(writer, 2)
            for task in others:
                task.cancel()
            gate.is_open.set()
            await first
            await queued(writer, 0)
            return await has_room(writer)

    assert asyncio.run(scenario())


def test_after_a_burst_no_more_go_out_than_the_rate_allows() -> None:
    async def scenario() -> float:
        gate = Gate()
        gate.is_open.set()
        async with writing(gate, WriterSettings(qps=50, burst=5)) as writer:
            began = time.monotonic()
            await asyncio.gather(*(submit(writer, Priority.CREATE, f"w{n}") for n in range(25)))
            return time.monotonic() - began

    assert asyncio.run(scenario()) >= (25 - 5) / 50


def test_no_more_are_in_flight_than_there_are_connections() -> None:
    async def scenario() -> Gate:
        gate = Gate()
        async with writing(gate) as writer:
            tasks = [submit(writer, Priority.CREATE, f"w{n}") for n in range(3 * CONNECTIONS)]
            await eventually(lambda: gate.inside == CONNECTIONS and writer.in_flight == CONNECTIONS)
            assert writer.depth == 2 * CONNECTIONS
            gate.is_open.set()
            await asyncio.gather(*tasks)
            return gate

    gate = asyncio.run(scenario())
    assert (gate.most_inside, len(gate.answered)) == (CONNECTIONS, 3 * CONNECTIONS)


FAST = WriterSettings(qps=2 * CONNECTIONS, burst=2 * CONNECTIONS)
LINES = [
    (UNLIMITED, CONNECTIONS, False),
    (UNLIMITED, CONNECTIONS + 1, True),
    (FAST, 2 * CONNECTIONS, False),
    (FAST, 2 * CONNECTIONS + 1, True),
]


@pytest.mark.parametrize(("settings", "waiting", "is_pressed"), LINES)
def test_writes_press_if_more_wait_than_may_go_out_in_a_second(
    settings: WriterSettings, waiting: int, *, is_pressed: bool
) -> None:
    """Decision 0026: whatever their urgency."""

    async def scenario() -> bool:
        gate = Gate()
        async with writing(gate, settings) as writer:
            tasks = [submit(writer, Priority.CREATE, f"w{n}") for n in range(CONNECTIONS)]
            await eventually(lambda: gate.inside == CONNECTIONS)
            tasks += [submit(writer, Priority.LATER, f"l{n}") for n in range(waiting)]
            await queued(writer, waiting)
            was_pressed = writer.is_pressed
            gate.is_open.set()
            await asyncio.gather(*tasks)
            assert not writer.is_pressed
            return was_pressed

    assert asyncio.run(scenario()) == is_pressed


def test_a_refusal_reaches_its_caller_and_no_other() -> None:
    async def scenario() -> list[type[BaseException] | None]:
        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            return json_answer({}, 503 if request.path.endswith("bad") else 200)

        async with talking_to(answer) as (_, session), Writer(session, UNLIMITED) as writer:
            tasks = [submit(writer, Priority.CREATE, name) for name in ("good-1", "bad", "good-2")]
            await asyncio.wait(tasks)
            return [type(error) if (error := task.exception()) else None for task in tasks]

    assert asyncio.run(scenario()) == [None, TransientKubeError, None]


@pytest.mark.parametrize(
    "headers", [{"Retry-After": "1"}, {}], ids=["as long as it asks", "a second if it does not say"]
)
def test_an_overloaded_server_is_left_in_peace(headers: dict[str, str]) -> None:
    async def scenario() -> float:
        arrivals: list[float] = []

        async def answer(_: web.BaseRequest) -> web.StreamResponse:
            arrivals.append(time.monotonic())
            refusal = json_answer({}, 429)
            refusal.headers.update(headers)
            return refusal if len(arrivals) == 1 else json_answer({})

        async with talking_to(answer) as (_, session), Writer(session, UNLIMITED) as writer:
            with pytest.raises(TransientKubeError):
                await writer.submit(Priority.CREATE, a_write("first"))
            await asyncio.gather(*(submit(writer, Priority.CREATE, f"w{n}") for n in range(3)))
            return min(arrivals[1:]) - arrivals[0]

    assert asyncio.run(scenario()) >= 0.9


def test_a_write_whose_caller_gave_up_is_not_sent() -> None:
    async def scenario() -> list[str]:
        gate = Gate()
        async with writing(gate, ONE_AT_A_TIME) as writer:
            first = submit(writer, Priority.CREATE, "first")
            await eventually(lambda: gate.arrived == ["first"])
            given_up, last = submit(writer, Priority.CREATE, "given-up"), submit(writer, Priority.CREATE, "last")
            await queued(writer, 2)
            given_up.cancel()
            gate.is_open.set()
            await asyncio.gather(first, last)
            return gate.arrived

    assert asyncio.run(scenario()) == ["first", "last"]


def test_a_write_in_flight_is_carried_out_though_its_caller_gave_up() -> None:
    async def scenario() -> None:
        gate = Gate()
        async with writing(gate) as writer:
            sent = submit(writer, Priority.CREATE, "sent")
            await eventually(lambda: gate.arrived == ["sent"])
            sent.cancel()
            gate.is_open.set()
            await eventually(lambda: gate.answered == ["sent"] and writer.in_flight == 0)

    asyncio.run(scenario())


def test_without_the_lease_nothing_is_sent() -> None:
    async def scenario() -> list[str]:
        gate = Gate()
        gate.is_open.set()
        async with writing(gate, fence=lambda: False) as writer:
            with pytest.raises(NotLeaderError):
                await writer.submit(Priority.CREATE, a_write("fenced"))
            return gate.arrived

    assert asyncio.run(scenario()) == []


@pytest.mark.parametrize("asked", [1, 2], ids=["when its turn comes", "when it leaves"])
def test_a_lease_that_is_lost_on_the_way_out_is_noticed(asked: int) -> None:
    """A process may be stopped between the two, and go on when another one leads."""

    async def scenario() -> list[str]:
        gate, answers = Gate(), iter([True] * (asked - 1) + [False])
        gate.is_open.set()
        async with writing(gate, fence=lambda: next(answers)) as writer:
            with pytest.raises(NotLeaderError):
                await writer.submit(Priority.CREATE, a_write("fenced"))
            return gate.arrived

    assert asyncio.run(scenario()) == []


def test_what_is_in_flight_when_a_term_ends_is_broken_off_and_the_next_writes_on() -> None:
    async def scenario() -> None:
        gate = Gate()
        async with writing(gate) as writer:
            stuck = submit(writer, Priority.CREATE, "stuck")
            await eventually(lambda: gate.arrived == ["stuck"])
            writer.break_off()
            with pytest.raises(WriterClosedError, match="may have been carried out"):
                await stuck
            gate.is_open.set()
            assert await writer.submit(Priority.CREATE, a_write("later")) == b'{"kind":"later"}'
            assert gate.answered == ["later"]

    asyncio.run(scenario())


def test_closing_lets_what_is_in_flight_end_and_refuses_what_waits() -> None:
    async def scenario() -> None:
        gate = Gate()
        async with writing(gate, ONE_AT_A_TIME) as writer:
            sent, waiting = submit(writer, Priority.CREATE, "sent"), submit(writer, Priority.CREATE, "waiting")
            await eventually(lambda: gate.arrived == ["sent"])
            closing = asyncio.create_task(writer.close())
            with pytest.raises(WriterClosedError, match="was not sent"):
                await waiting
            with pytest.raises(WriterClosedError, match="was not sent"):
                await writer.submit(Priority.CREATE, a_write("late"))
            gate.is_open.set()
            assert await sent == b'{"kind":"sent"}'
            await closing
            assert gate.arrived == ["sent"]

    asyncio.run(scenario())


def test_closing_breaks_off_what_does_not_end() -> None:
    async def scenario() -> None:
        gate = Gate()
        async with writing(gate) as writer:
            stuck = submit(writer, Priority.CREATE, "stuck")
            await eventually(lambda: gate.arrived == ["stuck"])
            await writer.close(within_seconds=0.05)
            with pytest.raises(WriterClosedError, match="may have been carried out"):
                await stuck

    asyncio.run(scenario())


@pytest.mark.parametrize("workers", [1, 32])
def test_closing_ends_a_pause(workers: int) -> None:
    """A server that has asked for half a minute of patience does not keep the process from ending."""

    async def scenario() -> None:
        async def answer(_: web.BaseRequest) -> web.StreamResponse:
            return json_answer({}, 429, Retry_After="30")

        settings = WriterSettings(qps=0, workers=workers)
        async with talking_to(answer) as (_, session), Writer(session, settings) as writer:
            with pytest.raises(KubeError):
                await writer.submit(Priority.CREATE, a_write("refused"))
            waiting = submit(writer, Priority.CREATE, "waiting")
            await queued(writer, 1)
            async with asyncio.timeout(10):
                await writer.close()
            with pytest.raises(WriterClosedError):
                await waiting

    asyncio.run(scenario())
