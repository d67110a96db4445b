"""What goes wrong between replicas, and between them and the API server: figures of docs/reliability.md."""

from __future__ import annotations

from typing import Final

from tests.bench.known import Known

REPLICAS: Final = "python -m tests.bench replicas"
OUTAGES: Final = "python -m tests.bench outages"

PARTITIONS: Final = (
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
