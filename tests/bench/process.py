"""What a process costs, as its kernel counts it."""

from __future__ import annotations

import os
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def resident_mb(pid: int) -> float:
    """Give the resident memory in MB (10^6 bytes)."""
    return _status_mb(pid, "VmRSS:")


def peak_mb(pid: int) -> float:
    """Give the largest resident memory so far, or since it was forgotten, in MB (10^6 bytes)."""
    return _status_mb(pid, "VmHWM:")


def forget_peak(pid: int) -> None:
    """Let the largest resident memory be the present one."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def _status_mb(pid: int, field: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    kilobytes = next(int(line.split()[1]) for line in lines if line.startswith(field))
    return kilobytes * 1024 / 1e6


def cpu_seconds(pid: int) -> float:
    """Give the CPU time of all its threads so far, user and system."""
    # The second field is the program's name in parentheses and may hold anything, so count from behind it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
