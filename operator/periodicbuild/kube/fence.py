"""The body of a write that only a leader may make.

Must not know what leading is.

The one idea a newcomer would miss: between the decision to send and the first byte lie a free connection, a handshake
and some turns of the event loop.  A process may be stopped there and go on when another one leads.  So whether it still
may is asked where the bytes leave it, in the same breath.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import aiohttp

from periodicbuild.kube.errors import NotLeaderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp.abc import AbstractStreamWriter


class FencedBody(aiohttp.BytesPayload):
    """Bytes that are sent only if they still may be; headers wait for their body, so none of either goes out."""

    def __init__(self, body: bytes, fence: Callable[[], bool]) -> None:
        """`fence` says whether this replica may still write."""
        super().__init__(body)
        self._fence = fence
        self.was_held_back = False

    async def write_with_length(self, writer: AbstractStreamWriter, content_length: int | None) -> None:
        """Write the bytes, or fail, with which the request is given up and its connection closed."""
        if not self._fence():
            self.was_held_back = True
            raise NotLeaderError("not sent: another replica holds the lease")
        await super().write_with_length(writer, content_length)
