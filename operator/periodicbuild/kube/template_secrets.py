"""The secrets that a pod template holds in plain text: values of variables whose names look secret (R24)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from periodicbuild.core.redaction import is_secret_name, redact

if TYPE_CHECKING:
    from periodicbuild.core.facts import Pod, TemplateJson


class _Variable(msgspec.Struct, frozen=True):
    name: str = ""
    value: str | None = None


class _Container(msgspec.Struct, frozen=True):
    env: tuple[_Variable, ...] | None = None


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    containers: tuple[_Container, ...] | None = None
    init_containers: tuple[_Container, ...] | None = None


class _Template(msgspec.Struct, frozen=True):
    spec: _Spec = _Spec()


_decode = msgspec.json.Decoder(_Template).decode


def secrets_in(template: TemplateJson | None) -> frozenset[str]:
    """Give the values; of a template that is none, there are none."""
    try:
        spec = _decode(template).spec if template is not None else _Spec()
    except msgspec.DecodeError:
        return frozenset()
    containers = (*(spec.init_containers or ()), *(spec.containers or ()))
    variables = (variable for container in containers for variable in container.env or ())
    return frozenset(one.value for one in variables if one.value and is_secret_name(one.name))


def without_secrets(pod: Pod, template: TemplateJson | None) -> Pod:
    """Take the secrets of its template out of what the kubelet says of a pod: it quotes commands, values included."""
    if not (pod.message or any(one.waiting_message for one in pod.containers)):
        return pod
    secrets = secrets_in(template)
    containers = tuple(
        replace(one, waiting_message=redact(one.waiting_message, secrets)) if one.waiting_message else one
        for one in pod.containers
    )
    return replace(pod, message=redact(pod.message, secrets), containers=containers)
