"""What must be true of every write that any history leads to, whatever happened before.

The one idea a newcomer would miss: it keeps books of its own.  It follows the rulings from one accepted status to the
next and never asks the code under test what it thinks of them, but for the one equation the API server checks, too.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.property.model_changes import check_skips
from tests.property.model_fates import Fates, SlotKey
from tests.property.model_serving import ServingBooks

from periodicbuild.core.ledger import ENTRIES, equation_holds
from periodicbuild.core.reasons import Decision, EventReason, FailureClass, Outcome, State, Trigger
from periodicbuild.core.status import BuildStatus, Slots

if TYPE_CHECKING:
    from datetime import datetime

    from tests.property.model import ApiServer

    from periodicbuild.core.facts import AppServer, AppServerStatus, PeriodicBuild, Pod
    from periodicbuild.core.plans import BuildPlan
    from periodicbuild.core.status import LedgerEntry, Run

BEGINS_ANEW = {EventReason.LEDGER_RESET, EventReason.CLOCK_STEPPED}


class Auditor:
    """The books of one PeriodicBuild and of the AppServers made for it."""

    def __init__(self) -> None:
        self.life = 0
        """Grows when the whole status is lost: what it remembered cannot bind what follows."""
        self.is_complete = True
        """No entry of this life's ledger was pruned, and no counter repaired."""
        self.fates = Fates()
        self.serving = ServingBooks()
        self.recoveries: dict[tuple[int, str], str] = {}
        """Uid of the first attempt by the run that answers a loss."""
        self.outcomes: dict[tuple[int, int, str], tuple[Outcome | None, str | None]] = {}
        self.first_attempts: dict[SlotKey, str] = {}
        """Uid of the AppServer that was created for a slot."""
        self.attempts: dict[tuple[int, int, str, int], str] = {}
        self.recorded: set[str] = set()
        """Uids that an accepted status has named."""
        self.belated: set[str] = set()
        """Uids of AppServers that a former leader created when their attempt or their slot had been decided."""
        self.lost: set[str] = set()
        """Uids of AppServers that a person deleted."""
        self.pruned: set[str] = set()
        """Uids of AppServers that the operator removed as history."""
        self.epochs: dict[str, int] = {}
        """Epoch by uid of every AppServer ever made for the PeriodicBuild."""
        self.owners: dict[str, str | None] = {}
        """Uid of the PeriodicBuild by uid of every AppServer ever made: one of that name may have been made anew."""
        self.succeeded: set[str] = set()
        self.ended: set[tuple[int, int, str]] = set()
        self.taken_up: set[str] = set()
        """Runs that go on after a lost status: what their attempts had used up was lost with it."""

    def forget_what_is_gone(self, api: ApiServer) -> None:
        """Forget deleted AppServers: epoch and cursor told of them, and were lost (R44); a name may come again."""
        servers = api.app_servers.values()
        there = {server.run for server in servers} | {server.ref.uid for server in servers}
        self.recorded.clear()
        self.ended = {key for key in self.ended if key[2] in there}
        self.outcomes = {key: outcome for key, outcome in self.outcomes.items() if key[2] in there}

    # The status of the PeriodicBuild

    def see_build_status(self, build: PeriodicBuild, after: BuildStatus, plan: BuildPlan, api: ApiServer) -> None:
        """Check a status that is about to be accepted."""
        before = build.status
        assert equation_holds(after), f"{after.slots} with waiting {after.waiting}"
        assert after.slots is not None, "slots may never be missing"
        self._check_counters(before, after, plan)
        self._check_schedule(before, after, plan)
        self._check_ledger(before, after)
        self._check_rulings(after, plan)
        check_skips(build, after, plan)
        self._check_runs(before, after, plan, api)
        self.serving.see_build_status(before, after)
        for run in after.runs:
            self.recorded.add(run.uid)
            if run.next_attempt_at is not None and run not in before.runs:
                self._check_retry(run, build, api)
        self.recorded.update(uid for key, uid in self.first_attempts.items() if self.fates.of(key))

    def _check_counters(self, before: BuildStatus, after: BuildStatus, plan: BuildPlan) -> None:
        old, new = before.slots or Slots(), after.slots or Slots()
        ruled = Counter[Decision]()
        for ruling in plan.ruled:
            ruled[ruling.fate.decision] += ruling.count
        grown = {
            Decision.STARTED: new.started - old.started,
            Decision.SKIPPED: new.skipped - old.skipped,
            Decision.MISSED: new.missed - old.missed,
        }
        if is_reset(plan):
            assert new.due >= old.due, "due goes down"
            assert all(grown[decision] >= ruled[decision] for decision in Decision), f"{grown} for {plan.ruled}"
            self.is_complete = False
            return
        assert all(grown[decision] == ruled[decision] for decision in Decision), f"{grown} for {plan.ruled}"
        assert new.due >= old.due, "due goes down"

    def _check_schedule(self, before: BuildStatus, after: BuildStatus, plan: BuildPlan) -> None:
        old, new = before.schedule, after.schedule
        assert new is not None, "a status without a schedule in force"
        if old is None:
            return
        if new.epoch == old.epoch:
            moved = replace(old, cursor_at=new.cursor_at, anchor_at=new.anchor_at)
            assert new == moved, f"the schedule changed within epoch {old.epoch}"
        else:
            assert new.epoch == old.epoch + 1, f"epoch {new.epoch} after {old.epoch}"
        if not is_reset(plan):
            assert is_not_earlier(new.cursor_at, old.cursor_at), "the cursor goes back"
            assert is_not_earlier(new.anchor_at, old.anchor_at), "the anchor goes back"

    def _check_ledger(self, before: BuildStatus, after: BuildStatus) -> None:
        """Each slot once, newest first; an outcome stays; sums agree with the counters while nothing was pruned."""
        order = [(entry.epoch, entry.last_slot, entry.slot) for entry in after.ledger]
        assert order == sorted(order, reverse=True), f"not newest first: {after.ledger}"
        for newer, older in zip(after.ledger, after.ledger[1:], strict=False):
            is_apart = newer.epoch > older.epoch or newer.slot > older.last_slot
            assert is_apart, f"a slot has two entries: {newer} and {older}"
        in_progress = sum(entry.run in {run.id for run in after.runs} for entry in after.ledger)
        assert len(after.ledger) <= max(ENTRIES, in_progress)
        for entry in after.ledger:
            if entry.run is not None:
                self._check_outcome(entry)
        self.is_complete = self.is_complete and len(after.ledger) < ENTRIES and len(before.ledger) < ENTRIES
        if self.is_complete and after.slots is not None:
            sums = Counter[Decision]()
            for entry in after.ledger:
                sums[entry.decision] += entry.count
            counted = (after.slots.started, after.slots.skipped, after.slots.missed)
            assert counted == tuple(sums[one] for one in (Decision.STARTED, Decision.SKIPPED, Decision.MISSED))

    def _check_outcome(self, entry: LedgerEntry) -> None:
        key = (self.life, entry.epoch, entry.run or "")
        known = self.outcomes.get(key, (None, None))
        now = (entry.outcome, entry.outcome_reason)
        assert known[0] is None or known == now, f"run {entry.run} ended as {known}, and then as {now}"
        assert (entry.outcome is None) <= (entry.outcome_reason is None)
        self.outcomes[key] = now

    def _check_rulings(self, after: BuildStatus, plan: BuildPlan) -> None:
        for ruling in plan.ruled:
            entry = next((one for one in after.ledger if one.covers(ruling.slot) and one.reason == ruling.fate), None)
            assert entry is not None, f"no entry for {ruling}"
            key = (self.life, entry.epoch, ruling.slot)
            known = self.fates.of(key, ruling.last_slot)
            assert known is None, f"{known} is now {ruling}"
            self.fates.add(key, ruling)
            if ruling.fate.decision == Decision.STARTED:
                assert key in self.first_attempts, f"{ruling} says started, and nothing was created for it"

    # Runs

    def _check_runs(self, before: BuildStatus, after: BuildStatus, plan: BuildPlan, api: ApiServer) -> None:
        """Check that runs come in live, end once, and only with an outcome; one is live at most (R16 Forbid)."""
        old, new = {run.id: run for run in before.runs}, {run.id: run for run in after.runs}
        assert len(new) == len(after.runs), f"a run is twice in progress: {after.runs}"
        at_work = {server.ref.uid for server in api.app_servers.values() if not server.state.is_finished}
        live = [run for run in after.runs if run.next_attempt_at is None and run.uid in at_work]
        assert len(live) <= 1, f"two runs are live: {live}"
        gone = [run for run in before.runs if run.id not in new]
        began = [run for run in after.runs if run.id not in old]
        if before.schedule is None:
            self.taken_up.update(run.id for run in began)
        assert len(plan.ended) >= len(gone), f"{gone} are gone without an outcome"
        for run in began:
            assert self._key(run) not in self.ended, f"run {run.id} has risen from the dead"
        for run in gone:
            self.ended.add(self._key(run))
        for run in after.runs:
            if run.id in old:
                assert run.attempt >= old[run.id].attempt, f"the attempts of {run.id} go back"
                assert run.disruptions >= old[run.id].disruptions, f"the disruptions of {run.id} go back"

    def _key(self, run: Run) -> tuple[int, int, str]:
        """Tell runs apart; one that a person made has the name of its AppServer, which may be used again."""
        return self.life, self.epochs[run.uid], run.uid if run.id == run.app_server else run.id

    def _check_retry(self, run: Run, build: PeriodicBuild, api: ApiServer) -> None:
        """Count attempts by their records, not by what the run says of itself (R18, R19)."""
        retries = build.spec.retries
        attempts = [one for one in api.app_servers.values() if one.run == run.id and one.controller_uid]
        results = [one.status.result for one in attempts if one.status.result is not None]
        classes = Counter(result.failure_class for result in results)
        last = next((one.status.result for one in attempts if one.ref.uid == run.uid), None)
        assert last is not None, f"{run} is retried and nobody knows why it failed"
        assert last.failure_class in retries.retry_on | {FailureClass.DISRUPTION}, f"{last} is not to be retried"
        assert last.reason not in {"Forbidden", "Invalid"}, f"{last} is never retried"
        assert run.trigger != Trigger.MANUAL, "a manual run has one attempt (R26)"
        if run.id in self.taken_up:
            return
        failed = classes.total() - classes[FailureClass.DISRUPTION]
        if last.failure_class == FailureClass.DISRUPTION:
            assert classes[FailureClass.DISRUPTION] <= retries.disruption_limit
        else:
            assert failed <= retries.limit, f"{failed} attempts failed, {retries.limit} may be retried"

    # AppServers and pods

    def see_app_server_created(self, created: AppServer, api: ApiServer) -> None:
        """Check an AppServer that is about to be created or adopted."""
        assert api.build is not None
        assert api.clocks.is_trusted, "nothing new starts under a clock that is off"
        if created.controller_uid != api.build.ref.uid:  # made for one that is gone, by a watch that lags
            self.epochs[created.ref.uid], self.owners[created.ref.uid] = created.epoch, created.controller_uid
            return
        problem = self._note_created(created)
        assert problem is None, problem

    def see_late_app_server(self, created: AppServer, api: ApiServer) -> None:
        """Take note of an AppServer from one that leads no more: it may come too late, and must then never run."""
        is_of_another = api.build is None or created.controller_uid != api.build.ref.uid
        if is_of_another or self._note_created(created) is not None:
            self.belated.add(created.ref.uid)

    def _note_created(self, created: AppServer) -> str | None:
        """Enter an AppServer into the books; say why it must not run, if so."""
        self.epochs[created.ref.uid] = created.epoch
        self.owners[created.ref.uid] = created.controller_uid
        if created.run == created.ref.name:
            return None  # made by a person, who may use a name again
        key = (self.life, created.epoch, created.run or "", created.attempt)
        slot = (self.life, created.epoch, created.slot) if created.slot is not None else None
        is_first = created.trigger == Trigger.SCHEDULE and created.attempt == 1
        if not self._may_be_made_again(self.attempts.get(key)):
            return f"{created.ref.name} is created a second time"
        if is_first and slot is not None:
            if not self._may_be_made_again(self.first_attempts.get(slot)):
                return f"{created.ref.name} is created a second time"
            if (fate := self.fates.of(slot)) is not None:
                return f"{fate} starts"
            self.first_attempts[slot] = created.ref.uid
        if created.trigger == Trigger.RECOVERY and created.attempt == 1:
            loss = (self.life, created.run or "")
            if not self._may_be_made_again(self.recoveries.get(loss)):
                return f"{created.ref.name} answers a loss a second time"
            self.recoveries[loss] = created.ref.uid
        self.attempts[key] = created.ref.uid
        return None

    def _may_be_made_again(self, former: str | None) -> bool:
        """Allow the one documented exception: it is gone, and no status tells of it, or none does any more."""
        return former is None or (former in self.lost | self.pruned and former not in self.recorded)

    def see_pod_created(self, created: Pod, api: ApiServer) -> None:
        """Check that no other attempt has a pod: a server that has succeeded is no attempt any more (R16).

        Nor is a pod that has ended, and whose AppServer somebody has deleted: it waits for the garbage collector.
        """
        assert created.controller_uid not in self.belated, f"{created.ref} runs what came too late"
        owner = self.owners[created.controller_uid or ""]
        for other in api.pods.values():
            is_rival = self.owners.get(other.controller_uid or "") == owner
            is_over = other.controller_uid in self.succeeded or (other.has_ended and other.controller_uid in self.lost)
            assert not is_rival or is_over, f"{created.ref} beside {other.ref}"

    def see_app_server_status(self, before: AppServer, after: AppServerStatus) -> None:
        """Check that an outcome is final, and that there is one instant and one result of it."""
        old = before.status
        if after.state.has_succeeded:
            self.succeeded.add(before.ref.uid)
            self.serving.see_up(before)
        if old.state.is_finished:
            is_lost_server = (old.state, after.state) == (State.RUNNING, State.TERMINATED)
            assert is_lost_server or after.state == old.state, f"{old.state} became {after.state}"
            assert (after.finished_at, after.result) == (old.finished_at, old.result), "an outcome was rewritten"
        assert after.state.is_finished == (after.finished_at is not None), f"{after}"
        assert after.state.has_failed == (after.result is not None), f"{after}"
        assert old.pod_requested_at in {None, after.pod_requested_at}, "the wait for the pod begins anew"
        assert old.configuring_at in {None, after.configuring_at}, "the configuring begins anew"

    def see_pod_removed(self, pod: Pod, api: ApiServer) -> None:
        """Check that the operator leaves pods alone that do their work (R29)."""
        owner = next((one for one in api.app_servers.values() if one.ref.uid == pod.controller_uid), None)
        if owner is None:
            return  # a person has deleted it, and the watch has not told yet
        assert owner.state.is_finished, f"{owner.ref.name} is {owner.state}, and its pod is removed"
        self.serving.see_pod_removed(owner, pod, api)
        if api.build is not None and api.build.status.activation is not None:
            return
        if owner.state == State.RUNNING and owner.trigger != Trigger.MANUAL:
            others = [one for one in api.app_servers.values() if one.state == State.RUNNING and one.trigger != "Manual"]
            newest = max(others, key=lambda one: one.newness)
            assert owner is not newest, "the newest server is removed"

    def see_app_server_pruned(self, pruned: AppServer, api: ApiServer) -> None:
        """Check that history keeps runs in progress, the newest success and the newest failure (R29).

        Once a person has deleted records, a watch that lags may still show the one that was to be kept.
        """
        assert api.build is not None
        self.pruned.add(pruned.ref.uid)
        runs = {run.id for run in api.build.status.runs}
        assert pruned.run not in runs, f"{pruned.ref.name} is of a run in progress"
        assert pruned.state.is_finished, f"{pruned.ref.name} is {pruned.state}"
        rest = [one for one in api.app_servers.values() if one.controller_uid == pruned.controller_uid]
        if self.lost:
            return
        if pruned.state.has_succeeded:
            assert any(one.state.has_succeeded for one in rest), "the last success was pruned"
        if pruned.state.has_failed:
            assert any(one.state.has_failed or one.run == pruned.run for one in rest), "the last failure was pruned"


def is_reset(plan: BuildPlan) -> bool:
    """Tell whether the books begin anew: the ledger was lost or edited, or the clock has stepped."""
    return any(event.reason in BEGINS_ANEW for event in plan.events)


def is_not_earlier(new: datetime | None, old: datetime | None) -> bool:
    """Tell whether a mark has only moved forward."""
    return old is None or (new is not None and new >= old)
