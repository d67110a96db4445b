"""A server beside the tests, on an event loop and a thread of its own, for as long as an operator needs one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

T = TypeVar("T")

STARTS_WITHIN_SECONDS = 30
ENDS_WITHIN_SECONDS = 60


@contextmanager
def in_background(make: Callable[[], AbstractAsyncContextManager[T]]) -> Iterator[T]:
    """Enter what `make` gives there, and leave it there."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="server of the tests")
    thread.start()
    try:
        server = make()
        entered = asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(STARTS_WITHIN_SECONDS)
        try:
            yield entered
        finally:
            asyncio.run_coroutine_threadsafe(_leave(server), loop).result(ENDS_WITHIN_SECONDS)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _leave(server: AbstractAsyncContextManager[T]) -> None:
    await server.__aexit__(None, None, None)
