"""Clean-up on a real API server: each thing is deleted once, and its answer counts before any watch tells of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import msgspec
import pytest
from tests.integration.kube_support import new_namespace
from tests.operator_process import install

from periodicbuild.core.plans import DeleteAppServer, DeletePod
from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.errors import NotFoundError
from periodicbuild.kube.kinds import APP_SERVERS, PODS
from periodicbuild.kube.leadership import Unopposed
from periodicbuild.kube.parse import app_server_from_json, pod_from_json
from periodicbuild.kube.session import MERGE_PATCH, KubeSession
from periodicbuild.kube.writer import Writer, WriterSettings
from periodicbuild.wiring.clock import Clock
from periodicbuild.wiring.store import Store
from periodicbuild.wiring.writes import Writes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.cluster.cluster import Cluster

    from periodicbuild.core.facts import AppServer, Pod
    from periodicbuild.kube.paths import Target

pytestmark = pytest.mark.control_plane

NAME = "nightly-20261124-023000-1"
CONTAINERS = [{"name": "main", "image": "none"}]


class Stage:
    """A store that knows what the API server has, and no watch."""

    def __init__(self, session: KubeSession, writer: Writer, namespace: str) -> None:
        self.store = Store(lambda _: None)
        self.writes = Writes(writer, self.store, Clock(), Unopposed())
        self.namespace = namespace
        self._session = session

    async def app_server(self, **metadata: object) -> AppServer:
        """Create an AppServer, and put the answer into the store."""
        spec = {"periodicBuildRef": {"name": "nightly"}}
        body = {"apiVersion": "periodicbuild.dev/v1alpha1", "kind": "AppServer", "metadata": {"name": NAME, **metadata}}
        answer = await self._session.request(
            "POST", APP_SERVERS.path(namespace=self.namespace), msgspec.json.encode({**body, "spec": spec})
        )
        self.store.put_app_server(app_server_from_json(answer))
        return app_server_from_json(answer)

    async def pod(self, **metadata: object) -> Pod:
        """Create a pod, and put the answer into the store; a new namespace has no service account for a second."""
        spec = {"containers": CONTAINERS, "automountServiceAccountToken": False}
        body = msgspec.json.encode({"metadata": {"name": NAME, **metadata}, "spec": spec})
        path = "/api/v1/namespaces/" + self.namespace + "/serviceaccounts/default"
        await eventually_found(self._session, path)
        pod = pod_from_json(await self._session.request("POST", PODS.path(namespace=self.namespace), body))
        self.store.put_pod(pod)
        return pod

    async def release(self, path: str) -> None:
        """Take the finalizers away."""
        await self._session.request("PATCH", path, b'{"metadata": {"finalizers": null}}', MERGE_PATCH)


async def eventually_found(session: KubeSession, path: str) -> None:
    """Wait until an object is there."""
    async with asyncio.timeout(30):
        while True:
            try:
                await session.get(path)
            except NotFoundError:
                await asyncio.sleep(0.1)
            else:
                return


@asynccontextmanager
async def on_stage(cluster: Cluster, sent: list[tuple[Target, int]]) -> AsyncIterator[Stage]:
    """Open a session whose requests are counted."""
    credentials = await load_credentials(cluster.kubeconfig)
    async with (
        KubeSession(credentials, on_request=lambda target, code, _: sent.append((target, code))) as session,
        Writer(session, WriterSettings(qps=0)) as writer,
    ):
        yield Stage(session, writer, await new_namespace(session))


@pytest.fixture(scope="module")
def with_kinds(control_plane: Cluster) -> Cluster:
    """Give a cluster that knows our kinds."""
    install(control_plane)
    return control_plane


def deletes(sent: list[tuple[Target, int]]) -> list[int]:
    """Give the codes of the deletes that were sent."""
    return [code for target, code in sent if target.verb == "delete"]


def test_a_record_is_deleted_once_and_gone_with_the_answer(with_kinds: Cluster) -> None:
    sent: list[tuple[Target, int]] = []

    async def scenario() -> None:
        async with on_stage(with_kinds, sent) as stage:
            record = await stage.app_server()
            action = DeleteAppServer(name=NAME, uid=record.ref.uid)
            await asyncio.gather(*(stage.writes.remove(action, stage.namespace) for _ in range(3)))
            assert stage.store.app_servers == {}
            assert stage.store.gone_of([record.ref.uid]) == {record.ref.uid}

    asyncio.run(scenario())
    assert deletes(sent) == [200]


def test_a_record_that_somebody_holds_is_seen_to_be_going(with_kinds: Cluster) -> None:
    async def scenario() -> None:
        async with on_stage(with_kinds, []) as stage:
            record = await stage.app_server(finalizers=["example.com/hold"])
            await stage.writes.remove(DeleteAppServer(name=NAME, uid=record.ref.uid), stage.namespace)
            assert [one.is_deleting for one in stage.store.app_servers.values()] == [True]
            await stage.release(APP_SERVERS.path(namespace=stage.namespace, name=NAME))

    asyncio.run(scenario())


def test_a_pod_is_seen_to_be_going_with_the_answer(with_kinds: Cluster) -> None:
    async def scenario() -> None:
        async with on_stage(with_kinds, []) as stage:
            pod = await stage.pod(finalizers=["example.com/hold"])
            await stage.writes.remove(DeletePod(name=NAME, uid=pod.ref.uid), stage.namespace)
            assert [one.is_deleting for one in stage.store.pods.values()] == [True]
            await stage.release(PODS.path(namespace=stage.namespace, name=NAME))

    asyncio.run(scenario())


def test_what_is_gone_already_is_gone(with_kinds: Cluster) -> None:
    sent: list[tuple[Target, int]] = []

    async def scenario() -> None:
        async with on_stage(with_kinds, sent) as stage:
            record, pod = await stage.app_server(), await stage.pod()
            with_kinds.kubectl("-n", stage.namespace, "delete", "pod,appserver", NAME)
            sent.clear()
            await stage.writes.remove(DeleteAppServer(name=NAME, uid=record.ref.uid), stage.namespace)
            await stage.writes.remove(DeletePod(name=NAME, uid=pod.ref.uid), stage.namespace)
            assert stage.store.app_servers == {}
            assert all(one.is_gone for one in stage.store.pods.values())

    asyncio.run(scenario())
    assert deletes(sent) == [404, 404]


def test_a_later_object_of_the_same_name_is_left_alone(with_kinds: Cluster) -> None:
    async def scenario() -> None:
        async with on_stage(with_kinds, []) as stage:
            old = await stage.pod()
            with_kinds.kubectl("-n", stage.namespace, "delete", "pod", NAME)
            new = await stage.pod()
            await stage.writes.remove(DeletePod(name=NAME, uid=old.ref.uid), stage.namespace)
            assert with_kinds.kubectl("-n", stage.namespace, "get", "pod", "-o", "jsonpath={..uid}") == new.ref.uid
            assert [one.ref.uid for one in stage.store.pods.values()] == [new.ref.uid]

    asyncio.run(scenario())
