"""The five notations of an interval, and the sentence for each mistake."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest

from periodicbuild.core.durations import DURATION_PATTERN, DURATION_SECONDS_CEL, DurationError
from periodicbuild.core.intervals import (
    AMBIGUOUS_PATTERN,
    CALENDAR_UNIT_PATTERN,
    INTERVAL_PATTERN,
    INTERVAL_SECONDS_CEL,
    NOT_ZERO_PATTERN,
    parse_interval,
)

MINUTE = 60
HOUR = 3_600
DAY = 86_400

ACCEPTED = {
    # day and clock
    "1 00:00:00": DAY,
    "00:15:30": 15 * MINUTE + 30,
    "15:30:00": 15 * HOUR + 30 * MINUTE,
    "4 1:15:20": 4 * DAY + HOUR + 15 * MINUTE + 20,
    "1 00:00:00.000000": DAY,
    "1 23:59:59": 2 * DAY - 1,
    "24:00:00": DAY,
    "8784:00:00": 366 * DAY,
    "0 01:00:00": HOUR,
    "0:00:00.5": 1,
    "0:00:01.499999": 1,
    "0:00:01.500000": 2,
    "0:00:59.9": MINUTE,
    "366 00:00:00.499999": 366 * DAY,
    # ISO 8601
    "P1D": DAY,
    "PT12H": 12 * HOUR,
    "P4DT1H15M20S": 4 * DAY + HOUR + 15 * MINUTE + 20,
    "P1W": 7 * DAY,
    "PT1M": MINUTE,
    "P1DT1M": DAY + MINUTE,
    "PT1H20S": HOUR + 20,
    "PT36H": 36 * HOUR,
    "P1DT00H00M00S": DAY,
    # PostgreSQL day-time
    "1 day": DAY,
    "1 days": DAY,
    "3 days 04:05:06": 3 * DAY + 4 * HOUR + 5 * MINUTE + 6,
    "1 day, 02:00:00": DAY + 2 * HOUR,
    "1 day, 2:00:00.5": DAY + 2 * HOUR + 1,
    "0 days 12:00:00": 12 * HOUR,
    # Kubernetes
    "24h": DAY,
    "1h30m": HOUR + 30 * MINUTE,
    "90s": 90,
    "30d": 30 * DAY,
    "2w": 14 * DAY,
    "1s": 1,
    "366d": 366 * DAY,
    # words
    "hourly": HOUR,
    "daily": DAY,
    "weekly": 7 * DAY,
}

REFUSED = {
    "": "is empty",
    " ": "is empty",
    "0": "is zero",
    "00:00": "is zero",
    "0h": "is zero",
    "0:00:00": "is zero",
    "0:00:00.499999": "is zero",
    "P0D": "is zero",
    "0 days": "is zero",
    "-1 day": "is negative",
    "-P1D": "is negative",
    "P-1D": "is negative",
    "1 day -02:00:00": "is negative",
    "-24h": "is negative",
    "367d": "is longer than 366d",
    "366 00:00:01": "is longer than 366d",
    "366 00:00:00.5": "is longer than 366d",
    "8784:00:01": "is longer than 366d",
    "P53W": "is longer than 366d",
    "1000000000 days": "more than 8 digits",
    "9" * 400: "has 400 characters",
    "\u0661 day": "outside ASCII",
    "\u0661\u0662:00:00": "outside ASCII",
    "24\u210e": "outside ASCII",
    "86400": "has no unit: write '86400s'",
    "15:30": "is ambiguous: write '00:15:30' (minutes:seconds) or '15:30:00' (hours:minutes)",
    "5:30": "is ambiguous: write '00:05:30' (minutes:seconds) or '5:30:00' (hours:minutes)",
    "P1M": "months and years have no fixed length",
    "P1Y": "months and years have no fixed length",
    "P1Y2M3DT4H": "months and years have no fixed length",
    "1 year": "months and years have no fixed length",
    "1 month": "months and years have no fixed length",
    "2 months 3 days": "months and years have no fixed length",
    "2 mons": "months and years have no fixed length",
    "1y": "months and years have no fixed length",
    "monthly": "months and years have no fixed length",
    "1 25:61:61": "is not a possible clock",
    "1 24:00:00": "is not a possible clock",
    "1 day, 24:00:00": "is not a possible clock",
    "00:60:00": "is not a possible clock",
    "0:5:30": "is not a possible clock",
    "10000:00:00": "is not a possible clock",
    "0:00:01.1234567": "is not a possible clock",
    "1 day,02:00:00": "is not a possible clock",
    "30m1h": "out of order or twice",
    "75:30": "is not an interval",
    "1 15:30": "is not an interval",
    "P": "is not an interval",
    "PT": "is not an interval",
    "P1DT": "is not an interval",
    "P1W1D": "is not an interval",
    "PT1.5H": "is not an interval",
    "p1d": "is not an interval",
    "90 minutes": "is not an interval",
    "1d 12h": "is not an interval",
    "Daily": "is not an interval",
    "@daily": "is not an interval",
    "24h\n": "is not an interval",
    " 24h": "is not an interval",
    "{text}": "is not an interval",
    "it's": "is not an interval",
}

SLOW_IF_A_PATTERN_BACKTRACKS = [
    "1" * 64,
    "1w" * 32,
    "P" + "1D" * 31,
    "0:" * 32,
    "1 " * 32,
    "P" + "Y" * 63,
    "1 day, " * 9,
    "9" * 1_000_000,
    " " * 1_000_000,
]


@pytest.mark.parametrize(("text", "seconds"), ACCEPTED.items())
def test_an_interval_is_read_in_every_notation(text: str, seconds: int) -> None:
    assert parse_interval(text) == timedelta(seconds=seconds)
    assert re.fullmatch(INTERVAL_PATTERN, text)


@pytest.mark.parametrize(("text", "fragment"), REFUSED.items())
def test_anything_else_is_refused_with_the_reason(text: str, fragment: str) -> None:
    with pytest.raises(DurationError, match=re.escape(fragment)):
        parse_interval(text)


@pytest.mark.parametrize("text", REFUSED)
def test_a_refusal_names_the_value_and_ends_with_something_that_works(text: str) -> None:
    with pytest.raises(DurationError) as caught:
        parse_interval(text)
    sentence = str(caught.value)
    assert sentence.startswith(repr(text[:16])[:-1])
    for remedy in re.findall("'([^']+)'", sentence.rpartition("write")[2]):
        assert parse_interval(remedy)


def test_a_number_of_yaml_is_refused_with_the_unit_it_lacks() -> None:
    with pytest.raises(DurationError, match="'86400' has no unit: write '86400s'"):
        parse_interval(86_400)


def test_a_negative_number_of_yaml_is_refused_as_negative() -> None:
    with pytest.raises(DurationError, match="'-1' is negative"):
        parse_interval(-1)


@pytest.mark.parametrize("pattern", [INTERVAL_PATTERN, DURATION_PATTERN])
def test_the_patterns_of_the_crd_use_only_what_python_and_re2_read_alike(pattern: str) -> None:
    assert "\\" not in pattern
    assert re.findall(r"\((?!\?:)", pattern) == [], "only non-capturing groups, no look-around, no flags"
    assert pattern.startswith("^")
    assert pattern.endswith("$")


@pytest.mark.parametrize("pattern", [INTERVAL_PATTERN, NOT_ZERO_PATTERN, AMBIGUOUS_PATTERN, CALENDAR_UNIT_PATTERN])
def test_the_patterns_can_stand_between_the_single_quotes_of_cel(pattern: str) -> None:
    assert not set("'\\\n") & set(pattern)


@pytest.mark.parametrize("text", ACCEPTED)
def test_the_hints_for_admission_never_hit_a_good_interval(text: str) -> None:
    assert not re.search(AMBIGUOUS_PATTERN, text)
    assert not re.search(CALENDAR_UNIT_PATTERN, text)


def test_the_cel_of_an_interval_builds_on_the_cel_of_a_duration() -> None:
    assert DURATION_SECONDS_CEL in INTERVAL_SECONDS_CEL


@pytest.mark.parametrize("text", SLOW_IF_A_PATTERN_BACKTRACKS)
def test_a_hostile_text_is_refused_at_once(text: str) -> None:
    began = time.perf_counter()
    with pytest.raises(DurationError):
        parse_interval(text)
    assert time.perf_counter() - began < 0.5, "a thousand times what it takes; only a runaway pattern gets here"
