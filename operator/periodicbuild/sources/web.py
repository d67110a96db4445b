"""HTTP to hosts that others have chosen: guarded at each step, and bounded in time, size and redirects.

Must not know what is asked.

The one idea a newcomer would miss: redirects are followed by hand.  Each is a new request that somebody else has
written, so it is judged like the first, and never leaves the host.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

import aiohttp
from aiohttp.abc import AbstractResolver

from periodicbuild.remote.silence import why_silent
from periodicbuild.sources.hosts import address_of, inside
from periodicbuild.sources.problems import SourceError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path
    from urllib.parse import SplitResult

    from aiohttp.abc import ResolveResult

    from periodicbuild.sources.hosts import HostRules

MOST_REDIRECTS: Final = 3
CHUNK: Final = 65_536
CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 10.0
"""Between two pieces of an answer; how long everything may take is the caller's matter."""
CONNECTIONS: Final = 64
TRUSTED_FOR_SECONDS: Final = 60.0

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})


class _InsideError(OSError):
    """A name stands only for addresses that nobody may be asked at."""


class GuardedResolver(AbstractResolver):
    """Resolve names, and give out only addresses that may be connected to."""

    def __init__(self, rules: HostRules) -> None:
        self._rules = rules
        self._resolver = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve a name; raises OSError if nothing is left."""
        found = await self._resolver.resolve(host, port, family)
        good = [one for one in found if (ip := address_of(one["host"])) and self._rules.may_connect(host, ip)]
        if not good:
            raise _InsideError(host)
        return good

    async def close(self) -> None:
        """Let it go."""
        await self._resolver.close()


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer whose body has not been read."""

    url: str
    """After redirects."""
    host: str
    response: aiohttp.ClientResponse

    @property
    def status(self) -> int:
        """Give the status."""
        return self.response.status

    def header(self, name: str) -> str:
        """Give a header; empty = there is none."""
        return self.response.headers.get(name, "")

    async def chunks(self, largest: int) -> AsyncIterator[bytes]:
        """Read the body piece by piece; raises SourceError once there is more than `largest` bytes."""
        size = 0
        async for chunk in self.response.content.iter_chunked(CHUNK):
            size += len(chunk)
            if size > largest:
                raise SourceError(f"{self.host} sends more than {largest >> 20} MiB")
            yield chunk

    async def body(self, largest: int) -> bytes:
        """Read the whole body."""
        return b"".join([chunk async for chunk in self.chunks(largest)])


class Web:
    """The connections; whoever makes them closes them."""

    def __init__(self, rules: HostRules, ca_file: Path | None = None) -> None:
        """`ca_file`: the authorities that are trusted, instead of the system's; read anew each minute."""
        self.rules = rules
        self._ca_file = ca_file
        self._tls: tuple[ssl.SSLContext, float] | None = None
        """With the instant, monotonic, from which on it is made anew."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=GuardedResolver(rules), limit=CONNECTIONS, use_dns_cache=False),
            timeout=aiohttp.ClientTimeout(total=None, connect=CONNECT_SECONDS, sock_read=READ_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,  # a small answer may unfold to a huge one
            headers={"User-Agent": f"git/2 (periodicbuild/{version('periodicbuild')})", "Accept-Encoding": "identity"},
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    @asynccontextmanager
    async def ask(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None
    ) -> AsyncIterator[Reply]:
        """Ask, and follow redirects within the host; raises SourceError if no answer comes back or may be asked for."""
        first = self.rules.checked(url)
        for _ in range(MOST_REDIRECTS + 1):
            parts = self.rules.checked(url)
            host = parts.hostname or ""
            if not _is_within(first, parts):
                target = f"{parts.scheme}://{parts.netloc}"
                raise SourceError(f"{first.hostname} redirects to {target}, which is not followed: write the final URL")
            tls = await self._trusted() if parts.scheme == "https" else True
            try:
                async with self._session.request(
                    method, url, headers=headers, data=body, allow_redirects=False, ssl=tls
                ) as response:
                    if response.status not in _REDIRECTS:
                        yield Reply(url, host, response)
                        return
                    url = urljoin(url, response.headers.get("Location", ""))
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise SourceError(_why(host, error)) from None
        raise SourceError(f"{first.hostname} redirects more than {MOST_REDIRECTS} times")

    async def _trusted(self) -> ssl.SSLContext:
        """Give what certificates are judged by: authorities come and go while an operator runs."""
        now = time.monotonic()
        if self._tls is None or self._tls[1] <= now:
            self._tls = await asyncio.to_thread(_trust, self._ca_file), now + TRUSTED_FOR_SECONDS
        return self._tls[0]


def refusal(reply: Reply) -> SourceError:
    """Say what an answer that is no success comes to."""
    try:
        status = f"{reply.status} {HTTPStatus(reply.status).phrase}"
    except ValueError:
        status = str(reply.status)
    if reply.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return SourceError(f"{reply.host} answers {status}: are the credentials for it mounted, and the right ones?")
    if reply.status == HTTPStatus.TOO_MANY_REQUESTS or reply.header("Retry-After"):
        seconds = _seconds(reply.header("Retry-After"))
        wait = "" if seconds is None else f" and asks to wait {seconds:.0f} s"
        return SourceError(f"{reply.host} answers {status}{wait}", retry_after=seconds)
    return SourceError(f"{reply.host} answers {status}")


def _is_within(first: SplitResult, parts: SplitResult) -> bool:
    """Tell whether a redirect stays at the host, and does not fall back to http."""
    is_same = (first.scheme, first.netloc) == (parts.scheme, parts.netloc)
    return is_same or (parts.scheme == "https" and first.hostname == parts.hostname and first.scheme == "http")


def _seconds(retry_after: str) -> float | None:
    """Read Retry-After, a number or a date; None = it is neither, or is not there."""
    if retry_after.isascii() and retry_after.isdecimal() and len(retry_after) < 7:  # noqa: PLR2004 - twelve days
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _why(host: str, error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError) and isinstance(error.os_error, _InsideError):
        return inside(host)
    return f"{host} {why_silent(error)}"


def _trust(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError:
        raise SourceError(f"the file {ca_file} holds no certificate of an authority") from None
    except OSError as error:
        raise SourceError(f"the file {ca_file} with the authority cannot be read: {error.strerror}") from None
