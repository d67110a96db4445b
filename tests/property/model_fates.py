"""What was ruled of slots, one by one or by the thousand: no slot may ever be ruled of twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.core.ledger import Ruling

SlotKey = tuple[int, int, "datetime"]
"""Life of the ledger, epoch, slot."""


@dataclass(frozen=True, slots=True)
class Fated:
    """What was ruled of one slot, or of neighbouring ones."""

    life: int
    epoch: int
    first: datetime
    last: datetime
    fate: str

    def speaks_of(self, life: int, epoch: int, first: datetime, last: datetime) -> bool:
        """Tell whether it is about one of those slots, too."""
        return (self.life, self.epoch) == (life, epoch) and self.first <= last and first <= self.last


class Fates:
    """Every ruling of a history."""

    def __init__(self) -> None:
        self._known: list[Fated] = []

    def add(self, key: SlotKey, ruling: Ruling) -> None:
        """Note a ruling; `key` is of its first slot."""
        life, epoch, slot = key
        self._known.append(Fated(life, epoch, slot, ruling.last_slot, ruling.fate))

    def of(self, key: SlotKey, until: datetime | None = None) -> Fated | None:
        """Find what was ruled before of a slot, or of any up to another."""
        life, epoch, slot = key
        return next((one for one in self._known if one.speaks_of(life, epoch, slot, until or slot)), None)
