"""Which PeriodicBuilds a gate is about: by namespace and by label, as Kubernetes' own selectors do (design 2.3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from periodicbuild.core.facts import PeriodicBuild


class Operator(StrEnum):
    """How a requirement compares."""

    IN = "In"
    NOT_IN = "NotIn"
    EXISTS = "Exists"
    DOES_NOT_EXIST = "DoesNotExist"


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What must hold for one label; a label that is not there is in no list of values."""

    key: str
    operator: Operator
    values: frozenset[str] = frozenset()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Tell whether it does."""
        match self.operator:
            case Operator.IN:
                return labels.get(self.key) in self.values
            case Operator.NOT_IN:
                return labels.get(self.key) not in self.values
            case Operator.EXISTS:
                return self.key in labels
            case _:
                return self.key not in labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """All of it must hold; an empty one is about every PeriodicBuild."""

    namespaces: frozenset[str] | None = None
    """None = all of them."""
    requirements: tuple[Requirement, ...] = ()

    def has(self, build: PeriodicBuild) -> bool:
        """Tell whether a PeriodicBuild is in it."""
        return self.may_have(build.ref.namespace) and all(one.holds(build.labels) for one in self.requirements)

    def may_have(self, namespace: str) -> bool:
        """Tell whether a PeriodicBuild of a namespace may be in it: its labels nobody knows, since it is gone."""
        return self.namespaces is None or namespace in self.namespaces
