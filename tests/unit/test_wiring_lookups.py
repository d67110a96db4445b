"""What a look asks for is looked up beside the loop, and what is found asks for another look (R31)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.builders import a_build
from tests.loopback import eventually
from tests.looping import NOON
from tests.sources.finding import code, image

from periodicbuild.core.inputs import Finding, Lookup, Source
from periodicbuild.core.plans import LookUpSources
from periodicbuild.wiring.clock import Clock
from periodicbuild.wiring.keys import Key
from periodicbuild.wiring.lookups import Lookups
from periodicbuild.wiring.store import Store

BUILD = a_build()
CODE, BASE = code("https://example.com/app.git"), image("debian:12")


class Slow:
    """Find everything once a test lets it."""

    def __init__(self) -> None:
        self.asked: list[tuple[Source, float]] = []
        self.may_answer = asyncio.Event()
        self.ages: dict[str, float] = {}

    async def find(self, source: Source, max_age: float) -> tuple[Finding, float]:
        """Wait, and find."""
        self.asked.append((source, max_age))
        await self.may_answer.wait()
        return Finding(f"revision of {source.name}"), self.ages.get(source.name, 0.0)


class Scene:
    """Lookups, and what they lead to."""

    def __init__(self) -> None:
        self.finder = Slow()
        self.keys: list[Key] = []
        self.store = Store(lambda _: None)
        self.clock = Clock(wall=lambda: NOON, monotonic=lambda: 1.0)
        self.lookups = Lookups(self.finder, self.store, self.clock, self.keys.append)

    @property
    def known(self) -> Lookup | None:
        """Give what is remembered."""
        return self.store.build_memory(BUILD.ref.uid).lookup


def test_nobody_waits_for_it_and_what_is_found_asks_for_a_look() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.lookups.begin(LookUpSources(slot=NOON, sources=(CODE, BASE)), BUILD)
        begun = Lookup(slot=NOON, sources=(CODE, BASE), asked_at=scene.clock.now().steady)
        assert scene.known == begun
        await eventually(lambda: len(scene.finder.asked) == 2)
        assert (scene.known, scene.keys) == (begun, [])
        scene.finder.may_answer.set()
        await eventually(lambda: bool(scene.keys))
        findings = {"code": Finding("revision of code"), "base": Finding("revision of base")}
        assert scene.known == replace(begun, findings=findings)
        assert scene.keys == [Key("PeriodicBuild", "team-a", "nightly")]

    asyncio.run(scenario())


def test_what_was_found_after_the_slot_fell_due_will_do_and_a_little_before() -> None:
    async def scenario() -> list[float]:
        scene = Scene()
        for late in (0, 3, 30):
            slot = NOON - timedelta(seconds=late)
            scene.lookups.begin(LookUpSources(slot=slot, sources=(CODE,)), BUILD)
        await eventually(lambda: len(scene.finder.asked) == 3)
        await scene.lookups.close()
        return [max_age for _, max_age in scene.finder.asked]

    assert asyncio.run(scenario()) == [5, 5, 30]


def test_what_others_have_found_is_as_old_as_it_is_and_all_of_it_as_the_oldest() -> None:
    """R14: so nothing is judged by what was found more than ten minutes ago."""

    async def scenario() -> None:
        scene = Scene()
        scene.finder.ages = {"code": 400.0, "base": 30.0}
        scene.finder.may_answer.set()
        scene.lookups.begin(LookUpSources(slot=NOON, sources=(CODE, BASE)), BUILD)
        await eventually(lambda: bool(scene.keys))
        assert scene.known is not None
        assert scene.known.asked_at == scene.clock.now().steady - timedelta(seconds=400)

    asyncio.run(scenario())


def test_an_answer_that_nobody_waits_for_any_more_is_dropped() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.lookups.begin(LookUpSources(slot=NOON, sources=(CODE,)), BUILD)
        other = Lookup(slot=NOON, sources=(BASE,), asked_at=NOON)
        scene.store.build_memory(BUILD.ref.uid).lookup = other
        await eventually(lambda: len(scene.finder.asked) == 1)
        scene.finder.may_answer.set()
        for _ in range(10):
            await asyncio.sleep(0)
        assert (scene.known, scene.keys) == (other, [])

    asyncio.run(scenario())


def test_what_is_under_way_ends_with_the_term() -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.lookups.begin(LookUpSources(slot=NOON, sources=(CODE,)), BUILD)
        await eventually(lambda: len(scene.finder.asked) == 1)
        await scene.lookups.close()
        assert scene.known is not None
        assert scene.known.findings is None
        assert scene.keys == []

    asyncio.run(scenario())


def test_a_bug_is_told_in_the_log_and_the_slot_builds_without_knowing(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        scene = Scene()
        scene.finder.may_answer.set()
        scene.finder.asked = ()  # type: ignore[assignment] # that is the bug
        scene.lookups.begin(LookUpSources(slot=NOON, sources=(CODE,)), BUILD)
        await eventually(lambda: bool(caplog.records))
        assert scene.known is not None
        assert (scene.known.findings, scene.keys) == (None, [])

    asyncio.run(scenario())
    assert [record.message for record in caplog.records] == ["a lookup failed; this is a bug in the operator"]
