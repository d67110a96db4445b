"""Single values that may be wrong: every function here answers with something usable and raises nothing.

Must not know which object a value comes from.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from periodicbuild.core.notices import ObjectRef
from periodicbuild.core.schedules import whole_second_down
from periodicbuild.kube.wire_parts import Instant

if TYPE_CHECKING:
    from periodicbuild.kube.wire import AnyMetaWire, OwnerWire

E = TypeVar("E", bound=StrEnum)

EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(9900, 1, 1, tzinfo=UTC)
"""Instants are kept between these two, so that adding a few intervals of 366 days never leaves the calendar."""

UNREADABLE = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)
"""What decoding can raise for any bytes at all."""


def utc(instant: datetime) -> datetime:
    """Give an aware instant in UTC, cut to whole seconds and to the calendar we can calculate in."""
    if instant.tzinfo is UTC and not instant.microsecond and EARLIEST.year <= instant.year < LATEST.year:
        return instant  # nearly all are like this, and there are dozens in a status
    if not EARLIEST <= instant <= LATEST:
        return EARLIEST if instant < EARLIEST else LATEST
    return whole_second_down(instant.astimezone(UTC))


def instant_of(value: object) -> datetime | None:
    """Read RFC 3339 with a zone, as text; None if it is anything else."""
    if value is None:
        return None
    try:
        return utc(msgspec.convert(value, Instant))
    except UNREADABLE:
        return None


def text_of(value: object) -> str | None:
    """Give a text that is not empty; None for anything else."""
    return value if isinstance(value, str) and value else None


def count_of(value: object, *, default: int) -> int:
    """Give a whole number that is not negative."""
    return value if type(value) is int and value >= 0 else default


def member(kind: type[E], value: object) -> E | None:
    """Give the member a text names; None for what only a newer operator knows."""
    return _members(kind).get(value) if isinstance(value, str) else None


def known(kind: type[E], value: object, *, otherwise: E) -> E:
    """Give the member a text names; `otherwise` for what only a newer operator knows."""
    found = member(kind, value)
    return otherwise if found is None else found


@cache
def _members(kind: type[E]) -> dict[str, E]:
    """Look up by table: calling an enum is slow, and slower still when it fails."""
    return {one.value: one for one in kind}


def object_ref(api_version: str, kind: str, metadata: AnyMetaWire) -> ObjectRef:
    """Point at the object that has this metadata."""
    return ObjectRef(
        api_version=api_version, kind=kind, namespace=metadata.namespace, name=metadata.name, uid=metadata.uid
    )


def controller_of(metadata: AnyMetaWire) -> OwnerWire | None:
    """Give the reference to whatever controls the object."""
    return next((owner for owner in metadata.owner_references or () if owner.controller), None)


def controller_uid(metadata: AnyMetaWire) -> str | None:
    """Give the uid of whatever controls the object: one of a foreign kind simply matches nobody."""
    controller = controller_of(metadata)
    return None if controller is None else controller.uid


def created_at(metadata: AnyMetaWire) -> datetime:
    """Give the creation; the API server always sets it."""
    return EARLIEST if metadata.creation_timestamp is None else utc(metadata.creation_timestamp)
