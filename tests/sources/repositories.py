"""Bare repositories in a folder, and git's own HTTP server in front of them, on loopback.

The one idea a newcomer would miss: `git http-backend` is a CGI program, which is all that GitHub, GitLab and the like
speak as well; the bridge to it is the few lines below.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web
from tests.loopback import Loopback

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path
    from ssl import SSLContext

ALONE = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
}
"""Nothing of this machine's own settings."""
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"


def git(*arguments: str, input: str | None = None, **environment: str) -> str:
    """Run git, and give what it says."""
    answer = subprocess.run(
        ["git", *arguments],
        env={**os.environ, **ALONE, **environment},
        input=input,
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout.strip()


@dataclass(frozen=True, slots=True)
class Repository:
    """One bare repository."""

    path: Path

    @classmethod
    def make(cls, path: Path) -> Repository:
        """Make an empty one, whose HEAD points to `main`."""
        git("init", "--quiet", "--bare", "--initial-branch=main", str(path))
        return cls(path)

    def commit(self, ref: str = "refs/heads/main", message: str = "one") -> str:
        """Put a new commit on a ref, and give its id."""
        tree = git("-C", str(self.path), "hash-object", "-t", "tree", "-w", "--stdin", input="")
        commit = git("-C", str(self.path), "commit-tree", tree, "-m", message)
        git("-C", str(self.path), "update-ref", ref, commit)
        return commit

    def tag(self, name: str, commit: str) -> str:
        """Make an annotated tag, and give its own id."""
        git("-C", str(self.path), "tag", "-a", "-m", name, name, commit)
        return git("-C", str(self.path), "rev-parse", f"refs/tags/{name}")

    def remove(self, ref: str) -> None:
        """Remove a ref."""
        git("-C", str(self.path), "update-ref", "-d", ref)

    def pack_refs(self, commit: str, count: int) -> None:
        """Have that many branches more, all at one commit."""
        lines = (f"{commit} refs/heads/b{number:06}\n" for number in range(count))
        header = "# pack-refs with: peeled fully-peeled sorted \n"
        (self.path / "packed-refs").write_text(header + "".join(lines))


@dataclass(slots=True)
class GitServer:
    """The server, and what it was asked."""

    url: str = ""
    requests: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)
    """Method, path with query, and headers."""


@asynccontextmanager
async def git_server(
    root: Path,
    *,
    newest_protocol: int = 2,
    tls: SSLContext | None = None,
    moved: Mapping[str, str] | None = None,
) -> AsyncIterator[GitServer]:
    """Serve all repositories below a folder; `newest_protocol` 0 is a server that has never heard of versions.

    `moved` are repositories that are elsewhere now, by their former path.
    """
    server = GitServer()

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        server.requests.append((request.method, request.path_qs, request.headers))
        for before, after in (moved or {}).items():
            if request.path.startswith(before):
                location = request.path_qs.replace(before, after, 1)
                return web.Response(status=301, headers={"Location": location})
        asked = request.headers.get("Git-Protocol", "") if newest_protocol else ""
        return await _run_backend(root, request, asked)

    async with Loopback(answer, tls=tls) as loopback:
        server.url = loopback.url
        yield server


async def _run_backend(root: Path, request: web.BaseRequest, protocol: str) -> web.Response:
    environment = {
        **os.environ,
        **ALONE,
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query_string,
        "REQUEST_METHOD": request.method,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "GIT_PROTOCOL": protocol,
    }
    pipe = asyncio.subprocess.PIPE
    backend = await asyncio.create_subprocess_exec("git", "http-backend", env=environment, stdin=pipe, stdout=pipe)
    output, _ = await backend.communicate(await request.read())
    head, _, body = output.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().splitlines())
    return web.Response(status=int(headers.pop("Status", "200")[:3]), body=body, headers=headers)
