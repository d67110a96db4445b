"""Replicas that bid for one Lease, over a network that delays and loses, with clocks of their own.

The law: at no instant do two of them hold that they lead.  The API server of this model does with resourceVersions what
a real one does, and nothing else.  Processes sleep at will: nothing makes them read, bid or stop.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from hypothesis import settings, strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from periodicbuild.core.leadership import Candidate, Lease

REPLICAS = 2
DURATION = 15.0
NUMBERS = strategies.integers(0, REPLICAS - 1)
SECONDS = strategies.sampled_from((0.0, 2.0, 5.0, 8.0, 16.0))
"""What passes before something happens: within a renewal, around a third, two thirds and the whole of the Lease."""


@dataclass
class Replica:
    """One process; its clock began some time or other."""

    candidate: Candidate
    skew: float
    inbox: list[Lease | None] = field(default_factory=list)
    """What the API has sent and the replica has not read."""


class Replicas(RuleBasedStateMachine):
    """Let time pass, messages come late or never, and processes be replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.lease: Lease | None = None
        self.version = 0
        self.marks = 0
        self.names = 0
        self.terms: dict[int, str] = {}
        self.under_way: list[tuple[int, Lease]] = []
        """Bids that were sent and have not reached the API; by replica."""
        self.replicas = [self._replica(f"replica-{number}") for number in range(REPLICAS)]

    def _replica(self, identity: str) -> Replica:
        self.names += 1
        candidate = Candidate(identity=identity, duration_seconds=DURATION)
        return Replica(candidate, skew=1000.0 * self.names)

    def _mine(self, replica: Replica) -> float:
        return self.now + replica.skew

    @initialize()
    def the_first_one_leads(self) -> None:
        """Begin where it matters: one leads, and the others know."""
        for number in range(REPLICAS):
            self.it_looks(number, 0.0, is_slow=False)
            self.it_bids_if_it_is_time(number, 0.0, is_slow=False)
            self.it_looks(number, 0.0, is_slow=False)

    @rule(number=NUMBERS, after=SECONDS, is_slow=strategies.booleans())
    def it_looks(self, number: int, after: float, *, is_slow: bool) -> None:
        """Send the state of now to one replica, which reads it now or later."""
        self.now += after
        self.replicas[number].inbox.append(self.lease)
        if not is_slow:
            self._read(number)

    @rule(number=NUMBERS)
    def it_reads_what_came(self, number: int) -> None:
        """Take all messages that have come."""
        self._read(number)

    @rule(number=NUMBERS, after=SECONDS, is_slow=strategies.booleans())
    def it_bids_if_it_is_time(self, number: int, after: float, *, is_slow: bool) -> None:
        """Send a bid, which arrives now or later."""
        self.now += after
        replica = self.replicas[number]
        mine = self._mine(replica)
        if replica.candidate.has_looked and replica.candidate.acts_at <= mine:
            self.marks += 1
            bid = replace(replica.candidate.next_lease, mark=f"m-{self.marks}")
            replica.candidate = replica.candidate.sent(bid.mark, mine)
            self.under_way.append((number, bid))
            if not is_slow:
                self._arrive(len(self.under_way) - 1)
                self._read(number)

    @precondition(lambda self: self.under_way)
    @rule(data=strategies.data())
    def a_bid_arrives_late(self, data: strategies.DataObject) -> None:
        """Let the API server decide about any one of those under way."""
        self._arrive(data.draw(strategies.integers(0, len(self.under_way) - 1)))

    def _read(self, number: int) -> None:
        replica = self.replicas[number]
        for lease in replica.inbox:
            replica.candidate = replica.candidate.saw(lease, self._mine(replica))
        replica.inbox.clear()

    def _arrive(self, which: int) -> None:
        """Decide as the API server does, and send the answer; what nobody reads is lost."""
        number, bid = self.under_way.pop(which)
        known = "" if self.lease is None else self.lease.version
        if bid.version == known:
            self.version += 1
            self.lease = replace(bid, version=str(self.version))
        self.replicas[number].inbox.append(self.lease)

    @rule(number=NUMBERS)
    def it_is_killed_and_started_again_under_its_name(self, number: int) -> None:
        """Begin anew, while old bids are still under way."""
        self.replicas[number] = self._replica(self.replicas[number].candidate.identity)

    @rule(number=NUMBERS)
    def it_gives_the_lease_back(self, number: int) -> None:
        """Release it, as on SIGTERM."""
        candidate = self.replicas[number].candidate
        if candidate.has_won and candidate.lease is not None:
            free = replace(candidate.lease, holder="", mark="")
            self.replicas[number].candidate = candidate.saw(free, self._mine(self.replicas[number]))
            self.under_way.append((number, free))

    @precondition(lambda self: self.lease is not None)
    @rule()
    def somebody_edits_a_label(self) -> None:
        """Make a new version that says the same."""
        assert self.lease is not None
        self.version += 1
        self.lease = replace(self.lease, version=str(self.version))

    @invariant()
    def at_most_one_leads(self) -> None:
        """Ask all of them at the same instant."""
        leading = [one for one in self.replicas if self._mine(one) < one.candidate.held_until]
        assert len(leading) <= 1, [one.candidate for one in leading]

    @invariant()
    def a_term_has_one_leader(self) -> None:
        """Compare the number of the term with that of whoever led before."""
        for one in self.replicas:
            if self._mine(one) < one.candidate.held_until and one.candidate.lease is not None:
                process = f"{one.candidate.identity} since {one.skew}"
                assert self.terms.setdefault(one.candidate.lease.transitions, process) == process


TestReplicas = Replicas.TestCase
TestReplicas.settings = settings(max_examples=500, stateful_step_count=30)
