"""Put together what one look may know: the step "observe" of the loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from periodicbuild.core.attempt import AppServerFacts
from periodicbuild.core.look import BuildFacts
from periodicbuild.kube.template_secrets import without_secrets

if TYPE_CHECKING:
    from periodicbuild.core.facts import AppServer, PeriodicBuild
    from periodicbuild.core.gates import Gates
    from periodicbuild.core.recipients import Telling
    from periodicbuild.kube.parse import StoredBuild
    from periodicbuild.wiring.store import Store


def observe_build(  # noqa: PLR0913 - keywords: what the parts of the process know
    store: Store,
    stored: StoredBuild,
    *,
    has_place: bool,
    may_start: bool,
    clock_is_trusted: bool,
    telling: Telling,
    gates: Gates,
) -> BuildFacts:
    """Give the facts of one look at a PeriodicBuild."""
    build = stored.facts()
    name = (build.ref.namespace, build.ref.name)
    children = store.children(build.ref.uid)
    pods = {pod.controller_uid: pod for pod in store.pods_naming(name) if pod.controller_uid is not None}
    memory = store.build_memory(build.ref.uid)
    return BuildFacts(
        build=build,
        children=children,
        strangers=store.strangers(name),
        pods=pods,
        has_stray_pods=any(store.holds_back(pod) for pod in store.pods_naming(name)),
        gone=store.gone_of(run.uid for run in build.status.runs),
        dry_run=memory.dry_run,
        refusals=memory.refusals,
        unwritten=memory.unwritten,
        written_at=memory.written_at,
        has_place=has_place,
        may_start=may_start,
        clock_is_trusted=clock_is_trusted,
        telling=telling,
        deliveries=memory.deliveries,
        gates=gates,
        service=memory.service,
        lookup=memory.lookup,
    )


def observe_app_server(store: Store, app_server: AppServer, gates: Gates, *, is_pressed: bool) -> AppServerFacts:
    """Give the facts of one look at an AppServer."""
    memory = store.attempt_memory(app_server.ref.uid)
    pod = store.pod_of(app_server.ref.uid)
    return AppServerFacts(
        app_server=app_server,
        parent=_parent(store, app_server),
        pod=None if pod is None else without_secrets(pod, app_server.template),
        pod_is_absent=memory.pod_is_absent,
        refusal=memory.refusal,
        namespace_is_terminating=memory.namespace_is_terminating,
        log=memory.log,
        seen=memory.seen,
        gates=gates,
        is_pressed=is_pressed,
    )


def _parent(store: Store, app_server: AppServer) -> PeriodicBuild | None:
    """Find the controller by uid; for one made by hand, the PeriodicBuild that it names."""
    stored = store.builds.get((app_server.ref.namespace, app_server.build_name))
    if stored is None:
        return None
    is_controller = app_server.controller_uid in {None, stored.build.ref.uid}
    return stored.build if is_controller else None
