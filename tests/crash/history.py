"""What was created, as the API server's own audit log tells it: no record of the operator's is asked.

The one idea a newcomer would miss: what is created and removed again leaves no trace in the end state.  A slot that was
built twice would look as if it had been built once; here it does not.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

CREATED: Final = 201
NAME: Final = re.compile(r"(?P<build>.+?)-(?P<run>\d{8}-\d{6}|[mr]-[0-9a-f]{8})-(?P<attempt>\d+)")
"""Of an AppServer, or of its pod, unless a person has named it."""
KINDS: Final = ("appservers", "pods")


@dataclass(frozen=True, slots=True, order=True)
class Attempt:
    """One attempt of a run: there should be at most one AppServer for it, and one pod."""

    namespace: str
    build: str
    """Empty for one that a person has named."""
    run: str
    """The slot, or a name for a request."""
    attempt: int

    @classmethod
    def named(cls, namespace: str, name: str) -> Self:
        """Read the name of an AppServer or pod."""
        parts = NAME.fullmatch(name)
        if parts is None:
            return cls(namespace, "", name, 1)
        return cls(namespace, parts["build"], parts["run"], int(parts["attempt"]))

    @property
    def name(self) -> str:
        """Give the name."""
        return f"{self.build}-{self.run}-{self.attempt}" if self.build else self.run


@dataclass(frozen=True, slots=True)
class History:
    """How often each attempt has got an AppServer, and how often a pod."""

    app_servers: Counter[Attempt]
    pods: Counter[Attempt]

    @classmethod
    def of(cls, lines: Iterable[dict[str, Any]]) -> Self:
        """Count what was created in the lines of an audit log."""
        counts: dict[str, Counter[Attempt]] = {kind: Counter() for kind in KINDS}
        for line in lines:
            about = line.get("objectRef", {})
            if about.get("resource") in KINDS and _has_created(line):
                counts[about["resource"]][Attempt.named(about["namespace"], about["name"])] += 1
        return cls(app_servers=counts["appservers"], pods=counts["pods"])

    @property
    def doubled(self) -> list[str]:
        """Name what was created more than once for one attempt."""
        return [
            f"{what} of {attempt.name} was created {count} times"
            for what, counts in (("the AppServer", self.app_servers), ("the pod", self.pods))
            for attempt, count in sorted(counts.items())
            if count > 1
        ]


class Record:
    """An audit log that grows, and is put aside in parts; many threads may ask."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._read: dict[int, int] = {}
        """By inode: the bytes of a file that were read."""
        self._creates: list[dict[str, Any]] = []

    def history(self, namespace: str) -> History:
        """Give what was created in a namespace until now."""
        with self._lock:
            self._creates += (json.loads(line) for line in self._new_lines() if _is_create(line))
            return History.of(line for line in self._creates if line["objectRef"].get("namespace") == namespace)

    def _new_lines(self) -> Iterator[bytes]:
        for path in sorted(self._log.parent.glob(f"{self._log.stem}*{self._log.suffix}")):
            with path.open("rb") as file:
                inode = path.stat().st_ino
                file.seek(self._read.get(inode, 0))
                *lines, rest = file.read().split(b"\n")
                self._read[inode] = file.tell() - len(rest)
                yield from lines


def _is_create(line: bytes) -> bool:
    """Tell it without reading the line as JSON: of a thousand lines few are."""
    return b'"verb":"create"' in line and any(b'"resource":"%s"' % kind.encode() in line for kind in KINDS)


def _has_created(line: dict[str, Any]) -> bool:
    return (
        line["verb"] == "create"
        and not line["objectRef"].get("subresource")
        and line.get("responseStatus", {}).get("code") == CREATED
        and "dryRun=" not in line["requestURI"]
    )
