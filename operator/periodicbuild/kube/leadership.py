"""What the rest of the program asks about who leads, whether there is an election or not.

Must not know how a leader is found (`election.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from periodicbuild.core.notices import ObjectRef


class Leadership(Protocol):
    """What the rest of the program asks."""

    @property
    def is_leading(self) -> bool:
        """Tell whether this replica may act at this very moment."""

    @property
    def term(self) -> int:
        """Number of the term: higher than that of every leader before, as long as nobody deletes the Lease."""

    @property
    def since(self) -> float:
        """Monotonic instant from which on no other replica has acted."""

    @property
    def lease_ref(self) -> ObjectRef | None:
        """Point at the Lease, for Events about this replica; None if there is none."""

    async def while_leading(self, act: Callable[[], Coroutine[None, None, None]]) -> None:
        """Run `act` anew in each term and cancel it when the term ends, for ever."""


class Unopposed:
    """Lead always: for a replica that is the only one (`--leader-elect=false`)."""

    is_leading = True
    term = 0
    since = float("-inf")
    lease_ref = None

    async def while_leading(self, act: Callable[[], Coroutine[None, None, None]]) -> None:
        """Run it."""
        await act()
