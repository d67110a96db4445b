"""Two replicas and one Lease: what is lost or doubled when the leader ends, freezes, is cut off, or is off by an hour.

Builds are due every second, so that there is always something to do wrong.  Whatever happens is judged at the end from
the API server's audit log, in which every replica has a name (`tests/replicas/history.py`).

The one idea a newcomer would miss: takeovers are timed from the signal to the first write of the other replica that is
none to the Lease.  A Lease that is held and does nothing would be of no use to anybody.
"""

from __future__ import annotations

import signal
import statistics
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import pykube
from tests.bench.audit import Trail
from tests.bench.ground import own_cluster
from tests.cluster.console import say
from tests.cluster.levels import Level
from tests.cluster.waiting import wait_for
from tests.e2e.stage import Stage
from tests.faults.line import line_to
from tests.integration.simulated_specs import a_build_spec, every
from tests.operator_process import ACCOUNT, NAMESPACE, OperatorProcess
from tests.replicas import wrong_clock
from tests.replicas.history import bids, double_starts, replica_of, writes, writes_without_lease
from tests.replicas.pair import running_pair

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tests.bench.audit import Request
    from tests.cluster.cluster import Cluster
    from tests.replicas.pair import Pair

BUSY: Final = 6
"""PeriodicBuilds that are due every second."""
LEASE: Final = timedelta(seconds=15)
SIGTERMS: Final = 10
SIGKILLS: Final = 5
FREEZES: Final = 5
CUTS: Final = 2
"""Of either kind: the line is dead, or silent."""
ROUNDS: Final = 100
AT_ONCE: Final = 3
"""PeriodicBuilds that are due when both replicas start."""
STARTS_AFTERWARDS: Final = 6
"""So many are awaited when the fault is over, before the next: enough for what it has left behind to show."""
WITHIN_SECONDS: Final = 60.0
DOUBLE_STARTS: Final = "-double-starts"
"""How the ids end of figures that count them, each in one part of the whole."""


@dataclass(frozen=True, slots=True)
class Takeover:
    """Seconds from the end of a leader until the other one has the Lease, and until it first writes."""

    lease: float
    write: float

    def __str__(self) -> str:
        """Tell it."""
        return f"The other one had the Lease after {self.lease:.2f} s, and wrote after {self.write:.2f} s."


@dataclass(slots=True)
class Arena:
    """One cluster with its record."""

    cluster: Cluster
    stage: Stage
    trail: Trail
    account: Path
    """The kubeconfig of the operator's service account."""
    _started: int = field(default=0, init=False)

    def replica(self, name: str, kubeconfig: Path | None = None) -> OperatorProcess:
        """Give a replica, not started."""
        return OperatorProcess(kubeconfig or self.account, self.cluster.folder / f"{name}.log", identity=name)

    def keep_busy(self) -> None:
        """Let builds be due from now on."""
        spec = a_build_spec("300ms", schedule=every("1s"), history={"successfulLimit": 1, "failedLimit": 1})
        for number in range(BUSY):
            self.stage.create(f"busy-{number}", spec)

    def await_starts(self, number: int = STARTS_AFTERWARDS) -> None:
        """Wait until so many more builds have started, whoever starts them."""
        before = self.trail.count("create", "appservers")
        self.trail.wait_for(before + number, "create", "appservers", within_seconds=WITHIN_SECONDS)

    def await_takeover(self, by: OperatorProcess, since: datetime) -> Takeover:
        """Wait until a replica has taken the Lease and written, and tell when."""

        def seconds_until(done: Iterable[Request]) -> float | None:
            return next(
                (
                    (one.answered_at - since).total_seconds()
                    for one in done
                    if replica_of(one) == by.identity and one.received_at >= since
                ),
                None,
            )

        write = wait_for(
            lambda: seconds_until(writes(self.trail.read())),
            within_seconds=WITHIN_SECONDS,
            what=f"{by.identity} does not take over",
        )
        lease = seconds_until(bids(self.trail.requests))
        assert lease is not None, "it has written without the Lease"
        return Takeover(lease, write)


def measure_replicas(rounds: int = ROUNDS) -> dict[str, float]:
    """Give the figures."""
    with own_cluster(Level.SIMULATED) as cluster, Trail(cluster.audit_log) as trail, ExitStack() as stack:
        api = pykube.HTTPClient(pykube.KubeConfig.from_file(str(cluster.kubeconfig)))
        stack.callback(api.session.close)
        account = cluster.kubeconfig_for_service_account(NAMESPACE, ACCOUNT)
        arena = Arena(cluster, Stage(cluster, api), trail, account)
        figures = _started_at_once(arena, rounds)
        arena.keep_busy()
        with running_pair(arena.replica("ended-a"), arena.replica("ended-b")) as pair:
            figures |= _takeovers(arena, pair) | _frozen(arena, pair)
        figures |= _cut_off(arena) | _wrong_clock(arena)
        with running_pair(arena.replica("last-a"), arena.replica("last-b")) as pair:
            arena.await_starts()
            figures["replicas-unaccounted-slots"] = pair.roles()[0].metric("periodicbuild_unaccounted_slots")
        return figures | _verdict(trail.read(), figures)


def _verdict(requests: list[Request], figures: Mapping[str, float]) -> dict[str, float]:
    """Judge all that was done; raises RuntimeError for what started twice where no figure counts it."""
    twice = double_starts(requests)
    if len(twice) > sum(count for id_, count in figures.items() if id_.endswith(DOUBLE_STARTS)):
        raise RuntimeError(f"started twice: {', '.join(twice)}")
    strays = writes_without_lease(requests, duration=LEASE)
    for one in strays:
        say(f"Without the Lease: {replica_of(one)} {one.verb} {one.target} {one.object.name} at {one.answered_at}")
    return {
        "replicas-writes": len(writes(requests)),
        "replicas-writes-without-lease": len(strays),
    }


def _takeovers(arena: Arena, pair: Pair) -> dict[str, float]:
    figures: dict[str, float] = {}
    for how, times in ((signal.SIGTERM, SIGTERMS), (signal.SIGKILL, SIGKILLS)):
        say(f"{times} times {how.name} to the leader.")
        found = [_take_over(arena, pair, how) for _ in range(times)]
        name = f"takeover-{how.name.lower()}"
        figures[f"{name}-seconds"] = max(one.write for one in found)
        figures[f"{name}-median-seconds"] = statistics.median(one.write for one in found)
        figures[f"{name}-lease-seconds"] = max(one.lease for one in found)
    return figures


def _take_over(arena: Arena, pair: Pair, how: signal.Signals) -> Takeover:
    leader, standby = pair.roles()
    arena.await_starts()
    since = datetime.now(UTC)
    leader.stop(how)
    takeover = arena.await_takeover(standby, since)
    say(str(takeover))
    leader.start()
    return takeover


def _frozen(arena: Arena, pair: Pair) -> dict[str, float]:
    say(f"{FREEZES} times the leader is stopped where it is, and goes on when the other leads.")
    since = len(arena.trail.read())
    for _ in range(FREEZES):
        leader, standby = pair.roles()
        arena.await_starts()
        at = datetime.now(UTC)
        leader.freeze()
        try:
            takeover = arena.await_takeover(standby, at)
            arena.await_starts()
        finally:
            leader.thaw()
        say(str(takeover))
        pair.roles()
        arena.await_starts()
    return _judged("frozen-leader", FREEZES, arena.trail.read()[since:])


def _cut_off(arena: Arena) -> dict[str, float]:
    say(f"{2 * CUTS} times the leader is cut off from the API server, and comes back when the other leads.")
    since = len(arena.trail.read())
    ways = [arena.cluster.folder / f"line-{side}.yaml" for side in "ab"]
    with ExitStack() as stack:
        lines = [stack.enter_context(line_to(arena.account, way)) for way in ways]
        replicas = [arena.replica(f"cut-{side}", way) for side, way in zip("ab", ways, strict=True)]
        pair = stack.enter_context(running_pair(*replicas))
        for number in range(2 * CUTS):
            leader, standby = pair.roles()
            arena.await_starts()
            line = lines[replicas.index(leader)]
            at = datetime.now(UTC)
            (line.silence if number % 2 else line.cut)()
            try:
                takeover = arena.await_takeover(standby, at)
                arena.await_starts()
            finally:
                line.mend()
            say(f"{'Silent' if number % 2 else 'Dead'}. {takeover}")
            pair.roles()
            arena.await_starts()
    return _judged("cut-off-leader", 2 * CUTS, arena.trail.read()[since:])


def _wrong_clock(arena: Arena) -> dict[str, float]:
    """Let one whose clock is off stand by for longer than a Lease, then lead, then hand over."""
    since = len(arena.trail.read())
    early = 0
    for off_by in (wrong_clock.AN_HOUR, -wrong_clock.AN_HOUR):
        say(f"One clock is off by {off_by} s.")
        right = arena.replica(f"right-{off_by}")
        wrong = arena.replica(f"wrong-{off_by}")
        wrong.module, wrong.environment = wrong_clock.__name__, {wrong_clock.VARIABLE: str(off_by)}
        with running_pair(right, wrong):
            time.sleep(LEASE.total_seconds())  # what is measured is that nothing happens in this time
            early += sum(replica_of(bid) == wrong.identity for bid in bids(arena.trail.read()))
            ended_at = datetime.now(UTC)
            right.stop()
            arena.await_takeover(wrong, ended_at)
            right.start()
            ended_at = datetime.now(UTC)
            wrong.stop()
            arena.await_takeover(right, ended_at)
            arena.await_starts()
    return {
        **_judged("wrong-clock", 2, arena.trail.read()[since:]),
        "wrong-clock-early-takeovers": early,
    }


def _started_at_once(arena: Arena, rounds: int) -> dict[str, float]:
    """Start both at the same instant, with something due, until all of it has started; then the same again."""
    say(f"{rounds} times both are started at once, with {AT_ONCE} builds due.")
    since = len(arena.trail.read())
    both = (arena.replica("at-once-a"), arena.replica("at-once-b"))
    for number in range(rounds):
        builds = [arena.stage.create(f"round-{number}-{one}", a_build_spec()) for one in range(AT_ONCE)]
        before = arena.trail.count("create", "appservers")
        try:
            for replica in both:
                replica.start_unready()
            arena.trail.wait_for(before + AT_ONCE, "create", "appservers", within_seconds=WITHIN_SECONDS)
        finally:
            for replica in both:
                replica.stop(signal.SIGTERM if number % 2 else signal.SIGKILL)
        for build in builds:
            build.delete()
        if not number % 2:
            arena.cluster.kubectl("delete", "lease", "periodicbuild", f"--namespace={NAMESPACE}")
        if (number + 1) % 10 == 0:
            say(f"{number + 1} of {rounds}.")
    return _judged("replicas-started-at-once", rounds, arena.trail.read()[since:])


def _judged(what: str, times: int, requests: list[Request]) -> dict[str, float]:
    return {what: times, f"{what}{DOUBLE_STARTS}": len(double_starts(requests))}
