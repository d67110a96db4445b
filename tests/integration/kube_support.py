"""What the tests of the API transport share: waiting, namespaces, and sessions that lead through the fault proxy."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec
from tests.faults.proxy import FaultProxy, proxy_between

from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.paths import Kind
from periodicbuild.kube.session import WATCH_SILENCE_SECONDS, KubeSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

CONFIG_MAPS = Kind("", "v1", "configmaps")
NAMESPACES = Kind("", "v1", "namespaces")
PODS = Kind("", "v1", "pods")
QUOTAS = Kind("", "v1", "resourcequotas")

DEADLINE_SECONDS = 60
"""How long a condition may take to come true: an API server's restart on a busy machine, with a margin."""


class ControlPlane(Protocol):
    """The part of the local cluster that these tests use."""

    @property
    def kubeconfig(self) -> Path:
        """Give the administrator's kubeconfig."""

    def kubectl(self, *args: str, input: str | None = None) -> str:
        """Run kubectl as administrator."""

    def kubeconfig_for_service_account(self, namespace: str, name: str) -> Path:
        """Give the kubeconfig of a service account."""

    def stop_api_server(self) -> None:
        """Stop it."""

    def start_api_server(self) -> None:
        """Start it and wait until it is ready."""

    def restart_api_server(self) -> None:
        """Do both."""


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds; fails after DEADLINE_SECONDS."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():  # noqa: ASYNC110 - what it waits for is another process
            await asyncio.sleep(0.02)


@asynccontextmanager
async def opened(kubeconfig: Path) -> AsyncIterator[KubeSession]:
    """Open a session with a kubeconfig."""
    async with KubeSession(await load_credentials(kubeconfig)) as session:
        yield session


async def new_namespace(session: KubeSession) -> str:
    """Make a namespace of its own for one test."""
    name = f"test-{uuid.uuid4().hex[:10]}"
    await session.request("POST", NAMESPACES.path(), msgspec.json.encode({"metadata": {"name": name}}))
    return name


def a_config_map(name: str, **labels: str) -> bytes:
    """Render a small object of a kind that nothing acts on."""
    return msgspec.json.encode({"metadata": {"name": name, "labels": labels}})


async def create_config_map(session: KubeSession, namespace: str, name: str, **labels: str) -> None:
    """Create one."""
    await session.request("POST", CONFIG_MAPS.path(namespace=namespace), a_config_map(name, **labels))


async def delete_config_map(session: KubeSession, namespace: str, name: str) -> None:
    """Delete one."""
    await session.request("DELETE", CONFIG_MAPS.path(namespace=namespace, name=name))


@asynccontextmanager
async def faulty(
    kubeconfig: Path, folder: Path, *, watch_silence_seconds: float = WATCH_SILENCE_SECONDS
) -> AsyncIterator[tuple[FaultProxy, KubeSession]]:
    """Open a session that leads through a proxy for faults."""
    async with (
        proxy_between(kubeconfig, folder / "through-proxy.yaml") as proxy,
        KubeSession(await load_credentials(proxy.kubeconfig), watch_silence_seconds=watch_silence_seconds) as session,
    ):
        yield proxy, session
