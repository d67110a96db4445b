"""Who may be asked, and at which addresses: nobody gets the operator to speak to what stands inside (R31)."""

from __future__ import annotations

import asyncio
import ipaddress

import pytest
from tests.loopback import Loopback
from tests.receivers import answers
from tests.sources.finding import code, found, image

from periodicbuild.sources.hosts import HostRules
from periodicbuild.sources.problems import SourceError

ANY = HostRules()
NARROW = HostRules(
    allowed=frozenset({"git.example.com", "*.example.org", "docker.io"}),
    private=frozenset({"registry.tools"}),
    plain=frozenset({"git.tools"}),
)

NOT_ASCII = "its URL has a host that is not ASCII: write it as xn--..."

REFUSED = {
    "http": (ANY, "http://git.example.com/a", "git.example.com may be asked over https only"),
    "another scheme": (ANY, "ftp://git.example.com/a", "does not begin with https://"),
    "a file": (ANY, "file:///etc/passwd", "does not begin with https://"),
    "no host": (ANY, "https:///a", "does not begin with https:// and a host"),
    "a port that is none": (ANY, "https://git.example.com:x/a", "has a host or a port that is none"),
    "brackets that do not end": (ANY, "https://[::1/a", "has a host or a port that is none"),
    "credentials": (ANY, "https://me:secret@git.example.com/a", "holds credentials: they belong into a file"),
    "a host that is not listed": (NARROW, "https://github.com/a", "github.com is not among the operator's"),
    "a domain without what is below it": (NARROW, "https://example.org/a", "example.org is not among the operator's"),
    "a name that only ends alike": (NARROW, "https://badgit.example.com/a", "is not among the operator's"),
    "this machine": (ANY, "https://127.0.0.1/a", "127.0.0.1 has an address that is private"),
    "this machine in version 6": (ANY, "https://[::1]:6443/a", "::1 has an address that is private"),
    "this machine behind version 6": (ANY, "https://[::ffff:127.0.0.1]/a", "has an address that is private"),
    "this machine behind version 6 in hex": (ANY, "https://[::ffff:7f00:1]/a", "has an address that is private"),
    "this machine by its interface": (ANY, "https://[::1%25lo]/a", "has an address that is private"),
    "this machine with a zone": (ANY, "https://127.0.0.1%lo/a", "has an address that is private"),
    "digits in circles": (ANY, "https://\u246027.0.0.1/a", NOT_ASCII),
    "wide digits": (ANY, "https://\uff11\uff12\uff17.0.0.1/a", NOT_ASCII),
    "dots of another script": (ANY, "https://127\u30020\u30020\u30021/a", NOT_ASCII),
    "a name of another script": (ANY, "https://b\u00fccher.example.com/a", NOT_ASCII),
    "the metadata of a cloud": (ANY, "https://169.254.169.254/latest", "has an address that is private"),
}


@pytest.mark.parametrize(("rules", "url", "sentence"), REFUSED.values(), ids=list(REFUSED))
def test_a_url_is_refused_with_a_sentence(rules: HostRules, url: str, sentence: str) -> None:
    with pytest.raises(SourceError) as refused:
        rules.checked(url)
    assert sentence in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("rules", "url"),
    [
        (ANY, "https://git.example.com/a"),
        (ANY, "https://8.8.8.8/a"),
        (ANY, "https://xn--bcher-kva.example.com/a"),
        (ANY, "https://git.example.com/b\u00fccher"),
        (NARROW, "https://GIT.Example.com:8443/a"),
        (NARROW, "https://a.b.example.org/a"),
        (NARROW, "https://registry-1.docker.io/v2/"),
        (NARROW, "https://auth.docker.io/token"),
        (NARROW, "https://registry.tools/v2/"),
        (NARROW, "http://git.tools:3000/a"),
        (HostRules(private=frozenset({"10.0.0.7"})), "https://10.0.0.7/a"),
    ],
)
def test_a_url_that_is_allowed_passes(rules: HostRules, url: str) -> None:
    rules.checked(url)


INSIDE = [
    "127.0.0.1",
    "10.0.0.7",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "::ffff:10.0.0.7",
    "64:ff9b::10.0.0.7",
    "2002:a00:7::",
    "fec0::1",
    "64:ff9b:1::10.0.0.7",
    "::10.0.0.7",
]
NOBODYS = ["169.254.169.254", "fe80::1", "224.0.0.1", "ff02::1", "0.0.0.0", "::", "64:ff9b::169.254.169.254"]  # noqa: S104 - not listened on


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_for_hosts_that_are_listed_as_such(address: str) -> None:
    ip = ipaddress.ip_address(address)
    assert not NARROW.may_connect("git.example.com", ip)
    assert NARROW.may_connect("registry.tools", ip)
    assert NARROW.may_connect("git.tools", ip)


@pytest.mark.parametrize("address", NOBODYS)
def test_an_address_of_the_link_or_of_many_is_for_nobody(address: str) -> None:
    assert not NARROW.may_connect("registry.tools", ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"])
def test_an_address_of_the_internet_is_for_everybody(address: str) -> None:
    assert ANY.may_connect("git.example.com", ipaddress.ip_address(address))


@pytest.mark.parametrize("name", ["localhost", "127.1", "2130706433", "0x7f.1", "127.0.0.1."])
def test_a_name_is_judged_by_the_address_that_is_connected_to(name: str) -> None:
    """What looks like a number is refused by the HTTP library already."""

    async def ask() -> tuple[str, int]:
        async with Loopback(answers(200)) as server:
            port = server.url.rpartition(":")[2]
            finding = await found(code(f"https://{name}:{port}/app.git"), ANY)
            return finding.problem, len(server.requests)

    problem, requests = asyncio.run(ask())
    inside = f"{name} has an address that is private: --source-private-hosts {name} allows it"
    assert problem in {inside, f"{name} cannot be reached: its URL is not one"}
    assert requests == 0


def test_a_redirect_is_judged_like_the_first_request() -> None:
    async def ask(target: str) -> str:
        async with Loopback(answers(302, Location=target)) as server:
            return (await found(code(f"{server.url}/app.git"))).problem

    metadata = asyncio.run(ask("http://169.254.169.254/latest/meta-data"))
    assert metadata.startswith("169.254.169.254 may be asked over https only")
    assert asyncio.run(ask("https://169.254.169.254/")).startswith("169.254.169.254 has an address that is private")
    assert asyncio.run(ask("https://\u246069.254.169.254/")) == NOT_ASCII
    assert asyncio.run(ask("https://example.com/app.git")) == (
        "127.0.0.1 redirects to https://example.com, which is not followed: write the final URL"
    )
    assert asyncio.run(ask("http://localhost/app.git")).startswith("127.0.0.1 redirects to http://localhost,")
    assert asyncio.run(ask("file:///etc/passwd")) == "its URL does not begin with https:// and a host"
    assert asyncio.run(ask("/again")) == "127.0.0.1 redirects more than 3 times"


def test_a_sentence_that_quotes_a_host_is_one_line_that_fits() -> None:
    assert str(SourceError("a\x1b[31m\nb")) == "a?[31m?b"
    assert len(str(SourceError("x" * 999))) == 250


def test_a_registry_is_judged_by_the_name_that_people_know() -> None:
    narrow = HostRules(allowed=frozenset({"ghcr.io"}))
    problem = asyncio.run(found(image("debian:12"), narrow)).problem
    assert problem == "registry-1.docker.io is not among the operator's --source-allowed-hosts"
