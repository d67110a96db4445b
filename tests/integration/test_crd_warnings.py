"""What the API server warns of when a PeriodicBuild is written, and that it warns of nothing else (R3)."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from tests.schema.installed import install, warning_of
from tests.schema.manifests import TEMPLATE, Manifest, as_list, periodic_build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.cluster import Cluster

pytestmark = pytest.mark.control_plane

OFF = "spec.enabled is false, so the schedule spawns nothing: set it to true when builds may start"
SHORT = (
    "spec.schedule.interval.every is under 3h, which wastes resources unless a build takes minutes: write 3h or more"
)
OFTEN = (
    "spec.schedule makes more than 1,000 runs a week due: write an interval of at least 605s, or fewer minutes, hours"
    " or days into cron"
)
NO_PROBE = (
    "spec.succeedWhen is Ready and no container has a readinessProbe, so a build succeeds as soon as its containers"
    " run: add a readinessProbe, or write succeedWhen: Completed for a build that ends"
)
ON_THE_HOUR = (
    "spec.schedule.cron is due on minute 0 like most others and has no spread: choose another minute, or add a spread"
    " like 10m"
)

PROBED: Manifest = {"name": "server", "image": "localhost/server:1", "readinessProbe": {"tcpSocket": {"port": 80}}}
(PLAIN,) = TEMPLATE["spec"]["containers"]


@pytest.fixture(scope="module")
def cluster(control_plane: Cluster) -> Cluster:
    """Give a cluster that has the definitions and the policies."""
    install(control_plane)
    return control_plane


def build(name: str = "openedx", **spec: object) -> Manifest:
    """Return a PeriodicBuild that nobody is warned of unless `spec` asks for it."""
    return periodic_build(name, **{"enabled": True, "template": template(PROBED), **spec})


def template(*containers: Manifest, **pod: object) -> Manifest:
    """Return a template with these containers."""
    return {"spec": {"containers": list(containers), **pod}}


def every(interval: str) -> Manifest:
    """Return a spec's schedule with that interval."""
    return {"schedule": {"interval": {"every": interval}}}


def cron(expression: str, **fields: object) -> Manifest:
    """Return a spec's schedule with that cron expression."""
    return {"schedule": {"cron": {"expression": expression, **fields}}}


def warnings_in(answer: str) -> list[str]:
    """Return the sentences of our policy; fail if the API server said anything else, as when it refuses."""
    sentences = re.findall(
        "^.*Warning: .* with binding 'periodicbuild-warnings.periodicbuild.dev': (.*)$", answer, re.M
    )
    assert len(answer.splitlines()) == (len(sentences) + 1 if sentences else 0), answer
    return sentences


def warnings(cluster: Cluster, manifest: Manifest) -> list[str]:
    """Return what the API server warns of when the object is created."""
    create = ("create", "--dry-run=server", "--filename=-")
    return warnings_in(warning_of(cluster, *create, input=as_list(manifest)))


WARNED: dict[str, tuple[Manifest, list[str]]] = {
    "disabled": ({"enabled": False}, [OFF]),
    "disabled by default": ({"enabled": None}, [OFF]),
    "an interval under 3h, as Kubernetes writes it": (every("2h59m59s"), [SHORT]),
    "an interval under 3h, as a clock": (every("02:59:59"), [SHORT]),
    "an interval under 3h, as PostgreSQL prints it": (every("0 days 02:59:59"), [SHORT]),
    "an interval under 3h, in ISO 8601": (every("PT2H59M59S"), [SHORT]),
    "an interval under 3h, as a word": (every("hourly"), [SHORT]),
    "the shortest interval with 1,000 runs a week": (every("605s"), [SHORT]),
    "the longest interval with more": (every("604s"), [SHORT, OFTEN]),
    "a server without a readiness probe": ({"template": template(PLAIN)}, [NO_PROBE]),
    "a server by default": ({"succeedWhen": None, "template": template(PLAIN, PLAIN)}, [NO_PROBE]),
    "cron on the hour": (cron("0 2 * * 1-5"), [ON_THE_HOUR]),
    "cron on the hour in two digits": (cron(" 00 2,3 * * *"), [ON_THE_HOUR]),
    "cron by a nickname": (cron("@daily"), [ON_THE_HOUR]),
    "cron on every minute": (cron("* * * * *"), [OFTEN]),
    "cron on every tenth minute": (cron("*/10 * * * *"), [OFTEN]),
    "cron on every tenth minute from 0": (cron("0/10 * * * *"), [OFTEN]),
    "cron on listed minutes": (cron("0,10-40/10,50 * * * *"), [OFTEN]),
    "cron on every minute of three hours": (cron("* 1-3 * * *"), [OFTEN]),
    "cron on every fifth minute of workdays": (cron("*/5 * * * 1-5"), [OFTEN]),
    "cron on every fifth minute of workdays by name": (cron("*/5 * * * mon-fri"), [OFTEN]),
    "cron on every minute of one day of a month": (cron("* * 1 * *"), [OFTEN]),
    "everything at once": (
        {"enabled": False, "template": template(PLAIN), **every("1m")},
        [OFF, SHORT, OFTEN, NO_PROBE],
    ),
}


@pytest.mark.parametrize(("spec", "sentences"), WARNED.values(), ids=WARNED)
def test_what_is_allowed_and_mostly_not_meant_is_said(cluster: Cluster, spec: Manifest, sentences: list[str]) -> None:
    assert sorted(warnings(cluster, build(**spec))) == sorted(sentences)


CLEAN: dict[str, Manifest] = {
    "no schedule, which is daily": {},
    "only a start": {"schedule": {"notBefore": "2026-12-01T00:00:00Z"}},
    "3h, as Kubernetes writes it": every("3h"),
    "3h, as a clock": every("03:00:00"),
    "3h, as PostgreSQL prints it": every("0 days 03:00:00"),
    "3h, in ISO 8601": every("PT3H"),
    "a word": every("daily"),
    "a calendar on the hour": {"schedule": {"calendar": {"time": "02:00"}}},
    "cron on another minute": cron("30 2 * * *"),
    "cron on the hour and the half hour": cron("0,30 2 * * *"),
    "cron on the hour with a spread": cron("0 2 * * *", spread="10m"),
    "a nickname with a spread": cron("@hourly", spread="10m"),
    "cron five times an hour": cron("*/12 * * * *"),
    "cron on every minute of an hour": cron("* 2 * * *"),
    "cron on every fifth minute of Sundays": cron("*/5 * * * SUN"),
    "cron on every twelfth minute, in one month": cron("*/12 * * 6 *"),
    "cron that the operator cannot read": cron("61-x/0 2 * * *"),
    "a build that ends": {"succeedWhen": "Completed", "template": template(PLAIN)},
    "a probe on the second container": {"template": template({**PLAIN, "name": "other"}, PROBED)},
    "a probe on a sidecar": {"template": template(PLAIN, initContainers=[{**PROBED, "restartPolicy": "Always"}])},
}


@pytest.mark.parametrize("spec", CLEAN.values(), ids=CLEAN)
def test_nobody_is_warned_of_what_is_good(cluster: Cluster, spec: Manifest) -> None:
    assert warnings(cluster, build(**spec)) == []


@pytest.fixture
def disabled(cluster: Cluster) -> Iterator[str]:
    """Give a PeriodicBuild that is off, as `kind/name`."""
    cluster.kubectl("create", "--filename=-", input=as_list(build("warned", enabled=False)))
    yield "pb/warned"
    cluster.kubectl("delete", "pb/warned")


def test_an_edit_of_the_spec_is_judged_as_a_whole(cluster: Cluster, disabled: str) -> None:
    patch = json.dumps({"spec": {**every("1h")}})

    answer = warning_of(cluster, "patch", disabled, "--type=merge", f"--patch={patch}")

    assert sorted(warnings_in(answer)) == sorted([OFF, SHORT])
    assert cluster.kubectl("get", disabled, "--output=jsonpath={.spec.schedule.interval.every}") == "1h"


def test_what_leaves_the_spec_alone_is_not_judged(cluster: Cluster, disabled: str) -> None:
    status = '--patch={"status": {"observedGeneration": 1}}'

    assert warning_of(cluster, "annotate", disabled, "periodicbuild.dev/run-now=1") == ""
    assert warning_of(cluster, "label", disabled, "team=docs") == ""
    assert warning_of(cluster, "patch", disabled, "--subresource=status", "--type=merge", status) == ""
