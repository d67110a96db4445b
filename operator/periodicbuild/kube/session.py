"""The one HTTP session of the hot path: sends requests, times them, and turns refusals into exceptions.

Must not know what is asked for: bytes go in, bytes come out.  `decode` and `encode` are for callers.

The one idea a newcomer would miss: watches have connections of their own.  They stay open for minutes, so in one
pool with the writes they would eat its 32 places, and a herd of writes would keep a broken watch from coming back.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Self, TypeAlias

import aiohttp

from periodicbuild.kube.answers import error_from_answer, error_without_answer
from periodicbuild.kube.connector import Connector, close_pool
from periodicbuild.kube.errors import NO_ANSWER
from periodicbuild.kube.paths import Target, target_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping
    from types import TracebackType

    from periodicbuild.kube.credentials import Credentials

    OnRequest = Callable[[Target, int, float], None]
    Body: TypeAlias = bytes | aiohttp.BytesPayload | None

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"

CONNECTIONS = 32
"""For everything but watches; 64 were measured to be no faster (reference/prototype.md 2)."""

REQUEST_TIMEOUT = aiohttp.ClientTimeout(total=30, sock_connect=5)
"""Seconds.  The API server itself gives up on a request after 60; TLS handshakes are part of the 5."""

WATCH_SILENCE_SECONDS = 80.0
"""Bookmarks come once a minute, so a stream silent for longer is dead, whatever TCP believes."""

HALF_A_SECOND = timedelta(seconds=0.5)
"""The Date header is cut to seconds, so on average it lies half of one in the past."""

NO_CONNECTION = (aiohttp.ClientError, TimeoutError, OSError)
"""All that can happen to a request that gets no complete answer."""


def ignore_request(_target: Target, _code: int, _seconds: float) -> None:
    """Count nothing: the observer where nobody asks for metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """One request as it goes out, so that it can go out a second time with a newer token."""

    target: Target
    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: Body = None
    content_type: str = JSON
    accept: str = JSON


class KubeSession:
    """Talk to one API server: `async with KubeSession(await load_credentials()) as session`."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        on_request: OnRequest = ignore_request,
        agent: str = "",
        watch_silence_seconds: float = WATCH_SILENCE_SECONDS,
    ) -> None:
        """`on_request` is called after each request with target, HTTP status (0: no answer) and seconds.

        `agent` tells replicas apart in the API server's audit log.
        """
        self._server_zero: datetime | None = None
        self._credentials = credentials
        self._on_request = on_request
        self._user_agent = f"periodicbuild/{version('periodicbuild')} {agent}".rstrip()
        self.watch_silence_seconds = watch_silence_seconds
        """After so long without a byte a stream is given up."""
        self._last_date = ""
        self._requests: aiohttp.ClientSession | None = None
        self._watches: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Open the two connection pools; connections themselves are made when needed."""
        self._requests = self._pool(limit=CONNECTIONS, timeout=REQUEST_TIMEOUT)
        patience = aiohttp.ClientTimeout(total=None, sock_connect=5, sock_read=self.watch_silence_seconds)
        self._watches = self._pool(limit=0, timeout=patience)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection; what is still in flight is lost, so stop the watches and the writer first."""
        for pool in (self._requests, self._watches):
            if pool is not None:
                await close_pool(pool)

    def server_now(self) -> datetime | None:
        """Give the server's time, true to about a second; None before its first answer (R9).

        From the last answer on it is carried on by the monotonic clock, so that a step of our own clock shows at once.
        """
        return None if self._server_zero is None else self._server_zero + timedelta(seconds=time.monotonic())

    async def get(self, path: str, params: Mapping[str, str] | None = None, accept: str = JSON) -> bytes:
        """Read one object or one page of a list; raises KubeError."""
        params = params or {}
        call = _Call(target=target_of("GET", path, params), method="GET", path=path, params=params, accept=accept)
        return await self._answer(call)

    async def request(
        self,
        method: str,
        path: str,
        body: Body = None,
        content_type: str = JSON,
        params: Mapping[str, str] | None = None,
    ) -> bytes:
        """Send a request and give the body of the answer; raises KubeError for everything but 2xx.

        A TransientKubeError may mean that the request was carried out and only its answer was lost.
        """
        call = _Call(
            target=target_of(method, path, params or {}),
            method=method,
            path=path,
            params=params or {},
            body=body,
            content_type=content_type,
        )
        return await self._answer(call)

    async def _answer(self, call: _Call) -> bytes:
        started_at, code = time.monotonic(), NO_ANSWER
        try:
            async with await self._send(_opened(self._requests), call) as response:
                content = await response.read()
            code = response.status
        except NO_CONNECTION as error:
            raise error_without_answer(call.target, _why(error)) from None  # its repr shows the request's token
        finally:
            self._on_request(call.target, code, time.monotonic() - started_at)
        _raise_if_refused(call.target, response, content)
        return content

    async def read_end(self, path: str, params: Mapping[str, str], *, size: int) -> bytes:
        """Read something long, such as a log, and keep the last `size` bytes; raises KubeError."""
        target = target_of("GET", path, params)
        call = _Call(target=target, method="GET", path=path, params=params)
        started_at, code, end = time.monotonic(), NO_ANSWER, b""
        try:
            async with await self._send(_opened(self._requests), call) as response:
                code = response.status
                if response.status >= HTTPStatus.MULTIPLE_CHOICES:
                    _raise_if_refused(target, response, await response.read())
                async for chunk in response.content.iter_any():
                    end = (end + chunk)[-size:]
        except NO_CONNECTION as error:
            raise error_without_answer(target, _why(error)) from None
        finally:
            self._on_request(target, code, time.monotonic() - started_at)
        return end

    async def stream(self, path: str, params: Mapping[str, str]) -> AsyncGenerator[bytes]:
        """Yield a watch's bytes as they arrive, cut anywhere; ends when the server ends it, raises KubeError.

        Iterate under `contextlib.aclosing`: only that gives the connection back at once.
        """
        target = target_of("GET", path, params)
        call = _Call(target=target, method="GET", path=path, params=params)
        started_at, code = time.monotonic(), NO_ANSWER
        try:
            async with await self._send(_opened(self._watches), call) as response:
                code = response.status
                if response.status >= HTTPStatus.MULTIPLE_CHOICES:
                    _raise_if_refused(target, response, await response.read())
                async for chunk in response.content.iter_any():
                    yield chunk
        except NO_CONNECTION as error:
            raise error_without_answer(target, _why(error)) from None
        finally:
            self._on_request(target, code, time.monotonic() - started_at)

    async def _send(self, pool: aiohttp.ClientSession, call: _Call) -> aiohttp.ClientResponse:
        """Send with the current credentials and, if they are refused and newer ones exist, once more with those."""
        token, context = await self._credentials.authorization(), self._credentials.ssl_context
        try:
            response = await self._send_as(pool, call, token)
        except aiohttp.ClientConnectorCertificateError:
            if not await self._credentials.renew_trust(context):
                raise
            response = await self._send_as(pool, call, await self._credentials.authorization())
        if response.status == HTTPStatus.UNAUTHORIZED and await self._credentials.renew(token):
            response.close()  # with what is left of the refusal
            response = await self._send_as(pool, call, await self._credentials.authorization())
        self._note_clock(response.headers.get("Date", ""))
        return response

    async def _send_as(self, pool: aiohttp.ClientSession, call: _Call, token: str | None) -> aiohttp.ClientResponse:
        headers = {"Accept": call.accept}
        if token:
            headers["Authorization"] = token
        if call.body is not None:
            headers["Content-Type"] = call.content_type
        return await pool.request(
            call.method,
            self._credentials.server + call.path,
            params=call.params,
            data=call.body,
            headers=headers,
            allow_redirects=False,  # an API server never redirects, and a token must not follow one
            ssl=self._credentials.ssl_context or True,  # a connection of another context is never used again
            proxy=self._credentials.proxy,
            server_hostname=self._credentials.server_hostname,
        )

    def _pool(self, *, limit: int, timeout: aiohttp.ClientTimeout) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=Connector(limit=limit, ssl=self._credentials.ssl_context),
            timeout=timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={
                "User-Agent": self._user_agent,
                "Accept-Encoding": "identity",  # gzip costs the API server more than the network inside a cluster
            },
        )

    def _note_clock(self, date: str) -> None:
        """Compare clocks when the server's second begins: the first answer that shows it is the nearest to it."""
        if date == self._last_date:
            return
        self._last_date = date
        try:
            server = parsedate_to_datetime(date)
        except ValueError:
            return
        if server.tzinfo is None:  # "-0000" says: UTC, and nothing about where the sender is
            server = server.replace(tzinfo=UTC)
        self._server_zero = server + HALF_A_SECOND - timedelta(seconds=time.monotonic())


def _opened(pool: aiohttp.ClientSession | None) -> aiohttp.ClientSession:
    if pool is None:
        raise RuntimeError("this KubeSession was not entered; use it as `async with KubeSession(...) as session`")
    return pool


def _raise_if_refused(target: Target, response: aiohttp.ClientResponse, content: bytes) -> None:
    if response.status >= HTTPStatus.MULTIPLE_CHOICES:
        raise error_from_answer(target, response.status, content, response.headers)


def _why(error: Exception) -> str:
    """Say what broke; a time-out has no words of its own."""
    return f"{type(error).__name__}: {error}".removesuffix(": ")
