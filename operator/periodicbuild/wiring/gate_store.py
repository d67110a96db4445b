"""The gates that are known, and who is looked at again when one has changed.

Must not know how they arrive or what follows from them.

The one idea a newcomer would miss: what a gate shows depends on every PeriodicBuild in its scope, and those change
thousands of times in a herd.  So their news only makes the gates stale: each is looked at again when its last look is
five seconds old, however much has happened since.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from periodicbuild.core.gate_plan import WRITES_EVERY
from periodicbuild.core.gates import Gates
from periodicbuild.core.plans import Wake
from periodicbuild.core.recent import Recent
from periodicbuild.kube.changes import is_older
from periodicbuild.kube.errors import ForbiddenError, NotFoundError
from periodicbuild.kube.kinds import APP_SERVER, BUILD_GATE, PERIODIC_BUILD
from periodicbuild.wiring.keys import Key

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from periodicbuild.core.gates import Gate
    from periodicbuild.wiring.store import Name, Store
    from periodicbuild.wiring.wakeups import WakeUps

GONE = 1_000
"""Uids of deleted gates that are remembered: the answer of a status write may come after the news of a deletion."""

_log = logging.getLogger(__name__)


class Unreadable(StrEnum):
    """What gates that cannot be read are taken for (R35)."""

    OPEN = "Open"
    CLOSED = "Closed"


@dataclass(slots=True)
class GateMemory:
    """What this process remembers of one gate; all of it may be lost at any time."""

    written_at: datetime | None = None
    looked_at: datetime | None = None
    wake: Wake = field(default_factory=Wake)
    """What its last look has asked for."""
    is_stale: bool = False
    """Something in its scope may have changed since that look."""


class GateStore:
    """Gates by name."""

    def __init__(self, unreadable: Unreadable, enqueue: Callable[[Key], None], store: Store) -> None:
        """`enqueue` asks for a look; `store` says at what, since it knows whom a gate is about."""
        self._unreadable = unreadable
        self._enqueue = enqueue
        self._store = store
        self.gates: dict[str, Gate] = {}
        self.has_word = False
        """It is known whether gates can be read: nothing may start before (R35)."""
        self._refusal: Exception | None = None
        self._memories: dict[str, GateMemory] = {}
        self._gone: Recent[str, bool] = Recent(GONE)

    # What the watch tells

    def put(self, gate: Gate) -> None:
        """Take a version of a gate, unless a newer one is known or it was seen to be deleted."""
        known = self.gates.get(gate.ref.name)
        is_old = known is not None and not is_older(known.resource_version, gate.resource_version)
        if is_old or self._gone.get(gate.ref.uid):
            return
        self.gates[gate.ref.name] = gate
        if known is None or (known.ref.uid, known.spec) != (gate.ref.uid, gate.spec):
            self._look_again_at_scope(gate, known)
        self._enqueue(_key(gate.ref.name))

    def remove(self, gate: Gate) -> None:
        """Forget a gate that was deleted; a later one of the same name stays."""
        self._gone.put(gate.ref.uid, value=True)
        known = self.gates.get(gate.ref.name)
        if known is not None and known.ref.uid == gate.ref.uid:
            self._drop(known)

    def _drop(self, gate: Gate) -> None:
        """Know a gate no more; it may come back."""
        del self.gates[gate.ref.name]
        self._memories.pop(gate.ref.name, None)
        self._look_again_at_scope(gate, None)
        self._enqueue(_key(gate.ref.name))

    def readable(self) -> None:
        """Note that a list was complete."""
        self._settle(None)

    def refused(self, error: Exception) -> None:
        """Note why gates cannot be read; an API server that is away says nothing about them, and what is known stays.

        One that does not know the kind has no gates; the same ones are back when it knows the kind again.
        """
        if isinstance(error, NotFoundError):
            for gate in tuple(self.gates.values()):
                self._drop(gate)
        if isinstance(error, ForbiddenError | NotFoundError):
            self._settle(error)

    def _settle(self, refusal: Exception | None) -> None:
        """Say it once, and look at everything again if other gates are obeyed now than before."""
        before = self.facts()
        if type(refusal) is not type(self._refusal):
            _say(refusal, self._unreadable)
        self.has_word, self._refusal = True, refusal
        if self.facts() != before:
            for name in self._store.builds:
                self._look_again_at(name)
            self.enqueue_all()

    # Questions

    @property
    def are_read(self) -> bool:
        """Whether they could be read the last time that anybody tried."""
        return self.has_word and self._refusal is None

    @property
    def are_forbidden(self) -> bool:
        """Whether they may not be read: what is known of them may be out of date, and is not obeyed."""
        return isinstance(self._refusal, ForbiddenError)

    @property
    def problem(self) -> str | None:
        """Say why builds are held back, whatever gates there are."""
        if self._unreadable == Unreadable.OPEN:
            return None
        if isinstance(self._refusal, ForbiddenError):
            return self._refusal.message or "forbidden"
        wrong = next((gate for gate in self.gates.values() if gate.spec.problem is not None), None)
        return None if wrong is None else f"BuildGate {wrong.ref.name}, {wrong.spec.problem}"

    def facts(self) -> Gates:
        """Give what a look at a PeriodicBuild may know of gates; those that may not be read any more are none."""
        known = () if self.are_forbidden else tuple(self.gates[name] for name in sorted(self.gates))
        return Gates(known=known, problem=self.problem)

    def memory(self, name: str) -> GateMemory:
        """Give what is remembered of a gate."""
        return self._memories.setdefault(name, GateMemory())

    def forget_memories(self) -> None:
        """Forget what this process remembers beside the cluster, as a fresh one would."""
        self._memories.clear()

    def enqueue_all(self) -> None:
        """Ask for a look at every gate."""
        for name in self.gates:
            self._enqueue(_key(name))

    # What happens to others

    def note_news(self, wakeups: WakeUps) -> None:
        """Note that something has changed that gates may tell of, and look at them in time."""
        for name in self.gates:
            memory = self.memory(name)
            if not memory.is_stale and memory.looked_at is not None:
                memory.is_stale = True
                soon = Wake(steady=memory.looked_at + WRITES_EVERY)
                wakeups.set(_key(name), memory.wake.earlier(soon))

    def _look_again_at_scope(self, gate: Gate, known: Gate | None) -> None:
        """Look at every PeriodicBuild that it was or is about; with a problem it may be about all, gates included."""
        specs = [one.spec for one in (gate, known) if one is not None]
        is_about_all = any(spec.problem is not None for spec in specs)
        if is_about_all:
            self.enqueue_all()
        for name, stored in self._store.builds.items():
            if is_about_all or any(spec.scope.has(stored.build) for spec in specs):
                self._look_again_at(name)

    def _look_again_at(self, name: Name) -> None:
        """Look at a PeriodicBuild, and at its runs by hand that wait for their turn: they say for which gate."""
        self._enqueue(Key(PERIODIC_BUILD, *name))
        for attempt in self._store.new_app_servers(name):
            self._enqueue(Key(APP_SERVER, *attempt))


def _key(name: str) -> Key:
    return Key(BUILD_GATE, "", name)


def _say(refusal: Exception | None, unreadable: Unreadable) -> None:
    match refusal:
        case None:
            _log.info("gates can be read")
        case NotFoundError():
            _log.warning("this cluster does not know BuildGates: no build is held back (kubectl apply -f crds/)")
        case _:
            _log.warning(_UNREADABLE[unreadable], extra={"error": str(refusal)})


_UNREADABLE = {
    Unreadable.OPEN: "gates cannot be read: no build is held back (--gate-unreadable=Open)",
    Unreadable.CLOSED: "gates cannot be read: every build is held back (--gate-unreadable=Closed)",
}
