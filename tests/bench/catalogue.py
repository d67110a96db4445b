"""Every published figure: what it is, and what it should be.

The one idea a newcomer would miss: a goal is a fact about the project, not about one measurement.  So it stands here
once, and a figure that misses it is published all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

HERD = "python -m tests.bench herd"
REQUESTS = "python -m tests.bench requests"
IDLE = "python -m tests.bench idle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One figure that some command measures."""

    id: str
    what: str
    """As a row of a table calls it."""
    unit: str
    """Empty for a plain number."""
    command: str
    """What measures it."""
    goal: str | None = None
    """`<=` or `>=` and a number; None = there is none, it is told to explain another figure."""


CATALOGUE = (
    Known(
        id="herd-1000-ratio",
        what="1,000 builds due in one second: time until 99 % of the AppServers exist, in times of a bare client's",
        unit="",
        command=HERD,
        goal="<= 2",
    ),
    Known(id="herd-1000-p50-seconds", what="... from the slot until half of them exist", unit="s", command=HERD),
    Known(id="herd-1000-p99-seconds", what="... until 99 % of them exist", unit="s", command=HERD),
    Known(id="herd-1000-max-seconds", what="... until all of them exist", unit="s", command=HERD),
    Known(id="herd-1000-bare-p99-seconds", what="... the bare client's time until 99 %", unit="s", command=HERD),
    Known(
        id="herd-1000-pods-p99-seconds",
        what="... the operator's time until 99 % of the pods exist",
        unit="s",
        command=HERD,
    ),
    Known(
        id="requests-per-run",
        what="Requests of the operator per run that completes, in calm",
        unit="",
        command=REQUESTS,
        goal="<= 10",
    ),
    Known(id="requests-per-run-create", what="... creates: AppServer, pod, Events", unit="", command=REQUESTS),
    Known(id="requests-per-run-patch", what="... patches: statuses", unit="", command=REQUESTS),
    Known(id="requests-per-run-delete", what="... deletes: history over its limit", unit="", command=REQUESTS),
    Known(id="requests-per-run-get", what="... gets of one object", unit="", command=REQUESTS),
    Known(
        id="start-5000-seconds",
        what="5,000 PeriodicBuilds: from the start of the process to its first AppServer",
        unit="s",
        command=IDLE,
        goal="<= 10",
    ),
    Known(id="idle-5000-rss-mb", what="... resident memory", unit="MB", command=IDLE, goal="<= 250"),
    Known(id="idle-5000-cpu-percent", what="... CPU while idle, of one core", unit="%", command=IDLE, goal="<= 2"),
    Known(id="idle-5000-writes", what="... writes while idle, in a minute", unit="", command=IDLE, goal="<= 0"),
)

BY_ID = {known.id: known for known in CATALOGUE}
