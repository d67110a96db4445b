"""Generated schedules against croniter and cronsim's own iteration.

Where one of them disagrees with us, the text or the instant must be of a named kind; the tables have an example of each
with the reason.  What we say ourselves is held against the clock elsewhere.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final

import pytest
from croniter import CroniterError, croniter
from cronsim import CronSim, CronSimError
from tests.builders import at
from tests.property.cron_cases import COMPARED, MINUTE, SCHEDULES, Clock, cases, ours, walk
from tests.property.cron_writer import MONTHS, WEEKDAYS, Written

from periodicbuild.core.crons import CronError, normal_expression

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

LORD_HOWE: Final = "Australia/Lord_Howe"
CHATHAM: Final = "Pacific/Chatham"
TROLL: Final = "Antarctica/Troll"
SANTIAGO: Final = "America/Santiago"
ST_JOHNS: Final = "America/St_Johns"
BEYOND_CRONSIM: Final = {ST_JOHNS, "Pacific/Apia"}
"""In 2006 and 2011: it goes back or round in circles over a midnight that came twice, and is due on a skipped date."""
PATIENCE: Final = 5_000
"""Steps cronsim may take for the few slots of a case; it needs some dozens, unless it goes round in circles."""

CRONITER_OTHERWISE: Final = {
    "it takes a range of one value for the whole field; Debian for the value": (
        ("5-5 2 * * *", "UTC", "2026-11-24T00:00"),
        "2026-11-24T02:05",
        "2026-11-24T02:00",
    ),
    "its steps end before the second Sunday; Debian's fields go to 7": (
        ("0 0 * * 1/6", "UTC", "2026-11-24T00:00"),
        "2026-11-29T00:00",
        "2026-11-30T00:00",
    ),
    "it takes a star anywhere in a field for one at its begin": (
        ("0 0 4,*/25 * 1-7", "UTC", "2026-11-24T00:00"),
        "2026-11-25T00:00",
        "2026-11-26T00:00",
    ),
    "it wants both, an n-th weekday and a day; to Debian either is enough": (
        ("0 0 4 * MON#1", "UTC", "2026-11-24T00:00"),
        "2026-12-04T00:00",
        "2026-12-07T00:00",
    ),
    "fixed 02:30 comes twice in autumn": (
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30"),
        "2026-10-26T01:30",
        "2026-10-25T01:30",
    ),
    "a wildcard is made up for after a gap": (
        ("*/30 2 * * *", "Europe/Berlin", "2026-03-28T01:30"),
        "2026-03-30T00:00",
        "2026-03-29T01:00",
    ),
    "a list of all hours is a wildcard to it": (
        ("30 0-23 * * *", "Europe/Berlin", "2026-03-29T00:30"),
        "2026-03-29T01:00",
        "2026-03-29T01:30",
    ),
    "of the half hour that comes again it sees only a part": (
        ("25,46 * * * *", LORD_HOWE, "2026-04-04T14:46"),
        "2026-04-04T15:16",
        "2026-04-04T15:55",
    ),
}

CRONSIM_OTHERWISE: Final = {
    "it skips the half hour that comes again": (
        ("42 * * * *", LORD_HOWE, "2026-04-04T14:42"),
        "2026-04-04T15:12",
        "2026-04-04T16:12",
    ),
    "and for the rest of that day it begins hours half an hour late": (
        ("* 6 * * *", LORD_HOWE, "2026-04-04T08:00"),
        "2026-04-04T19:30",
        "2026-04-04T20:00",
    ),
    "it skips what is left of an hour that a gap began in": (
        ("* 3 * * *", CHATHAM, "2026-09-26T13:00"),
        "2026-09-26T14:00",
        "2026-09-27T13:15",
    ),
    "it skips the hour after a midnight that does not exist": (
        ("*/20 1 * * 0", SANTIAGO, "2026-09-04T12:00"),
        "2026-09-06T04:00",
        "2026-09-13T04:00",
    ),
    "it is due at 01:00 for such a midnight": (
        ("* */12 6 9 *", SANTIAGO, "2026-09-05T10:35"),
        "2026-09-06T15:00",
        "2026-09-06T04:00",
    ),
    "it is due on a date that was skipped": (
        ("* 0 30 12 *", "Pacific/Apia", "2011-12-29T20:30"),
        "2012-12-29T10:00",
        "2011-12-30T10:00",
    ),
}


CIRCLES: Final = {
    "where a clock goes back in the middle of an hour": (
        "48 */3 * * *",
        CHATHAM,
        "2026-04-04T13:00",
        "2026-04-04T15:03",
    ),
    "where a clock goes back over midnight": ("30 */21 * * 0", ST_JOHNS, "2006-10-28T12:35", "2006-10-29T04:00"),
}


class CirclesError(Exception):
    """The next slot never comes."""


class Impatient(CronSim):
    """cronsim, given up when it goes round in circles."""

    steps = 0

    def tick(self, seconds: int = 1) -> None:
        """Take one step."""
        self.steps += 1
        if self.steps > PATIENCE:
            raise CirclesError
        super().tick(seconds)


def other(slots: Iterable[datetime], until: datetime) -> set[datetime]:
    """Take the slots of another library until an instant."""
    return set(takewhile(lambda slot: slot <= until, (slot.astimezone(UTC) for slot in slots)))


def some_of_ours(written: Written, around: Clock, after: datetime) -> tuple[set[datetime], datetime]:
    """Give our next slots, and the instant until which they are all."""
    slots = list(islice(walk(ours(written.text, around.zone.key), after, around.end), COMPARED))
    return set(slots), slots[-1] if len(slots) == COMPARED else around.end


def jump(instant: datetime, zone: ZoneInfo) -> timedelta:
    """Tell by how much the clock jumps at an instant."""
    now, before = (at.astimezone(zone).utcoffset() for at in (instant, instant - MINUTE))
    assert now is not None
    assert before is not None
    return now - before


def number(name: str) -> int:
    """Give what a name of a month or a day of the week counts as."""
    return next(
        (names.index(name) for names in (MONTHS, WEEKDAYS) if name in names), int(name) if name.isdigit() else 0
    )


def croniter_reads_otherwise(written: Written) -> bool:
    """Whether croniter means something else by the text; each way is in CRONITER_OTHERWISE, or refused."""
    day, _, weekday = written.text.split()[2:]
    ranges = re.findall(r"(\w+)-(\w+)", written.text)
    return (
        any(number(low) == number(high) or number(high) - number(low) == 7 for low, high in ranges)
        or "/" in weekday
        or "#" in weekday
        or "*" in day[1:] + weekday[1:]
        or "LW" in day
        or "L" in weekday
    )


def is_just_after_a_jump(slot: datetime, zone: ZoneInfo, minutes: int = 60) -> bool:
    return any(jump(slot - n * MINUTE, zone) for n in range(minutes))


def croniter_has_besides(slot: datetime, written: Written, zone: ZoneInfo) -> bool:
    """Know a fixed time the second time it comes, and what a gap took from a given hour of a wildcard."""
    return jump(slot, zone) > timedelta() if written.is_wild else slot.astimezone(zone).fold == 1


def croniter_loses(slot: datetime, written: Written, zone: ZoneInfo) -> bool:
    """Know a wildcard the second time, if not one full hour comes again, and fixed times of all hours in a gap."""
    if written.is_wild:
        return slot.astimezone(zone).fold == 1 and zone.key in {LORD_HOWE, TROLL, CHATHAM, ST_JOHNS}
    return jump(slot, zone) > timedelta() and len({minutes // 60 for minutes in written.times}) == 24


def cronsim_has_besides(slot: datetime, written: Written, zone: ZoneInfo) -> bool:
    """Know a wildcard of the hour 0 at 01:00, where the midnight before does not exist."""
    return written.is_wild and zone.key == SANTIAGO and jump(slot, zone) > timedelta()


def cronsim_loses(slot: datetime, written: Written, zone: ZoneInfo) -> bool:
    """Know a wildcard after a jump: cronsim goes on by 60 minutes, and the hours of the clock begin elsewhere."""
    if not written.is_wild or zone.key not in {LORD_HOWE, CHATHAM, SANTIAGO}:
        return False
    is_first_half_hour = zone.key == LORD_HOWE and slot.astimezone(zone).minute < 30
    return is_just_after_a_jump(slot, zone, 24 * 60 if is_first_half_hour else 60)


def test_croniter_disagrees_only_where_it_is_known_to() -> None:
    compared = 0
    for written, around, after in cases("for croniter", 2 * SCHEDULES):
        if croniter_reads_otherwise(written):
            continue
        case, zone = (written.text, around.zone, after), around.zone
        mine, until = some_of_ours(written, around, after)
        theirs = other(croniter(written.text, after.astimezone(zone), datetime, implement_cron_bug=True), until)
        assert not [slot for slot in theirs - mine if not croniter_has_besides(slot, written, zone)], case
        assert not [slot for slot in mine - theirs if not croniter_loses(slot, written, zone)], case
        compared += 1
    assert compared >= SCHEDULES // 2


def test_cronsim_disagrees_only_where_it_is_known_to() -> None:
    compared = 0
    for written, around, after in cases("for cronsim", 2 * SCHEDULES):
        case, zone = (written.text, around.zone, after), around.zone
        if zone.key in BEYOND_CRONSIM:
            continue
        mine, until = some_of_ours(written, around, after)
        try:
            theirs = other(Impatient(written.text, after.astimezone(zone)), until)
        except CronSimError:
            assert not mine, "it refuses dates that never come, which we read"
            continue
        except CirclesError:
            assert zone.key == CHATHAM, case
            continue
        assert not [slot for slot in theirs - mine if not cronsim_has_besides(slot, written, zone)], case
        assert not [slot for slot in mine - theirs if not cronsim_loses(slot, written, zone)], case
        compared += 1
    assert compared >= SCHEDULES // 2


@pytest.mark.parametrize(("case", "mine", "theirs"), CRONITER_OTHERWISE.values(), ids=list(CRONITER_OTHERWISE))
def test_croniter_is_due_otherwise(case: tuple[str, str, str], mine: str, theirs: str) -> None:
    expression, zone, instant = case
    after = at(instant)
    pattern = ours(expression, zone)
    iterator = croniter(expression, after.astimezone(pattern.zone), datetime, implement_cron_bug=True)
    assert pattern.first_after(after) == at(mine)
    assert next(iterator).astimezone(UTC) == at(theirs)


@pytest.mark.parametrize(("case", "mine", "theirs"), CRONSIM_OTHERWISE.values(), ids=list(CRONSIM_OTHERWISE))
def test_cronsim_is_due_otherwise(case: tuple[str, str, str], mine: str, theirs: str) -> None:
    expression, zone, instant = case
    after = at(instant)
    pattern = ours(expression, zone)
    assert pattern.first_after(after) == at(mine)
    assert next(CronSim(expression, after.astimezone(pattern.zone))).astimezone(UTC) == at(theirs)


@pytest.mark.parametrize(("expression", "zone", "instant", "mine"), CIRCLES.values(), ids=list(CIRCLES))
def test_cronsim_never_ends(expression: str, zone: str, instant: str, mine: str) -> None:
    pattern = ours(expression, zone)
    assert pattern.first_after(at(instant)) == at(mine)
    with pytest.raises(CirclesError):
        next(Impatient(expression, at(instant).astimezone(pattern.zone)))


@pytest.mark.parametrize("expression", ["0 0 LW * *", "0 0 * * 5L"])
def test_croniter_refuses_what_we_read(expression: str) -> None:
    assert normal_expression(expression) == expression
    with pytest.raises(CroniterError):
        croniter(expression, at("2026-11-24T00:00"))


@pytest.mark.parametrize("expression", ["0 0 1W * *", "0 0 ? * *", "0 0 * * FRI-MON", "@midnight", "0 0 * * * 0"])
def test_we_refuse_what_croniter_reads(expression: str) -> None:
    assert croniter(expression, at("2026-11-24T00:00")).get_next()
    with pytest.raises(CronError):
        normal_expression(expression)
