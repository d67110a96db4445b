"""Lists and watch lines are decoded into declared fields, one object at a time."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from periodicbuild.kube.changes import Change, ChangeType, Decoder, LineSplitter, is_older


class Metadata(msgspec.Struct, frozen=True):
    """The declared part of any object's metadata."""

    name: str


class Thing(msgspec.Struct, frozen=True):
    """A kind for these tests."""

    metadata: Metadata
    size: int = 0


read_thing = msgspec.json.Decoder(Thing).decode


def thing(name: str, **fields: Any) -> dict[str, Any]:
    """Build a Thing as the server would send it."""
    metadata = {"name": name, "namespace": "team-a", "resourceVersion": "7", "managedFields": [{"ignored": True}]}
    return {"kind": "Thing", "metadata": metadata, **fields}


def line(change: str, body: dict[str, Any]) -> Change[Thing]:
    """Decode one line of a watch."""
    return Decoder(read_thing).line(json.dumps({"type": change, "object": body}).encode())


def test_a_page_has_its_objects_its_version_and_the_way_to_the_next() -> None:
    body = {"metadata": {"resourceVersion": "42", "continue": "abc"}, "items": [thing("a", size=1), thing("b")]}
    page = Decoder(read_thing).page(json.dumps(body).encode())
    assert page.items == [Thing(Metadata("a"), 1), Thing(Metadata("b"))]
    assert (page.version, page.next_token) == ("42", "abc")


@pytest.mark.parametrize("items", [[], None])
def test_an_empty_list_is_a_list(items: list[Any] | None) -> None:
    page = Decoder(read_thing).page(json.dumps({"metadata": {"resourceVersion": "42"}, "items": items}).encode())
    assert (page.items, page.next_token) == ([], "")


def test_one_poisoned_object_does_not_hide_the_others(caplog: pytest.LogCaptureFixture) -> None:
    items = [thing("a"), thing("poison", size="no number"), thing("b")]
    page = Decoder(read_thing).page(json.dumps({"metadata": {}, "items": items}).encode())
    assert [item.metadata.name for item in page.items] == ["a", "b"]
    assert [vars(record)["object"] for record in caplog.records] == ["poison"]


@pytest.mark.parametrize("change", list(ChangeType))
def test_a_change_carries_the_object_and_where_the_watch_stands(change: ChangeType) -> None:
    expected = Change(type=change, item=Thing(Metadata("a"), 3), key=("team-a", "a"), version="7")
    assert line(change, thing("a", size=3)) == expected


def test_a_bookmark_only_says_where_the_watch_stands() -> None:
    assert line("BOOKMARK", {"kind": "Thing", "metadata": {"resourceVersion": "99"}}) == Change(version="99")


def test_one_bookmark_says_that_the_list_is_complete_with_which_the_watch_began() -> None:
    metadata = {"resourceVersion": "99", "annotations": {"k8s.io/initial-events-end": "true"}}
    assert line("BOOKMARK", {"kind": "Thing", "metadata": metadata}) == Change(version="99", ends_list=True)


def test_a_refusal_in_the_stream_is_no_object() -> None:
    change = line("ERROR", {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"})
    assert change.refusal is not None
    assert (change.refusal.code, change.refusal.reason, change.item) == (410, "Expired", None)


@pytest.mark.parametrize("cut_every", [1, 2, 3, 5, 1000])
def test_lines_come_whole_however_the_stream_is_cut(cut_every: int) -> None:
    stream = b'{"a":1}\n{"b":22}\n\n{"c":333}\n{"cut off'
    splitter = LineSplitter()
    chunks = [stream[at : at + cut_every] for at in range(0, len(stream), cut_every)]
    lines = [line for chunk in chunks for line in splitter.feed(chunk)]
    assert lines == [b'{"a":1}', b'{"b":22}', b'{"c":333}']


@pytest.mark.parametrize(
    ("version", "than", "expected"),
    [("9", "10", True), ("10", "9", False), ("10", "10", False), ("", "9", False), ("9", "", False), ("a", "b", False)],
)
def test_versions_compare_as_numbers(version: str, than: str, *, expected: bool) -> None:
    assert is_older(version, than) is expected


@pytest.mark.parametrize(
    "line_of_bytes",
    [
        pytest.param(b"<html>", id="no JSON"),
        pytest.param(b'{"type": "\xff", "object": {"metadata": {}}}', id="no UTF-8"),
        pytest.param(b'{"type": "RENAMED", "object": {"metadata": {}}}', id="a change that nobody knows"),
        pytest.param(b'{"type": "ADDED", "object": {}}', id="no object"),
        pytest.param(b'{"type": "ADDED", "object": ' + b"[" * 100_000, id="nested too deep"),
    ],
)
def test_a_line_that_is_no_change_raises_a_decode_error_and_nothing_else(line_of_bytes: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        Decoder(read_thing).line(line_of_bytes)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"items": []}', b'{"metadata": {"continue": "\xff"}, "items": []}'])
def test_a_page_that_is_no_list_raises_a_decode_error_and_nothing_else(body: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        Decoder(read_thing).page(body)


@pytest.mark.parametrize(
    "poison",
    [
        pytest.param(b'{"metadata": {"name": 7}}', id="not even its name can be read"),
        pytest.param(b'{"metadata": {"name": "\xff"}}', id="no UTF-8"),
        pytest.param(b"[]", id="no object"),
    ],
)
def test_a_poisoned_object_of_any_kind_is_left_out(poison: bytes) -> None:
    page = b'{"metadata": {}, "items": [' + poison + b', {"metadata": {"name": "fine"}}]}'
    assert [item.metadata.name for item in Decoder(read_thing).page(page).items] == ["fine"]
