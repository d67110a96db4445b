"""A namespace: the operator only ever asks whether it is going away (R43)."""

from __future__ import annotations

import msgspec


class _Metadata(msgspec.Struct):
    deletion_timestamp: str | None = msgspec.field(name="deletionTimestamp", default=None)


class _Namespace(msgspec.Struct):
    metadata: _Metadata


_decode = msgspec.json.Decoder(_Namespace).decode


def is_terminating(raw: bytes) -> bool:
    """Tell whether a namespace is being deleted."""
    return _decode(raw).metadata.deletion_timestamp is not None
