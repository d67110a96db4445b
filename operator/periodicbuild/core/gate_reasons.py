"""Conditions of a BuildGate and their reasons: exactly what a person sees, so renaming one is a change of the API."""

from __future__ import annotations

from enum import StrEnum


class GateCondition(StrEnum):
    """Conditions of a BuildGate."""

    VALID = "Valid"
    OPEN = "Open"
    SAFE = "Safe"


class GateReason(StrEnum):
    """Reasons of its conditions."""

    ACCEPTED = "Accepted"
    INVALID_WINDOW = "InvalidWindow"
    INVALID_SPEC = "InvalidSpec"
    NEVER_DUE = "NeverDue"
    NOTHING_IN_SCOPE = "NothingInScope"
    OPEN = "Open"
    CLOSED = "Closed"
    IN_WINDOW = "InWindow"
    EXPIRED = "Expired"
    GATE_OPEN = "GateOpen"
    BUILDS_IN_PROGRESS = "BuildsInProgress"
    NOTHING_IN_PROGRESS = "NothingInProgress"
    UNREADABLE = "Unreadable"
