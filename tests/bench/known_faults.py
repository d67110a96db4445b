"""What goes wrong with one operator, and what is lost then: figures of docs/reliability.md, mostly."""

from __future__ import annotations

from typing import Final

from tests.bench.known import Known

SWITCH_OVER: Final = "python -m tests.bench switch-over"
CANCEL: Final = "python -m tests.bench cancel"
SECRETS: Final = "python -m tests.bench secrets"
CRASH: Final = "python -m tests.bench crash"
MAIL_KILLS: Final = "python -m tests.bench mail-kills"
MAIL_STORM: Final = "python -m tests.bench mail-storm"
GATE: Final = "python -m tests.bench gate"

FAULTS: Final = (
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
        id="gate-2000-slots-held",
        what="2,000 builds due every minute behind a closed gate: slots that wait or are recorded when it opens",
        unit="",
        command=GATE,
        goal=">= 5000",
    ),
    Known(
        id="gate-2000-started-while-closed",
        what="... builds that have started while it was closed",
        unit="",
        command=GATE,
        goal="<= 0",
    ),
    Known(
        id="gate-2000-starts-per-second",
        what="... builds that start per second once it is open, of 20 that may",
        unit="",
        command=GATE,
        goal="<= 21",
    ),
    Known(
        id="gate-2000-unaccounted",
        what="... slots that an independent recount misses when all have started",
        unit="",
        command=GATE,
        goal="<= 0",
    ),
    Known(id="gate-2000-rss-mb", what="... resident memory of the operator then", unit="MB", command=GATE),
)
