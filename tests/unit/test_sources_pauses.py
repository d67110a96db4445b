"""A host that asks for a pause gets it, from all who want something of it (R31)."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from tests.loopback import Loopback, eventually
from tests.receivers import answers
from tests.sources.finding import a_finder, code

from periodicbuild.sources.pauses import MOST, Pauses

if TYPE_CHECKING:
    from tests.loopback import Answer


class Monotonic:
    """The monotonic clock, which moves as a test says."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        """Read it."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Monotonic:
    """Put a clock of ours in the place of the monotonic one."""
    clock = Monotonic()
    monkeypatch.setattr("periodicbuild.sources.pauses.time.monotonic", clock)
    return clock


def asked(behaviour: Answer, clock: Monotonic, *, in_pause: float, after_it: float) -> list[str]:
    """Ask two hosts that behave so for four repositories, and give those that they were really asked for."""

    async def ask() -> list[str]:
        async with Loopback(behaviour) as server, a_finder() as finder:
            elsewhere = server.url.replace("127.0.0.1", "localhost")
            for later, url in (
                (0, f"{server.url}/a.git"),
                (in_pause, f"{server.url}/b.git"),
                (in_pause, f"{elsewhere}/c.git"),
                (after_it, f"{server.url}/d.git"),
            ):
                clock.now = 1_000.0 + later
                await finder.find(code(url))
            return [path.partition(".git")[0] for _, path in server.requests]

    return asyncio.run(ask())


PAUSES = {
    "too many requests": (429, "300", 290, 301),
    "maintenance": (503, "300", 290, 301),
    "longer than we keep it": (429, "86400", 590, 601),
}


@pytest.mark.parametrize(("status", "retry_after", "in_pause", "after_it"), PAUSES.values(), ids=list(PAUSES))
def test_nothing_is_asked_of_a_host_in_its_pause_whatever_the_source(
    clock: Monotonic, status: int, retry_after: str, in_pause: float, after_it: float
) -> None:
    behaviour = answers(status, Retry_After=retry_after)
    assert asked(behaviour, clock, in_pause=in_pause, after_it=after_it) == ["/a", "/c", "/d"]


def test_a_pause_may_be_given_as_a_date(clock: Monotonic) -> None:
    end = format_datetime(datetime.now(UTC) + timedelta(minutes=5), usegmt=True)
    assert asked(answers(429, Retry_After=end), clock, in_pause=200, after_it=301) == ["/a", "/c", "/d"]


@pytest.mark.usefixtures("clock")
def test_what_is_not_asked_says_of_whom_and_until_when() -> None:
    async def ask() -> str:
        async with Loopback(answers(429, Retry_After="300")) as server, a_finder() as finder:
            await finder.find(code(f"{server.url}/a.git"))
            return (await finder.find(code(f"{server.url}/b.git")))[0].problem

    began_at = datetime.now(UTC)
    said = re.fullmatch(r"127\.0\.0\.1 wants a pause, and is not asked before (\S+)", asyncio.run(ask()))
    assert said is not None
    assert timedelta(seconds=299) < datetime.fromisoformat(said[1]) - began_at < timedelta(seconds=360)


def test_a_short_pause_is_waited_for_by_all() -> None:
    came_at: list[float] = []

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        came_at.append(time.monotonic())
        return web.Response(status=429, headers={"Retry-After": "1"}) if len(came_at) == 1 else web.Response(status=404)

    async def ask() -> set[str]:
        async with Loopback(answer) as server, a_finder() as finder:
            first = asyncio.create_task(finder.find(code(f"{server.url}/a.git")))
            await eventually(lambda: finder._pauses.left("127.0.0.1") > 0)
            found = await asyncio.gather(first, finder.find(code(f"{server.url}/b.git")))
            return {finding.problem[:37] for finding, _ in found}

    assert asyncio.run(ask()) == {"127.0.0.1 has no such repository, or "}
    assert len(came_at) == 3
    assert min(came_at[1:]) - came_at[0] > 0.9


def test_a_date_that_has_passed_is_no_pause(clock: Monotonic) -> None:
    """Each is asked for again at once, as after a moment."""
    past = answers(429, Retry_After="Wed, 21 Oct 2015 07:28:00 GMT")
    assert asked(past, clock, in_pause=1, after_it=2) == ["/a", "/a", "/b", "/b", "/c", "/c", "/d", "/d"]


def test_pauses_are_forgotten_once_they_have_passed(clock: Monotonic) -> None:
    pauses = Pauses()
    pauses.begin("a.example.com", 10)
    pauses.begin("b.example.com", 30)
    assert (pauses.left("a.example.com"), pauses.left("b.example.com"), pauses.left("c.example.com")) == (10, 30, 0)
    clock.now += 20
    pauses.begin("c.example.com", 5)
    assert (pauses.left("a.example.com"), pauses.left("b.example.com")) == (0, 10)
    assert sorted(pauses._ends) == ["b.example.com", "c.example.com"]


@pytest.mark.usefixtures("clock")
def test_a_shorter_pause_does_not_end_a_longer_one() -> None:
    pauses = Pauses()
    for seconds in (10, 300, 0):
        pauses.begin("a.example.com", seconds)
    assert pauses.left("a.example.com") == 300


@pytest.mark.usefixtures("clock")
def test_no_more_hosts_are_remembered_than_are_bounded() -> None:
    pauses = Pauses()
    for number in range(MOST + 1):
        pauses.begin(f"{number}.example.com", 10)
    pauses.begin("0.example.com", 20)
    assert len(pauses._ends) == MOST
    assert (pauses.left("0.example.com"), pauses.left(f"{MOST}.example.com")) == (20, 0)
