"""Every published figure: what it is, and what it should be.

The one idea a newcomer would miss: a goal is a fact about the project, not about one measurement.  So it stands here
once, and a figure that misses it is published all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

HERD = "python -m tests.bench herd"
REQUESTS = "python -m tests.bench requests"
IDLE = "python -m tests.bench idle"
CROWD = "python -m tests.bench crowd"
PLANNER = "python -m tests.bench planner"
SIMULATED = "python -m tests.bench simulated"
SWITCH_OVER = "python -m tests.bench switch-over"
MUTATION = "python -m tests.bench mutation"
CANCEL = "python -m tests.bench cancel"
SECRETS = "python -m tests.bench secrets"
CRASH = "python -m tests.bench crash"
MAIL_KILLS = "python -m tests.bench mail-kills"
MAIL_STORM = "python -m tests.bench mail-storm"
CONTEST = "make contest"
REPLICAS = "python -m tests.bench replicas"
OUTAGES = "python -m tests.bench outages"


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
        id="switch-over-failed-requests",
        what="Requests that fail while real servers are switched and a build fails",
        unit="",
        command=SWITCH_OVER,
        goal="<= 0",
    ),
    Known(
        id="switch-over-astray",
        what="... that a server answers which is not, or never was, active",
        unit="",
        command=SWITCH_OVER,
        goal="<= 0",
    ),
    Known(id="switch-over-requests", what="... of so many in all", unit="", command=SWITCH_OVER),
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
        id="cancel-median-seconds",
        what="From asking for the end of a build until its pod is told to go, median of 50",
        unit="s",
        command=CANCEL,
    ),
    Known(id="cancel-max-seconds", what="... the longest", unit="s", command=CANCEL, goal="<= 2"),
    Known(
        id="planted-secrets-texts",
        what="Texts made of 5,000 failed builds that give a secret away: statuses, Events, mails, webhooks, chat",
        unit="",
        command=SECRETS,
    ),
    Known(id="planted-secrets-found", what="... with the secret in them", unit="", command=SECRETS, goal="<= 0"),
    Known(
        id="crash-points",
        what="SIGKILLs of the operator, one per play: before and after every write of a scenario",
        unit="",
        command=CRASH,
        goal=">= 60",
    ),
    Known(
        id="crash-kinds-missed",
        what="... kinds of writes that were not met on both sides",
        unit="",
        command=CRASH,
        goal="<= 0",
    ),
    Known(
        id="crash-lost",
        what="... attempts not made, mails not sent, steps that never came about",
        unit="",
        command=CRASH,
        goal="<= 0",
    ),
    Known(
        id="crash-doubled",
        what="... attempts with two AppServers or pods, by the API server's audit log; facts mailed under two ids",
        unit="",
        command=CRASH,
        goal="<= 0",
    ),
    Known(
        id="crash-unaccounted",
        what="... slots that ledger or counters tell otherwise than without a kill",
        unit="",
        command=CRASH,
        goal="<= 0",
    ),
    Known(
        id="crash-false-warnings",
        what="... Warning Events that the play without a kill lacks",
        unit="",
        command=CRASH,
        goal="<= 0",
    ),
    Known(
        id="crash-differences",
        what="... other differences between the end states",
        unit="",
        command=CRASH,
        goal="<= 0",
    ),
    Known(
        id="crash-events-untold",
        what="... Events that nobody wrote, as the kill came between a fact and its Event",
        unit="",
        command=CRASH,
    ),
    Known(
        id="mail-kill-points",
        what="A run fails after two retries, the next succeeds: kills of the operator at random instants",
        unit="",
        command=MAIL_KILLS,
        goal=">= 50",
    ),
    Known(id="mail-lost", what="... facts that no mail has told of", unit="", command=MAIL_KILLS, goal="<= 0"),
    Known(
        id="mail-distinct-message-ids-per-fact",
        what="... Message-IDs of the mails about one fact, at most",
        unit="",
        command=MAIL_KILLS,
        goal="<= 1",
    ),
    Known(
        id="mail-sent-twice",
        what="... facts that were told more than once, under that one id",
        unit="",
        command=MAIL_KILLS,
    ),
    Known(
        id="mail-killed-while-sending",
        what="... kills that came while the mail server had a letter in its hands",
        unit="",
        command=MAIL_KILLS,
    ),
    Known(
        id="mail-storm-lost",
        what="1,000 runs fail in one minute, with 20 mails an hour: facts that no mail and no digest tells of",
        unit="",
        command=MAIL_STORM,
        goal="<= 0",
    ),
    Known(id="mail-storm-letters", what="... mails about one run each", unit="", command=MAIL_STORM, goal="<= 20"),
    Known(id="mail-storm-digests", what="... digests of the rest", unit="", command=MAIL_STORM, goal="<= 1"),
    Known(
        id="mail-storm-drained-seconds",
        what="... from the slot until nothing is owed any more (30 s of it are the digest's wait)",
        unit="s",
        command=MAIL_STORM,
    ),
    Known(
        id="mail-storm-rss-mb",
        what="... largest resident memory of the operator",
        unit="MB",
        command=MAIL_STORM,
        goal="<= 250",
    ),
    Known(
        id="herd-100-at-20-p99-seconds",
        what="100 builds due every minute, 20 requests a second: from the slot until 99 % of the AppServers exist",
        unit="s",
        command=CONTEST,
        goal="<= 6",
    ),
    Known(
        id="cronjob-100-at-20-p99-seconds",
        what="... the CronJob controller, until 99 % of the Jobs exist",
        unit="s",
        command=CONTEST,
    ),
    Known(
        id="herd-1000-at-500-p99-over-cronjob",
        what="1,000 builds due every minute, 500 requests a second: time until 99 % have started, "
        "in times of the CronJob controller's, worst round",
        unit="",
        command=CONTEST,
        goal="<= 1",
    ),
    Known(
        id="herd-1000-at-500-last-over-first",
        what="... in the last minute, in times of the first",
        unit="",
        command=CONTEST,
    ),
    Known(
        id="cronjob-1000-at-500-last-over-first",
        what="... the CronJob controller, in the last minute, in times of the first",
        unit="",
        command=CONTEST,
    ),
    Known(
        id="no-herd-p99-seconds",
        what="20 builds due every minute beside 5,000 idle ones: from the slot until 99 % of the AppServers exist",
        unit="s",
        command=CONTEST,
        goal="<= 0.25",
    ),
    Known(
        id="cronjob-no-herd-p99-seconds",
        what="... the CronJob controller, until 99 % of the Jobs exist",
        unit="s",
        command=CONTEST,
    ),
    Known(
        id="namespace-cpu-ratio",
        what="1,000 builds due every minute, in one namespace and in 100: CPU of the operator, larger by smaller",
        unit="",
        command=CONTEST,
        goal="<= 1.1",
    ),
    Known(
        id="cronjob-namespace-cpu-ratio",
        what="... the CronJob controller's in one namespace, in times of its in 100",
        unit="",
        command=CONTEST,
    ),
    Known(
        id="takeover-sigterm-seconds",
        what="SIGTERM to the leader, builds are due every second: until the other one's first write, the longest of 10",
        unit="s",
        command=REPLICAS,
        goal="<= 1",
    ),
    Known(id="takeover-sigterm-median-seconds", what="... the median", unit="s", command=REPLICAS),
    Known(
        id="takeover-sigterm-lease-seconds",
        what="... until the other one has the Lease, the longest",
        unit="s",
        command=REPLICAS,
    ),
    Known(
        id="takeover-sigkill-seconds",
        what="SIGKILL to the leader: until the other one's first write, the longest of 5",
        unit="s",
        command=REPLICAS,
        goal="<= 20",
    ),
    Known(id="takeover-sigkill-median-seconds", what="... the median", unit="s", command=REPLICAS),
    Known(
        id="takeover-sigkill-lease-seconds",
        what="... until the other one has the Lease, the longest",
        unit="s",
        command=REPLICAS,
    ),
    Known(
        id="replicas-started-at-once",
        what="Both replicas start at the same instant, with builds due: times",
        unit="",
        command=REPLICAS,
        goal=">= 100",
    ),
    Known(
        id="replicas-started-at-once-double-starts",
        what="... attempts that were created twice",
        unit="",
        command=REPLICAS,
        goal="<= 0",
    ),
    Known(
        id="frozen-leader",
        what="The leader is stopped by SIGSTOP, and goes on when the other one leads: times",
        unit="",
        command=REPLICAS,
    ),
    Known(
        id="frozen-leader-double-starts",
        what="... attempts that were created twice",
        unit="",
        command=REPLICAS,
        goal="<= 0",
    ),
    Known(
        id="cut-off-leader",
        what="The leader is cut off (dead line, silent line), and is back when the other one leads: times",
        unit="",
        command=REPLICAS,
    ),
    Known(
        id="cut-off-leader-double-starts",
        what="... attempts that were created twice",
        unit="",
        command=REPLICAS,
        goal="<= 0",
    ),
    Known(
        id="wrong-clock",
        what="The clock of one replica is an hour ahead, then behind; it stands by, leads and hands over: times",
        unit="",
        command=REPLICAS,
    ),
    Known(
        id="wrong-clock-early-takeovers",
        what="... bids for the Lease of a leader that lives",
        unit="",
        command=REPLICAS,
        goal="<= 0",
    ),
    Known(
        id="wrong-clock-double-starts",
        what="... attempts that were created twice",
        unit="",
        command=REPLICAS,
        goal="<= 0",
    ),
    Known(
        id="replicas-writes",
        what="Writes in all of this but those to the Lease, as the API server's audit log has them",
        unit="",
        command=REPLICAS,
    ),
    Known(
        id="replicas-writes-without-lease",
        what="... by a replica that did not hold the Lease",
        unit="",
        command=REPLICAS,
        goal="<= 0",
    ),
    Known(
        id="replicas-unaccounted-slots",
        what="... slots in no ledger at the end, by independent recount",
        unit="",
        command=REPLICAS,
        goal="<= 0",
    ),
    Known(
        id="outage-60s-recovery-seconds",
        what="API server gone for 60 s: from its first answer to the first start of what was due",
        unit="s",
        command=OUTAGES,
    ),
    Known(
        id="outage-429-recovery-seconds",
        what="... gone for 60 s and then 429 for 30 s: from the first request that is taken",
        unit="s",
        command=OUTAGES,
    ),
    Known(
        id="outage-etcd-recovery-seconds",
        what="etcd gone for 15 s: from the moment at which it is started",
        unit="s",
        command=OUTAGES,
    ),
    Known(
        id="outage-etcd-ready-seconds",
        what="... until the API server calls itself ready",
        unit="s",
        command=OUTAGES,
    ),
    Known(
        id="outage-token-recovery-seconds",
        what="The token expires, and is replaced when builds are due: from then on",
        unit="s",
        command=OUTAGES,
    ),
    Known(
        id="outage-certificates-recovery-seconds",
        what="Certificates and authorities are replaced, the API server's first: from the moment at which ours are",
        unit="s",
        command=OUTAGES,
    ),
    Known(
        id="outage-410-healing-seconds",
        what="Watches expire (410) with deletions in between: until all of them are known",
        unit="s",
        command=OUTAGES,
    ),
    Known(
        id="outage-410-lost",
        what="... deleted objects that are never missed",
        unit="",
        command=OUTAGES,
        goal="<= 0",
    ),
    Known(
        id="outage-slots-lost",
        what="All of these: slots that did not start exactly once",
        unit="",
        command=OUTAGES,
        goal="<= 0",
    ),
    Known(
        id="outage-double-starts",
        what="... attempts that were created twice",
        unit="",
        command=OUTAGES,
        goal="<= 0",
    ),
    Known(
        id="outage-unaccounted",
        what="... slots in no ledger, by independent recount",
        unit="",
        command=OUTAGES,
        goal="<= 0",
    ),
    Known(
        id="outage-failed-probes",
        what="... times /healthz or /readyz complained, asked every second",
        unit="",
        command=OUTAGES,
        goal="<= 0",
    ),
    Known(
        id="outage-repeated-warnings",
        what="... warnings that were said more than once of the same part in one outage",
        unit="",
        command=OUTAGES,
        goal="<= 0",
    ),
    Known(
        id="outage-unended-warnings",
        what="... parts that did not say when it was over",
        unit="",
        command=OUTAGES,
        goal="<= 0",
    ),
    Known(
        id="outage-rss-growth-mb",
        what="... by how much the operator's memory grew, at most",
        unit="MB",
        command=OUTAGES,
        goal="<= 10",
    ),
)

BY_ID = {known.id: known for known in CATALOGUE}
