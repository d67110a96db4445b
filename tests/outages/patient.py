"""One operator during an outage: what its probes, its log and its memory say, looked at every second."""

from __future__ import annotations

import json
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Self

from tests.bench.process import resident_mb
from tests.cluster.errors import ClusterError
from tests.cluster.waiting import wait_for

if TYPE_CHECKING:
    from tests.operator_process import OperatorProcess

LOOK_EVERY_SECONDS: Final = 1.0
ENDS_WITHIN_SECONDS: Final = 90.0
"""Bookmarks come once a minute."""
LOUD: Final = frozenset({"WARNING", "ERROR", "CRITICAL"})
BEGINS: Final = "cannot reach it; trying on"
IS_OVER: Final = "reached it again"


@dataclass(slots=True)
class Patient:
    """Enter it when the operator is ready and calm; the operator writes its log as JSON."""

    operator: OperatorProcess
    failed_probes: int = field(default=0, init=False)
    _rss_before: float = field(default=0.0, init=False)
    _largest_rss: float = field(default=0.0, init=False)
    _said_before: int = field(default=0, init=False)
    _is_over: threading.Event = field(default_factory=threading.Event, init=False)
    _looking: threading.Thread | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        """Begin to look."""
        self._rss_before = self._largest_rss = resident_mb(self.operator.pid)
        self._said_before = len(self.operator.log.read_bytes())
        self._looking = threading.Thread(target=self._look)
        self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        self._is_over.set()
        if self._looking is not None:
            self._looking.join()

    @property
    def grown_mb(self) -> float:
        """Give by how much its memory was larger than before, at most."""
        return self._largest_rss - self._rss_before

    @property
    def loud_lines(self) -> Counter[str]:
        """Count its warnings and errors by what they say and of which part."""
        return Counter(f"{line['message']}: {_part(line)}" for line in self._lines() if line["level"] in LOUD)

    def await_end(self) -> None:
        """Wait until every part has said that the outage is over, if it ever says so; a watch needs a bookmark."""
        with suppress(ClusterError):
            wait_for(lambda: not self.unended, within_seconds=ENDS_WITHIN_SECONDS, what="a part has not said so")

    @property
    def unended(self) -> set[str]:
        """Name the parts that have said that an outage begins, and not that it is over."""
        open_: set[str] = set()
        for line in self._lines():
            if line["message"] == BEGINS:
                open_.add(_part(line))
            elif line["message"] == IS_OVER:
                open_.discard(_part(line))
        return open_

    def _lines(self) -> list[dict[str, Any]]:
        text = self.operator.log.read_bytes()[self._said_before :]
        return [json.loads(line) for line in text.splitlines()]

    def _look(self) -> None:
        while not self._is_over.wait(LOOK_EVERY_SECONDS):
            self.failed_probes += sum(self.operator.ask(page)[0] != 200 for page in ("/healthz", "/readyz"))
            self._largest_rss = max(self._largest_rss, resident_mb(self.operator.pid))


def _part(line: dict[str, Any]) -> str:
    return str(line.get("what") or line.get("object") or line.get("key") or "")
