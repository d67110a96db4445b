"""Read and write lengths of time in the notation of Kubernetes: `90s`, `1h30m`, `30d`, `2w`.

It must not know which field a length fills; the caller puts the field's name before the sentence of a `DurationError`.

The parser and the CRDs share one grammar: it is assembled from strings in the part of regular expressions that Python
and RE2, the engine of the API server, read alike (no look-ahead, no backslash, no capturing group). What the pattern
lets in, the parser can therefore read; only zero and the bounds are left, and the CEL text beside the pattern checks
those at admission.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

MAX_TEXT_LENGTH: Final = 64
"""Characters; no notation needs more than 45, and the bound keeps hundreds of digits away from regular expressions."""

SHORTEST: Final = timedelta(seconds=1)
"""Nothing in the operator is scheduled finer than a second."""

LONGEST: Final = timedelta(days=366)
"""A leap year; a longer wait is more likely a typing error than a wish."""

UNIT_SECONDS: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
"""Seconds per unit, largest first, which is also the order in which they must be written."""

NUMBER: Final = "[0-9]{1,8}"
"""Eight digits hold 366 days in seconds, and as weeks they stay inside 64 bits. `[0-9]`, as `\\d` is not only ASCII."""


def in_order(parts: tuple[str, ...]) -> str:
    """Match at least one of the parts, in this order, each at most once, without look-ahead."""
    return "|".join(
        first + "".join(f"(?:{later})?" for later in parts[position + 1 :]) for position, first in enumerate(parts)
    )


DURATION_SHAPE: Final = f"(?:{in_order(tuple(NUMBER + unit for unit in UNIT_SECONDS))})"
"""The Kubernetes notation without anchors, for use inside larger patterns."""

DURATION_PATTERN: Final = f"^{DURATION_SHAPE}$"
"""The notation alone."""

DURATION_FORM: Final = "^" + "".join(f"({NUMBER}{unit})?" for unit in UNIT_SECONDS) + "$"
"""Lets the empty text in, too, whose seconds are out of bounds.  For CRDs, where a quarter of the length counts."""

DURATION_SECONDS_CEL: Final = (
    "self.lowerAscii().findAll('[0-9]+[wdhms]')"
    f".map(p, int(p.substring(0, p.size() - 1)) * {UNIT_SECONDS}[p.substring(p.size() - 1)]).sum()"
)
"""Seconds of a text that matches `DURATION_FORM`, as CEL over `self`; compare it with the field's bounds."""


class DurationError(ValueError):
    """A length of time that cannot be used; its text is one sentence with the value and the remedy."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A mistake that is known well enough to be answered with its own sentence."""

    mistake: re.Pattern[str]
    """Searched for in texts that no notation matches."""

    sentence: str
    """`{quoted}` stands for the value as shown, `{text}` for the value itself."""


COMMON_REFUSALS: Final = (
    Refusal(re.compile(r"\A\s*\Z"), "{quoted} is empty: write a length such as '24h'"),
    Refusal(
        re.compile("[^\x00-\x7f]"), "{quoted} has characters outside ASCII: write digits 0-9 and units as in '24h'"
    ),
    Refusal(re.compile(r"(?:\A|[ PT])-"), "{quoted} is negative: write it without the minus sign"),
    Refusal(re.compile(r"\A0+(?::0+)*\Z"), "{quoted} is zero: write '1s' or more"),
    Refusal(re.compile(r"\A[0-9]{1,7}\Z"), "{quoted} has no unit: write '{text}s' if seconds are meant"),
    Refusal(re.compile("[0-9]{9}"), "{quoted} has a number of more than 8 digits: write '366d' or less"),
    Refusal(
        re.compile(r"\A(?:[0-9]+[wdhms])+\Z"),
        "{quoted} has its units out of order or twice: write each of w, d, h, m, s once, in this order, as in '1h30m'",
    ),
)
"""In the order of asking; the first that fits speaks."""

UNREADABLE_DURATION: Final = "{quoted} is not a duration: write whole numbers with units as in '90s', '1h30m' or '7d'"


def parse_duration(text: str | int, *, shortest: timedelta = SHORTEST, longest: timedelta = LONGEST) -> timedelta:
    """Read the Kubernetes notation; both bounds are inclusive.

    Raises `DurationError`. A number (YAML without quotes and unit) is in the type so that it can be refused.
    """
    checked = check_text(text)
    if not re.fullmatch(DURATION_SHAPE, checked):
        raise refused(checked, COMMON_REFUSALS, UNREADABLE_DURATION)
    return within_bounds(checked, sum_of_units(checked), shortest=shortest, longest=longest)


def format_duration(length: timedelta) -> str:
    """Write the normal form: hours, minutes, seconds, no zeros (`24h`, `1m30s`); parts of a second are dropped."""
    if length < timedelta(0):
        return f"-{format_duration(-length)}"
    minutes, seconds = divmod(length // timedelta(seconds=1), 60)
    hours, minutes = divmod(minutes, 60)
    counts = {"h": hours, "m": minutes, "s": seconds}
    return "".join(f"{count}{unit}" for unit, count in counts.items() if count) or "0s"


def sum_of_units(text: str) -> int:
    """Add up every number with a unit, in either case; seconds."""
    return sum(int(number) * UNIT_SECONDS[unit] for number, unit in re.findall("([0-9]+)([wdhms])", text.lower()))


def check_text(text: str | int) -> str:
    """Refuse what no notation can be: a number instead of a text, and a text of a length that only an attack has."""
    if not isinstance(text, str):
        raise refused(
            str(text), COMMON_REFUSALS, "{quoted} is not a text: write it in quotes and with a unit as in '24h'"
        )
    if len(text) > MAX_TEXT_LENGTH:
        sentence = f"{text[:16]!r}... has {len(text)} characters: write at most {MAX_TEXT_LENGTH}, as in '24h'"
        raise DurationError(sentence)
    return text


def refused(text: str, refusals: tuple[Refusal, ...], otherwise: str) -> DurationError:
    """Say what is wrong with a text that no notation matches."""
    sentence = next((refusal.sentence for refusal in refusals if refusal.mistake.search(text)), otherwise)
    return DurationError(sentence.format(quoted=repr(text), text=text))


def within_bounds(text: str, seconds: int, *, shortest: timedelta, longest: timedelta) -> timedelta:
    """Give the length, unless it is zero or beyond a bound; both are inclusive."""
    if seconds == 0:
        raise DurationError(f"{text!r} is zero: write {_bound(shortest)!r} or more")
    length = timedelta(seconds=seconds)
    if length < shortest:
        raise DurationError(f"{text!r} is shorter than {_bound(shortest)}: write {_bound(shortest)!r} or more")
    if length > longest:
        raise DurationError(f"{text!r} is longer than {_bound(longest)}: write {_bound(longest)!r} or less")
    return length


def _bound(length: timedelta) -> str:
    """Whole days as days: 366d is recognised, 8784h is not."""
    return format_duration(length) if length % timedelta(days=1) else f"{length.days}d"
