"""Gates of one test.

The one idea a newcomer would miss: gates are of the whole cluster, which other tests use, too.  So each is about the
namespace of its test and nothing else, and goes with it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.e2e.stage import eventually
from tests.schema.manifests import as_list, build_gate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.stage import Stage


class Gates:
    """The gates of one test."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._names: list[str] = []

    def apply(self, name: str, **spec: Any) -> str:
        """Create or edit a gate about the test's namespace; give its full name."""
        full = f"{self._stage.namespace}-{name}"
        self._names.append(full)
        gate = build_gate(full, **{"scope": {"namespaces": [self._stage.namespace]}, "owner": "me", **spec})
        self._stage.cluster.kubectl("apply", "--filename=-", input=as_list(gate))
        return full

    def delete(self, full: str) -> None:
        """Delete one."""
        self._stage.cluster.kubectl("delete", f"bgate/{full}", "--ignore-not-found")

    def read(self, full: str) -> dict[str, Any]:
        """Give its status."""
        gate = json.loads(self._stage.cluster.kubectl("get", f"bgate/{full}", "--output=json"))
        status: dict[str, Any] = gate.get("status", {})
        return status

    def generation(self, full: str) -> str:
        """Give the number of its spec."""
        return self._stage.cluster.kubectl("get", f"bgate/{full}", "--output=jsonpath={.metadata.generation}")

    def conditions(self, full: str) -> dict[str, tuple[str, str]]:
        """Give status and reason of its conditions."""
        found = self.read(full).get("conditions", ())
        return {condition["type"]: (condition["status"], condition["reason"]) for condition in found}

    def sees(self, full: str, type_: str, *verdict: str) -> None:
        """Wait until a condition says so."""
        what = f"{type_} of gate {full} is {verdict}"
        eventually(
            lambda: self.conditions(full).get(type_) == verdict, what, otherwise=lambda: json.dumps(self.read(full))
        )

    def clear(self) -> None:
        """Delete them all."""
        for name in self._names:
            self.delete(name)


def gates_of(stage: Stage) -> Iterator[Gates]:
    """Give one test its gates, and delete them afterwards, however it ends."""
    made = Gates(stage)
    try:
        yield made
    finally:
        made.clear()
