"""Two replicas and what becomes of their leader: nothing starts twice, and nobody writes without the Lease (design 4).

The API server's audit log is the judge.  The Lease is shorter than the usual one, so that takeovers take less time.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pykube
import pytest
from tests.bench.audit import Trail
from tests.cluster.cluster import Cluster
from tests.e2e.audit import assert_equation_holds, assert_one_fate_per_slot
from tests.e2e.objects import PeriodicBuild
from tests.e2e.stage import Stage, eventually, see
from tests.faults.effects import Skip
from tests.faults.line import Line, line_to
from tests.faults.script import ALWAYS, Fault, Match
from tests.integration.simulated_specs import a_build_spec, every, in_seconds, name_of, text_of
from tests.operator_process import ACCOUNT, NAMESPACE, OperatorProcess
from tests.replicas.history import LEASES, bids, double_starts, is_release, replica_of, writes, writes_without_lease
from tests.replicas.pair import Pair, running_pair

from periodicbuild.kube.lease import LEASE_NAME

pytestmark = pytest.mark.simulated_nodes

LEASE = timedelta(seconds=6)
"""The margin between the end of a term and the next must outlast a stutter of a busy machine."""
ROUNDS = 3
TERM = "status.leaseTransitions"


@dataclass(frozen=True, slots=True)
class Ground:
    """Two replicas: one is at the API server, the other behind a line."""

    pair: Pair
    line: Line


@pytest.fixture(scope="module")
def ground(
    simulated_nodes: Cluster, operator: OperatorProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Ground]:
    """Give two replicas in the place of the one operator of the other tests."""
    folder = tmp_path_factory.mktemp("replicas")
    account = simulated_nodes.kubeconfig_for_service_account(NAMESPACE, ACCOUNT)
    flags = [f"--leader-elect-lease-duration={LEASE.total_seconds():g}s"]
    way = folder / "line.yaml"
    operator.stop()
    try:
        with ExitStack() as stack:
            line = stack.enter_context(line_to(account, way))
            one = OperatorProcess(account, folder / "one.log", flags, identity="replica-one")
            other = OperatorProcess(way, folder / "other.log", flags, identity="replica-other")
            yield Ground(stack.enter_context(running_pair(one, other)), line)
    finally:
        operator.start()


@pytest.fixture
def pair(ground: Ground) -> Pair:
    """Give the replicas."""
    return ground.pair


@pytest.fixture(autouse=True)
def trail(simulated_nodes: Cluster) -> Iterator[Trail]:
    """Follow the audit log during a test, and judge it afterwards."""
    with Trail(simulated_nodes.audit_log) as trail:
        yield trail
        requests = trail.read()
    assert double_starts(requests) == []
    # Whose the Lease was before is not in this trail, so it tells nothing of what came before the first bid in it.
    bid_at = min((one.received_at for one in bids(requests)), default=datetime.max.replace(tzinfo=UTC))
    strays = writes_without_lease(requests, duration=LEASE)
    assert [one for one in strays if one.received_at > bid_at] == []


@pytest.fixture
def place(simulated_nodes: Cluster, api: pykube.HTTPClient) -> Iterator[Stage]:
    """Give a stage without the one operator; its ledgers must add up afterwards."""
    stage = Stage(simulated_nodes, api)
    try:
        yield stage
        for build in PeriodicBuild.objects(api, namespace=stage.namespace):
            assert_equation_holds(build)
            assert_one_fate_per_slot(build)
    finally:
        stage.clear()


def keep_busy(place: Stage) -> list[PeriodicBuild]:
    """Let something be due every second, and give it."""
    spec = a_build_spec(schedule=every("1s"), history={"successfulLimit": 1})
    return [place.create(f"busy-{number}", spec) for number in range(3)]


def await_write(trail: Trail, by: OperatorProcess, since: datetime) -> None:
    """Wait until a replica has written."""
    eventually(
        lambda: any(one.received_at >= since and replica_of(one) == by.identity for one in writes(trail.read())),
        f"{by.identity} writes",
    )


def see_its_term(build: PeriodicBuild, place: Stage) -> int:
    """Wait until a status was written in the term that the Lease tells, and give that."""
    see(build, lambda one: (one.read(TERM) or 0) == term_on_the_lease(place), f"{build.name} tells the term")
    return int(build.read(TERM) or 0)


def term_on_the_lease(place: Stage) -> int:
    """Read it."""
    answer = place.api.get(url=f"{LEASES}/{LEASE_NAME}", version="coordination.k8s.io/v1", namespace=NAMESPACE)
    answer.raise_for_status()
    return int(answer.json()["spec"]["leaseTransitions"])


def test_a_standby_is_ready_and_writes_nothing(pair: Pair, trail: Trail, place: Stage) -> None:
    leader, standby = pair.roles()
    build = place.create("one-of-two", a_build_spec())
    see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "it is built")
    assert standby.ask("/readyz") == standby.ask("/healthz") == (200, "ok\n")
    assert (leader.metric("periodicbuild_leader"), standby.metric("periodicbuild_leader")) == (1, 0)
    assert {replica_of(one) for one in writes(trail.read())} == {leader.identity}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_the_other_one_goes_on_when_the_leader_ends(
    pair: Pair, trail: Trail, place: Stage, how: signal.Signals
) -> None:
    busy, *_ = keep_busy(place)
    leader, standby = pair.roles()
    await_write(trail, leader, datetime.now(UTC))
    term = see_its_term(busy, place)
    ended_at = datetime.now(UTC)
    leader.stop(how)
    await_write(trail, standby, ended_at)
    assert see_its_term(busy, place) > term
    last = [one for one in trail.read() if replica_of(one) == leader.identity and one.is_write][-1]
    assert how == signal.SIGKILL or is_release(last), "what it does last is to give the Lease back"
    leader.start()
    assert pair.roles() == (standby, leader)


def test_a_leader_that_was_frozen_is_none_any_more(pair: Pair, trail: Trail, place: Stage) -> None:
    keep_busy(place)
    leader, standby = pair.roles()
    await_write(trail, leader, datetime.now(UTC))
    frozen_at = datetime.now(UTC)
    leader.freeze()
    try:
        await_write(trail, standby, frozen_at)
    finally:
        leader.thaw()
    assert pair.roles() == (standby, leader)
    await_write(trail, standby, datetime.now(UTC))


@pytest.mark.parametrize("fault", ["cut", "silence"])
def test_a_leader_that_is_cut_off_is_none_any_more(ground: Ground, trail: Trail, place: Stage, fault: str) -> None:
    pair = ground.pair
    keep_busy(place)
    pair.let_lead(pair.other)
    await_write(trail, pair.other, datetime.now(UTC))
    cut_at = datetime.now(UTC)
    getattr(ground.line, fault)()
    try:
        await_write(trail, pair.one, cut_at)
    finally:
        ground.line.mend()
    assert pair.roles() == (pair.one, pair.other)
    await_write(trail, pair.one, datetime.now(UTC))


def test_of_two_that_start_at_once_one_starts_what_is_due(pair: Pair, place: Stage) -> None:
    for number in range(ROUNDS):
        pair.one.stop()
        pair.other.stop()
        builds = [place.create(f"round-{number}-{one}", a_build_spec()) for one in range(3)]
        pair.one.start_unready()
        pair.other.start_unready()
        for build in builds:
            see(build, lambda one: one.fates == ["Started/Due: Succeeded"], "it is built")
    pair.roles()


def test_who_takes_over_has_looked_at_everything_anew(ground: Ground, trail: Trail, place: Stage) -> None:
    slot = in_seconds(15)
    at_slot = a_build_spec(schedule=every("24h", notBefore=text_of(slot)))
    standby = ground.pair.let_lead(ground.pair.one)
    known, disabled, deleted = (place.create(name, at_slot) for name in ("known", "disabled", "deleted"))
    for build in (known, disabled, deleted):
        see(build, lambda one: one.read("status.schedule.nextSlotTime"), "its slot is known")
    eventually(lambda: _objects(standby) == _objects(ground.pair.one), "both know of all")

    ground.line.put(Fault(Skip(), match=Match(except_resources=(LEASES,)), times=ALWAYS))
    try:
        disabled.disable()
        deleted.delete()
        see(disabled, lambda one: one.condition("Scheduled").reason == "Disabled", "the leader knows of it")
        assert datetime.now(UTC) < slot
        ground.line.mend()  # what was skipped is never told any more, but a list is complete
        ground.pair.one.stop()
        trail.wait_for(1, "create", "appservers", within_seconds=60)
        see(known, lambda one: one.slots.get("started"), "what is due starts")
        eventually(lambda: not standby.metric("periodicbuild_queue_depth"), "all has been looked at")
    finally:
        ground.line.mend()
        ground.pair.one.start()
    created = {one.object.name for one in trail.read() if one.has_done("create", "appservers")}
    assert created == {name_of("known", slot)}


def _objects(replica: OperatorProcess) -> float:
    return replica.metric("periodicbuild_objects")
