"""Logging: constant messages with fields, as text for people or as JSON lines for machines.

The one idea a newcomer would miss: values are other people's text, an admission webhook's message for example.  None
of them may begin a line of its own, move a terminal's cursor, or be lost because it cannot be encoded.
"""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime

import msgspec

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class _Fields(logging.Formatter):
    def formatTime(self, record: logging.LogRecord, _datefmt: str | None = None) -> str:  # noqa: N802 - logging's name
        return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def fields(self, record: logging.LogRecord) -> dict[str, str]:
        return {key: _encodable(str(value)) for key, value in vars(record).items() if key not in _STANDARD}

    def traceback(self, record: logging.LogRecord) -> str:
        return _encodable(self.formatException(record.exc_info)) if record.exc_info else ""


class TextFormatter(_Fields):
    """One line per record, fields at the end; a traceback follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Render a record."""
        fields = " ".join(f"{key}={_printable(value)}" for key, value in self.fields(record).items())
        line = f"{self.formatTime(record)} {record.levelname} {record.name.rpartition('.')[2]}: {record.getMessage()}"
        return f"{line} {fields}".rstrip() + f"\n{self.traceback(record)}".rstrip()


class JsonFormatter(_Fields):
    """One JSON object per record."""

    def format(self, record: logging.LogRecord) -> str:
        """Render a record."""
        head = {"time": self.formatTime(record), "level": record.levelname, "logger": record.name}
        traceback = self.traceback(record)
        tail = {"exception": traceback} if traceback else {}
        return msgspec.json.encode({**head, "message": record.getMessage(), **self.fields(record), **tail}).decode()


def _encodable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def configure_logs(level: str, style: str) -> None:
    """Send everything to standard error; kopf speaks only when something is wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("kopf", "aiohttp", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
