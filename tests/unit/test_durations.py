"""The notation of Kubernetes, as every field but the interval accepts it."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import product

import pytest

from periodicbuild.core.durations import (
    DURATION_PATTERN,
    DurationError,
    format_duration,
    in_order,
    parse_duration,
)

MINUTE = 60
HOUR = 3_600
DAY = 86_400

ACCEPTED = {
    "1s": 1,
    "90s": 90,
    "10m": 10 * MINUTE,
    "1h30m": HOUR + 30 * MINUTE,
    "2h30m": 2 * HOUR + 30 * MINUTE,
    "24h": DAY,
    "7d": 7 * DAY,
    "2w": 14 * DAY,
    "1w1d1h1m1s": 8 * DAY + HOUR + MINUTE + 1,
    "1d30s": DAY + 30,
    "0d90m": 90 * MINUTE,
    "007d": 7 * DAY,
    "366d": 366 * DAY,
    "31622400s": 366 * DAY,
}

REFUSED = {
    "": "is empty",
    "  ": "is empty",
    "0": "is zero",
    "0s": "is zero",
    "0w0d": "is zero",
    "90": "has no unit: write '90s'",
    "-1h": "is negative",
    "367d": "is longer than 366d",
    "366d1s": "is longer than 366d",
    "999999999s": "more than 8 digits",
    "30m1h": "out of order or twice",
    "1h1h": "out of order or twice",
    "\u0661h": "outside ASCII",
    "1 day": "is not a duration",
    "1.5h": "is not a duration",
    "1H": "is not a duration",
    "100ms": "is not a duration",
    "24h ": "is not a duration",
    "24h\n": "is not a duration",
    "daily": "is not a duration",
    "PT1H": "is not a duration",
    "1" * 64: "more than 8 digits",
    "1" * 65: "has 65 characters",
    "1" * 400: "'1111111111111111'... has 400 characters: write at most 64, as in '24h'",
}

NORMAL_FORMS = {
    timedelta(0): "0s",
    timedelta(seconds=1): "1s",
    timedelta(seconds=90): "1m30s",
    timedelta(minutes=90): "1h30m",
    timedelta(hours=1, seconds=5): "1h5s",
    timedelta(days=1): "24h",
    timedelta(days=30): "720h",
    timedelta(seconds=59, microseconds=999_999): "59s",
    timedelta(minutes=-90): "-1h30m",
}


@pytest.mark.parametrize(("text", "seconds"), ACCEPTED.items())
def test_a_duration_of_whole_units_in_falling_order_is_read(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)
    assert re.fullmatch(DURATION_PATTERN, text)


@pytest.mark.parametrize(("text", "fragment"), REFUSED.items())
def test_anything_else_is_refused_with_the_reason(text: str, fragment: str) -> None:
    with pytest.raises(DurationError, match=re.escape(fragment)):
        parse_duration(text)


@pytest.mark.parametrize("text", REFUSED)
def test_a_refusal_ends_with_something_that_works(text: str) -> None:
    with pytest.raises(DurationError) as caught:
        parse_duration(text)
    remedies = re.findall("'([^']+)'", str(caught.value).rpartition("write")[2])
    for remedy in remedies:
        assert parse_duration(remedy)


YAML_NUMBERS = {
    86_400: "'86400' has no unit: write '86400s' if seconds are meant",
    12_345_678: "'12345678' is not a text: write it in quotes and with a unit as in '24h'",
}


@pytest.mark.parametrize(("number", "sentence"), YAML_NUMBERS.items())
def test_a_number_of_yaml_is_refused_with_what_it_lacks(number: int, sentence: str) -> None:
    with pytest.raises(DurationError, match=f"^{re.escape(sentence)}$"):
        parse_duration(number)


def test_parts_in_order_are_at_least_one_and_each_at_most_once() -> None:
    texts = {"".join(letters) for length in range(5) for letters in product("abc", repeat=length)}
    matched = {text for text in texts if re.fullmatch(in_order(("a", "b", "c")), text)}
    assert matched == {"a", "b", "c", "ab", "ac", "bc", "abc"}


@pytest.mark.parametrize("text", ["10s", "1m", "1h"])
def test_both_bounds_of_a_field_are_inclusive(text: str) -> None:
    assert parse_duration(text, shortest=timedelta(seconds=10), longest=timedelta(hours=1))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("9s", "'9s' is shorter than 10s: write '10s' or more"),
        ("0s", "'0s' is zero: write '10s' or more"),
        ("25h", "'25h' is longer than 1d: write '1d' or less"),
    ],
)
def test_a_length_beyond_the_bounds_of_a_field_is_refused_with_the_bound(text: str, sentence: str) -> None:
    with pytest.raises(DurationError, match=re.escape(sentence)):
        parse_duration(text, shortest=timedelta(seconds=10), longest=timedelta(days=1))


@pytest.mark.parametrize(("length", "text"), NORMAL_FORMS.items())
def test_the_normal_form_is_hours_minutes_and_seconds_without_zeros(length: timedelta, text: str) -> None:
    assert format_duration(length) == text
