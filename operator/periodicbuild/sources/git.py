"""The revision of a branch or a tag, as `git ls-remote` finds it: over smart HTTP, and without a clone.

Must not know when it is asked.  Sources: gitprotocol-http(5), gitprotocol-v2(5), gitprotocol-pack(5).

The one idea a newcomer would miss: version 2 lets us name the refs we want, so a repository with 100,000 of them costs
three lines.  A server that does not know it lists them all.  Whatever it lists is read as it comes, never kept.
"""

from __future__ import annotations

import re
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from periodicbuild.sources.pkt_lines import DELIMITER, FLUSH, packet, packets
from periodicbuild.sources.problems import SourceError
from periodicbuild.sources.web import refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping

    from periodicbuild.sources.web import Reply, Web

LARGEST: Final = 16 << 20
"""Bytes of an answer: 100,000 refs are 7 MB."""
HEAD: Final = "HEAD"
ADVERTISEMENT: Final = "application/x-git-upload-pack-advertisement"
RESULT: Final = "application/x-git-upload-pack-result"
_VERSION: Final = {"Git-Protocol": "version=2"}
_OBJECT: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_NOTHING: Final = re.compile("0+")
_PEELED: Final = "^{}"
"""After the name of a tag: the commit it is about."""


@dataclass(frozen=True, slots=True)
class _Advertised:
    """What a server has said at first: the refs themselves, or that it is to be asked for them."""

    refs: Mapping[str, str]
    is_asked_for_refs: bool
    object_format: str = ""
    url: str = ""
    """Of the repository, after redirects."""


async def revision_of_ref(web: Web, url: str, ref: str, authorization: Mapping[str, str]) -> str:
    """Return the commit of a ref, the one that HEAD points to if it is empty; raises SourceError."""
    names = _names(ref)
    advertised = await _discover(web, url.rstrip("/"), names, authorization)
    refs = advertised.refs
    if advertised.is_asked_for_refs:
        refs = await _ask_for(web, advertised, names, authorization)
    found = next((commit for name in names if (commit := refs.get(name + _PEELED) or refs.get(name))), None)
    if found is None:
        host = web.rules.checked(url).hostname
        is_empty = "" if HEAD in refs else ", nor a HEAD: is it empty?"
        raise SourceError(f"the repository at {host} has no ref {ref or HEAD}{is_empty}")
    return found


def _names(ref: str) -> tuple[str, ...]:
    """Give the full names that a ref may stand for, a branch before a tag, as `git clone --branch` does."""
    if not ref or ref == HEAD:
        return (HEAD,)
    return (ref,) if ref.startswith("refs/") else (f"refs/heads/{ref}", f"refs/tags/{ref}")


async def _discover(web: Web, url: str, names: Iterable[str], authorization: Mapping[str, str]) -> _Advertised:
    suffix = "/info/refs?service=git-upload-pack"
    async with web.ask("GET", f"{url}{suffix}", {**_VERSION, **authorization}) as reply:
        _check(reply, ADVERTISEMENT)
        async with aclosing(packets(reply.chunks(LARGEST), reply.host)) as lines:
            line = await _first(lines)
            if line != "version 2":
                return _Advertised(await _wanted(lines, {*names, HEAD}, line), is_asked_for_refs=False)
            object_format = await _object_format(lines)
        moved = reply.url.partition("/info/refs")[0]
        return _Advertised({}, is_asked_for_refs=True, object_format=object_format, url=moved)


async def _ask_for(
    web: Web, advertised: _Advertised, names: Iterable[str], authorization: Mapping[str, str]
) -> Mapping[str, str]:
    wanted = {*names, HEAD}
    named = [packet(f"object-format={advertised.object_format}")] if advertised.object_format else []
    prefixes = (packet(f"ref-prefix {name}") for name in sorted(wanted))
    body = b"".join([packet("command=ls-refs"), *named, DELIMITER, packet("peel"), *prefixes, FLUSH])
    headers = {**_VERSION, **authorization, "Content-Type": "application/x-git-upload-pack-request", "Accept": RESULT}
    async with web.ask("POST", f"{advertised.url}/git-upload-pack", headers, body) as reply:
        _check(reply, RESULT)
        async with aclosing(packets(reply.chunks(LARGEST), reply.host)) as lines:
            return await _wanted(lines, wanted, "")


def _check(reply: Reply, content_type: str) -> None:
    if reply.status == 404:  # noqa: PLR2004 - not found, or not for us: hosts say the same to both
        raise SourceError(f"{reply.host} has no such repository, or not for us: is its URL right?")
    if reply.status != 200:  # noqa: PLR2004 - OK
        raise refusal(reply)
    if reply.header("Content-Type").partition(";")[0].strip() != content_type:
        raise SourceError(f"{reply.host} does not speak git's protocol there: is the URL that of a repository?")


async def _first(lines: AsyncIterator[bytes | None]) -> str:
    """Return the first line that says something: what service it is goes without saying."""
    async for text in _texts(lines, until_mark=False):
        if not text.startswith("# service=") and text != "version 1":
            return text
    return ""


async def _object_format(lines: AsyncIterator[bytes | None]) -> str:
    """Return how the repository writes ids, empty if it does not say; no other capability is kept."""
    found = ""
    async for text in _texts(lines):
        name, _, value = text.partition("=")
        if name == "object-format":
            found = value
    return found


async def _texts(lines: AsyncIterator[bytes | None], *, until_mark: bool = True) -> AsyncIterator[str]:
    async for line in lines:
        if line is not None:
            yield line.decode("utf-8", "replace")
        elif until_mark:
            return


async def _wanted(lines: AsyncIterator[bytes | None], names: set[str], first: str) -> Mapping[str, str]:
    """Keep of all refs those that are wanted, with the commits of tags under `name^{}`; `first` was read already."""
    refs: dict[str, str] = {}
    _keep(refs, first, names)
    async for text in _texts(lines):
        _keep(refs, text, names)
    return refs


def _keep(refs: dict[str, str], line: str, names: set[str]) -> None:
    """Read `commit name`, in version 2 with attributes, in older ones the first with capabilities after a NUL."""
    commit, _, rest = line.partition("\0")[0].partition(" ")
    name, *attributes = rest.split(" ")
    if name.removesuffix(_PEELED) not in names or not _OBJECT.fullmatch(commit) or _NOTHING.fullmatch(commit):
        return
    refs[name] = commit
    peeled = next((one.removeprefix("peeled:") for one in attributes if one.startswith("peeled:")), "")
    if _OBJECT.fullmatch(peeled):
        refs[name + _PEELED] = peeled
