"""The election on a real API server: who leads, and that nobody does who cannot know (design 4)."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.faults.effects import Delay, Drop, Refuse, When
from tests.faults.script import ALWAYS, Fault, Match
from tests.integration.kube_support import eventually, faulty, new_namespace, opened

from periodicbuild.kube.election import Election, ElectionSettings
from periodicbuild.kube.lease import LEASES
from periodicbuild.kube.session import MERGE_PATCH

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from typing import Any

    from tests.faults.effects import Effect
    from tests.integration.kube_support import ControlPlane

    from periodicbuild.kube.session import KubeSession

pytestmark = pytest.mark.control_plane

SECONDS = 3
"""The shortest Lease that may be asked for."""
NAME = "periodicbuild"


class Replica:
    """One candidate, and how often it has begun and stopped to act."""

    def __init__(self, session: KubeSession, namespace: str, identity: str) -> None:
        settings = ElectionSettings(namespace=namespace, name=NAME, identity=identity, duration_seconds=SECONDS)
        self.is_fit = True
        self.election = Election(session, settings, now=lambda: datetime.now(UTC), is_fit=lambda: self.is_fit)
        self.begun: list[float] = []
        self.ended: list[float] = []
        self._tasks: list[asyncio.Task[None]] = []

    async def act(self) -> None:
        """Do nothing until the term ends."""
        self.begun.append(time.monotonic())
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.append(time.monotonic())

    def start(self) -> None:
        """Run for office."""
        self._tasks = [
            asyncio.create_task(self.election.run()),
            asyncio.create_task(self.election.while_leading(self.act)),
        ]

    async def kill(self) -> None:
        """Stop without a word."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def is_acting(self) -> bool:
        """Tell whether it acts, which is to be the same as whether it leads."""
        return len(self.begun) > len(self.ended)


@asynccontextmanager
async def running(session: KubeSession, namespace: str, identity: str) -> AsyncIterator[Replica]:
    """Let a replica run for office until the end of a test."""
    replica = Replica(session, namespace, identity)
    replica.start()
    try:
        yield replica
    finally:
        await replica.kill()


@asynccontextmanager
async def one_leading(control_plane: ControlPlane) -> AsyncIterator[tuple[KubeSession, str, Replica]]:
    """Let a replica lead in a namespace of its own."""
    async with opened(control_plane.kubeconfig) as session:
        namespace = await new_namespace(session)
        async with running(session, namespace, "one") as one:
            await eventually(lambda: one.is_acting)
            yield session, namespace, one


async def lease_in(session: KubeSession, namespace: str) -> dict[str, Any]:
    """Read the Lease."""
    found: dict[str, Any] = msgspec.json.decode(await session.get(LEASES.path(namespace=namespace, name=NAME)))
    return found


async def renewed(session: KubeSession, namespace: str) -> dict[str, Any]:
    """Wait for the next renewal, and give the Lease as it is then."""
    mark = (await lease_in(session, namespace))["spec"]["renewTime"]
    while (lease := await lease_in(session, namespace))["spec"]["renewTime"] == mark:  # noqa: ASYNC110 - it is elsewhere
        await asyncio.sleep(0.05)
    return lease


async def patch(session: KubeSession, namespace: str, change: dict[str, Any]) -> None:
    """Let a person edit the Lease."""
    path = LEASES.path(namespace=namespace, name=NAME)
    await session.request("PATCH", path, msgspec.json.encode(change), MERGE_PATCH)


def test_one_leads_and_the_other_takes_over_when_it_is_gone(control_plane: ControlPlane) -> None:
    async def scenario() -> None:
        async with (
            one_leading(control_plane) as (session, namespace, one),
            running(session, namespace, "other") as other,
        ):
            await other.election.is_clear()
            assert (one.election.is_leading, other.election.is_leading) == (True, False)
            gone_at = time.monotonic()
            await one.kill()
            await eventually(lambda: other.is_acting)
            # At most so long ago it was renewed, and a Lease lasts from the renewal on.
            assert SECONDS * 2 / 3 - 0.5 < other.begun[0] - gone_at < SECONDS + 2
            lease = await lease_in(session, namespace)
            assert (lease["spec"]["holderIdentity"], lease["spec"]["leaseTransitions"]) == ("other", 1)
            assert other.election.term == 1

    asyncio.run(scenario())


def test_a_lease_that_is_given_back_is_taken_at_once(control_plane: ControlPlane) -> None:
    async def scenario() -> None:
        async with opened(control_plane.kubeconfig) as session:
            namespace = await new_namespace(session)
            async with running(session, namespace, "one") as one, running(session, namespace, "other") as other:
                await eventually(lambda: one.is_acting or other.is_acting)
                leader, standby = (one, other) if one.is_acting else (other, one)
                await standby.election.is_clear()
                await leader.kill()
                given_back_at = time.monotonic()
                await leader.election.release()
                await eventually(lambda: standby.is_acting)
                assert standby.begun[0] - given_back_at < 1
                assert not leader.election.is_leading

    asyncio.run(scenario())


def test_one_that_is_started_again_under_its_name_leads_at_once(control_plane: ControlPlane) -> None:
    async def scenario() -> None:
        async with opened(control_plane.kubeconfig) as session:
            namespace = await new_namespace(session)
            async with running(session, namespace, "one") as one:
                await eventually(lambda: one.is_acting)
            started_at = time.monotonic()
            async with running(session, namespace, "one") as again:
                await eventually(lambda: again.is_acting)
                assert again.begun[0] - started_at < 1
                assert again.election.term == one.election.term + 1

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "effect", [Delay(), Refuse(status=500), Drop()], ids=["it says nothing", "it fails", "nobody listens"]
)
def test_who_cannot_renew_does_not_lead(control_plane: ControlPlane, tmp_path: Path, effect: Effect) -> None:
    async def scenario() -> None:
        async with (
            opened(control_plane.kubeconfig) as admin,
            faulty(control_plane.kubeconfig, tmp_path) as (proxy, own),
        ):
            namespace = await new_namespace(admin)
            async with running(own, namespace, "one") as one:
                await eventually(lambda: one.is_acting)
                async with running(admin, namespace, "other") as other:
                    await other.election.is_clear()
                    proxy.add(Fault(effect, times=ALWAYS))
                    await eventually(lambda: not one.election.is_leading)
                    await eventually(lambda: other.is_acting)
                    assert not one.is_acting
                    assert one.ended[-1] <= other.begun[-1]

    asyncio.run(scenario())


def test_an_answer_that_is_lost_ends_no_term(control_plane: ControlPlane, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            opened(control_plane.kubeconfig) as admin,
            faulty(control_plane.kubeconfig, tmp_path) as (proxy, own),
        ):
            namespace = await new_namespace(admin)
            async with running(own, namespace, "one") as one:
                await eventually(lambda: one.is_acting)
                for _ in range(3):
                    proxy.add(Fault(Drop(when=When.AFTER), match=Match(verbs=("patch",))))
                    await renewed(admin, namespace)
                assert (len(one.begun), one.is_acting) == (1, True)

    asyncio.run(scenario())


def test_a_lease_that_is_deleted_is_made_anew(control_plane: ControlPlane) -> None:
    async def scenario() -> None:
        async with one_leading(control_plane) as (session, namespace, one):
            await session.request("DELETE", LEASES.path(namespace=namespace, name=NAME))
            await eventually(lambda: len(one.begun) == 2)
            assert (await lease_in(session, namespace))["spec"]["holderIdentity"] == "one"

    asyncio.run(scenario())


def test_who_is_deposed_by_hand_stops_at_once_and_waits(control_plane: ControlPlane) -> None:
    async def scenario() -> None:
        async with one_leading(control_plane) as (session, namespace, one):
            await patch(session, namespace, {"spec": {"holderIdentity": "somebody", "leaseDurationSeconds": 2}})
            deposed_at = time.monotonic()
            await eventually(lambda: len(one.ended) == 1)
            assert one.ended[0] - deposed_at < 1
            await eventually(lambda: len(one.begun) == 2)
            assert one.begun[1] - deposed_at > 1.5
            assert one.election.term == 1

    asyncio.run(scenario())


def test_what_people_put_on_the_lease_stays_there(control_plane: ControlPlane) -> None:
    async def scenario() -> None:
        async with opened(control_plane.kubeconfig) as session:
            namespace = await new_namespace(session)
            body = {"metadata": {"name": NAME, "labels": {"team": "a"}}}
            await session.request("POST", LEASES.path(namespace=namespace), msgspec.json.encode(body))
            async with running(session, namespace, "one") as one:
                await eventually(lambda: one.is_acting)
                await patch(session, namespace, {"metadata": {"labels": {"team": "b"}}})
                assert (await renewed(session, namespace))["metadata"]["labels"] == {"team": "b"}
                assert (len(one.begun), one.is_acting) == (1, True)

    asyncio.run(scenario())


def test_a_namespace_that_is_missing_is_waited_for(
    control_plane: ControlPlane, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with opened(control_plane.kubeconfig) as session, running(session, "not-there-yet", "one") as one:
            await eventually(lambda: any(record.levelname == "WARNING" for record in caplog.records))
            control_plane.kubectl("create", "namespace", "not-there-yet")
            await eventually(lambda: one.is_acting)

    asyncio.run(scenario())
    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 1


def test_a_leader_that_is_not_fit_gives_way_to_one_that_is(control_plane: ControlPlane) -> None:
    async def scenario() -> None:
        async with (
            one_leading(control_plane) as (session, namespace, one),
            running(session, namespace, "other") as other,
        ):
            await other.election.is_clear()
            one.is_fit = False
            await eventually(lambda: other.is_acting)
            assert not one.is_acting
            assert other.begun[0] - one.ended[0] < 1

    asyncio.run(scenario())


def test_where_nobody_is_fit_one_leads_all_the_same_and_does_not_change(control_plane: ControlPlane) -> None:
    async def scenario() -> None:
        async with one_leading(control_plane) as (session, namespace, one):
            one.is_fit = False
            await eventually(lambda: len(one.begun) == 2)
            assert one.begun[1] - one.ended[0] > 4
            await renewed(session, namespace)
            await renewed(session, namespace)
            assert (len(one.begun), one.is_acting) == (2, True)

    asyncio.run(scenario())


def test_who_may_not_use_the_lease_says_so_until_it_may(control_plane: ControlPlane) -> None:
    async def scenario() -> None:
        async with opened(control_plane.kubeconfig) as admin:
            namespace = await new_namespace(admin)
            account = f"{namespace}:candidate"
            control_plane.kubectl("create", "serviceaccount", "candidate", f"--namespace={namespace}")
            async with (
                opened(control_plane.kubeconfig_for_service_account(namespace, "candidate")) as session,
                running(session, namespace, "one") as one,
            ):
                await eventually(lambda: one.election.complaint is not None)
                assert "cannot get leases" in (one.election.complaint or "")
                assert "kubectl apply -f manifests/rbac.yaml" in (one.election.complaint or "")
                may = ("--verb=get,list,watch,create,patch", "--resource=leases")
                control_plane.kubectl("create", "role", "candidate", f"--namespace={namespace}", *may)
                whose = ("--role=candidate", f"--serviceaccount={account}")
                control_plane.kubectl("create", "rolebinding", "candidate", f"--namespace={namespace}", *whose)
                await eventually(lambda: one.is_acting)
                assert one.election.complaint is None

    asyncio.run(scenario())


def test_an_error_in_acting_is_not_swallowed(control_plane: ControlPlane) -> None:
    async def fail() -> None:
        raise RuntimeError("a bug")

    async def scenario() -> None:
        async with opened(control_plane.kubeconfig) as session:
            replica = Replica(session, await new_namespace(session), "one")
            running_for_office = asyncio.create_task(replica.election.run())
            with pytest.raises(RuntimeError, match="a bug"):
                await replica.election.while_leading(fail)
            running_for_office.cancel()
            with suppress(asyncio.CancelledError):
                await running_for_office

    asyncio.run(scenario())
