"""What a build has printed, made fit to be shown (R24)."""

from __future__ import annotations

import base64

import pytest

from periodicbuild.core.redaction import is_secret_name, printable, redact, tail_of

SECRET = "hunter2-Hunter2"  # noqa: S105 - planted, to be looked for
JWT = f"eyJhbGciOiJIUzI1NiJ9.{base64.urlsafe_b64encode(b'a planted payload').decode().rstrip('=')}.c2lnbmF0dXJl"

REDACTED = {
    f"password={SECRET}": "password=[redacted]",
    f"DB_PASSWORD: {SECRET}": "DB_PASSWORD: [redacted]",
    f'{{"password": "{SECRET}", "user": "me"}}': '{"password": [redacted], "user": "me"}',
    f"secret = '{SECRET} with a space'": "secret = [redacted]",
    f"api-key:{SECRET};next": "api-key:[redacted];next",
    f"AWS_SECRET_ACCESS_KEY={SECRET}": "AWS_SECRET_ACCESS_KEY=[redacted]",
    f"fetch https://me:{SECRET}@example.com/x": "fetch https://[redacted]@example.com/x",
    f"fetch https://{SECRET}@example.com/x": "fetch https://[redacted]@example.com/x",
    f"postgres://me:{SECRET}@db:5432/shop": "postgres://[redacted]@db:5432/shop",
    f"Authorization: Bearer {SECRET}": "Authorization: [redacted]",
    f"said Bearer {SECRET}": "said Bearer [redacted]",
    f"a: 1, password={SECRET} b: 2, token={SECRET} c": "a: 1, password=[redacted] b: 2, token=[redacted] c",
    f"env: password={SECRET}": "env: password=[redacted]",
    f"curl -H 'X: Basic {SECRET}'": "curl -H 'X: Basic [redacted]'",
    f"login --password {SECRET} --user me": "login --password [redacted] --user me",
    f"login --password={SECRET} --user me": "login --password=[redacted] --user me",
    "pushed with ghp_0123456789abcdefghij now": "pushed with [redacted] now",
    "glpat-0123456789abcdefghij": "[redacted]",
    "AKIAABCDEFGHIJKLMNOP": "[redacted]",
    "xoxb-1234567890-abcdef": "[redacted]",
    f"got {JWT}.": "got [redacted].",
    "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc=\n-----END RSA PRIVATE KEY-----\nb": "a\n[redacted]\nb",
    "a\n-----BEGIN PRIVATE KEY-----\nMIIE\nabc": "a\n[redacted]",
    "MIIE\nabc=\n-----END PRIVATE KEY-----\nb": "[redacted]\nb",
}


@pytest.mark.parametrize(("text", "shown"), REDACTED.items())
def test_what_looks_like_a_secret_is_taken_out(text: str, shown: str) -> None:
    assert redact(text) == shown
    assert redact(shown) == shown


SHOWN = [
    "E: Unable to locate package libfoo",
    "make: *** [Makefile:12: all] Error 2",
    "https://example.com/a@b?c=d",
    "12:34:56 passed 3 of 4 tests",
    "the password is wrong",
    "token expected, found ')'",
    "author: me <me@example.com>",
    "KeyError: 'name'",
    "sha256:0123456789abcdef0123456789abcdef",
    "compass: north",
    "basic authentication failed",
]


@pytest.mark.parametrize("text", SHOWN)
def test_everything_else_stays(text: str) -> None:
    assert redact(text) == text


def test_secrets_that_are_known_are_taken_out_wherever_they_stand() -> None:
    text = "a=correct horse, b=correct%20horse, c=correct"
    assert redact(text, ["correct horse", "short"]) == "a=[redacted], b=[redacted], c=correct"
    assert redact("in a path: a%2Fb%2Fc-d, six", ["a/b/c-d", "six"]) == "in a path: [redacted], six"
    assert redact("six of them: sixsix", ["sixsix"]) == "six of them: [redacted]"


def test_of_two_known_secrets_the_longer_one_goes_first() -> None:
    assert redact("abcdefgh", ["bcdefg", "abcdefgh"]) == "[redacted]"


NAMES = {
    "DB_PASSWORD": True,
    "githubToken": True,
    "API_KEY": True,
    "PGPASSWORD": True,
    "PATH": False,
    "KEYBOARD": False,
}


@pytest.mark.parametrize(("name", "is_secret"), NAMES.items())
def test_a_secret_is_known_by_its_name(name: str, is_secret: bool) -> None:  # noqa: FBT001 - a table's column
    assert is_secret_name(name) is is_secret


PRINTED = {
    b"plain\n": "plain\n",
    b"\x1b[31mred\x1b[0m text": "red text",
    b"\x1b]0;title\x07after": "after",
    b"\x1b]8;;https://example.com\x1b\\link\x1b]8;;\x1b\\": "link",
    b"\x1bc\x1b(Bclean": "clean",
    b"10%\r50%\r100%\r\ndone": "100%\ndone",
    b"10%\r50%\r": "50%",
    b"written over by blanks\r   ": "",
    b"MAX\r": "MAX",
    b"one\r\ntwo\r\n": "one\ntwo\n",
    b"nul\x00bell\x07back\x08": "nulbellback",
    b"tab\tstays": "tab\tstays",
    b"\xff\xfe broken": "\ufffd\ufffd broken",
    "\u202eevil\u2066".encode(): "evil",
    "\u00fcml\u00e4ut \u2713".encode(): "\u00fcml\u00e4ut \u2713",
    b"trailing  \nspaces\t": "trailing\nspaces",
}


@pytest.mark.parametrize(("raw", "text"), PRINTED.items())
def test_a_terminal_has_nothing_to_obey(raw: bytes, text: str) -> None:
    assert printable(raw) == text


TAILS = {
    "all of it fits": ("a\nb\n", 3, 100, "a\nb"),
    "the last lines": ("a\nb\nc\nd", 2, 100, "c\nd"),
    "whole lines": ("aaaa\nbbbb\ncccc", 3, 11, "bbbb\ncccc"),
    "the end of one long line": ("x" * 50 + "end", 3, 10, "xxxxxxxend"),
    "nothing": ("\n\n", 3, 10, ""),
    "with its indentation": ("\n  X\n", 3, 10, "  X"),
    "exactly": ("ab\ncd", 2, 5, "ab\ncd"),
}


@pytest.mark.parametrize(("text", "lines", "characters", "tail"), TAILS.values(), ids=list(TAILS))
def test_the_end_of_a_log(text: str, lines: int, characters: int, tail: str) -> None:
    assert tail_of(text, lines=lines, characters=characters) == tail


def test_a_long_line_is_read_in_linear_time() -> None:
    """No pattern backtracks over 64 kB that a program may print at will."""
    for unit in ("a", "password", "-----BEGIN A-----", "://", "\x1b]", "eyJ", "= ", "-", "'", "token "):
        text = unit * (64_000 // len(unit))
        assert len(redact(printable(text.encode()))) <= 10 * len(text)
