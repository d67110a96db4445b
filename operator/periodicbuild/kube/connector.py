"""A connection pool that leaves no socket behind.

Must not know requests.

The one idea a newcomer would miss: closing a TLS connection is a conversation, and a process that ends has no time for
it.  Two things then stay open: connections still saying good-bye, which are broken off here, and handshakes whose
caller was cancelled, which asyncio forgets if that happens in the very turn in which they begin (seen with 3.11), and
which are finished here.
"""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING
from weakref import WeakSet

import aiohttp

if TYPE_CHECKING:
    from ssl import SSLContext

    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace

KEEP_ALIVE_SECONDS = 60
"""Idle connections are kept for the next herd; the API server itself closes them after 90."""

HANDSHAKE_SECONDS = 0.3
"""A handshake takes milliseconds; one that a silent load balancer holds must not hold up the end of the process."""

UNACKNOWLEDGED_SECONDS = 5
"""After so long without a sign that what was sent has arrived, the kernel drops it with its connection (RFC 5482).

Otherwise it goes on sending for a quarter of an hour, even after the connection was closed; but a write may be late by
a third of the Lease at most (design 4).
"""

TURNS_TO_CLOSE = 3
"""Turns of the event loop from breaking a connection off until its socket is closed."""


class Connector(aiohttp.TCPConnector):
    """Connect as aiohttp does, and remember what was connected."""

    def __init__(self, *, limit: int, ssl: SSLContext | None) -> None:
        """`limit` is the number of connections, 0 = any; `ssl` is None for a plain http address."""
        super().__init__(
            limit=limit, ssl=ssl or True, keepalive_timeout=KEEP_ALIVE_SECONDS, socket_factory=impatient_socket
        )
        self._handshakes: set[asyncio.Task[Connection]] = set()
        self._transports: WeakSet[asyncio.Transport] = WeakSet()

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the signature is aiohttp's
    ) -> Connection:
        """Give an idle connection or a new one; a new one is finished even if its caller is cancelled."""
        handshake = asyncio.create_task(super().connect(req, traces, timeout))
        handshake.add_done_callback(self._note)
        self._handshakes.add(handshake)
        try:
            return await asyncio.shield(handshake)
        except asyncio.CancelledError:
            handshake.add_done_callback(_close)
            raise

    def _note(self, handshake: asyncio.Task[Connection]) -> None:
        self._handshakes.discard(handshake)
        if not handshake.cancelled() and handshake.exception() is None:
            transport = handshake.result().transport
            if transport is not None:
                self._transports.add(transport)

    async def finish_handshakes(self) -> None:
        """Wait for those under way, and break off the ones that do not end."""
        if not self._handshakes:
            return
        _, unfinished = await asyncio.wait(self._handshakes, timeout=HANDSHAKE_SECONDS)
        for handshake in unfinished:
            handshake.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)

    async def break_off(self) -> None:
        """Close every connection, those included that still say good-bye; returns when the sockets are closed."""
        for transport in self._transports:
            transport.abort()
        for _ in range(TURNS_TO_CLOSE):
            await asyncio.sleep(0)


async def close_pool(pool: aiohttp.ClientSession) -> None:
    """Close a session, and leave no socket of its Connector behind."""
    connector = pool.connector
    if isinstance(connector, Connector):
        await connector.finish_handshakes()
        await pool.close()
        await connector.break_off()


def impatient_socket(address: aiohttp.AddrInfoType) -> socket.socket:
    """Make a socket, for an address as getaddrinfo gives it, that delivers soon or not at all; only Linux can."""
    family, kind, protocol, *_ = address
    made = socket.socket(family, kind, protocol)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_SECONDS * 1000)
    return made


def _close(handshake: asyncio.Task[Connection]) -> None:
    if not handshake.cancelled() and handshake.exception() is None:
        handshake.result().close()
