"""The kinds of values that flags take: each is understood, or refused with a sentence.

Must not know the flags.
"""

from __future__ import annotations

import argparse
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from periodicbuild.core.durations import DurationError, parse_duration
from periodicbuild.core.recipients import is_address, parse_addresses

if TYPE_CHECKING:
    from collections.abc import Callable

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", re.ASCII)
"""What Kubernetes allows as the name of a namespace."""
LONGEST_NAME = 253
"""Characters of the name of an object."""
LONGEST_IDENTITY = 253
"""Characters of the name of a replica: a pod's name is none longer."""


def namespace(text: str) -> str:
    """Read the name of a namespace."""
    if not DNS_LABEL.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text} is no namespace: give one, and repeat the flag for another")
    return text


def dns_subdomain(text: str) -> str:
    """Read the name of an object."""
    if len(text) > LONGEST_NAME or not all(DNS_LABEL.fullmatch(label) for label in text.split(".")):
        raise argparse.ArgumentTypeError(f"{text!r} is no name of an object: small letters, digits, '-' and '.' only")
    return text


def identity(text: str) -> str:
    """Read the name of a replica."""
    if not text or len(text) > LONGEST_IDENTITY or not text.isprintable() or text != text.strip():
        message = f"{text!r} is no name of a replica: 1 to {LONGEST_IDENTITY} printable characters, as a pod's name"
        raise argparse.ArgumentTypeError(message)
    return text


def true_or_false(text: str) -> bool:
    """Read a switch as Kubernetes' own programs write it."""
    if text not in ("true", "false"):
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return text == "true"


def whole_seconds(at_least: int) -> Callable[[str], int]:
    """Read a duration that the API holds in whole seconds."""

    def seconds(text: str) -> int:
        found = duration(text)
        if found < timedelta(seconds=at_least) or found % timedelta(seconds=1):
            raise argparse.ArgumentTypeError(f"{text} does not fit: give whole seconds, at least {at_least}s")
        return int(found.total_seconds())

    return seconds


def rate(text: str) -> float:
    """Read a number per second."""
    try:
        per_second = float(text)
    except ValueError:
        per_second = -1.0
    if not 0 <= per_second < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is no rate: give a number per second, 0 for no limit")
    return per_second


def at_least(least: int) -> Callable[[str], int]:
    """Read a whole number."""

    def whole_number(text: str) -> int:
        if not text.removeprefix("-").isdecimal():
            raise argparse.ArgumentTypeError(f"{text} is no whole number")
        if int(text) < least:
            raise argparse.ArgumentTypeError(f"{text} is too small: give at least {least}")
        return int(text)

    return whole_number


def address(text: str) -> str:
    """Read the address to listen on."""
    _, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:  # noqa: PLR2004 - the highest port there is
        raise argparse.ArgumentTypeError(f"{text} is no address: write host:port, as in 127.0.0.1:8080 or 0.0.0.0:8080")
    return text


def duration(text: str) -> timedelta:
    """Read a duration as Kubernetes writes them."""
    try:
        return parse_duration(text)
    except DurationError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def addresses(text: str) -> tuple[str, ...]:
    """Read e-mail addresses with commas between."""
    try:
        return parse_addresses(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def domains(text: str) -> frozenset[str]:
    """Read the domains of e-mail addresses with commas between."""
    names = [part for part in (part.strip().lower() for part in text.split(",")) if part]
    wrong = [name for name in names if not is_address(f"x@{name}")]
    if wrong or not names:
        found = wrong[0] if wrong else text
        message = f"{found!r} is no domain: write one like example.com, several with commas between"
        raise argparse.ArgumentTypeError(message)
    return frozenset(names)


def file(text: str) -> Path:
    """Name a file, which need not be there yet: secrets are mounted late, and replaced."""
    if not text:
        raise argparse.ArgumentTypeError("the name of the file is empty: leave the flag out, or name a file")
    return Path(text)
