"""The one line at the end of a test run: what ran, and how it went.

Usage: python -m tests.summary "what was checked before" REPORT.xml [REPORT.xml ...]
"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Sequence


def summary(checked: str, reports: Sequence[Path]) -> str:
    """Count test cases per folder of tests/ in JUnit reports."""
    suites = [ET.parse(report).getroot() for report in reports]  # noqa: S314 - written by our own pytest a moment ago
    kinds: Counter[str] = Counter()
    skipped = 0
    for case in (case for suite in suites for case in suite.iter("testcase")):
        kinds[case.get("classname", "").split(".")[1]] += 1
        skipped += case.find("skipped") is not None
    ran = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
    runs = [one for suite in suites for one in suite.iter("testsuite")]
    began = [datetime.fromisoformat(one.get("timestamp", "")) for one in runs]
    ended = [start + timedelta(seconds=float(one.get("time", "0"))) for start, one in zip(began, runs, strict=True)]
    seconds = (max(ended) - min(began)).total_seconds()  # some run at the same time
    without = f"; {skipped} SKIPPED" if skipped else ""
    return f"passed: {checked}; tests: {ran}{without}; {seconds:.0f} s"


if __name__ == "__main__":
    sys.stdout.write(summary(sys.argv[1], [Path(report) for report in sys.argv[2:]]) + "\n")
