"""Laws of lengths of time: what is written is read, and pattern and parser never disagree."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from periodicbuild.core.durations import (
    DURATION_PATTERN,
    MAX_TEXT_LENGTH,
    DurationError,
    format_duration,
    parse_duration,
)
from periodicbuild.core.intervals import (
    AMBIGUOUS_PATTERN,
    CALENDAR_UNIT_PATTERN,
    INTERVAL_PATTERN,
    NOT_ZERO_PATTERN,
    NOTATIONS,
    parse_interval,
)

if TYPE_CHECKING:
    from collections.abc import Callable

LIMIT = 366 * 86_400
SECONDS_PER = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}

lengths = st.integers(1, LIMIT).map(lambda seconds: timedelta(seconds=seconds))
counts = st.integers(0, 99_999_999)
durations_by_grammar = st.from_regex(re.compile(DURATION_PATTERN), fullmatch=True).filter(bool)
intervals_by_grammar = st.from_regex(re.compile(INTERVAL_PATTERN), fullmatch=True)
characters_of_intervals = st.sampled_from("0123456789 :.,-+PTYWDHMSwdhmsayourlek\n\u0661\uff11")


@st.composite
def kubernetes(draw: st.DrawFn) -> tuple[str, int]:
    """Text and seconds: a choice of units in falling order, each with a count."""
    units = draw(st.sets(st.sampled_from("wdhms"), min_size=1))
    parts = [(draw(counts), unit) for unit in SECONDS_PER if unit in units]
    return "".join(f"{count}{unit}" for count, unit in parts), sum(n * SECONDS_PER[unit] for n, unit in parts)


@st.composite
def iso(draw: st.DrawFn) -> tuple[str, int]:
    """Text and seconds: weeks alone, or days and a time of at least one part."""
    if draw(st.booleans()):
        weeks = draw(counts)
        return f"P{weeks}W", weeks * 604_800
    days = draw(st.none() | counts)
    units = draw(st.sets(st.sampled_from("HMS"), min_size=1 if days is None else 0))
    parts = [(draw(counts), unit) for unit in "HMS" if unit in units]
    clock = "".join(f"{count}{unit}" for count, unit in parts)
    seconds = sum(n * SECONDS_PER[unit.lower()] for n, unit in parts) + (days or 0) * 86_400
    return ("P" if days is None else f"P{days}D") + (f"T{clock}" if clock else ""), seconds


@st.composite
def clocks(draw: st.DrawFn, *, most_hours: int) -> tuple[str, int]:
    """Text and seconds, rounded half up by integer arithmetic on microseconds."""
    hours, minutes, seconds = draw(st.integers(0, most_hours)), draw(st.integers(0, 59)), draw(st.integers(0, 59))
    digits = draw(st.text("0123456789", max_size=6))
    microseconds = int(digits.ljust(6, "0"))
    text = f"{hours:0{draw(st.integers(1, 2))}d}:{minutes:02d}:{seconds:02d}" + (f".{digits}" if digits else "")
    return text, hours * 3_600 + minutes * 60 + seconds + (microseconds + 500_000) // 1_000_000


@st.composite
def days_and_clock(draw: st.DrawFn) -> tuple[str, int]:
    """Text and seconds: days, then a clock of one day, with any separator of day-and-clock and PostgreSQL."""
    days = draw(counts)
    clock, seconds = draw(clocks(most_hours=23))
    separator = draw(st.sampled_from([" ", " day ", " days ", " day, ", " days, "]))
    return f"{days}{separator}{clock}", days * 86_400 + seconds


days_alone = counts.map(lambda days: (f"{days} days", days * 86_400))
words = st.sampled_from([("hourly", 3_600), ("daily", 86_400), ("weekly", 604_800)])
written = kubernetes() | iso() | clocks(most_hours=9_999) | days_and_clock() | days_alone | words


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """Damage a good interval by one character removed, added or exchanged, so that it is nearly right."""
    text = draw(intervals_by_grammar)
    position = draw(st.integers(0, len(text)))
    return text[:position] + draw(st.just("") | characters_of_intervals) + text[position + draw(st.integers(0, 1)) :]


texts = st.text() | st.text(characters_of_intervals) | damaged() | intervals_by_grammar | durations_by_grammar


def refusal_of(text: str, parse: Callable[[str], timedelta] = parse_interval) -> str | None:
    """Why the text is refused, None if it is not; anything but a DurationError fails the test."""
    try:
        parse(text)
    except DurationError as refusal:
        return str(refusal)
    return None


def is_about_length(refusal: str, text: str) -> bool:
    """Whether the sentence accepts the notation and only objects to zero or to the bound."""
    return refusal.startswith((f"{text!r} is zero", f"{text!r} is longer than 366d"))


@given(lengths)
def test_what_is_written_in_normal_form_is_read_as_the_same_length(length: timedelta) -> None:
    assert parse_duration(format_duration(length)) == length
    assert parse_interval(format_duration(length)) == length


@given(written)
def test_what_the_grammar_writes_is_read_as_what_was_meant(case: tuple[str, int]) -> None:
    text, seconds = case
    assert re.fullmatch(INTERVAL_PATTERN, text)
    if 1 <= seconds <= LIMIT:
        assert parse_interval(text) == timedelta(seconds=seconds)
    else:
        assert refusal_of(text) is not None


@given(texts)
def test_pattern_and_parser_agree_on_every_text(text: str) -> None:
    refusal = refusal_of(text)
    if re.fullmatch(INTERVAL_PATTERN, text):
        assert refusal is None or is_about_length(refusal, text)
    else:
        assert refusal is not None


@given(texts)
def test_every_duration_is_an_interval_of_the_same_length(text: str) -> None:
    if refusal_of(text, parse_duration) is None:
        assert re.fullmatch(DURATION_PATTERN, text)
        assert parse_interval(text) == parse_duration(text)


@given(durations_by_grammar)
def test_what_the_duration_pattern_lets_in_is_refused_only_by_its_length(text: str) -> None:
    refusal = refusal_of(text, parse_duration)
    assert refusal is None or is_about_length(refusal, text)


@given(intervals_by_grammar)
def test_an_interval_belongs_to_one_notation_and_fits_the_field(text: str) -> None:
    assert len([notation.name for notation in NOTATIONS if re.fullmatch(notation.shape, text)]) == 1
    assert len(text) <= MAX_TEXT_LENGTH


@given(intervals_by_grammar)
def test_the_pattern_for_zero_knows_zero_as_the_parser_does(text: str) -> None:
    is_zero = "is zero" in (refusal_of(text) or "")
    assert (re.search(NOT_ZERO_PATTERN, text) is None) == is_zero


@given(intervals_by_grammar)
def test_the_hints_for_admission_never_hit_an_interval(text: str) -> None:
    assert not re.search(AMBIGUOUS_PATTERN, text)
    assert not re.search(CALENDAR_UNIT_PATTERN, text)
