"""The kinds, labels and annotations that the operator deals with, under their names in the API (design 2.4).

Must not know objects, only what things are called.
"""

from __future__ import annotations

from typing import Final

from periodicbuild.kube.paths import Kind

GROUP: Final = "periodicbuild.dev"

PERIODIC_BUILDS: Final = Kind(GROUP, "v1alpha1", "periodicbuilds")
APP_SERVERS: Final = Kind(GROUP, "v1alpha1", "appservers")
PODS: Final = Kind("", "v1", "pods")
BUILD_GATES: Final = Kind(GROUP, "v1alpha1", "buildgates")
NAMESPACES: Final = Kind("", "v1", "namespaces")
SERVICES: Final = Kind("", "v1", "services")

PERIODIC_BUILD: Final = "PeriodicBuild"
"""`kind` in manifests, owner references and Events."""
APP_SERVER: Final = "AppServer"
BUILD_GATE: Final = "BuildGate"
POD: Final = "Pod"

BUILD_LABEL: Final = f"{GROUP}/periodic-build"
"""Name of the PeriodicBuild: on AppServers and pods."""
RUN_LABEL: Final = f"{GROUP}/run"
"""Run id: on AppServers and pods."""
APP_SERVER_LABEL: Final = f"{GROUP}/app-server"
"""Name of the AppServer: on pods only; what a Service selects by."""
MANAGED_BY_LABEL: Final = "app.kubernetes.io/managed-by"
"""On AppServers only: on a pod it would overwrite the author's own."""
MANAGER: Final = "periodicbuild"

ACTIVATED_BY_LABEL: Final = f"{GROUP}/activated-by"
"""Name of the PeriodicBuild that may point a Service at its servers: on Services, by people (R28)."""

RUN_NOW_ANNOTATION: Final = f"{GROUP}/run-now"
"""The token of a request for a run: on PeriodicBuilds by people, on the AppServer that answers it by the operator."""
ACTIVATE_ANNOTATION: Final = f"{GROUP}/activate"
"""On PeriodicBuilds, by people: the AppServer to point the Service at, and after a `/` a token (R28)."""
OVERRIDE_ANNOTATION: Final = f"{GROUP}/override-gate"
"""On PeriodicBuilds, by people: names of gates, with commas between, that do not hold it back (R32)."""
OVERRIDDEN_ANNOTATION: Final = f"{GROUP}/overridden-gate"
"""On AppServers, by the operator: gates that it was started in spite of."""
OWN_TEMPLATE_ANNOTATION: Final = f"{GROUP}/own-template"
"""`true` on an AppServer whose template a person gave (R27)."""
INPUTS_ANNOTATION: Final = f"{GROUP}/inputs"
"""JSON: what the slot of an AppServer is built from, compared with the last success (R31)."""
SLOT_ANNOTATION: Final = f"{GROUP}/slot"
"""The slot as RFC 3339: on pods, for people and the downward API."""


def is_of_our_group(api_version: str) -> bool:
    """Tell whether a kind is one of ours, also in a version that is not served any more."""
    return api_version.startswith(f"{GROUP}/")
