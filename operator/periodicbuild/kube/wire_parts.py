"""What all parts of a stored status are made of.

Must not know which status.

The one idea a newcomer would miss: objects are written with every field, absent ones as null, since in a merge patch
only null removes; items of lists are written without them, since a merge patch replaces lists whole.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

A = TypeVar("A")
B = TypeVar("B")

Instant = Annotated[datetime, msgspec.Meta(tz=True)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=366 * 86_400)]


def if_any(make: Callable[[A], B], value: A | None) -> B | None:
    """Convert an optional value."""
    return None if value is None else make(value)


class StatusObject(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An object of the status: None is written as null."""


class StatusItem(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """An item of a list of the status: what has its default is not written."""
