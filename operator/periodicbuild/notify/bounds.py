"""Texts of the cluster made fit to be sent: bounded, and without what is not seen.

Must not know where they go.

The one idea a newcomer would miss: after this no character takes more than four bytes in JSON, so a bound of
characters is one of bytes.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

from periodicbuild.core.messages import ELLIPSIS
from periodicbuild.core.redaction import printable, tail_of

if TYPE_CHECKING:
    from datetime import datetime


def bounded(text: str, characters: int) -> str:
    """Keep the beginning of a text."""
    text = _visible(text)
    return text if len(text) <= characters else text[: characters - len(ELLIPSIS)] + ELLIPSIS


def ending(text: str, *, lines: int, characters: int) -> str:
    """Keep the end of a text, in whole lines as far as the last one fits at all."""
    return tail_of(_visible(text), lines=lines, characters=characters)


def instant_text(instant: datetime) -> str:
    """Write RFC 3339 in UTC and whole seconds."""
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _visible(text: str) -> str:
    return printable(text.encode("utf-8", "replace"))
