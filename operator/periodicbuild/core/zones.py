"""Time zones, from the package tzdata alone: whatever the host has, a slot is the same instant everywhere (R6, R7).

The one idea a newcomer would miss: zones are data like a table of constants, pinned by the lock file, so reading them
keeps the decisions pure; only a new version of the package can change an answer.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

import tzdata

if TYPE_CHECKING:
    from datetime import datetime

TZDATA_VERSION: Final = tzdata.IANA_VERSION
"""Release of the zone database in use, as in `2026b`."""


class ZoneError(ValueError):
    """A name that is no zone; its text says what to write instead."""


@cache
def zone_names() -> frozenset[str]:
    """Return every zone of the database; names are exact, letter by letter."""
    return frozenset((files(tzdata) / "zones").read_text("ascii").split())


@lru_cache(maxsize=1_024)
def zone_named(name: str) -> ZoneInfo | None:
    """Return the zone, None if this version of the database has none of that name."""
    if name not in zone_names():
        return None
    with files(tzdata).joinpath("zoneinfo", *name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def check_zone(name: str) -> str:
    """Return the name if it is a zone, else raise `ZoneError` with the nearest names."""
    if name in zone_names():
        return name
    folded = {known.casefold(): known for known in sorted(zone_names())}
    near = get_close_matches(name.strip().casefold(), folded)
    hint = " or ".join(f"'{folded[match]}'" for match in near) or "a name as in 'Europe/Berlin'"
    raise ZoneError(f"{name!r} is not a time zone of tzdata {TZDATA_VERSION}: write {hint}")


def in_zone(instant: datetime, zone: ZoneInfo) -> str:
    """Render an instant for people: local time with its abbreviation, and UTC."""
    local = instant.astimezone(zone)
    return f"{local:%a %d %b %H:%M} {offset_text(local)} = {instant:%H:%M} UTC"


def offset_text(local: datetime) -> str:
    """Render the offset as its abbreviation where the zone has one (CET), else as numbers (-03:00)."""
    abbreviation = local.tzname() or ""
    return abbreviation if abbreviation[:1].isalpha() else local.isoformat()[-6:]
