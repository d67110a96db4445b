"""Change detection as it is written in a spec, in annotations and in termination messages (R31)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from tests.builders import a_build, an_app_server

from periodicbuild.core.facts import AppServer
from periodicbuild.core.inputs import ChangeDetection, Comparison, Input, Source, SourceKind, Verdict
from periodicbuild.core.reasons import Trigger
from periodicbuild.kube.parse import app_server_from_json, periodic_build_from_json, pod_from_json
from periodicbuild.kube.parse_changes import output_digest_in

URL = "https://example.com/app.git"


def detection(**fields: Any) -> ChangeDetection | None:
    """Read a spec that has this for `changeDetection`."""
    return periodic_build_from_json(msgspec.json.encode({"spec": fields})).spec.change_detection


def test_without_it_every_slot_builds() -> None:
    assert detection() is None
    assert detection(changeDetection=None) is None


def test_it_is_read_field_by_field() -> None:
    read = detection(
        changeDetection={
            "maxAge": "7d",
            "sources": [
                {"name": "code", "git": {"url": URL, "ref": "main"}},
                {"name": "tools", "git": {"url": URL}},
                {"name": "base", "image": {"reference": "debian:12"}},
            ],
        }
    )
    assert read == ChangeDetection(
        sources=(
            Source("code", SourceKind.GIT, URL, "main"),
            Source("tools", SourceKind.GIT, URL),
            Source("base", SourceKind.IMAGE, "debian:12"),
        ),
        max_age=timedelta(days=7),
    )


@pytest.mark.parametrize(
    "source",
    [{"name": "x", "svn": {"url": URL}}, {"name": "x"}, {"name": "x", "git": {"url": 5}}, {"name": "x", "image": 1}],
)
def test_a_source_that_is_not_understood_is_kept_so_that_it_builds(source: Any) -> None:
    assert detection(changeDetection={"sources": [source]}) == ChangeDetection(
        sources=(Source("x", SourceKind.UNKNOWN, ""),)
    )


def test_a_list_that_is_none_has_no_sources() -> None:
    assert detection(changeDetection={"maxAge": "1d", "sources": "x"}) == ChangeDetection(max_age=timedelta(days=1))
    assert detection(changeDetection={"sources": [1]}) == ChangeDetection(
        sources=(Source("?", SourceKind.UNKNOWN, ""),)
    )


def an_attempt(annotation: str, trigger: Trigger = Trigger.SCHEDULE) -> AppServer:
    """Read an AppServer with this annotation."""
    metadata = {"annotations": {"periodicbuild.dev/inputs": annotation}}
    return app_server_from_json(msgspec.json.encode({"metadata": metadata, "spec": {"trigger": trigger, "run": "r"}}))


def test_what_was_compared_is_an_annotation_of_the_schedules_attempts() -> None:
    code, base = '{"name":"code","revision":"2","previous":"1"}', '{"name":"base","problem":"down"}'
    text = f'{{"verdict":"Changed","inputs":[{code},{base}]}}'
    expected = Comparison(Verdict.CHANGED, (Input("code", "2", "1"), Input("base", problem="down")))
    assert an_attempt(text).comparison == expected
    assert an_attempt(text, Trigger.MANUAL).comparison is None


def test_an_annotation_that_somebody_has_edited_does_no_harm() -> None:
    assert an_attempt("{").comparison is None
    assert an_attempt('{"verdict":"Weather"}').comparison == Comparison(Verdict.NOT_RECORDED, ())
    long = {"verdict": "Changed", "inputs": [{"name": "n" * 99, "revision": "r" * 999}] * 99}
    read = an_attempt(msgspec.json.encode(long).decode()).comparison
    assert read is not None
    assert read.inputs == (Input("n" * 63, "r" * 256),) * 22


MESSAGES = {
    '{"outputDigest": "sha256:0123abcd"}': "sha256:0123abcd",
    "done\noutputDigest=sha256:0123abcd\n": "sha256:0123abcd",
    "outputDigest: 'sha512-abc/def+ghi='": "sha512-abc/def+ghi=",
    "outputDigest: short": None,
    "nothing of the kind": None,
    "": None,
}


@pytest.mark.parametrize(("message", "digest"), MESSAGES.items())
def test_a_build_says_what_it_has_made_in_its_termination_message(message: str, digest: str | None) -> None:
    assert output_digest_in(message) == digest


def test_the_message_of_a_main_container_counts_before_that_of_an_init_container() -> None:
    def ended(message: str) -> dict[str, Any]:
        return {"name": "x", "state": {"terminated": {"exitCode": 0, "message": message}}}

    init, main = ended("outputDigest=sha256:of-init"), ended("outputDigest=sha256:of-main")
    running = {"name": "x", "state": {"running": {}}}
    name = an_app_server(a_build()).ref.name

    def digest(**status: Any) -> str | None:
        return pod_from_json(msgspec.json.encode({"metadata": {"name": name}, "status": status})).output_digest

    assert digest(initContainerStatuses=[init], containerStatuses=[main]) == "sha256:of-main"
    assert digest(initContainerStatuses=[init], containerStatuses=[running]) == "sha256:of-init"
    assert digest(containerStatuses=[running, ended("")]) is None
