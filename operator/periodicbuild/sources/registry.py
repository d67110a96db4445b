"""The digest that a tag stands for, as a registry tells it: no layer and no image is ever read.

Must not know when it is asked.  Sources: OCI distribution specification 1.1, "Pulling manifests"; the token flow of
Docker registries, which every public one follows.

The one idea a newcomer would miss: an image for several platforms is a list of manifests, and the digest of the list
is what changes whenever any of them does.  So lists are asked for first.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

import msgspec

from periodicbuild.sources.problems import SourceError
from periodicbuild.sources.references import DIGEST, parse_reference
from periodicbuild.sources.web import refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from periodicbuild.sources.references import ImageReference
    from periodicbuild.sources.web import Reply, Web

LARGEST: Final = 4 << 20
"""Bytes of a manifest: what registries themselves accept."""
LARGEST_TOKEN: Final = 1 << 20
MANIFESTS: Final = ", ".join(
    (
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    )
)
_PARAMETER: Final = re.compile(r'\b([a-z_]+)="([^"]*)"', re.IGNORECASE)
"""From the beginning of a word alone: whoever sends eight thousand letters has them read once."""
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]+")


class _Granted(msgspec.Struct):
    """What is read of a registry's answer to who asks for a token: either field may hold it."""

    token: str | None = None
    access_token: str | None = None


async def digest_of_image(web: Web, reference: str, authorization: Mapping[str, str]) -> str:
    """Return the digest of an image; a reference that names one is taken at its word.  Raises SourceError."""
    image = parse_reference(reference)
    if image.digest:
        return image.digest
    scheme = web.rules.scheme_of(urlsplit(f"//{image.host}").hostname or "")
    url = f"{scheme}://{image.host}/v2/{image.repository}/manifests/{image.tag}"
    headers = {"Accept": MANIFESTS}
    answer = await _digest(web, url, image, headers)
    if isinstance(answer, str):
        return answer
    token = await _authorize(web, image, answer, authorization)
    answer = await _digest(web, url, image, {**headers, "Authorization": token})
    if isinstance(answer, str):
        return answer
    raise SourceError(f"{image.registry} does not let us read {image.repository}: are the credentials the right ones?")


async def _digest(web: Web, url: str, image: ImageReference, headers: Mapping[str, str]) -> str | list[str]:
    """Return the digest, or what the registry wants to see first."""
    async with web.ask("HEAD", url, headers) as reply:
        if reply.status == 401:  # noqa: PLR2004 - unauthorized
            return reply.response.headers.getall("WWW-Authenticate", [])
        digest = reply.header("Docker-Content-Digest")
        if reply.status == 200 and DIGEST.fullmatch(digest):  # noqa: PLR2004 - OK
            return digest
        if reply.status not in {200, 405}:
            raise _refused(reply, image)
    async with web.ask("GET", url, headers) as reply:
        if reply.status != 200:  # noqa: PLR2004 - OK
            raise _refused(reply, image)
        return f"sha256:{hashlib.sha256(await reply.body(LARGEST)).hexdigest()}"


def _refused(reply: Reply, image: ImageReference) -> SourceError:
    if reply.status == 404:  # noqa: PLR2004 - not found
        return SourceError(f"{image.registry} has no {image.repository}:{image.tag}")
    return refusal(reply)


async def _authorize(web: Web, image: ImageReference, challenges: list[str], authorization: Mapping[str, str]) -> str:
    """Answer a challenge: with a token from where the registry says, or with the credentials themselves."""
    basic = authorization.get("Authorization")
    for challenge in challenges:
        scheme, _, rest = challenge.partition(" ")
        if scheme.lower() == "bearer":
            parameters = {name.lower(): value for name, value in _PARAMETER.findall(rest)}
            return f"Bearer {await _token(web, image, parameters, authorization)}"
        if scheme.lower() == "basic" and basic is not None:
            return basic
    raise SourceError(f"{image.registry} wants credentials for {image.repository}: mount a file of them")


async def _token(web: Web, image: ImageReference, given: Mapping[str, str], authorization: Mapping[str, str]) -> str:
    realm = given.get("realm", "")
    query = {"scope": f"repository:{image.repository}:pull"}
    if "service" in given:
        query["service"] = given["service"]
    if authorization and web.rules.checked(realm).scheme != "https":
        raise SourceError(f"{image.registry} wants credentials over http: they are not given away")
    mark = "&" if "?" in realm else "?"
    async with web.ask("GET", f"{realm}{mark}{urlencode(query)}", authorization) as reply:
        if reply.status != 200:  # noqa: PLR2004 - OK
            raise refusal(reply)
        granted = _granted(await reply.body(LARGEST_TOKEN))
    token = granted.token or granted.access_token or ""
    if not _TOKEN.fullmatch(token):
        raise SourceError(f"{reply.host} gives no token for {image.repository}")
    return token


def _granted(text: bytes) -> _Granted:
    """Read an answer; what is no such JSON, or nested without end, grants nothing."""
    try:
        return msgspec.json.decode(text, type=_Granted)
    except (ValueError, RecursionError):
        return _Granted()
