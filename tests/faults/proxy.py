"""The proxy: on loopback, without TLS, between a controller and its API server.

Must not know what a controller is.

The one idea a newcomer would miss: nothing of Kubernetes is faked.  Every answer but a refusal comes from a real API
server, which knows the caller: the proxy logs in with the credentials given, so the audit log shows their account and
the caller's own User-Agent.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Self

import aiohttp
import msgspec
from aiohttp import web
from multidict import CIMultiDict
from tests.faults.armed import Arsenal
from tests.faults.effects import Delay, Drop, Kill, Refuse, Stale, When, status_of
from tests.faults.script import Seen
from tests.faults.watches import BrokenOffError, pass_events
from yarl import URL

from periodicbuild.kube.connector import Connector, close_pool
from periodicbuild.kube.credentials import load_credentials
from periodicbuild.kube.paths import target_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tests.faults.armed import Armed, Strike
    from tests.faults.script import Fault

    from periodicbuild.kube.credentials import Credentials

LOOPBACK = "127.0.0.1"
NOT_PASSED_ON = frozenset(
    {"host", "authorization", "connection", "content-length", "transfer-encoding", "accept-encoding", "keep-alive"}
)
"""Headers that are about one connection, and the caller's log-in: the proxy has one of its own."""

NOT_PASSED_BACK = frozenset({"connection", "content-length", "transfer-encoding", "content-encoding", "keep-alive"})


class KillsNobodyError(Exception):
    """A script kills, and nobody has said whom."""


class _ListMetadata(msgspec.Struct, rename="camel"):
    resource_version: str = ""


class _List(msgspec.Struct):
    metadata: _ListMetadata = msgspec.field(default_factory=_ListMetadata)


class FaultProxy:
    """Pass requests on, and make what can go wrong go wrong: `async with FaultProxy(credentials, file) as proxy`."""

    def __init__(
        self,
        credentials: Credentials,
        kubeconfig: Path,
        *,
        kill: Callable[[], None] | None = None,
        tell: Callable[[Strike], None] = lambda _: None,
        port: int = 0,
    ) -> None:
        """`kill` ends the controller and returns when it is dead; `tell` is called for each strike."""
        self.kubeconfig = kubeconfig
        """Is written when the context begins, and leads through this proxy."""
        self.seen: list[Seen] = []
        """The requests, in the order in which they came; a watch when it began."""
        self._kill = kill
        self._credentials = credentials
        self._port = port
        self._arsenal = Arsenal(tell)
        self._runner = web.ServerRunner(web.Server(self._answer, handler_cancellation=True), shutdown_timeout=0.1)
        self._upstream: aiohttp.ClientSession | None = None
        self._downstream: set[asyncio.Transport] = set()
        self._first_versions: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        """Listen."""
        connector = Connector(limit=0, ssl=self._credentials.ssl_context)
        patience = aiohttp.ClientTimeout(total=None)
        self._upstream = aiohttp.ClientSession(connector=connector, timeout=patience)
        await self._runner.setup()
        await web.TCPSite(self._runner, LOOPBACK, self._port).start()
        self.kubeconfig.write_text(_kubeconfig_of(self.url))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Break off whatever is under way."""
        self.lift_all()
        await self._runner.cleanup()
        if self._upstream is not None:
            await close_pool(self._upstream)

    @property
    def url(self) -> str:
        """Give the address at which it listens."""
        return f"http://{LOOPBACK}:{self._runner.addresses[0][1]}"

    @property
    def requests(self) -> int:
        """Count the requests that have come."""
        return len(self.seen)

    @property
    def strikes(self) -> Sequence[Strike]:
        """Give what the faults have done, in order."""
        return self._arsenal.strikes

    def add(self, *faults: Fault) -> None:
        """Put faults in force, behind those that are."""
        for fault in faults:
            if isinstance(fault.effect, Kill) and self._kill is None:
                raise KillsNobodyError(f"{fault} kills, and nobody has said whom")
            self._arsenal.add(fault)

    def during(self, *faults: Fault) -> AbstractContextManager[None]:
        """Keep faults in force for as long as the context lasts; what waits for them goes on then."""
        return self._arsenal.during(*faults)

    def lift_all(self) -> None:
        """Put all faults out of force."""
        self._arsenal.lift()

    def cut(self) -> None:
        """Break every connection."""
        for transport in self._downstream:
            transport.abort()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        seen = await _seen(request)
        self.seen.append(seen)
        assert request.transport is not None
        self._downstream.add(request.transport)
        struck = self._arsenal.strike(seen)
        for armed in struck:
            if isinstance(armed.fault.effect, Delay):
                await armed.wait(armed.fault.effect.seconds)
        refusal = next((one.fault.effect for one in struck if isinstance(one.fault.effect, Refuse)), None)
        if refusal is not None:
            return _refused(refusal, is_create=seen.target.verb == "create")
        if self._is_broken_off(struck, When.BEFORE):
            return _hang_up(request)
        try:
            return await self._forward(request, seen, struck)
        except aiohttp.ClientError:  # the API server is away, or the caller is
            return _hang_up(request)

    def _is_broken_off(self, struck: Sequence[Armed], when: When) -> bool:
        """Tell whether the caller is to be left alone now, and kill it if it is to be killed."""
        effects = [one.fault.effect for one in struck if isinstance(one.fault.effect, Drop | Kill)]
        now = [effect for effect in effects if effect.when == when]
        if self._kill is not None and any(isinstance(effect, Kill) for effect in now):
            self._kill()
        return bool(now)

    async def _forward(self, request: web.BaseRequest, seen: Seen, struck: Sequence[Armed]) -> web.StreamResponse:
        headers = CIMultiDict((name, value) for name, value in request.headers.items() if _is_passed_on(name))
        headers["Accept"] = _without_protobuf(request.headers.get("Accept", "*/*"))
        headers["Accept-Encoding"] = "identity"
        if token := await self._credentials.authorization():
            headers["Authorization"] = token
        url = URL(f"{self._credentials.server}{self._at_version(request, seen, struck)}", encoded=True)
        assert self._upstream is not None
        async with self._upstream.request(
            request.method, url, data=seen.body or None, headers=headers, allow_redirects=False
        ) as answer:
            if answer.status == web.HTTPOk.status_code and _is_stream(seen, request.query):
                return await self._stream(request, seen, answer)
            return await self._whole(request, seen, answer, struck)

    def _at_version(self, request: web.BaseRequest, seen: Seen, struck: Sequence[Armed]) -> URL:
        """Give the address, in the past if a fault asks for it."""
        effect = next((one.fault.effect for one in struck if isinstance(one.fault.effect, Stale)), None)
        version = effect and (effect.version or self._first_versions.get(request.path))
        if not version or seen.target.verb not in {"list", "watch"} or "continue" in request.query:
            return request.rel_url
        exactly = {"resourceVersionMatch": "Exact"} if seen.target.verb == "list" else {}
        return request.rel_url.update_query({"resourceVersion": version, **exactly})

    async def _whole(
        self, request: web.BaseRequest, seen: Seen, answer: aiohttp.ClientResponse, struck: Sequence[Armed]
    ) -> web.StreamResponse:
        body = await answer.read()
        if seen.target.verb == "list" and answer.status == web.HTTPOk.status_code:
            self._first_versions.setdefault(request.path, _version_of(body))
        if self._is_broken_off(struck, When.AFTER):
            return _hang_up(request)
        return web.Response(status=answer.status, headers=_passed_back(answer), body=body)

    async def _stream(self, request: web.BaseRequest, seen: Seen, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=_passed_back(answer))
        await response.prepare(request)
        if seen.target.verb == "watch":
            try:
                await pass_events(answer.content, response.write, seen.target, self._arsenal)
            except BrokenOffError:
                return _hang_up(request)
        else:
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
        await response.write_eof()
        return response


@asynccontextmanager
async def proxy_between(
    upstream: Path,
    kubeconfig: Path,
    *,
    kill: Callable[[], None] | None = None,
    tell: Callable[[Strike], None] = lambda _: None,
) -> AsyncIterator[FaultProxy]:
    """Log in as the user of one kubeconfig, and write another that leads through the proxy."""
    async with FaultProxy(await load_credentials(upstream), kubeconfig, kill=kill, tell=tell) as proxy:
        yield proxy


async def _seen(request: web.BaseRequest) -> Seen:
    return Seen(
        target=target_of(request.method, request.path, request.query),
        is_dry_run="dryRun" in request.query,
        user_agent=request.headers.get("User-Agent", ""),
        body=await request.content.read(),
    )


def _is_passed_on(header: str) -> bool:
    return header.lower() not in NOT_PASSED_ON


def _without_protobuf(accept: str) -> str:
    """Ask for what the proxy can read; clients in Go prefer protobuf and take JSON."""
    offers = [offer for offer in accept.split(",") if "protobuf" not in offer]
    return ",".join(offers) or "application/json"


def _passed_back(answer: aiohttp.ClientResponse) -> CIMultiDict[str]:
    return CIMultiDict((name, value) for name, value in answer.headers.items() if name.lower() not in NOT_PASSED_BACK)


def _is_stream(seen: Seen, query: Mapping[str, str]) -> bool:
    return seen.target.verb == "watch" or query.get("follow") in {"1", "true"}


def _version_of(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_List).metadata.resource_version
    except msgspec.DecodeError:
        return ""


def _refused(refusal: Refuse, *, is_create: bool) -> web.Response:
    body = msgspec.json.encode(status_of(refusal, is_create=is_create))
    retry = {"Retry-After": str(refusal.retry_after_seconds)} if refusal.retry_after_seconds else {}
    return web.Response(status=refusal.status, body=body, content_type="application/json", headers=retry)


def _hang_up(request: web.BaseRequest) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()  # which nobody gets


def _kubeconfig_of(server: str) -> str:
    return (
        "apiVersion: v1\nkind: Config\ncurrent-context: it\n"
        f"clusters: [{{name: it, cluster: {{server: '{server}'}}}}]\n"
        "contexts: [{name: it, context: {cluster: it}}]\n"
    )
