"""What the operator is beside the CronJob controller: the figures of docs/contest.md."""

from __future__ import annotations

from typing import Final

from tests.bench.known import Known

COMMAND: Final = "make contest"

CONTEST: Final = (
    Known(
        id="herd-100-at-20-p99-seconds",
        what="100 builds due every minute, 20 requests a second: from the slot until 99 % of the AppServers exist",
        unit="s",
        command=COMMAND,
        goal="<= 6",
    ),
    Known(
        id="cronjob-100-at-20-p99-seconds",
        what="... the CronJob controller, until 99 % of the Jobs exist",
        unit="s",
        command=COMMAND,
    ),
    Known(
        id="herd-100-at-20-requests-per-run",
        what="... requests per run under this pressure, everything counted",
        unit="",
        command=COMMAND,
        goal="<= 6",
    ),
    Known(
        id="cronjob-100-at-20-requests-per-run",
        what="... the CronJob controller's, without those of the Job controller",
        unit="",
        command=COMMAND,
    ),
    Known(
        id="herd-1000-at-500-p99-over-cronjob",
        what="1,000 builds due every minute, 500 requests a second: time until 99 % have started, "
        "in times of the CronJob controller's, worst round",
        unit="",
        command=COMMAND,
        goal="<= 1",
    ),
    Known(
        id="herd-1000-at-500-last-over-first",
        what="... in the last minute, in times of the first",
        unit="",
        command=COMMAND,
    ),
    Known(
        id="cronjob-1000-at-500-last-over-first",
        what="... the CronJob controller, in the last minute, in times of the first",
        unit="",
        command=COMMAND,
    ),
    Known(
        id="no-herd-p99-seconds",
        what="20 builds due every minute beside 5,000 idle ones: from the slot until 99 % of the AppServers exist",
        unit="s",
        command=COMMAND,
        goal="<= 0.25",
    ),
    Known(
        id="cronjob-no-herd-p99-seconds",
        what="... the CronJob controller, until 99 % of the Jobs exist",
        unit="s",
        command=COMMAND,
    ),
    Known(
        id="namespace-cpu-ratio",
        what="1,000 builds due every minute, in one namespace and in 100: CPU of the operator, larger by smaller",
        unit="",
        command=COMMAND,
        goal="<= 1.1",
    ),
    Known(
        id="cronjob-namespace-cpu-ratio",
        what="... the CronJob controller's in one namespace, in times of its in 100",
        unit="",
        command=COMMAND,
    ),
)
