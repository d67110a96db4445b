"""What the API server accepts and refuses in `spec.changeDetection`, and the sentence it answers with (R31)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from tests.builders import a_build, at
from tests.schema.installed import install, refusal, refusal_of
from tests.schema.manifests import as_list, periodic_build

from periodicbuild.core.inputs import recorded_inputs
from periodicbuild.core.status import BuildStatus, Changes, LastSuccess
from periodicbuild.kube.parse_changes import read_comparison
from periodicbuild.kube.render import render_build_status_patch

if TYPE_CHECKING:
    from tests.cluster.cluster import Cluster
    from tests.schema.manifests import Manifest

pytestmark = pytest.mark.control_plane

URL = "https://example.com/team/app.git"
NO_URL = "must be an https URL without credentials, which are the operator's: write it like https://example.com/app.git"
NO_SOURCE = "must be one of git and image, and not called template: write it like {name: code, git: {...}}"


@pytest.fixture(scope="module")
def cluster(control_plane: Cluster) -> Cluster:
    """Give a cluster that has the definitions."""
    install(control_plane)
    return control_plane


def detecting(*sources: Any, **fields: Any) -> Manifest:
    """Return a PeriodicBuild with these sources."""
    return periodic_build(changeDetection={**({"sources": list(sources)} if sources else {}), **fields})


def git(url: str, **fields: str) -> Manifest:
    """Return one source."""
    return {"name": "code", "git": {"url": url, **fields}}


REFUSED = {
    "nothing to compare": (detecting(), "changeDetection without sources needs maxAge: add maxAge, or sources"),
    "a URL with a user and a password": (detecting(git("https://me:secret@example.com/app.git")), NO_URL),
    "a URL with a token": (detecting(git("https://ghp_token@example.com/app.git")), NO_URL),
    "a URL for ssh": (detecting(git("ssh://git@example.com/app.git")), NO_URL),
    "as git writes it for ssh": (detecting(git("git@example.com:team/app.git")), NO_URL),
    "a local path": (detecting(git("/srv/git/app.git")), NO_URL),
    "a URL with a query": (detecting(git(f"{URL}?token=secret")), NO_URL),
    "a URL with a blank": (detecting(git("https://example.com/my app.git")), NO_URL),
    "two in one": (detecting({**git(URL), "image": {"reference": "debian:12"}}), NO_SOURCE),
    "nothing in one": (detecting({"name": "code"}), NO_SOURCE),
    "the name of the template": (detecting({"name": "template", "image": {"reference": "debian:12"}}), NO_SOURCE),
    "a name twice": (detecting(git(URL), git(URL)), "spec.changeDetection.sources[1]: Duplicate value"),
    "no name": (detecting({"git": {"url": URL}}), "spec.changeDetection.sources[0].name: Required value"),
    "an empty list": (periodic_build(changeDetection={"maxAge": "7d", "sources": []}), "should have at least 1 items"),
    "eleven": (detecting(*({**git(URL), "name": f"s{n}"} for n in range(11))), "must have at most 10 items"),
    "an age that is none": (detecting(git(URL), maxAge=""), "must be from 1s to 366d: write weeks"),
    "an age that is too long": (detecting(git(URL), maxAge="367d"), "must be from 1s to 366d: write weeks"),
}


@pytest.mark.parametrize(("manifest", "sentence"), REFUSED.values(), ids=list(REFUSED))
def test_what_cannot_be_looked_up_is_refused_with_a_sentence(
    cluster: Cluster, manifest: Manifest, sentence: str
) -> None:
    assert sentence in refusal(cluster, manifest)


ACCEPTED = {
    "the template alone": detecting(maxAge="7d"),
    "a branch": detecting(git(URL, ref="main")),
    "an address and a port": detecting(git("https://[2001:db8::1]:3000/app")),
    "an at sign in the path": detecting(git("https://example.com/@me/app.git")),
    "http, which an operator may allow": detecting(git("http://git.tools.svc:3000/app.git", ref="refs/tags/v1")),
    "an image": detecting(
        {"name": "base", "image": {"reference": "registry.example.com:5000/a/b@sha256:0"}}, maxAge="2w"
    ),
}


def test_what_can_be_looked_up_is_accepted(cluster: Cluster) -> None:
    manifests = [{**one, "metadata": {"name": f"n{number}"}} for number, one in enumerate(ACCEPTED.values())]

    assert refusal_of(cluster, "create", "--dry-run=server", "--filename=-", input=as_list(*manifests)) == ""


def test_whatever_is_read_from_an_annotation_fits_into_the_status(cluster: Cluster) -> None:
    """Somebody may have edited it: a status that is refused would stop every further write."""
    long = [{"name": "n" * 99, "revision": "r" * 999, "previous": "p" * 999, "problem": "x" * 999}] * 99
    comparison = read_comparison(json.dumps({"verdict": "Changed", "inputs": long}))
    assert comparison is not None
    instant = at("2026-11-24T02:30:00")
    status = BuildStatus(
        changes=Changes(slot=instant, at=instant, verdict="Changed", inputs=comparison.inputs),
        last_success=LastSuccess(
            run="r",
            app_server="a",
            at=instant,
            inputs=recorded_inputs(comparison.inputs),
            input_digest="d" * 64,
            output_digest="o" * 128,
        ),
    )
    cluster.kubectl("create", "--filename=-", input=as_list(detecting(maxAge="7d") | {"metadata": {"name": "full"}}))
    patch = msgspec.json.decode(render_build_status_patch(a_build(), status))
    body = f"--patch={json.dumps({'status': patch['status']})}"
    assert refusal_of(cluster, "patch", "pb/full", "--subresource=status", "--type=merge", body) == ""
    stored = json.loads(cluster.kubectl("get", "pb/full", "--output=json"))["status"]
    assert len(stored["changes"]["inputs"]) == len(stored["lastSuccess"]["inputs"]) == 22
    assert len(stored["changes"]["inputs"][0]["problem"]) == 256
