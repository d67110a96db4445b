"""The page about the chart's values, made from the comments beside them.

The one idea a newcomer would miss: a value without a `# -- ` above it is an error, so none goes undocumented.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import yaml
from tests.chart.helm import CHART

if TYPE_CHECKING:
    from collections.abc import Iterator

VALUES: Final = CHART / "values.yaml"
PAGE: Final = CHART / "README.md"
BEGIN, END = "<!-- values -->", "<!-- end of values -->"
_KEY: Final = re.compile(r"^( *)([A-Za-z]\w*):")
_TEXT: Final = re.compile(r"^ *# -- (.*)$")


class UndocumentedError(Exception):
    """A value has no comment."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value: what its name and its comment say; the default is the file's."""

    path: str
    text: str
    default: Any


def read_values() -> list[Value]:
    """Read every value in the order of the file; raises UndocumentedError."""
    defaults = yaml.safe_load(VALUES.read_text())
    return [Value(path, text, _at(defaults, path)) for path, text in _documented(VALUES.read_text().splitlines())]


def _documented(lines: list[str]) -> Iterator[tuple[str, str]]:
    """Give each path that has a comment; what is below one is part of its default."""
    parents: list[tuple[int, str]] = []
    text, depth_of_default = "", None
    for line in lines:
        if comment := _TEXT.match(line):
            text, depth_of_default = comment.group(1), None
            continue
        found = _KEY.match(line)
        if found is None:
            continue
        depth, key = len(found.group(1)), found.group(2)
        if depth_of_default is not None and depth > depth_of_default:
            continue
        depth_of_default = None
        parents = [(outer, name) for outer, name in parents if outer < depth]
        path = ".".join((*(name for _, name in parents), key))
        if text:
            yield path, text
            text, depth_of_default = "", depth
        else:
            parents.append((depth, key))


def _at(defaults: Any, path: str) -> Any:
    for key in path.split("."):
        defaults = defaults[key]
    return defaults


def check_all_documented() -> None:
    """Raise UndocumentedError if a value lies under no comment."""
    documented = [value.path for value in read_values()]
    for path in _leaves(yaml.safe_load(VALUES.read_text())):
        if not any(path == one or path.startswith(f"{one}.") for one in documented):
            raise UndocumentedError(f"{path} has no comment: write `# -- ` and what it is for above it")


def _leaves(values: Any, prefix: str = "") -> Iterator[str]:
    if not isinstance(values, dict) or not values:
        yield prefix
        return
    for key, value in values.items():
        yield from _leaves(value, f"{prefix}.{key}".lstrip("."))


def page(before: str) -> str:
    """Give the page with the table made anew."""
    head, _, rest = before.partition(BEGIN)
    _, _, tail = rest.partition(END)
    rows = [f"| `{one.path}` | {_cell(one.text)} | {_default(one.default)} |" for one in read_values()]
    table = "\n".join(("| Value | What it is | Default |", "|---|---|---|", *rows))
    return f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}"


def _default(value: Any) -> str:
    return "" if value in ("", None, [], {}) else f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
