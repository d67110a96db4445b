"""Cron expressions: what is read, the sentence for each mistake, and when they are due (R7)."""

from __future__ import annotations

import re

import pytest
from tests.builders import at

from periodicbuild.core.crons import MAX_LENGTH, NICKNAMES, Cron, CronError, normal_expression
from periodicbuild.core.local_days import Pattern

BERLIN = "Europe/Berlin"
NUUK = "America/Nuuk"
LORD_HOWE = "Australia/Lord_Howe"

NORMALISED = {
    "30 2 * * 1-5": "30 2 * * 1-5",
    "  30   2\t* * mon-fri\n": "30 2 * * MON-FRI",
    "0 0 1 jan,Jul *": "0 0 1 JAN,JUL *",
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    " @weekly ": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "0 0 l * *": "0 0 L * *",
    "0 0 LW * *": "0 0 LW * *",
    "0 0 * * 5l": "0 0 * * 5L",
    "0 0 * * mon#1": "0 0 * * MON#1",
    "0 0 * * 5-7": "0 0 * * 5-7",
    "30 2 31 2 *": "30 2 31 2 *",
    "0 0 30 2 */2": "0 0 30 2 */2",
    "5-5/2 * * * *": "5-5/2 * * * *",
    "0 0 * * 0" + " " * (MAX_LENGTH - 9): "0 0 * * 0",
}

REFUSED = {
    "": "'' has 0 fields, the first (minute) is missing",
    " \t ": "has 0 fields, the first (minute) is missing",
    "30": "has 1 fields, the second (hour) is missing: write five (minute, hour, day of month, month, day of week)",
    "30 2 * *": "'30 2 * *' has 4 fields, the fifth (day of week) is missing",
    "0 30 2 * * *": "'0 30 2 * * *' has 6 fields, too many from '*' on: write five (minute, hour, day of month, month,",
    "0 30 2 * * MON 2026": "has 7 fields, too many from 'MON' on",
    "@reboot": "'@reboot' is not known: write five fields, or one of @hourly, @daily, @weekly, @monthly, @yearly",
    "@midnight": "'@midnight' is not known",
    "@Daily": "'@Daily' is not known",
    "@": "'@' is not known",
    "@daily @daily": "has 2 fields, the third (day of month) is missing",
    "CRON_TZ=Europe/Berlin 30 2 * * *": "'CRON_TZ=Europe/Berlin' does not belong here: write the zone into timeZone",
    "TZ=Europe/Berlin 30 2 * * *": "'TZ=Europe/Berlin' does not belong here",
    "TZ=Europe/Berlin": "'TZ=Europe/Berlin' does not belong here",
    "x" * 200: "the expression has 200 characters: write at most 128",
    "0 0 * * 0" + " " * (MAX_LENGTH - 8): "has 129 characters",
    "61 * * * *": "the first field (minute) cannot be '61': write 0-59, *, lists, ranges or steps",
    "-1 * * * *": "the first field (minute) cannot be '-1'",
    "1.5 * * * *": "the first field (minute) cannot be '1.5'",
    "*/0 * * * *": "the first field (minute) cannot be '*/0'",
    "30-10 * * * *": "the first field (minute) cannot be '30-10'",
    "1,,2 * * * *": "the first field (minute) cannot be '1,,2'",
    "\u0663 2 * * *": "the first field (minute) cannot be '\u0663'",
    "\uff13 2 * * *": "the first field (minute) cannot be '\uff13'",
    "H 2 * * *": "the first field (minute) cannot be 'H': use spread instead",
    "0 h(0-7) * * *": "the second field (hour) cannot be 'H(0-7)': use spread instead",
    "0 24 * * *": "the second field (hour) cannot be '24': write 0-23",
    "30 2-\u0665 * * *": "the second field (hour) cannot be '2-\u0665'",
    "0 0 0 * *": "the third field (day of month) cannot be '0': write 1-31",
    "0 0 ? * *": "the third field (day of month) cannot be '?'",
    "0 0 15W * *": "the third field (day of month) cannot be '15W'",
    "0 0 1 13 *": "the fourth field (month) cannot be '13': write 1-12 or JAN-DEC",
    "0 0 1 january *": "the fourth field (month) cannot be 'JANUARY'",
    "0 0 * * ?": "the fifth field (day of week) cannot be '?'",
    "0 0 * * 8": "the fifth field (day of week) cannot be '8': write 0-7 or SUN-SAT",
    "0 0 * * FRIL": "the fifth field (day of week) cannot be 'FRIL'",
    "0 0 * * L": "the fifth field (day of week) cannot be 'L'",
    "0 0 * * \u00b2L": "the fifth field (day of week) cannot be '\u00b2L'",
    "0 0 * * \u017fun": "the fifth field (day of week) cannot be '\u017fun'",
    "0 0 * * 1#6": "the fifth field (day of week) cannot be '1#6'",
    "0 0 * * FRI-MON": "the fifth field (day of week) cannot be 'FRI-MON'",
    "61 24 0 13 8": "the first field (minute) cannot be '61'",
}

DUE = {
    # expression, zone, after, slots
    "a restricted date or a restricted day of the week": (
        ("0 0 13 * 5", "UTC", "2026-12-05T00:00"),
        ["2026-12-11T00:00", "2026-12-13T00:00", "2026-12-18T00:00"],
    ),
    "both where one of the two begins with a star, as in Debian": (
        ("0 0 */2 * 5", "UTC", "2026-11-01T00:00"),
        ["2026-11-13T00:00", "2026-11-27T00:00", "2026-12-11T00:00"],
    ),
    "so the first Sunday of a month can be written": (
        ("0 0 1-7 * */7", "UTC", "2026-11-02T00:00"),
        ["2026-12-06T00:00", "2027-01-03T00:00"],
    ),
    "the last day of a month": (
        ("0 0 L * *", "UTC", "2028-01-01T00:00"),
        ["2028-01-31T00:00", "2028-02-29T00:00", "2028-03-31T00:00"],
    ),
    "the last working day": (("0 0 LW * *", "UTC", "2026-01-01T00:00"), ["2026-01-30T00:00", "2026-02-27T00:00"]),
    "the last Friday": (("0 0 * * 5L", "UTC", "2026-01-01T00:00"), ["2026-01-30T00:00", "2026-02-27T00:00"]),
    "the first Monday": (("0 0 * * MON#1", "UTC", "2026-01-01T00:00"), ["2026-01-05T00:00", "2026-02-02T00:00"]),
    "29 February, over a century that has none": (
        ("0 0 29 2 *", "UTC", "2092-02-29T00:00"),
        ["2096-02-29T00:00", "2104-02-29T00:00"],
    ),
    "29 February on a Sunday, 40 years on": (("0 0 29 2 */7", "UTC", "2088-02-29T00:00"), ["2128-02-29T00:00"]),
    "a step from a single value goes to the end of the field": (
        ("5-5/20 2 * * *", "UTC", "2026-11-24T02:30"),
        ["2026-11-24T02:45", "2026-11-25T02:05", "2026-11-25T02:25", "2026-11-25T02:45"],
    ),
    "Berlin, spring: fixed 02:30 moves to 03:00": (
        ("30 2 * * *", BERLIN, "2026-03-28T00:00"),
        ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"],
    ),
    "Berlin, spring: what moves to 03:00 and what is there are one slot": (
        ("0,30 2,3 * * *", BERLIN, "2026-03-28T23:00"),
        ["2026-03-29T01:00", "2026-03-29T01:30", "2026-03-30T00:00", "2026-03-30T00:30"],
    ),
    "Berlin, spring: a wildcard is not due in the gap": (
        ("30 * * * *", BERLIN, "2026-03-28T23:30"),
        ["2026-03-29T00:30", "2026-03-29T01:30"],
    ),
    "Berlin, spring: nor made up for": (
        ("*/30 2 * * *", BERLIN, "2026-03-28T01:30"),
        ["2026-03-30T00:00", "2026-03-30T00:30"],
    ),
    "Berlin, autumn: fixed 02:30 is due the first time": (
        ("30 2 * * *", BERLIN, "2026-10-24T00:00"),
        ["2026-10-24T00:30", "2026-10-25T00:30", "2026-10-26T01:30"],
    ),
    "Berlin, autumn: a wildcard is due whenever an hour has passed": (
        ("30 * * * *", BERLIN, "2026-10-24T23:00"),
        ["2026-10-24T23:30", "2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"],
    ),
    "Berlin, autumn: and in a given hour as often as it comes": (
        ("*/30 2 * * *", BERLIN, "2026-10-24T12:00"),
        ["2026-10-25T00:00", "2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30", "2026-10-26T01:00"],
    ),
    "Nuuk, spring: fixed 23:30 moves to 00:00 of the next date": (
        ("30 23 * * *", NUUK, "2026-03-28T00:00"),
        ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"],
    ),
    "Nuuk, spring: even if only Saturdays are asked for": (
        ("30 23 * * SAT", NUUK, "2026-03-22T12:00"),
        ["2026-03-29T01:00", "2026-04-05T00:30"],
    ),
    "Nuuk, spring: 23:00, 23:30 and 00:00 are one slot": (
        ("0,30 0,23 * * *", NUUK, "2026-03-28T12:00"),
        ["2026-03-29T01:00", "2026-03-29T01:30", "2026-03-30T00:00"],
    ),
    "Nuuk, spring: no wildcard shows 23:30": (
        ("*/30 23 * * *", NUUK, "2026-03-28T01:30"),
        ["2026-03-30T00:00", "2026-03-30T00:30"],
    ),
    "Nuuk, autumn: a wildcard twice on the same Saturday": (
        ("*/30 23 * * 6", NUUK, "2026-10-24T12:00"),
        ["2026-10-25T00:00", "2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30", "2026-11-01T01:00"],
    ),
    "Lord Howe, spring: fixed 02:15 moves by a quarter": (
        ("15 2 * * *", LORD_HOWE, "2026-10-02T00:00"),
        ["2026-10-02T15:45", "2026-10-03T15:30", "2026-10-04T15:15"],
    ),
    "Lord Howe, spring: a wildcard begins with the second half of the hour": (
        ("*/15 2 * * *", LORD_HOWE, "2026-10-03T12:00"),
        ["2026-10-03T15:30", "2026-10-03T15:45", "2026-10-04T15:00"],
    ),
    "Lord Howe, autumn: a wildcard sees the half hour again": (
        ("*/15 1 * * *", LORD_HOWE, "2026-04-04T14:15"),
        ["2026-04-04T14:30", "2026-04-04T14:45", "2026-04-04T15:00", "2026-04-04T15:15", "2026-04-05T14:30"],
    ),
    "Chatham, spring: fixed 03:00 moves to 03:45": (
        ("0 3 * * *", "Pacific/Chatham", "2026-09-25T00:00"),
        ["2026-09-25T14:15", "2026-09-26T14:00", "2026-09-27T13:15"],
    ),
    "Chatham, spring: the hour that never strikes": (
        ("0 * * * *", "Pacific/Chatham", "2026-09-26T13:00"),
        ["2026-09-26T13:15", "2026-09-26T14:15", "2026-09-26T15:15"],
    ),
    "Apia: what 30 December 2011 would have had moves to the 31st": (
        ("0 9 * * *", "Pacific/Apia", "2011-12-29T00:00"),
        ["2011-12-29T19:00", "2011-12-30T10:00", "2011-12-30T19:00"],
    ),
    "Apia: two midnights are one slot": (
        ("0 0 * * *", "Pacific/Apia", "2011-12-29T10:00"),
        ["2011-12-30T10:00", "2011-12-31T10:00"],
    ),
    "Apia: a wildcard just goes on": (
        ("0 */6 * * *", "Pacific/Apia", "2011-12-30T00:00"),
        ["2011-12-30T04:00", "2011-12-30T10:00", "2011-12-30T16:00"],
    ),
    "Kiritimati: from a skipped 31 December into a month without slots": (
        ("0 9 31 12 *", "Pacific/Kiritimati", "1994-01-01T00:00"),
        ["1994-12-31T10:00", "1995-12-30T19:00"],
    ),
    "St John's, autumn 2006: a wildcard goes back over midnight with the clock": (
        ("*/30 23 28 10 *", "America/St_Johns", "2006-10-28T12:00"),
        ["2006-10-29T01:30", "2006-10-29T02:00", "2006-10-29T03:00", "2007-10-29T01:30"],
    ),
}

COUNTED = {
    # expression, zone, after, until, number
    "every minute of a year": ("* * * * *", "UTC", "2025-12-31T23:59", "2026-12-31T23:59", 525_600),
    "every minute of a leap year": ("* * * * *", "UTC", "2027-12-31T23:59", "2028-12-31T23:59", 527_040),
    "summer time makes no minute": ("* * * * *", BERLIN, "2025-12-31T22:59", "2026-12-31T22:59", 525_600),
    "nor an hour, with a wildcard": ("0 * * * *", BERLIN, "2025-12-31T22:59", "2026-12-31T22:59", 8_760),
    "fixed hours: two of spring are one slot, and so are two of autumn": (
        ("0 0,1-23 * * *", BERLIN, "2025-12-31T22:59", "2026-12-31T22:59", 8_759)
    ),
    "a hundred years of 29 February": ("0 0 29 2 *", "UTC", "2001-01-01T00:00", "2101-01-01T00:00", 24),
    "nothing in no time": ("* * * * *", "UTC", "2026-11-24T02:30", "2026-11-24T02:30", 0),
    "nothing after a clock went back": ("* * * * *", "UTC", "2026-11-24T02:30", "2026-11-24T02:00", 0),
    "nor over midnight": ("* * * * *", "UTC", "2026-11-24T02:30", "2026-11-23T02:00", 0),
}

NEVER_DUE = ["30 2 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *", "0 0 31 2 */7", "0 0 30 FEB *"]


def pattern(expression: str, zone: str) -> Pattern:
    found = Cron(expression=expression, time_zone=zone).pattern()
    assert found is not None
    return found


def test_an_expression_reads_well() -> None:
    assert Cron(expression="30 2 * * 1-5", time_zone=BERLIN).text() == "30 2 * * 1-5 Europe/Berlin"


@pytest.mark.parametrize(("text", "expression"), NORMALISED.items())
def test_an_expression_is_normalised(text: str, expression: str) -> None:
    assert normal_expression(text) == expression
    assert normal_expression(expression) == expression


@pytest.mark.parametrize("expression", NICKNAMES.values())
def test_a_nickname_is_an_expression(expression: str) -> None:
    assert normal_expression(expression) == expression


@pytest.mark.parametrize(("text", "fragment"), REFUSED.items())
def test_anything_else_is_refused_with_position_and_remedy(text: str, fragment: str) -> None:
    with pytest.raises(CronError, match=re.escape(fragment)) as caught:
        normal_expression(text)
    assert re.search(": (write|use) ", str(caught.value))
    assert len(str(caught.value)) < 300
    assert Cron(expression=text, time_zone="UTC").pattern() is None


def test_in_an_unknown_zone_there_is_no_slot() -> None:
    assert Cron(expression="30 2 * * *", time_zone="Europe/Berlin ").pattern() is None


@pytest.mark.parametrize("expression", NEVER_DUE)
def test_what_is_readable_may_never_be_due(expression: str) -> None:
    assert normal_expression(expression) == expression
    found = pattern(expression, BERLIN)
    assert found.first_after(at("2026-11-24T02:30")) is None
    assert found.last_before(at("2026-11-24T02:30"), after=at("2020-01-01T00:00")) is None
    assert found.count(after=at("2020-01-01T00:00"), until=at("2026-11-24T02:30")) == 0


@pytest.mark.parametrize(("case", "slots"), DUE.values(), ids=list(DUE))
def test_an_expression_is_due(case: tuple[str, str, str], slots: list[str]) -> None:
    expression, zone, instant = case
    found = pattern(expression, zone)
    after = at(instant)
    for slot in slots:
        assert found.first_after(after) == at(slot)
        assert found.last_before(at(slot), after=at(instant)) == (after if after > at(instant) else None)
        after = at(slot)
    assert found.count(after=at(instant), until=after) == len(slots)


@pytest.mark.parametrize(("expression", "zone", "after", "until", "number"), COUNTED.values(), ids=list(COUNTED))
def test_slots_are_counted_exactly(expression: str, zone: str, after: str, until: str, number: int) -> None:
    assert pattern(expression, zone).count(after=at(after), until=at(until)) == number
