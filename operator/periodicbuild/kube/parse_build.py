"""A PeriodicBuild, from a list, a watch or an answer of the API to a fact.

Must not know what is done with it.

The one idea a newcomer would miss: twenty ledger entries as objects weigh more than all the rest, and only a look needs
them.  What is kept between looks is a `StoredBuild`, whose ledger is still the bytes that the API sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import msgspec

from periodicbuild.core.facts import BuildSpec, PeriodicBuild
from periodicbuild.core.policies import ConcurrencyPolicy, Recovery, SucceedWhen
from periodicbuild.kube.kinds import PERIODIC_BUILD, PERIODIC_BUILDS
from periodicbuild.kube.parse_changes import read_change_detection
from periodicbuild.kube.parse_policies import (
    duration_of,
    read_activation,
    read_breaker,
    read_history,
    read_notifications,
    read_retries,
    read_timeouts,
    shared_labels,
)
from periodicbuild.kube.parse_schedule import read_schedule
from periodicbuild.kube.parse_status import read_ledger, read_status
from periodicbuild.kube.parse_template import shared_template
from periodicbuild.kube.parse_values import created_at, known, object_ref
from periodicbuild.kube.wire import AnnotationsWire, BuildSpecWire, PeriodicBuildWire

if TYPE_CHECKING:
    from periodicbuild.core.notices import ObjectRef

LONGEST_TOKEN: Final = 256
"""Characters of a run-now token; more do not fit into `status.manual`, and are ignored wherever it is read."""

_decode = msgspec.json.Decoder(PeriodicBuildWire).decode


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBuild:
    """One PeriodicBuild as it is kept between looks."""

    build: PeriodicBuild
    """Complete but for `status.ledger`, which is empty here."""
    ledger_json: bytes
    """The ledger as the API sent it."""

    @property
    def ref(self) -> ObjectRef:
        """Say which PeriodicBuild it is."""
        return self.build.ref

    def facts(self) -> PeriodicBuild:
        """Give the complete PeriodicBuild, for the length of one look."""
        status = replace(self.build.status, ledger=read_ledger(self.ledger_json))
        return replace(self.build, status=status)


def stored_build_from_json(raw: bytes | msgspec.Raw) -> StoredBuild:
    """Read whatever was sent: mistakes in the schedule become `spec.schedule_error`, other ones count as left out.

    Raises msgspec.DecodeError for what is no object at all.
    """
    wire = _decode(raw)
    metadata = wire.metadata
    status, ledger_json = read_status(wire.status)
    build = PeriodicBuild(
        ref=object_ref(PERIODIC_BUILDS.api_version, PERIODIC_BUILD, metadata),
        resource_version=metadata.resource_version,
        generation=metadata.generation,
        created_at=created_at(metadata),
        is_deleting=metadata.deletion_timestamp is not None,
        run_now=run_token(metadata.annotations),
        spec=_spec(wire.spec if isinstance(wire.spec, BuildSpecWire) else BuildSpecWire()),
        status=status,
        activate=_activate_request(metadata.annotations),
        labels=shared_labels(tuple(sorted((metadata.labels or {}).items()))),
        overrides=frozenset(gate_names(None if metadata.annotations is None else metadata.annotations.override)),
    )
    return StoredBuild(build=build, ledger_json=ledger_json)


def periodic_build_from_json(raw: bytes) -> PeriodicBuild:
    """Read the object in an answer of the API, ledger included."""
    return stored_build_from_json(raw).facts()


def run_token(annotations: AnnotationsWire | None) -> str | None:
    """Give the run-now token; an empty one asks for nothing."""
    token = annotations.run_now if annotations is not None else None
    return token[:LONGEST_TOKEN] if token else None


def _activate_request(annotations: AnnotationsWire | None) -> str | None:
    """Give the request to point the Service at a certain server; an empty one asks for nothing."""
    request = annotations.activate if annotations is not None else None
    return request[:LONGEST_TOKEN] if request else None


def gate_names(text: str | None) -> tuple[str, ...]:
    """Give the names in an annotation about gates, in alphabetical order; commas are between them."""
    return tuple(sorted({name for part in (text or "").split(",") if (name := part.strip())}))


def _spec(stored: BuildSpecWire) -> BuildSpec:
    schedule, starting, schedule_error = read_schedule(bytes(stored.schedule), enabled=stored.enabled is True)
    return BuildSpec(
        schedule=schedule,
        starting=starting,
        concurrency=known(ConcurrencyPolicy, stored.concurrency_policy, otherwise=ConcurrencyPolicy.FORBID),
        schedule_error=schedule_error,
        breaker=read_breaker(bytes(stored.breaker)),
        notifications=read_notifications(bytes(stored.notifications)),
        activation=read_activation(bytes(stored.activation)),
        recovery=known(Recovery, stored.recovery, otherwise=Recovery.RESTART),
        change_detection=read_change_detection(bytes(stored.change_detection)),
        retries=read_retries(bytes(stored.retries)),
        timeouts=read_timeouts(bytes(stored.timeouts)),
        history=read_history(bytes(stored.history)),
        estimated_duration=duration_of(stored.estimated_duration),
        succeed_when=known(SucceedWhen, stored.succeed_when, otherwise=SucceedWhen.READY),
        template=shared_template(bytes(stored.template)),
    )
