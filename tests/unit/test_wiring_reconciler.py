"""The loop: an object that fails waits longer each time and holds up no other; nothing turns hot."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.loopback import eventually, json_answer
from tests.looping import Loop, a_body, a_body_with_a_due_slot, a_poisoned, a_stored, accept, looping, refuse_with

from periodicbuild.kube.parse import app_server_from_json, stored_build_from_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from periodicbuild.core.status import Waiting


@pytest.fixture(autouse=True)
def _hand_set_clocks_are_read_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("periodicbuild.wiring.wakeups.LONGEST_SLEEP_SECONDS", 0.01)


async def seen_again_after(loop: Loop, seconds: float) -> bool:
    """Let time pass in two steps, and tell whether the second one, and not the first, has led to another look."""
    failures = loop.failures()
    loop.pass_time(seconds - 0.5)
    await loop.turn()
    too_early = loop.failures() > failures
    loop.pass_time(0.6)
    await eventually(lambda: loop.failures() > failures)
    return not too_early


def more_failures(loop: Loop, *, than: float) -> Callable[[], bool]:
    return lambda: loop.failures() > than


def test_an_object_that_always_fails_holds_up_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with looping(accept) as loop:
            loop.store.put_build(a_poisoned("poison"))
            await eventually(lambda: loop.failures() == 1)
            loop.store.put_build(a_stored("healthy"))
            await eventually(lambda: loop.patched("healthy") >= 1)

    with caplog.at_level(logging.ERROR):
        asyncio.run(scenario())
    assert vars(caplog.records[0])["object"] == "poison"


def test_pauses_after_failures_double() -> None:
    async def scenario() -> list[bool]:
        async with looping(refuse_with(500)) as loop:
            loop.store.put_build(a_stored("one"))
            await eventually(lambda: loop.failures() == 1)
            return [await seen_again_after(loop, seconds) for seconds in (1, 2, 4, 8)]

    assert asyncio.run(scenario()) == [True, True, True, True]


def test_a_conflict_is_looked_at_again_after_a_second_each_time_and_is_nothing_to_warn_of(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> list[bool]:
        async with looping(refuse_with(409)) as loop:
            loop.store.put_build(a_stored("one"))
            await eventually(lambda: loop.failures() == 1)
            return [await seen_again_after(loop, seconds) for seconds in (1, 1, 1)]

    with caplog.at_level(logging.INFO, logger="periodicbuild"):
        assert asyncio.run(scenario()) == [True, True, True]
    assert caplog.records == []


def test_a_server_that_is_away_is_one_warning_for_all_objects(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with looping(refuse_with(503)) as loop:
            for name in ("one", "two", "three"):
                loop.store.put_build(a_stored(name))
            await eventually(lambda: loop.failures() == 3)
            await seen_again_after(loop, 1)

    with caplog.at_level(logging.INFO, logger="periodicbuild"):
        asyncio.run(scenario())
    assert len(caplog.records) == 1


def test_objects_that_are_refused_are_a_warning_each(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario() -> None:
        async with looping(refuse_with(422)) as loop:
            for name in ("one", "two"):
                loop.store.put_build(a_stored(name))
            await eventually(lambda: loop.failures() == 2)

    with caplog.at_level(logging.INFO, logger="periodicbuild"):
        asyncio.run(scenario())
    assert {vars(record)["object"] for record in caplog.records} == {"one", "two"}


@pytest.mark.parametrize(("asked", "waited"), [("20", 20), ("86400", 60)])
def test_the_servers_wish_is_honoured_within_reason(asked: str, waited: int) -> None:
    async def scenario() -> bool:
        async with looping(refuse_with(503, Retry_After=asked)) as loop:
            loop.store.put_build(a_stored("one"))
            await eventually(lambda: loop.failures() == 1)
            return await seen_again_after(loop, waited)

    assert asyncio.run(scenario())


def test_a_change_ends_the_pause() -> None:
    async def scenario() -> None:
        async with looping(refuse_with(500)) as loop:
            loop.store.put_build(a_stored("one"))
            await eventually(lambda: loop.failures() == 1)
            loop.store.put_build(stored_build_from_json(msgspec.json.encode(a_body("one", "101"))))
            await eventually(lambda: loop.failures() == 2)

    asyncio.run(scenario())


def test_a_write_that_changes_nothing_is_not_repeated_without_end() -> None:
    """An older definition of the kind drops a field that a newer operator writes: each look would write it again."""

    async def scenario() -> int:
        async with looping(lambda request: json_answer(a_body(request.path.split("/")[-2], "100"))) as loop:
            loop.store.put_build(a_stored("one"))
            await eventually(lambda: loop.failures() == 1)
            await loop.turn()
            return loop.patched("one")

    assert asyncio.run(scenario()) <= 2


def test_an_object_that_is_gone_when_its_status_is_written_is_forgotten() -> None:
    async def scenario() -> None:
        async with looping(refuse_with(404)) as loop:
            loop.store.put_build(a_stored("one"))
            await eventually(lambda: not loop.store.builds)
            assert loop.failures() == 0

    asyncio.run(scenario())


def test_a_record_that_is_gone_when_its_status_is_written_is_forgotten_and_not_spoken_of() -> None:
    """R43: an AppServer that is deleted at the instant of its failure causes no Event."""
    metadata = {"name": "one-1", "namespace": "team-a", "uid": "uid-one-1", "resourceVersion": "7"}
    owner = {"uid": "uid-one", "controller": True}
    record = {
        "metadata": {**metadata, "creationTimestamp": "2026-11-24T00:00:00Z", "ownerReferences": [owner]},
        "spec": {"periodicBuildRef": {"name": "one"}, "run": "x", "attempt": 1, "timeouts": {"run": "1s"}},
    }
    run = {"id": "x", "trigger": "Manual", "startTime": "2026-11-24T00:00:00Z", "attempt": 1, "uid": "uid-one-1"}

    async def scenario() -> list[tuple[str, str]]:
        async with looping(refuse_with(404)) as loop:
            body = {**a_body("one"), "status": {"runs": [{**run, "appServer": "one-1"}]}}
            body["metadata"]["deletionTimestamp"] = None
            loop.store.put_build(stored_build_from_json(msgspec.json.encode(body)))
            loop.store.put_app_server(app_server_from_json(msgspec.json.encode(record)))
            await eventually(lambda: not loop.store.app_servers)
            await loop.turn()
            return [one for one in loop.server.requests if "events" in one[1]]

    assert asyncio.run(scenario()) == []


def test_only_a_start_that_has_happened_counts_as_lag() -> None:
    """A create that a policy refuses for hours is tried every minute; none of these tries is a start."""

    async def scenario() -> float | None:
        async with looping(refuse_with(403)) as loop:
            loop.store.put_build(stored_build_from_json(msgspec.json.encode(a_body_with_a_due_slot("one"))))
            await eventually(lambda: any("appservers" in path for _, path in loop.server.requests))
            await eventually(lambda: bool(loop.store.build_memory("uid-one").refusals))
            return loop.metrics.registry.get_sample_value("periodicbuild_schedule_lag_seconds_count")

    assert asyncio.run(scenario()) == 0


def test_a_slot_that_was_seen_in_time_stays_so_while_nobody_answers() -> None:
    """R10, R22: what became of its create is asked for, and that is not answered either."""

    async def scenario() -> list[Waiting | None]:
        async with looping(refuse_with(503)) as loop:
            memory = loop.store.build_memory("uid-one")
            loop.store.put_build(stored_build_from_json(msgspec.json.encode(a_body_with_a_due_slot("one"))))
            await eventually(lambda: memory.unwritten is not None)
            seen = [memory.unwritten]
            for _ in range(3):
                loop.pass_time(40)
                await eventually(more_failures(loop, than=loop.failures()))
                seen.append(memory.unwritten)
            return seen

    assert len(set(asyncio.run(scenario()))) == 1


def test_a_wait_whose_write_has_failed_still_began_when_it_began() -> None:
    """R10: an API server that is away for a minute makes no slot late that was looked at in time."""
    nothing_there, away = refuse_with(404), refuse_with(503)

    async def scenario() -> tuple[Waiting | None, Waiting | None]:
        async with looping(lambda request: (nothing_there if request.method == "GET" else away)(request)) as loop:
            memory = loop.store.build_memory("uid-one")
            loop.store.put_build(stored_build_from_json(msgspec.json.encode(a_body_with_a_due_slot("one"))))
            await eventually(lambda: memory.unwritten is not None)
            began = memory.unwritten
            loop.pass_time(40)
            await eventually(lambda: loop.patched("one") > 0)
            await eventually(lambda: loop.failures() > 0)
            loop.pass_time(40)
            await eventually(lambda: loop.failures() > 1)
            return began, memory.unwritten

    began, remembered = asyncio.run(scenario())
    assert began is not None
    assert remembered == began
