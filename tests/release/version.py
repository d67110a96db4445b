"""The one version, and what the sources are of.

The version stands in pyproject.toml and nowhere else; what repeats it is written from it, or compared by a test.
"""

from __future__ import annotations

import os
import subprocess
import tomllib

from tests.bench.figures import ROOT


def version() -> str:
    """Give the version, as in `1.2.3`."""
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def revision() -> str:
    """Give the commit; `unknown` outside a checkout."""
    return _git("rev-parse", "HEAD") or "unknown"


def source_date() -> int:
    """Give the instant (Unix seconds) that all made from these sources bears: SOURCE_DATE_EPOCH, or the commit's."""
    return int(os.environ.get("SOURCE_DATE_EPOCH") or _git("log", "-1", "--format=%ct") or 0)


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(ROOT), *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return answer.stdout.strip() if answer.returncode == 0 else ""
