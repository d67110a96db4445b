"""The kinds under test as a person's tool sees them: pykube-ng objects, and nothing of the operator's own code."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple, Self

from pykube.http import HTTPClient
from pykube.objects import NamespacedAPIObject


class Condition(NamedTuple):
    """One condition as people read it."""

    status: str
    reason: str
    message: str


NOT_WRITTEN = Condition("", "", "")
RUN_NOW = "periodicbuild.dev/run-now"
"""The annotation by which a person asks for a run."""


def instant_of(text: str) -> datetime:
    """Read an instant as the API writes it."""
    return datetime.fromisoformat(text)


class Resource(NamespacedAPIObject):  # type: ignore[misc] # pykube-ng ships no types
    """What both kinds have in common."""

    version = "periodicbuild.dev/v1alpha1"

    @classmethod
    def made_of(cls, api: HTTPClient, namespace: str, name: str, spec: Mapping[str, Any], **metadata: Any) -> Self:
        """Create an object in the cluster."""
        metadata |= {"namespace": namespace, "name": name}
        body = {"apiVersion": cls.version, "kind": cls.kind, "metadata": metadata, "spec": dict(spec)}
        created = cls(api, body)
        created.create()
        return created

    @property
    def uid(self) -> str:
        """Give what tells objects of one name apart."""
        return str(self.obj["metadata"]["uid"])

    def read(self, path: str) -> Any:
        """Give what stands at a path like `status.slots.due`; None where nothing does."""
        value: Any = self.obj
        for name in path.split("."):
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def instant(self, path: str) -> datetime:
        """Give the instant that stands at a path."""
        return instant_of(self.read(path))

    def condition(self, type_: str) -> Condition:
        """Give a condition; NOT_WRITTEN if there is none of that type."""
        for one in self.read("status.conditions") or ():
            if one["type"] == type_:
                return Condition(one["status"], one["reason"], one["message"])
        return NOT_WRITTEN


class PeriodicBuild(Resource):
    """The schedule, the template and the ledger."""

    endpoint = "periodicbuilds"
    kind = "PeriodicBuild"

    @property
    def fates(self) -> list[str]:
        """Give the ledger in short, newest first: `Started/Due: Failed/RetriesUsedUp`."""
        return [_fate(entry) for entry in self.read("status.ledger") or ()]

    @property
    def runs(self) -> list[dict[str, Any]]:
        """Give the runs in progress."""
        return list(self.read("status.runs") or ())

    @property
    def slots(self) -> dict[str, int]:
        """Give the counters, without those that are zero."""
        return {name: count for name, count in (self.read("status.slots") or {}).items() if count}

    def run_now(self, token: str) -> None:
        """Ask for a run, as `kubectl annotate --overwrite` does."""
        self.patch({"metadata": {"annotations": {RUN_NOW: token}}})

    def disable(self) -> None:
        """Turn the schedule off."""
        self.patch({"spec": {"enabled": False}})


class AppServer(Resource):
    """One attempt."""

    endpoint = "appservers"
    kind = "AppServer"

    @property
    def state(self) -> str:
        """Give its state: the reason of its condition Succeeded."""
        return self.condition("Succeeded").reason

    @property
    def result(self) -> dict[str, Any]:
        """Give why it failed, without the message; empty while it has not."""
        result = self.read("status.result") or {}
        return {name: value for name, value in result.items() if name != "message"}

    def cancel(self) -> None:
        """End it, as a person does."""
        self.patch({"spec": {"cancelled": True}})

    @property
    def controller_uid(self) -> str | None:
        """Give the uid of its controller."""
        owners = self.read("metadata.ownerReferences") or ()
        return next((str(owner["uid"]) for owner in owners if owner.get("controller")), None)


def _fate(entry: dict[str, Any]) -> str:
    text = f"{entry['decision']}/{entry['reason']}"
    if "outcome" not in entry:
        return text
    return f"{text}: {'/'.join(filter(None, (entry['outcome'], entry.get('outcomeReason'))))}"
