"""The machine and the day of a measurement, in words that name nobody's computer."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime

BYTES_PER_GB = 2**30


def machine() -> str:
    """Say what the processes had: cores, memory, kernel, Python."""
    cores = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // BYTES_PER_GB
    kernel = ".".join(platform.release().split(".")[:2])
    python = ".".join(platform.python_version_tuple()[:2])
    return f"{cores} cores, {memory} GB, Linux {kernel}, Python {python}"


def today() -> str:
    """Give the date, UTC."""
    return datetime.now(UTC).date().isoformat()
