"""Whatever a Git host does, a lookup ends soon, in little memory, with a sentence (R31)."""

from __future__ import annotations

import asyncio
import base64
import ssl
import time
import tracemalloc
from typing import TYPE_CHECKING

import pytest
import trustme
from aiohttp import web
from tests.loopback import Loopback
from tests.receivers import answers, hangs_up, never, no_http
from tests.sources.finding import ON_LOOPBACK, a_finder, code, found
from tests.sources.repositories import Repository, git_server

from periodicbuild.core.inputs import Finding, Source, SourceKind
from periodicbuild.sources.finder import AT_ONCE_PER_HOST
from periodicbuild.sources.hosts import HostRules
from periodicbuild.sources.pkt_lines import packet

if TYPE_CHECKING:
    from pathlib import Path

    from tests.loopback import Answer

SECRET = "T0K3N-that-nobody-may-read"  # noqa: S105 - planted, to be looked for
ADVERTISED = {"Content-Type": "application/x-git-upload-pack-advertisement"}
HUNDRED_MEGABYTES = 100_000_000


def advertises(body: bytes) -> Answer:
    """Begin to speak git's protocol, and go on like that."""

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=body, headers=ADVERTISED)

    return answer


async def floods(request: web.BaseRequest) -> web.StreamResponse:
    """Send refs without end, well formed."""
    response = web.StreamResponse(headers=ADVERTISED)
    await response.prepare(request)
    refs = b"".join(packet(f"{number:040x} refs/heads/b{number}") for number in range(1, 1_001))
    try:
        for _ in range(HUNDRED_MEGABYTES // len(refs)):
            await response.write(refs)
    except ConnectionError:
        pass  # the other side has seen enough
    return response


def found_at(behaviour: Answer, *, patience: float = 5, ref: str = "main") -> Finding:
    """Look up a ref at a host that behaves so."""

    async def ask() -> Finding:
        async with Loopback(behaviour) as server:
            return await found(code(f"{server.url}/app.git", ref), patience=patience)

    return asyncio.run(ask())


V2 = packet("version 2") + packet("ls-refs=unborn") + b"0000"

FAULTS: dict[str, tuple[Answer, str]] = {
    "forbidden": (answers(403), "answers 403 Forbidden: are the credentials for it mounted, and the right ones?"),
    "who are you": (answers(401), "answers 401 Unauthorized: are the credentials for it mounted"),
    "out of order": (answers(503), "answers 503 Service Unavailable"),
    "a status of its own": (answers(599), "answers 599"),
    "a page": (answers(200, "<html>"), "does not speak git's protocol there: is the URL that of a repository?"),
    "a page that calls itself refs": (advertises(b"<html>"), "does not speak git's protocol there"),
    "numbers that python would read": (advertises(b"1_0f" + b"x" * 300), "does not speak git's protocol there"),
    "half an answer": (advertises(b"00ff# service"), "has hung up in the middle of its answer"),
    "nothing at all": (advertises(b""), "has no ref main, nor a HEAD: is it empty?"),
    "it hangs up": (hangs_up, "has hung up without an answer"),
    "it speaks no http": (no_http, "gives no answer that is HTTP"),
    "refs without end": (floods, "sends more than 16 MiB"),
}


@pytest.mark.parametrize(("behaviour", "sentence"), FAULTS.values(), ids=list(FAULTS))
def test_what_goes_wrong_is_told_in_a_sentence(behaviour: Answer, sentence: str) -> None:
    finding = found_at(behaviour)
    assert finding.revision is None
    assert "127.0.0.1" in finding.problem
    assert sentence in finding.problem


async def drips(request: web.BaseRequest) -> web.StreamResponse:
    """Begin to speak git's protocol, and never end."""
    response = web.StreamResponse(headers=ADVERTISED)
    await response.prepare(request)
    await response.write(b"001e# serv")
    await asyncio.Event().wait()
    return response


@pytest.mark.parametrize("behaviour", [never, drips], ids=["says nothing", "never ends"])
def test_a_host_that_is_slow_is_not_waited_for(behaviour: Answer) -> None:
    began_at = time.monotonic()
    assert found_at(behaviour, patience=0.3).problem == "127.0.0.1 has not answered within 0 s"
    assert time.monotonic() - began_at < 5


def test_a_host_that_is_down_is_told_of() -> None:
    async def ask() -> Finding:
        async with Loopback(answers(200)) as server:
            url = server.url
        return await found(code(f"{url}/app.git"))

    assert asyncio.run(ask()).problem == "127.0.0.1 cannot be reached: Connection refused"


def test_a_name_that_nobody_knows_is_told_of() -> None:
    problem = asyncio.run(found(code("https://nobody.invalid/app.git"), HostRules())).problem
    assert problem == "nobody.invalid cannot be reached: its name is not known"


def test_a_hundred_megabytes_are_not_kept() -> None:
    tracemalloc.start()
    found_at(floods)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 12_000_000  # server and client are one process here


def test_capabilities_that_nobody_needs_are_not_kept() -> None:
    many = b"".join(packet(f"{number:x}") for number in range(30_000))
    advertised = packet("version 2") + many + packet("object-format=sha1") + b"0000"
    tracemalloc.start()
    found_at(advertises(advertised))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_500_000  # server and client are one process here, and the answer is 270 kB


def test_a_redirect_within_the_host_is_followed_and_the_next_request_goes_there(tmp_path: Path) -> None:
    commit = Repository.make(tmp_path / "app.git").commit()

    async def ask() -> tuple[Finding, list[str]]:
        async with git_server(tmp_path, moved={"/old.git": "/app.git"}) as server:
            finding = await found(code(f"{server.url}/old.git"))
            return finding, [path.partition("?")[0] for _, path, _ in server.requests]

    finding, paths = asyncio.run(ask())
    assert finding == Finding(commit)
    assert paths == ["/old.git/info/refs", "/app.git/info/refs", "/app.git/git-upload-pack"]


# Credentials


def a_folder_with(folder: Path, host: str, content: str) -> Path:
    """Mount credentials of one host."""
    mounted = folder / "credentials"
    mounted.mkdir(exist_ok=True)
    (mounted / host).write_text(content)
    return mounted


def test_credentials_come_from_the_file_of_the_host_and_go_over_https_alone(tmp_path: Path) -> None:
    folder = a_folder_with(tmp_path, "localhost", f"me:{SECRET}\n")
    commit = Repository.make(tmp_path / "app.git").commit()
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    ca_file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))

    async def shown(*, over_tls: bool) -> tuple[Finding, set[str | None]]:
        async with (
            git_server(tmp_path, tls=context if over_tls else None) as server,
            a_finder(ON_LOOPBACK, credentials=folder, ca_file=ca_file) as finder,
        ):
            url = server.url.replace("127.0.0.1", "localhost")
            finding, _ = await finder.find(code(f"{url}/app.git", "main"))
            return finding, {headers.get("Authorization") for _, _, headers in server.requests}

    basic = base64.b64encode(f"me:{SECRET}".encode()).decode()
    assert asyncio.run(shown(over_tls=True)) == (Finding(commit), {f"Basic {basic}"})
    assert asyncio.run(shown(over_tls=False)) == (Finding(commit), {None})


WRONG_FILES = {
    "no colon": "just-a-token",
    "two lines": "me:secret\nyou:secret",
    "empty": "",
    "too long": "me:" + "x" * 9_000,
}


@pytest.mark.parametrize("content", WRONG_FILES.values(), ids=list(WRONG_FILES))
def test_a_file_of_credentials_that_cannot_be_used_is_told_of_without_its_content(tmp_path: Path, content: str) -> None:
    folder = a_folder_with(tmp_path, "git.invalid", content)

    async def ask() -> Finding:
        async with a_finder(HostRules(), credentials=folder) as finder:
            return (await finder.find(code("https://git.invalid/app.git")))[0]

    assert asyncio.run(ask()).problem == "the credentials of git.invalid are not one line like username:password"


def test_a_certificate_that_nobody_vouches_for_is_told_of() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("localhost").configure_cert(context)

    async def ask() -> Finding:
        async with Loopback(answers(200), tls=context) as server:
            url = server.url.replace("127.0.0.1", "localhost")
            return await found(code(f"{url}/app.git"), ON_LOOPBACK)

    assert asyncio.run(ask()).problem.startswith("localhost shows a certificate that is not trusted")


def test_a_source_of_a_kind_that_only_a_newer_operator_knows_is_told_of() -> None:
    finding = asyncio.run(found(Source("x", SourceKind.UNKNOWN, "")))
    assert finding.problem == "this version of the operator does not know such a source"


# Once for all who ask


def test_many_who_ask_at_once_cost_one_lookup_each_a_minute(tmp_path: Path) -> None:
    Repository.make(tmp_path / "app.git").commit()

    async def ask() -> tuple[set[Finding], list[tuple[SourceKind, bool]], int]:
        made: list[tuple[SourceKind, bool]] = []
        async with git_server(tmp_path) as server, a_finder(looked_up=made) as finder:
            sources = [code(f"{server.url}/app.git", "main"), code(f"{server.url}/app.git", "")] * 100
            findings = await asyncio.gather(*(finder.find(source, 0) for source in sources))
            findings += [await finder.find(source) for source in sources]
            return {finding for finding, _ in findings}, made, len(server.requests)

    findings, made, requests = asyncio.run(ask())
    assert len(findings) == 1
    assert made == [(SourceKind.GIT, True)] * 2
    assert requests == 4


def test_an_answer_is_as_good_as_it_is_young_and_old_ones_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_000.0
    monkeypatch.setattr("periodicbuild.sources.finder.time.monotonic", lambda: now)
    monkeypatch.setattr("periodicbuild.sources.finder.FEWEST_TIDIED", 2)
    advertised = advertises(packet(f"{'1' * 40} HEAD"))

    async def ask() -> tuple[list[int], list[float], int]:
        nonlocal now
        counts, ages = [], []
        async with Loopback(advertised) as server, a_finder() as finder:
            for later, max_age in ((0, 0), (0, 0), (5, 5), (1, 5), (500, 510), (200, 9_999)):
                now += later
                _, age = await finder.find(code(f"{server.url}/app.git"), max_age)
                counts.append(len(server.requests))
                ages.append(age)
            now += 1_000
            for name in ("b", "c", "d"):
                await finder.find(code(f"{server.url}/{name}.git"))
            return counts, ages, len(finder._known)

    assert asyncio.run(ask()) == ([1, 1, 1, 2, 2, 3], [0, 0, 5, 0, 500, 0], 3)


def test_a_failure_is_not_remembered_for_long_and_a_host_is_not_asked_before_it_wants_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1_000.0
    monkeypatch.setattr("periodicbuild.sources.finder.time.monotonic", lambda: now)

    async def asked(behaviour: Answer, *, after: float) -> int:
        nonlocal now
        async with Loopback(behaviour) as server, a_finder() as finder:
            for _ in range(2):
                await finder.find(code(f"{server.url}/app.git"))
                now += after
            return len(server.requests)

    assert asyncio.run(asked(answers(503), after=9.9)) == 1
    assert asyncio.run(asked(answers(503), after=10.1)) == 2
    assert asyncio.run(asked(answers(429, Retry_After="300"), after=299)) == 1
    assert asyncio.run(asked(answers(429, Retry_After="300"), after=301)) == 2
    assert asyncio.run(asked(answers(429, Retry_After="86400"), after=601)) == 2


def test_a_host_that_wants_a_moment_gets_it() -> None:
    calls = 0

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        return web.Response(status=429, headers={"Retry-After": "0"}) if calls == 1 else web.Response(status=404)

    finding = found_at(answer)
    assert (calls, finding.problem[:37]) == (2, "127.0.0.1 has no such repository, or ")


class Busy:
    """Take a moment for each answer, and count how many are under way."""

    def __init__(self) -> None:
        self.now = 0
        self.most = 0

    async def __call__(self, _: web.BaseRequest) -> web.StreamResponse:
        """Answer that there is nothing."""
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.02)
        self.now -= 1
        return web.Response(status=404)


def test_a_host_is_asked_for_four_things_at_once_and_forgotten_afterwards() -> None:
    busy = Busy()

    async def ask() -> int:
        async with Loopback(busy) as server, a_finder() as finder:
            await asyncio.gather(*(finder.find(code(f"{server.url}/{number}.git")) for number in range(12)))
            return len(finder._places_at)

    assert (asyncio.run(ask()), busy.most) == (0, AT_ONCE_PER_HOST)


def test_all_hosts_together_are_asked_for_so_many_things_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("periodicbuild.sources.finder.AT_ONCE", 2)
    busy = Busy()

    async def ask() -> None:
        async with Loopback(busy) as server, a_finder() as finder:
            urls = (server.url, server.url.replace("127.0.0.1", "localhost"))
            sources = [code(f"{url}/{number}.git") for number in range(4) for url in urls]
            await asyncio.gather(*(finder.find(source) for source in sources))
            assert len(server.requests) == len(sources)

    asyncio.run(ask())
    assert busy.most == 2


def test_who_has_waited_too_long_for_its_turn_is_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("periodicbuild.sources.finder.LONGEST_QUEUE_SECONDS", -1)
    assert found_at(answers(200)).problem == "too many lookups wait for 127.0.0.1"


def test_a_bug_of_ours_is_no_answer_for_those_who_come_later(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> list[str]:
        async with Loopback(answers(503)) as server, a_finder() as finder:
            source = code(f"{server.url}/app.git")
            with monkeypatch.context() as broken:
                broken.setattr("periodicbuild.sources.finder.revision_of_ref", None)
                with pytest.raises(TypeError):
                    await finder.find(source)
            return [(await finder.find(source))[0].problem]

    assert asyncio.run(ask()) == ["127.0.0.1 answers 503 Service Unavailable"]


def test_what_is_under_way_when_the_operator_stops_is_broken_off() -> None:
    async def ask() -> bool:
        async with Loopback(never) as server:
            async with a_finder() as finder:
                asking = asyncio.create_task(finder.find(code(f"{server.url}/app.git")))
                while not server.requests:  # noqa: ASYNC110 - what it waits for is another task
                    await asyncio.sleep(0.005)
            await asyncio.wait([asking])
            return asking.cancelled()

    assert asyncio.run(ask())
