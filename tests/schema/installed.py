"""Install the definitions into a cluster, and say what its API server thinks of an object.

What a newcomer would miss: neither is at once. A definition is served a moment after it is established, and a policy
works a few seconds after it was created, so all are waited for.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cluster.cluster import KubectlError
from tests.cluster.waiting import wait_for
from tests.schema.definitions import CRDS
from tests.schema.manifests import COMPLETE_SPEC, app_server, as_list, periodic_build

if TYPE_CHECKING:
    from tests.cluster.cluster import Cluster
    from tests.schema.manifests import Manifest

DEFINITIONS = (
    "crd/periodicbuilds.periodicbuild.dev",
    "crd/appservers.periodicbuild.dev",
    "crd/buildgates.periodicbuild.dev",
)
_PATIENCE_SECONDS = 30.0
_PROBE = "policy-probe"


def install(cluster: Cluster) -> None:
    """Apply `crds/` and wait until definitions and policies work; safe to call again."""
    cluster.kubectl("apply", "--server-side", "--force-conflicts", f"--filename={CRDS}")
    wait_for(lambda: _is_established(cluster), within_seconds=_PATIENCE_SECONDS, what="the definitions are established")
    wait_for(lambda: _is_served(cluster), within_seconds=_PATIENCE_SECONDS, what="discovery shows the definitions")
    cluster.kubectl("apply", "--filename=-", input=as_list(app_server(_PROBE, **COMPLETE_SPEC)))
    wait_for(lambda: _policy_works(cluster), within_seconds=_PATIENCE_SECONDS, what="the policy on templates works")
    cluster.kubectl("delete", f"appserver/{_PROBE}")
    wait_for(lambda: _warnings_work(cluster), within_seconds=_PATIENCE_SECONDS, what="the policy that warns works")


def refusal(cluster: Cluster, manifest: Manifest) -> str:
    """Return the sentences with which the API server refuses to create an object; empty if it accepts it."""
    return refusal_of(cluster, "create", "--dry-run=server", "--filename=-", input=as_list(manifest))


def warning_of(cluster: Cluster, *arguments: str, input: str | None = None) -> str:
    """Return what kubectl says when the API server warns or refuses; empty if it accepts without a word."""
    return refusal_of(cluster, *arguments, "--warnings-as-errors", input=input)


def refusal_of_patch(cluster: Cluster, target: str, *operations: Manifest, dry_run: bool = True) -> str:
    """Return the sentences with which a JSON patch of `kind/name` is refused; empty if it is accepted."""
    dry = ["--dry-run=server"] if dry_run else []
    return refusal_of(cluster, "patch", target, "--type=json", f"--patch={json.dumps(operations)}", *dry)


def refusal_of(cluster: Cluster, *arguments: str, input: str | None = None) -> str:
    """Return what kubectl says when the API server refuses; empty if it accepts."""
    try:
        cluster.kubectl(*arguments, input=input)
    except KubectlError as error:
        return str(error)
    return ""


def _is_established(cluster: Cluster) -> bool:
    """Not by `kubectl wait` or a jsonpath, which fail on a definition so new that it has no conditions."""
    definitions = json.loads(cluster.kubectl("get", *DEFINITIONS, "--output=json"))["items"]
    return all(("Established", "True") in _conditions(crd) for crd in definitions)


def _conditions(crd: Manifest) -> set[tuple[str, str]]:
    conditions = crd.get("status", {}).get("conditions") or ()
    return {(condition["type"], condition["status"]) for condition in conditions}


def _is_served(cluster: Cluster) -> bool:
    return not any(
        refusal_of(cluster, "explain", f"{kind}.spec") for kind in ("periodicbuild", "appserver", "buildgate")
    )


def _policy_works(cluster: Cluster) -> bool:
    edit = {"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "localhost/other:1"}
    return "set once" in refusal_of_patch(cluster, f"appserver/{_PROBE}", edit)


def _warnings_work(cluster: Cluster) -> bool:
    disabled = as_list(periodic_build(_PROBE))
    return "Warning: " in warning_of(cluster, "create", "--dry-run=server", "--filename=-", input=disabled)
