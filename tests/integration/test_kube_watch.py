"""A ListWatch sees everything, whatever happens between it and the API server."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

import pytest
from tests.faults.effects import Delay, Refuse, Stale, Stall
from tests.faults.script import ALWAYS, Fault, Match
from tests.integration.kube_support import (
    create_config_map,
    delete_config_map,
    eventually,
    faulty,
    new_namespace,
    opened,
)
from tests.integration.watching import watching

from periodicbuild.kube.changes import ChangeType
from periodicbuild.kube.watch import PAGE_SIZE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.kube_support import ControlPlane

    from periodicbuild.kube.session import KubeSession

pytestmark = pytest.mark.control_plane

SHORT_SILENCE_SECONDS = 1.0
ROOT_CA = "kube-root-ca.crt"
"""A ConfigMap that Kubernetes puts into every namespace."""


@pytest.mark.parametrize("is_old", [False, True], ids=["told by a watch", "in pages, as older servers have them"])
def test_it_sees_all_that_is_there(control_plane: ControlPlane, tmp_path: Path, *, is_old: bool) -> None:
    names = {f"cm-{number}" for number in range(PAGE_SIZE + 20)}

    async def scenario() -> None:
        async with (
            opened(control_plane.kubeconfig) as admin,
            faulty(control_plane.kubeconfig, tmp_path) as (proxy, session),
        ):
            namespace = await new_namespace(admin)
            await asyncio.gather(*(create_config_map(admin, namespace, name, app="own") for name in names))
            if is_old:
                proxy.add(Fault(Refuse(status=422)))
            async with watching(session, namespace) as (known, watch):
                assert not watch.is_complete
                await eventually(lambda: watch.is_complete)
                assert (known.names, known.lists) == (names, 1)
                assert [seen.target.verb for seen in proxy.seen].count("list") == (2 if is_old else 0)

    asyncio.run(scenario())


def test_it_sees_each_kind_of_change_and_only_what_it_asked_for(control_plane: ControlPlane) -> None:
    async def scenario() -> None:
        async with opened(control_plane.kubeconfig) as session:
            namespace, other = await new_namespace(session), await new_namespace(session)
            async with watching(session, namespace) as (known, watch):
                await eventually(lambda: watch.is_complete)
                await create_config_map(session, other, "elsewhere", app="own")
                await create_config_map(session, namespace, "unlabelled")
                await create_config_map(session, namespace, "one", app="own")
                control_plane.kubectl("-n", namespace, "annotate", "configmap", "one", "a=b")
                await delete_config_map(session, namespace, "one")
                await eventually(lambda: len(known.changes) == 3)
                assert known.changes == [(change, "one") for change in ChangeType]

    asyncio.run(scenario())


def test_it_follows_all_namespaces(control_plane: ControlPlane) -> None:
    async def scenario() -> None:
        async with opened(control_plane.kubeconfig) as session:
            one, two = await new_namespace(session), await new_namespace(session)
            async with watching(session, "", f"run={one}") as (known, watch):
                await create_config_map(session, one, "in-one", run=one)
                await create_config_map(session, two, "in-two", run=one)
                await eventually(lambda: watch.is_complete and known.names == {"in-one", "in-two"})

    asyncio.run(scenario())


def test_it_survives_a_restart_of_the_api_server_and_speaks_of_it_twice(
    control_plane: ControlPlane, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with opened(control_plane.kubeconfig) as session:
            namespace = await new_namespace(session)
            async with watching(session, namespace) as (known, watch):
                await eventually(lambda: watch.is_complete)
                await asyncio.to_thread(control_plane.restart_api_server)
                await create_config_map(session, namespace, "after", app="own")
                await eventually(lambda: "after" in known.names)

    with caplog.at_level(logging.INFO, logger="periodicbuild"):
        asyncio.run(scenario())
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_it_resumes_where_it_was_cut_without_a_new_list(control_plane: ControlPlane, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            opened(control_plane.kubeconfig) as admin,
            faulty(control_plane.kubeconfig, tmp_path) as (proxy, session),
        ):
            namespace = await new_namespace(admin)
            await create_config_map(admin, namespace, "doomed", app="own")
            async with watching(session, namespace) as (known, _):
                await eventually(lambda: known.names == {"doomed"})
                with proxy.during(Fault(Delay(), times=ALWAYS)):
                    proxy.cut()
                    await delete_config_map(admin, namespace, "doomed")
                    await create_config_map(admin, namespace, "newborn", app="own")
                await eventually(lambda: known.names == {"newborn"})
                assert (known.lists, known.changes[0]) == (1, (ChangeType.DELETED, "doomed"))

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "version",
    [
        pytest.param("1", id="too old: the server says 410"),
        pytest.param("999999999", id="newer than the server's, as after a restore: it says nothing"),
    ],
)
def test_what_vanished_in_a_gap_that_the_server_cannot_fill_is_found_by_a_list(
    control_plane: ControlPlane, tmp_path: Path, version: str
) -> None:
    async def scenario() -> None:
        async with (
            opened(control_plane.kubeconfig) as admin,
            faulty(control_plane.kubeconfig, tmp_path, watch_silence_seconds=SHORT_SILENCE_SECONDS) as (proxy, session),
        ):
            namespace = await new_namespace(admin)
            await create_config_map(admin, namespace, "doomed", app="own")
            async with watching(session, namespace) as (known, _):
                await eventually(lambda: known.names == {"doomed"} and proxy.seen[-1].target.verb == "watch")
                proxy.add(Fault(Stale(version=version), match=Match(verbs=("watch",))))
                with proxy.during(Fault(Delay(), times=ALWAYS)):
                    proxy.cut()
                    await delete_config_map(admin, namespace, "doomed")
                await eventually(lambda: known.names == set())
                assert known.changes == []

    asyncio.run(scenario())


def test_a_list_that_is_asked_for_is_complete_and_no_older_than_the_asking(control_plane: ControlPlane) -> None:
    async def scenario() -> None:
        async with opened(control_plane.kubeconfig) as session:
            namespace = await new_namespace(session)
            async with watching(session, namespace) as (known, watch):
                await eventually(lambda: watch.is_complete)
                names = {f"cm-{number}" for number in range(PAGE_SIZE + 20)}
                await asyncio.gather(*(create_config_map(session, namespace, name, app="own") for name in names))
                known.names = {"deleted-unseen"}
                await watch.relist()
                assert (known.names, known.lists) == (names, 2)
                await create_config_map(session, namespace, "after", app="own")
                await eventually(lambda: "after" in known.names)
                assert known.lists == 2

    asyncio.run(scenario())


def test_a_list_that_is_asked_for_during_an_outage_comes_when_it_is_over(
    control_plane: ControlPlane, tmp_path: Path
) -> None:
    async def scenario() -> None:
        async with (
            opened(control_plane.kubeconfig) as admin,
            faulty(control_plane.kubeconfig, tmp_path) as (proxy, session),
        ):
            namespace = await new_namespace(admin)
            async with watching(session, namespace) as (known, watch):
                await eventually(lambda: watch.is_complete)
                with proxy.during(Fault(Delay(), times=ALWAYS)):
                    proxy.cut()
                    asking = asyncio.create_task(watch.relist())
                    await create_config_map(admin, namespace, "meanwhile", app="own")
                    assert not asking.done()
                await asking
                assert "meanwhile" in known.names

    asyncio.run(scenario())


def test_a_stream_that_is_open_and_silent_is_left_for_a_new_one(control_plane: ControlPlane, tmp_path: Path) -> None:
    async def scenario() -> None:
        async with (
            opened(control_plane.kubeconfig) as admin,
            faulty(control_plane.kubeconfig, tmp_path, watch_silence_seconds=SHORT_SILENCE_SECONDS) as (proxy, session),
        ):
            namespace = await new_namespace(admin)
            async with watching(session, namespace) as (known, watch):
                await eventually(lambda: watch.is_complete)
                with proxy.during(Fault(Stall(), match=Match(event="*")), Fault(Delay(), times=ALWAYS)):
                    await create_config_map(admin, namespace, "unheard", app="own")
                    silent_since, requests = watch.last_activity, proxy.requests
                    await eventually(lambda: proxy.requests > requests)
                    assert watch.last_activity == silent_since
                await eventually(lambda: known.names == {"unheard"})
                assert time.monotonic() - watch.last_activity < SHORT_SILENCE_SECONDS
                assert watch.is_complete

    asyncio.run(scenario())


def test_missing_permissions_are_waited_for_and_said_once(
    control_plane: ControlPlane, caplog: pytest.LogCaptureFixture
) -> None:
    async def scenario() -> None:
        async with opened(control_plane.kubeconfig) as admin:
            namespace = await new_namespace(admin)
            control_plane.kubectl("-n", namespace, "create", "serviceaccount", "reader")
            async with opened(control_plane.kubeconfig_for_service_account(namespace, "reader")) as session:
                await see_nothing_then_all(session, namespace)

    async def see_nothing_then_all(session: KubeSession, namespace: str) -> None:
        async with watching(session, namespace, "") as (known, watch):
            await eventually(lambda: len(caplog.records) == 1)
            assert not watch.is_complete
            control_plane.kubectl(
                "-n", namespace, "create", "role", "read", "--verb=list,watch", "--resource=configmaps"
            )
            control_plane.kubectl(
                "-n", namespace, "create", "rolebinding", "read", "--role=read", f"--serviceaccount={namespace}:reader"
            )
            await eventually(lambda: watch.is_complete and ROOT_CA in known.names)

    with caplog.at_level(logging.WARNING, logger="periodicbuild"):
        asyncio.run(scenario())
    assert len(caplog.records) == 1
