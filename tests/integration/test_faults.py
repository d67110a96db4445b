"""Each fault does what its name says, between a session and a real API server."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest
from tests.faults.effects import Cut, Delay, Drop, Kill, Refuse, Skip, Stale, Stall, When
from tests.faults.proxy import KillsNobodyError, proxy_between
from tests.faults.script import ALWAYS, Fault, Match
from tests.integration.kube_support import (
    CONFIG_MAPS,
    DEADLINE_SECONDS,
    create_config_map,
    delete_config_map,
    eventually,
    faulty,
    new_namespace,
    opened,
)
from tests.integration.watching import watching

from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.errors import (
    NO_ANSWER,
    AlreadyExistsError,
    ConflictError,
    GoneError,
    InvalidError,
    KubeError,
    TransientKubeError,
)
from periodicbuild.kube.session import KubeSession

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.cluster.cluster import Cluster
    from tests.faults.proxy import FaultProxy

pytestmark = pytest.mark.control_plane

CREATES = Match(verbs=("create",), resources=("configmaps",))
WATCHES = Match(verbs=("watch",), resources=("configmaps",), name="[!k]*")
"""Their events, but for the ConfigMap that Kubernetes itself puts into a namespace."""


class Scene:
    """A namespace, seen by a client behind the proxy and by one that is not."""

    def __init__(self, proxy: FaultProxy, client: KubeSession, admin: KubeSession, namespace: str) -> None:
        self.proxy = proxy
        self.client = client
        self.admin = admin
        self.namespace = namespace

    async def create(self, *names: str, of: KubeSession | None = None) -> None:
        """Create ConfigMaps, by the client unless told otherwise."""
        for name in names:
            await create_config_map(of or self.client, self.namespace, name, app="own")

    async def names(self, of: KubeSession | None = None) -> set[str]:
        """List the ConfigMaps that tests have made, by the administrator unless told otherwise."""
        path = CONFIG_MAPS.path(namespace=self.namespace)
        items = json.loads(await (of or self.admin).get(path, {"labelSelector": "app=own"}))["items"]
        return {item["metadata"]["name"] for item in items}


def play(cluster: Cluster, folder: Path, scenario: Callable[[Scene], Awaitable[None]]) -> None:
    async def played() -> None:
        async with faulty(cluster.kubeconfig, folder) as (proxy, client), opened(cluster.kubeconfig) as admin:
            await scenario(Scene(proxy, client, admin, await new_namespace(admin)))

    asyncio.run(played())


def test_a_delayed_request_arrives_later(control_plane: Cluster, tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.proxy.add(Fault(Delay(seconds=0.3), match=CREATES))
        began = time.monotonic()
        await scene.create("late")
        assert time.monotonic() - began >= 0.3

    play(control_plane, tmp_path, scenario)


def test_a_held_request_arrives_when_the_fault_is_over(control_plane: Cluster, tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        with scene.proxy.during(Fault(Delay(), match=CREATES, times=ALWAYS)):
            create = asyncio.create_task(scene.create("held"))
            await eventually(lambda: bool(scene.proxy.strikes))
            assert await scene.names() == set()
        await create
        assert await scene.names() == {"held"}

    play(control_plane, tmp_path, scenario)


@pytest.mark.parametrize(("when", "there"), [(When.BEFORE, set()), (When.AFTER, {"dropped"})])
def test_a_dropped_request_gets_no_answer(control_plane: Cluster, tmp_path: Path, when: When, there: set[str]) -> None:
    async def scenario(scene: Scene) -> None:
        scene.proxy.add(Fault(Drop(when=when), match=CREATES))
        with pytest.raises(TransientKubeError) as lost:
            await scene.create("dropped")
        assert lost.value.status == NO_ANSWER
        assert await scene.names() == there

    play(control_plane, tmp_path, scenario)


@pytest.mark.parametrize(
    ("refusal", "error", "retry_after"),
    [
        (Refuse(status=409), AlreadyExistsError, None),
        (Refuse(status=409, reason="Conflict"), ConflictError, None),
        (Refuse(status=410), GoneError, None),
        (Refuse(status=422), InvalidError, None),
        (Refuse(status=429, retry_after_seconds=7), TransientKubeError, 7),
        (Refuse(status=500), TransientKubeError, None),
        (Refuse(status=503, retry_after_seconds=2), TransientKubeError, 2),
    ],
    ids=lambda value: f"{value.status} {value.reason}" if isinstance(value, Refuse) else None,
)
def test_a_refused_request_never_arrives(
    control_plane: Cluster, tmp_path: Path, refusal: Refuse, error: type[KubeError], retry_after: float | None
) -> None:
    async def scenario(scene: Scene) -> None:
        scene.proxy.add(Fault(refusal, match=CREATES))
        with pytest.raises(error) as refused:
            await scene.create("refused")
        assert (refused.value.status, refused.value.retry_after) == (refusal.status, retry_after)
        assert await scene.names() == set()
        await scene.create("refused")

    play(control_plane, tmp_path, scenario)


@pytest.mark.parametrize(("when", "there"), [(When.BEFORE, {"1"}), (When.AFTER, {"1", "2"})])
def test_a_kill_comes_at_the_nth_write(control_plane: Cluster, tmp_path: Path, when: When, there: set[str]) -> None:
    killed: list[None] = []

    async def scenario() -> None:
        file = tmp_path / "kubeconfig.yaml"
        async with (
            proxy_between(control_plane.kubeconfig, file, kill=lambda: killed.append(None)) as proxy,
            opened(file) as client,
            opened(control_plane.kubeconfig) as admin,
        ):
            scene = Scene(proxy, client, admin, await new_namespace(admin))
            proxy.add(Fault(Kill(when=when), match=Match(verbs=("write",)), nth=2))
            with pytest.raises(TransientKubeError):
                await scene.create("1", "2")
            assert await scene.names() == there

    asyncio.run(scenario())
    assert len(killed) == 1


def test_a_kill_without_a_victim_is_refused(control_plane: Cluster, tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        with pytest.raises(KillsNobodyError):
            scene.proxy.add(Fault(Kill()))

    play(control_plane, tmp_path, scenario)


def test_a_stale_list_is_the_real_one_of_an_earlier_moment(control_plane: Cluster, tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.proxy.add(Fault(Stale(), match=Match(verbs=("list",), resources=("configmaps",)), nth=2))
        await scene.create("old", of=scene.admin)
        assert await scene.names(scene.client) == {"old"}
        await scene.create("new", of=scene.admin)
        await delete_config_map(scene.admin, scene.namespace, "old")
        assert await scene.names(scene.client) == {"old"}
        assert await scene.names(scene.client) == {"new"}

    play(control_plane, tmp_path, scenario)


def test_a_watch_that_begins_in_the_past_tells_all_since(control_plane: Cluster, tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        path, own = CONFIG_MAPS.path(namespace=scene.namespace), {"labelSelector": "app=own"}
        await scene.names(scene.client)
        await scene.create("before", of=scene.admin)
        now = json.loads(await scene.admin.get(path, own))["metadata"]["resourceVersion"]
        scene.proxy.add(Fault(Stale(), match=Match(verbs=("watch",))))
        async with (
            asyncio.timeout(DEADLINE_SECONDS),
            aclosing(scene.client.stream(path, own | {"watch": "1", "resourceVersion": now})) as chunks,
        ):
            told = json.loads((await anext(chunks)).splitlines()[0])
        assert (told["type"], told["object"]["metadata"]["name"]) == ("ADDED", "before")

    play(control_plane, tmp_path, scenario)


def test_a_watch_is_cut_before_the_nth_event(control_plane: Cluster, tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.proxy.add(Fault(Cut(), match=WATCHES, nth=2))
        async with watching(scene.client, scene.namespace) as (known, watch):
            await eventually(lambda: watch.is_complete)
            await scene.create("1", "2", "3", of=scene.admin)
            await eventually(lambda: known.names == {"1", "2", "3"})
            assert known.lists == 1
        assert [seen.target.verb for seen in scene.proxy.seen] == ["watch"] * 3  # the first one is the list

    play(control_plane, tmp_path, scenario)


def test_a_watch_is_told_that_its_version_is_too_old(control_plane: Cluster, tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.proxy.add(Fault(Cut(status=410), match=WATCHES))
        async with watching(scene.client, scene.namespace) as (known, watch):
            await eventually(lambda: watch.is_complete)
            await scene.create("1", of=scene.admin)
            await eventually(lambda: known.names == {"1"})
            assert (known.lists, known.changes) == (2, [])

    play(control_plane, tmp_path, scenario)


def test_a_stalled_watch_tells_nothing_until_the_fault_is_over(control_plane: Cluster, tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        async with watching(scene.client, scene.namespace) as (known, watch):
            await eventually(lambda: watch.is_complete)
            with scene.proxy.during(Fault(Stall(), match=WATCHES)):
                await scene.create("1", "2", of=scene.admin)
                await eventually(lambda: bool(scene.proxy.strikes))
                assert known.names == set()
            await eventually(lambda: known.names == {"1", "2"})

    play(control_plane, tmp_path, scenario)


def test_a_skipped_event_is_never_told(control_plane: Cluster, tmp_path: Path) -> None:
    async def scenario(scene: Scene) -> None:
        scene.proxy.add(Fault(Skip(), match=Match(event="DELETED", name="1")))
        async with watching(scene.client, scene.namespace) as (known, watch):
            await eventually(lambda: watch.is_complete)
            await scene.create("1", of=scene.admin)
            await delete_config_map(scene.admin, scene.namespace, "1")
            await scene.create("2", of=scene.admin)
            await eventually(lambda: "2" in known.names)
            assert known.names == {"1", "2"}

    play(control_plane, tmp_path, scenario)


def test_who_is_behind_the_proxy_is_known_to_the_api_server(control_plane: Cluster, tmp_path: Path) -> None:
    """By account and by program: what a controller asks for is audited as its own."""
    control_plane.kubectl("create", "serviceaccount", "behind-the-proxy")
    account = control_plane.kubeconfig_for_service_account("default", "behind-the-proxy")

    async def scenario() -> None:
        file = tmp_path / "kubeconfig.yaml"
        async with proxy_between(account, file), KubeSession(await load_credentials(file)) as client:
            await client.get("/version")

    asyncio.run(scenario())
    lines = [json.loads(line) for line in control_plane.audit_log.read_text().splitlines()]
    own = [line for line in lines if line["user"]["username"] == "system:serviceaccount:default:behind-the-proxy"]
    assert [(line["requestURI"], line["userAgent"].partition("/")[0]) for line in own] == [
        ("/version", "periodicbuild")
    ]
