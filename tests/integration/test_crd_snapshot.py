"""An AppServer's spec is a snapshot: set once, then immutable, without the hole of removing and adding again."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.schema.definitions import definition, schema_of
from tests.schema.fields import fields
from tests.schema.installed import install, refusal, refusal_of, refusal_of_patch
from tests.schema.manifests import COMPLETE_SPEC, TEMPLATE, Manifest, app_server, as_list

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cluster.cluster import Cluster

pytestmark = pytest.mark.control_plane

OTHER_VALUES: dict[str, Any] = {
    "spec.periodicBuildRef.name": "moodle",
    "spec.trigger": "Recovery",
    "spec.run": "20261123-023000",
    "spec.attempt": 2,
    "spec.slotTime": "2026-11-23T02:30:00Z",
    "spec.epoch": 5,
    "spec.succeedWhen": "Completed",
    "spec.timeouts.waiting": "2h",
    "spec.timeouts.configuring": "3h",
    "spec.timeouts.run": "13h",
    "spec.template": {"spec": {"containers": [{"name": "server", "image": "localhost/server:2"}]}},
    "spec.cancelled": True,
}
"""Another valid value for each field that holds one; a field of the schema that is missing here fails a test."""

OPTIONAL = [path for path in OTHER_VALUES if path not in {"spec.periodicBuildRef.name", "spec.cancelled"}]
IMMUTABLE = [path for path in OTHER_VALUES if path != "spec.cancelled"]

MANUAL_SPEC: Manifest = {
    "trigger": "Manual", "run": "by-hand", "attempt": 1, "epoch": 4, "succeedWhen": "Ready", "timeouts": {},
    "template": TEMPLATE,
}  # fmt: skip
"""What completes an AppServer made by hand; every field that may be absent is."""

_numbers = itertools.count()


@pytest.fixture(scope="module")
def cluster(control_plane: Cluster) -> Cluster:
    """Give a cluster that has the definitions and the policy."""
    install(control_plane)
    return control_plane


def created(cluster: Cluster, **spec: object) -> Iterator[str]:
    """Create an AppServer, name it as `kind/name`, and delete it afterwards."""
    manifest = app_server(f"snapshot-{next(_numbers)}", **spec)
    target = f"appserver/{manifest['metadata']['name']}"
    cluster.kubectl("create", "--filename=-", input=as_list(manifest))
    yield target
    cluster.kubectl("delete", target)


@pytest.fixture(scope="module")
def complete(cluster: Cluster) -> Iterator[str]:
    """Give one with every field."""
    yield from created(cluster, **COMPLETE_SPEC)


@pytest.fixture(scope="module")
def sparse(cluster: Cluster) -> Iterator[str]:
    """Give a complete one without the fields that a complete one may lack."""
    yield from created(cluster, **MANUAL_SPEC)


@pytest.fixture
def by_hand(cluster: Cluster) -> Iterator[str]:
    """Give one as a person makes it, with only the reference."""
    yield from created(cluster)


@pytest.fixture
def with_template(cluster: Cluster) -> Iterator[str]:
    """Give one as a person makes it, with an own template."""
    yield from created(cluster, template=TEMPLATE)


def replace(path: str, value: object) -> Manifest:
    """Return the operation that writes a field."""
    return {"op": "add", "path": _pointer(path), "value": value}


def remove(path: str) -> Manifest:
    """Return the operation that removes a field."""
    return {"op": "remove", "path": _pointer(path)}


def _pointer(path: str) -> str:
    return "/" + path.replace(".", "/")


def test_no_field_of_the_schema_is_forgotten_here() -> None:
    schema = schema_of(definition("appservers.yaml"))["properties"]["spec"]

    leaves = {path for path, field, _ in fields(schema) if "properties" not in field or path == "spec.template"}

    assert leaves == set(OTHER_VALUES)


@pytest.mark.parametrize("path", IMMUTABLE)
def test_no_field_can_be_edited(cluster: Cluster, complete: str, path: str) -> None:
    assert "is set once and then immutable: create another AppServer instead" in refusal_of_patch(
        cluster, complete, replace(path, OTHER_VALUES[path])
    )


@pytest.mark.parametrize("path", [*OPTIONAL, "spec.timeouts"])
def test_no_field_can_be_removed(cluster: Cluster, complete: str, path: str) -> None:
    assert "removed: create another AppServer instead" in refusal_of_patch(cluster, complete, remove(path))


@pytest.mark.parametrize(
    "path", ["spec.slotTime", "spec.timeouts.waiting", "spec.timeouts.configuring", "spec.timeouts.run"]
)
def test_no_field_can_be_added_to_a_complete_one(cluster: Cluster, sparse: str, path: str) -> None:
    assert "may be added" in refusal_of_patch(cluster, sparse, replace(path, OTHER_VALUES[path]))


@pytest.mark.parametrize("target", ["complete", "with_template"])
def test_the_template_cannot_be_removed_and_added_again(
    cluster: Cluster, target: str, request: pytest.FixtureRequest
) -> None:
    app = request.getfixturevalue(target)

    at_once = refusal_of_patch(
        cluster, app, remove("spec.template"), replace("spec.template", OTHER_VALUES["spec.template"])
    )
    first_step = refusal_of_patch(cluster, app, remove("spec.template"))

    assert "spec.template is set once and then immutable" in at_once
    assert "removed: create another AppServer instead" in first_step


def test_replacing_the_whole_object_does_not_get_around_it(cluster: Cluster, complete: str) -> None:
    stored = json.loads(cluster.kubectl("get", complete, "--output=json"))
    del stored["spec"]["template"]

    assert "removed: create another AppServer instead" in refusal_of(
        cluster, "replace", "--dry-run=server", "--filename=-", input=json.dumps(stored)
    )


def test_cancelled_may_become_true_and_never_false_again(cluster: Cluster, sparse: str) -> None:
    assert refusal_of_patch(cluster, sparse, replace("spec.cancelled", value=True), dry_run=False) == ""

    for operation in (replace("spec.cancelled", value=False), remove("spec.cancelled")):
        assert "cancelled must not be taken back" in refusal_of_patch(cluster, sparse, operation)


def test_one_made_by_hand_is_completed_by_one_patch_and_frozen_by_it(cluster: Cluster, by_hand: str) -> None:
    completion = [replace(f"spec.{name}", value) for name, value in MANUAL_SPEC.items()]

    assert refusal_of_patch(cluster, by_hand, *completion, dry_run=False) == ""

    assert "set once" in refusal_of_patch(cluster, by_hand, replace("spec.run", "another"))
    assert "set once" in refusal_of_patch(cluster, by_hand, replace("spec.template", OTHER_VALUES["spec.template"]))
    assert "removed: create another AppServer instead" in refusal_of_patch(cluster, by_hand, remove("spec.run"))


def test_an_own_template_is_kept_when_it_is_completed(cluster: Cluster, with_template: str) -> None:
    rest = [replace(f"spec.{name}", value) for name, value in MANUAL_SPEC.items() if name != "template"]
    steered = [*rest, replace("spec.template", OTHER_VALUES["spec.template"])]

    assert "spec.template is set once" in refusal_of_patch(cluster, with_template, *steered)
    assert refusal_of_patch(cluster, with_template, *rest, dry_run=False) == ""


def test_some_own_timeouts_are_kept_and_the_others_filled_in(cluster: Cluster) -> None:
    for target in created(cluster, timeouts={"waiting": "5m"}):
        completion = [replace(f"spec.{name}", value) for name, value in MANUAL_SPEC.items() if name != "timeouts"]
        filled = replace("spec.timeouts", {"waiting": "5m", "configuring": "2h30m"})

        assert refusal_of_patch(cluster, target, *completion, filled) == ""


REFUSED_SPECS: dict[str, tuple[Manifest, str]] = {
    "no reference": ({"periodicBuildRef": None}, "spec.periodicBuildRef: Required value"),
    "a reference into another namespace": (
        {"periodicBuildRef": {"name": "a", "namespace": "b"}},
        'unknown field "spec.periodicBuildRef.namespace"',
    ),
    "a run without the rest": ({"run": "x"}, "spec.run marks a complete AppServer, which also has trigger, attempt"),
    "a slot's run without the slot": (
        {**COMPLETE_SPEC, "slotTime": None},
        "spec.trigger: Schedule needs spec.slotTime",
    ),
    "a person posing as the schedule": ({"trigger": "Schedule"}, "without spec.run it is a manual run"),
    "a second attempt by hand": ({"attempt": 2}, "without spec.run it is a manual run"),
    "a slot by hand": ({"slotTime": "2026-11-22T02:30:00Z"}, "without spec.run it is a manual run"),
    "an attempt with three digits": ({**COMPLETE_SPEC, "attempt": 100}, "should be less than or equal to 99"),
    "a run that cannot be part of a name": ({**COMPLETE_SPEC, "run": "A b"}, "spec.run in body should match"),
    "a build that never ends": (
        {"succeedWhen": "Completed", "template": {"spec": {**TEMPLATE["spec"], "restartPolicy": "Always"}}},
        "restartPolicy: Always restarts it for ever",
    ),
    "a template with a label of ours": (
        {"template": {"metadata": {"labels": {"periodicbuild.dev/run": "1"}}, **TEMPLATE}},
        "labels under periodicbuild.dev/ are set by the operator",
    ),
}


@pytest.mark.parametrize(("spec", "sentence"), REFUSED_SPECS.values(), ids=REFUSED_SPECS)
def test_a_spec_that_cannot_be_carried_out_is_refused(cluster: Cluster, spec: Manifest, sentence: str) -> None:
    assert sentence in refusal(cluster, app_server(**spec))


def test_status_and_labels_can_still_be_written(cluster: Cluster, complete: str) -> None:
    label = {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}
    status = json.dumps({"status": {"pod": "p", "node": "n"}})

    assert refusal_of_patch(cluster, complete, label) == ""
    assert refusal_of(cluster, "patch", complete, "--subresource=status", "--type=merge", f"--patch={status}") == ""
