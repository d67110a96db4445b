"""A store, and what may be told to it: each step is a function of the store, so that tables can list them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.builders import a_build, a_pod, an_app_server

from periodicbuild.kube.parse import StoredBuild
from periodicbuild.wiring.keys import Key
from periodicbuild.wiring.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from periodicbuild.core.facts import AppServer, PeriodicBuild, Pod

BUILD = a_build()
NAME = (BUILD.ref.namespace, BUILD.ref.name)
SERVER = an_app_server(BUILD)
SERVER_NAME = (SERVER.ref.namespace, SERVER.ref.name)
POD = a_pod(SERVER)
BUILD_KEY = Key("PeriodicBuild", *NAME)
SERVER_KEY = Key("AppServer", *SERVER_NAME)
NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def a_store(*steps: Callable[[Store], None]) -> Store:
    """Give a store after some steps."""
    store = Store(lambda _: None)
    for step in steps:
        step(store)
    return store


def woken_by(step: Callable[[Store], None], *before: Callable[[Store], None]) -> list[Key]:
    """Give the keys that a step asks to look at."""
    keys: list[Key] = []
    store = Store(keys.append)
    for earlier in before:
        earlier(store)
    keys.clear()
    step(store)
    return sorted(set(keys))


def stored(build: PeriodicBuild) -> StoredBuild:
    """Give a PeriodicBuild as the store keeps it."""
    return StoredBuild(build=build, ledger_json=b"[]")


def put_build(version: str = "100", *, uid: str = BUILD.ref.uid) -> Callable[[Store], None]:
    """Tell of a version of the PeriodicBuild."""
    build = replace(BUILD, resource_version=version, ref=replace(BUILD.ref, uid=uid))
    return lambda store: store.put_build(stored(build))


def remove_build(uid: str = BUILD.ref.uid) -> Callable[[Store], None]:
    """Tell that it is gone."""
    return lambda store: store.remove_build(replace(BUILD.ref, uid=uid))


def put_server(version: str = "200", *, uid: str = SERVER.ref.uid, of: AppServer = SERVER) -> Callable[[Store], None]:
    """Tell of a version of the AppServer."""
    server = replace(of, resource_version=version, ref=replace(of.ref, uid=uid))
    return lambda store: store.put_app_server(server)


def remove_server(uid: str = SERVER.ref.uid) -> Callable[[Store], None]:
    """Tell that it is gone."""
    return lambda store: store.remove_app_server(replace(SERVER.ref, uid=uid))


def put_pod(version: str = "300", *, uid: str = POD.ref.uid, of: Pod = POD) -> Callable[[Store], None]:
    """Tell of a version of the pod."""
    pod = replace(of, resource_version=version, ref=replace(of.ref, uid=uid))
    return lambda store: store.put_pod(pod)


def remove_pod(version: str = "300", *, uid: str = POD.ref.uid) -> Callable[[Store], None]:
    """Tell that it is gone."""
    pod = replace(POD, resource_version=version, ref=replace(POD.ref, uid=uid))
    return lambda store: store.remove_pod(pod)


def what_is_there(store: Store) -> list[tuple[str, str]]:
    """Give uid and version of all that exists."""
    builds = [(one.build.ref.uid, one.build.resource_version) for one in store.builds.values()]
    servers = [(one.ref.uid, one.resource_version) for one in store.app_servers.values()]
    pods = [(one.ref.uid, one.resource_version) for one in store.pods.values() if not one.is_gone]
    return [*builds, *servers, *pods]
