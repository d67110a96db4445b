"""Who is told: what is an address, the origin's list with commas, and which domains may be named (R38)."""

from __future__ import annotations

import pytest

from periodicbuild.core.reasons import NoticeKind, SinkName
from periodicbuild.core.recipients import (
    FOR_ALL,
    Notifications,
    Telling,
    domains_of,
    is_address,
    not_allowed,
    parse_addresses,
    recipients_of,
    sinks_for,
)

OWN = "owner@example.com"
LIST = "ops@example.org"

ADDRESSES = {
    "a plain one": "ops@example.com",
    "with a tag": "urgent+ci@example.com",
    "of a host": "root@localhost",
    "with odd characters": "o'brien.b-c_d=e/f!{x}~|%`@sub-1.example.co.uk",
    "of the longest length": "a" * 64 + "@" + ".".join(["b" * 60] * 3) + ".abcdef",
}
NO_ADDRESSES = {
    "empty": "",
    "without @": "ops.example.com",
    "with two": "a@b@example.com",
    "with a line break": "a@example.com\r\nBcc: b@example.com",
    "with a line break at the end": "a@example.com\n",
    "with a name": "Ops <ops@example.com>",
    "several": "a@example.com,b@example.com",
    "with a blank": "a b@example.com",
    "with a quoted part": '"a b"@example.com',
    "with a dot too many": "a..b@example.com",
    "of an address literal": "a@[127.0.0.1]",
    "of a domain with a hyphen at its end": "a@example-.com",
    "outside ASCII": "ö@example.com",
    "of a local part that no server takes": "a" * 65 + "@example.com",
    "of 400 characters": "a" * 388 + "@example.com",
}


@pytest.mark.parametrize("text", ADDRESSES.values(), ids=list(ADDRESSES))
def test_an_address(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize("text", NO_ADDRESSES.values(), ids=list(NO_ADDRESSES))
def test_no_address(text: str) -> None:
    assert not is_address(text)


def test_the_list_of_the_origin_has_commas() -> None:
    assert parse_addresses("urgent+ci@example.com,me@example.com") == ("urgent+ci@example.com", "me@example.com")


def test_blanks_empty_parts_and_repeats_of_a_list_do_no_harm() -> None:
    assert parse_addresses(" a@example.com , ,b@example.com, a@example.com,") == ("a@example.com", "b@example.com")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no e-mail address is given: write one like ops@example.com, several with commas between"),
        (" , ", "no e-mail address is given: write one like ops@example.com, several with commas between"),
        (
            "a@example.com, me",
            "'me' is no e-mail address: write one like ops@example.com, several with commas between",
        ),
    ],
)
def test_a_mistake_in_a_list_is_named(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="e-mail address") as caught:
        parse_addresses(text)
    assert str(caught.value) == sentence


RECIPIENTS = {
    "a failure goes to the owner and the list": (NoticeKind.RUN_FAILED, Notifications(to=(OWN,)), (OWN, LIST)),
    "whoever is on both gets one": (NoticeKind.RUN_FAILED, Notifications(to=(LIST, OWN)), (LIST, OWN)),
    "the list hears of every build": (NoticeKind.RUN_RECOVERED, Notifications(), (LIST,)),
    "the list does not hear of attempts": (NoticeKind.ATTEMPT_FAILED, Notifications(to=(OWN,)), ()),
    "attempts are told to those who want it": (
        NoticeKind.ATTEMPT_FAILED,
        Notifications(to=(OWN,), events=frozenset({NoticeKind.ATTEMPT_FAILED})),
        (OWN,),
    ),
    "what an owner does not want goes to the list only": (
        NoticeKind.RUN_RECOVERED,
        Notifications(to=(OWN,), events=frozenset({NoticeKind.RUN_FAILED})),
        (LIST,),
    ),
    "what is no address gets nothing": (NoticeKind.RUN_FAILED, Notifications(to=("me", OWN)), (OWN, LIST)),
}


@pytest.mark.parametrize(("kind", "wanted", "expected"), RECIPIENTS.values(), ids=list(RECIPIENTS))
def test_recipients(kind: NoticeKind, wanted: Notifications, expected: tuple[str, ...]) -> None:
    assert recipients_of(kind, wanted, Telling(to=(LIST,))) == expected


def test_an_owner_names_only_domains_that_are_allowed_and_the_administrator_any() -> None:
    telling = Telling(to=(LIST,), allowed_domains=frozenset({"example.com"}))
    wanted = Notifications(to=(OWN, "Me@EXAMPLE.COM", "x@evil.example", "y@sub.example.com", "me"))
    assert recipients_of(NoticeKind.RUN_FAILED, wanted, telling) == (OWN, "Me@EXAMPLE.COM", LIST)
    assert not_allowed(wanted, telling) == ("x@evil.example", "y@sub.example.com", "me")
    assert domains_of(not_allowed(wanted, telling)) == "evil.example, sub.example.com, me"


ALL_SINKS = Telling(sinks=frozenset(SinkName))


@pytest.mark.parametrize(
    ("kind", "wanted", "telling", "expected"),
    [
        (NoticeKind.RUN_FAILED, Notifications(to=(OWN,)), Telling(), ()),
        (NoticeKind.RUN_FAILED, Notifications(), ALL_SINKS, (SinkName.WEBHOOK, SinkName.SLACK)),
        (NoticeKind.RUN_FAILED, Notifications(to=(OWN,)), ALL_SINKS, tuple(SinkName)),
        (NoticeKind.ATTEMPT_FAILED, Notifications(to=(OWN,)), ALL_SINKS, ()),
    ],
    ids=["none is set up", "nobody to mail to", "all", "attempts are for those who asked"],
)
def test_sinks(kind: NoticeKind, wanted: Notifications, telling: Telling, expected: tuple[SinkName, ...]) -> None:
    assert sinks_for(kind, wanted, telling) == expected


def test_by_default_one_hears_of_failures_of_their_lasting_and_of_their_end() -> None:
    assert Notifications().events == FOR_ALL == set(NoticeKind) - {NoticeKind.ATTEMPT_FAILED}
