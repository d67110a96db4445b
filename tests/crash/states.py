"""What has become of everything in a namespace, without what differs from play to play: instants, uids, versions.

Must not know of kills.

The one idea a newcomer would miss: a slot is an instant, and names hold it.  So the slots of a PeriodicBuild are
numbered in their order, and `job-20261125-023000-2` is `job-(slot 1)-2` in every play.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pykube
from tests.e2e.objects import AppServer, PeriodicBuild
from tests.integration.serving import selector_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tests.e2e.stage import Stage

State = dict[str, Any]
"""By kind and name: what the API server stores, normalised."""

SLOT: Final = re.compile(r"\d{8}-\d{6}")
TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
UNSTEADY: Final = frozenset(
    {"message", "uid", "serviceUID", "durationsSeconds", "logTail", "configuringTime", "leaseTransitions"}
)
"""Texts with instants in them, what no two objects have in common, the beginning of a state that may be over before
anybody looks again, and how often the operator was started."""
INSTANT: Final = "an instant"
NOTHING: Final = "nothing"


class Slots:
    """The slots of each PeriodicBuild, numbered from 1."""

    def __init__(self, documents: Iterable[tuple[str, Any]]) -> None:
        """Take documents with the name of the PeriodicBuild that each belongs to."""
        found: dict[str, set[str]] = {}
        for build, document in documents:
            found.setdefault(build, set()).update(SLOT.findall(json.dumps(document)))
        self._names = {
            build: {slot: f"(slot {number})" for number, slot in enumerate(sorted(slots), 1)}
            for build, slots in found.items()
        }

    def numbered(self, build: str, text: str) -> str:
        """Write a text with numbers in place of the slots of a PeriodicBuild."""
        return SLOT.sub(lambda slot: self._names.get(build, {}).get(slot[0], slot[0]), text)

    def numbered_name(self, name: str) -> str:
        """Write the name of an AppServer, a pod or a PeriodicBuild."""
        return self.numbered(SLOT.split(name)[0].rstrip("-"), name)


def slots_of(stage: Stage) -> Slots:
    """Give numbers to all slots that a namespace shows."""
    builds = [(one.name, one.obj["status"]) for one in _all(stage, PeriodicBuild) if "status" in one.obj]
    servers = [(_build_of(one), one.name) for one in _all(stage, AppServer)]
    return Slots([*builds, *servers])


def read_state(stage: Stage) -> State:
    """Read everything in the test's namespace that is worth comparing."""
    slots = slots_of(stage)
    state: State = {}
    for build in _all(stage, PeriodicBuild):
        state[f"PeriodicBuild {build.name}"] = _normalised(build.obj.get("status", {}), slots, build.name)
    pods = {pod.name: pod.obj["status"].get("phase") for pod in _all(stage, pykube.Pod)}
    for server in _all(stage, AppServer):
        state[f"Pod {slots.numbered_name(server.name)}"] = pods.get(server.name)  # others are the garbage collector's
        spec = {name: value for name, value in server.obj["spec"].items() if name != "template"}
        document = {"spec": spec, "status": server.obj.get("status", {})}
        state[f"AppServer {slots.numbered_name(server.name)}"] = _normalised(document, slots, _build_of(server))
    state["Service"] = _normalised(selector_of(stage), slots, "web")
    return state


def read_events(stage: Stage, slots: Slots) -> Counter[tuple[str, str, str]]:
    """Count the Events by type, reason and object."""
    answer = stage.api.get(url="events", version="events.k8s.io/v1", namespace=stage.namespace)
    answer.raise_for_status()
    ours = [one for one in answer.json()["items"] if one["reportingController"].startswith("periodicbuild")]
    return Counter((one["type"], one["reason"], slots.numbered_name(one["regarding"]["name"])) for one in ours)


def differences(one: State, other: State) -> list[str]:
    """Say in which places two states differ; `one` is how it should be."""
    expected, found = dict(_leaves(one)), dict(_leaves(other))
    return [
        f"{place}: {found.get(place, NOTHING)} in place of {expected.get(place, NOTHING)}"
        for place in sorted(expected.keys() | found.keys())
        if expected.get(place, NOTHING) != found.get(place, NOTHING)
    ]


def _leaves(value: Any, place: str = "") -> Iterable[tuple[str, Any]]:
    match value:
        case dict() if value:
            for name, part in value.items():
                yield from _leaves(part, f"{place}.{name}" if place else name)
        case list() if value:
            for number, part in enumerate(value):
                yield from _leaves(part, f"{place}[{number}]")
        case _:
            yield place, value


def _normalised(value: Any, slots: Slots, build: str) -> Any:
    match value:
        case dict():
            return {name: _normalised(part, slots, build) for name, part in value.items() if name not in UNSTEADY}
        case list():
            return [_normalised(part, slots, build) for part in value]
        case str():
            return slots.numbered(build, TIME.sub(INSTANT, value))
    return value


def _all(stage: Stage, kind: type[Any]) -> Sequence[Any]:
    return list(kind.objects(stage.api, namespace=stage.namespace))


def _build_of(server: AppServer) -> str:
    reference: Mapping[str, str] = server.obj["spec"]["periodicBuildRef"]
    return reference["name"]
