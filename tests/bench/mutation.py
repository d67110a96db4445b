"""Would the tests of the core notice a mistake?  The share of small changes that they do notice, and who survives."""

from __future__ import annotations

from tests.cluster.console import say
from tests.mutation.run import mutate
from tests.mutation.survivors import LIST, known_survivors, unexplained


def measure_mutation() -> dict[str, float]:
    """Change the core in every way that mutmut knows; name each survivor that nobody has looked at."""
    findings = mutate()
    known = known_survivors()
    unlisted = unexplained(findings.survivors, known)
    for change in unlisted:
        say(f"no test notices, and no reason is given: {change}")
    for change in unexplained(known, findings.survivors):
        say(f"{LIST.name} lists it, and it does not survive: {change}")
    return {
        "mutation-killed-percent": findings.counts.killed_percent,
        "mutation-changes": findings.counts.total,
        "mutation-survivors": len(findings.survivors),
        "mutation-survivors-unexplained": len(unlisted),
    }
