"""What the operator costs, and what its tests notice: the figures of docs/performance.md, mostly."""

from __future__ import annotations

from typing import Final

from tests.bench.known import Known

HERD: Final = "python -m tests.bench herd"
REQUESTS: Final = "python -m tests.bench requests"
IDLE: Final = "python -m tests.bench idle"
CROWD: Final = "python -m tests.bench crowd"
PLANNER: Final = "python -m tests.bench planner"
SIMULATED: Final = "python -m tests.bench simulated"
SOAK: Final = "python -m tests.bench soak"
SOURCES: Final = "python -m tests.bench sources"
MUTATION: Final = "python -m tests.bench mutation"
README: Final = "python -m tests.bench readme"

COSTS: Final = (
    Known(
        id="herd-1000-at-500-over-bare-client",
        what="1,000 builds due in one second: time until 99 % of the AppServers exist, in times of a bare client's",
        unit="",
        command=HERD,
        goal="<= 1.5",
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
        goal="<= 9",
    ),
    Known(id="requests-per-run-create", what="... creates: AppServer, pod, Events", unit="", command=REQUESTS),
    Known(id="requests-per-run-patch", what="... patches: statuses", unit="", command=REQUESTS),
    Known(id="requests-per-run-delete", what="... deletes: history over its limit", unit="", command=REQUESTS),
    Known(id="requests-per-run-get", what="... gets of one object", unit="", command=REQUESTS),
    Known(
        id="cronjob-requests-per-run",
        what="... the CronJob and Job controllers' for the same work",
        unit="",
        command=REQUESTS,
    ),
    Known(
        id="requests-per-run-over-cronjob",
        what="... the operator's in times of theirs",
        unit="",
        command=REQUESTS,
        goal="<= 1",
    ),
    Known(
        id="start-5000-seconds",
        what="5,000 PeriodicBuilds: from the start of the process to its first AppServer",
        unit="s",
        command=IDLE,
        goal="<= 8",
    ),
    Known(id="idle-5000-rss-mb", what="... resident memory", unit="MB", command=IDLE, goal="<= 150"),
    Known(id="idle-5000-cpu-percent", what="... CPU while idle, of one core", unit="%", command=IDLE, goal="<= 1"),
    Known(id="idle-5000-writes", what="... writes while idle, in a minute", unit="", command=IDLE, goal="<= 0"),
    Known(id="idle-10000-rss-mb", what="... resident memory with 10,000", unit="MB", command=IDLE, goal="<= 250"),
    Known(id="idle-10000-cpu-percent", what="... CPU while idle with 10,000", unit="%", command=IDLE, goal="<= 1"),
    Known(id="idle-10000-writes", what="... writes in a minute with 10,000", unit="", command=IDLE, goal="<= 0"),
    Known(
        id="herd-1000-at-20-recorded",
        what="1,000 builds due every minute for 5 minutes, with 20 requests a second: slots in the ledgers",
        unit="",
        command=CROWD,
    ),
    Known(
        id="herd-1000-at-20-unaccounted",
        what="... slots in no ledger, by independent recount",
        unit="",
        command=CROWD,
        goal="<= 0",
    ),
    Known(
        id="herd-1000-at-20-audit-exit-code",
        what="... exit code of `kubectl periodicbuild audit --all`",
        unit="",
        command=CROWD,
        goal="<= 0",
    ),
    Known(
        id="herd-1000-at-20-seconds",
        what="... seconds from the last slot until all are in a ledger",
        unit="s",
        command=CROWD,
    ),
    Known(
        id="cronjob-1000-at-20-lost",
        what="... the same with CronJobs: of 5,000 slots, those with neither a job nor an Event that says why not",
        unit="",
        command=CROWD,
    ),
    Known(id="plan-microseconds", what="One decision about a build with full history", unit="µs", command=PLANNER),
    Known(
        id="year-of-minutes-seconds",
        what="A year of missed minutes, counted exactly",
        unit="s",
        command=PLANNER,
        goal="<= 0.1",
    ),
    Known(
        id="watch-event-microseconds",
        what="One line of a watch about a build with full history, from its bytes to the store",
        unit="µs",
        command=PLANNER,
    ),
    Known(id="watch-event-bytes", what="... its length", unit="bytes", command=PLANNER),
    Known(
        id="simulated-slots-checked",
        what="Slots checked in simulated histories",
        unit="",
        command=SIMULATED,
        goal=">= 1000000",
    ),
    Known(
        id="simulated-slots-unaccounted",
        what="... of which the independent recount misses",
        unit="",
        command=SIMULATED,
        goal="<= 0",
    ),
    Known(
        id="simulated-histories", what="... in so many histories, each of one PeriodicBuild", unit="", command=SIMULATED
    ),
    Known(id="simulated-days", what="... over so many days in all", unit="", command=SIMULATED),
    Known(
        id="mutation-killed-percent",
        what="Small changes of the core that its own unit tests notice",
        unit="%",
        command=MUTATION,
        goal=">= 90",
    ),
    Known(id="mutation-changes", what="... of so many in all", unit="", command=MUTATION),
    Known(id="mutation-survivors", what="... that none of them notices", unit="", command=MUTATION),
    Known(
        id="mutation-survivors-unexplained",
        what="... and that no reason is given for",
        unit="",
        command=MUTATION,
        goal="<= 0",
    ),
    Known(
        id="sources-50-lookups",
        what="1,000 slots due in one second, built from 50 repositories: lookups",
        unit="",
        command=SOURCES,
        goal="<= 50",
    ),
    Known(
        id="sources-50-slots",
        what="... slots that know at which commit their repository is",
        unit="",
        command=SOURCES,
        goal=">= 1000",
    ),
    Known(
        id="soak-rss-slope-mb-per-hour",
        what="An hour of 200 builds that are due every 10 seconds: growth of memory after the first half",
        unit="MB per hour",
        command=SOAK,
        goal="<= 1",
    ),
    Known(
        id="soak-rss-mb",
        what="... resident memory at its most",
        unit="MB",
        command=SOAK,
    ),
    Known(
        id="soak-tasks-growth",
        what="... growth of the number of tasks, second half of the rest by first",
        unit="",
        command=SOAK,
        goal="<= 5",
    ),
    Known(
        id="soak-runs",
        what="... runs that have ended meanwhile",
        unit="",
        command=SOAK,
    ),
    Known(
        id="soak-requests-per-run",
        what="... requests per run, with everything counted",
        unit="",
        command=SOAK,
    ),
    Known(
        id="soak-unaccounted",
        what="... slots that are in no ledger, at any moment",
        unit="",
        command=SOAK,
        goal="<= 0",
    ),
    Known(
        id="soak-stray-pods",
        what="... pods at their most that wait for the cluster's garbage collector, their AppServer being gone",
        unit="",
        command=SOAK,
    ),
    Known(
        id="readme-first-success-seconds",
        what="README.md followed word by word on an empty machine: until the first build has succeeded",
        unit="s",
        command=README,
    ),
    Known(
        id="readme-demo-seconds",
        what="... until the demo has ended, with nothing left of it",
        unit="s",
        command=README,
    ),
    Known(
        id="readme-install-first-success-seconds",
        what="... from `helm install` until the first build has succeeded, in a cluster that can pull the images",
        unit="s",
        command=README,
    ),
)
