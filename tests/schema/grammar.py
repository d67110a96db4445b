"""Put the grammar of the core into the definitions: patterns, bounds and CEL text.

The sources name the constants of the core instead of repeating them, so a notation that the parser learns is admitted
by the API server too, once the definitions are generated again.
"""

from __future__ import annotations

import re

from periodicbuild.core import crons
from periodicbuild.core.durations import DURATION_FORM, DURATION_SECONDS_CEL, MAX_TEXT_LENGTH
from periodicbuild.core.intervals import (
    AMBIGUOUS_PATTERN,
    CALENDAR_UNIT_PATTERN,
    INTERVAL_PATTERN,
    INTERVAL_SECONDS_CEL,
)
from periodicbuild.core.recipients import ADDRESS_PATTERN

TIME_OF_DAY_PATTERN = "^([01][0-9]|2[0-3]):[0-5][0-9]$"

TIME_ZONE_PATTERN = "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$"
"""What a name of the zone database looks like; which names there are is for the operator to know."""

_VALUES = {"MAX_TEXT_LENGTH": MAX_TEXT_LENGTH, "MAX_CRON_LENGTH": crons.MAX_LENGTH}
"""Constants that stand alone and are not text."""

_TEXTS = {
    "ADDRESS_PATTERN": ADDRESS_PATTERN,
    "DURATION_FORM": DURATION_FORM,
    "INTERVAL_PATTERN": INTERVAL_PATTERN,
    "AMBIGUOUS_PATTERN": AMBIGUOUS_PATTERN,
    "CALENDAR_UNIT_PATTERN": CALENDAR_UNIT_PATTERN,
    "TIME_OF_DAY_PATTERN": TIME_OF_DAY_PATTERN,
    "TIME_ZONE_PATTERN": TIME_ZONE_PATTERN,
    "CRON_FIELD_NAMES": ", ".join(name for name, _ in crons.FIELDS),
    "CRON_NICKNAME_LIST": ", ".join(crons.NICKNAMES),
}
"""Constants that stand inside a text; none has a double quote or a backslash, so they fit into a CEL literal."""

_LITERALS = {"CRON_NICKNAMES": str(crons.NICKNAMES)}
"""Constants that stand alone in CEL, as what they are: here a map from a nickname to its five fields."""

_FUNCTIONS = {"SECONDS": DURATION_SECONDS_CEL, "INTERVAL_SECONDS": INTERVAL_SECONDS_CEL}
"""CEL text over `self`, written like a function of the field it is about."""

_NAMED = _TEXTS | _LITERALS
_NAME = re.compile(rf"\b({'|'.join(_NAMED)})\b")
_CALL = re.compile(rf"\b({'|'.join(_FUNCTIONS)})\(([a-zA-Z.]+)\)")
_SELF = re.compile(r"\bself\b")


def with_grammar(text: str) -> str | int:
    """Replace the names of the grammar's constants in one text of a source."""
    if text in _VALUES:
        return _VALUES[text]
    named = _NAME.sub(lambda match: _NAMED[match[1]], text)
    return _CALL.sub(lambda match: _SELF.sub(match[2], _FUNCTIONS[match[1]]), named)
