"""The keyed queue, the wake-ups and the start rate: nothing is lost, nothing is done twice."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from periodicbuild.core.plans import Wake
from periodicbuild.wiring.clock import Clock
from periodicbuild.wiring.keys import Key
from periodicbuild.wiring.queue import KeyedQueue
from periodicbuild.wiring.wakeups import WakeUps

ONE, OTHER = Key("PeriodicBuild", "apps", "one"), Key("PeriodicBuild", "apps", "other")
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def a_queue() -> KeyedQueue:
    return KeyedQueue()


def test_a_key_that_asks_twice_is_looked_at_once() -> None:
    queue = a_queue()
    queue.add(ONE)
    queue.add(ONE)
    assert (queue.take(), queue.take()) == (ONE, None)


def test_keys_are_taken_in_the_order_in_which_they_asked() -> None:
    queue = a_queue()
    for key in (ONE, OTHER, ONE):
        queue.add(key)
    assert [queue.take(), queue.take()] == [ONE, OTHER]


def test_a_change_during_a_look_asks_for_another_one_after_it() -> None:
    queue = a_queue()
    queue.add(ONE)
    assert queue.take() == ONE
    queue.add(ONE)
    assert queue.take() is None
    queue.done(ONE)
    assert queue.take() == ONE


class HandSetClock:
    """A wall clock and a monotonic clock that a test moves by hand."""

    def __init__(self) -> None:
        self.wall = NOON
        self.monotonic = 1000.0

    def clock(self) -> Clock:
        """Give the clock that reads both."""
        return Clock(wall=lambda: self.wall, monotonic=lambda: self.monotonic)


def woken(hand: HandSetClock, ask: Callable[[WakeUps], None], move: Callable[[], None]) -> list[Key]:
    """Ask for wake-ups, move the clocks, and give who is woken by the loop's next turn."""

    async def scenario() -> list[Key]:
        keys: list[Key] = []
        wakeups = WakeUps(hand.clock(), keys.append)
        ask(wakeups)
        move()
        turning = asyncio.create_task(wakeups.run())
        await asyncio.sleep(0)
        turning.cancel()
        await asyncio.gather(turning, return_exceptions=True)
        return keys

    return asyncio.run(scenario())


@pytest.mark.parametrize("minutes", [1, 120, 90 * 24 * 60])
def test_a_slot_follows_the_wall_clock_wherever_it_is_set(minutes: int) -> None:
    hand = HandSetClock()

    def move() -> None:
        hand.wall += timedelta(minutes=minutes)

    assert woken(hand, lambda wakeups: wakeups.set(ONE, Wake(wall=NOON + timedelta(minutes=1))), move) == [ONE]


def test_a_time_out_does_not_follow_a_step_of_the_wall_clock() -> None:
    hand = HandSetClock()

    def move() -> None:
        hand.wall += timedelta(days=90)

    assert woken(hand, lambda wakeups: wakeups.set(ONE, Wake(steady=NOON + timedelta(hours=1))), move) == []


def test_a_later_wish_replaces_an_earlier_one() -> None:
    hand = HandSetClock()

    def ask(wakeups: WakeUps) -> None:
        wakeups.set(ONE, Wake(wall=NOON + timedelta(minutes=1)))
        wakeups.set(ONE, Wake(wall=NOON + timedelta(hours=1)))

    def move() -> None:
        hand.wall += timedelta(minutes=5)

    assert woken(hand, ask, move) == []


def test_a_key_whose_wish_is_taken_back_is_not_woken() -> None:
    hand = HandSetClock()

    def ask(wakeups: WakeUps) -> None:
        wakeups.set(ONE, Wake(wall=NOON + timedelta(minutes=1), steady=NOON))
        wakeups.forget(ONE)
        wakeups.set(OTHER, Wake(steady=NOON))

    assert woken(hand, ask, lambda: None) == [OTHER]


def test_wishes_that_come_and_go_do_not_pile_up() -> None:
    """A build whose next slot lies a year ahead is looked at thousands of times until then."""
    hand = HandSetClock()
    wakeups = WakeUps(hand.clock(), lambda _: None)
    for minute in range(10_000):
        wakeups.set(ONE, Wake(wall=NOON + timedelta(days=366, minutes=minute)))
        wakeups.set(OTHER, Wake(wall=NOON + timedelta(days=366)))
        wakeups.set(OTHER, Wake())
    assert wakeups.depth < 200


def test_a_wish_for_an_earlier_instant_ends_the_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("periodicbuild.wiring.wakeups.LONGEST_SLEEP_SECONDS", 3600.0)

    async def scenario() -> list[Key]:
        keys: list[Key] = []
        wakeups = WakeUps(HandSetClock().clock(), keys.append)
        turning = asyncio.create_task(wakeups.run())
        await asyncio.sleep(0)
        wakeups.set(ONE, Wake(steady=NOON))
        async with asyncio.timeout(20):
            while not keys:  # noqa: ASYNC110 - the loop itself decides when
                await asyncio.sleep(0.01)
        turning.cancel()
        await asyncio.gather(turning, return_exceptions=True)
        return keys

    assert asyncio.run(scenario()) == [ONE]


def test_the_loop_turns_even_if_nobody_asks_for_anything() -> None:
    """The liveness probe reads `turned_at`."""
    hand = HandSetClock()

    async def scenario() -> datetime:
        wakeups = WakeUps(hand.clock(), lambda _: None)
        hand.monotonic += 5
        turning = asyncio.create_task(wakeups.run())
        await asyncio.sleep(0)
        turning.cancel()
        await asyncio.gather(turning, return_exceptions=True)
        return wakeups.turned_at

    assert asyncio.run(scenario()) == NOON + timedelta(seconds=5)


def test_a_clock_is_trusted_while_it_agrees_with_the_server_to_a_minute() -> None:
    hand = HandSetClock()
    clock = hand.clock()
    clock.follow(lambda: NOON)
    assert clock.is_trusted
    hand.wall += timedelta(seconds=61)
    assert not clock.is_trusted


def test_the_steady_clock_starts_at_the_servers_time_and_follows_no_wall_clock() -> None:
    hand = HandSetClock()
    clock = hand.clock()
    clock.follow(lambda: NOON + timedelta(seconds=7))
    hand.wall += timedelta(hours=2)
    hand.monotonic += 10
    assert clock.now().steady == NOON + timedelta(seconds=17)


def test_a_clock_that_is_off_is_told_once_and_once_again_when_it_is_right(caplog: pytest.LogCaptureFixture) -> None:
    """R9."""
    hand = HandSetClock()
    clock = hand.clock()
    clock.follow(lambda: NOON)

    with caplog.at_level(logging.INFO):
        for ahead in (timedelta(seconds=61), timedelta(hours=2), timedelta(seconds=60), timedelta()):
            hand.wall = NOON + ahead
            clock.notice_trust()

    assert [(one.levelname, vars(one)["ahead_seconds"]) for one in caplog.records] == [("WARNING", 61), ("INFO", 60)]
