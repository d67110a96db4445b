"""What lists and watches look like as bytes, whatever the kind.

Must not know sessions, and of an object only what every object has; the rest is read by the caller's function.

The one idea a newcomer would miss: one unreadable object must not hide the others.  So each is read by itself; one
that cannot be is left out with a warning, and everything else goes on.
"""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from periodicbuild.kube.answers import Status
from periodicbuild.kube.parse_values import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

_log = logging.getLogger(__name__)


class ChangeType(StrEnum):
    """What a watch says about an object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """One page of a list."""

    items: list[T]
    """In the server's order: by namespace, then name."""

    version: str
    """The resourceVersion of the whole list, equal on all its pages."""

    next_token: str
    """Asks for the next page; empty on the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Generic[T]):
    """One line of a watch."""

    type: ChangeType | None = None
    """None for a bookmark or a refusal."""

    item: T | None = None
    """None for a bookmark or a refusal, or if the object cannot be read."""

    key: tuple[str, str] = ("", "")
    """Namespace and name; without meaning for a bookmark or a refusal."""

    version: str = ""
    """Where the watch stands after this line; empty for a refusal."""

    ends_list: bool = False
    """True for the bookmark after the last object of a list that a watch was asked to begin with."""

    refusal: Status | None = None
    """Why the server ends the watch."""


class _ListMeta(msgspec.Struct):
    version: str = msgspec.field(name="resourceVersion", default="")
    next_token: str = msgspec.field(name="continue", default="")


class _List(msgspec.Struct):
    metadata: _ListMeta
    items: list[msgspec.Raw] | None = None


class _Marks(msgspec.Struct):
    ends_list: str = msgspec.field(name="k8s.io/initial-events-end", default="")


class _ObjectMeta(msgspec.Struct):
    annotations: _Marks | None = None
    namespace: str = ""
    name: str = ""
    version: str = msgspec.field(name="resourceVersion", default="")


class _Object(msgspec.Struct):
    metadata: _ObjectMeta


class _Line(msgspec.Struct):
    type: str
    object: msgspec.Raw


_decode_list = msgspec.json.Decoder(_List).decode
_decode_line = msgspec.json.Decoder(_Line).decode
_decode_object = msgspec.json.Decoder(_Object).decode
_decode_status = msgspec.json.Decoder(Status).decode


class Decoder(Generic[T]):
    """Decode pages and watch lines of one kind; bytes that are neither raise msgspec.DecodeError."""

    def __init__(self, read: Callable[[msgspec.Raw], T]) -> None:
        """`read` makes what is kept of an object; it copies what it needs, since a raw view keeps its whole page."""
        self._read = read

    def page(self, body: bytes) -> Page[T]:
        """Decode one page of a list."""
        with _refusing_only_by_decode_error():
            page = _decode_list(body)
        items = [item for raw in page.items or () if (item := self._item(raw)) is not None]
        return Page(items=items, version=page.metadata.version, next_token=page.metadata.next_token)

    def line(self, line: bytes) -> Change[T]:
        """Decode one line of a watch."""
        with _refusing_only_by_decode_error():
            return self._change(line)

    def _change(self, line: bytes) -> Change[T]:
        event = _decode_line(line)
        if event.type == "ERROR":
            return Change(refusal=_decode_status(event.object))
        meta = _decode_object(event.object).metadata
        if event.type == "BOOKMARK":
            ends_list = meta.annotations is not None and meta.annotations.ends_list == "true"
            return Change(version=meta.version, ends_list=ends_list)
        item, key = self._item(event.object), (meta.namespace, meta.name)
        return Change(type=ChangeType(event.type), item=item, key=key, version=meta.version)

    def _item(self, raw: msgspec.Raw) -> T | None:
        try:
            return self._read(raw)
        except UNREADABLE as error:
            metadata = _metadata_if_readable(raw)
            _log.warning(
                "left out an object that cannot be read; edit or delete it",
                extra={"namespace": metadata.namespace, "object": metadata.name, "error": str(error)},
            )
            return None


def _metadata_if_readable(raw: msgspec.Raw) -> _ObjectMeta:
    try:
        return _decode_object(raw).metadata
    except UNREADABLE:
        return _ObjectMeta()


@contextmanager
def _refusing_only_by_decode_error() -> Iterator[None]:
    """Bytes that are no UTF-8, or nested too deep, raise other exceptions, which nobody would expect."""
    try:
        yield
    except UNREADABLE as error:
        raise msgspec.DecodeError(str(error)) from error


class LineSplitter:
    """Cut a stream of chunks into lines of any length."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def feed(self, chunk: bytes) -> list[bytes]:
        """Give the lines that this chunk completes; the start of another is kept, and lost if the stream ends."""
        first, *others = chunk.split(b"\n")
        self._parts.append(first)
        if not others:
            return []
        *complete, rest = others
        lines = [b"".join(self._parts), *complete]
        self._parts = [rest]
        return [line for line in lines if line]


def is_older(version: str, than: str) -> bool:
    """Compare resourceVersions of one kind; False if either is not a number (since 1.35 all are)."""
    return version.isdecimal() and than.isdecimal() and int(version) < int(than)
