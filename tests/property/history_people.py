"""What people do to a PeriodicBuild and its AppServers at any moment: edit, ask, cancel, delete, meddle."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
from hypothesis.stateful import precondition, rule
from tests.builders import a_build, a_pod, a_schedule, a_spec, an_app_server, by_hand
from tests.property.history import History, Reaction, as_admitted, indexes, reactions, specs
from tests.property.model_serving import NAME, pointed_at

from periodicbuild.core.facts import AppServer
from periodicbuild.core.names import app_server_name, slot_run_id
from periodicbuild.core.schedules import next_slot
from periodicbuild.core.services import Service
from periodicbuild.core.status import BuildStatus

if TYPE_CHECKING:
    from periodicbuild.core.facts import BuildSpec


FIELDS = [
    "schedule",
    "retries",
    "timeouts",
    "succeed_when",
    "starting",
    "concurrency",
    "breaker",
    "notifications",
    "activation",
    "recovery",
]
SERVICES = ["made anew", "without a selector", "points elsewhere", "points at some server", "takes its consent back"]


class People(History):
    """Everyone who meddles."""

    def edit(self, **changes: Any) -> None:
        """Change the PeriodicBuild by hand."""
        if self.build is not None:
            self.api.build = replace(self.build, resource_version=self.api.next_version(), **changes)

    @rule(spec=specs, reaction=reactions)
    def the_spec_is_edited(self, spec: BuildSpec, reaction: Reaction) -> None:
        """Replace the whole spec."""
        if self.build is not None:
            self.edit(spec=spec, generation=self.build.generation + 1)
        self.react(reaction)

    @rule(
        field=st.sampled_from(FIELDS),
        spec=specs,
        reaction=reactions,
    )
    def one_field_is_edited(self, field: str, spec: BuildSpec, reaction: Reaction) -> None:
        """Replace one field of the spec."""
        if self.build is not None:
            changed = as_admitted(replace(self.build.spec, **{field: getattr(spec, field)}))
            self.edit(spec=changed, generation=self.build.generation + 1)
        self.react(reaction)

    @rule(reaction=reactions)
    def it_is_turned_on_or_off(self, reaction: Reaction) -> None:
        """Flip `enabled`."""
        if self.build is not None:
            schedule = replace(self.build.spec.schedule, enabled=not self.build.spec.schedule.enabled)
            self.edit(spec=replace(self.build.spec, schedule=schedule), generation=self.build.generation + 1)
        self.react(reaction)

    @rule(reaction=reactions)
    def the_schedule_becomes_unreadable(self, reaction: Reaction) -> None:
        """Write a schedule that nobody understands."""
        if self.build is not None:
            spec = replace(self.build.spec, schedule=a_schedule(every=None), schedule_error="spec.schedule: what?")
            self.edit(spec=spec, generation=self.build.generation + 1)
        self.react(reaction)

    @rule(reaction=reactions)
    def a_run_is_asked_for(self, reaction: Reaction) -> None:
        """Annotate a fresh token."""
        self.edit(run_now=f"token-{next(self.numbers)}")
        self.react(reaction)

    @rule(index=indexes, is_known=st.sampled_from([True, True, False]), reaction=reactions)
    def a_server_is_to_be_activated(self, index: int, *, is_known: bool, reaction: Reaction) -> None:
        """Annotate the name of an AppServer, or of none."""
        names = sorted(self.api.app_servers)
        name = names[index % len(names)] if names and is_known else "nobody"
        self.edit(activate=f"{name}/{next(self.numbers)}")
        self.react(reaction)

    @rule(what=st.sampled_from(["made anew", *SERVICES]), index=indexes, reaction=reactions)
    def the_service_is_changed(self, what: str, index: int, reaction: Reaction) -> None:
        """Apply, patch or make anew the Service."""
        known = self.api.services.get(NAME)
        if known is None or what == "made anew":
            known = Service(name=NAME, uid=f"service-{next(self.numbers)}", activated_by=a_build().ref.name)
        names = sorted(self.api.app_servers)
        match what:
            case "without a selector":
                known = replace(known, selector=None, app_server=None)
            case "points elsewhere":
                known = pointed_at(known, None)
            case "points at some server" if names:
                known = pointed_at(known, names[index % len(names)])
            case "takes its consent back":
                known = replace(known, activated_by=None)
        self.api.services[NAME] = known
        self.react(reaction)

    @rule(reaction=reactions)
    def the_service_is_deleted(self, reaction: Reaction) -> None:
        """Delete the Service."""
        self.api.services.pop(NAME, None)
        self.react(reaction)

    @rule(has_template=st.booleans(), reaction=reactions)
    def an_app_server_is_made_by_hand(self, *, has_template: bool, reaction: Reaction) -> None:
        """Create an AppServer with nothing but a reference, and perhaps a template."""
        server = by_hand(a_build(), name=f"by-hand-{next(self.numbers)}")
        if has_template:
            server = replace(server, template=a_spec().template, given=frozenset({"/spec/template"}))
        self.add_app_server(server, controller_uid=None)
        self.react(reaction)

    def add_app_server(self, server: AppServer, *, controller_uid: str | None) -> None:
        """Put an AppServer there that the operator did not make."""
        made = replace(
            server,
            ref=replace(server.ref, uid=f"foreign-{next(self.numbers)}"),
            created_at=self.clocks.api.replace(microsecond=0),
            resource_version=self.api.next_version(),
            controller_uid=controller_uid,
        )
        self.api.app_servers.setdefault(made.ref.name, made)

    @rule(what=st.sampled_from(["orphan", "someone else's", "hand-made", "pod"]), reaction=reactions)
    def the_next_name_is_taken(self, what: str, reaction: Reaction) -> None:
        """Take the name of the next slot's AppServer or pod."""
        if self.build is None or self.build.status.schedule is None:
            return
        waiting = self.build.status.waiting
        slot = waiting.slot if waiting is not None else next_slot(self.build.status.schedule)
        if slot is None:
            return
        name = app_server_name(self.build.ref.name, slot_run_id(slot), 1)
        if what == "pod":
            server = an_app_server(self.build, name=name, controller_uid="stranger")
            self.take_pod_name(server.ref.name)
        elif what == "hand-made":
            self.add_app_server(by_hand(self.build, name=name), controller_uid=None)
        else:
            owner = None if what == "orphan" else "stranger"
            self.add_app_server(an_app_server(self.build, slot=slot, name=name), controller_uid=owner)
        self.react(reaction)

    def take_pod_name(self, name: str) -> None:
        """Create a pod that has nothing to do with anything here."""
        if name not in self.api.pods:
            self.api.pods[name] = replace(
                a_pod(name=name, uid=f"foreign-{next(self.numbers)}", controller_uid="stranger"), build_name="other"
            )

    @rule(index=indexes, reaction=reactions)
    def an_attempt_is_cancelled(self, index: int, reaction: Reaction) -> None:
        """Set `spec.cancelled`."""
        names = sorted(self.api.app_servers)
        if names:
            server = self.api.app_servers[names[index % len(names)]]
            cancelled = replace(server, cancelled=True, resource_version=self.api.next_version())
            self.api.app_servers[server.ref.name] = cancelled
        self.react(reaction)

    @rule(index=indexes, waits_for_pod=st.booleans(), reaction=reactions)
    def an_app_server_is_deleted(self, index: int, *, waits_for_pod: bool, reaction: Reaction) -> None:
        """Delete an AppServer by hand, in the foreground or in the background."""
        names = sorted(self.api.app_servers)
        if names:
            server = self.api.app_servers[names[index % len(names)]]
            self.auditor.lost.add(server.ref.uid)
            if waits_for_pod:
                deleting = replace(server, is_deleting=True, resource_version=self.api.next_version())
                self.api.app_servers[server.ref.name] = deleting
            else:
                del self.api.app_servers[server.ref.name]
        self.react(reaction)

    @rule(reaction=reactions)
    def the_whole_status_is_lost(self, reaction: Reaction) -> None:
        """Restore without status, or reset by hand."""
        self.auditor.life += 1
        self.auditor.is_complete = True
        self.auditor.serving.forget()
        self.edit(status=BuildStatus())
        self.react(reaction)

    @rule(reaction=reactions)
    def the_schedule_status_is_lost(self, reaction: Reaction) -> None:
        """Remove `status.schedule` by hand; the API server guards the counters."""
        if self.build is not None:
            self.edit(status=replace(self.build.status, schedule=None))
            self.auditor.forget_what_is_gone(self.api)
        self.react(reaction)

    @rule(reaction=reactions)
    def the_build_is_deleted_and_made_anew(self, reaction: Reaction) -> None:
        """Delete the PeriodicBuild and create one of the same name at once."""
        if self.build is not None:
            self.auditor.life += 1
            self.auditor.is_complete = True
            self.auditor.serving.forget()
            self.api.build = a_build(
                spec=self.build.spec,
                uid=f"build-{next(self.numbers)}",
                created=self.clocks.api.replace(microsecond=0),
                resource_version=self.api.next_version(),
            )
        self.react(reaction)

    @rule(reaction=reactions)
    @precondition(lambda self: self.build is not None)
    def the_build_is_being_deleted(self, reaction: Reaction) -> None:
        """Delete in the foreground, for as long as that takes."""
        if self.build is not None and len(self.api.app_servers) > 1:
            self.edit(is_deleting=True)
        self.react(reaction)
