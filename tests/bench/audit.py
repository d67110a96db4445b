"""The API server's own record of who asked for what: requests are counted, and timed, where they arrive.

The one idea a newcomer would miss: the server's instants are those of this machine, and it notes them for everybody.
So an operator and a bare client are timed by the same clock, at the same place, and nobody has to watch them.
"""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Self

import msgspec
from tests.cluster.waiting import wait_for
from tests.operator_process import ACCOUNT, NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

OPERATOR = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})
SUCCEEDED = range(200, 300)


class _User(msgspec.Struct):
    username: str = ""


class _Object(msgspec.Struct):
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""


class _Answer(msgspec.Struct):
    code: int = 0


class _Spec(msgspec.Struct):
    holder: str | msgspec.UnsetType | None = msgspec.field(name="holderIdentity", default=msgspec.UNSET)


class _Sent(msgspec.Struct):
    spec: _Spec = msgspec.field(default_factory=_Spec)


class Request(msgspec.Struct, rename="camel"):
    """One line of the log; each request has one line of stage ResponseComplete."""

    stage: str
    verb: str
    received_at: datetime = msgspec.field(name="requestReceivedTimestamp")
    answered_at: datetime = msgspec.field(name="stageTimestamp")
    user: _User = msgspec.field(default_factory=_User)
    object: _Object = msgspec.field(name="objectRef", default_factory=_Object)
    answer: _Answer = msgspec.field(name="responseStatus", default_factory=_Answer)
    agent: str = msgspec.field(name="userAgent", default="")
    """`periodicbuild/VERSION IDENTITY`: it tells replicas apart."""
    sent: _Sent | None = msgspec.field(name="requestObject", default=None)
    """What was written; None for all but Leases, of which it tells whose they are to be, and None = nobody's."""

    @property
    def is_write(self) -> bool:
        """Tell whether it may change something; a dry run counts, as it costs the same."""
        return self.verb in WRITES

    @property
    def target(self) -> str:
        """Name what it was about, with the subresource."""
        return "/".join(filter(None, (self.object.resource, self.object.subresource)))

    @property
    def has_succeeded(self) -> bool:
        """Tell whether it was carried out."""
        return self.answer.code in SUCCEEDED

    def has_done(self, verb: str, target: str) -> bool:
        """Tell whether it did this, with success."""
        return (self.verb, self.target) == (verb, target) and self.has_succeeded


_decode = msgspec.json.Decoder(Request).decode


class Trail:
    """The requests of some accounts, by default the operator's, from now on: read as the log grows and rotates."""

    def __init__(self, log: Path, accounts: Collection[str] = (OPERATOR,)) -> None:
        self.requests: list[Request] = []
        """In the order of their answers."""
        self._accounts = frozenset(accounts)
        self._path = log
        self._rest = b""
        self._file = log.open("rb")
        self._file.seek(0, os.SEEK_END)

    def read(self) -> list[Request]:
        """Read what is new; give everything since the beginning."""
        self._take(self._file)
        if os.stat(self._path).st_ino != os.fstat(self._file.fileno()).st_ino:
            self._take(self._file)
            self._file.close()
            self._file = self._path.open("rb")
            self._take(self._file)
        return self.requests

    def count(self, verb: str, target: str) -> int:
        """Count what was done until now."""
        return sum(one.has_done(verb, target) for one in self.read())

    def wait_for(self, number: int, verb: str, target: str, *, within_seconds: float) -> None:
        """Wait until something was done so often."""
        wait_for(
            lambda: self.count(verb, target) >= number,
            within_seconds=within_seconds,
            what=f"fewer than {number} of {verb} {target}",
        )

    def wait_for_calm(self, *, for_seconds: float, within_seconds: float) -> None:
        """Wait until the accounts have asked for nothing for a while."""
        began = datetime.now(UTC)
        wait_for(
            lambda: self.calm_seconds(began) >= for_seconds,
            within_seconds=within_seconds,
            what=f"no {for_seconds:g} s without a request",
        )

    def calm_seconds(self, since: datetime) -> float:
        """Give the time since the last answer, but no more than since that instant."""
        last = max((one.answered_at for one in self.read()), default=since)
        return (datetime.now(UTC) - max(last, since)).total_seconds()

    def __enter__(self) -> Self:
        """Begin here."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the log; what was read stays."""
        self._file.close()

    def _take(self, file: IO[bytes]) -> None:
        *lines, self._rest = (self._rest + file.read()).split(b"\n")
        found = (_decode(line) for line in lines if any(name.encode() in line for name in self._accounts))
        self.requests += (one for one in found if self._is_answered(one))

    def _is_answered(self, one: Request) -> bool:
        return one.user.username in self._accounts and one.stage == "ResponseComplete"


def between(requests: Iterable[Request], since: datetime, until: datetime) -> list[Request]:
    """Give those received from one instant (inclusive) to another (exclusive)."""
    return [one for one in requests if since <= one.received_at < until]


def by_verb_and_target(requests: Iterable[Request]) -> Counter[tuple[str, str]]:
    """Count."""
    return Counter((one.verb, one.target) for one in requests)
