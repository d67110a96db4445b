"""What the tests of the API transport share: waiting, namespaces, and a proxy that makes faults.

The one idea a newcomer would miss: nothing of Kubernetes is faked.  Every answer comes from a real API server; the
proxy only loses, delays or refuses what passes through it.
"""

from __future__ import annotations

import asyncio
import uuid
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, Self

import aiohttp
import msgspec
from aiohttp import web

from periodicbuild.kube.connector import Connector, close_pool
from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.paths import Kind, Target, target_of
from periodicbuild.kube.session import WATCH_SILENCE_SECONDS, KubeSession

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from periodicbuild.kube.credentials import Credentials

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


class FaultProxy:
    """Stand between a session and the API server, on loopback and without TLS, and make what can go wrong go wrong."""

    def __init__(self, credentials: Credentials, folder: Path) -> None:
        self.kubeconfig = folder / "through-proxy.yaml"
        """Leads through this proxy, as the user of the credentials given."""
        self.user_agents: set[str] = set()
        self.targets: list[Target] = []
        """What was asked for, in the order in which it came; a watch when it began."""
        self._credentials = credentials
        self._runner = web.ServerRunner(web.Server(self._answer, handler_cancellation=True), shutdown_timeout=0.1)
        self._upstream: aiohttp.ClientSession | None = None
        self._open = asyncio.Event()
        self._flowing = asyncio.Event()
        self._refusals: list[web.Response] = []
        self._answers_to_lose = 0
        self._watch_version = ""
        self._downstream: set[asyncio.BaseTransport] = set()

    async def __aenter__(self) -> Self:
        """Listen on a free port."""
        self._open.set()
        self._flowing.set()
        connector = Connector(limit=0, ssl=self._credentials.ssl_context)
        self._upstream = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=None))
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.kubeconfig.write_text(_kubeconfig_of(f"http://127.0.0.1:{self._runner.addresses[0][1]}"))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Break off whatever is under way."""
        await self._runner.cleanup()
        if self._upstream is not None:
            await close_pool(self._upstream)

    @property
    def requests(self) -> int:
        """Count the requests that have come."""
        return len(self.targets)

    def refuse_next(self, status: int, *, times: int = 1, **headers: str) -> None:
        """Answer so many requests with a refusal; the API server never sees them."""
        self._refusals += [
            web.Response(status=status, headers={name.replace("_", "-"): value for name, value in headers.items()})
            for _ in range(times)
        ]

    def lose_next_answer(self, *, times: int = 1) -> None:
        """Carry so many requests out, and cut the connection instead of answering."""
        self._answers_to_lose = times

    def watch_next_from(self, version: str) -> None:
        """Ask for another resourceVersion than the next watch does."""
        self._watch_version = version

    def hold(self) -> None:
        """Keep requests from the API server, without a word to anyone."""
        self._open.clear()

    def silence(self) -> None:
        """Keep streams open and let nothing through."""
        self._flowing.clear()

    def let_through(self) -> None:
        """End `hold` and `silence`."""
        self._open.set()
        self._flowing.set()

    def cut(self) -> None:
        """Break every connection."""
        for transport in self._downstream:
            transport.close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.targets.append(target_of(request.method, request.path, request.query))
        self.user_agents.add(request.headers.get("User-Agent", ""))
        if request.transport is not None:
            self._downstream.add(request.transport)
        await self._open.wait()
        if self._refusals:
            return self._refusals.pop()
        return await self._forward(request)

    async def _forward(self, request: web.BaseRequest) -> web.StreamResponse:
        params = dict(request.query)
        if self._watch_version and "watch" in params:
            params["resourceVersion"], self._watch_version = self._watch_version, ""
        headers = {"Content-Type": request.headers.get("Content-Type", "application/json")}
        if token := await self._credentials.authorization():
            headers["Authorization"] = token
        url, body = self._credentials.server + request.path, await request.read()
        assert self._upstream is not None
        async with self._upstream.request(request.method, url, params=params, data=body, headers=headers) as answer:
            return await self._pass_on(request, answer)

    async def _pass_on(self, request: web.BaseRequest, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        if self._answers_to_lose:
            self._answers_to_lose -= 1
            await answer.read()
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        kept = {
            name: value for name, value in answer.headers.items() if name in ("Content-Type", "Date", "Retry-After")
        }
        response = web.StreamResponse(status=answer.status, headers=kept)
        await response.prepare(request)
        async for chunk in answer.content.iter_any():
            await self._flowing.wait()
            await response.write(chunk)
        await response.write_eof()
        return response


@asynccontextmanager
async def faulty(
    kubeconfig: Path, folder: Path, *, watch_silence_seconds: float = WATCH_SILENCE_SECONDS
) -> AsyncIterator[tuple[FaultProxy, KubeSession]]:
    """Open a session that leads through a proxy for faults."""
    async with (
        FaultProxy(await load_credentials(kubeconfig), folder) as proxy,
        KubeSession(await load_credentials(proxy.kubeconfig), watch_silence_seconds=watch_silence_seconds) as session,
    ):
        yield proxy, session


def _kubeconfig_of(server: str) -> str:
    return (
        "apiVersion: v1\nkind: Config\ncurrent-context: it\n"
        f"clusters: [{{name: it, cluster: {{server: '{server}'}}}}]\n"
        "contexts: [{name: it, context: {cluster: it}}]\n"
    )
