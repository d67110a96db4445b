"""A script of faults: what each is about, which time it strikes, and what then goes wrong.

The one idea a newcomer would miss: every fault counts for itself what it matches, requests or events of watches.  So
"the third patch of a pod" means the same whatever else the script says.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Final

import msgspec
from tests.faults.effects import Effect, OnEvent

from periodicbuild.kube.paths import Target

if TYPE_CHECKING:
    from pathlib import Path

WRITE: Final = "write"
"""In place of a verb: any that may change something."""
WRITES: Final = frozenset({"create", "update", "patch", "delete", "deletecollection"})
BOOKMARK: Final = "BOOKMARK"
ALWAYS: Final = 0
"""As `times`: from the n-th match on, without an end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request that has come, or one event of a watch that is about to go."""

    target: Target
    """Of an event: of the object it is about."""
    event: str = ""
    """ADDED, MODIFIED, DELETED, BOOKMARK or ERROR; empty for a request."""
    is_dry_run: bool = False
    user_agent: str = ""
    body: bytes = b""
    """As it came; of a request only."""


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """Which requests or events; what is left out matches everything. `*` and `?` stand for what they do in a shell."""

    verbs: tuple[str, ...] = ()
    """As in RBAC, or `write`."""
    resources: tuple[str, ...] = ()
    """Plural, with the subresource: `pods`, `pods/log`, `*/status`."""
    except_resources: tuple[str, ...] = ()
    """For example `leases`, which are written by the clock."""
    namespace: str = "*"
    name: str = "*"
    """Of the object; empty in a request for a collection, which a create is, too."""
    dry_run: bool | None = None
    """False = no dry runs, True = only these."""
    event: str = ""
    """Of a watch; empty = all but bookmarks, `*` = these, too."""

    def fits(self, seen: Seen) -> bool:
        """Tell whether it is about this one."""
        target = seen.target
        return (
            (not self.verbs or target.verb in self.verbs or (WRITE in self.verbs and target.verb in WRITES))
            and (not self.resources or _is_any(target.resource, self.resources))
            and not _is_any(target.resource, self.except_resources)
            and fnmatchcase(target.namespace, self.namespace)
            and fnmatchcase(target.name, self.name)
            and self.dry_run in {None, seen.is_dry_run}
            and (fnmatchcase(seen.event, self.event) if self.event else seen.event != BOOKMARK)
        )


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One thing that goes wrong."""

    effect: Effect
    match: Match = Match()
    nth: int = 1
    """Of the matches, counted from the moment at which the proxy is told of the fault: the first that is struck."""
    times: int = 1
    """How many in a row are struck; ALWAYS = all from then on."""

    @property
    def is_about_events(self) -> bool:
        """Tell whether it counts the events of watches, and not requests."""
        return isinstance(self.effect, OnEvent)

    def strikes(self, match: int) -> bool:
        """Tell whether it strikes this match, counted from 1."""
        return match >= self.nth and (self.times == ALWAYS or match < self.nth + self.times)


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file."""

    faults: tuple[Fault, ...]


def read_script(path: Path) -> tuple[Fault, ...]:
    """Read a YAML file; raises msgspec.DecodeError, which names the place, or OSError."""
    return msgspec.yaml.decode(path.read_bytes(), type=Script).faults


def _is_any(text: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(text, pattern) for pattern in patterns)
