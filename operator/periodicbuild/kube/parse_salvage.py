"""From bytes to msgspec types, whatever the bytes: nothing here raises.

Must not know which type it fills.

The one idea a newcomer would miss: the whole is tried first, and that is the fast and the usual way.  Only when it
fails is the object taken apart, and each part that can be read is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar, get_args

import msgspec

from periodicbuild.kube.parse_values import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)

_PARTS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])


def read_object(decoder: msgspec.json.Decoder[S], raw: msgspec.Raw | bytes) -> S | None:
    """Decode an object; parts that do not fit count as absent, and None stands for one that lacks a required part."""
    whole = _read(decoder, raw)
    return _salvaged(decoder.type, raw) if whole is None else whole


def read_list(decoder: msgspec.json.Decoder[tuple[T, ...]], raw: msgspec.Raw | bytes) -> tuple[T, ...]:
    """Decode a list; items that do not fit are left out."""
    whole = _read(decoder, raw)
    return tuple(_readable_items(_item_type(decoder.type), raw)) if whole is None else whole


def _read(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw | bytes) -> T | None:
    try:
        return decoder.decode(raw)
    except UNREADABLE:
        return None


def _salvaged(kind: type[S], raw: msgspec.Raw | bytes) -> S | None:
    parts = _read(_PARTS, raw)
    if parts is None:
        return None
    try:
        return kind(**dict(_readable_parts(kind, parts)))
    except TypeError:  # a required part is missing
        return None


def _readable_parts(kind: type[S], parts: dict[str, msgspec.Raw]) -> Iterator[tuple[str, Any]]:
    for field in msgspec.structs.fields(kind):
        part = parts.get(field.encode_name)
        if part is None:
            continue
        try:
            yield field.name, msgspec.json.decode(part, type=field.type)
        except UNREADABLE:
            item_type = _item_type(field.type)
            if item_type is not None:
                yield field.name, tuple(_readable_items(item_type, part))


def _item_type(kind: Any) -> Any:
    """Give X of `tuple[X, ...]`, also if it is optional; None for everything else."""
    return next((get_args(option)[0] for option in (kind, *get_args(kind)) if get_args(option)[1:] == (...,)), None)


def _readable_items(kind: Any, raw: msgspec.Raw | bytes) -> Iterator[Any]:
    for item in _read(_ITEMS, raw) or ():
        try:
            yield msgspec.json.decode(item, type=kind)
        except UNREADABLE:
            continue
