"""The one way in: everything the API sends becomes a fact here, and no dictionary gets any further.

Must not know what facts are for.  The work is done in the modules beside this one, one per kind.
"""

from __future__ import annotations

from periodicbuild.kube.parse_app_server import app_server_from_json
from periodicbuild.kube.parse_build import StoredBuild, periodic_build_from_json, stored_build_from_json
from periodicbuild.kube.parse_gate import gate_from_json
from periodicbuild.kube.parse_pod import pod_from_json

__all__ = [
    "StoredBuild",
    "app_server_from_json",
    "gate_from_json",
    "periodic_build_from_json",
    "pod_from_json",
    "stored_build_from_json",
]
