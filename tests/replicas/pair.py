"""Two replicas that share a Lease; whatever a test does to them, both are ended."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tests.cluster.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.operator_process import OperatorProcess

LEADS_WITHIN_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Pair:
    """One and the other; at most one of them leads."""

    one: OperatorProcess
    other: OperatorProcess

    def roles(self) -> tuple[OperatorProcess, OperatorProcess]:
        """Wait until one leads and the other is ready to; give them in this order."""

        def found() -> tuple[OperatorProcess, OperatorProcess] | None:
            for leader, standby in ((self.one, self.other), (self.other, self.one)):
                if is_leading(leader) and standby.is_ready() and not is_leading(standby):
                    return leader, standby
            return None

        return wait_for(found, within_seconds=LEADS_WITHIN_SECONDS, what="no replica leads while the other stands by")

    def let_lead(self, replica: OperatorProcess) -> OperatorProcess:
        """Let one of them lead, and the other stand by; give that."""
        leader, standby = self.roles()
        if leader is replica:
            return standby
        leader.stop()
        wait_for(lambda: is_leading(replica), within_seconds=LEADS_WITHIN_SECONDS, what="the standby takes over")
        return leader.start()


def is_leading(replica: OperatorProcess) -> bool:
    """Ask a replica itself."""
    return replica.metric("periodicbuild_leader") == 1


@contextmanager
def running_pair(one: OperatorProcess, other: OperatorProcess) -> Iterator[Pair]:
    """Start both, and end both."""
    try:
        yield Pair(one.start(), other.start())
    finally:
        one.stop()
        other.stop()
