"""A manifest to edit: the AppServer that a person creates for a run with changes.

Must not know how it is printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from periodicbuild.kube.kinds import APP_SERVER, APP_SERVERS

if TYPE_CHECKING:
    from periodicbuild.core.facts import PeriodicBuild


def app_server_manifest(build: PeriodicBuild) -> dict[str, Any]:
    """Give the least that makes a manual run, with the PeriodicBuild's template; the operator adds the rest (2.2)."""
    return {
        "apiVersion": APP_SERVERS.api_version,
        "kind": APP_SERVER,
        "metadata": {"namespace": build.ref.namespace, "generateName": f"{build.ref.name}-"},
        "spec": {
            "periodicBuildRef": {"name": build.ref.name},
            "template": msgspec.json.decode(build.spec.template),
        },
    }
