"""The API server's own record of who asked for what: requests are counted where they arrive, not where they leave."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from tests.operator_process import ACCOUNT, NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Iterable

OPERATOR = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
READS_OF_MANY = frozenset({"list", "watch"})
"""Not per run: their number depends on time alone."""
WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})


class _User(msgspec.Struct):
    username: str = ""


class _Object(msgspec.Struct):
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""


class Request(msgspec.Struct, rename="camel"):
    """One line of the log; each request has one line of stage ResponseComplete."""

    stage: str
    verb: str
    received_at: datetime = msgspec.field(name="requestReceivedTimestamp")
    user: _User = msgspec.field(default_factory=_User)
    object: _Object = msgspec.field(name="objectRef", default_factory=_Object)

    @property
    def is_write(self) -> bool:
        """Tell whether it may change something; a dry run counts, as it costs the same."""
        return self.verb in WRITES

    @property
    def target(self) -> str:
        """Name what it was about, with the subresource."""
        return "/".join(filter(None, (self.object.resource, self.object.subresource)))


_decode = msgspec.json.Decoder(Request).decode


def operator_requests(log: Path) -> list[Request]:
    """Give the answered requests of the operator, oldest first, without lists and watches."""
    with log.open("rb") as lines:
        found = [_decode(line) for line in lines if OPERATOR.encode() in line and line.endswith(b"\n")]
    wanted = (one for one in found if one.user.username == OPERATOR and one.stage == "ResponseComplete")
    return sorted((one for one in wanted if one.verb not in READS_OF_MANY), key=lambda one: one.received_at)


def between(requests: Iterable[Request], since: datetime, until: datetime) -> list[Request]:
    """Give those received from one instant (inclusive) to another (exclusive)."""
    return [one for one in requests if since <= one.received_at < until]


def by_verb_and_target(requests: Iterable[Request]) -> Counter[tuple[str, str]]:
    """Count."""
    return Counter((one.verb, one.target) for one in requests)
