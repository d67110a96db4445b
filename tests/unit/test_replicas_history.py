"""The judge of replicas: a write is its replica's own only between its bid for the Lease and the other's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from tests.bench.audit import Request
from tests.replicas.history import bids, double_starts, writes_without_lease

START = datetime(2026, 11, 29, 8, 0, tzinfo=UTC)
LEASE = timedelta(seconds=15)


def a_request(by: str, at: float, target: str, *, code: int = 200, takes: float = 0.01, **more: Any) -> Request:
    """Give a request that came so many seconds after the start; `more` is of its line in the log."""
    line = {
        "stage": "ResponseComplete",
        "verb": "create",
        "requestReceivedTimestamp": START + timedelta(seconds=at),
        "stageTimestamp": START + timedelta(seconds=at + takes),
        "userAgent": f"periodicbuild/1.0 {by}",
        "objectRef": {"resource": target, "namespace": "team-a", "name": "nightly-20261129-080000-1"},
        "responseStatus": {"code": code},
    }
    return msgspec.convert(line | more, Request)


def a_bid(by: str, at: float, *, code: int = 200) -> Request:
    return a_request(by, at, "leases", code=code, requestObject={"spec": {"holderIdentity": by}})


def a_release(by: str, at: float, *, code: int = 200) -> Request:
    return a_request(by, at, "leases", code=code, requestObject={"spec": {"holderIdentity": None}})


def a_start(by: str, at: float, *, code: int = 201, takes: float = 0.01) -> Request:
    return a_request(by, at, "appservers", code=code, takes=takes)


@pytest.mark.parametrize(
    ("history", "strays"),
    [
        pytest.param([a_bid("a", 0), a_start("a", 14)], 0, id="by who holds it"),
        pytest.param([a_start("a", 14), a_bid("a", 0)], 0, id="in another order of the log"),
        pytest.param([a_start("a", 0)], 1, id="before anybody holds it"),
        pytest.param([a_bid("a", 0), a_start("b", 1)], 1, id="by who does not hold it"),
        pytest.param([a_bid("a", 0), a_start("a", 16)], 1, id="after it has run out"),
        pytest.param([a_bid("a", 0), a_bid("a", 10), a_start("a", 16)], 0, id="after it was renewed"),
        pytest.param([a_bid("a", 0), a_bid("b", 5), a_start("a", 6)], 1, id="after another has taken it"),
        pytest.param(
            [a_bid("a", 0), a_bid("b", 5, code=409), a_start("a", 6)], 0, id="after another could not take it"
        ),
        pytest.param([a_bid("a", 0), a_bid("b", 5), a_start("a", 4.9, takes=1)], 1, id="beside the bid of another"),
        pytest.param([a_bid("a", 0), a_release("a", 5), a_start("a", 6)], 1, id="after it has given it back"),
        pytest.param([a_bid("a", 0), a_release("a", 5), a_start("a", 4.9, takes=1)], 1, id="beside its own release"),
        pytest.param([a_bid("a", 0), a_start("a", 4.9), a_release("a", 5)], 0, id="right before it gives it back"),
        pytest.param([a_bid("a", 0), a_release("a", 5), a_bid("a", 6), a_start("a", 7)], 0, id="after its next bid"),
        pytest.param(
            [a_bid("a", 0), a_release("a", 5, code=409), a_start("a", 6)], 0, id="after it could not give it back"
        ),
        pytest.param([a_bid("a", 0), a_start("b", 1, code=409)], 0, id="that was refused"),
    ],
)
def test_a_write_without_the_lease_is_one(history: list[Request], strays: int) -> None:
    assert len(writes_without_lease(history, duration=LEASE)) == strays


def test_who_gives_the_lease_back_does_not_bid_for_it() -> None:
    bid = a_bid("a", 0)

    assert bids([a_release("a", 1), bid, a_bid("b", 2, code=409)]) == [bid]


def test_what_was_created_twice_has_started_twice() -> None:
    once = [a_start("a", 0), a_start("b", 1, code=409)]

    assert double_starts(once) == []
    assert double_starts([*once, a_start("b", 2)]) == ["team-a/nightly-20261129-080000-1"]
