"""Whether a namespace goes away: then nothing in it is worth a word (R43)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from periodicbuild.kube.errors import NotFoundError
from periodicbuild.kube.kinds import NAMESPACES
from periodicbuild.kube.parse_namespace import is_terminating

if TYPE_CHECKING:
    from periodicbuild.kube.session import KubeSession


async def is_namespace_terminating(session: KubeSession, name: str) -> bool:
    """Ask the API server; one that is gone counts as well.  Raises KubeError."""
    try:
        return is_terminating(await session.get(NAMESPACES.path(name=name)))
    except NotFoundError:
        return True
