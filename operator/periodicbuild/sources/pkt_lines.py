"""Git's packet lines: four hex digits of length, then the line; three short ones are marks.

Must not know what the lines say.  Source: gitprotocol-common(5).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from periodicbuild.sources.problems import SourceError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

FLUSH: Final = b"0000"
DELIMITER: Final = b"0001"
_LENGTH: Final = 4
_LAST_MARK: Final = b"0003"
"""Flush, delimiter, and the end of a response."""
_HEX: Final = re.compile(rb"[0-9a-fA-F]{4}")


def packet(line: str) -> bytes:
    """Write one line."""
    content = line.encode() + b"\n"
    return f"{len(content) + _LENGTH:04x}".encode() + content


async def packets(chunks: AsyncIterator[bytes], host: str) -> AsyncGenerator[bytes | None]:
    """Read lines, without their line ends, and None for a mark; raises SourceError for what are none."""
    held = b""
    async for chunk in chunks:
        held, at = held + chunk, 0  # cut once for all lines of a chunk: each cut copies the rest
        while len(held) - at >= _LENGTH and len(held) - at >= (length := _length(held[at : at + _LENGTH], host)):
            line, at = held[at : at + length], at + length
            yield None if line[:_LENGTH] <= _LAST_MARK else line[_LENGTH:].rstrip(b"\n")
        held = held[at:]
    if held:
        raise SourceError(f"{host} has hung up in the middle of its answer")


def _length(digits: bytes, host: str) -> int:
    if not _HEX.fullmatch(digits):
        raise SourceError(f"{host} does not speak git's protocol there: is the URL that of a repository?")
    return max(_LENGTH, int(digits, 16))
