"""Follow the gates of the cluster, where there are any to follow.

Must not know what a gate does.

The one idea a newcomer would miss: the operator works without them.  A cluster that does not know the kind, or does not
let us read it, is asked again and again, and nothing waits for that; but nothing starts before the first answer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from periodicbuild.kube.errors import KubeError
from periodicbuild.kube.kinds import BUILD_GATES
from periodicbuild.kube.parse import gate_from_json
from periodicbuild.kube.watch import Collection, ListWatch
from periodicbuild.wiring.followers import Follower

if TYPE_CHECKING:
    from collections.abc import Sequence

    from periodicbuild.core.gates import Gate
    from periodicbuild.kube.session import KubeSession
    from periodicbuild.wiring.gate_store import GateStore

RELISTS_WITHIN_SECONDS = 5.0
"""A new leader waits so long for a list of gates that is newer than its Lease; what it knows is seconds old at most."""


class GateWatch:
    """Keep the gates in their store."""

    def __init__(self, session: KubeSession, gates: GateStore) -> None:
        self._session = session
        self._gates = gates
        collection = Collection(path=BUILD_GATES.path())
        self.watch: ListWatch[Gate] = ListWatch(
            session, collection, gate_from_json, _GateFollower(gates), on_failure=gates.refused
        )

    @property
    def followed(self) -> tuple[ListWatch[Gate], ...]:
        """Give what should hear something from the API server: nothing where there is nothing to follow."""
        return (self.watch,) if self.watch.is_complete and self._gates.are_read else ()

    async def ask(self) -> None:
        """Find out whether gates can be read, before anything may start; an API server that is away is asked later."""
        try:
            await self._session.get(BUILD_GATES.path(), {"limit": "1"})
        except KubeError as error:
            self._gates.refused(error)

    async def run(self) -> None:
        """Follow them for ever."""
        await self.watch.run()

    async def relist(self) -> None:
        """List them anew, if they could be listed before."""
        if not self.watch.is_complete:
            return
        try:
            async with asyncio.timeout(RELISTS_WITHIN_SECONDS):
                await self.watch.relist()
        except TimeoutError:
            return


class _GateFollower(Follower["Gate"]):
    """Tells the store that gates can be read, too."""

    def __init__(self, gates: GateStore) -> None:
        super().__init__(gates.put, gates.remove, lambda: tuple(gates.gates.values()))
        self._gates = gates

    def listed(self, items: Sequence[Gate]) -> None:
        """Take the complete list."""
        super().listed(items)
        self._gates.readable()
