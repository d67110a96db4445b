"""A real HTTP server on loopback that takes what hooks post, and misbehaves as a test tells it to.

The one idea a newcomer would miss: a behaviour is an answer of `tests.loopback`, so whatever that can do can be one.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from tests.loopback import Loopback

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from ssl import SSLContext

    from tests.loopback import Answer

TEN_MEGABYTES = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One request, as it came."""

    method: str
    path: str
    """With the query."""
    headers: Mapping[str, str]
    body: bytes


@dataclass(slots=True, kw_only=True)
class Receiver:
    """A server that keeps what it was sent."""

    url: str = ""
    received: list[Received] = field(default_factory=list)


def answers(status: int, text: str = "", **headers: str) -> Answer:
    """Answer with a status and a body; underscores in the names of headers stand for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, text=text, headers=named)

    return answer


async def echoes(request: web.BaseRequest) -> web.StreamResponse:
    """Refuse, and quote the request with all of its secrets."""
    quoted = f"{request.path_qs} {request.headers.get('Authorization')}"
    return web.Response(status=403, reason=request.path, text=quoted, headers={"X-Path": request.path_qs})


async def never(_: web.BaseRequest) -> web.StreamResponse:
    """Take the request, and never answer."""
    await asyncio.Event().wait()
    return web.Response()


async def drips(request: web.BaseRequest) -> web.StreamResponse:
    """Begin an answer, and never end it."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"o")
    await asyncio.Event().wait()
    return response


async def floods(request: web.BaseRequest) -> web.StreamResponse:
    """Answer with far more than anybody wants to read."""
    response = web.StreamResponse(headers={"Content-Length": str(TEN_MEGABYTES)})
    await response.prepare(request)
    try:
        for _ in range(TEN_MEGABYTES // 100_000):
            await response.write(b"ok" * 50_000)
    except ConnectionError:
        pass  # the other side has seen enough
    return response


async def hangs_up(request: web.BaseRequest) -> web.StreamResponse:
    """Close the connection instead of answering."""
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def no_http(request: web.BaseRequest) -> web.StreamResponse:
    """Send something that is no HTTP."""
    assert isinstance(request.transport, asyncio.Transport)
    request.transport.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    request.transport.close()
    return web.Response()


@asynccontextmanager
async def receiving(*behaviours: Answer, tls: SSLContext | None = None) -> AsyncIterator[Receiver]:
    """Run a receiver that behaves so, one behaviour for each request; the last one for all further ones."""
    receiver, script = Receiver(), list(behaviours or [answers(200, "ok")])

    async def take(request: web.BaseRequest) -> web.StreamResponse:
        came = Received(method=request.method, path=request.path_qs, headers=request.headers, body=await request.read())
        receiver.received.append(came)
        behaviour = script.pop(0) if len(script) > 1 else script[0]
        return await behaviour(request)

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("no_proxy", "127.0.0.1")  # nothing of this machine comes between
        async with Loopback(take, tls=tls) as server:
            receiver.url = server.url
            yield receiver
