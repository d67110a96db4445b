"""The one line at the end of a test run: what ran, and how it went.

Usage: python -m tests.summary REPORT.xml "what was checked before"
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET


def summary(report: Path, checked: str) -> str:
    """Count test cases per folder of tests/ in a JUnit report."""
    suite = ET.parse(report).getroot()  # noqa: S314 - written by our own pytest a moment ago
    kinds: Counter[str] = Counter()
    skipped = 0
    for case in suite.iter("testcase"):
        kinds[case.get("classname", "").split(".")[1]] += 1
        skipped += case.find("skipped") is not None
    ran = ", ".join(f"{kind} {count}" for kind, count in kinds.items())
    seconds = sum(float(one.get("time", "0")) for one in suite.iter("testsuite"))
    without = f"; {skipped} SKIPPED" if skipped else ""
    return f"passed: {checked}; tests: {ran}{without}; {seconds:.0f} s"


if __name__ == "__main__":
    sys.stdout.write(summary(Path(sys.argv[1]), sys.argv[2]) + "\n")
