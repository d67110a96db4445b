"""What the API server accepts and refuses in the spec of a PeriodicBuild, and the sentence it answers with."""

from __future__ import annotations

import copy
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tests.schema.installed import install, refusal, refusal_of
from tests.schema.manifests import TEMPLATE, Manifest, app_server, as_list, periodic_build

from periodicbuild.core.durations import DurationError
from periodicbuild.core.intervals import parse_interval

if TYPE_CHECKING:
    from tests.cluster.cluster import Cluster

pytestmark = pytest.mark.control_plane


@pytest.fixture(scope="module")
def cluster(control_plane: Cluster) -> Cluster:
    """Give a cluster that has the definitions."""
    install(control_plane)
    return control_plane


def every(text: str) -> Manifest:
    """Return a PeriodicBuild with that interval."""
    return periodic_build(schedule={"interval": {"every": text}})


def template(**pod: object) -> Manifest:
    """Return the template with changes to the pod's spec."""
    return {"spec": {**TEMPLATE["spec"], **pod}}


REFUSED_INTERVALS = {
    "": "must not be empty: write for example",
    "0": "is zero: write an interval from 1 second",
    "00:00:00": "is out of bounds: write an interval from 1 second (1s) to 366 days (366d)",
    "00:00:00.4": "is out of bounds",
    "-1 day": "is negative: write an interval",
    "-P1D": "is negative: write an interval",
    "15:30": "is ambiguous: write 00:15:30 (minutes:seconds) or 15:30:00 (hours:minutes)",
    "5:30": "is ambiguous: write 00:05:30 (minutes:seconds) or 5:30:00 (hours:minutes)",
    "1 25:61:61": "is no possible clock: write hours from 0 to 23 after days",
    "P1M": "has months or years, which have no fixed length: write days or weeks",
    "1 year": "has months or years, which have no fixed length: write days or weeks",
    "monthly": "has months or years, which have no fixed length: write days or weeks",
    "9" * 400: "Too long: may not be more than 64 bytes",
    "\u0661\u0662h": "has characters outside ASCII: write digits 0-9 and units",
    "367d": "is out of bounds",
    "9999:59:59": "is out of bounds",
    "99999999w": "is out of bounds",
    "999999999s": "has a number of more than 8 digits",
    "86400": "has no unit: write 86400s if seconds are meant",
    "30m1h": "has its units out of order or twice",
    "noon": "is no interval: write it like",
}

ACCEPTED_INTERVALS = {
    "1 00:00:00": 86_400,
    "00:15:30": 930,
    "4 1:15:20": 350_120,
    "1 00:00:00.000000": 86_400,
    "00:00:00.5": 1,
    "8784:00:00": 31_622_400,
    "P1D": 86_400,
    "PT12H": 43_200,
    "P4DT1H15M20S": 350_120,
    "P1W": 604_800,
    "1 day": 86_400,
    "3 days 04:05:06": 273_906,
    "1 day, 02:00:00": 93_600,
    "24h": 86_400,
    "1h30m": 5_400,
    "90s": 90,
    "366d": 31_622_400,
    "2w": 1_209_600,
    "hourly": 3_600,
    "daily": 86_400,
    "weekly": 604_800,
}


@pytest.mark.parametrize(("text", "sentence"), REFUSED_INTERVALS.items(), ids=lambda value: repr(value)[:20])
def test_an_interval_is_refused_with_one_sentence_that_names_the_remedy(
    cluster: Cluster, text: str, sentence: str
) -> None:
    answer = refusal(cluster, every(text))

    assert sentence in answer
    assert answer.count("spec.schedule.interval.every:") == 1


def test_the_api_server_and_the_parser_accept_the_same_intervals(cluster: Cluster) -> None:
    texts = [*REFUSED_INTERVALS, *ACCEPTED_INTERVALS, *_near_misses()]
    manifests = [every(text) | {"metadata": {"name": f"n{number}"}} for number, text in enumerate(texts)]

    answer = refusal_of(cluster, "create", "--dry-run=server", "--filename=-", input=as_list(*manifests))
    refused = {texts[int(number)] for number in re.findall(r'"n([0-9]+)" is invalid', answer)}

    assert refused == {text for text in texts if not _is_readable(text)}


def _near_misses() -> set[str]:
    """Change each accepted text a little: a character less, one more, a unit in upper case, another digit."""
    return {
        changed
        for text in ACCEPTED_INTERVALS
        for changed in (text[1:], text[:-1], f"{text} ", f"{text}s", text.upper(), f"0{text}", text.replace("0", "6"))
    } - {*REFUSED_INTERVALS, *ACCEPTED_INTERVALS}


def _is_readable(text: str) -> bool:
    try:
        parse_interval(text)
    except DurationError:
        return False
    return True


@pytest.mark.parametrize(("text", "seconds"), ACCEPTED_INTERVALS.items())
def test_the_accepted_intervals_mean_what_the_design_says(text: str, seconds: int) -> None:
    assert parse_interval(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["0s", "401d", "1 day", "", "30m1h", "PT1H", "367d"])
@pytest.mark.parametrize(
    "path",
    [
        "spec.timeouts.waiting",
        "spec.timeouts.configuring",
        "spec.timeouts.run",
        "spec.retries.delay",
        "spec.retries.maxDelay",
        "spec.history.maxAge",
    ],
)
def test_every_other_duration_is_from_1s_to_366d_in_the_notation_of_kubernetes(
    cluster: Cluster, path: str, text: str
) -> None:
    _, part, field = path.split(".")
    spec: Manifest = {part: {field: text}}

    answer = refusal(cluster, periodic_build(**spec))

    assert f'{path}: Invalid value: "{text}": must be from 1s to 366d: write weeks, days' in answer


REFUSED_SPECS = {
    "retries below zero": ({"retries": {"limit": -1}}, "spec.retries.limit in body should be greater than or equal"),
    "retries above ten": ({"retries": {"limit": 11}}, "spec.retries.limit in body should be less than or equal to 10"),
    "a delay longer than the longest": (
        {"retries": {"delay": "1h", "maxDelay": "59m59s"}},
        "retries.delay must not be longer than retries.maxDelay: lower delay or raise maxDelay",
    ),
    "a failure class that does not exist": ({"retries": {"retryOn": ["Weather"]}}, 'Unsupported value: "Weather"'),
    "disruptions are retried anyhow": ({"retries": {"retryOn": ["Disruption"]}}, 'Unsupported value: "Disruption"'),
    "a class twice": ({"retries": {"retryOn": ["Build", "Build"]}}, "Duplicate value"),
    "a breaker that is open from the start": (
        {"breaker": {"failures": 0}},
        "spec.breaker.failures in body should be greater than or equal to 1",
    ),
    "a breaker without a number": ({"breaker": {"probeAfter": "1h"}}, "spec.breaker.failures: Required value"),
    "a probe in no notation": ({"breaker": {"failures": 1, "probeAfter": "6 hours"}}, "spec.breaker.probeAfter"),
    "an empty list of classes": ({"retries": {"retryOn": []}}, "should have at least 1 items"),
    "a policy that does not exist": ({"concurrencyPolicy": "Allow"}, 'Unsupported value: "Allow"'),
    "a start without zone": ({"schedule": {"notBefore": "2026-12-01T00:00:00"}}, "must be of type date-time"),
    "an interval that is empty": ({"schedule": {"interval": {}}}, "spec.schedule.interval.every: Required value"),
    "a field that does not exist": ({"enable": True}, 'unknown field "spec.enable"'),
    "a negative history": ({"history": {"failedLimit": -1}}, "should be greater than or equal to 0"),
    "no template": ({"template": None}, "spec.template: Required value"),
    "an empty list of containers": ({"template": {"spec": {"containers": []}}}, "should have at least 1 items"),
    "no list of containers": ({"template": {"spec": {}}}, "spec.template.spec.containers: Required value"),
    "a template with a name": (
        {"template": {"metadata": {"generateName": "x-"}, **TEMPLATE}},
        'unknown field "spec.template.metadata.generateName"',
    ),
    "a template with a label of ours": (
        {"template": {"metadata": {"labels": {"periodicbuild.dev/run": "1"}}, **TEMPLATE}},
        "labels under periodicbuild.dev/ are set by the operator: remove them from the template",
    ),
    "a build that never ends": (
        {"succeedWhen": "Completed", "template": template(restartPolicy="Always")},
        "restartPolicy: Always restarts it for ever: leave restartPolicy out, or write Never or OnFailure",
    ),
    "a spelling mistake deep in the template": (
        {"template": {"spec": {"containers": [{"name": "a", "imaeg": "b"}]}}},
        'unknown field "spec.template.spec.containers[0].imaeg"',
    ),
}


@pytest.mark.parametrize(("spec", "sentence"), REFUSED_SPECS.values(), ids=REFUSED_SPECS)
def test_a_spec_is_refused_with_the_field_and_the_rule(cluster: Cluster, spec: Manifest, sentence: str) -> None:
    assert sentence in refusal(cluster, periodic_build(**spec))


ACCEPTED_SPECS = {
    "the smallest": {},
    "one delay without the other": {"retries": {"delay": "1h"}},
    "equal delays in two spellings": {"retries": {"delay": "1h", "maxDelay": "60m"}},
    "a slot that replaces what runs": {"concurrencyPolicy": "Replace"},
    "only a start": {"schedule": {"notBefore": "2026-12-01T00:00:00+01:00"}},
    "a build that ends": {"succeedWhen": "Completed", "template": template(restartPolicy="OnFailure")},
    "a server that is restarted": {"succeedWhen": "Ready", "template": template(restartPolicy="Always")},
    "duplicate names, as in a pod": {
        "template": {"spec": {"containers": [{"name": "a", "env": [{"name": "X"}, {"name": "X"}]}]}}
    },
    "everything left empty by a client that writes null": {
        "enabled": None, "schedule": None, "retries": None, "timeouts": None, "history": None, "succeedWhen": None,
    },
}  # fmt: skip


@pytest.mark.parametrize("spec", ACCEPTED_SPECS.values(), ids=ACCEPTED_SPECS)
def test_a_good_spec_is_accepted(cluster: Cluster, spec: Manifest) -> None:
    assert refusal(cluster, periodic_build(**spec)) == ""


REFUSED_NAMES = {
    "a" * 45: "metadata.name must have at most 44 characters",
    "open.edx": "metadata.name must be a DNS label, since pods are named after it",
}


@pytest.mark.parametrize(("name", "sentence"), REFUSED_NAMES.items())
def test_a_name_leaves_room_for_the_pods_named_after_it(cluster: Cluster, name: str, sentence: str) -> None:
    assert sentence in refusal(cluster, periodic_build(name))


def test_a_name_of_44_characters_is_accepted(cluster: Cluster) -> None:
    assert refusal(cluster, periodic_build("a" * 44)) == ""


@pytest.mark.parametrize("name", ["a" * 64, "open.edx"])
def test_an_app_server_is_named_like_a_pod(cluster: Cluster, name: str) -> None:
    assert "since its pod has the same name" in refusal(cluster, app_server(name))


def test_defaults_are_meaning_and_nothing_operational(cluster: Cluster) -> None:
    manifest = periodic_build(schedule={"interval": {"every": "24h"}})

    stored = cluster.kubectl(
        "create", "--dry-run=server", "--filename=-", "--output=jsonpath={.spec}", input=as_list(manifest)
    )

    assert stored == (
        '{"concurrencyPolicy":"Forbid","enabled":false,"history":{"failedLimit":1,"successfulLimit":3},'
        '"recovery":"Restart","retries":{"limit":0},'
        '"schedule":{"interval":{"afterManualRun":"Restart","every":"24h"}},'
        '"succeedWhen":"Ready","template":{"spec":{"containers":[{"image":"localhost/server:1","name":"server"}]}}}'
    )


def test_a_template_pasted_from_a_deployment_is_accepted(cluster: Cluster) -> None:
    pasted = cluster.kubectl(
        "create", "deployment", "web", "--image=nginx", "--port=80", "--dry-run=client", "--output=yaml"
    )
    indented = re.search(r"\n(  template:\n(?:   .*\n)+)", pasted)
    assert indented
    head = "apiVersion: periodicbuild.dev/v1alpha1\nkind: PeriodicBuild\nmetadata: {name: pasted}\nspec:\n"
    with_timestamp = re.sub(r"( +)labels:", r"\1creationTimestamp: null\n\1labels:", indented[1], count=1)

    for text in (indented[1], with_timestamp):
        assert refusal_of(cluster, "create", "--dry-run=server", "--filename=-", input=head + text) == ""


def test_applying_a_build_twice_says_unchanged(cluster: Cluster) -> None:
    build = periodic_build("applied-twice", template=template(containers=[_container_with_a_port()]))

    try:
        cluster.kubectl("apply", "--filename=-", input=as_list(build))
        assert "unchanged" in cluster.kubectl("apply", "--filename=-", input=as_list(copy.deepcopy(build)))
    finally:
        cluster.kubectl("delete", "periodicbuild/applied-twice")


def _container_with_a_port() -> Manifest:
    """Return a container whose port leaves out the protocol, which a default would write into the stored list."""
    return {"name": "server", "image": "localhost/server:1", "ports": [{"containerPort": 80}]}
