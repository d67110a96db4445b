"""References of images, as a pod has them: which registry, which repository, which tag or digest.

Must not know HTTP.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from periodicbuild.sources.hosts import DOCKER_HUB, FAMILIES
from periodicbuild.sources.problems import SourceError

_REPOSITORY: Final = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
_REGISTRY: Final = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:[0-9]{1,5})?")
_TAG: Final = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
DIGEST: Final = re.compile(r"[a-z0-9]+([+._-][a-z0-9]+)*:[0-9a-fA-F]{32,128}")


@dataclass(frozen=True, slots=True)
class ImageReference:
    """One image in one registry."""

    registry: str
    """Host, perhaps with a port, as people write it."""
    repository: str
    tag: str
    digest: str = ""
    """Empty = the tag says which."""

    @property
    def host(self) -> str:
        """Return where the registry's API is."""
        return FAMILIES[DOCKER_HUB][0] if self.registry == DOCKER_HUB else self.registry


def parse_reference(text: str) -> ImageReference:
    """Read a reference as container runtimes do; raises SourceError."""
    name, at, digest = text.partition("@")
    head, slash, tail = name.partition("/")
    has_registry = bool(slash) and (head == "localhost" or any(mark in head for mark in ".:"))
    registry, path = (head, tail) if has_registry else (DOCKER_HUB, name)
    repository, colon, tag = path.partition(":")
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    tag = tag if colon else "latest"
    parts = ((_REGISTRY, registry), (_REPOSITORY, repository), (_TAG, tag), *([(DIGEST, digest)] if at else []))
    if not all(pattern.fullmatch(part) for pattern, part in parts):
        raise SourceError(
            "its reference is none: write it as in a pod, like debian:12 or registry.example.com/team/app:1"
        )
    return ImageReference(registry, repository, tag, digest)
