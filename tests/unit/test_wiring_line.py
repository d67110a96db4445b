"""In which order those who wait for the pool or the start rate may go (R15)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from periodicbuild.wiring.keys import Key
from periodicbuild.wiring.line import Line

SOON, LATER, LAST = (datetime(2026, 11, 24, hour, tzinfo=UTC) for hour in (3, 4, 5))


def key(text: str) -> Key:
    namespace, _, name = text.partition("/")
    return Key("PeriodicBuild", namespace, name)


ORDERS = {
    "first come, first served": ([("a/1", SOON), ("a/2", SOON), ("a/3", SOON)], "a/1 a/2 a/3"),
    "the earliest deadline first": ([("a/1", LAST), ("a/2", SOON), ("a/3", LATER)], "a/2 a/3 a/1"),
    "namespaces take turns": (
        [("a/1", SOON), ("a/2", SOON), ("a/3", SOON), ("b/1", LAST), ("c/1", LATER), ("b/2", LATER)],
        "a/1 b/2 c/1 a/2 b/1 a/3",
    ),
    "asking again keeps the place": ([("a/1", SOON), ("a/2", SOON), ("a/1", SOON)], "a/1 a/2"),
    "another deadline is another place": ([("a/1", SOON), ("a/2", LATER), ("a/1", LAST)], "a/2 a/1"),
    "nobody": ([], ""),
}


@pytest.mark.parametrize(("joined", "order"), ORDERS.values(), ids=list(ORDERS))
def test_they_go_in_this_order(joined: list[tuple[str, datetime]], order: str) -> None:
    line = Line()
    for name, start_by in joined:
        line.join(key(name), start_by)
    assert len(line) == len(order.split())
    assert [line.first() for _ in order.split()] == [key(name) for name in order.split()]
    assert (len(line), line.first()) == (0, None)


def test_who_has_left_is_passed_over_and_comes_back_at_the_end() -> None:
    line = Line()
    for name in ("a/1", "a/2"):
        line.join(key(name), SOON)
    line.leave(key("a/1"))
    line.leave(key("a/9"))
    line.join(key("a/1"), SOON)
    assert [line.first(), line.first(), line.first()] == [key("a/2"), key("a/1"), None]


def test_a_namespace_that_comes_late_does_not_wait_for_all_the_others() -> None:
    line = Line()
    for number in range(1000):
        line.join(key(f"crowd/{number}"), SOON)
    assert line.first() == key("crowd/0")
    line.join(key("quiet/1"), LAST)
    assert [line.first(), line.first()] == [key("crowd/1"), key("quiet/1")]
