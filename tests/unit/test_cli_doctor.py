"""What the doctor knows by heart, and how it judges what it has seen."""

from __future__ import annotations

import asyncio
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
import yaml
from tests.receivers import answers, hangs_up, no_http, receiving

from periodicbuild.cli.checks import running, zones
from periodicbuild.cli.checks.chain import CHECKS
from periodicbuild.cli.checks.definitions import KNOWN, Schema, missing_fields
from periodicbuild.cli.checks.finding import State, failed, findings_document, findings_table, named, ok, warning
from periodicbuild.cli.checks.operator_rights import NEEDED
from periodicbuild.cli.checks.patient import LONG_AGO, Account, Patient, Sighting
from periodicbuild.cli.checks.policies import POLICIES
from periodicbuild.cli.cluster import Cluster
from periodicbuild.cli.tables import print_tables
from periodicbuild.core.zones import TZDATA_VERSION
from periodicbuild.kube.credentials import Credentials

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kubernetes.aio.client import Configuration
    from tests.loopback import Answer

    from periodicbuild.cli.checks.finding import Finding

ROOT = Path(__file__).parent.parent.parent
NOW = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
JUST_NOW, A_WHILE_AGO = NOW - timedelta(seconds=10), NOW - timedelta(minutes=2)
CALM = Sighting(
    title="apps/nightly",
    is_answered=True,
    overdue_for=None,
    changed_at=A_WHILE_AGO,
    written_at=A_WHILE_AGO,
    zones=frozenset(),
)


async def _nobody(_: Configuration) -> None:
    """Log nobody in: what is judged here has been seen already."""


def a_patient(*sightings: Sighting, **special: Any) -> Patient:
    """Give what is examined, of a cluster that is not asked."""
    cluster = Cluster(client=None, credentials=Credentials(_nobody, "a test"), namespace="apps")
    usual: dict[str, Any] = {
        "cluster": cluster,
        "now": NOW,
        "sightings": sightings,
        "scope": "all namespaces",
        "account": Account("periodicbuild-system", "periodicbuild"),
    }
    return Patient(**{**usual, **special})


def documents(*parts: str) -> list[dict[str, Any]]:
    """Give the objects of a manifest."""
    return deepcopy(_read(*parts))


@cache
def _read(*parts: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(ROOT.joinpath(*parts).read_text()))


def test_the_operator_needs_what_its_role_grants() -> None:
    (role,) = (one for one in documents("manifests", "rbac.yaml") if one["kind"] == "ClusterRole")
    granted = {
        (verb, resource, group)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }

    assert {tuple(right) for right in NEEDED} == granted
    assert len(NEEDED) == len(granted)


def test_every_policy_that_is_shipped_is_looked_for() -> None:
    shipped = [one for path in (ROOT / "crds").glob("*.yaml") for one in documents("crds", path.name)]
    names = {
        kind: {one["metadata"]["name"] for one in shipped if one["kind"] == kind}
        for kind in ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    }

    assert names["ValidatingAdmissionPolicy"] == names["ValidatingAdmissionPolicyBinding"]
    assert {policy.name for policy in POLICIES} == names["ValidatingAdmissionPolicy"]


def served(plural: str) -> dict[str, Any]:
    """Give the schema that is shipped."""
    (definition,) = documents("crds", f"{plural}.yaml")
    schema: dict[str, Any] = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def missing_in(schema: dict[str, Any], known: dict[str, Any]) -> list[str]:
    """Give the fields that a schema lacks."""
    node = msgspec.convert(schema, Schema)
    return [field for part, type_ in known.items() for field in missing_fields(node, part, type_)]


@pytest.mark.parametrize(("plural", "known"), [(kind.plural, known) for _, kind, known in KNOWN])
def test_what_is_shipped_has_every_field_that_is_known(plural: str, known: dict[str, Any]) -> None:
    assert missing_in(served(plural), known) == []


@pytest.mark.parametrize(
    ("removed", "missing"),
    [
        (("status", "breaker"), ["status.breaker"]),
        (("spec", "retries"), ["spec.retries"]),
        (("status",), ["status"]),
        (("status", "schedule", "inForce", "cron"), ["status.schedule.inForce.cron"]),
        (("status", "conditions", "items", "observedGeneration"), ["status.conditions.observedGeneration"]),
    ],
)
def test_a_definition_that_is_older_is_told_by_what_it_lacks(removed: tuple[str, ...], missing: list[str]) -> None:
    schema = served("periodicbuilds")
    node = schema
    for name in removed[:-1]:
        node = node["items"] if name == "items" else node["properties"][name]
    del node["properties"][removed[-1]]

    assert missing_in(schema, KNOWN[0][2]) == missing


@pytest.mark.parametrize(
    ("sightings", "state", "saw"),
    [
        pytest.param([], State.WARNING, "no PeriodicBuild in all namespaces to judge by", id="nothing"),
        pytest.param(
            [CALM, replace(CALM, written_at=JUST_NOW)],
            State.OK,
            "2 PeriodicBuilds of all namespaces looked at, none overdue; it last wrote 10s ago",
            id="all is well",
        ),
        pytest.param(
            [replace(CALM, is_answered=False, changed_at=JUST_NOW, written_at=LONG_AGO)],
            State.OK,
            "1 PeriodicBuild of all namespaces looked at, none overdue",
            id="a spec of this minute",
        ),
        pytest.param(
            [CALM, replace(CALM, title="apps/new", is_answered=False)],
            State.FAILED,
            "1 of 2 PeriodicBuilds not looked at, as apps/new",
            id="a spec that nobody has looked at",
        ),
        pytest.param(
            [replace(CALM, title=f"apps/{n}", overdue_for=timedelta(minutes=5)) for n in range(9)],
            State.FAILED,
            "9 of 9 PeriodicBuilds not looked at, as apps/0, apps/1, apps/2 and 6 more",
            id="slots that nobody has looked at",
        ),
    ],
)
def test_an_operator_is_away_if_something_waits_for_it(sightings: Iterable[Sighting], state: State, saw: str) -> None:
    (finding,) = running.check(a_patient(*sightings))

    assert (finding.state, finding.saw) == (state, saw)
    assert bool(finding.remedy) == (state is not State.OK)


@pytest.mark.parametrize(
    ("behaviour", "state", "sentence"),
    [
        pytest.param(answers(200, "ok"), State.OK, "HERE/readyz says that it is ready", id="ready"),
        pytest.param(
            answers(503, "still listing pods\n"),
            State.FAILED,
            "HERE/readyz answers 503: still listing pods",
            id="not ready",
        ),
        pytest.param(no_http, State.FAILED, "HERE/readyz does not answer (BadStatusLine)", id="no HTTP"),
        pytest.param(hangs_up, State.FAILED, "HERE/readyz does not answer (RemoteDisconnected)", id="hangs up"),
    ],
)
def test_a_probe_says_whether_it_is_ready(behaviour: Answer, state: State, sentence: str) -> None:
    async def scenario() -> tuple[Finding, str]:
        async with receiving(behaviour) as receiver:
            findings = await asyncio.to_thread(lambda: list(running.check(a_patient(operator_url=receiver.url))))
            return findings[1], receiver.url

    finding, url = asyncio.run(scenario())

    assert (finding.state, finding.saw.replace(url, "HERE")) == (state, sentence)


def test_what_cannot_be_seen_is_a_warning_unless_the_probe_answers() -> None:
    by_statuses, _ = running.check(a_patient(scope="", operator_url="http://127.0.0.1:1"))
    (alone,) = running.check(a_patient(scope=""))

    assert (by_statuses.state, alone.state) == (State.OK, State.WARNING)
    assert alone.saw == by_statuses.saw == "no PeriodicBuild can be seen"


def test_a_zone_that_is_unknown_is_named_with_who_uses_it() -> None:
    sound, broken = frozenset({"Europe/Berlin"}), frozenset({"Europe/Berlni"})

    (fine,) = zones.check(a_patient(CALM, replace(CALM, zones=sound)))
    (bad,) = zones.check(a_patient(replace(CALM, zones=sound), replace(CALM, zones=broken)))
    (none,) = zones.check(a_patient())

    assert (fine.state, fine.saw) == (State.OK, f"tzdata {TZDATA_VERSION} knows all 1 in use")
    assert (bad.state, bad.saw) == (
        State.FAILED,
        f"tzdata {TZDATA_VERSION} does not know 'Europe/Berlni' of apps/nightly",
    )
    assert (none.state, none.saw) == (State.OK, f"tzdata {TZDATA_VERSION}; none is in use")


def test_a_checklist_says_in_words_how_things_stand(capsys: pytest.CaptureFixture[str]) -> None:
    findings = [ok("a", "it is there"), warning("b", "it is odd", "look"), failed("c", "it is gone", "bring it back")]

    print_tables(findings_table(findings))

    assert capsys.readouterr().out.splitlines() == [
        "CHECK  STATE    WHAT WAS SEEN, AND WHAT HELPS",
        "a      ok       it is there",
        "b      warning  it is odd: look",
        "c      FAILED   it is gone: bring it back",
    ]
    assert findings_document(findings)[2] == {
        "check": "c",
        "state": "FAILED",
        "saw": "it is gone",
        "remedy": "bring it back",
    }


def test_the_first_few_are_named() -> None:
    assert (named(["a"]), named(["a", "b", "c"]), named(list("abcde"))) == ("a", "a, b, c", "a, b, c and 2 more")


def test_every_check_is_in_the_chain() -> None:
    folder = ROOT / "operator" / "periodicbuild" / "cli" / "checks"
    modules = {path.stem for path in folder.glob("*.py") if "\ndef check(" in path.read_text()}

    assert {check.__module__.rpartition(".")[2] for check in CHECKS} == modules
