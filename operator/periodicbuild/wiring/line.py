"""The line of those who want to start and may not yet: earliest deadline first, fair between namespaces (R15).

Namespaces take turns, so one with a thousand due builds does not hold up one with two; within a namespace the build
whose deadline comes first goes first.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from periodicbuild.wiring.keys import Key

_Place = tuple["datetime", int]


class Line:
    """Keys in the order in which they may go."""

    def __init__(self) -> None:
        self._places: dict[Key, _Place] = {}
        self._queues: OrderedDict[str, list[tuple[_Place, Key]]] = OrderedDict()
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._places)

    def join(self, key: Key, start_by: datetime) -> None:
        """Stand in line, or keep one's place; another deadline is another place."""
        place = self._places.get(key)
        if place is not None and place[0] == start_by:
            return
        place = self._places[key] = (start_by, next(self._numbers))
        heapq.heappush(self._queues.setdefault(key.namespace, []), (place, key))

    def leave(self, key: Key) -> None:
        """Step out of line, if one is in it."""
        self._places.pop(key, None)

    def first(self) -> Key | None:
        """Take out whoever may go next; None = nobody is there."""
        while self._queues:
            namespace, queue = self._queues.popitem(last=False)
            while queue:
                place, key = heapq.heappop(queue)
                if self._places.get(key) == place:  # else it has left, or has another place
                    del self._places[key]
                    self._queues[namespace] = queue  # behind all the others
                    return key
        return None
