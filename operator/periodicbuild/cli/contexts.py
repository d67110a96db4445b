"""The contexts of a kubeconfig: which there are, and the namespace each is set to.

Must not know credentials; `kube/credentials.py` reads those.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from kubernetes.aio.config.kube_config import KubeConfigMerger

from periodicbuild.cli.errors import BadInputError
from periodicbuild.kube.credentials import READING_FAILURES
from periodicbuild.kube.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_NAMESPACE = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contexts:
    """What one or more kubeconfig files say together."""

    files: str
    """As in $KUBECONFIG."""
    namespaces: Mapping[str, str]
    """By the context's name."""
    current: str | None

    def namespace_of(self, context: str | None) -> str:
        """Give the namespace of a context, the current one if None; raises BadInputError for an unknown one."""
        if context is not None and context not in self.namespaces:
            near = get_close_matches(context, self.namespaces) or list(self.namespaces)
            known = f"there is {', '.join(near)}" if near else "it has none at all"
            raise BadInputError(f"context {context!r} is not in kubeconfig {self.files}: {known}")
        return self.namespaces.get(context or self.current or "", DEFAULT_NAMESPACE)


def read_contexts(kubeconfig: Path | None) -> Contexts:
    """Read the given file, else $KUBECONFIG, else ~/.kube/config; without any there are no contexts.

    Raises CredentialsError for a file that is no kubeconfig.
    """
    files = str(kubeconfig or os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")
    if not any(Path(file).expanduser().is_file() for file in files.split(os.pathsep) if file):
        return Contexts(files=files, namespaces={}, current=None)
    try:
        merged = KubeConfigMerger(files).config.value
        namespaces = {str(one.value["name"]): _namespace(one.value["context"]) for one in merged["contexts"]}
        return Contexts(files=files, namespaces=namespaces, current=merged.get("current-context"))
    except READING_FAILURES as error:
        why = str(error) if isinstance(error, OSError | yaml.YAMLError) else "it lists no contexts"
        raise CredentialsError(f"{files} is no kubeconfig ({why}): correct it, or name another one") from error


def _namespace(context: Mapping[str, Any] | None) -> str:
    return str((context or {}).get("namespace") or DEFAULT_NAMESPACE)
