"""Zones: exact names, hints for the others, and what people read."""

from __future__ import annotations

import re
import zoneinfo
from importlib.resources import files
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
import tzdata
from tests.builders import at

from periodicbuild.core.zones import TZDATA_VERSION, ZoneError, check_zone, in_zone, zone_named, zone_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

UNKNOWN = {
    "Europe/Berlin ": "write 'Europe/Berlin' or ",
    " Europe/Berlin": "write 'Europe/Berlin' or ",
    "europe/berlin": "write 'Europe/Berlin' or ",
    "EUROPE/BERLIN": "write 'Europe/Berlin' or ",
    "Europe/Berlim": "write 'Europe/Berlin' or ",
    "Berlin": "write 'Europe/Berlin'",
    "America/Godhavn": "write ",
    "utc": "write 'UTC' or ",
    "UTC+1": "write 'UTC'",
    "+01:00": "write a name as in 'Europe/Berlin'",
    "": "write a name as in 'Europe/Berlin'",
    "Mars/Olympus_Mons": "write a name as in 'Europe/Berlin'",
    "Europe": "write ",
    "Europe/": "write ",
    "../zones": "write a name as in 'Europe/Berlin'",
    "/etc/localtime": "write a name as in 'Europe/Berlin'",
    "tzdata.zi": "write a name as in 'Europe/Berlin'",
    "Europe/Berlin\x00": "write 'Europe/Berlin' or ",
    "posix/Europe/Berlin": "write ",
}

READ_BY_PEOPLE = {
    "an abbreviation in winter": ("2026-11-24T01:30:00", "Europe/Berlin", "Tue 24 Nov 02:30 CET = 01:30 UTC"),
    "another in summer": ("2026-06-05T00:30:00", "Europe/Berlin", "Fri 05 Jun 02:30 CEST = 00:30 UTC"),
    "the first of two 02:30": ("2026-10-25T00:30:00", "Europe/Berlin", "Sun 25 Oct 02:30 CEST = 00:30 UTC"),
    "the second of them": ("2026-10-25T01:30:00", "Europe/Berlin", "Sun 25 Oct 02:30 CET = 01:30 UTC"),
    "numbers where there is none": ("2026-11-24T01:30:00", "America/Sao_Paulo", "Mon 23 Nov 22:30 -03:00 = 01:30 UTC"),
    "numbers with minutes": ("2026-11-24T01:30:00", "Asia/Kathmandu", "Tue 24 Nov 07:15 +05:45 = 01:30 UTC"),
    "half an hour of summer": ("2026-11-24T01:30:00", "Australia/Lord_Howe", "Tue 24 Nov 12:30 +11:00 = 01:30 UTC"),
    "a name that is its own opposite": ("2026-11-24T01:30:00", "Etc/GMT+3", "Mon 23 Nov 22:30 -03:00 = 01:30 UTC"),
    "UTC itself": ("2026-11-24T01:30:00", "Etc/UTC", "Tue 24 Nov 01:30 UTC = 01:30 UTC"),
}


@pytest.mark.parametrize("name", ["Europe/Berlin", "UTC", "Etc/UTC", "America/Argentina/ComodRivadavia", "EST5EDT"])
def test_a_zone_is_known_by_its_exact_name(name: str) -> None:
    assert check_zone(name) == name
    zone = zone_named(name)
    assert zone is not None
    assert zone.key == name


@pytest.mark.parametrize(("name", "hint"), UNKNOWN.items())
def test_any_other_name_is_refused_with_the_nearest(name: str, hint: str) -> None:
    assert zone_named(name) is None
    with pytest.raises(ZoneError) as caught:
        check_zone(name)
    sentence = str(caught.value)
    assert sentence.startswith(f"{name!r} is not a time zone of tzdata {TZDATA_VERSION}: {hint}")
    remedies = re.findall("'([^']+)'", sentence.rpartition(": write ")[2])
    assert 1 <= len(remedies) <= 3
    assert zone_names().issuperset(remedies)


def test_every_zone_of_the_database_can_be_read() -> None:
    assert len(zone_names()) > 590
    for name in zone_names():
        zone = zone_named(name)
        assert zone is not None
        assert at("2026-11-24T02:30:00").astimezone(zone).tzinfo is zone


def test_the_release_is_written_as_iana_does() -> None:
    assert re.fullmatch("20[0-9]{2}[a-z]", TZDATA_VERSION)


@pytest.fixture
def host_whose_berlin_is_utc(tmp_path: Path) -> Iterator[ZoneInfo]:
    """Let the zones of the host say something else than the package; gives the host's Berlin."""
    (tmp_path / "Europe").mkdir()
    (tmp_path / "Europe/Berlin").write_bytes((files(tzdata) / "zoneinfo/UTC").read_bytes())
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath(to=[str(tmp_path)])
    zone_named.cache_clear()
    yield ZoneInfo.no_cache("Europe/Berlin")
    zoneinfo.reset_tzpath(to=before)


def test_what_the_host_thinks_of_a_zone_does_not_matter(host_whose_berlin_is_utc: ZoneInfo) -> None:
    ours = zone_named("Europe/Berlin")
    assert ours is not None
    assert in_zone(at("2026-06-05T00:30:00"), host_whose_berlin_is_utc) == "Fri 05 Jun 00:30 UTC = 00:30 UTC"
    assert in_zone(at("2026-06-05T00:30:00"), ours) == "Fri 05 Jun 02:30 CEST = 00:30 UTC"


@pytest.mark.parametrize(("instant", "zone", "text"), READ_BY_PEOPLE.values(), ids=list(READ_BY_PEOPLE))
def test_an_instant_reads_well(instant: str, zone: str, text: str) -> None:
    known = zone_named(zone)
    assert known is not None
    assert in_zone(at(instant), known) == text
