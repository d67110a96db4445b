"""A real HTTP server on loopback that plays the API server where it answers as a real one never would on demand.

Only for faults of transport: what a request means is tested against a real API server.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Self

import msgspec
from aiohttp import web

from periodicbuild.kube.credentials import Credentials
from periodicbuild.kube.session import WATCH_SILENCE_SECONDS, KubeSession, ignore_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path
    from ssl import SSLContext

    from kubernetes.aio.client import Configuration

    from periodicbuild.kube.session import OnRequest

    Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

TOKEN = "a-token-that-nobody-may-read"  # noqa: S105 - it opens nothing
"""What every session shows; no log and no exception may hold it."""

DEADLINE_SECONDS = 20
"""How long a condition may take to come true on a busy machine."""


class Loopback:
    """Answer every request as a test says, until the context ends."""

    def __init__(self, answer: Answer, *, tls: SSLContext | None = None) -> None:
        self.requests: list[tuple[str, str]] = []
        """Method and path with query, in the order in which they came."""
        self.url = ""
        self._answer = answer
        self._tls = tls
        self._runner = web.ServerRunner(web.Server(self._note, handler_cancellation=True), shutdown_timeout=0.1)

    async def __aenter__(self) -> Self:
        """Listen on a free port."""
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls).start()
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        """Break off what is under way."""
        await self._runner.cleanup()

    async def _note(self, request: web.BaseRequest) -> web.StreamResponse:
        self.requests.append((request.method, request.path_qs))
        return await self._answer(request)


async def credentials_for(
    url: str, ca_file: Path | None = None, *, monotonic: Callable[[], float] = time.monotonic
) -> Credentials:
    """Give the credentials of nobody in particular."""

    async def read(configuration: Configuration) -> None:
        configuration.host = url
        configuration.api_key["BearerToken"] = f"Bearer {TOKEN}"
        configuration.ssl_ca_cert = None if ca_file is None else str(ca_file)

    credentials = Credentials(read, "a test", monotonic=monotonic)
    await credentials.load()
    return credentials


@asynccontextmanager
async def talking_to(
    answer: Answer,
    *,
    on_request: OnRequest = ignore_request,
    watch_silence_seconds: float = WATCH_SILENCE_SECONDS,
) -> AsyncIterator[tuple[Loopback, KubeSession]]:
    """Open a session with a server that answers so."""
    async with Loopback(answer) as server:
        credentials = await credentials_for(server.url)
        session = KubeSession(credentials, on_request=on_request, watch_silence_seconds=watch_silence_seconds)
        async with session:
            yield server, session


def json_answer(body: object, status: int = HTTPStatus.OK, **headers: str) -> web.Response:
    """Answer with JSON; underscores in the names of headers stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json", headers=named)


def is_list_by_watch(request: web.BaseRequest) -> bool:
    """Tell whether a watch is asked to begin with a list, which `no_list_by_watch` refuses."""
    return "sendInitialEvents" in request.query


def no_list_by_watch() -> web.Response:
    """Answer as an API server does that has lists in pages only."""
    return json_answer({"code": 422, "reason": "Invalid"}, HTTPStatus.UNPROCESSABLE_ENTITY)


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds; fails after DEADLINE_SECONDS."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():  # noqa: ASYNC110 - what it waits for is another task
            await asyncio.sleep(0.005)
