"""The one way in: everything the API sends becomes a fact here, and no dictionary gets any further.

Must not know what facts are for.  The work is done in the modules beside this one, one per kind.
"""

from __future__ import annotations

from periodicbuild.kube.parse_app_server import app_server_from_json, parse_app_server
from periodicbuild.kube.parse_build import (
    StoredBuild,
    parse_periodic_build,
    parse_stored_build,
    periodic_build_from_body,
    periodic_build_from_json,
    stored_build_from_body,
    stored_build_from_json,
)
from periodicbuild.kube.parse_pod import parse_pod, pod_from_json
from periodicbuild.kube.wire import AppServerWire, PeriodicBuildWire, PodWire

__all__ = [
    "AppServerWire",
    "PeriodicBuildWire",
    "PodWire",
    "StoredBuild",
    "app_server_from_json",
    "parse_app_server",
    "parse_periodic_build",
    "parse_pod",
    "parse_stored_build",
    "periodic_build_from_body",
    "periodic_build_from_json",
    "pod_from_json",
    "stored_build_from_body",
    "stored_build_from_json",
]
