"""What a watch tells, event by event, and what goes wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from tests.faults.effects import Cut, Refuse, Skip, Stall, status_of
from tests.faults.script import Seen

from periodicbuild.kube.paths import Target

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from aiohttp import StreamReader
    from tests.faults.armed import Arsenal


class BrokenOffError(Exception):
    """The watch is to end here, without a good-bye."""


class _Metadata(msgspec.Struct):
    name: str = ""
    namespace: str = ""


class _Object(msgspec.Struct):
    metadata: _Metadata = msgspec.field(default_factory=_Metadata)


class _Event(msgspec.Struct):
    type: str = "ERROR"
    object: _Object = msgspec.field(default_factory=_Object)


_decode = msgspec.json.Decoder(_Event).decode


async def pass_events(
    stream: StreamReader, write: Callable[[bytes], Awaitable[None]], watch: Target, arsenal: Arsenal
) -> None:
    """Pass a watch on until it ends; raises BrokenOffError if a fault breaks it."""
    async for line in _lines(stream):
        is_skipped = False
        for armed in arsenal.strike(_seen(line, watch)):
            match armed.fault.effect:
                case Skip():
                    is_skipped = True
                case Stall():
                    await armed.wait()
                case Cut(status=0):
                    raise BrokenOffError
                case Cut(status=status):
                    error = {"type": "ERROR", "object": status_of(Refuse(status=status))}
                    await write(msgspec.json.encode(error) + b"\n")
                    return
        if not is_skipped:
            await write(line)


def _seen(line: bytes, watch: Target) -> Seen:
    event = _decode(line)
    about = event.object.metadata
    return Seen(target=Target(watch.verb, watch.resource, about.namespace, about.name), event=event.type)


async def _lines(stream: StreamReader) -> AsyncIterator[bytes]:
    """Give whole lines: an event is one, however long."""
    rest = b""
    async for chunk in stream.iter_any():
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            yield line + b"\n"
