"""Output for programs: JSON, YAML, and names.

Must not know what a document says.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import click
import msgspec
import yaml

if TYPE_CHECKING:
    from collections.abc import Sequence


class Format(StrEnum):
    """What `-o` can be; without it the output is for people."""

    JSON = "json"
    YAML = "yaml"
    WIDE = "wide"
    NAME = "name"

    @property
    def is_document(self) -> bool:
        """Whether it is for programs, whole and structured."""
        return self in {Format.JSON, Format.YAML}


def print_document(document: Any, output: Format) -> None:
    """Print in JSON or YAML."""
    if output is Format.YAML:
        click.echo(yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True), nl=False)
    else:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def api_object(raw: bytes) -> Any:
    """Give an object of the API as `kubectl get` prints it: without the record of who manages which field."""
    document = msgspec.json.decode(raw)
    document.get("metadata", {}).pop("managedFields", None)
    return document


def api_list(documents: Sequence[Any]) -> Any:
    """Give several objects as `kubectl get` prints them."""
    return {"apiVersion": "v1", "kind": "List", "metadata": {"resourceVersion": ""}, "items": list(documents)}


class _Dumper(yaml.SafeDumper):
    """Write scripts as the blocks that people edit."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
