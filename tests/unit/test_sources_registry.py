"""The digest of an image, from registries that behave as real ones cannot be made to (R31).

What a real registry says is in tests/integration/test_sources_registry.py.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from typing import TYPE_CHECKING

import pytest
from aiohttp import web
from tests.loopback import Loopback
from tests.receivers import answers
from tests.sources.finding import ON_LOOPBACK, a_finder, found, image

from periodicbuild.core.inputs import Finding
from periodicbuild.sources.problems import SourceError
from periodicbuild.sources.references import ImageReference, parse_reference
from periodicbuild.sources.registry import digest_of_image
from periodicbuild.sources.web import Web

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.loopback import Answer

DIGEST = f"sha256:{'a' * 64}"
INDEX = "application/vnd.oci.image.index.v1+json"

REFERENCES = {
    "debian": ImageReference("docker.io", "library/debian", "latest"),
    "debian:12": ImageReference("docker.io", "library/debian", "12"),
    "team/app:1": ImageReference("docker.io", "team/app", "1"),
    "docker.io/debian:12": ImageReference("docker.io", "library/debian", "12"),
    "ghcr.io/team/app:1": ImageReference("ghcr.io", "team/app", "1"),
    "localhost/app": ImageReference("localhost", "app", "latest"),
    "registry.example.com:5000/a/b_c-d.e:v1": ImageReference("registry.example.com:5000", "a/b_c-d.e", "v1"),
    f"ghcr.io/team/app:1@{DIGEST}": ImageReference("ghcr.io", "team/app", "1", DIGEST),
    f"debian@{DIGEST}": ImageReference("docker.io", "library/debian", "latest", DIGEST),
}


@pytest.mark.parametrize(("text", "reference"), REFERENCES.items())
def test_a_reference_is_read_as_a_pods(text: str, reference: ImageReference) -> None:
    assert parse_reference(text) == reference


def test_docker_hub_is_asked_where_its_registry_is() -> None:
    assert parse_reference("debian").host == "registry-1.docker.io"
    assert parse_reference("ghcr.io/a/b").host == "ghcr.io"


@pytest.mark.parametrize(
    "text",
    ["", "Debian", "debian:", "debian:a b", "debian@sha256:1", "a//b", "ghcr.io/", "../etc", "debian:1@", "a?b", "a#b"],
)
def test_what_is_no_reference_is_refused_with_one_that_is(text: str) -> None:
    with pytest.raises(SourceError, match="write it as in a pod, like debian:12"):
        parse_reference(text)


def found_at(behaviour: Answer, reference: str = "team/app:1") -> tuple[Finding, list[tuple[str, str]]]:
    """Look up an image in a registry that behaves so."""

    async def ask() -> tuple[Finding, list[tuple[str, str]]]:
        async with Loopback(behaviour) as server:
            host = server.url.removeprefix("http://")
            return await found(image(f"{host}/{reference}"), patience=5), server.requests

    return asyncio.run(ask())


def test_a_digest_costs_one_request_without_a_body() -> None:
    finding, requests = found_at(answers(200, Docker_Content_Digest=DIGEST))
    assert finding == Finding(DIGEST)
    assert requests == [("HEAD", "/v2/team/app/manifests/1")]


def test_a_reference_with_a_digest_costs_nothing() -> None:
    finding, requests = found_at(answers(500), f"team/app:1@{DIGEST}")
    assert (finding, requests) == (Finding(DIGEST), [])


@pytest.mark.parametrize("head", [200, 405], ids=["no digest in the header", "no HEAD"])
def test_a_registry_that_tells_no_digest_is_asked_for_the_manifest_itself(head: int) -> None:
    manifest = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": []}).encode()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        assert request.headers["Accept"].startswith(INDEX), "lists are asked for first"
        if request.method == "HEAD":
            return web.Response(status=head)
        return web.Response(body=manifest, content_type=INDEX)

    finding, _ = found_at(answer)
    assert finding == Finding(f"sha256:{hashlib.sha256(manifest).hexdigest()}")


def a_registry_with_tokens(shown: list[str], *, realm: str = "/token", answer: object = None) -> Answer:
    """Give a registry that lets in who has fetched a token from it."""

    async def respond(request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith("/token"):
            shown.append(request.path_qs)
            return web.json_response({"token": "let-me-in"} if answer is None else answer)
        if request.headers.get("Authorization") == "Bearer let-me-in":
            return web.Response(headers={"Docker-Content-Digest": DIGEST})
        where = realm if "//" in realm else f"http://{request.host}{realm}"
        challenge = f'Bearer realm="{where}",service="registry.example.com",scope="repository:other:push"'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    return respond


@pytest.mark.parametrize("field", ["token", "access_token"])
def test_a_token_is_fetched_for_this_repository_and_for_reading_alone(field: str) -> None:
    shown: list[str] = []
    finding, requests = found_at(a_registry_with_tokens(shown, answer={field: "let-me-in"}))
    assert finding == Finding(DIGEST)
    assert shown == ["/token?scope=repository:team/app:pull&service=registry.example.com"]
    assert len(requests) == 3


def test_a_realm_may_have_a_query_of_its_own() -> None:
    shown: list[str] = []
    found_at(a_registry_with_tokens(shown, realm="/token?account=x"))
    assert shown[0].startswith("/token?account=x&scope=")


REALMS = {
    "inside": ("https://169.254.169.254/token", "169.254.169.254 has an address that is private"),
    "inside, in digits that are not ASCII": ("https://\u246027.0.0.1/token", "its URL has a host that is not ASCII"),
    "over http elsewhere": ("http://auth.example.com/token", "auth.example.com may be asked over https only"),
    "at brackets that do not end": ("https://[::1/token", "its URL has a host or a port that is none"),
    "nowhere": ("//token", "its URL does not begin with https:// and a host"),
}


OURS = {"Authorization": "Basic bWU6c2VjcmV0"}


def refused_with(credentials: Mapping[str, str], *, realm: str) -> str:
    """Ask a registry whose tokens are there, and give its host's port no part in the sentence."""

    async def ask() -> str:
        connections = Web(ON_LOOPBACK)
        try:
            async with Loopback(a_registry_with_tokens([], realm=realm)) as server:
                host = server.url.removeprefix("http://")
                with pytest.raises(SourceError) as refused:
                    await digest_of_image(connections, f"{host}/team/app:1", credentials)
                return str(refused.value).replace(host, "127.0.0.1")
        finally:
            await connections.close()

    return asyncio.run(ask())


@pytest.mark.parametrize("credentials", [{}, OURS], ids=["nobodys", "ours"])
@pytest.mark.parametrize(("realm", "sentence"), REALMS.values(), ids=list(REALMS))
def test_where_tokens_are_is_judged_like_every_other_url(
    realm: str, sentence: str, credentials: Mapping[str, str]
) -> None:
    assert refused_with(credentials, realm=realm).startswith(sentence)


def test_a_realm_over_http_gets_no_credentials_even_where_http_is_allowed() -> None:
    assert refused_with(OURS, realm="/token") == "127.0.0.1 wants credentials over http: they are not given away"


@pytest.mark.parametrize("answer", [{}, {"token": 5}, {"token": None}, {"token": "a\r\nb"}, [], "x"])
def test_an_answer_without_a_token_is_told_of(answer: object) -> None:
    assert found_at(a_registry_with_tokens([], answer=answer))[0].problem == "127.0.0.1 gives no token for team/app"


CHALLENGES = {
    "none": "",
    "credentials": 'Basic realm="x"',
    "of a kind that is not known": "Negotiate",
}


@pytest.mark.parametrize("challenge", CHALLENGES.values(), ids=list(CHALLENGES))
def test_a_registry_that_wants_credentials_is_told_of(challenge: str) -> None:
    finding, _ = found_at(answers(401, WWW_Authenticate=challenge))
    assert finding.problem.endswith("wants credentials for team/app: mount a file of them")


NO_TOKENS = {
    "no JSON": b"\xff<html>",
    "no text": b'{"token": "\xff"}',
    "nested without end": b'{"token": "let-me-in", "x": ' + b"[" * 100_000,
    "nothing but nested": b"[" * 100_000,
}


@pytest.mark.parametrize("body", NO_TOKENS.values(), ids=list(NO_TOKENS))
def test_a_token_that_cannot_be_read_is_told_of(body: bytes) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/token":
            return web.Response(body=body)
        challenge = f'Bearer realm="http://{request.host}/token"'
        return web.Response(status=401, headers={"WWW-Authenticate": challenge})

    assert found_at(answer)[0].problem == "127.0.0.1 gives no token for team/app"


def test_a_challenge_is_read_once_however_long_it_is() -> None:
    began = time.process_time()
    found_at(answers(401, WWW_Authenticate=f"Bearer {'a' * 8_000}"))
    assert time.process_time() - began < 0.3


def test_a_token_that_does_not_help_is_told_of() -> None:
    finding, _ = found_at(a_registry_with_tokens([], answer={"token": "of-somebody-else"}))
    assert finding.problem.endswith("does not let us read team/app: are the credentials the right ones?")


FAULTS = {
    "no such tag": (answers(404), "has no team/app:1"),
    "not for us": (answers(403), "answers 403 Forbidden: are the credentials for it mounted"),
    "too many": (answers(429, Retry_After="60"), "answers 429 Too Many Requests and asks to wait 60 s"),
    "too many, until a date": (answers(429, Retry_After="Wed, 21 Oct 2026 07:28:00 GMT"), "answers 429 Too Many"),
    "out of order": (answers(503), "answers 503 Service Unavailable"),
}


@pytest.mark.parametrize(("behaviour", "sentence"), FAULTS.values(), ids=list(FAULTS))
def test_a_refusal_is_told_in_a_sentence(behaviour: Answer, sentence: str) -> None:
    finding, _ = found_at(behaviour)
    assert finding.revision is None
    assert sentence in finding.problem


async def floods(request: web.BaseRequest) -> web.StreamResponse:
    """Send a manifest without end."""
    response = web.StreamResponse()
    await response.prepare(request)
    try:
        for _ in range(100 if request.method == "GET" else 0):
            await response.write(b"x" * 1_000_000)
    except ConnectionError:
        pass  # the other side has seen enough
    return response


def test_a_manifest_without_end_is_not_read_to_it() -> None:
    assert found_at(floods)[0].problem == "127.0.0.1 sends more than 4 MiB"


def test_credentials_are_not_given_to_a_realm_over_http(tmp_path: Path) -> None:
    """Nor over http at all."""
    (tmp_path / "127.0.0.1").write_text("me:secret")
    shown: list[str | None] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        shown.append(request.headers.get("Authorization"))
        return await a_registry_with_tokens([])(request)

    async def ask() -> Finding:
        async with Loopback(answer) as server, a_finder(credentials=tmp_path) as finder:
            return (await finder.find(image(f"{server.url.removeprefix('http://')}/team/app:1")))[0]

    assert asyncio.run(ask()) == Finding(DIGEST)
    assert shown == [None, None, "Bearer let-me-in"]
