"""What people may choose in a spec, word by word; the definitions admit these words and no others (design 2.1)."""

from __future__ import annotations

from enum import StrEnum


class SucceedWhen(StrEnum):
    """What success means: a server that stays up, or a build that ends with exit code 0."""

    READY = "Ready"
    COMPLETED = "Completed"


class ConcurrencyPolicy(StrEnum):
    """What a slot does while a build is in progress: wait, or end it (R16)."""

    FORBID = "Forbid"
    REPLACE = "Replace"


class AfterManualRun(StrEnum):
    """Whether a manual run makes the interval start anew (R5)."""

    RESTART = "Restart"
    KEEP = "Keep"


class Recovery(StrEnum):
    """What follows the loss of the serving pod (R30)."""

    RESTART = "Restart"
    NEVER = "Never"
