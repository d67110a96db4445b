"""Who leads: a Lease, judged by what one has seen change and by one's own monotonic clock (design 4).

Must not compare clocks: the instants that others write into a Lease are only marks, by which one renewal is told from
another.  All instants here are seconds of a clock of this machine that never steps.

The one idea a newcomer would miss: a leader counts from *before* it sent a renewal, the others from *after* they saw
it.  So the leader's time is over before anyone's patience is, however long messages are on the way and processes sleep.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

HELD_FOR = 2 / 3
"""Of the Lease's duration, for its holder: the rest is for writes that are on their way when it ends."""

RENEWED_AFTER = 1 / 3
"""Of the Lease's duration: one renewal may fail, and the next still comes in time."""

REMEMBERED = 4
"""Own renewals whose answer may come late, or by the watch first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A Lease as the API has it."""

    holder: str = ""
    """Identity of who leads; empty = nobody."""

    mark: str = ""
    """`renewTime` as it was written; compared, and never read as a time."""

    duration_seconds: float
    """How long others wait after each renewal."""

    transitions: int = 0
    """How often the holder has changed: the number of the term."""

    version: str = ""
    """resourceVersion."""

    uid: str = ""

    def given_back(self, mark: str) -> Lease:
        """Give what its holder writes so that another one need not wait; `mark` is a new one."""
        return replace(self, holder="", mark=mark)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One replica and what it knows; `saw` and `sent` give the next state."""

    identity: str
    """No other living process may have it."""

    duration_seconds: float
    """What it writes into the Lease."""

    has_looked: bool = False
    """Whether it knows if there is a Lease."""

    lease: Lease | None = None
    """As seen last; None = there is none."""

    seen_at: float = 0.0
    """When it was first seen like this."""

    is_left_behind: bool = False
    """The Lease that it met first had its own name on it: that of its predecessor, which is no more."""

    bids: tuple[tuple[str, float], ...] = ()
    """Marks that it has sent, and when, oldest first."""

    @property
    def has_won(self) -> bool:
        """Tell whether the Lease is one that this very process has written."""
        return self.lease is not None and self.lease.holder == self.identity and self._sent_at is not None

    @property
    def held_until(self) -> float:
        """Give the instant at which it must stop acting, whatever it hears; minus infinity if it does not lead."""
        if self.lease is None or not self.has_won or self._sent_at is None:
            return float("-inf")
        return self._sent_at + HELD_FOR * self.duration_seconds

    @property
    def acts_at(self) -> float:
        """Give the instant from which it should renew or take the Lease, or look for it."""
        if not self.has_looked or self.lease is None or not self.lease.holder or self.is_left_behind:
            return self.seen_at
        if self.has_won and self._sent_at is not None:
            return self._sent_at + RENEWED_AFTER * self.duration_seconds
        return self.seen_at + self.lease.duration_seconds

    @property
    def next_lease(self) -> Lease:
        """Give what to write, without its mark: a renewal, or the first of a new term."""
        if self.lease is None:
            return Lease(holder=self.identity, duration_seconds=self.duration_seconds)
        transitions = self.lease.transitions + (not self.has_won)
        return replace(
            self.lease, holder=self.identity, duration_seconds=self.duration_seconds, transitions=transitions, mark=""
        )

    def saw(self, lease: Lease | None, at: float) -> Candidate:
        """Take what the API has; the same as before is no news."""
        if self.has_looked and lease == self.lease:
            return self
        is_left_behind = not self.has_looked and lease is not None and lease.holder == self.identity
        return replace(self, has_looked=True, lease=lease, seen_at=at, is_left_behind=is_left_behind)

    def sent(self, mark: str, at: float) -> Candidate:
        """Note a bid right before it is sent; whether it was taken is seen later."""
        return replace(self, bids=(*self.bids, (mark, at))[-REMEMBERED:])

    @property
    def _sent_at(self) -> float | None:
        mark = None if self.lease is None else self.lease.mark
        return next((at for sent, at in self.bids if sent == mark), None)
