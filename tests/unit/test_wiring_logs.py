"""One record is one line that says when, how bad, who, what, and with which values."""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import Any

import pytest

from periodicbuild.wiring.logs import JsonFormatter, TextFormatter, configure_logs


def a_record(message: str = "a look failed", level: int = logging.WARNING, **extra: Any) -> logging.LogRecord:
    """Give a record as a logger of ours makes it."""
    return logging.getLogger("periodicbuild.wiring.reconciler").makeRecord(
        "periodicbuild.wiring.reconciler", level, __file__, 1, message, (), None, extra=extra
    )


def with_exception() -> logging.LogRecord:
    """Give a record of something that was raised."""
    record = a_record()
    try:
        raise ValueError("poison")
    except ValueError:
        record.exc_info = sys.exc_info()
    return record


def test_text_has_time_level_logger_message_and_fields() -> None:
    line = TextFormatter().format(a_record(namespace="team-a", object="nightly"))
    pattern = r"\d{4}-\d\d-\d\dT[\d:.]+Z WARNING reconciler: a look failed namespace=team-a object=nightly"
    assert re.fullmatch(pattern, line)


def test_json_has_the_same_as_an_object() -> None:
    read = json.loads(JsonFormatter().format(a_record(namespace="team-a", object="nightly")))
    assert read.pop("time").endswith("Z")
    assert read == {
        "level": "WARNING",
        "logger": "periodicbuild.wiring.reconciler",
        "message": "a look failed",
        "namespace": "team-a",
        "object": "nightly",
    }


@pytest.mark.parametrize(
    ("value", "written"),
    [
        pytest.param("refused:\n2026-11-24T12:00:00Z INFO writer: all is well", "\\n2026", id="a forged record"),
        pytest.param("\x1b[2Jnothing to see", "\\x1b[2J", id="an escape sequence of a terminal"),
        pytest.param("half a \ud83d pair", "\\ud83d", id="what cannot be encoded"),
    ],
)
def test_what_others_write_stays_on_its_line(value: str, written: str) -> None:
    """Messages of admission webhooks and names of containers are other people's text."""
    line = TextFormatter().format(a_record(error=value))
    assert len(line.splitlines()) == 1
    assert written in line
    assert line.encode()


@pytest.mark.parametrize("value", ["two\nlines", "half a \ud83d pair", 7, None, b"\xff"])
def test_json_can_be_read_whatever_the_value(value: object) -> None:
    line = JsonFormatter().format(a_record(error=value))
    assert len(line.splitlines()) == 1
    assert "error" in json.loads(line)


def test_an_exception_is_shown_with_its_traceback() -> None:
    assert "ValueError: poison" in json.loads(JsonFormatter().format(with_exception()))["exception"]
    assert TextFormatter().format(with_exception()).splitlines()[-1].strip() == "ValueError: poison"


@pytest.mark.parametrize(("style", "formatter"), [("json", JsonFormatter), ("text", TextFormatter)])
def test_the_style_is_a_choice_and_kopf_is_quiet(
    style: str, formatter: type[logging.Formatter], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    configure_logs("debug", style)
    assert [type(handler.formatter) for handler in root.handlers] == [formatter]
    assert root.level == logging.DEBUG
    assert not logging.getLogger("kopf.objects").isEnabledFor(logging.INFO)
