"""Logging: constant messages with fields, as text for people or as JSON lines for machines."""

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
        extra = {key: str(value) for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            extra["exception"] = self.formatException(record.exc_info)
        return extra


class TextFormatter(_Fields):
    """One line per record, fields at the end."""

    def format(self, record: logging.LogRecord) -> str:
        """Render a record."""
        fields = " ".join(f"{key}={value}" for key, value in self.fields(record).items())
        line = f"{self.formatTime(record)} {record.levelname} {record.name.rpartition('.')[2]}: {record.getMessage()}"
        return f"{line} {fields}".rstrip()


class JsonFormatter(_Fields):
    """One JSON object per record."""

    def format(self, record: logging.LogRecord) -> str:
        """Render a record."""
        head = {"time": self.formatTime(record), "level": record.levelname, "logger": record.name}
        return msgspec.json.encode({**head, "message": record.getMessage(), **self.fields(record)}).decode()


def configure_logs(level: str, style: str) -> None:
    """Send everything to standard error; kopf speaks only when something is wrong."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if style == "json" else TextFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("kopf", "aiohttp", "asyncio"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
