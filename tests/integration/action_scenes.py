"""What the operator does for one PeriodicBuild, action by action, through a proxy on a real API server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

import msgspec
from tests.integration.kube_support import faulty, new_namespace
from tests.schema.installed import install
from tests.schema.manifests import TEMPLATE

from periodicbuild.kube.kinds import PERIODIC_BUILDS
from periodicbuild.kube.parse import periodic_build_from_json
from periodicbuild.kube.writer import Writer, WriterSettings
from periodicbuild.wiring.actions import Actions
from periodicbuild.wiring.clock import Clock
from periodicbuild.wiring.lookups import Lookups
from periodicbuild.wiring.store import Store

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from tests.cluster.cluster import Cluster
    from tests.faults.proxy import FaultProxy

    from periodicbuild.core.facts import PeriodicBuild
    from periodicbuild.core.inputs import Finding, Source
    from periodicbuild.kube.session import KubeSession


class Nobody:
    """Knows no source, and is not asked for one."""

    async def find(self, source: Source, max_age: float) -> tuple[Finding, float]:
        """Fail."""
        raise AssertionError(f"{source.name} was asked for, no older than {max_age} s")


class ActionScene:
    """One PeriodicBuild, and what carries out its actions."""

    def __init__(self, proxy: FaultProxy, session: KubeSession, writer: Writer, build: PeriodicBuild) -> None:
        self.proxy = proxy
        self.session = session
        self.build = build
        self.store = Store(lambda _: None)
        clock = Clock()
        lookups = Lookups(Nobody(), self.store, clock, lambda _: None)
        self.actions = Actions(session, writer, self.store, clock, lookups)


S = TypeVar("S", bound=ActionScene)


def play_in(scene: type[S], cluster: Cluster, folder: Path, scenario: Callable[[S], Awaitable[None]]) -> None:
    """Play a scenario in a namespace of its own."""
    install(cluster)

    async def played() -> None:
        async with (
            faulty(cluster.kubeconfig, folder) as (proxy, session),
            Writer(session, WriterSettings()) as writer,
        ):
            namespace = await new_namespace(session)
            body = {"metadata": {"name": "nightly"}, "spec": {"template": TEMPLATE}}
            kind = {"apiVersion": PERIODIC_BUILDS.api_version, "kind": "PeriodicBuild"}
            path = PERIODIC_BUILDS.path(namespace=namespace)
            made = await session.request("POST", path, msgspec.json.encode(kind | body))
            await scenario(scene(proxy, session, writer, periodic_build_from_json(made)))

    asyncio.run(played())
