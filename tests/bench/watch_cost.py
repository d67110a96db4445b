"""What one line of a watch costs: from its bytes to what is kept in the store, without a cluster.

The one idea a newcomer would miss: the line is the largest that is common, a PeriodicBuild with a full ledger, and each
time it tells of a newer version, since an old one is thrown away for nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

import msgspec
from tests.bench.bodies import first_status_call
from tests.bench.objects import periodic_build
from tests.bench.timing import median_seconds

from periodicbuild.kube.changes import Decoder, LineSplitter
from periodicbuild.kube.parse import stored_build_from_json
from periodicbuild.wiring.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
VERSION = b'"resourceVersion":"%d"'
LINES = 200


def measure_watch_cost() -> dict[str, float]:
    """Time the way of one line."""
    line, lines = _a_line(), LineSplitter()
    decoder, store, versions = Decoder(stored_build_from_json), Store(lambda _: None), count(1001)

    def take() -> None:
        for one in lines.feed(line.replace(VERSION % 1000, VERSION % next(versions)) + b"\n"):
            stored = decoder.line(one).item
            if stored is None:
                raise ValueError("the line was not understood")
            store.put_build(stored)

    seconds = median_seconds(take, LINES)
    assert len(store.builds) == 1, "nothing was kept"
    return {"watch-event-microseconds": 1e6 * seconds, "watch-event-bytes": float(len(line))}


def _a_line() -> bytes:
    """Give a line about a PeriodicBuild as it is after weeks of daily builds."""
    manifest: dict[str, Any] = periodic_build("watched", schedule={"interval": {"every": "24h"}})
    manifest["metadata"] |= {
        "namespace": "idle",
        "uid": "6c5f2a1e-9d3b-4c8e-8f1a-2b7d90c4e5f6",
        "generation": 1,
        "resourceVersion": "1000",
        "creationTimestamp": "2026-11-01T00:00:00Z",
    }
    patch = msgspec.json.decode(first_status_call(msgspec.json.encode(manifest), NOW, has_past=True).body)
    manifest["status"] = dict(_present(patch["status"]))
    return msgspec.json.encode({"type": "MODIFIED", "object": manifest})


def _present(fields: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Leave out what a merge patch takes away."""
    return ((name, value) for name, value in fields.items() if value is not None)
