"""Objects of the API as msgspec reads them: the fields that the facts need, and no others.

Must not know what a field means; `parse*.py` turns these into facts.

The one idea a newcomer would miss: a raw view keeps its whole page of 500 objects in memory.  So nothing here is kept:
each object becomes a fact, of copies and shared templates, before the next is read.  A field whose type the definition
of the custom resource guards is `Any` here: one wrong field must not hide an object.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec

from periodicbuild.kube.kinds import (
    ACTIVATE_ANNOTATION,
    APP_SERVER_LABEL,
    BUILD_LABEL,
    INPUTS_ANNOTATION,
    OVERRIDDEN_ANNOTATION,
    OVERRIDE_ANNOTATION,
    OWN_TEMPLATE_ANNOTATION,
    RUN_LABEL,
    RUN_NOW_ANNOTATION,
)

ABSENT: Final = msgspec.Raw(b"null")
"""A part that is not there; null means the same."""

NotAnObject = list[Any] | str | int | float | bool | None
"""What JSON can hold where an object is expected."""


class LabelsWire(msgspec.Struct, frozen=True):
    """Our own labels."""

    build: str | None = msgspec.field(name=BUILD_LABEL, default=None)
    run: str | None = msgspec.field(name=RUN_LABEL, default=None)
    app_server: str | None = msgspec.field(name=APP_SERVER_LABEL, default=None)


class AnnotationsWire(msgspec.Struct, frozen=True):
    """Our own annotations."""

    run_now: str | None = msgspec.field(name=RUN_NOW_ANNOTATION, default=None)
    activate: str | None = msgspec.field(name=ACTIVATE_ANNOTATION, default=None)
    override: str | None = msgspec.field(name=OVERRIDE_ANNOTATION, default=None)
    overridden: str | None = msgspec.field(name=OVERRIDDEN_ANNOTATION, default=None)
    own_template: str | None = msgspec.field(name=OWN_TEMPLATE_ANNOTATION, default=None)
    inputs: str | None = msgspec.field(name=INPUTS_ANNOTATION, default=None)


class OwnerWire(msgspec.Struct, frozen=True, rename="camel"):
    """One owner reference."""

    api_version: str = ""
    kind: str = ""
    uid: str = ""
    controller: bool | None = None


class AnyMetaWire(msgspec.Struct, frozen=True, rename="camel"):
    """The metadata of any object, but for its labels."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    annotations: AnnotationsWire | None = None
    owner_references: tuple[OwnerWire, ...] | None = None


class MetaWire(AnyMetaWire, frozen=True, rename="camel"):
    """The metadata of an object that we label."""

    labels: LabelsWire | None = None


class BuildMetaWire(AnyMetaWire, frozen=True, rename="camel"):
    """The metadata of a PeriodicBuild, whose labels are for gates to select by."""

    labels: dict[str, str] | None = None


class BuildSpecWire(msgspec.Struct, frozen=True, rename="camel"):
    """The spec of a PeriodicBuild; its parts are read one by one."""

    enabled: Any = False
    schedule: msgspec.Raw = ABSENT
    concurrency_policy: Any = None
    retries: msgspec.Raw = ABSENT
    timeouts: msgspec.Raw = ABSENT
    history: msgspec.Raw = ABSENT
    breaker: msgspec.Raw = ABSENT
    notifications: msgspec.Raw = ABSENT
    activation: msgspec.Raw = ABSENT
    recovery: Any = None
    estimated_duration: Any = None
    change_detection: msgspec.Raw = ABSENT
    succeed_when: Any = None
    template: msgspec.Raw = ABSENT


class PeriodicBuildWire(msgspec.Struct, frozen=True):
    """A PeriodicBuild."""

    metadata: BuildMetaWire = BuildMetaWire()
    spec: BuildSpecWire | NotAnObject = None
    status: msgspec.Raw = ABSENT


class AppServerSpecWire(msgspec.Struct, frozen=True, rename="camel"):
    """The spec of an AppServer."""

    periodic_build_ref: Any = None
    trigger: Any = None
    run: Any = None
    attempt: Any = None
    slot_time: Any = None
    epoch: Any = None
    succeed_when: Any = None
    timeouts: Any = None
    cancelled: Any = None
    template: msgspec.Raw = ABSENT


class AppServerWire(msgspec.Struct, frozen=True):
    """An AppServer."""

    metadata: MetaWire = MetaWire()
    spec: AppServerSpecWire | NotAnObject = None
    status: msgspec.Raw = ABSENT


class PodConditionWire(msgspec.Struct, frozen=True):
    """One condition of a pod."""

    type: str
    status: str
    reason: str = ""
    message: str = ""


class WaitingWire(msgspec.Struct, frozen=True):
    """A container that does not run yet."""

    reason: str = ""
    message: str = ""


class TerminatedWire(msgspec.Struct, frozen=True, rename="camel"):
    """A container that has ended."""

    exit_code: int
    signal: int = 0
    reason: str = ""
    message: str = ""


class ContainerStateWire(msgspec.Struct, frozen=True):
    """Exactly one is set; none means waiting."""

    waiting: WaitingWire | None = None
    running: dict[str, Any] | None = None
    terminated: TerminatedWire | None = None


class ContainerStatusWire(msgspec.Struct, frozen=True, rename="camel"):
    """The kubelet's word on one container."""

    name: str
    image_id: str = msgspec.field(name="imageID", default="")
    state: ContainerStateWire | None = None
    last_state: ContainerStateWire | None = None


class InitContainerWire(msgspec.Struct, frozen=True, rename="camel"):
    """What tells a sidecar from an init container."""

    name: str
    restart_policy: str = ""


class PodSpecWire(msgspec.Struct, frozen=True, rename="camel"):
    """The spec of a pod."""

    node_name: str = ""
    init_containers: tuple[InitContainerWire, ...] | None = None


class PodStatusWire(msgspec.Struct, frozen=True, rename="camel"):
    """The status of a pod."""

    phase: str = ""
    reason: str = ""
    message: str = ""
    conditions: tuple[PodConditionWire, ...] | None = None
    init_container_statuses: tuple[ContainerStatusWire, ...] | None = None
    container_statuses: tuple[ContainerStatusWire, ...] | None = None


class PodWire(msgspec.Struct, frozen=True):
    """A pod."""

    metadata: MetaWire = MetaWire()
    spec: PodSpecWire = PodSpecWire()
    status: PodStatusWire = PodStatusWire()
