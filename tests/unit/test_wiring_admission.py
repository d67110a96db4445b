"""Who may start: the start rate, the pool, and the line before both (R15)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from periodicbuild.wiring.admission import Admission
from periodicbuild.wiring.keys import Key

if TYPE_CHECKING:
    from collections.abc import Callable

ONE = Key("PeriodicBuild", "apps", "one")
OTHER = Key("PeriodicBuild", "apps", "other")
THIRD = Key("PeriodicBuild", "apps", "third")
SOON = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)


def an_admission(
    per_second: float = 0, *, max_concurrent: int = 0, enqueue: Callable[[Key], None] = lambda _: None
) -> Admission:
    return Admission(per_second=per_second, max_concurrent=max_concurrent, enqueue=enqueue)


def test_without_a_limit_everything_may_start() -> None:
    admission = an_admission()
    assert all(admission.may_start(ONE) for _ in range(1000))


def test_starts_beyond_the_rate_stand_in_line_and_are_woken_one_by_one() -> None:
    async def scenario() -> list[Key]:
        woken: list[Key] = []
        admission = an_admission(50, enqueue=woken.append)
        keys = [Key("PeriodicBuild", "apps", f"build-{n}") for n in range(55)]
        refused = []
        for key in keys:
            if admission.may_start(key):
                admission.started(key)
            else:
                admission.settle(key, start_by=SOON, is_in_progress=False)
                refused.append(key)
        granting = asyncio.create_task(admission.run())
        async with asyncio.timeout(5):
            while len(woken) < len(refused):  # noqa: ASYNC110 - the rate itself decides when
                await asyncio.sleep(0.01)
        granting.cancel()
        assert woken == refused
        assert all(admission.may_start(key) for key in woken)
        return refused

    assert len(asyncio.run(scenario())) == 5


def test_a_key_that_leaves_the_line_may_not_start_before_it_asks_again() -> None:
    async def scenario() -> bool:
        admission = an_admission(1)
        admission.started(ONE)
        admission.settle(OTHER, start_by=SOON, is_in_progress=False)
        admission.settle(OTHER, start_by=None, is_in_progress=False)
        return admission.may_start(OTHER)

    assert asyncio.run(scenario()) is False


def test_nobody_overtakes_the_line() -> None:
    """R15: who comes late does not take the token that the first in line waits for."""

    async def scenario() -> list[bool]:
        admission = an_admission(1000)
        admission.settle(ONE, start_by=SOON, is_in_progress=False)
        return [admission.may_start(ONE), admission.may_start(OTHER)]

    assert asyncio.run(scenario()) == [False, False]


def test_a_grant_that_is_not_needed_goes_to_the_next_in_line_at_once() -> None:
    """With one start an hour, a build that was disabled while it stood in line must not cost the next one an hour."""

    async def scenario() -> list[Key]:
        woken: list[Key] = []
        admission = an_admission(1 / 3600, enqueue=woken.append)
        admission.settle(ONE, start_by=SOON, is_in_progress=False)
        admission.settle(OTHER, start_by=SOON, is_in_progress=False)
        granting = asyncio.create_task(admission.run())
        async with asyncio.timeout(5):
            while woken != [ONE]:  # noqa: ASYNC110 - the rate itself decides when
                await asyncio.sleep(0)
            admission.settle(ONE, start_by=None, is_in_progress=False)
            while woken != [ONE, OTHER]:  # noqa: ASYNC110 - the rate itself decides when
                await asyncio.sleep(0)
        granting.cancel()
        return woken

    assert asyncio.run(scenario()) == [ONE, OTHER]


def test_a_place_is_held_until_the_build_is_over() -> None:
    admission = an_admission(max_concurrent=1)
    admission.started(ONE)
    admission.settle(ONE, start_by=None, is_in_progress=True)

    assert (admission.has_place(ONE), admission.has_place(OTHER)) == (True, False)

    admission.settle(ONE, start_by=None, is_in_progress=False)
    assert admission.has_place(OTHER)


def test_a_start_that_came_to_nothing_leaves_its_place() -> None:
    admission = an_admission(max_concurrent=1)
    admission.started(ONE)

    admission.settle(ONE, start_by=None, is_in_progress=False)

    assert admission.has_place(OTHER)


def test_builds_that_run_when_the_process_starts_have_their_places_however_many_they_are() -> None:
    admission = an_admission(max_concurrent=1)
    admission.take_places([ONE, OTHER])

    assert [admission.has_place(key) for key in (ONE, OTHER, THIRD)] == [True, True, False]


def test_places_that_become_free_go_to_the_line_in_its_order() -> None:
    async def scenario() -> list[Key]:
        woken: list[Key] = []
        admission = an_admission(max_concurrent=1, enqueue=woken.append)
        admission.started(ONE)
        admission.settle(OTHER, start_by=SOON, is_in_progress=False)
        admission.settle(THIRD, start_by=SOON, is_in_progress=False)
        granting = asyncio.create_task(admission.run())
        for key in (ONE, OTHER):
            await asyncio.sleep(0)
            admission.settle(key, start_by=None, is_in_progress=False)
            async with asyncio.timeout(5):
                while len(woken) < (1 if key == ONE else 2):  # noqa: ASYNC110 - the admission itself decides when
                    await asyncio.sleep(0)
            assert not admission.has_place(ONE), "who is granted a start has the place already"
        granting.cancel()
        return woken

    assert asyncio.run(scenario()) == [OTHER, THIRD]
