"""How long README.md takes, followed word by word on an empty machine, until a build has succeeded."""

from __future__ import annotations

from tests.newcomer.walk import follow_pages


def measure_readme() -> dict[str, float]:
    """Give the figures."""
    times = follow_pages()
    return {
        "readme-first-success-seconds": times.first_success,
        "readme-demo-seconds": times.demo,
        "readme-install-first-success-seconds": times.installed_success,
    }
