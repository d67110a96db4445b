"""Gates for tests: open, about everything, unless told otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tests.builders.values import a_cron, a_ref, at, at_if_any

from periodicbuild.core.durations import parse_duration
from periodicbuild.core.gate_status import GateStatus
from periodicbuild.core.gates import Gate, GateSpec
from periodicbuild.core.scopes import Operator, Requirement, Scope
from periodicbuild.core.windows import Recurring, Span, Unreadable, Window
from periodicbuild.kube.errors import ForbiddenError
from periodicbuild.wiring.keys import Key

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.builders.values import Instant

OWNER = "platform@example.com"
REASON = "database upgrade"


def a_gate(  # noqa: PLR0913 - keywords, each with a default
    name: str = "rollout",
    *windows: Window,
    closed: bool = False,
    namespaces: Iterable[str] | None = None,
    requirements: Iterable[Requirement] = (),
    margin: str | None = None,
    owner: str = OWNER,
    expires: Instant | None = None,
    problem: str | None = None,
    generation: int = 1,
    status: GateStatus | None = None,
) -> Gate:
    """Give a gate."""
    spec = GateSpec(
        scope=Scope(namespaces=None if namespaces is None else frozenset(namespaces), requirements=tuple(requirements)),
        closed=closed,
        windows=windows,
        reason=REASON,
        owner=owner,
        expires_at=at_if_any(expires),
        problem=problem,
        **({} if margin is None else {"margin": parse_duration(margin)}),
    )
    return Gate(
        ref=a_ref("BuildGate", name, namespace=""),
        resource_version="100",
        generation=generation,
        spec=spec,
        status=status or GateStatus(),
    )


CLOSED = a_gate(closed=True)
GATE_KEY = Key("BuildGate", "", CLOSED.ref.name)


def newer(gate: Gate, version: str = "200") -> Gate:
    """Give a newer version of a gate."""
    return replace(gate, resource_version=version)


def forbidden() -> ForbiddenError:
    """Give what the API server says to an account that may not read gates."""
    return ForbiddenError(verb="watch", ref="buildgates", status=403, message="no right to list buildgates")


def once(start: Instant, end: Instant, *, name: str = "upgrade") -> Window:
    """Give a window that comes once."""
    return Window(name=name, when=Span(start=at(start), end=at(end)))


def again(expression: str, lasts: str, *, zone: str = "Etc/UTC", name: str = "freeze") -> Window:
    """Give a window that comes again and again."""
    return Window(name=name, when=Recurring(cron=a_cron(expression, zone=zone), lasts=parse_duration(lasts)))


def unreadable(name: str = "broken") -> Window:
    """Give a window that cannot be understood."""
    return Window(name=name, when=Unreadable(why=f"spec.windows[{name}].recurring.timeZone: no such zone"))


def a_label(key: str, operator: Operator, *values: str) -> Requirement:
    """Require something of a label."""
    return Requirement(key=key, operator=operator, values=frozenset(values))
