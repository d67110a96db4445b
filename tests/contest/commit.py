"""Which state of the sources was measured."""

from __future__ import annotations

import subprocess

from tests.bench.figures import ROOT


def commit() -> str:
    """Give the commit, with a `+` if operator or tests have been changed since; empty outside of a repository."""
    changed = "+" if _git("status", "--porcelain", "--untracked-files=no", "--", "operator", "tests") else ""
    found = _git("rev-parse", "--short=8", "HEAD")
    return found + changed if found else ""


def _git(*words: str) -> str:
    answer = subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)
    return answer.stdout.strip()
